"""Times and spans as people write them on a command line."""

import re
from typing import Any

import typer

from messagehub import clock

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800}
_SPAN = re.compile(r"(\d{1,9})([smhdw]?)", re.ASCII)
SPANS = "such as 90s, 10m, 12h, 30d, 2w"


def span(text: str) -> int:
    """Seconds, of `90`, `10m`, `12h`, `30d` or `2w`."""
    if not (match := _SPAN.fullmatch(text)):
        raise typer.BadParameter(f"{text!r} is no span of time; write one {SPANS}")
    return int(match[1]) * UNITS[match[2]]


def moment(text: str) -> str:
    """A time as the API reads it: one that was written out, or so long ago."""
    return _moment(text, -1, "how long ago")


def moment_ahead(text: str) -> str:
    """A time as the API reads it: one that was written out, or in so long."""
    return _moment(text, 1, "in how long")


def _moment(text: str, way: int, words: str) -> str:
    if _SPAN.fullmatch(text):
        return clock.iso(max(0, clock.now() + way * span(text) * clock.SECOND))
    try:
        return clock.iso(clock.parse(text))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write 2026-01-31T10:30:00Z, or {words}, {SPANS}") from None


def ahead(*names: str, help: str) -> Any:
    """An option that takes a time to come."""
    words = f"{help}: a time, or in how long, {SPANS}."
    return typer.Option(*names, parser=moment_ahead, metavar="TIME", help=words)


def length(*names: str, help: str) -> Any:
    """An option that takes a span, in seconds."""
    return typer.Option(*names, parser=span, metavar="SPAN", help=f"{help}, {SPANS}.")


def option(*names: str, help: str) -> Any:
    """An option that takes a `moment`."""
    return typer.Option(*names, parser=moment, metavar="TIME", help=f"{help}: a time, or how long ago, {SPANS}.")
