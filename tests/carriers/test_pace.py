"""The pace of a carrier: never above its rate, less while it is throttled, and back again."""

from collections import deque
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messagehub.carriers.pace import FIRST_PAUSE_S, LONGEST_PAUSE_S, SLOWEST, Pace

BEGIN = 1000.0


def departures(
    rate: float, seconds: float, step: float, throttles: list[float] | None = None, eased: list[float] | None = None
) -> list[float]:
    """When PDUs leave, if there are always some, the clock is looked at every `step` seconds at most, and the carrier
    throttles, or warns, at these seconds."""
    pace, now, left = Pace(rate), BEGIN, []
    hears: list[tuple[float, Callable[[float], None]]] = [(BEGIN + at, pace.throttle) for at in throttles or []]
    said = sorted(hears + [(BEGIN + at, pace.slow) for at in eased or []], key=lambda one: one[0])
    while now < BEGIN + seconds:
        while said and said[0][0] <= now:
            said.pop(0)[1](now)
        for _ in range(min(pace.allows(now), 2000)):
            pace.spend()
            left.append(now)
        now += max(min(pace.pause(now), step), 1e-4)
    return left


MOMENTS = st.lists(st.floats(0, 6), max_size=8)


@settings(deadline=None)
@given(rate=st.integers(1, 300), step=st.floats(0.001, 0.3), throttles=MOMENTS, eased=MOMENTS)
def test_never_more_in_any_second_than_the_rate(
    rate: int, step: float, throttles: list[float], eased: list[float]
) -> None:
    left = departures(rate, 6, step, throttles, eased)
    assert all(later - now > 1 - 1e-6 for now, later in zip(left, left[rate:], strict=False))


@settings(deadline=None)
@given(rate=st.integers(1, 300))
def test_and_hardly_less(rate: int) -> None:
    assert len(departures(rate, 10, 0.01)) >= 0.85 * rate * 10 - 1


@pytest.mark.parametrize("throttles", [[], [0.1, 2.3]])
def test_less_than_one_in_a_second(throttles: list[float]) -> None:
    left = departures(0.5, 30, 0.05, throttles)
    assert len(left) >= 13 - 3 * len(throttles)
    assert all(later - now > 2 - 1e-6 for now, later in pairwise(left))


def test_a_rate_of_none_is_no_limit() -> None:
    pace = Pace(0)
    for _ in range(1000):
        pace.spend()
    assert pace.allows(0) > 10_000
    assert pace.pause(0) == 0


# --- throttled


def test_nothing_leaves_in_a_pause_and_half_as_much_after_it() -> None:
    left = departures(100, 4, 0.01, [2.0])
    assert [at for at in left if BEGIN + 2.01 < at < BEGIN + 2.0 + FIRST_PAUSE_S] == []
    assert 42 <= len([at for at in left if BEGIN + 3 <= at < BEGIN + 4]) <= 60


def test_without_a_rate_it_falls_to_half_of_what_was_sent() -> None:
    pace = Pace(0)
    for n in range(400):
        assert pace.allows(BEGIN + n / 100) > 0
        pace.spend()
    pace.throttle(BEGIN + 4)
    assert pace.now == pytest.approx(50, rel=0.1)
    assert pace.allows(BEGIN + 4.5) == 0
    assert pace.pause(BEGIN + 4.5) == pytest.approx(FIRST_PAUSE_S - 0.5)


def test_the_refusals_of_one_burst_count_once() -> None:
    pace = Pace(100)
    pace.allows(BEGIN)
    for _ in range(10):
        pace.throttle(BEGIN + 0.1)
    once = Pace(100)
    once.allows(BEGIN)
    once.throttle(BEGIN + 0.1)
    assert (pace.now, pace.until) == (once.now, once.until)
    assert pace.throttled == 10


def test_the_pause_grows_while_it_goes_on_and_no_longer() -> None:
    pace, now, pauses = Pace(100), BEGIN, []
    for _ in range(10):
        now += pace.pause(now)
        pace.spend()
        pace.throttle(now)
        pauses.append(pace.until - now)
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60, 60])
    now = pace.until
    for _ in range(3):  # it takes some: all is well again
        now += max(pace.pause(now), 1)
        pace.spend()
    pace.throttle(now)
    assert pace.until - now == pytest.approx(FIRST_PAUSE_S)


def test_the_pause_is_a_first_one_again_when_something_was_taken_after_it() -> None:
    """As of a carrier that refuses one message again and again, and takes the others."""
    pace, now, pauses = Pace(100), BEGIN, []
    for _ in range(4):
        for _ in range(3):
            now += pace.pause(now)
            pace.spend()
            pace.throttle(now)
            pace.took()  # the answer to what left before the pause
            pauses.append(pace.until - now)
        now += pace.pause(now)
        pace.spend()
        pace.took()
    assert pauses == pytest.approx([1, 2, 4] * 4)


def test_one_pdu_that_is_throttled_after_a_pause_lengthens_the_pause_and_slows_nothing() -> None:
    pace = Pace(100)
    pace.allows(BEGIN)
    pace.throttle(BEGIN)
    slowed, first = pace.now, pace.until
    pace.allows(first)
    pace.spend()
    pace.throttle(first)
    assert pace.now == slowed < 100
    assert pace.until - first == pytest.approx(2 * FIRST_PAUSE_S)


@settings(deadline=None)
@given(rate=st.sampled_from([0, 0.5, 3, 50, 1000]), throttles=st.lists(st.floats(0, 30), min_size=1, max_size=40))
def test_nothing_waits_for_ever_and_all_recovers(rate: float, throttles: list[float]) -> None:
    pace, now = Pace(rate), BEGIN
    for at in sorted(throttles):
        now = max(now, BEGIN + at)
        pace.allows(now)
        pace.throttle(now)
        assert pace.pause(now) <= LONGEST_PAUSE_S + 1 / SLOWEST
    end = now + LONGEST_PAUSE_S + 400
    while now < end:
        pace.allows(now)
        now += 0.5
    assert pace.now == rate


class Limited:
    """A carrier that takes so many PDUs in any second and refuses the others; each answer takes `round_trip`."""

    def __init__(self, limit: int, round_trip: float) -> None:
        self.limit, self.round_trip = limit, round_trip
        self.taken: deque[float] = deque()
        self.flying: deque[tuple[float, bool]] = deque()
        self.count = {True: 0, False: 0}

    def submit(self, now: float) -> None:
        while self.taken and self.taken[0] <= now - 1:
            self.taken.popleft()
        good = len(self.taken) < self.limit
        if good:
            self.taken.append(now)
        self.count[good] += 1
        self.flying.append((now + self.round_trip, good))


@pytest.mark.parametrize("rate", [0, 10, 400])
@pytest.mark.parametrize("limit", [1, 7, 50])
@pytest.mark.parametrize("round_trip", [0.005, 0.2])
def test_a_carrier_gets_most_of_what_it_can_take_and_little_more(rate: float, limit: int, round_trip: float) -> None:
    carrier, pace, now = Limited(limit, round_trip), Pace(rate), BEGIN
    seconds = 120
    while now < BEGIN + seconds:
        while carrier.flying and carrier.flying[0][0] <= now:
            if not carrier.flying.popleft()[1]:
                pace.throttle(now)
        for _ in range(min(pace.allows(now), 10 - len(carrier.flying))):
            pace.spend()
            carrier.submit(now)
        now += 0.01
    possible = min(limit, rate or limit, 10 / round_trip)
    assert carrier.count[True] >= 0.45 * possible * seconds
    assert carrier.count[False] <= 1.5 * seconds


def test_a_word_of_warning_slows_without_a_pause_and_once_a_second() -> None:
    left = departures(100, 3, 0.01, eased=[1.0, 1.1, 1.2])
    assert len([at for at in left if at < BEGIN + 1]) >= 85
    assert 75 <= len([at for at in left if BEGIN + 1 <= at < BEGIN + 2]) <= 96
    pace = Pace(0)
    for n in range(300):
        pace.allows(BEGIN + n / 100)
        pace.spend()
    pace.slow(BEGIN + 3)
    assert pace.now == pytest.approx(90, rel=0.1)
    assert pace.pause(BEGIN + 3) < 0.05


# --- shares -----------------------------------------------------------------------------


@settings(deadline=None)
@given(
    rate=st.integers(1, 300),
    step=st.floats(0.001, 0.3),
    moves=st.lists(st.tuples(st.floats(0, 6), st.booleans()), max_size=8),
)
def test_shares_that_move_keep_the_rate_together(rate: int, step: float, moves: list[tuple[float, bool]]) -> None:
    """Two nodes, four binds. What is not whole of a share may make one PDU more of each node."""
    binds, now, left = [2, 2], BEGIN, []
    paces = [Pace(rate), Pace(rate)]
    for pace in paces:
        pace.share(rate / 2, now)
    to_come = sorted(moves)
    while now < BEGIN + 6:
        while to_come and BEGIN + to_come[0][0] <= now:
            giver = int(to_come.pop(0)[1])
            if binds[giver] > 1:
                binds[giver], binds[1 - giver] = binds[giver] - 1, binds[1 - giver] + 1
                for node in (giver, 1 - giver):
                    paces[node].share(rate * binds[node] / 4, now)
        for pace in paces:
            for _ in range(min(pace.allows(now), 2000)):
                pace.spend()
                left.append(now)
        now += max(min(*(pace.pause(now) for pace in paces), step), 1e-4)
    assert all(later - now > 1 - 1e-6 for now, later in zip(left, left[rate + len(paces) :], strict=False))


def test_a_share_that_grows_after_a_refusal_grows_with_the_carrier() -> None:
    pace = Pace(100)
    pace.share(50, BEGIN)
    pace.throttle(BEGIN)
    slow = pace.now
    pace.share(100, BEGIN)
    assert pace.now == pytest.approx(2 * slow)
    assert pace.allows(BEGIN) == 0
