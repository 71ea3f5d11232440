"""PURE. How much of a limit is used: whether segments may go now, and if not, when. Time is an argument.

Segments per second are kept by the moment at which all that went is paid for (the GCRA of ITU-T I.371, its theoretical
arrival time): each segment costs an interval, and one may go while no more than TOLERANCE is owed. What may not go gets
a slot: the moment at which it would be its turn, one after the other, so that nobody has to ask in between. A slot is
a time to ask again, and no right to go: after a carrier was away many slots have passed, and the limit holds all the
same. Who comes at the time of its slot and finds that others go before gets another one, ahead of all who come new.

Each lane (lanes.py) has slots of its own, and what is more urgent waits for none of what is less so: a code is the next
to go, however many of a campaign have slots. These wait for it in turn, and ask again when their slots have come; but
of a lane that let SHARE - 1 segments go before, the next one goes before what is more urgent.

Segments per day are counted from midnight to midnight of a time zone.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from messagehub.clock import SECOND
from messagehub.messages.lanes import PATIENCE, SHARE, TRANSACTIONAL

RATE_LIMITED, DAILY_LIMIT = "rate_limited", "daily_limit"

TOLERANCE = SECOND // 10
"""What may be owed when another segment goes: at most a tenth of a second's segments, and one, go at once."""

LONGEST_DAY = 26 * 3600 * SECOND
"""With its hour of daylight saving, and some."""

LONGEST = 255
"""Segments that one target can have."""


class Rule(Struct, frozen=True):
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


class Slots(Struct):
    """Those of a lane."""

    again_at: int = 0
    """The end of those that were given to who came at its time and could not go."""
    last_at: int = 0
    """The end of those that were given to who came new."""
    passed: int = 0
    """Segments that were more urgent and went before, while some of this lane waited."""
    turn_until: int = 0
    """The end of the slot before which nobody more urgent goes."""

    @property
    def end(self) -> int:
        return max(self.again_at, self.last_at)

    @property
    def is_owed(self) -> bool:
        """So much that was more urgent went before that it is this lane's turn."""
        return self.passed >= SHARE - 1


NO_SLOTS = Slots()


class Meter(Struct):
    """A row of `limit_uses`. Times are microseconds since the epoch."""

    limit_id: str
    free_at: int = 0
    """When all that went is paid for."""
    again_at: int = 0
    last_at: int = 0
    """The ends of slots, as the lane has them whose are the latest."""
    day_ends: int = 0
    used: int = 0
    """Segments that went since the day began."""
    packed: str = ""
    """`lanes`, as it was read; empty from then on."""
    slots: dict[int, Slots] = {}
    """By lane, where any were given."""

    def __post_init__(self) -> None:
        given = (map(int, one.split()) for one in self.packed.split(",") if one)
        self.slots, self.packed = {lane: Slots(*rest) for lane, *rest in given}, ""

    @property
    def lanes(self) -> str:
        """The slots as they are stored."""
        given = self.slots.items()
        return ",".join(f"{lane} {one.again_at} {one.last_at} {one.passed} {one.turn_until}" for lane, one in given)

    def begin(self, rule: Rule, now: int) -> None:
        """The day as it is now; and no debt of a clock that was set back since."""
        if not now < self.day_ends <= now + LONGEST_DAY:
            self.used, self.day_ends = 0, midnight_after(now, rule.zone)
        self.free_at = min(self.free_at, now + rule.tolerance + rule.cost(rule.most))

    def why_not(self, rule: Rule, segments: int, now: int, lane: int = TRANSACTIONAL, is_again: bool = False) -> str:
        """Why they may not go now, in one word; empty where they may. `is_again`: they had a slot, which has come.

        More segments at once than a whole day has go when nothing went before them that day.
        """
        if rule.per_day and self.used and self.used + segments > rule.per_day:
            return DAILY_LIMIT
        own = self.slots.get(lane, NO_SLOTS)
        before = self.free_at if is_again else max(self.free_at, own.end)
        others = 0 if is_again and own.turn_until > now else max(self._more_urgent(lane), self._turn_of_others(lane))
        if before - now <= rule.tolerance and others <= now:
            return ""
        return DAILY_LIMIT if rule.per_day and max(before, others) >= self.day_ends else RATE_LIMITED

    def _more_urgent(self, lane: int) -> int:
        """The end of the slots of all lanes that are more urgent."""
        return max((one.end for other, one in self.slots.items() if other > lane), default=0)

    def _turn_of_others(self, lane: int) -> int:
        """Until when it is the turn of a lane that is less urgent."""
        return max((one.turn_until for other, one in self.slots.items() if other < lane), default=0)

    def take(self, rule: Rule, segments: int, now: int, lane: int = TRANSACTIONAL) -> None:
        """They go."""
        self.free_at = max(self.free_at, now) + rule.cost(segments)
        self.used += segments
        for other, slots in self.slots.items():
            if other == lane:
                slots.turn_until = 0
            elif other < lane and slots.end > now:
                slots.passed = min(slots.passed + segments, PATIENCE * SHARE)

    def next_slot(self, now: int, why: str, lane: int = TRANSACTIONAL, is_again: bool = False) -> int:
        """When they are to ask again, if they take the slot."""
        own = self.slots.get(lane, NO_SLOTS)
        at = max(now + 1, self.free_at, self._turn_of_others(lane))
        if not (is_again and own.is_owed):
            at = max(at, own.again_at, 0 if is_again else own.last_at)
        return max(at, self.day_ends) if why == DAILY_LIMIT else at

    def slot(
        self, rule: Rule, segments: int, now: int, why: str, lane: int = TRANSACTIONAL, is_again: bool = False
    ) -> int:
        """Takes the slot for them."""
        at = self.next_slot(now, why, lane, is_again)
        own = self.slots.setdefault(lane, Slots())
        end = at + max(1, rule.cost(segments))
        if is_again and own.is_owed:
            own.passed -= SHARE - 1
            own.turn_until = end
        if is_again:
            own.again_at = max(own.again_at, end)
        else:
            own.last_at = end
        self.again_at, self.last_at = max(self.again_at, own.again_at), max(self.last_at, own.last_at)
        return at

    def free_from(self, rule: Rule, why: str) -> int:
        """When somebody who has no slot may ask again."""
        return self.day_ends if why == DAILY_LIMIT else self.free_at - rule.tolerance

    def move_day(self, rule: Rule, now: int) -> None:
        """It ends by another zone's midnight; what was used stays used."""
        self.day_ends = midnight_after(now, rule.zone)

    def forget_slots(self, lanes: Iterable[int]) -> None:
        for lane in lanes:
            self.slots.pop(lane, None)
        self.again_at = max((one.again_at for one in self.slots.values()), default=0)
        self.last_at = max((one.last_at for one in self.slots.values()), default=0)


def midnight_after(now: int, zone: str) -> int:
    where = ZoneInfo(zone)
    day = datetime.fromtimestamp(now // SECOND, where).date() + timedelta(days=1)
    return int(datetime(day.year, day.month, day.day, tzinfo=where).timestamp()) * SECOND
