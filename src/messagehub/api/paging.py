"""Pages: the token of the next one is opaque to callers; in it is the place of the last row."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from messagehub import ids
from messagehub.api.endpoint import Call, Page
from messagehub.errors import Refusal
from messagehub.messages.reading import LAST_ID

TOKEN = re.compile(r"[A-Za-z0-9_-]{0,96}")

T = TypeVar("T")
S = TypeVar("S")


async def newest_first(
    call: Call, read: Callable[[str, int], Awaitable[Sequence[Any]]], shape: Callable[[Any], S]
) -> Page[S]:
    """A page of rows with ids. `read(before, count)` gives rows whose id is smaller than `before`, newest first."""
    size = call.page_size
    rows = await read(_before(call), size + 1)
    token = _pack(rows[size - 1].id) if len(rows) > size else ""
    return Page([shape(row) for row in rows[:size]], token)


async def as_far_as_read(
    call: Call, read: Callable[[str, int], Awaitable[tuple[Sequence[Any], str]]], shape: Callable[[Any], S]
) -> Page[S]:
    """As `newest_first`, where `read` also gives the id before which to go on; empty when there is no more."""
    rows, place = await read(_before(call), call.page_size)
    return Page([shape(row) for row in rows], token(place))


async def by_number(call: Call, read: Callable[[int, int], Awaitable[list[T]]]) -> Page[T]:
    """A page of things that are numbered from 0. `read(first, count)`."""
    size, first = call.page_size, _first(call)
    rows = await read(first, size + 1)
    return Page(rows[:size], _pack(str(first + size)) if len(rows) > size else "")


def _before(call: Call) -> str:
    place = _unpack(call)
    if place and not ids.is_id(place):
        raise _wrong_token()
    return place or LAST_ID


def _first(call: Call) -> int:
    place = _unpack(call)
    if place and not (place.isascii() and place.isdecimal() and len(place) < 10):
        raise _wrong_token()
    return int(place or 0)


def _pack(place: str) -> str:
    return urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _unpack(call: Call) -> str:
    return place(call.query.get("page_token", ""), "INVALID_REQUEST_PARAMETER")


def token(place: str) -> str:
    """For the place where the next page begins; empty where there is none."""
    return _pack(place) if place else ""


def place(token: str, reason: str) -> str:
    """What was packed in a token. Refusal for `reason` where it is none of ours."""
    if not TOKEN.fullmatch(token):
        raise _wrong_token(reason)
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        raise _wrong_token(reason) from None


def _wrong_token(reason: str = "INVALID_REQUEST_PARAMETER") -> Refusal:
    return Refusal(reason, "page_token: it is none of ours; begin without one")
