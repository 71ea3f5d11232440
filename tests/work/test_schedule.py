import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.clock import SECOND
from messagehub.messages import send
from messagehub.webhooks import deliver
from messagehub.work.schedule import JITTER, next_attempt

NOW = 1_800_000_000 * SECOND
PAUSES = (5, 30, 300)


@pytest.mark.parametrize(("attempts", "pause"), [(1, 5), (2, 30), (3, 300)])
def test_the_nth_failure_is_followed_by_the_nth_pause(attempts: int, pause: int) -> None:
    assert next_attempt(PAUSES, attempts, NOW, 0.5) == NOW + pause * SECOND


def test_its_end_is_the_end() -> None:
    assert next_attempt(PAUSES, 4, NOW, 0.5) is None
    assert next_attempt((), 1, NOW, 0.5) is None


@given(attempts=st.integers(1, 3), chance=st.floats(0, 1, exclude_max=True))
def test_a_pause_varies_by_its_share_and_never_more(attempts: int, chance: float) -> None:
    due = next_attempt(PAUSES, attempts, NOW, chance)
    assert due
    pause = PAUSES[attempts - 1] * SECOND
    assert pause * (1 - JITTER) - 1 <= due - NOW <= pause * (1 + JITTER)


@given(attempts=st.integers(1, 3), low=st.floats(0, 0.49), high=st.floats(0.51, 1, exclude_max=True))
def test_what_failed_together_does_not_come_back_together(attempts: int, low: float, high: float) -> None:
    early, late = (next_attempt(PAUSES, attempts, NOW, chance) for chance in (low, high))
    assert early
    assert late
    assert early < late


@pytest.mark.parametrize("schedule", [send.RETRY_AFTER, deliver.RETRY_AFTER], ids=["sending", "webhooks"])
def test_the_pauses_grow(schedule: tuple[int, ...]) -> None:
    assert list(schedule) == sorted(schedule)


def test_webhooks_are_tried_for_a_day_and_handovers_for_two_hours() -> None:
    assert sum(deliver.RETRY_AFTER) == pytest.approx(24 * 3600, rel=0.03)
    assert sum(send.RETRY_AFTER) == pytest.approx(2 * 3600, rel=0.1)
