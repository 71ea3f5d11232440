"""Traces over HTTP: what was seen of a message on its way."""

from functools import partial

from messagehub import shapes
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Parameter
from messagehub.errors import Refusal
from messagehub.messages.accept import MAX_DESTINATIONS

TARGET = Parameter("target", "The number of a target, from 0; or `all`, the default.")


async def page(call: Call) -> Page[shapes.Trace]:
    target = _target(call)
    read = partial(call.services.traces.page, call.caller, call.id)
    return await paging.by_number(call, read) if target is None else Page(await read(target, 1))


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
]  # fmt: skip
