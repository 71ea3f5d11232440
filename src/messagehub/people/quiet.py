"""Quiet hours: when nobody is written to for marketing, at the place of whoever is written to. Pure.

Times of day are minutes since midnight of the wall clock there, as the law means it; zones and their changes are those
of the IANA time zone database.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from messagehub.clock import SECOND

MINUTE = 60 * SECOND
QUARTER = 15 * MINUTE
"""Offsets from UTC, and the moments at which they change, are multiples of it."""

AHEAD = 50 * 60 * MINUTE
"""How far ahead is looked: two days, one of which may have 25 hours."""


class Quiet(Struct, frozen=True):
    """From one time of day to another, over midnight where the first is the later one."""

    begin: int
    end: int

    def covers(self, minute: int) -> bool:
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def at(clock_time: str) -> int:
    """`21:30` as minutes."""
    return int(clock_time[:2]) * 60 + int(clock_time[3:])


COUNTRIES = {  # by calling code; the longest that fits
    "+1": ("21:00", "08:00", "USA and Canada: 47 CFR 64.1200(c)(1)"),
    "+91": ("21:00", "09:00", "India: TRAI, TCCCPR 2018, promotional messages"),
}
ELSEWHERE = ("21:00", "08:00", "as in the USA")


def of_country(address: str) -> Quiet:
    """The quiet hours of the country that a number (E.164) belongs to."""
    found = next((COUNTRIES[address[:n]] for n in range(4, 1, -1) if address[:n] in COUNTRIES), ELSEWHERE)
    return Quiet(at(found[0]), at(found[1]))


@lru_cache(maxsize=4096)
def _opens(minute: int, zones: tuple[str, ...], quiet: Quiet) -> int | None:
    now = minute * MINUTE
    places = [ZoneInfo(name) for name in zones]
    for moment in _candidates(now, places, quiet):
        if all(not quiet.covers(_minute_of_day(moment, place)) for place in places):
            return moment
    return None


def until(now: int, zones: Sequence[str], quiet: Quiet) -> int | None:
    """The first moment from `now` on (microseconds) that is quiet in none of the zones; None where there is none."""
    if (moment := _opens(now // MINUTE, tuple(zones), quiet)) is None:
        return None
    return max(now, moment)


def _candidates(now: int, places: Sequence[ZoneInfo], quiet: Quiet) -> Iterator[int]:
    """Now, and each moment at which quiet hours may end: by the clock, or where a clock is put forward or back."""
    moments = {now}
    moments.update(range(now - now % QUARTER + QUARTER, now + AHEAD, QUARTER))
    for place in places if quiet.end % 15 else ():
        moments.update(_ends(now, place, quiet))
    yield from sorted(moments)


def _ends(now: int, place: ZoneInfo, quiet: Quiet) -> Iterator[int]:
    today = datetime.fromtimestamp(now // SECOND, place).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(-1, 4):
        for fold in (0, 1):
            end = (today + timedelta(days=day)).replace(hour=quiet.end // 60, minute=quiet.end % 60, fold=fold)
            moment = int(end.astimezone(UTC).timestamp()) * SECOND
            if now < moment < now + AHEAD:
                yield moment


def _minute_of_day(moment: int, place: ZoneInfo) -> int:
    there = datetime.fromtimestamp(moment // SECOND, place)
    return there.hour * 60 + there.minute


def as_markdown() -> str:
    """The table of countries as docs/opt-out.md shows it."""
    rows = [
        f"| {code} | {begin} | {end} | {words} |"
        for code, (begin, end, words) in [*COUNTRIES.items(), ("any other", ELSEWHERE)]
    ]
    return "\n".join(["| calling code | from | to | |", "| --- | --- | --- | --- |", *rows])
