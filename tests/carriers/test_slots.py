"""Who has which binds: every node comes to the same plan, and the plans fit together."""

from hypothesis import given
from hypothesis import strategies as st

from messagehub.carriers.slots import plan

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
