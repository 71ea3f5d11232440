"""What is wrong with a shape, in words."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import inspect, to_builtins

from messagehub.errors import Refusal
from messagehub.shapes.accounts import CLOCK_TIME, EMAIL, USERNAME

_ERROR = re.compile(r"(?P<what>.*?)(?: - at `(?:key` in `)?\$(?P<path>.*)`)?", re.DOTALL)
_MEMBER = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_KINDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
"""What the decoder calls by Python's names, as those know it who write JSON."""
_NAMED = re.compile(r"`(?P<names>\w+(?: \| \w+)*)`")
_PATTERNS = {
    f"expected a string matching regex {USERNAME!r}": "use letters from A to Z, digits, and . _ % + @ -",
    f"expected a string matching regex {CLOCK_TIME!r}": "write a time of day such as 21:00, or nothing",
    f"expected a string matching regex {EMAIL!r}": "write an address such as somebody@example.com, or nothing",
}
_NO_CHOICE = "Invalid enum value"
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[[^\]]*\]")
_MEMBER_WORDS = {"missing required": "it is required", "contains unknown": "there is no such member"}


def words(error: str, root: str = "", kind: Any = None) -> str:
    """The decoder's words for a wrong shape, with the member in front: `destinations[0].target: expected …`.

    Where `kind` is given, what was decoded, they say which words there are for a member that takes but few.
    """
    match = _ERROR.fullmatch(error)
    assert match
    what, path = match["what"], (match["path"] or "").replace("[...]", "[]")
    if member := _MEMBER.fullmatch(what):
        path, what = f"{path}.{member['name']}", _MEMBER_WORDS[member["what"]]
    elif what.startswith("Expected"):
        what = _NAMED.sub(_in_words, what)
    elif kind and what.startswith(_NO_CHOICE) and (choices := _choices(inspect.type_info(kind), path)):
        what = f"{what}; expected one of {', '.join(choices)}"
    place = f"{root}{path}".removeprefix(".")
    what = f"{what[:1].lower()}{what[1:]}"
    return f"{place or 'the body'}: {_PATTERNS.get(what, what)}"


def _in_words(match: re.Match[str]) -> str:
    return " or ".join(_KINDS.get(name, name) for name in match["names"].split(" | "))


def _choices(kind: inspect.Type, path: str) -> list[str]:
    """What the member at a path of this kind may be; or its names, where it holds things by name."""
    kinds = [kind]
    for step in _STEP.finditer(path):
        kinds = [inner for each in _each(kinds) for inner in _inside(each, step["name"])]
    names = [each.key_type for each in _each(kinds) if isinstance(each, inspect.DictType)]
    return [word for each in _each([*kinds, *names]) for value in _values(each) if (word := str(value))]


def _values(kind: inspect.Type) -> Iterable[Any]:
    if isinstance(kind, inspect.EnumType):
        return [member.value for member in kind.cls]
    return sorted(kind.values, key=str) if isinstance(kind, inspect.LiteralType) else []


def _each(kinds: Iterable[inspect.Type]) -> Iterator[inspect.Type]:
    """Themselves, and what unions of them and annotated ones are of."""
    for kind in kinds:
        if isinstance(kind, inspect.UnionType):
            yield from _each(kind.types)
        elif isinstance(kind, inspect.Metadata):
            yield from _each([kind.type])
        else:
            yield kind


def _inside(kind: inspect.Type, name: str | None) -> Iterator[inspect.Type]:
    """Of a struct the member of that name; of a list or a dict what it holds."""
    if isinstance(kind, inspect.StructType):
        yield from (field.type for field in kind.fields if field.encode_name == name)
    elif isinstance(kind, inspect.CollectionType):
        yield kind.item_type
    elif isinstance(kind, inspect.DictType):
        yield kind.value_type


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
