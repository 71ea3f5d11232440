"""A short form of the fuzzing; the long one is `python -m tests.smpp.fuzz`."""

import pytest

from tests.smpp.fuzz import MOST_GROWTH, growth


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_pdus_break_nothing_and_leave_nothing_behind(seed: int) -> None:
    assert growth(seed, 3000) < MOST_GROWTH
