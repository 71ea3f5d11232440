"""Times in MM7: xs:dateTime for moments, xs:duration for spans from now on (W3C XML Schema 1.0, part 2, 3.2.6, 3.2.7).

Peers write more than that: no zone, a blank for the T, no colon in the zone, and fractions of any length.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_MOMENT = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})[T ]?([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:[.,]([0-9]{1,30}))?"
    r"\s?(?:(Z)|([+-])([0-9]{2}):?([0-9]{2})?)?",
    re.IGNORECASE,
)
_SPAN = re.compile(
    r"P(?:([0-9]{1,4})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,6})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})(?:\.([0-9]{1,30}))?S)?)?",
    re.IGNORECASE,
)
DAYS = (365, 30, 7, 1)
"""Of a year, a month, a week and a day in a span: the first two have no length by the standard."""


def read(text: str) -> datetime | timedelta:
    """A moment in UTC, or a span. A moment without a zone is taken for UTC. Raises ValueError."""
    text = text.strip()
    try:
        if match := _MOMENT.fullmatch(text):
            return _moment(match)
        if (match := _SPAN.fullmatch(text)) and any(match.groups()):
            return _span(match)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{text!r}: {error}") from None
    raise ValueError(f"{text[:60]!r} is neither a moment such as 2024-01-31T12:00:00Z nor a span such as PT12H")


def _moment(match: re.Match[str]) -> datetime:
    sign, hours, minutes = match[9], int(match[10] or 0), int(match[11] or 0)
    away = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    zone = timezone(away)
    fields = [int(match[number]) for number in range(1, 7)]
    return datetime(*fields, _micros(match[7]), tzinfo=zone).astimezone(UTC)  # type: ignore[arg-type, misc]


def _span(match: re.Match[str]) -> timedelta:
    days = sum(int(match[number] or 0) * length for number, length in enumerate(DAYS, 1))
    hours, minutes, seconds = (int(match[number] or 0) for number in (5, 6, 7))
    return timedelta(days, seconds, _micros(match[8]), hours=hours, minutes=minutes)


def _micros(fraction: str | None) -> int:
    return int((fraction or "0")[:6].ljust(6, "0"))


def write(moment: datetime | timedelta) -> str:
    """The text of a moment (in UTC) or a span. Raises ValueError for a moment without a zone or a negative span."""
    if isinstance(moment, timedelta):
        return _write_span(moment)
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no zone")
    there = moment.astimezone(UTC)
    fraction = f".{there.microsecond:06}" if there.microsecond else ""
    return f"{there.year:04}-{there:%m-%dT%H:%M:%S}{fraction}Z"


def _write_span(span: timedelta) -> str:
    if span < timedelta():
        raise ValueError(f"{span} is negative")
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{span.microseconds:06}" if span.microseconds else ""
    days = f"{span.days}D" if span.days else ""
    return f"P{days}T{hours}H{minutes}M{seconds}{fraction}S"
