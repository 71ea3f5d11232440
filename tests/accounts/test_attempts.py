"""Failed logins: who waits, how long, and whom nobody can make wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.accounts.attempts import FORGOTTEN_AFTER, FREE_PER_ADDRESS, FREE_PER_NAME, LONGEST_PAUSE, Attempts
from messagehub.clock import SECOND

HERE, THERE = "192.0.2.1", "192.0.2.2"


def fail(attempts: Attempts, times: int, address: str = HERE, username: str = "anne", now: int = 0) -> None:
    for _ in range(times):
        attempts.failed(address, username, now)


def test_some_failures_are_free_then_the_pauses_grow() -> None:
    attempts = Attempts()
    fail(attempts, FREE_PER_NAME - 1)
    assert attempts.wait(HERE, "anne", 0) == 0
    pauses = []
    for _ in range(12):
        fail(attempts, 1)
        pauses.append(attempts.wait(HERE, "anne", 0) // SECOND)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_a_pause_ends() -> None:
    attempts = Attempts()
    fail(attempts, FREE_PER_NAME + 3, now=5)
    assert attempts.wait(HERE, "anne", 5 + 8 * SECOND - 1) == 1
    assert attempts.wait(HERE, "anne", 5 + 8 * SECOND) == 0


def test_the_owner_gets_in_from_elsewhere() -> None:
    attempts = Attempts()
    fail(attempts, 100)
    assert attempts.wait(HERE, "anne", 0) == LONGEST_PAUSE
    assert attempts.wait(THERE, "anne", 0) == 0


def test_the_owners_success_elsewhere_does_not_free_the_guesser() -> None:
    attempts = Attempts()
    fail(attempts, FREE_PER_NAME)
    attempts.succeeded(THERE, "anne")
    assert attempts.wait(HERE, "anne", 0) > 0


def test_a_success_clears_what_this_address_has_failed_for_this_name() -> None:
    attempts = Attempts()
    fail(attempts, FREE_PER_NAME - 1)
    attempts.succeeded(HERE, "anne")
    fail(attempts, FREE_PER_NAME - 1)
    assert attempts.wait(HERE, "anne", 0) == 0


def test_an_address_that_tries_many_names_waits_for_all_of_them() -> None:
    attempts = Attempts()
    for n in range(FREE_PER_ADDRESS):
        assert attempts.wait(HERE, "bert", 0) == 0
        fail(attempts, 1, username=f"name {n}")
    assert attempts.wait(HERE, "bert", 0) == SECOND
    assert attempts.wait(THERE, "bert", 0) == 0


def test_an_account_of_ones_own_is_no_way_to_try_more() -> None:
    attempts = Attempts()
    for n in range(FREE_PER_ADDRESS):
        fail(attempts, 1, username=f"name {n}")
        attempts.succeeded(HERE, "mallory")
    assert attempts.wait(HERE, "anne", 0) > 0


def test_old_failures_are_forgotten() -> None:
    attempts = Attempts()
    fail(attempts, 50)
    fail(attempts, 1, now=FORGOTTEN_AFTER)
    assert attempts.wait(HERE, "anne", FORGOTTEN_AFTER) == 0


@given(failures=st.integers(0, 10_000), back=st.integers(0, 10**15))
def test_nobody_waits_longer_than_the_longest_pause_however_the_clock_is_set(failures: int, back: int) -> None:
    attempts = Attempts()
    fail(attempts, min(failures, 60), now=10**15)
    assert 0 <= attempts.wait(HERE, "anne", 10**15 - back) <= LONGEST_PAUSE


@pytest.mark.parametrize("names", [True, False])
def test_memory_is_bounded(names: bool) -> None:
    attempts = Attempts(size=100)
    for n in range(1000):
        attempts.failed(HERE if names else str(n), str(n), 0)
    assert len(attempts._of_name) <= 100
    assert len(attempts._of_address) <= 100
