"""HTML, put together so that no text can be taken for markup."""

import html
import re
from collections.abc import Iterable

VOID = {"input", "meta", "link", "br"}
CODE = re.compile(r"`([^`]+)`")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | None | Iterable["Child"]


def element(name: str, /, *children: Child, **attributes: str | bool) -> Markup:
    """An attribute that is False is left out, one that is True has no value. `class_` is class, `data_in` data-in."""
    shown = "".join(_attribute(key, value) for key, value in attributes.items() if value is not False)
    return Markup(f"<{name}{shown}>" if name in VOID else f"<{name}{shown}>{together(*children)}</{name}>")


def _attribute(key: str, value: str | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'


def together(*children: Child) -> Markup:
    return Markup("".join(map(_one, children)))


def _one(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    return html.escape(child, quote=False) if isinstance(child, str) else together(*child)


def prose(text: str) -> Markup:
    """A text in which `words` are code and an empty line begins a paragraph."""
    return together(element("p", inline(paragraph)) for paragraph in text.strip().split("\n\n"))


def inline(text: str) -> Markup:
    pieces = CODE.split(text)
    return together(element("code", piece) if n % 2 else piece for n, piece in enumerate(pieces))
