"""Variables: texts by name, and `${name}` in options, which stands for one of them. Pure.

What a variable holds is never looked through again, so nobody who writes to us can have anything put in its place.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any
from urllib.parse import quote

import msgspec

from messagehub.errors import Refusal

OURS = "voipbin."
"""Keys that begin so are set by the program."""

MOST = 100
MOST_OCTETS = 64 * 1024
"""Of all keys and values that are a customer's own."""

MOST_SUBSTITUTED = 256 * 1024
"""Characters of one option, with its variables in their places."""

NAME = re.compile(r"\$\{([^{}]*)\}")
KEY = re.compile(r"[^{}\x00]{1,255}")

Variables = Mapping[str, str]


class TooLarge(Exception):
    """What an option would come to."""


def has_variables(text: str) -> bool:
    return NAME.search(text) is not None


def bare(name: str) -> str:
    """`name` of `${name}`; others as they are."""
    match = NAME.fullmatch(name)
    return (match[1] if match else name).strip()


def substitute(text: str, variables: Variables) -> str:
    """The text with the value of each `${name}` in its place; of unknown ones with nothing. TooLarge."""
    return _joined(text, (variables.get(match[1].strip(), "") for match in NAME.finditer(text)))


def substitute_all(value: Any, variables: Variables) -> Any:
    """Likewise for each string in lists and objects; their keys stay as they are. TooLarge."""
    if isinstance(value, str):
        return substitute(value, variables)
    if isinstance(value, list):
        return [substitute_all(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: substitute_all(item, variables) for key, item in value.items()}
    return value


def substitute_url(url: str, variables: Variables) -> str:
    """A URL whose variables cannot change its host or add parameters, but for one that it begins with. TooLarge."""
    values = (
        value if match.start() == 0 else quote(value, safe="")
        for match in NAME.finditer(url)
        for value in (variables.get(match[1].strip(), ""),)
    )
    return _joined(url, values)


def stood_in(url: str) -> str:
    """A URL with something in the place of each variable, to be looked at; empty where it begins with one."""
    return "" if NAME.match(url) else NAME.sub("1", url)


def substitute_data(data: str, variables: Variables) -> str:
    """A body. What is JSON with its `${name}` stays so, since values are put into its strings. TooLarge."""
    if not has_variables(data):
        return data
    try:
        template = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return substitute(data, variables)
    return msgspec.json.encode(substitute_all(template, variables)).decode()


def _joined(text: str, values: Iterable[str]) -> str:
    """With one value in the place of each name; nothing is put together that would be too large."""
    between, found = NAME.split(text)[::2], [*values, ""]
    if (size := sum(map(len, chain(between, found)))) > MOST_SUBSTITUTED:
        raise TooLarge(f"it would have {size} characters, where {MOST_SUBSTITUTED} are allowed")
    return "".join(chain.from_iterable(zip(between, found, strict=True)))


def misfit(key: str) -> str:
    """Why a customer cannot have a variable of this name; empty where it can."""
    if key.startswith(OURS):
        return f"{key!r} begins with {OURS!r}: these are set by the program"
    return "" if KEY.fullmatch(key) else f"{key!r} is no name: 1 to 255 characters, without {{ and }}"


def too_many(variables: Variables) -> str:
    """Why there can be no more of them; empty where these can be."""
    own = {key: value for key, value in variables.items() if not key.startswith(OURS)}
    if len(own) > MOST:
        return f"{len(own)} variables, where {MOST} are allowed"
    octets = sum(len(key.encode()) + len(value.encode()) for key, value in own.items())
    return f"{octets} octets of variables, where {MOST_OCTETS} are allowed" if octets > MOST_OCTETS else ""


def check(given: Variables) -> None:
    """Refusal for what a caller cannot give."""
    for key in given:
        if why := misfit(key):
            raise Refusal("INVALID_ARGUMENT", f"variables: {why}")
    if why := too_many(given):
        raise Refusal("INVALID_ARGUMENT", f"variables: {why}")
