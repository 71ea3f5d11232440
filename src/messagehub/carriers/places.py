"""Places: where in a template a value goes, and where in what was said one stands. Pure.

In templates a place is a name in braces. In JSON it is a path such as `messages[0].id`; in an answer it may also be
`header:location`, or `regex:` and an expression whose one group it is.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

_NAME = re.compile(r"\{([a-z_]+)\}")
_PATH = re.compile(r"(?:[^.\[\]:]+|\[\d{1,4}\])(?:\.[^.\[\]:]+|\[\d{1,4}\])*")
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")

HEADER, REGEX = "header", "regex"
LONGEST = 10_000
"""Characters of an answer in which an expression looks."""


def names_in(text: str) -> list[str]:
    return _NAME.findall(text)


def filled(text: str, values: Mapping[str, Any], write: Callable[[str], str] = str) -> str:
    """The template with its values; each is written as the place where it stands wants it."""
    return _NAME.sub(lambda found: write(str(values[found[1]])), text)


def filled_all(template: Any, values: Mapping[str, Any]) -> Any:
    """A template of dicts and lists. A member that is one place and no more is left out where that is empty."""
    if isinstance(template, dict):
        made = {name: filled_all(each, values) for name, each in template.items()}
        return {name: each for name, each in made.items() if each or not _is_one(template[name])}
    if isinstance(template, list):
        return [filled_all(each, values) for each in template]
    if not isinstance(template, str):
        return template
    return values[template[1:-1]] if _is_one(template) else filled(template, values)


def _is_one(template: Any) -> bool:
    return isinstance(template, str) and _NAME.fullmatch(template) is not None


def is_path(place: str) -> bool:
    return _PATH.fullmatch(place) is not None


def at(value: Any, path: str) -> Any:
    """What stands there; None where there is nothing. The empty path is the whole."""
    for index, name in _STEP.findall(path):
        if name and isinstance(value, dict):
            value = value.get(name)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return value


def text_at(value: Any, path: str) -> str:
    """As text; empty where there is nothing, or what is no text and no number."""
    found = at(value, path) if path else None
    return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""
