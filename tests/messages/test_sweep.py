"""What time alone brings about."""

import pytest

from messagehub import clock
from messagehub.carriers.book import Carriers
from messagehub.carriers.carrier import Inbound, Receipt, Verdict
from messagehub.clock import SECOND
from messagehub.messages import receipts, sweep
from messagehub.messages.lanes import LANES
from messagehub.messages.status import ERROR_CODES, Status
from messagehub.messages.sweep import PARTS_WAIT, STRAY
from messagehub.sealing import Sealer
from messagehub.store import Insert, Tx
from messagehub.text import Concatenation
from tests.messages.house import ANNE, SOURCE, House, eventually, eventually_so
from tests.messages.queued import queue


async def test_what_a_dead_node_held_is_in_doubt_and_what_a_living_one_holds_is_not(house: House) -> None:
    (held,) = await house.handed()
    once = await queue(house, status=Status.HANDED, holder="dead")
    twice = await queue(house, status=Status.HANDED, holder="dead", doubts=1, possible_duplicate=1)
    await house.sweeper.sweep()
    await eventually(lambda: len(house.peer.handed) == 2)
    again = await house.until(once, "handed")
    assert (again.holder, again.possible_duplicate, again.doubts) == ("here", 1, 1)
    row = await house.row(twice)
    assert (row.status, row.error_code) == ("gw_timeout", "in_doubt")
    assert (await house.row(held)).possible_duplicate == 0
    assert {handover.key for handover in house.peer.handed} == {held, once}


async def test_a_receipt_that_never_comes(house: House) -> None:
    waiting = await house.accepted(names=["a"])
    house.peer.dlr_timeout = 0
    key = await house.accepted(names=["b"])
    await house.sweeper.sweep()
    row = await house.row(key)
    assert (row.status, row.error_code) == ("dlr_timeout", "no_receipt")
    assert (await house.row(waiting)).status == "sent"
    assert await house.steps(key[0]) == [(1, ["sent"]), (2, ["dlr_timeout"])]
    await house.receipt("b", "undelivered")
    assert (await house.row(key)).status == "dlr_timeout"
    await house.receipt("b", "delivered")
    assert (await house.row(key)).status == "delivered"


async def test_who_is_told_of_a_missing_receipt_is_told_in_words(house: House) -> None:
    house.peer.dlr_timeout = 0
    key = await house.accepted(names=["b"])
    await house.sweeper.sweep()
    assert (await house.row(key)).error_message == ERROR_CODES["no_receipt"]


async def test_a_parked_receipt_whose_segment_another_node_has_stored(house: House) -> None:
    """That node looked for parked receipts before this one was there."""
    key = await queue(house, status=Status.SENT)
    segment: dict[str, object] = {"carrier_id": house.carrier_id, "carrier_message_id": "n", "message_id": key[0]}
    segment |= {"n": 0, "part": 0, "retry": 0}
    parked_at = clock.now() - 2 * SECOND

    async def park(tx: Tx) -> None:
        waiting = [Receipt(name, "delivered", "", ANNE) for name in ("n", "nobody's")]
        await receipts.park(tx, house.carrier_id, waiting, parked_at)

    await house.store.write([Insert("insert_segment", [segment])])
    await house.store.transaction(park)
    await house.sweeper.sweep()
    assert (await house.row(key)).status == "delivered"
    assert await house.steps(key[0]) == [(1, ["delivered"])]
    (left,) = await house.store.all("parked_due", now=parked_at + receipts.SWEEPS[1] * SECOND, count=9)
    assert (left.carrier_message_id, left.sweeps) == ("nobody's", 1)
    await house.sweeper.sweep()
    assert len(await house.told()) == 1


async def test_a_receipt_of_nobodys_is_looked_for_and_kept_for_days_and_then_forgotten(house: House) -> None:
    ages = {"new": 0, "old": receipts.KEPT - 60 * SECOND, "too old": receipts.KEPT + SECOND}

    async def park(tx: Tx) -> None:
        for name, age in ages.items():
            await receipts.park(tx, house.carrier_id, [Receipt(name, "delivered", "", ANNE)], clock.now() - age)

    async def left() -> dict[str, int | None]:
        rows = await house.store.all("parked_page", carrier_id=house.carrier_id, before="g", after="", count=9)
        return {row.carrier_message_id: row.due_at for row in rows}

    await house.store.transaction(park)
    for _ in receipts.SWEEPS:
        await house.sweeper.sweep()
    found = await left()
    assert found.keys() == {"new", "old"}
    assert found["new"]
    assert found["old"] is None


async def test_parts_that_never_come_are_waited_for_and_then_left_out(house: House) -> None:
    for ticket, part in enumerate((3, 1)):
        arrival = Inbound(ANNE, SOURCE, f"part {part} ", None, Concatenation(7, 4, part, 8), ticket)
        house.peer.tell(arrival)
    await eventually(lambda: len(house.peer.answers) == 2)
    assert set(house.peer.answers.values()) == {Verdict.TAKEN}
    await house.sweeper.sweep()
    assert await house.told() == []
    now = clock.now()

    async def give_up(tx: Tx) -> int:
        return len((await house.receiver.give_up_waiting(tx, now, now, 100)).events)

    assert await house.store.transaction(give_up) == 1
    assert await house.store.transaction(give_up) == 0
    (told,) = await house.told()
    assert (told["event"], told["text"], told["targets"][0]["parts"]) == ("message_received", "part 1 …part 3 …", 2)
    assert PARTS_WAIT >= 10 * 60 * SECOND


async def test_what_this_node_has_lost_sight_of_is_in_doubt_and_what_it_knows_is_not(house: House) -> None:
    """The answer of a commit was lost: the row says handed, and no carrier has it."""
    long_ago = clock.now() - STRAY
    stray = await queue(house, status=Status.HANDED, holder="sweeper", due_at=long_ago)
    fresh = await queue(house, status=Status.HANDED, holder="sweeper")

    async def sent_again() -> bool:
        await house.sweeper.sweep()  # while the exchange is at work, it may know of anything
        return [handover.key for handover in house.peer.handed] == [stray]

    await eventually_so(sent_again)
    assert (await house.row(stray)).possible_duplicate == 1
    assert (await house.row(fresh)).holder == "sweeper"


async def test_a_node_never_rescues_what_it_holds_itself_though_its_lease_is_over(house: House) -> None:
    key = await queue(house, status=Status.HANDED, holder="sweeper")
    await house.sweeper.sweep()
    assert (await house.row(key)).status == "handed"


async def test_what_waits_for_a_carrier_that_is_gone_goes_to_another_or_fails(house: House) -> None:
    carriers, now = Carriers(house.store, Sealer()), clock.now()
    config = {"host": "carrier.test", "port": 2776, "system_id": "me", "password": ""}
    gone = await carriers.add("gone", "smpp", config, False, now)
    moved = await queue(house, carrier_id=gone.id)
    await carriers.remove(gone, now)
    await house.sweeper.sweep()
    await eventually(lambda: [handover.key for handover in house.peer.handed] == [moved])
    for route in await house.store.all("live_routes"):
        await house.routes.remove(route.id, now)
    lost = await queue(house, carrier_id=gone.id)
    await house.sweeper.sweep()
    row = await house.row(lost)
    assert (row.status, row.error_code) == ("failed", "no_route")


async def test_what_can_go_another_way_is_found_behind_what_cannot(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    await house.fill()
    second = await house.failover(prefix="1")
    await house.store.many("keep_carrier_health", [{"carrier_id": house.carrier_id, "node_id": "here", "bound": 0}])
    house.store.notify("changed")
    stuck = [await queue(house, destination="+442079460009", lane=lane) for lane in (*LANES, *LANES, *LANES)]
    behind = [await queue(house, destination="+15559876543", lane=lane) for lane in LANES]
    for _ in stuck + behind:
        await house.sweeper.sweep()
    assert {(await house.row(key)).carrier_id for key in stuck} == {house.carrier_id}
    assert {(await house.row(key)).carrier_id for key in behind} == {second}


async def test_a_row_that_nobody_can_read_does_not_keep_back_what_is_due_otherwise(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    carriers, now = Carriers(house.store, Sealer()), clock.now()
    config = {"host": "carrier.test", "port": 2776, "system_id": "me", "password": ""}
    gone = await carriers.add("gone", "smpp", config, False, now)
    moved = await queue(house, carrier_id=gone.id)
    await carriers.remove(gone, now)
    poisoned, _ = await queue(house, options="no JSON", due_at=clock.NEVER)
    await house.store.write([Insert("insert_expiry", [{"message_id": poisoned, "due_at": now}])])
    await house.sweeper.sweep()
    await eventually(lambda: [handover.key for handover in house.peer.handed] == [moved])
    (failed,) = [record for record in caplog.records if record.message == "a sweep failed"]
    assert vars(failed)["about"] == {"sweep": "expired"}
