"""Messages over HTTP."""

from collections.abc import Awaitable
from functools import partial
from typing import get_args

from msgspec import UNSET

from messagehub import clock, shapes, text
from messagehub.api import paging, repeating
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Parameter, Text
from messagehub.api.heads import KEY
from messagehub.errors import Refusal
from messagehub.messages.accept import Accepted
from messagehub.messages.reading import Filter

FILTERS = (
    Parameter("direction", "`outbound` or `inbound`.", {"enum": ["", *get_args(shapes.Direction)]}),
    Parameter("source", "Only messages from this address."),
    Parameter("destination", "Only messages to this address."),
    Parameter("tm_create_from", "Only messages created then or later; RFC 3339, or as resources have it."),
    Parameter("tm_create_to", "Only messages created before then."),
)


def create(call: Call) -> Awaitable[shapes.Message | Text]:
    services, customer_id = call.services, call.caller.customer_id
    if KEY not in call.headers:
        return services.acceptor.accept(customer_id, call.body)
    prepare = partial(services.acceptor.prepare, services.store, customer_id, call.body)
    return repeating.accept(call, prepare, Accepted.shape)


async def page(call: Call) -> Page[shapes.Message]:
    read = partial(call.services.reader.page, call.customer_id, _filter(call))
    return await paging.newest_first(call, read, lambda shape: shape)


async def one(call: Call) -> shapes.Message:
    return await call.services.reader.one(call.customer_id, call.id)


async def targets(call: Call) -> Page[shapes.Target]:
    return await paging.by_number(call, partial(call.services.reader.targets, call.customer_id, call.id))


async def cancel(call: Call) -> shapes.Message:
    return await call.services.actor.cancel(call.customer_id, call.id)


async def change(call: Call) -> shapes.Message:
    if call.body.schedule_at is UNSET:
        return await one(call)
    return await call.services.actor.reschedule(call.customer_id, call.id, call.body.schedule_at)


async def resend(call: Call) -> shapes.Message:
    return await call.services.actor.resend(call.customer_id, call.id)


async def delete(call: Call) -> shapes.Message:
    return await call.services.actor.delete(call.customer_id, call.id)


async def segments(call: Call) -> shapes.Segments:
    smart = call.body.smart_encoding
    if smart is UNSET:
        smart = (await call.services.customers.get(call.services.store, call.customer_id)).smart_encoding
    return segments_shape(call.body.text, smart)


def segments_shape(words: str, smart: bool = False) -> shapes.Segments:
    """`smart`: with smart encoding."""
    better = text.smart(words) if smart else text.Smart(words, ())
    cut = text.segment(better.text)
    forced_by = [shapes.Forcing(one.character, one.replacement) for one in text.forced_by(better.text)]
    shape = shapes.Segments(cut.encoding, cut.parts, cut.units, cut.units_per_part, list(cut.segments), forced_by)
    if better.replaced:
        shape.replaced = [shapes.Replaced(one.character, one.replacement or "") for one in better.replaced]
    return shape


def _filter(call: Call) -> Filter:
    direction = call.query.get("direction", "")
    if direction not in ("", *get_args(shapes.Direction)):
        raise Refusal("INVALID_REQUEST_PARAMETER", f"direction: {direction!r} is neither outbound nor inbound")
    return Filter(
        direction=direction,
        source=call.address("source"),
        destination=call.address("destination"),
        since=call.moment("tm_create_from", 0),
        until=call.moment("tm_create_to", clock.NEVER),
    )


SENDING = (
    "INVALID_SOURCE",
    "INVALID_DESTINATION",
    "DUPLICATE_DESTINATION",
    "TOO_MANY_DESTINATIONS",
    "INVALID_TEXT",
    "TOO_MANY_SEGMENTS",
    "MEDIA_NOT_SUPPORTED",
    "INVALID_MEDIA",
    "INVALID_TLV",
    "MISSING_VARIABLE",
    "INVALID_SCHEDULE",
)
ID = ("INVALID_ID", "MESSAGE_NOT_FOUND")
QUERY = ("INVALID_REQUEST_PARAMETER",)

DAY = 24 * 3600 * clock.SECOND
TOMORROW = clock.iso((clock.now() // DAY + 2) * DAY)
"""An example must be a time that is still to come."""

MESSAGE = {"source": "+15551234567", "destinations": [{"target": "+15559876543"}], "text": "Hello"}

ENDPOINTS = [
    Endpoint(
        method="POST", path="/messages", summary="Send a message",
        detail="The answer comes when the message is on disk. What becomes of it is told by webhook, or asked for.",
        takes=shapes.MessageGiven, gives=shapes.Message, reasons=SENDING, example=MESSAGE,
        takes_key=True, is_plain=True, handler=create,
    ),
    Endpoint(
        method="GET", path="/messages", summary="List messages, newest first",
        gives=Page[shapes.Message], parameters=(*PAGING, *FILTERS), reasons=QUERY, handler=page,
    ),
    Endpoint(
        method="POST", path="/messages/segments", summary="Show how a text is cut, without sending it",
        takes=shapes.TextGiven, gives=shapes.Segments, example={"text": "Don’t forget: 10 €"}, handler=segments,
    ),
    Endpoint(
        method="GET", path="/messages/{id}", summary="Get a message", gives=shapes.Message, reasons=ID, handler=one,
    ),
    Endpoint(
        method="PUT", path="/messages/{id}", summary="Give what still waits of a message another time",
        takes=shapes.MessageChange, gives=shapes.Message, reasons=(*ID, "INVALID_SCHEDULE", "STATE_INVALID"),
        example={"schedule_at": TOMORROW}, handler=change,
    ),
    Endpoint(
        method="DELETE", path="/messages/{id}", summary="Cancel a message and take it out of sight",
        gives=shapes.Message, reasons=ID, handler=delete,
    ),
    Endpoint(
        method="GET", path="/messages/{id}/targets", summary="List the targets of a message",
        gives=Page[shapes.Target], parameters=PAGING, reasons=(*ID, *QUERY), handler=targets,
    ),
    Endpoint(
        method="POST", path="/messages/{id}/cancel", summary="Cancel the targets that were not handed over yet",
        gives=shapes.Message, reasons=ID, handler=cancel,
    ),
    Endpoint(
        method="POST", path="/messages/{id}/resend", summary="Send targets again that are held in doubt",
        gives=shapes.Message, reasons=(*ID, "STATE_INVALID"), handler=resend,
    ),
]  # fmt: skip
