from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.carriers import validity
from messagehub.clock import NEVER, SECOND

NOW = 1_800_000_000 * SECOND
moments = st.integers(NOW, NOW + 3600 * SECOND)
spans = st.integers(0, 7200)


@pytest.mark.parametrize(
    ("left", "longest", "seconds"),
    [
        (90 * SECOND, 0, 90),
        (90 * SECOND, 60, 60),
        (30 * SECOND, 60, 30),
        (NEVER, 60, 60),
        (2 * SECOND - 1, 0, 1),
        (SECOND // 2, 60, 1),
        (-SECOND, 60, 1),
    ],
)
def test_the_sooner_of_two_ends_counts_and_a_second_is_left(left: int, longest: int, seconds: int) -> None:
    expire_at = NOW + left if left < NEVER else NEVER
    assert validity.span(expire_at, NOW, longest) == timedelta(seconds=seconds)
    assert validity.end(expire_at, NOW, longest) == datetime.fromtimestamp(NOW // SECOND + seconds, UTC)


@given(moments, moments)
def test_a_message_ends_at_one_moment_whenever_it_is_asked_for(now: int, later: int) -> None:
    expire_at = NOW + 7200 * SECOND + SECOND // 3
    assert validity.end(expire_at, now) == validity.end(expire_at, later)


@given(moments, moments, spans)
def test_a_carrier_never_tries_longer_than_the_message_lasts(now: int, expire_at: int, longest: int) -> None:
    least = now + SECOND
    for end in (
        now + validity.span(expire_at, now, longest) // timedelta(microseconds=1),
        int(validity.end(expire_at, now, longest).timestamp()) * SECOND,
    ):
        assert end <= max(least, expire_at)
        assert not longest or end <= max(least, now + longest * SECOND)
