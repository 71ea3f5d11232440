"""PURE. How much of a limit is used: whether segments may go now, and if not, when. Time is an argument.

Segments per second are kept by the moment at which all that went is paid for (the GCRA of ITU-T I.371, its theoretical
arrival time): each segment costs an interval, and one may go while no more than TOLERANCE is owed. What may not go gets
a slot: the moment at which it would be its turn, one after the other, so that nobody has to ask in between. A slot is
a time to ask again, and no right to go: after a carrier was away many slots have passed, and the limit holds all the
same. Who comes at the time of its slot and finds that others go before gets another one, ahead of all who come new.

Segments per day are counted from midnight to midnight of a time zone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from messagehub.clock import SECOND

RATE_LIMITED, DAILY_LIMIT = "rate_limited", "daily_limit"

TOLERANCE = SECOND // 10
"""What may be owed when another segment goes: at most a tenth of a second's segments, and one, go at once."""

LONGEST_DAY = 26 * 3600 * SECOND
"""With its hour of daylight saving, and some."""

LONGEST = 255
"""Segments that one target can have."""


@dataclass(frozen=True, slots=True)
class Rule:
    rate: int
    """Thousandths of a segment per second; 0 is any number."""
    per_day: int
    """Segments; 0 is any number."""
    zone: str
    """An IANA time zone: at its midnight the day begins."""
    tolerance: int = TOLERANCE
    most: int = LONGEST
    """Segments at once. Who owes more than they cost has had the clock set back."""

    def cost(self, segments: int) -> int:
        """Microseconds that they take of the limit."""
        return -(-segments * 1000 * SECOND // self.rate) if self.rate else 0


@dataclass(slots=True)
class Meter:
    """A row of `limit_uses`. Times are microseconds since the epoch."""

    limit_id: str
    free_at: int = 0
    """When all that went is paid for."""
    again_at: int = 0
    """The end of the slots of those that came at their time and could not go."""
    last_at: int = 0
    """The end of the slots of those that came new."""
    day_ends: int = 0
    used: int = 0
    """Segments that went since the day began."""

    def begin(self, rule: Rule, now: int) -> None:
        """The day as it is now; and no debt of a clock that was set back since."""
        if not now < self.day_ends <= now + LONGEST_DAY:
            self.used, self.day_ends = 0, midnight_after(now, rule.zone)
        self.free_at = min(self.free_at, now + rule.tolerance + rule.cost(rule.most))

    def why_not(self, rule: Rule, segments: int, now: int, is_again: bool = False) -> str:
        """Why they may not go now, in one word; empty where they may. `is_again`: they had a slot, which has come.

        More segments at once than a whole day has go when nothing went before them that day.
        """
        if rule.per_day and self.used and self.used + segments > rule.per_day:
            return DAILY_LIMIT
        before = self.free_at if is_again else max(self.free_at, self.again_at, self.last_at)
        if before - now <= rule.tolerance:
            return ""
        return DAILY_LIMIT if rule.per_day and before >= self.day_ends else RATE_LIMITED

    def take(self, rule: Rule, segments: int, now: int) -> None:
        """They go."""
        self.free_at = max(self.free_at, now) + rule.cost(segments)
        self.used += segments

    def slot(self, rule: Rule, segments: int, now: int, why: str, is_again: bool = False) -> int:
        """When they are to ask again."""
        at = max(now + 1, self.free_at, self.again_at, 0 if is_again else self.last_at)
        if why == DAILY_LIMIT:
            at = max(at, self.day_ends)
        end = at + max(1, rule.cost(segments))
        if is_again:
            self.again_at = end
        else:
            self.last_at = end
        return at

    def free_from(self, rule: Rule, why: str) -> int:
        """When somebody who has no slot may ask again."""
        return self.day_ends if why == DAILY_LIMIT else self.free_at - rule.tolerance

    def move_day(self, rule: Rule, now: int) -> None:
        """It ends by another zone's midnight; what was used stays used."""
        self.day_ends = midnight_after(now, rule.zone)

    def forget_slots(self) -> None:
        self.again_at = self.last_at = 0


@cache
def zones() -> frozenset[str]:
    """The names of all time zones."""
    return frozenset(available_timezones())


def midnight_after(now: int, zone: str) -> int:
    where = ZoneInfo(zone)
    day = datetime.fromtimestamp(now // SECOND, where).date() + timedelta(days=1)
    return int(datetime(day.year, day.month, day.day, tzinfo=where).timestamp()) * SECOND
