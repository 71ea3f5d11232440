"""Times on the wire: SMPP 3.4, section 7.1.1. `YYMMDDhhmmsstnnp`, absolute or relative, 16 characters.

t is tenths of a second, nn the distance from UTC in quarters of an hour, p its direction (`+`, `-`) or `R` for a time
from now on.
"""

from datetime import UTC, datetime, timedelta, timezone

from messagehub.smpp.kinds import TIME

QUARTER = timedelta(minutes=15)
DAYS_OF_YEAR, DAYS_OF_MONTH = 365, 30  # of a relative time; its years and months have no length by the standard
LONGEST = timedelta(days=100) - timedelta(seconds=1)


def absolute(moment: datetime) -> str:
    """A moment with its zone, in UTC. Raises ValueError for one without a zone, or not of the years 2000 to 2099."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no zone")
    there = moment.astimezone(UTC)
    if not 2000 <= there.year < 2100:
        raise ValueError(f"{moment} is not of this century")
    return f"{there:%y%m%d%H%M%S}{there.microsecond // 100_000}00+"


def relative(span: timedelta) -> str:
    """A span of 0 s to 100 days, down to seconds, in days: months and years have no length of their own."""
    if not timedelta() <= span <= LONGEST:
        raise ValueError(f"{span} is not within 0 s and 100 days")
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"


def read(text: str) -> datetime | timedelta | None:
    """What a peer wrote: a moment with its zone, or a span. None where it is empty or no time."""
    if not TIME.fullmatch(text):
        return None
    parts = [int(text[at : at + 2]) for at in range(0, 12, 2)]
    tenths, quarters, sign = int(text[12]), int(text[13:15]), text[15]
    if sign == "R":
        return _span(*parts)
    distance = QUARTER * (quarters if sign == "+" else -quarters)
    year, month, day, hour, minute, second = parts
    try:
        return datetime(2000 + year, month, day, hour, minute, second, 100_000 * tenths, timezone(distance))
    except ValueError:
        return None


def _span(years: int, months: int, days: int, hours: int, minutes: int, seconds: int) -> timedelta:
    days += years * DAYS_OF_YEAR + months * DAYS_OF_MONTH
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
