"""How much of a limit is used: never more than it allows in any time, nobody left without a time, and in order."""

import bisect
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.clock import SECOND, parse
from messagehub.messages.lanes import MARKETING, OTP, TRANSACTIONAL
from messagehub.messages.meters import DAILY_LIMIT, RATE_LIMITED, TOLERANCE, Meter, Rule, midnight_after

START = parse("2026-03-01T12:00:00Z")


@dataclass(order=True)
class Waiting:
    at: int
    n: int
    parts: int
    is_again: bool = False
    lane: int = TRANSACTIONAL


@dataclass
class Line:
    """Those who wait for a limit, as rows do: each asks at its time, and gets another where it may not go."""

    rule: Rule
    meter: Meter = field(default_factory=lambda: Meter("x"))
    waiting: list[Waiting] = field(default_factory=list)
    gone: list[tuple[int, int, int]] = field(default_factory=list)
    """When, who, and how many segments."""
    asked: int = 0

    def come(self, now: int, n: int, parts: int = 1, lane: int = TRANSACTIONAL) -> None:
        bisect.insort(self.waiting, Waiting(now, n, parts, lane=lane))

    def claim(self, now: int, room: int = 1000) -> None:
        self.meter.begin(self.rule, now)
        due = [one for one in self.waiting if one.at <= now][:room]
        for one in sorted(due, key=lambda one: -one.lane):
            self.waiting.remove(one)
            self.asked += 1
            if why := self.meter.why_not(self.rule, one.parts, now, one.lane, one.is_again):
                one.at = self.meter.slot(self.rule, one.parts, now, why, one.lane, one.is_again)
                assert one.at > now
                one.is_again = True
                bisect.insort(self.waiting, one)
            else:
                self.meter.take(self.rule, one.parts, now, one.lane)
                self.gone.append((now, one.n, one.parts))

    def run(self, until: int, now: int = START) -> None:
        """Whenever somebody is due."""
        while self.waiting and (now := max(now, self.waiting[0].at)) < until:
            self.claim(now)

    def most_within(self, span: int) -> int:
        """The most segments that went within any span of time, but for those of the last one to go."""
        return max(
            (sum(parts for at, _, parts in self.gone if begun <= at <= begun + span) for begun, _, _ in self.gone),
            default=0,
        )


@given(
    rate=st.integers(200, 50_000),
    gaps=st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 6)), min_size=1, max_size=60),
    away=st.integers(0, 20 * SECOND),
)
def test_never_more_than_the_rate_and_a_burst_whenever_it_is_claimed(
    rate: int, gaps: list[tuple[int, int]], away: int
) -> None:
    """Messages of up to six segments, claims at any time, and a carrier that is away for a while."""
    line, now = Line(Rule(rate, 0, "UTC")), START
    for n, (gap, parts) in enumerate(gaps):
        line.come(now, n, parts)
        line.come(now, n + 1000, 1, OTP if n % 3 else MARKETING)
        now += gap
        line.claim(now)
        if n == len(gaps) // 2:
            now += away
            line.claim(now)
    line.run(now + 4000 * SECOND, now)
    assert not line.waiting
    for span in (0, SECOND // 2, SECOND, 10 * SECOND):
        burst = rate / 1000 * TOLERANCE / SECOND + 1
        longest = 6 - 1
        assert line.most_within(span) <= rate / 1000 * span / SECOND + burst + longest


@given(rate=st.integers(500, 20_000), sizes=st.lists(st.integers(1, 10), min_size=2, max_size=100))
def test_who_waits_goes_in_order_and_at_the_full_rate(rate: int, sizes: list[int]) -> None:
    line = Line(Rule(rate, 0, "UTC"))
    for n, parts in enumerate(sizes):
        line.come(START, n, parts)
    line.run(START + 10_000 * SECOND)
    assert [n for _, n, _ in line.gone] == list(range(len(sizes)))
    last = line.gone[-1][0]
    assert last - START <= sum(sizes[:-1]) * 1000 * SECOND / rate + len(sizes)
    assert line.asked <= 2 * len(sizes)


def test_who_comes_new_does_not_overtake() -> None:
    line = Line(Rule(1000, 0, "UTC"))
    for n in range(3):
        line.come(START, n)
    line.claim(START)
    line.come(START + 950_000, 3)
    line.claim(START + 950_000)
    line.run(START + 100 * SECOND)
    assert [n for _, n, _ in line.gone] == [0, 1, 2, 3]


def test_after_a_pause_those_whose_slots_have_passed_go_before_those_who_come_new() -> None:
    line = Line(Rule(1000, 0, "UTC"))
    for n in range(20):
        line.come(START, n)
    line.claim(START)
    now = START + 10 * SECOND
    line.come(now, 100)
    line.run(now + 100 * SECOND, now)
    assert len(line.gone) == 21
    assert line.gone[-1][1] == 100
    assert line.most_within(5 * SECOND) <= 7


@given(rate=st.integers(200, 50_000), moment=st.integers(0, 60 * SECOND), parts=st.integers(1, 10))
def test_a_code_is_the_next_to_go_however_many_of_a_campaign_wait(rate: int, moment: int, parts: int) -> None:
    line, codes = Line(Rule(rate, 0, "UTC")), range(10_000, 10_003)
    for n in range(500):
        line.come(START, n, parts, MARKETING)
    line.run(at := START + moment)
    for n in codes:
        line.come(at, n, 1, OTP)
    line.run(at + 5000 * 1000 * SECOND, at)
    longest = (parts + len(codes)) * 1000 * SECOND // rate
    assert all(when - at <= longest + TOLERANCE + 1 for when, n, _ in line.gone if n in codes)
    assert len(line.gone) == 500 + len(codes)


@given(rate=st.integers(500, 20_000))
def test_a_flood_of_codes_leaves_a_campaign_one_segment_in_ten(rate: int) -> None:
    line = Line(Rule(rate, 0, "UTC"))
    for n in range(300):
        line.come(START, n, 1, MARKETING)
        line.come(START, n + 1000, 1, OTP)
    line.run(START + 10_000 * SECOND)
    gone = [n for _, n, _ in line.gone]
    while_both_wait = gone[: gone.index(1299)]
    assert 0.08 <= sum(n < 1000 for n in while_both_wait) / len(while_both_wait) <= 0.15
    assert len(gone) == 600
    assert line.gone[-1][0] - START <= 1.05 * 600 * 1000 * SECOND / rate + SECOND
    assert line.asked <= 5 * len(gone)


def test_slots_of_all_lanes_are_in_the_row() -> None:
    rule, meter = Rule(1000, 0, "UTC"), Meter("x")
    meter.begin(rule, START)
    for lane in (OTP, MARKETING, MARKETING, OTP):
        if why := meter.why_not(rule, 1, START, lane):
            meter.slot(rule, 1, START, why, lane)
        else:
            meter.take(rule, 1, START, lane)
    row = (meter.limit_id, meter.free_at, meter.again_at, meter.last_at, meter.day_ends, meter.used, meter.lanes)
    again = Meter(*row)
    assert again == meter
    assert set(again.slots) == {OTP, MARKETING}
    assert again.last_at == again.slots[MARKETING].last_at


def test_a_day_has_so_many_and_the_next_day_goes_on() -> None:
    line = Line(Rule(0, 3, "America/Los_Angeles"))
    for n in range(7):
        line.come(START, n)
    line.run(START + 3 * 86_400 * SECOND)
    begins = [parse("2026-03-02T08:00:00Z"), parse("2026-03-03T08:00:00Z")]  # midnight Pacific
    assert [at for at, _, _ in line.gone[:3]] == [START] * 3
    for (at, _, _), begun in zip(line.gone[3:], [begins[0]] * 3 + [begins[1]], strict=True):
        assert begun <= at < begun + SECOND
    assert [n for _, n, _ in line.gone] == list(range(7))


def test_more_than_a_whole_day_goes_when_nothing_went_before() -> None:
    rule, meter = Rule(0, 3, "UTC"), Meter("x")
    meter.begin(rule, START)
    assert meter.why_not(rule, 5, START) == ""
    meter.take(rule, 5, START)
    assert meter.why_not(rule, 1, START) == DAILY_LIMIT


def test_what_is_limited_says_by_what() -> None:
    rule, meter = Rule(1000, 2, "UTC"), Meter("x")
    meter.begin(rule, START)
    meter.take(rule, 1, START)
    assert meter.why_not(rule, 1, START) == RATE_LIMITED
    assert meter.why_not(rule, 2, START + SECOND) == DAILY_LIMIT
    assert meter.why_not(rule, 1, START + SECOND) == ""


def test_a_clock_that_is_set_back_stops_nobody() -> None:
    rule, meter = Rule(1000, 0, "UTC"), Meter("x")
    meter.begin(rule, START)
    meter.take(rule, 1, START)
    before = START - 3600 * SECOND
    meter.begin(rule, before)
    assert meter.free_at <= before + 256 * SECOND


@pytest.mark.parametrize(
    ("now", "zone", "then"),
    [
        ("2026-03-01T12:00:00Z", "UTC", "2026-03-02T00:00:00Z"),
        ("2026-03-01T23:59:59.999999Z", "UTC", "2026-03-02T00:00:00Z"),
        ("2026-03-08T12:00:00Z", "America/Los_Angeles", "2026-03-09T07:00:00Z"),  # the day that loses an hour
        ("2026-11-01T12:00:00Z", "America/Los_Angeles", "2026-11-02T08:00:00Z"),
        ("2026-03-01T17:00:00Z", "Asia/Seoul", "2026-03-02T15:00:00Z"),
    ],
)
def test_midnights(now: str, zone: str, then: str) -> None:
    assert midnight_after(parse(now), zone) == parse(then)
