"""What answers over HTTP say in the same way, whoever gives them. Pure."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from messagehub.web import Answer


def retry_after(answer: Answer) -> float:
    """Seconds by Retry-After (RFC 9110, section 10.2.3); 0 where it says nothing that can be read.

    A date there counts from the answer's own, as clocks differ.
    """
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdecimal():
        return float(said) if len(said) < 9 else 0
    until, since = _moment(said), _moment(answer.headers.get("date", ""))
    return max(until - since, 0) if until and since else 0


def _moment(date: str) -> float:
    try:
        read = parsedate_to_datetime(date)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0


def json_of(octets: bytes) -> Any:
    """A value of JSON; None where it is none."""
    try:
        return msgspec.json.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
