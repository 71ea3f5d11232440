import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import clock, ids
from messagehub.clock import NEVER, SECOND

MILLISECOND = 1000


def test_ids_sort_in_the_order_of_their_making_and_none_comes_twice() -> None:
    made = [ids.new() for _ in range(5000)]
    assert made == sorted(set(made))


def test_an_id_is_a_uuid_of_version_7() -> None:
    made = ids.new()
    assert ids.is_id(made)
    assert made[14] == "7"
    assert made[19] in "89ab"


AN_ID = "01a1ff36-6898-71e6-ab23-09c848de0a1b"
NO_IDS = [
    "",
    "x",
    AN_ID.upper(),
    AN_ID.replace("-", ""),
    AN_ID + "\n",
    "{" + AN_ID + "}",
    AN_ID[:-1],
]


@pytest.mark.parametrize("text", NO_IDS)
def test_no_other_form_is_an_id(text: str) -> None:
    assert not ids.is_id(text)


def test_what_is_unset_has_the_form_of_an_id() -> None:
    assert ids.is_id(ids.UNSET)


def test_an_id_and_its_moment_lie_in_the_same_millisecond() -> None:
    before = clock.now()
    for _ in range(200):
        made, moment = ids.new_with_time()
        assert before <= moment <= clock.now()
        assert ids.first_of(moment) <= made < ids.first_of(moment + MILLISECOND)


@given(one=st.integers(-SECOND, NEVER), other=st.integers(-SECOND, NEVER))
def test_bounds_sort_as_their_moments_do(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert ids.first_of(low) <= ids.first_of(high)
    if high - low >= MILLISECOND and high >= MILLISECOND:
        assert ids.first_of(low) < ids.first_of(high)


def test_a_bound_divides_what_was_made_before_from_what_was_made_after() -> None:
    old, moment = ids.new_with_time()
    bound = ids.first_of(moment + MILLISECOND)
    while clock.now() < moment + 2 * MILLISECOND:
        pass
    assert old < bound <= ids.new()
