"""Deliveries of webhooks over HTTP: looking at them, telling them again, testing the endpoint."""

from functools import partial
from typing import Any, get_args

from messagehub import clock, ids, shapes
from messagehub.accounts.customers import Customer
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Parameter
from messagehub.clock import NEVER, plain
from messagehub.errors import Refusal
from messagehub.events import EVENT_TYPES, WEBHOOK_TEST
from messagehub.store import Row
from messagehub.webhooks.deliveries import Try, Wanted, is_under_way

TYPES = (*EVENT_TYPES, WEBHOOK_TEST)
STATUSES = get_args(shapes.DeliveryStatus)
FILTERS = (
    Parameter("type", "Only events of this type.", {"type": "string", "enum": list(TYPES)}),
    Parameter("status", "`pending`, `delivered` or `failed`.", {"type": "string", "enum": list(STATUSES)}),
    Parameter("message_id", "Only events about this message.", {"type": "string", "format": "uuid"}),
    Parameter("tm_create_from", "Only events of then or later."),
    Parameter("tm_create_to", "Only events of before."),
)


async def page(call: Call) -> Page[shapes.Delivery]:
    read = partial(call.services.deliveries.page, call.customer_id, _wanted(call))
    return await paging.as_far_as_read(call, read, partial(_shape, now=call.now))


async def one(call: Call) -> shapes.DeliveryInFull:
    return await _in_full(call, call.id)


async def replay(call: Call) -> shapes.DeliveryInFull:
    row = await call.services.deliveries.replay(await _customer(call), call.id, call.now)
    return await _in_full(call, row.id)


async def replay_some(call: Call) -> shapes.Replayed:
    """The end of the time that is meant stays with the token: what is told meanwhile is not told again."""
    given: shapes.ReplayGiven = call.body
    behind, until = _unpack(given.page_token)
    wanted = Wanted(
        type=_known("type", given.type, TYPES, "INVALID_ARGUMENT"),
        status=given.status,
        message_id=_message_id(given.message_id, "INVALID_ARGUMENT"),
        since=_moment("tm_create_from", given.tm_create_from),
        until=_moment("tm_create_to", given.tm_create_to) if given.tm_create_to else until or call.now,
    )
    customer = await _customer(call)
    replayed, place = await call.services.deliveries.replay_some(customer, wanted, behind, call.now)
    return shapes.Replayed(replayed, paging.token(f"{place} {wanted.until}") if place else "")


async def test(call: Call) -> shapes.WebhookTest:
    return await call.services.trial.run(await _customer(call))


async def _customer(call: Call) -> Customer:
    return await call.services.customers.get(call.services.store, call.customer_id)


# --- what is asked for ------------------------------------------------------------------


def _wanted(call: Call) -> Wanted:
    reason = "INVALID_REQUEST_PARAMETER"
    return Wanted(
        type=_known("type", call.query.get("type", ""), TYPES, reason),
        status=_known("status", call.query.get("status", ""), STATUSES, reason),
        message_id=_message_id(call.query.get("message_id", ""), reason),
        since=call.moment("tm_create_from", 0),
        until=call.moment("tm_create_to", NEVER),
    )


def _known(name: str, given: str, words: tuple[str, ...], reason: str) -> str:
    if given and given not in words:
        raise Refusal(reason, f"{name}: {given!r} is none of {', '.join(words)}")
    return given


def _message_id(given: str, reason: str) -> str:
    if given and not ids.is_id(given.lower()):
        raise Refusal(reason, f"message_id: {given!r} is no UUID")
    return given.lower()


def _moment(name: str, given: str) -> int:
    try:
        return clock.parse(given)
    except ValueError:
        raise Refusal("INVALID_ARGUMENT", f"{name}: {given!r} is no time; write 2026-01-31T10:30:00Z") from None


def _unpack(token: str) -> tuple[str, int]:
    """Behind which id to go on, and until when; nothing and 0 at the beginning."""
    behind, _, until = paging.place(token, "INVALID_ARGUMENT").partition(" ")
    if token and not (ids.is_id(behind) and until.isascii() and until.isdecimal()):
        raise Refusal("INVALID_ARGUMENT", "page_token: it is none of ours; begin without one")
    return behind, int(until or 0)


# --- what is answered -------------------------------------------------------------------


async def _in_full(call: Call, event_id: str) -> shapes.DeliveryInFull:
    row, tries = await call.services.deliveries.one(call.customer_id, event_id)
    return shapes.DeliveryInFull(
        **_members(row, call.now), body=row.body.decode(), tries=[_try_shape(each) for each in tries]
    )


def _shape(row: Row, now: int) -> shapes.Delivery:
    return shapes.Delivery(**_members(row, now))


def _members(row: Row, now: int) -> dict[str, Any]:
    waits = row.status == "pending" and not is_under_way(row, now)
    return {
        "id": row.id,
        "type": row.type,
        "message_id": row.message_id,
        "status": row.status,
        "attempts": row.attempts,
        "response_status": row.response_status,
        "error": row.error,
        "tm_next_attempt": plain(row.due_at if waits else NEVER),
        "tm_create": plain(row.tm_create),
        "tm_update": plain(row.tm_update),
    }


def _try_shape(each: Try) -> shapes.Try:
    return shapes.Try(
        attempt=each.attempt,
        response_status=each.response_status,
        error=each.error,
        tm_create=plain(each.tm_create),
    )


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
QUERY = ("INVALID_REQUEST_PARAMETER",)

ENDPOINTS = [
    Endpoint(
        method="GET", path="/webhook_deliveries", summary="List what was told by webhook, newest first",
        gives=Page[shapes.Delivery], parameters=(*PAGING, *FILTERS), reasons=QUERY, handler=page,
    ),
    Endpoint(
        method="POST", path="/webhook_deliveries/replay",
        summary="Tell again what was not heard, some at a time; ask again until the token is empty",
        takes=shapes.ReplayGiven, gives=shapes.Replayed, reasons=("STATE_INVALID",), handler=replay_some,
    ),
    Endpoint(
        method="GET", path="/webhook_deliveries/{id}", summary="Get a delivery with its body and every attempt",
        gives=shapes.DeliveryInFull, reasons=ID, handler=one,
    ),
    Endpoint(
        method="POST", path="/webhook_deliveries/{id}/replay", summary="Tell it again, at once",
        gives=shapes.DeliveryInFull, reasons=(*ID, "STATE_INVALID"), handler=replay,
    ),
    Endpoint(
        method="POST", path="/customer/webhook_test", summary="Send one event to your webhook and see what it answers",
        gives=shapes.WebhookTest, reasons=("STATE_INVALID", "RATE_LIMIT_EXCEEDED"), handler=test,
    ),
]  # fmt: skip
