"""Token buckets: a law about any sequence of requests, and a bound on what is remembered."""

from hypothesis import given
from hypothesis import strategies as st

from messagehub.accounts.buckets import Buckets
from messagehub.clock import SECOND


def test_a_burst_then_the_rate() -> None:
    buckets = Buckets(rate=2, burst=3)
    assert [buckets.take("a", 0) for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a", 0) == SECOND / 2
    assert buckets.take("a", SECOND // 2 - 1) == 1
    assert buckets.take("a", SECOND // 2) == 0
    assert buckets.take("a", SECOND // 2) > 0
    assert buckets.take("b", 0) == 0
    assert [buckets.take("a", 60 * SECOND) for _ in range(4)] == [0, 0, 0, SECOND / 2]


def test_a_refusal_costs_nothing() -> None:
    buckets = Buckets(rate=1, burst=1)
    assert buckets.take("a", 0) == 0
    assert {buckets.take("a", 10) for _ in range(100)} == {SECOND - 10}
    assert buckets.take("a", SECOND) == 0


def test_less_than_one_a_second() -> None:
    buckets = Buckets(rate=0.1, burst=1)
    assert buckets.take("a", 0) == 0
    assert buckets.take("a", SECOND) == 9 * SECOND


@given(
    rate=st.sampled_from([0.5, 1, 10, 250]),
    burst=st.integers(1, 20),
    pauses=st.lists(st.integers(0, 3 * SECOND), max_size=200),
)
def test_in_no_span_of_time_is_more_taken_than_burst_and_rate_give(rate: float, burst: int, pauses: list[int]) -> None:
    buckets, now, taken = Buckets(rate, burst), 0, []
    for pause in pauses:
        now += pause
        if not buckets.take("a", now):
            taken.append(now)
    for first, begin in enumerate(taken):
        for last, end in enumerate(taken[first:], first):
            assert last - first + 1 <= burst + rate * (end - begin) / SECOND + 1e-6


@given(rate=st.sampled_from([0.5, 1, 10]), burst=st.integers(1, 5), asked=st.integers(1, 20))
def test_who_waits_as_long_as_told_gets_in(rate: float, burst: int, asked: int) -> None:
    buckets = Buckets(rate, burst)
    for _ in range(burst + asked):
        wait = buckets.take("a", 0)
    assert buckets.take("a", int(wait) + 1) == 0


def test_a_clock_that_is_set_back_keeps_nobody_for_long() -> None:
    buckets = Buckets(rate=1, burst=2)
    for _ in range(2):
        buckets.take("a", 3600 * SECOND)
    assert buckets.take("a", 0) <= SECOND


def test_memory_is_bounded_and_forgets_who_has_lost_least() -> None:
    buckets = Buckets(rate=1, burst=10, size=100)
    for _ in range(10):
        buckets.take("greedy", 0)
    for n in range(10_000):
        buckets.take(n, 0)
        assert len(buckets) <= 100
    assert buckets.take("greedy", 0) > 0


def test_full_buckets_are_forgotten_first() -> None:
    buckets = Buckets(rate=1, burst=10, size=100)
    for n in range(100):
        buckets.take(n, 0)
    buckets.take("late", 2 * SECOND)
    assert len(buckets) == 1
