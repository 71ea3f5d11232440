"""Which number of a pool is chosen: always the same for a person, of the person's country, and never a poor one."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import ids
from messagehub.numbers import Number
from messagehub.senders.pools import Pool, choose

PEOPLE = [f"+4420{n:08}" for n in range(2000)]


def number(target: str, registered_in: str = "") -> Number:
    return Number(
        id=ids.new(), customer_id="c", number=target, name="", detail="", message_flow_id="",
        registered_in=registered_in, tm_create=1,
    )  # fmt: skip


def pool(sticky: bool = True, prefer_country: bool = True) -> Pool:
    return Pool(
        id="p", customer_id="c", name="p", numbers="", sticky=sticky, prefer_country=prefer_country, tm_create=1
    )


@given(chance=st.floats(0, 0.999), place=st.integers(0, 1999))
def test_a_person_gets_the_same_number_whatever_the_order(chance: float, place: int) -> None:
    members = BRITISH
    first = choose(pool(), members, PEOPLE[place], 0.0)
    assert choose(pool(), members[::-1], PEOPLE[place], chance) == first


BRITISH = [number(f"+44740000000{n}") for n in range(5)]


def test_people_are_shared_and_few_move_when_a_number_goes() -> None:
    before = {to: choose(pool(), BRITISH, to, 0.0).id for to in PEOPLE}
    assert min(Counter(before.values()).values()) > len(PEOPLE) / 5 * 0.8
    gone, *left = BRITISH
    after = {to: choose(pool(), left, to, 0.0).id for to in PEOPLE}
    assert {to for to in PEOPLE if before[to] != after[to]} == {to for to in PEOPLE if before[to] == gone.id}


def test_what_is_not_sticky_is_drawn() -> None:
    drawn = Counter(choose(pool(sticky=False), BRITISH, PEOPLE[0], n / 100).id for n in range(100))
    assert set(drawn.values()) == {20}


def test_the_number_that_somebody_answered_to_comes_first() -> None:
    for one in BRITISH:
        assert choose(pool(), BRITISH, PEOPLE[0], 0.0, answered=one.number) == one
    poor = choose(pool(), BRITISH, PEOPLE[0], 0.0, passed_over=[BRITISH[0].number], answered=BRITISH[0].number)
    assert poor != BRITISH[0]


def test_poor_numbers_are_taken_only_where_there_are_no_others() -> None:
    poor = [one.number for one in BRITISH[1:]]
    assert {choose(pool(), BRITISH, to, 0.0, poor).number for to in PEOPLE[:50]} == {BRITISH[0].number}
    assert len({choose(pool(), BRITISH, to, 0.0, [*poor, BRITISH[0].number]).number for to in PEOPLE[:50]}) > 1


@pytest.mark.parametrize(
    ("to", "best"),
    [
        ("+14155550100", "+14155550001"),  # long numbers are best there
        ("+447400123456", "ACME"),
        ("+33612345678", "any"),
        ("+5511987654321", "12345"),  # a short code that is at home there
    ],
)
def test_numbers_of_the_country_come_first(to: str, best: str) -> None:
    members = [number("+14155550001"), number("+447400000001"), number("ACME", "GB"), number("12345", "BR")]
    chosen = choose(pool(), members, to, 0.0).number
    assert best in ("any", chosen)
    anywhere = pool(prefer_country=False)
    found = {choose(anywhere, members, f"{to[:-2]}{n}", 0.0).number for n in range(10, 99)}
    assert found == {member.number for member in members}
