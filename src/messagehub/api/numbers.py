"""Numbers over HTTP."""

from dataclasses import replace
from functools import partial

from msgspec import UNSET

from messagehub import ids, shapes
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Who
from messagehub.clock import plain
from messagehub.numbers import Number


async def create(call: Call) -> shapes.Number:
    body: shapes.NumberGiven = call.body
    services = call.services
    customer = await services.customers.get(services.store, body.customer_id)
    given = {"number": body.number, "name": body.name, "detail": body.detail}
    added = await services.numbers.add(
        call.now, customer_id=customer.id, message_flow_id=body.message_flow_id or ids.UNSET, **given
    )
    return _shape(added)


async def page(call: Call) -> Page[shapes.Number]:
    """The operator sees the numbers of all."""
    return await paging.newest_first(call, partial(call.services.numbers.page, _owner(call)), _shape)


async def one(call: Call) -> shapes.Number:
    return _shape(await _find(call))


async def change(call: Call) -> shapes.Number:
    number = await _find(call)
    changes = {name: value for name in ("name", "detail") if (value := getattr(call.body, name)) is not UNSET}
    await call.services.numbers.change(number, call.now, **changes)
    return _shape(replace(number, **changes, tm_update=call.now))


async def delete(call: Call) -> shapes.Number:
    number = await _find(call)
    await call.services.numbers.remove(number, call.now)
    return _shape(replace(number, tm_delete=call.now, tm_update=call.now))


async def _find(call: Call) -> Number:
    return await call.services.numbers.get(call.id, _owner(call))


def _owner(call: Call) -> str | None:
    """Whose numbers the caller may see; None for those of all."""
    return None if call.caller.is_operator else call.customer_id


def _shape(number: Number) -> shapes.Number:
    return shapes.Number(
        id=number.id,
        customer_id=number.customer_id,
        number=number.number,
        call_flow_id=ids.UNSET,
        message_flow_id=number.message_flow_id,
        name=number.name,
        detail=number.detail,
        tm_purchase=plain(number.tm_create),
        tm_renew=plain(number.tm_create),
        tm_create=plain(number.tm_create),
        tm_update=plain(number.tm_update),
        tm_delete=plain(number.tm_delete),
    )


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")

ENDPOINTS = [
    Endpoint(
        method="POST", path="/numbers", summary="Give a customer a number", who=Who.OPERATOR,
        takes=shapes.NumberGiven, gives=shapes.Number,
        reasons=("INVALID_NUMBER", "ALREADY_EXISTS", "RESOURCE_NOT_FOUND"),
        example={"number": "+15551234567", "customer_id": ids.UNSET, "name": "Shop"}, handler=create,
    ),
    Endpoint(
        method="GET", path="/numbers", summary="List your numbers, newest first; the operator sees all",
        gives=Page[shapes.Number], parameters=PAGING, reasons=("INVALID_REQUEST_PARAMETER",), handler=page,
    ),
    Endpoint(
        method="GET", path="/numbers/{id}", summary="Get a number", gives=shapes.Number, reasons=ID, handler=one,
    ),
    Endpoint(
        method="PUT", path="/numbers/{id}", summary="Rename a number", takes=shapes.NumberChange,
        gives=shapes.Number, reasons=ID, example={"name": "Shop"}, handler=change,
    ),
    Endpoint(
        method="DELETE", path="/numbers/{id}", summary="Take a number away from its customer", who=Who.OPERATOR,
        gives=shapes.Number, reasons=ID, handler=delete,
    ),
]  # fmt: skip
