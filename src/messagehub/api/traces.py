"""Traces over HTTP: what was seen of a message on its way."""

from functools import partial

from messagehub import pcap, shapes
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Parameter, Text
from messagehub.carriers.wire import Link
from messagehub.errors import Refusal
from messagehub.messages.drafting import MAX_DESTINATIONS

TARGET = Parameter(
    "target",
    "The number of a target, from 0; or `all`, the default.",
    {"type": "string", "pattern": "^(all|[0-9]{1,3})?$"},
)


async def page(call: Call) -> Page[shapes.Trace]:
    target = _target(call)
    read = partial(call.services.traces.page, call.caller, call.id)
    return await paging.by_number(call, read) if target is None else Page(await read(target, 1))


async def capture(call: Call) -> Text:
    target = _target(call)
    first, count = (0, MAX_DESTINATIONS) if target is None else (target, 1)
    seen = await call.services.traces.seen(call.caller, call.id, first, count)
    return Text(pcap.written(_sent(*one) for one in seen), pcap.KIND.encode())


def _sent(moment: int, is_ours: bool, link: Link, octets: bytes) -> pcap.Sent:
    ours, peers = link[:2], link[2:]
    return pcap.Sent(moment, ours, peers, octets) if is_ours else pcap.Sent(moment, peers, ours, octets)


def _target(call: Call) -> int | None:
    """None for all of them."""
    given = call.query.get("target", "") or "all"
    if given == "all":
        return None
    if not (given.isascii() and given.isdecimal() and int(given[:9]) < MAX_DESTINATIONS):
        raise Refusal("INVALID_REQUEST_PARAMETER", f"target: {given!r} is no number of a target; give 0 to 999, or all")
    return int(given)


REASONS = ("INVALID_ID", "MESSAGE_NOT_FOUND", "INVALID_REQUEST_PARAMETER")

ENDPOINTS = [
    Endpoint(
        method="GET", path="/messages/{id}/trace",
        summary="Show what was seen of a message on its way; the operator sees those of all, without their texts",
        gives=Page[shapes.Trace], parameters=(TARGET, *PAGING), reasons=REASONS, handler=page,
    ),
    Endpoint(
        method="GET", path="/messages/{id}/trace.pcap",
        summary="Get the PDUs of a message as a packet capture, for Wireshark; the operator of all, without texts",
        gives=bytes, content=(pcap.KIND,), parameters=(TARGET,), reasons=REASONS, handler=capture,
    ),
]  # fmt: skip
