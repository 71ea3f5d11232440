"""Codes go before what a business has to tell, and that before advertising; and none of them waits for ever."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import clock
from messagehub.carriers.carrier import Accepted, Receipt, TargetKey
from messagehub.clock import SECOND
from messagehub.messages import send
from messagehub.messages.lanes import HIGH, LANES, MARKETING, NORMAL, OTP, SHARE, Share
from messagehub.messages.send import Claim
from messagehub.store import Store, Tx
from tests.messages.house import ANNE, BERT, House, eventually, eventually_so
from tests.messages.queued import queue

THREE = "x" * 400
"""A text of so many parts."""


def go(share: Share, room: int, waiting: set[int]) -> dict[int, int]:
    """What a claim takes where there is more than enough in each of the lanes that wait."""
    took: dict[int, int] = {}
    for lane, most in send._in_order(waiting, share.owed(), room):
        took[lane] = min(most, room)
        room -= took[lane]
    return took


@given(
    rooms=st.lists(st.integers(1, 40), min_size=1, max_size=300),
    waiting=st.sets(st.sampled_from(LANES), min_size=1),
)
def test_where_several_wait_each_gets_its_share_and_the_first_the_rest(rooms: list[int], waiting: set[int]) -> None:
    share, gone = Share(), dict.fromkeys(LANES, 0)
    for room in rooms:
        took = go(share, room, waiting)
        share.settle(took, waiting)
        for lane, count in took.items():
            gone[lane] += count
        total = sum(gone.values())
        assert total == sum(gone[lane] for lane in waiting)
        for lane in waiting - {max(waiting)}:
            assert gone[lane] >= total // SHARE - len(waiting) * max(rooms)
            assert gone[lane] <= total / SHARE + 1
        assert gone[max(waiting)] >= total // 2 - len(waiting) * max(rooms)


def test_nothing_is_owed_to_a_lane_in_which_nothing_waits() -> None:
    share = Share()
    share.settle({HIGH: 1000}, {HIGH, NORMAL})
    assert share.owed() == {NORMAL: 100}
    share.settle({NORMAL: 3}, {HIGH})
    assert share.owed() == {}


def test_what_the_other_lane_had_while_it_was_alone_is_not_held_against_it() -> None:
    share = Share()
    for _ in range(100):
        share.settle({MARKETING: 100}, {MARKETING})
    share.settle({OTP: 110}, {OTP, MARKETING})
    assert share.owed() == {MARKETING: 1}


# --- claiming


@pytest.fixture
async def quiet(store: Store) -> AsyncIterator[House]:
    """A house whose carrier takes nothing by itself."""
    opened = House(store)
    await opened.furnish()
    yield opened
    await opened.close()


async def claim(house: House, room: int, owed: int = 0, alone: bool = False) -> Claim:
    """`owed`: segments that are owed to the lane of what is usual."""
    owing = {NORMAL: owed} if owed else {}

    async def unit(tx: Tx) -> Claim:
        return await send.claim(tx, house.carrier_id, "me", room, clock.now(), house.gate, alone, owing)

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
    assert (claimed.segments[HIGH], claimed.segments[NORMAL]) == (2, 1)
    assert NORMAL in claimed.more
    last = await claim(quiet, 3)
    assert (keys(last), last.more) == ([newer], set())


async def test_codes_go_before_all_and_advertising_after_all(quiet: House) -> None:
    lanes = [MARKETING, NORMAL, OTP, MARKETING + HIGH, OTP + HIGH, HIGH]
    of_lane = dict(zip(lanes, await queues(quiet, *lanes), strict=True))
    assert keys(await claim(quiet, 6)) == [of_lane[lane] for lane in LANES]


async def test_it_is_known_which_lanes_have_something_that_is_due(quiet: House) -> None:
    await queues(quiet, OTP, MARKETING)
    await queue(quiet, lane=NORMAL, due_at=clock.now() + 3600 * SECOND)

    async def unit(tx: Tx) -> set[int]:
        return await send.due_lanes(tx, quiet.carrier_id, clock.now())

    assert await quiet.store.transaction(unit) == {OTP, MARKETING}


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
    await house.fill()
    given = {lane: await queues(house, *[lane] * 60) for lane in (HIGH, NORMAL)}
    lane_of = {key: lane for lane, its in given.items() for key in its}
    house.peer.window = 5
    house.peer.tell()
    for n in range(60):
        await eventually(lambda n=n: len(house.peer.handed) > n)  # type: ignore[misc]
        house.peer.tell(Accepted(house.peer.handed[n].key, [f"n{n}"]))
    lanes = [lane_of[handover.key] for handover in house.peer.handed[10:60]]
    assert 3 <= lanes.count(NORMAL) <= 7


# --- what is being accepted


async def backlog(house: House, traffic_class: str) -> None:
    """More of this class waits than the carrier has room for."""
    await house.handed()
    await house.fill(1)
    for _ in range(3):
        message = await house.send(ANNE, class_=traffic_class)
        assert await house.statuses(message.id) == ["queued"]


async def test_a_code_goes_at_once_though_advertising_waits(house: House) -> None:
    await backlog(house, "marketing")
    house.peer.window = 2
    code = await house.send(ANNE, class_="otp")
    assert (await house.row((code.id, 0))).status == "handed"


async def test_advertising_does_not_overtake_what_waits(house: House) -> None:
    await backlog(house, "transactional")
    house.peer.window = 2
    late = await house.send(ANNE, class_="marketing")
    assert (await house.row((late.id, 0))).status == "queued"


async def test_a_long_message_gets_its_turn_though_what_is_urgent_leaves_it_too_little_room(house: House) -> None:
    await house.fill(3)
    await house.handed(BERT, class_="otp")
    long = await house.send(ANNE, text=THREE)
    for _ in range(4 * SHARE):
        under_way = house.peer.handed[-1].key
        await house.send(BERT, class_="otp")
        house.peer.tell(Accepted(under_way, [""]))
        await house.until(under_way, "sent")
        if house.peer.handed[-1].key == (long.id, 0):
            return
    raise AssertionError("only codes went")


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
