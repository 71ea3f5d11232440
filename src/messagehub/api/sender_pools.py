"""Sender pools over HTTP."""

from collections.abc import Mapping
from functools import partial

from messagehub import ids, shapes
from messagehub.api import paging
from messagehub.api.endpoint import CUSTOMER, PAGING, Call, Endpoint, Page
from messagehub.clock import NEVER, plain
from messagehub.senders.pools import Pool


async def create(call: Call) -> shapes.SenderPool:
    return await _shape(call, await call.services.pools.add(call.now, call.customer_id, **call.given))


async def page(call: Call) -> Page[shapes.SenderPool]:
    found = await paging.newest_first(call, partial(call.services.pools.page, call.owner), lambda pool: pool)
    return Page([await _shape(call, pool) for pool in found.result], found.next_page_token)


async def one(call: Call) -> shapes.SenderPool:
    return await _shape(call, await _find(call))


async def change(call: Call) -> shapes.SenderPool:
    return await _shape(call, await call.services.pools.change(await _find(call), call.now, **call.given))


async def delete(call: Call) -> shapes.SenderPool:
    pool = await _find(call)
    shape = await _shape(call, pool, tm_delete=call.now)
    await call.services.pools.remove(pool)
    return shape


async def _find(call: Call) -> Pool:
    return await call.services.pools.get(call.id, call.owner)


async def _shape(call: Call, pool: Pool, tm_delete: int = NEVER) -> shapes.SenderPool:
    states: Mapping[str, str] = await call.services.pooling.states(pool)
    return shapes.SenderPool(
        id=pool.id,
        customer_id=pool.customer_id,
        name=pool.name,
        numbers=[
            shapes.PoolNumber(id=number.id, number=number.number, state=states.get(number.number, "good"))  # type: ignore[arg-type]
            for number in pool.members
        ],
        sticky=bool(pool.sticky),
        prefer_country=bool(pool.prefer_country),
        tm_create=plain(pool.tm_create),
        tm_update=plain(pool.tm_update),
        tm_delete=plain(tm_delete),
    )


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")

ENDPOINTS = [
    Endpoint(
        method="POST", path="/sender_pools", summary="Make a pool of numbers of yours",
        detail='A message whose `source` is `{"type": "pool", "target": "<name or id>"}` goes from one of them.',
        takes=shapes.SenderPoolGiven, gives=shapes.SenderPool, reasons=("RESOURCE_NOT_FOUND", "ALREADY_EXISTS"),
        example={"name": "shops", "numbers": [ids.UNSET]}, handler=create,
    ),
    Endpoint(
        method="GET", path="/sender_pools", summary="List your pools, newest first; the operator sees all",
        gives=Page[shapes.SenderPool], parameters=(*PAGING, CUSTOMER), reasons=("INVALID_REQUEST_PARAMETER",),
        handler=page,
    ),
    Endpoint(
        method="GET", path="/sender_pools/{id}", summary="Get a pool, and how its numbers are doing",
        gives=shapes.SenderPool, reasons=ID, handler=one,
    ),
    Endpoint(
        method="PUT", path="/sender_pools/{id}", summary="Change a pool; what is left out stays",
        takes=shapes.SenderPoolChange, gives=shapes.SenderPool, reasons=(*ID, "ALREADY_EXISTS"),
        example={"sticky": False}, handler=change,
    ),
    Endpoint(
        method="DELETE", path="/sender_pools/{id}", summary="Remove a pool; its numbers stay",
        gives=shapes.SenderPool, reasons=ID, handler=delete,
    ),
]  # fmt: skip
