"""What is wrong with a shape, in words."""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins

from messagehub.errors import Refusal
from messagehub.shapes.accounts import CLOCK_TIME, EMAIL, USERNAME

_ERROR = re.compile(r"(?P<what>.*?)(?: - at `(?:key` in `)?\$(?P<path>.*)`)?", re.DOTALL)
_MEMBER = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_PATTERNS = {
    f"expected `str` matching regex {USERNAME!r}": "use letters from A to Z, digits, and . _ % + @ -",
    f"expected `str` matching regex {CLOCK_TIME!r}": "write a time of day such as 21:00, or nothing",
    f"expected `str` matching regex {EMAIL!r}": "write an address such as somebody@example.com, or nothing",
}
_MEMBER_WORDS = {"missing required": "it is required", "contains unknown": "there is no such member"}


def words(error: str, root: str = "") -> str:
    """The decoder's words for a wrong shape, with the member in front: `destinations[0].target: expected …`."""
    match = _ERROR.fullmatch(error)
    assert match
    what, path = match["what"], (match["path"] or "").replace("[...]", "[]")
    if member := _MEMBER.fullmatch(what):
        path, what = f"{path}.{member['name']}", _MEMBER_WORDS[member["what"]]
    place = f"{root}{path}".removeprefix(".")
    what = f"{what[:1].lower()}{what[1:]}"
    return f"{place or 'the body'}: {_PATTERNS.get(what, what)}"


def check_nul(body: bytes, value: Any) -> None:
    """Refusal for a string with a NUL in what was read of a body, since stores cannot keep it."""
    if b"\\u0000" in body:
        for path in _with_nul(to_builtins(value)):
            why = "it holds a NUL character, which cannot be kept"
            raise Refusal("INVALID_ARGUMENT", f"{path.removeprefix('.')}: {why}")


def _with_nul(value: Any, path: str = "") -> Iterator[str]:
    """The places of the strings with a NUL, keys included."""
    if isinstance(value, str) and "\0" in value:
        yield path
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from _with_nul(item, f"{path}[{n}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _with_nul(key, path)
            yield from _with_nul(item, f"{path}.{key}")
