"""Access keys over HTTP."""

from functools import partial

from messagehub import shapes
from messagehub.accounts.keys import AccessKey
from messagehub.api import paging
from messagehub.api.endpoint import CUSTOMER, PAGING, Call, Endpoint, Page, Parameter
from messagehub.clock import plain


async def create(call: Call) -> shapes.AccessKey:
    body: shapes.AccessKeyGiven = call.body
    services = call.services
    owner = await services.customers.living(call.caller.acting_for(body.customer_id))
    key, kept = await services.accesskeys.add(
        owner.id, call.now, name=body.name, detail=body.detail, tm_expire=call.caller.in_time(body.expire, call.now)
    )
    shape = _shape(kept)
    shape.token = key
    return shape


async def page(call: Call) -> Page[shapes.AccessKey]:
    """The operator sees the keys of all."""
    prefix = call.query.get("token_prefix", "")
    return await paging.newest_first(call, partial(call.services.accesskeys.page, call.owner, prefix), _shape)


async def one(call: Call) -> shapes.AccessKey:
    return _shape(await _find(call))


async def change(call: Call) -> shapes.AccessKey:
    changes = call.given
    if "expire" in changes:
        changes["tm_expire"] = call.caller.in_time(changes.pop("expire"), call.now)
    return _shape(await call.services.accesskeys.change(call.id, call.owner, call.now, **changes))


async def revoke(call: Call) -> shapes.AccessKey:
    return _shape(await call.services.accesskeys.revoke(await _find(call), call.now))


async def _find(call: Call) -> AccessKey:
    return await call.services.accesskeys.get(call.id, call.owner)


def _shape(key: AccessKey) -> shapes.AccessKey:
    return shapes.AccessKey(
        id=key.id,
        customer_id=key.customer_id,
        name=key.name,
        detail=key.detail,
        token_prefix=key.prefix,
        tm_expire=plain(key.tm_expire),
        tm_last_use=plain(key.tm_last_use),
        tm_create=plain(key.tm_create),
        tm_update=plain(key.tm_update),
        tm_delete=plain(key.tm_delete),
    )


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
BEGINNING = Parameter("token_prefix", "Only those that begin with this.")

ENDPOINTS = [
    Endpoint(
        method="POST", path="/accesskeys", summary="Make an access key; it is shown this once",
        takes=shapes.AccessKeyGiven, gives=shapes.AccessKey, reasons=("PERMISSION_DENIED", "RESOURCE_NOT_FOUND"),
        handler=create,
    ),
    Endpoint(
        method="GET", path="/accesskeys", summary="List your access keys, newest first; the operator sees all",
        gives=Page[shapes.AccessKey], parameters=(*PAGING, BEGINNING, CUSTOMER),
        reasons=("INVALID_REQUEST_PARAMETER",), handler=page,
    ),
    Endpoint(
        method="GET", path="/accesskeys/{id}", summary="Get an access key, but for the key itself",
        gives=shapes.AccessKey, reasons=ID, handler=one,
    ),
    Endpoint(
        method="PUT", path="/accesskeys/{id}", summary="Change an access key; what is left out stays",
        takes=shapes.AccessKeyChange, gives=shapes.AccessKey, reasons=ID, handler=change,
    ),
    Endpoint(
        method="DELETE", path="/accesskeys/{id}", summary="Revoke an access key, be it the one that asks",
        gives=shapes.AccessKey, reasons=ID, handler=revoke,
    ),
]  # fmt: skip
