"""Which carriers a target goes to, and in which order."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import clock
from messagehub.carriers.book import Carriers
from messagehub.routing import Route, Routes, Table, why
from messagehub.sealing import Sealer
from messagehub.store import Store

MINE, THEIRS = "me", "them"


def route(id: str, prefix: str = "", priority: int = 1, weight: int = 1, customer_id: str = "") -> Route:
    return Route(
        id=id, prefix=prefix, carrier_id=f"carrier {id}", priority=priority, weight=weight, customer_id=customer_id
    )


def never() -> float:
    raise AssertionError("there is nothing to draw")


def order(routes: Sequence[Route], destination: str, chance: Callable[[], float] = never) -> str:
    return "".join(chosen.id for chosen in Table(routes).choose(destination, MINE, chance))


CASES = [  # label, routes, destination, order
    ("no routes", [], "+4420", ""),
    ("an empty prefix matches all", [route("a")], "+4420", "a"),
    ("another prefix", [route("a", "1")], "+4420", ""),
    ("the longest prefix first", [route("a"), route("b", "442"), route("c", "44")], "+4420", "bca"),
    ("the whole number", [route("a", "44"), route("b", "4420")], "+4420", "ba"),
    ("a prefix longer than the number", [route("a", "44200"), route("b", "44")], "+4420", "b"),
    ("all fifteen digits", [route("a", "123456789012345"), route("b")], "+123456789012345", "ab"),
    ("own before general", [route("a"), route("b", customer_id=MINE)], "+4420", "ba"),
    ("another's is no route", [route("a"), route("b", customer_id=THEIRS)], "+4420", "a"),
    ("the prefix counts before the owner", [route("a", "44"), route("b", customer_id=MINE)], "+4420", "ab"),
    ("the lowest priority first", [route("a", priority=2), route("b", priority=0), route("c")], "+4420", "bca"),
    (
        "the owner counts before the priority",
        [route("a", priority=0), route("b", priority=9, customer_id=MINE)],
        "+4420",
        "ba",
    ),
    ("only another's at the longest prefix", [route("a"), route("b", "44", customer_id=THEIRS)], "+4420", "a"),
]


@pytest.mark.parametrize(("routes", "destination", "expected"), [row[1:] for row in CASES], ids=[r[0] for r in CASES])
def test_order(routes: list[Route], destination: str, expected: str) -> None:
    assert order(routes, destination) == expected
    first = Table(routes).first(destination, MINE, never)
    assert (first.id if first else "") == expected[:1]


# --- shares


def test_equals_share_by_weight() -> None:
    table = Table([route("a", weight=1), route("b", weight=3), route("c", weight=6)])
    chance = random.Random(7).random
    firsts = Counter(found.id for _ in range(10_000) if (found := table.first("+4420", MINE, chance)))
    for id, share in {"a": 0.1, "b": 0.3, "c": 0.6}.items():
        assert firsts[id] / 10_000 == pytest.approx(share, abs=0.02)


def test_the_failover_shares_by_weight_as_well() -> None:
    table = Table([route("a", weight=1), route("b", weight=3), route("c", weight=1_000_000)])
    chance = random.Random(7).random
    orders = Counter("".join(found.id for found in table.choose("+4420", MINE, chance)) for _ in range(2000))
    assert orders["cba"] / (orders["cba"] + orders["cab"]) == pytest.approx(0.75, abs=0.03)
    assert orders["cba"] + orders["cab"] > 1990


@pytest.mark.parametrize(("chance", "expected"), [(0.0, "ab"), (0.2499, "ab"), (0.25, "ba"), (1 - 2**-53, "ba")])
def test_the_ends_of_chance(chance: float, expected: str) -> None:
    assert order([route("a", weight=1), route("b", weight=3)], "+4420", lambda: chance) == expected


# --- laws

DIGITS = st.text("12", max_size=4)
ROUTES = st.lists(
    st.builds(
        lambda prefix, priority, weight, owner: (prefix, priority, weight, owner),
        DIGITS,
        st.integers(0, 2),
        st.integers(1, 1_000_000),
        st.sampled_from(["", MINE, THEIRS]),
    ),
    max_size=12,
).map(lambda rows: [route(str(n), *row) for n, row in enumerate(rows)])
CHANCE = st.one_of(st.floats(0, 1, exclude_max=True), st.just(1 - 2**-53))


@given(routes=ROUTES, number=DIGITS, chance=CHANCE)
def test_the_order_is_a_permutation_of_the_routes_that_match(routes: list[Route], number: str, chance: float) -> None:
    chosen = Table(routes).choose(f"+9{number}", MINE, lambda: chance)
    assert all(found.prefix == "" for found in chosen)
    chosen = Table(routes).choose(f"+{number}", MINE, lambda: chance)
    matching = [r.id for r in routes if number.startswith(r.prefix) and r.customer_id in ("", MINE)]
    assert sorted(found.id for found in chosen) == sorted(matching)


@given(routes=ROUTES, number=DIGITS, chance=CHANCE)
def test_the_order_goes_by_prefix_then_owner_then_priority(routes: list[Route], number: str, chance: float) -> None:
    def rank(found: Route) -> tuple[int, bool, int]:
        return -len(found.prefix), found.customer_id == "", found.priority

    chosen = Table(routes).choose(f"+{number}", MINE, lambda: chance)
    assert all(rank(one) <= rank(other) for one, other in pairwise(chosen))


@given(routes=ROUTES, number=DIGITS, seed=st.integers())
def test_the_first_choice_is_that_of_the_whole_order(routes: list[Route], number: str, seed: int) -> None:
    table = Table(routes)
    chosen = table.choose(f"+{number}", MINE, random.Random(seed).random)
    first = table.first(f"+{number}", MINE, random.Random(seed).random)
    assert first == (chosen[0] if chosen else None)


@given(
    routes=ROUTES,
    number=DIGITS,
    seed=st.integers(),
    down=st.frozensets(st.sampled_from(["carrier 0", "carrier 1", "carrier 2"])),
)
def test_routes_whose_carrier_is_down_come_last(
    routes: list[Route], number: str, seed: int, down: frozenset[str]
) -> None:
    usual = Table(routes).choose(f"+{number}", MINE, random.Random(seed).random)
    table = Table(routes, down)
    chosen = table.choose(f"+{number}", MINE, random.Random(seed).random)
    assert chosen == sorted(usual, key=lambda found: found.carrier_id in down)
    assert table.first(f"+{number}", MINE, random.Random(seed).random) == (chosen[0] if chosen else None)


# --- words, and the store


def test_why() -> None:
    assert why(route("a")) == "any destination, a general route, priority 1, weight 1"
    own = route("a", "44", priority=2, weight=3, customer_id=MINE)
    assert why(own) == "prefix +44, the customer's own route, priority 2, weight 3"


async def test_routes_to_carriers_that_are_disabled_or_gone_are_passed_over(store: Store) -> None:
    carriers, routes, now = Carriers(store, Sealer()), Routes(store), clock.now()
    config = {"host": "localhost", "port": 2775, "system_id": "me", "password": ""}
    live, off, gone = [await carriers.add(name, "smpp", config, name == "off", now) for name in ("live", "off", "gone")]
    made = [await routes.add(now, name=carrier.name, carrier_id=carrier.id) for carrier in (live, off, gone)]
    await carriers.remove(gone, now)
    found = (await routes.table(store)).choose("+4420", MINE, never)
    assert found == made[:1]
    await routes.remove(made[0].id, now)
    assert (await routes.table(store)).choose("+4420", MINE, never) == []
    await carriers.change(off.id, now, disabled=0)
    assert (await routes.table(store)).choose("+4420", MINE, never) == [made[1]]
