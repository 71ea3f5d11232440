"""Reading bodies: whole, small enough, in time, JSON, and of the right shape; or a refusal that names the member."""

import asyncio
import re
from collections.abc import Awaitable
from functools import cache
from typing import Any, TypeVar

import msgspec
from starlette.types import Message, Receive, Scope

from messagehub.api import heads
from messagehub.api.cycle import BODY
from messagehub.api.endpoint import CSV
from messagehub.api.heads import JSON, bare_kind
from messagehub.errors import Refusal
from messagehub.shapes import check_nul, words

MAX_BODY = 1024 * 1024
TEXT_CSV = b"text/csv"
_FLOAT_FOR_INTEGER = re.compile(r"Expected `[^`]*\bint\b[^`]*`, got `float`")

T = TypeVar("T")


class Disconnected(Exception):
    """The caller has gone before its request was whole."""


async def read(
    scope: Scope, receive: Receive, headers: dict[bytes, bytes], timeout: float, takes: type = object
) -> bytes:
    kind = headers.get(b"content-type", JSON)
    if kind != JSON or takes is CSV:
        _check_kind(kind, takes)
    whole: bytes | None = scope.get(BODY)
    if whole is not None:
        if len(whole) > MAX_BODY:
            raise too_large()
        return whole
    _check_length(headers)
    return await within(timeout, timeout, _pieces(receive))


async def within(left: float, timeout: float, coming: Awaitable[T]) -> T:
    """What comes within so many seconds that are `left` of a time. Refusal where it does not."""
    try:
        async with asyncio.timeout(left):
            return await coming
    except TimeoutError:
        raise Refusal("REQUEST_TIMEOUT", f"the body did not arrive within {timeout:g} s") from None


async def _pieces(receive: Receive) -> bytes:
    body, message = b"", await receive()
    while message.get("more_body"):
        body = _small_enough(body + checked(message))
        message = await receive()
    return _small_enough(body + checked(message))


def _small_enough(body: bytes) -> bytes:
    if len(body) > MAX_BODY:
        raise too_large()
    return body


def checked(message: Message) -> bytes:
    """A piece of a body. Raises Disconnected."""
    if message["type"] == "http.disconnect":
        raise Disconnected
    body: bytes = message.get("body", b"")
    return body


def _check_kind(kind: bytes, takes: type) -> None:
    bare = bare_kind(kind)
    if takes is CSV:
        if bare != TEXT_CSV:
            raise Refusal("NOT_CSV", f"Content-Type: {kind.decode('latin-1')!r}; send text/csv")
    elif bare != JSON:
        raise Refusal("NOT_JSON", f"Content-Type: {bare.decode('latin-1')!r}; send application/json")


def _check_length(headers: dict[bytes, bytes]) -> None:
    """Before what is too long is read."""
    if (heads.said_length(headers.get(b"content-length", b"")) or 0) > MAX_BODY:
        raise too_large()


def too_large() -> Refusal:
    return Refusal("BODY_TOO_LARGE", f"the body is larger than {MAX_BODY} octets")


def decode(body: bytes, kind: type) -> Any:
    """An object of `kind`. Strings hold no NUL, since stores cannot keep it."""
    if kind is CSV:
        return _text(body)
    try:
        try:
            value = _decoder(kind).decode(body)
        except msgspec.ValidationError as error:
            value = _decoded_otherwise(body, kind, error)
    except msgspec.ValidationError as error:
        raise Refusal("INVALID_ARGUMENT", words(str(error), kind=kind)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal("INVALID_JSON_BODY", f"the body cannot be read: {error}") from None
    except RecursionError:
        raise Refusal("INVALID_JSON_BODY", "the body cannot be read: it is nested too deep") from None
    check_nul(body, value)
    return value


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Refusal("INVALID_ARGUMENT", f"the body is no UTF-8: {error}") from None


def _decoded_otherwise(body: bytes, kind: type, error: msgspec.ValidationError) -> Any:
    if not _FLOAT_FOR_INTEGER.match(str(error)):
        raise error
    return msgspec.convert(_with_whole_numbers(msgspec.json.decode(body)), kind)


def _with_whole_numbers(value: Any) -> Any:
    """To JSON and its schemas 5.0 is an integer, and some callers have no other way to write it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_whole_numbers(item) for key, item in value.items()}
    return value


@cache
def _decoder(kind: type) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)
