"""Opt-outs over HTTP."""

from functools import partial
from typing import Any

from messagehub import numbers, shapes
from messagehub.api import paging
from messagehub.api.endpoint import CSV, PAGING, WHOSE, Call, Endpoint, Page, Parameter, Text
from messagehub.clock import plain
from messagehub.errors import Refusal
from messagehub.people import lists, scopes
from messagehub.people.lists import Wrong
from messagehub.people.opt_outs import IN_FORCE, STATUSES, Entry

EXPORTED = 10_000
"""Lines of one answer."""

ERRORS = 100
KIND = "text/csv; charset=utf-8"


async def add(call: Call) -> shapes.OptOut:
    given: shapes.OptOutGiven = call.body
    customer = await call.services.customers.living(call.caller.acting_for(given.customer_id.lower()))
    entry = Entry(
        customer_id=customer.id,
        address=numbers.checked_e164(given.address),
        scope=scopes.checked(given.scope),
        status="opted_out",
        source="api",
        tm_said=call.now,
        words=given.words,
        actor=call.customer_id,
    )
    return shapes.OptOut(**_members(await call.services.opt_outs.add(entry, call.now)))


async def page(call: Call) -> Page[shapes.OptOut]:
    status, whose = call.query.get("status", ""), call.whose
    if status not in ("", *STATUSES):
        raise Refusal("INVALID_REQUEST_PARAMETER", f"status: {status!r} is none of {', '.join(STATUSES)}")
    around = await _around(call, whose)
    read = partial(call.services.opt_outs.page, whose, status, around, call.address("address"))
    return await paging.newest_first(call, read, lambda row: shapes.OptOut(**_members(row)))


async def one(call: Call) -> shapes.OptOutInFull:
    row = await call.services.opt_outs.get(call.id, call.owner)
    history = [_event(event) for event in await call.services.opt_outs.history(row.id)]
    return shapes.OptOutInFull(**_members(row), history=history)


async def undo(call: Call) -> shapes.OptOut:
    row = await call.services.opt_outs.undo(call.id, call.owner, call.customer_id, call.now)
    return shapes.OptOut(**_members(row))


async def load(call: Call) -> shapes.Imported:
    customer = await call.services.customers.living(call.whose)
    report = shapes.Imported(lines=0, opted_out=0, probable=0, unchanged=0, refused=0, errors=[])

    def good() -> Any:
        for read in lists.read(call.body, customer.id, call.customer_id, call.now):
            report.lines += 1
            if isinstance(read, Entry):
                yield read
            else:
                _refuse(report, read)

    changed = await call.services.opt_outs.load(good(), call.now)
    report.opted_out, report.probable = changed["opted_out"], changed["probable"]
    report.unchanged = report.lines - report.refused - report.opted_out - report.probable
    return report


def _refuse(report: shapes.Imported, wrong: Wrong) -> None:
    report.refused += 1
    if len(report.errors) < ERRORS:
        report.errors.append(shapes.RefusedLine(wrong.line, wrong.words))


async def export(call: Call) -> Text:
    """Along the key, so that no line is missed or comes twice, whatever is added meanwhile."""
    address, _, scope = call.address("after").partition(",")
    rows: list[Any] = []
    while len(rows) < EXPORTED:
        found = await call.services.opt_outs.behind(call.whose, address, scope, EXPORTED)
        rows += [row for row in found if row.status in IN_FORCE]
        if len(found) < EXPORTED:
            break
        address, scope = found[-1].address, found[-1].scope
    return Text(lists.write(rows[:EXPORTED]).encode(), KIND.encode())


async def _around(call: Call, whose: str) -> tuple[str, ...]:
    """The scopes that a number of the customer's is in; none where no number is asked for."""
    if not (asked := call.address("number")):
        return ()
    number = await call.services.numbers.find(call.services.store, asked)
    return scopes.around(asked, number if number and number.customer_id == whose else None)


def _members(row: Any) -> dict[str, Any]:
    same = {name: getattr(row, name) for name in ("id", "customer_id", "address", "scope", "status", "source")}
    return same | {name: plain(getattr(row, name)) for name in ("tm_said", "tm_create", "tm_update")}


def _event(row: Any) -> shapes.OptOutEvent:
    same = {name: getattr(row, name) for name in ("id", "status", "source", "message_id", "words", "actor")}
    return shapes.OptOutEvent(**same, tm_said=plain(row.tm_said), tm_create=plain(row.tm_create))


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
FILTERS = (
    Parameter("status", "`opted_out`, `probable` (to be looked at) or `opted_in`.", {"enum": ["", *STATUSES]}),
    Parameter("address", "Only this person's."),
    Parameter("number", "Only those that stop, or did, what this number of yours sends."),
)
AFTER = Parameter("after", "The address and scope of the last line that you have: `+15559876543,customer`.")

ENDPOINTS = [
    Endpoint(
        method="POST", path="/opt_outs", summary="Put somebody out; or confirm what is probable",
        takes=shapes.OptOutGiven, gives=shapes.OptOut,
        reasons=("INVALID_NUMBER", "INVALID_SCOPE", "PERMISSION_DENIED", "RESOURCE_NOT_FOUND"),
        example={"address": "+15559876543", "words": "by telephone"}, handler=add,
    ),
    Endpoint(
        method="GET", path="/opt_outs", summary="List who is out, or was, newest first",
        gives=Page[shapes.OptOut], parameters=(*PAGING, *FILTERS, WHOSE), reasons=("INVALID_REQUEST_PARAMETER",),
        handler=page,
    ),
    Endpoint(
        method="POST", path="/opt_outs/import", summary="Put everybody of a list out",
        detail="Columns `address`, `scope` and `tm`; the last two may be left out, and so may the header. With one, "
        "there may be a `status`, too: `opted_out` (so it is without one) or `probable`, which changes nothing for "
        "who is out for certain. What was said (`tm`) before somebody came back changes nothing. Lines that cannot be "
        "read are refused one by one, and all others are imported.",
        takes=CSV, gives=shapes.Imported, parameters=(WHOSE,),
        reasons=("INVALID_REQUEST_PARAMETER", "RESOURCE_NOT_FOUND"), handler=load,
    ),
    Endpoint(
        method="GET", path="/opt_outs/export", summary=f"Who is out, as CSV: {EXPORTED:,} lines at most",
        detail="Also who is `probable`, as the column `status` says; who has come back is not there. "
        "`POST /opt_outs/import` takes it as it is.",
        gives=str, content=(KIND,), parameters=(AFTER, WHOSE), reasons=("INVALID_REQUEST_PARAMETER",),
        handler=export,
    ),
    Endpoint(
        method="GET", path="/opt_outs/{id}", summary="Get an opt-out with all that was said of it",
        gives=shapes.OptOutInFull, reasons=ID, handler=one,
    ),
    Endpoint(
        method="POST", path="/opt_outs/{id}/undo", summary="Let somebody in again: it was none, or asks for messages",
        gives=shapes.OptOut, reasons=(*ID, "STATE_INVALID"), handler=undo,
    ),
]  # fmt: skip
