"""Numbers over HTTP."""

from functools import partial
from typing import Any

from messagehub import ids, shapes
from messagehub.api import paging
from messagehub.api.endpoint import CUSTOMER, PAGING, Call, Endpoint, Page, Parameter, Who
from messagehub.clock import NEVER, plain
from messagehub.errors import Refusal
from messagehub.flows import keywords
from messagehub.numbers import Number
from messagehub.people import replies, words


async def create(call: Call) -> shapes.Number:
    given = _checked(call.given)
    del given["type"]  # there is but one
    customer = await call.services.customers.living(given["customer_id"])
    given = await _with_flows(call, customer.id, given)
    return _shape(await call.services.numbers.add(call.now, **{**given, "customer_id": customer.id}))


async def page(call: Call) -> Page[shapes.Number]:
    """The operator sees the numbers of all."""
    read = partial(call.services.numbers.page, call.owner, call.address("number"))
    return await paging.newest_first(call, read, _shape)


async def one(call: Call) -> shapes.Number:
    return _shape(await _find(call))


async def change(call: Call) -> shapes.Number:
    if "registered_in" in call.given and not call.caller.is_operator:
        raise Refusal("PERMISSION_DENIED", "registered_in: where a sender is registered is the operator's to say")
    changes = _checked(call.given)
    if changes.keys() & {"message_flow_id", "keywords"}:
        changes = await _with_flows(call, (await _find(call)).customer_id, changes)
    return _shape(await call.services.numbers.change(call.id, call.owner, call.now, **changes))


async def delete(call: Call) -> shapes.Number:
    number, services = await _find(call), call.services
    limits = await services.segment_limits.of_subject("number", number.number)
    removed = await services.numbers.remove(number, call.now)
    await services.metering.let_go(limits)
    return _shape(removed)


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    if "ignored_keywords" in given:
        given["ignored_keywords"] = words.checked(given["ignored_keywords"])
    replies.check(given.get("opt_out_replies", {}))
    return given


async def _find(call: Call) -> Number:
    return await call.services.numbers.get(call.id, call.owner)


async def _with_flows(call: Call, customer_id: str, given: dict[str, Any]) -> dict[str, Any]:
    """The flows of a number are its customer's."""
    named = [("message_flow_id", given.get("message_flow_id", "").lower())]
    if (triggers := given.get("keywords")) is not None:
        given["keywords"] = keywords.checked(triggers)
        named += [(f"keywords[{n}].flow_id", keyword.flow_id.lower()) for n, keyword in enumerate(triggers)]
    await call.services.flows.require(named, customer_id)
    return given


def _shape(number: Number) -> shapes.Number:
    return shapes.Number(
        id=number.id,
        customer_id=number.customer_id,
        number=number.number,
        call_flow_id=ids.UNSET,
        message_flow_id=number.message_flow_id,
        registered_in=number.registered_in.split(),
        keywords=keywords.read(number.keywords),
        name=number.name,
        detail=number.detail,
        sender_group=number.sender_group,
        ignored_keywords=words.shown(number.ignored_keywords),
        opt_out_replies=number.opt_out_replies,
        status="active" if number.tm_delete == NEVER else "deleted",
        tm_purchase=plain(number.tm_create),
        tm_renew=plain(number.tm_create),
        tm_create=plain(number.tm_create),
        tm_update=plain(number.tm_update),
        tm_delete=plain(number.tm_delete),
    )


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
ANSWERS = ("INVALID_KEYWORD", "INVALID_REPLY")
NUMBER = Parameter("number", "Only this number.")

ENDPOINTS = [
    Endpoint(
        method="POST", path="/numbers", summary="Give a customer a number", who=Who.OPERATOR,
        takes=shapes.NumberGiven, gives=shapes.Number,
        reasons=("INVALID_NUMBER", "ALREADY_EXISTS", "RESOURCE_NOT_FOUND", *ANSWERS),
        example={"number": "+15551234567", "customer_id": ids.UNSET, "name": "Shop"}, handler=create,
    ),
    Endpoint(
        method="GET", path="/numbers", summary="List your numbers, newest first; the operator sees all",
        gives=Page[shapes.Number], parameters=(*PAGING, NUMBER, CUSTOMER), reasons=("INVALID_REQUEST_PARAMETER",),
        handler=page,
    ),
    Endpoint(
        method="GET", path="/numbers/{id}", summary="Get a number", gives=shapes.Number, reasons=ID, handler=one,
    ),
    Endpoint(
        method="PUT", path="/numbers/{id}", summary="Change a number; what is left out stays",
        takes=shapes.NumberChange, gives=shapes.Number, reasons=(*ID, *ANSWERS, "PERMISSION_DENIED"),
        example={"name": "Shop"}, handler=change,
    ),
    Endpoint(
        method="PUT", path="/numbers/{id}/flow_ids", summary="Say which flow answers what comes to a number",
        takes=shapes.NumberFlows, gives=shapes.Number, reasons=ID, handler=change,
    ),
    Endpoint(
        method="DELETE", path="/numbers/{id}", summary="Take a number away from its customer", who=Who.OPERATOR,
        gives=shapes.Number, reasons=ID, handler=delete,
    ),
]  # fmt: skip
