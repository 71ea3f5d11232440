"""The pace of a carrier: never above its rate, less while it is throttled, and back again."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from messagehub.carriers.pace import Pace


def departures(rate: float, seconds: float, step: float) -> list[float]:
    """When PDUs leave, if there are always some and the clock is looked at every `step` seconds at most."""
    pace, now, left = Pace(rate), 1000.0, []
    while now < 1000 + seconds:
        for _ in range(pace.allows(now)):
            pace.spend()
            left.append(now)
        now += max(min(pace.pause(now), step), 1e-4)
    return left


@settings(deadline=None)
@given(rate=st.integers(1, 300), step=st.floats(0.001, 0.3))
def test_never_more_in_any_second_than_the_rate(rate: int, step: float) -> None:
    left = departures(rate, 3, step)
    assert all(later - now > 1 - 1e-6 for now, later in zip(left, left[rate:], strict=False))


@settings(deadline=None)
@given(rate=st.integers(1, 300))
def test_and_hardly_less(rate: int) -> None:
    assert len(departures(rate, 10, 0.01)) >= 0.85 * rate * 10 - 1


def test_less_than_one_in_a_second() -> None:
    left = departures(0.5, 9, 1)
    assert len(left) in (4, 5)
    assert all(later - now > 2 - 1e-6 for now, later in pairwise(left))


def test_a_rate_of_none_is_no_limit() -> None:
    pace = Pace(0)
    for _ in range(1000):
        pace.spend()
    assert pace.allows(0) > 10_000
    assert pace.pause(0) == 0
