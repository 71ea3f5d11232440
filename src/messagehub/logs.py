"""Logs: one event a line on standard error, as text or as JSON, with what it is about beside its words.

A line is made by the standard library's loggers: `log.info("a carrier is bound", extra=about(carrier="first"))`. What
all lines of a task are about is said once, by `within`: the request that is served, the carrier that is spoken to.

What must not be in a log is not logged: texts, keys, passwords, query strings. Should it get there all the same, in
the words of an exception say, what looks like a secret is taken out of each line before it is written.
"""

import json
import logging
import math
import re
import time
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from messagehub import clock

_within: ContextVar[Mapping[str, Any]] = ContextVar("within", default=MappingProxyType({}))

within = _within.set
"""Says what all lines are about from here to the end of the task, and of tasks that it starts: a dict of fields."""


def known(name: str) -> Any:
    """One of these fields; None where it was not said."""
    return _within.get().get(name)


def about(**fields: Any) -> dict[str, Any]:
    """The `extra` of a line. Words for a field: `carrier`, `carrier_id`, `customer_id`, `message_id`, `number`."""
    return {"about": fields}


def set_up(level: str, form: str = "text", numbers: bool = False) -> None:
    """Lines of `level` and above go to standard error. `form` is `text` or `json`; `numbers` shows them whole."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMS[form](numbers))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.raiseExceptions = False  # a line that cannot be written would be shown with all that was to be in it


class Seldom:
    """Says when a line is due that others could have us write as often as they like: once in `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = -math.inf

    def due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


# --- secrets ----------------------------------------------------------------------------

HIDDEN = "***"

# Each pattern is bounded, or cannot match in two ways: what is logged may be what an enemy has sent.
REDACTED = [
    (re.compile(r"(?:vb|whsec)_[\w+/=-]+", re.ASCII), HIDDEN),
    (re.compile(r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?", re.ASCII), HIDDEN),  # a JSON Web Token, RFC 7519
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]+", re.ASCII | re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(://)[^\s\"'<>@]{0,256}+(?:@[^\s\"'<>@]{0,256}+){0,3}@"), rf"\1{HIDDEN}@"),  # user and password
    (
        re.compile(
            r"((?:password|passwd|token|accesskey|secret|signature|\bsig)\w{0,20}[\"']?\s{0,3}(?:[=:]|%3D)\s{0,3})"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'&,;)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(/m/)[\w-]{6,64}", re.ASCII), rf"\1{HIDDEN}"),  # a link to a medium
    # PostgreSQL and its driver show the rows that they do not like.
    (re.compile(r"^(DETAIL: ).*", re.MULTILINE), rf"\1{HIDDEN}"),
    (re.compile(r"(query argument \$\d+: ).*"), rf"\1{HIDDEN}"),
]
_NUMBER = re.compile(r"\+[1-9]\d{6,14}\b", re.ASCII)
_NUMBER_FIELD = "number"


def redacted(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, instead in REDACTED:
        text = pattern.sub(instead, text)
    return text


def shortened(number: str) -> str:
    """`+15559876543` as `+1555…43`; what is too short to be a person's stays."""
    return f"{number[:5]}…{number[-2:]}" if len(number) > 8 else number


# --- forms ------------------------------------------------------------------------------


class _Form(logging.Formatter):
    """What both forms have: the fields of a line but the empty ones, with nothing in them that must not be seen."""

    def __init__(self, numbers: bool) -> None:
        super().__init__()
        self._numbers = numbers

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = {**_within.get(), **getattr(record, "about", {})}
        shown = {name: self._shown(name, value) for name, value in fields.items() if value not in (None, "", b"")}
        head = {
            "time": clock.iso(int(record.created * clock.SECOND)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._clean(record.getMessage()),
        }
        return {**head, **shown}

    def trace(self, record: logging.LogRecord) -> str:
        if not record.exc_info or record.exc_info[1] is None:
            return ""
        return self._clean("".join(traceback.format_exception(record.exc_info[1])).rstrip())

    def _shown(self, name: str, value: Any) -> Any:
        if isinstance(value, int | float):
            return value
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        return shortened(text) if name == _NUMBER_FIELD and not self._numbers else self._clean(text)

    def _clean(self, text: str) -> str:
        text = redacted(text)
        return text if self._numbers else _NUMBER.sub(lambda found: shortened(found[0]), text)


class JSONForm(_Form):
    def format(self, record: logging.LogRecord) -> str:
        trace = self.trace(record)
        return json.dumps({**self.fields(record), **({"exception": trace} if trace else {})})


_PLAIN = re.compile(r"[\w.:/@+…*-]+")
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


class TextForm(_Form):
    """For eyes. What somebody sent cannot begin a line: control characters are written out, traces are indented."""

    def format(self, record: logging.LogRecord) -> str:
        fields = self.fields(record)
        head = " ".join((fields.pop("time"), record.levelname, fields.pop("logger")))
        del fields["level"]
        words = [fields.pop("event"), *(f"{name}={_quoted(value)}" for name, value in fields.items())]
        line = f"{head}: {' '.join(words)}".translate(_CONTROLS)
        return "\n    ".join([line, *(each.translate(_CONTROLS) for each in self.trace(record).splitlines())])


def _quoted(value: Any) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


FORMS: dict[str, type[_Form]] = {"text": TextForm, "json": JSONForm}
