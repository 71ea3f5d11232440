"""Who asks, over HTTP: an access key or a login."""

from typing import Literal

from messagehub import shapes
from messagehub.accounts.callers import LOGIN
from messagehub.accounts.keys import AccessKey
from messagehub.accounts.logins import Login
from messagehub.api.endpoint import Call, Endpoint
from messagehub.clock import NEVER, plain
from messagehub.errors import Refusal


async def me(call: Call) -> shapes.Me:
    try:
        if call.caller.kind == LOGIN:
            return _login(call, await call.services.logins.get(call.caller.username))
        return _key(call, await call.services.accesskeys.get(call.caller.id, call.customer_id))
    except Refusal:  # it was ended a moment ago, and is remembered still
        raise Refusal("INVALID_CREDENTIALS", "the access key or token was revoked") from None


async def change_password(call: Call) -> shapes.Me:
    body: shapes.PasswordChange = call.body
    if call.caller.kind != LOGIN:
        raise Refusal("STATE_INVALID", "an access key has no password; log in and use the token")
    changed = await call.services.logins.change_password(
        call.caller.username, body.password, body.new_password, call.origin, call.now
    )
    return _login(call, changed)


def _key(call: Call, key: AccessKey) -> shapes.Me:
    return shapes.Me(
        type="accesskey",
        id=key.id,
        customer_id=key.customer_id,
        role=_role(call),
        username="",
        name=key.name,
        detail=key.detail,
        token_prefix=key.prefix,
        tm_expire=plain(key.tm_expire),
        tm_last_use=plain(key.tm_last_use),
        tm_create=plain(key.tm_create),
        tm_update=plain(key.tm_update),
    )


def _login(call: Call, login: Login) -> shapes.Me:
    return shapes.Me(
        type="login",
        id=login.id,
        customer_id=login.customer_id,
        role=_role(call),
        username=login.username,
        name=login.name,
        detail=login.detail,
        token_prefix="",
        tm_expire=plain(call.caller.tm_expire),
        tm_last_use=plain(NEVER),
        tm_create=plain(login.tm_create),
        tm_update=plain(login.tm_update),
    )


def _role(call: Call) -> Literal["operator", "customer"]:
    return "operator" if call.caller.is_operator else "customer"


ENDPOINTS = [
    Endpoint(
        method="GET", path="/me", summary="Get the access key or the login that asks", gives=shapes.Me,
        reasons=("RESOURCE_NOT_FOUND",), handler=me,
    ),
    Endpoint(
        method="PUT", path="/me/password", summary="Change the password of the login that asks; all its tokens end",
        logs_in=True, takes=shapes.PasswordChange, gives=shapes.Me, reasons=("STATE_INVALID", "RESOURCE_NOT_FOUND"),
        handler=change_password,
    ),
]  # fmt: skip
