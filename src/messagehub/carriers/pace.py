"""How fast a carrier may be sent to: its rate, and less while it says that this is too much. Pure.

A bucket of tokens keeps the rate. Where the carrier throttles, the pace falls to half of what was last sent and nothing
leaves for a pause, which doubles while it goes on; then the pace grows back little by little (multiplicative decrease,
additive increase: RFC 5681 does so with a window). All times are seconds of a clock that never goes
back; a pace is in PDUs per second, and 0 is no limit.
"""

import math

UNLIMITED = 1_000_000
"""PDUs that may leave at once where there is no limit: more than all windows."""

BURST_S = 0.1
"""The share of a second in which what the pace allows may leave at once."""

METER_S = 1.0
"""How long PDUs are counted before what was sent is known as a rate."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
ROUND_TRIP_S = 0.5
"""A carrier that refuses what left in so many seconds after a pause has not recovered: the next pause is longer."""

CALM_S = 2.0
"""Seconds after a pause without a refusal, after which all is well again."""

DECREASE, EASE = 0.5, 0.9
"""What is left of the pace after a refusal, and after a word of warning."""

INCREASE_S = 20.0
"""Seconds in which the pace would grow by what it was before it fell, and after which it grows twice as fast."""

SLOWEST = 0.1
"""PDUs per second below which a carrier is not slowed, so that nothing waits for ever."""

SUPPOSED = 20.0
"""PDUs per second that a carrier is taken to manage, where so few were sent that nothing can be known."""

HEADROOM = 2.0
"""Where there is no rate: how far above the pace at which it fell the limit is dropped."""

STEP_S = 0.1
"""How often a pace that grows is set anew."""


class Pace:
    def __init__(self, rate: float) -> None:
        self.throttled = 0
        """How often the carrier said that this is too much."""
        self.until = -math.inf
        """Nothing leaves before."""
        self._rate = rate
        self._pause = 0.0
        self._ceiling = self._step = 0.0
        self._fell = -math.inf
        self._set_at = -math.inf
        self._spent = self._spent_before = self._spent_at_resume = 0
        self._before = 0.0
        self._since = 0.0
        self._limit_to(rate)
        self._tokens, self._filled = self._size, 0.0

    @property
    def limits(self) -> bool:
        return self.now > 0

    # --- sending ------------------------------------------------------------------------

    def allows(self, now: float) -> int:
        """How many PDUs may leave now."""
        if now - self._since >= METER_S:
            self._read_meter(now)
        if self._ceiling:
            if now < self.until:
                return 0
            self._grow(now)
        if not self.now:
            return UNLIMITED
        self._tokens = min(self._size, self._tokens + max(0.0, now - self._filled) * self._flow)
        self._filled = now
        return int(self._tokens)

    def spend(self, count: int = 1) -> None:
        """So many PDUs have left."""
        self._tokens -= count
        self._spent += count

    def pause(self, now: float) -> float:
        """Seconds until another PDU may leave; 0 where one may now."""
        if self.allows(now) >= 1:
            return 0
        return self.until - now if now < self.until else (1 - self._tokens) / self._flow

    def share(self, rate: float, now: float) -> None:
        """So much of the carrier's rate is for this pace from now on.

        What it gives up is gone at once, and what it gets flows in from now: so the sum of all shares keeps the rate.
        """
        if rate == self._rate or not (rate and self._rate):
            return
        self.allows(now)
        grows, by = rate > self._rate, rate / self._rate
        self._rate = rate
        self._ceiling, self._step = self._ceiling * by, self._step * by
        self._limit_to(self.now * by)
        self._tokens = min(self._tokens, 0.0 if grows else self._size)

    # --- what the carrier says ----------------------------------------------------------

    def throttle(self, now: float, least: float = 0.0) -> None:
        """The carrier refused a PDU for being too many. What left before a pause says nothing new in it.

        `least`: for so many seconds it wants to be left alone, whatever the pause would be.
        """
        self.throttled += 1
        if now < self.until:
            self.until = max(self.until, now + least)
            return
        goes_on = self._goes_on(now)
        self._pause = min(self._pause * 2, LONGEST_PAUSE_S) if goes_on else FIRST_PAUSE_S
        is_probe = goes_on and self._spent - self._spent_at_resume <= 1
        self.until, self._spent_at_resume = now + max(self._pause, least), self._spent
        if is_probe:  # one PDU cannot have been too fast: it says that the carrier has not recovered, and no more
            self._set_at = self.until
        else:
            self._fall(now, DECREASE)
        # When the pause is over one PDU leaves at once, to see how it fares; unless that were above the rate.
        self._tokens, self._filled = min(1.0, self._pause * (self._rate or 1)), self.until

    def _goes_on(self, now: float) -> bool:
        """Whether it is still as it was before the last pause."""
        few = self._spent - self._spent_at_resume <= 1 + self.now * ROUND_TRIP_S
        return bool(self._pause) and few and now - self.until < CALM_S

    def took(self) -> None:
        """The carrier took a PDU. If that left after the last pause, the next one is a first one again."""
        if self._spent > self._spent_at_resume:
            self._pause = 0.0

    def slow(self, now: float) -> None:
        """The carrier took a PDU, and says that it is near its end. It is heard once a second."""
        if now - self._fell >= METER_S and now >= self.until:
            self._fall(now, EASE)

    # ------------------------------------------------------------------------------------

    def _fall(self, now: float, to: float) -> None:
        peak = self.now if self._ceiling else min(self.now or math.inf, max(self._sent(now), SUPPOSED))
        if not self._ceiling:
            self._ceiling = self._rate or HEADROOM * peak
        self._step = peak / INCREASE_S
        self._fell, self._set_at = now, max(now, self.until)
        self._limit_to(max(peak * to, min(SLOWEST, self._ceiling)))
        self._tokens, self._filled = max(0.0, min(self._tokens, self._size)), now

    def _grow(self, now: float) -> None:
        if now - self._set_at < STEP_S:
            return None
        elapsed = now - self._set_at
        pace = self.now + self._step * elapsed
        self._step *= 2 ** (elapsed / INCREASE_S)
        self._set_at = now
        if pace < self._ceiling:
            return self._limit_to(pace)
        self._ceiling = self._pause = 0.0
        return self._limit_to(self._rate)

    def _limit_to(self, pace: float) -> None:
        self.now = pace
        self._size = max(1.0, pace * BURST_S)
        # What leaves in any second is a full bucket and what flows in meanwhile: together never more than the pace.
        self._flow = pace - self._size + 1 if pace > 1 else pace

    # --- what is sent -------------------------------------------------------------------

    def _sent(self, now: float) -> float:
        """PDUs per second over the last METER_S, which the second before this one shares in."""
        sent, elapsed = self._spent - self._spent_before, now - self._since
        return (self._before * max(0.0, METER_S - elapsed) + sent) / max(METER_S, elapsed)

    def _read_meter(self, now: float) -> None:
        self._before = (self._spent - self._spent_before) / (now - self._since)
        self._spent_before, self._since = self._spent, now
