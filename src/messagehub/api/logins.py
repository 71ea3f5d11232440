"""Logins over HTTP: a token for a name and a password."""

from messagehub import shapes
from messagehub.api.endpoint import Call, Endpoint, Who


async def login(call: Call) -> shapes.Token:
    body: shapes.LoginGiven = call.body
    token = await call.services.logins.token(body.username, body.password, call.origin, call.now)
    return shapes.Token(body.username, token)


ENDPOINTS = [
    Endpoint(
        method="POST", path="/auth/login", summary="Get a token for a username and a password", who=Who.ANYBODY,
        logs_in=True, takes=shapes.LoginGiven, gives=shapes.Token, reasons=("INVALID_CREDENTIALS",), handler=login,
    ),
]  # fmt: skip
