"""Limits in segments over HTTP. A customer sets them for its own numbers, and sees those that the operator set."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from msgspec import UNSET

from messagehub import shapes
from messagehub.api import paging
from messagehub.api.endpoint import CUSTOMER, PAGING, Call, Endpoint, Page
from messagehub.clock import NEVER, plain
from messagehub.errors import Refusal
from messagehub.messages import limits
from messagehub.messages.limits import ACCEPTING, THOUSAND, Limit, Use
from messagehub.numbers import is_e164


async def create(call: Call) -> shapes.Limit:
    given: shapes.LimitGiven = call.body
    if not call.caller.is_operator and given.scope != "number":
        raise Refusal("PERMISSION_DENIED", f"scope: a limit of a {given.scope} is the operator's to set")
    if given.when == ACCEPTING and given.scope not in ("number", "customer"):
        raise Refusal("INVALID_LIMIT", f"when: a limit of a {given.scope} is for sending")
    subject, customer_id = await SUBJECTS[given.scope](call, given.key)
    limit = await call.services.segment_limits.add(
        call.now,
        scope=given.scope,
        subject=subject,
        customer_id=customer_id,
        applies=given.when,
        set_by=limits.OPERATOR if call.caller.is_operator else limits.CUSTOMER,
        rate=_rate(given.segments_per_second),
        per_day=given.segments_per_day,
        zone=given.day_starts_in,
    )
    return _shape(limit, await _use(call, limit), True)


async def page(call: Call) -> Page[shapes.Limit]:
    found = await paging.newest_first(call, partial(call.services.segment_limits.page, call.owner), lambda limit: limit)
    return Page([_shape(limit, await _use(call, limit, False)) for limit in found.result], found.next_page_token)


async def one(call: Call) -> shapes.Limit:
    limit = await _find(call)
    return _shape(limit, await _use(call, limit), True)


async def change(call: Call) -> shapes.Limit:
    given = call.given
    changes = {COLUMNS[name]: value for name, value in given.items()}
    if "rate" in changes:
        changes["rate"] = _rate(changes["rate"])
    limit = await call.services.segment_limits.change(await _find_own(call), call.now, **changes)
    await call.services.metering.bring_forward(limit)
    return _shape(limit, await _use(call, limit), True)


async def delete(call: Call) -> shapes.Limit:
    limit = await _find_own(call)
    use = await _use(call, limit)
    await call.services.segment_limits.remove(limit)
    await call.services.metering.bring_forward(limit)
    return _shape(limit, use, True, tm_delete=call.now)


COLUMNS = {"segments_per_second": "rate", "segments_per_day": "per_day", "day_starts_in": "zone"}


# --- what a limit is for ----------------------------------------------------------------


async def _number(call: Call, key: str) -> tuple[str, str]:
    number = await call.services.numbers.find(call.services.store, key)
    if number is None or call.owner not in (None, number.customer_id):
        raise Refusal("RESOURCE_NOT_FOUND", f"key: there is no number {key!r}; GET /numbers lists them")
    return number.number, number.customer_id


async def _customer(call: Call, key: str) -> tuple[str, str]:
    customer = await call.services.customers.living(key.lower())
    return customer.id, customer.id


async def _carrier(call: Call, key: str) -> tuple[str, str]:
    return (await call.services.carriers.get(key.lower())).id, ""


async def _prefix(call: Call, key: str) -> tuple[str, str]:
    digits = key.removeprefix("+")
    if not is_e164(f"+{digits}0"):
        raise Refusal("INVALID_LIMIT", f"key: {key!r} is not how E.164 numbers begin, such as +44")
    return digits, ""


SUBJECTS: dict[str, Callable[[Call, str], Awaitable[tuple[str, str]]]] = {
    "number": _number,
    "customer": _customer,
    "carrier": _carrier,
    "prefix": _prefix,
}


# ----------------------------------------------------------------------------------------


async def _find(call: Call) -> Limit:
    return await call.services.segment_limits.get(call.id, call.owner)


async def _find_own(call: Call) -> Limit:
    limit = await _find(call)
    if limit.set_by == limits.OPERATOR and not call.caller.is_operator:
        raise Refusal("PERMISSION_DENIED", "the operator set this limit; you may set one of your own beside it")
    return limit


async def _use(call: Call, limit: Limit, counts_waiting: bool = True) -> Use:
    return await call.services.segment_limits.use(limit, call.now, counts_waiting)


def _rate(per_second: float) -> int:
    return max(1, round(per_second * THOUSAND)) if per_second else 0


def _shape(limit: Limit, use: Use, has_waiting: bool = False, tm_delete: int = NEVER) -> shapes.Limit:
    return shapes.Limit(
        id=limit.id,
        scope=limit.scope,  # type: ignore[arg-type]  # the table checks it
        key=f"+{limit.subject}" if limit.scope == "prefix" else limit.subject,
        customer_id=limit.customer_id,
        when=limit.applies,  # type: ignore[arg-type]
        set_by=limit.set_by,  # type: ignore[arg-type]
        segments_per_second=limit.rate / THOUSAND,
        segments_per_day=limit.per_day,
        day_starts_in=limit.zone,
        used_today=use.used,
        tm_next_day=plain(use.day_ends),
        waiting=use.waiting if has_waiting else UNSET,
        tm_create=plain(limit.tm_create),
        tm_update=plain(limit.tm_update),
        tm_delete=plain(tm_delete),
    )


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
OWN = (*ID, "PERMISSION_DENIED")
EXAMPLE: dict[str, Any] = {"scope": "number", "key": "+15551234567", "segments_per_second": 1}

ENDPOINTS = [
    Endpoint(
        method="POST", path="/limits", summary="Limit the segments of a number; the operator's: also of others",
        detail="What is too much for a limit waits, or is refused with 429 where `when` is `accepting`. Where several "
        "limits are for the same message, all of them hold. Customers limit their own numbers.",
        takes=shapes.LimitGiven, gives=shapes.Limit,
        reasons=("INVALID_LIMIT", "PERMISSION_DENIED", "RESOURCE_NOT_FOUND", "ALREADY_EXISTS"),
        example=EXAMPLE, handler=create,
    ),
    Endpoint(
        method="GET", path="/limits", summary="List the limits for you, newest first; the operator sees all",
        gives=Page[shapes.Limit], parameters=(*PAGING, CUSTOMER), reasons=("INVALID_REQUEST_PARAMETER",), handler=page,
    ),
    Endpoint(
        method="GET", path="/limits/{id}", summary="Get a limit and how much of it is used", gives=shapes.Limit,
        reasons=ID, handler=one,
    ),
    Endpoint(
        method="PUT", path="/limits/{id}", summary="Change a limit; what is left out stays",
        takes=shapes.LimitChange, gives=shapes.Limit, reasons=(*OWN, "INVALID_LIMIT"),
        example={"segments_per_day": 2000}, handler=change,
    ),
    Endpoint(
        method="DELETE", path="/limits/{id}", summary="Remove a limit; what waited for it goes",
        gives=shapes.Limit, reasons=OWN, handler=delete,
    ),
]  # fmt: skip
