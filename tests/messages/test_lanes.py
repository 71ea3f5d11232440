"""Urgent messages go first, and of the others never less than one segment in ten."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import clock
from messagehub.carriers.carrier import Accepted, Receipt, TargetKey
from messagehub.clock import SECOND
from messagehub.messages import send
from messagehub.messages.lanes import HIGH, LANES, NORMAL, Share
from messagehub.messages.send import Claim
from messagehub.store import Store, Tx
from tests.messages.house import ANNE, BERT, House, eventually, eventually_so
from tests.messages.queued import queue

THREE = "x" * 400
"""A text of so many parts."""


@given(rooms=st.lists(st.integers(1, 40), min_size=1, max_size=300))
def test_where_both_wait_each_gets_its_share(rooms: list[int]) -> None:
    share, gone = Share(), {HIGH: 0, NORMAL: 0}
    for room in rooms:
        normal = min(share.owed, room)
        took = {HIGH: room - normal, NORMAL: normal}
        share.settle(took, normal_waits=True)
        for lane in LANES:
            gone[lane] += took[lane]
        assert gone[NORMAL] >= (gone[HIGH] + gone[NORMAL]) // 10 - max(rooms)
        assert gone[NORMAL] <= (gone[HIGH] + gone[NORMAL]) / 10 + 1


def test_nothing_is_owed_to_a_lane_in_which_nothing_waits() -> None:
    share = Share()
    share.settle({HIGH: 1000, NORMAL: 0}, normal_waits=True)
    assert share.owed > 100
    share.settle({HIGH: 0, NORMAL: 3}, normal_waits=False)
    assert share.owed == 0


def test_what_the_other_lane_had_while_it_was_alone_is_not_held_against_it() -> None:
    share = Share()
    for _ in range(100):
        share.settle({HIGH: 0, NORMAL: 100}, normal_waits=True)
    share.settle({HIGH: 100, NORMAL: 0}, normal_waits=True)
    assert share.owed >= 1


# --- claiming


@pytest.fixture
async def quiet(store: Store) -> AsyncIterator[House]:
    """A house whose carrier takes nothing by itself."""
    opened = House(store)
    await opened.furnish()
    yield opened
    await opened.close()


async def claim(house: House, room: int, owed: int = 0, alone: bool = False) -> Claim:
    async def unit(tx: Tx) -> Claim:
        return await send.claim(tx, house.carrier_id, "me", room, clock.now(), house.gate, alone, owed)

    return await house.store.transaction(unit)


def keys(claimed: Claim) -> list[TargetKey]:
    return [handover.key for handover in claimed.handovers]


async def queues(house: House, *lanes: int, parts: int = 1) -> list[TargetKey]:
    """Targets of these lanes, each due before the next."""
    now = clock.now()
    text = THREE if parts == 3 else "x"
    return [await queue(house, text, parts, lane=lane, due_at=now - (100 - n) * SECOND) for n, lane in enumerate(lanes)]


async def test_what_is_urgent_goes_before_what_has_waited_longer(quiet: House) -> None:
    old, urgent, newer, also = await queues(quiet, NORMAL, HIGH, NORMAL, HIGH)
    claimed = await claim(quiet, 3)
    assert keys(claimed) == [urgent, also, old]
    assert (claimed.segments, claimed.normal_waits) == ({HIGH: 2, NORMAL: 1}, True)
    last = await claim(quiet, 3)
    assert (keys(last), last.normal_waits) == ([newer], False)


async def test_what_is_owed_goes_first_and_what_is_urgent_then(quiet: House) -> None:
    first, second, urgent, also = await queues(quiet, NORMAL, NORMAL, HIGH, HIGH)
    assert keys(await claim(quiet, 3, owed=1)) == [first, urgent, also]
    assert keys(await claim(quiet, 3, owed=1)) == [second]


async def test_what_is_urgent_and_does_not_fit_yet_is_not_overtaken(quiet: House) -> None:
    (urgent,), (other,) = await queues(quiet, HIGH, parts=3), await queues(quiet, NORMAL)
    assert keys(await claim(quiet, 2)) == []
    assert keys(await claim(quiet, 4)) == [urgent, other]


async def test_what_is_owed_and_does_not_fit_yet_is_not_overtaken_either(quiet: House) -> None:
    (long,), (urgent,) = await queues(quiet, NORMAL, parts=3), await queues(quiet, HIGH)
    assert keys(await claim(quiet, 1, owed=1)) == []
    assert keys(await claim(quiet, 1, owed=1, alone=True)) == [long]
    assert keys(await claim(quiet, 1)) == [urgent]


async def test_under_a_flood_of_what_is_urgent_one_in_ten_is_not(house: House) -> None:
    house.peer.window = 0
    given = {lane: await queues(house, *[lane] * 60) for lane in LANES}
    lane_of = {key: lane for lane, its in given.items() for key in its}
    house.peer.window = 5
    house.peer.tell()
    for n in range(60):
        await eventually(lambda n=n: len(house.peer.handed) > n)  # type: ignore[misc]
        house.peer.tell(Accepted(house.peer.handed[n].key, [f"n{n}"]))
    lanes = [lane_of[handover.key] for handover in house.peer.handed[10:60]]
    assert 3 <= lanes.count(NORMAL) <= 7


# --- from the request to the receipt


async def test_a_message_says_how_urgent_it_is(quiet: House) -> None:
    usual, urgent = await quiet.send(ANNE), await quiet.send(BERT, priority="high")
    assert [(await quiet.row((one.id, 0))).lane for one in (usual, urgent)] == [NORMAL, HIGH]
    assert keys(await claim(quiet, 1)) == [(urgent.id, 0)]


async def test_the_receipt_of_what_is_urgent_is_given_up_in_time_too(house: House) -> None:
    house.peer.dlr_timeout = 0.01
    key = await house.accepted(names=["a"], priority="high")

    async def swept() -> bool:
        await house.sweeper.sweep()
        return bool((await house.row(key)).status == "dlr_timeout")

    await eventually_so(swept)
    house.peer.tell(Receipt("a", "delivered", "", ANNE, "late"))
    await house.until(key, "delivered")
