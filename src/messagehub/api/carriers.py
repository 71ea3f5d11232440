"""Carriers over HTTP, for the operator."""

from functools import partial
from typing import Any, cast

from msgspec import UNSET

from messagehub import shapes
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Parameter, Who
from messagehub.carriers import kinds
from messagehub.carriers.book import CALLBACKS, CarrierRow
from messagehub.carriers.carrier import BindStatus
from messagehub.clock import NEVER, plain
from messagehub.messages import receipts
from messagehub.messages.receipts import Unmatched, Wanted
from messagehub.messages.standing import Seen
from messagehub.smpp.receipt_ids import Rule


async def create(call: Call) -> shapes.Carrier:
    body: shapes.CarrierGiven = call.body
    row = await call.services.carriers.add(body.name, body.type, body.config, body.disabled, call.now, body.trace)
    return await _now(call, row)


async def page(call: Call) -> Page[shapes.Carrier]:
    seen = await call.services.standing.look()
    return await paging.newest_first(call, call.services.carriers.page, partial(_shape, call, seen))


async def one(call: Call) -> shapes.Carrier:
    return await _now(call, await call.services.carriers.get(call.id))


async def change(call: Call) -> shapes.Carrier:
    body: shapes.CarrierChange = call.body
    changes: dict[str, Any] = {}
    if body.name is not UNSET:
        changes["name"] = body.name
    if body.disabled is not UNSET:
        changes["disabled"] = int(body.disabled)
    if body.trace is not UNSET:
        changes["trace"] = body.trace
    if body.config is not UNSET:
        changes["settings"] = body.config
    return await _now(call, await call.services.carriers.change(call.id, call.now, **changes))


async def delete(call: Call) -> shapes.Carrier:
    services = call.services
    row = await services.carriers.get(call.id)
    limits = await services.segment_limits.of_subject("carrier", row.id)
    removed = await services.carriers.remove(row, call.now)
    await services.metering.let_go(limits)
    return await _now(call, removed)


async def unmatched_receipts(call: Call) -> Page[shapes.UnmatchedReceipt]:
    carrier = await call.services.carriers.get(call.id)
    habit = await call.services.habits.of(call.services.store, carrier.id)
    wanted = Wanted(
        carrier_id=carrier.id,
        name=call.query.get("carrier_message_id", ""),
        since=call.moment("tm_create_from", 0),
        until=call.moment("tm_create_to", NEVER),
    )
    read = partial(receipts.unmatched, call.services.store, wanted)
    return await paging.newest_first(call, read, partial(_unmatched, habit.rule))


def _unmatched(rule: Rule, one: Unmatched) -> shapes.UnmatchedReceipt:
    return shapes.UnmatchedReceipt(
        id=one.id,
        carrier_message_id=one.receipt.name,
        state=one.receipt.state,
        words=one.receipt.words,
        destination=one.receipt.destination,
        rule=rule.name,
        looked_for=list(dict.fromkeys([*rule.responses(one.receipt.name), one.receipt.name])),
        is_given_up=one.is_given_up,
        tm_create=plain(one.tm_create),
    )


async def _now(call: Call, row: CarrierRow) -> shapes.Carrier:
    return _shape(call, await call.services.standing.look(), row)


def _shape(call: Call, seen: Seen, row: CarrierRow) -> shapes.Carrier:
    status, unknown = seen.of(row)
    return shapes.Carrier(
        id=row.id,
        name=row.name,
        type=cast(shapes.CarrierType, row.type),
        callback_url=call.services.published.public_url + CALLBACKS + row.id if row.type != "smpp" else "",
        config=kinds.shown(row.type, row.settings),
        disabled=bool(row.disabled),
        trace="all" if row.trace == "all" else "default",
        status=status.status,
        last_error=status.last_error,
        warnings=list(status.warnings),
        binds=[_bind(bind) for bind in status.binds],
        pace=round(status.pace, 2),
        throttled=status.throttled,
        throttled_until=plain(status.throttled_until) if status.throttled_until else "",
        unknown_destinations=unknown,
        receipt_id_learnt=row.receipt_id_learnt,
        tm_create=plain(row.tm_create),
        tm_update=plain(row.tm_update),
        tm_delete=plain(row.tm_delete),
    )


def _bind(bind: BindStatus) -> shapes.Bind:
    return shapes.Bind(
        node=bind.node,
        role=bind.role,
        state=bind.state,
        since=plain(bind.since),
        in_flight=bind.in_flight,
        sent=bind.sent,
        refused=bind.refused,
        received=bind.received,
        last_error=bind.last_error,
    )


FILTERS = (
    Parameter("carrier_message_id", "Only receipts with this id."),
    Parameter("tm_create_from", "Only receipts of then or later."),
    Parameter("tm_create_to", "Only receipts of before."),
)
ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
CONFIG = ("INVALID_CARRIER_CONFIG",)

CARRIER = {
    "name": "Example Telecom",
    "type": "smpp",
    "config": {"host": "smsc.example.com", "port": 2775, "system_id": "shop", "password": "secret"},
}

ENDPOINTS = [
    Endpoint(
        method="POST", path="/carriers", summary="Make a carrier; it is connected at once", who=Who.OPERATOR,
        takes=shapes.CarrierGiven, gives=shapes.Carrier, reasons=CONFIG, example=CARRIER, handler=create,
    ),
    Endpoint(
        method="GET", path="/carriers", summary="List carriers with the state of their binds", who=Who.OPERATOR,
        gives=Page[shapes.Carrier], parameters=PAGING, reasons=("INVALID_REQUEST_PARAMETER",), handler=page,
    ),
    Endpoint(
        method="GET", path="/carriers/{id}", summary="Get a carrier", who=Who.OPERATOR, gives=shapes.Carrier,
        reasons=ID, handler=one,
    ),
    Endpoint(
        method="GET", path="/carriers/{id}/unmatched_receipts", summary="List receipts that belong to nothing known",
        who=Who.OPERATOR, gives=Page[shapes.UnmatchedReceipt], parameters=(*PAGING, *FILTERS),
        reasons=(*ID, "INVALID_REQUEST_PARAMETER"), handler=unmatched_receipts,
    ),
    Endpoint(
        method="PUT", path="/carriers/{id}", summary="Change a carrier; it is connected anew where needed",
        who=Who.OPERATOR, takes=shapes.CarrierChange, gives=shapes.Carrier, reasons=(*ID, *CONFIG),
        example={"config": {"window": 20}}, handler=change,
    ),
    Endpoint(
        method="DELETE", path="/carriers/{id}", summary="Remove a carrier", who=Who.OPERATOR, gives=shapes.Carrier,
        reasons=ID, handler=delete,
    ),
]  # fmt: skip
