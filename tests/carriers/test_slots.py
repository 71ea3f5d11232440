"""Who has which binds: every node comes to the same plan, and the plans fit together."""

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.carriers.slots import Slots, plan
from messagehub.errors import Unavailable
from messagehub.work.node import Lease

NODES = ("a", "b", "c", "d", "e")
ROLES = st.sampled_from([["transceiver"], ["transmitter", "receiver"]])
KINDS = st.builds(lambda roles, count: roles * count, ROLES, st.integers(1, 9))


def held_by(owners: list[str | None], kinds: list[str]) -> dict[int, str]:
    return {slot: owner for slot, owner in enumerate(owners[: len(kinds)]) if owner}


OWNERS = st.lists(st.sampled_from([*NODES, None]), max_size=20)


@given(KINDS, OWNERS, st.integers(1, 5))
def test_no_slot_goes_to_two_and_none_that_is_held_is_taken(
    kinds: list[str], owners: list[str | None], count: int
) -> None:
    nodes, held = NODES[:count], held_by([owner for owner in owners if owner in (*NODES[:count], None)], kinds)
    plans = {node: plan("carrier", kinds, held, nodes, node) for node in nodes}
    taken = [slot for one in plans.values() for slot in one.take]
    assert len(taken) == len(set(taken))
    assert set(taken) == set(range(len(kinds))) - held.keys()
    for node, one in plans.items():
        assert all(held.get(slot) == node or slot in one.take for slot in one.give)


@given(KINDS, OWNERS, st.integers(1, 5))
def test_it_comes_to_rest_with_fair_shares(kinds: list[str], owners: list[str | None], count: int) -> None:
    nodes, held = NODES[:count], held_by([owner for owner in owners if owner in (*NODES[:count], None)], kinds)
    for _ in range(3 * len(kinds)):
        plans = {node: plan("carrier", kinds, held, nodes, node) for node in nodes}
        held |= {slot: node for node, one in plans.items() for slot in one.take}
        for one in plans.values():
            for slot in one.give:
                del held[slot]
    assert held.keys() == set(range(len(kinds)))
    for kind in set(kinds):
        counts = [sum(held[slot] == node and kinds[slot] == kind for slot in held) for node in nodes]
        assert max(counts) - min(counts) <= 1


def test_fewer_are_taken_while_others_still_have_those_of_a_config_before() -> None:
    def taken(held: dict[int, str]) -> list[int]:
        return [slot for node in "ab" for slot in plan("carrier", ["transceiver"] * 2, held, "ab", node).take]

    assert taken({2: "b", 3: "b"}) == []
    assert taken({3: "b"}) == [0]


def test_carriers_with_one_bind_do_not_all_go_to_one_node() -> None:
    takers = {node for n in range(50) for node in "ab" if plan(f"c{n}", ["transceiver"], {}, "ab", node).take}
    assert takers == {"a", "b"}


class Late:
    """A store with two nodes, and one slot, that is `a`'s; `lease` is until then when it has answered."""

    def __init__(self, lease: Lease, until: float) -> None:
        self._lease, self._until = lease, until

    async def all(self, query: str) -> list[Any]:
        if query == "nodes_at_work":
            return [SimpleNamespace(id=node) for node in "ab"]
        return [SimpleNamespace(carrier_id="c", slot=0, node_id="a")]

    async def many(self, query: str, rows: object) -> list[Any]:
        self._lease.until = self._until
        return []

    async def run(self, query: str, **args: object) -> None:
        """What is of no carrier here is let go."""

    def notify(self, topic: str) -> None:
        """Nobody listens."""


class Guarded:
    """The node `a`."""

    id, alone = "a", False

    def __init__(self) -> None:
        self.lease = Lease()
        self.guards: list[bool] = []
        self.guard = self.guards.append

    async def bury(self) -> None:
        """All live."""


@pytest.mark.parametrize(("until", "guards"), [(math.inf, [True]), (-math.inf, [])])
async def test_a_node_is_not_ended_for_what_it_has_parted_from_while_the_store_answered(
    until: float, guards: list[bool]
) -> None:
    node = Guarded()
    slots = Slots(Late(node.lease, until), node, dict, ())  # type: ignore[arg-type]
    await slots.turn()
    assert node.guards == guards


class Overtaken(Late):
    """Its two slots are `a`'s as far as it tells; what is given back is given back once it has told so for a second
    time, when `b` has left."""

    def __init__(self) -> None:
        self.asked, self.released = 0, asyncio.Event()

    async def all(self, query: str) -> list[Any]:
        if query == "nodes_at_work":
            self.asked += 1
            return [SimpleNamespace(id=node) for node in ("a", "b")[: 3 - self.asked]]
        return [SimpleNamespace(carrier_id="c", slot=slot, node_id="a") for slot in (0, 1)]

    async def many(self, query: str, rows: object) -> list[Any]:
        if self.asked > 1:
            self.released.set()
            for _ in range(5):
                await asyncio.sleep(0)
        return []

    async def run(self, query: str, **args: object) -> None:
        await self.released.wait()


class Held:
    """A carrier with two binds."""

    kinds = ("transceiver", "transceiver")

    def __init__(self) -> None:
        self.slots: list[set[int]] = []
        self.hold = self.slots.append

    async def part(self, slot: int, seconds: float) -> None:
        """At once."""


async def test_a_bind_that_was_just_given_back_is_not_held_by_an_older_answer() -> None:
    carrier = Held()
    slots = Slots(Overtaken(), Guarded(), lambda: {"c": carrier}, ())  # type: ignore[arg-type,dict-item]
    await slots.turn()
    ((kept,),) = carrier.slots
    await slots.turn()
    assert carrier.slots[1:] == [{kept}]


class Refusing(Late):
    """Three slots are `a`'s; giving one back fails, as often as a test lets it."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.answered = asyncio.Event()

    async def all(self, query: str) -> list[Any]:
        if query == "nodes_at_work":
            return [SimpleNamespace(id="a")]
        return [SimpleNamespace(carrier_id="c", slot=slot, node_id="a") for slot in (0, 1, 2)]

    async def many(self, query: str, rows: object) -> list[Any]:
        return []

    async def run(self, query: str, **args: Any) -> None:
        self.asked.append(args["slot"])
        await self.answered.wait()
        raise Unavailable("no connection")


async def test_a_slot_of_a_config_before_is_given_back_by_one_request_at_a_time_until_one_succeeds() -> None:
    store, carrier = Refusing(), Held()
    slots = Slots(store, Guarded(), lambda: {"c": carrier}, ())  # type: ignore[arg-type,dict-item]
    for _ in range(3):
        await slots.turn()
        await asyncio.sleep(0)
    assert store.asked == [2]
    store.answered.set()
    while store.asked == [2]:
        await slots.turn()
        await asyncio.sleep(0)
    assert set(store.asked) == {2}
    await slots.close()
