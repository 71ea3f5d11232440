"""Time as the program keeps it: whole microseconds since 1970, UTC. Only edges and workers ask for `now`."""

import re
import time
from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1_000_000
NEVER = 253_370_764_800 * SECOND
"""9999-01-01: what has not happened yet."""

_WRITTEN = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:Z|([+-]\d\d:\d\d))?", re.ASCII | re.IGNORECASE
)


def now() -> int:
    return time.time_ns() // 1000


# What is shown together shares its moments: that of its turn, and NEVER.


@lru_cache(maxsize=1024)
def plain(moment: int) -> str:
    """The form of resources: `2026-01-31 10:30:00.000000`."""
    seconds, micros = divmod(moment, SECOND)
    return f"{_day_and_time(seconds)}.{micros:06d}"


@lru_cache(maxsize=1024)
def iso(moment: int) -> str:
    """The form of webhook payloads: `2026-01-31T10:30:00.000000Z`."""
    seconds, micros = divmod(moment, SECOND)
    return f"{_day_t_time(seconds)}.{micros:06d}Z"


def parse(text: str) -> int:
    """Either form, or any of RFC 3339, back to microseconds; UTC where no offset says otherwise. Else ValueError."""
    if not (match := _WRITTEN.fullmatch(text)):
        raise ValueError(f"{text!r} is no time")
    day, clock, decimals, offset = match.groups()
    whole = datetime.fromisoformat(f"{day}T{clock}{offset or '+00:00'}")
    return int(whole.timestamp()) * SECOND + int((decimals or "").ljust(6, "0")[:6])


# A batch of rows shares a handful of seconds.


@lru_cache(maxsize=256)
def _day_and_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ")[:19]  # strftime leaves noughts of a year out


@lru_cache(maxsize=256)
def _day_t_time(seconds: int) -> str:
    return _day_and_time(seconds).replace(" ", "T")
