"""Pages: the token of the next one is opaque to callers; in it is the place of the last row."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from messagehub import ids
from messagehub.api.endpoint import Call, Page
from messagehub.errors import Refusal
from messagehub.messages.reading import LAST_ID

TOKEN = re.compile(r"[A-Za-z0-9_-]{0,64}")

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
    token = call.query.get("page_token", "")
    if not TOKEN.fullmatch(token):
        raise _wrong_token()
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        raise _wrong_token() from None


def _wrong_token() -> Refusal:
    return Refusal("INVALID_REQUEST_PARAMETER", "page_token: it is none of ours; begin without one")
