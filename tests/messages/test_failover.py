"""Where a target goes when its carrier refuses it, or cannot be sent to."""

import itertools

import pytest

from messagehub import clock
from messagehub.carriers.carrier import REASONS, Accepted, CarrierState, Receipt, Refused, TargetKey
from messagehub.messages.health import PATIENCE_S, Health
from messagehub.messages.outcomes import TRIES_HERE
from messagehub.store import Store
from tests.messages.house import ANNE, BERT, House, eventually, eventually_so
from tests.messages.peer import Peer
from tests.messages.queued import queue

FOR_OTHERS = [name for name, reason in REASONS.items() if reason.reroute and not reason.retry]
FOR_NOBODY = [name for name, reason in REASONS.items() if not reason.reroute and not reason.retry]
LONG = "long " * 40


async def second(house: House, name: str = "second", priority: int = 2) -> Peer:
    peer = Peer()
    await house.open(peer, carrier_id=await house.failover(name, priority))
    return peer


async def came(peer: Peer, key: TargetKey) -> None:
    await eventually(lambda: key in [handover.key for handover in peer.handed], f"{key} at the next carrier")


@pytest.mark.parametrize("reason", FOR_OTHERS)
async def test_what_one_carrier_refuses_the_next_one_gets(house: House, reason: str) -> None:
    other = await second(house)
    (key,) = await house.handed()
    house.peer.tell(Refused(key, reason, "not here"))
    await came(other, key)
    other.tell(Accepted(key, ["n"]))
    row = await house.until(key, "sent")
    assert (row.error_code, row.attempts, row.possible_duplicate) == ("", 1, 0)
    assert await house.steps(key[0]) == [(1, ["sent"])]


@pytest.mark.parametrize("reason", FOR_NOBODY)
async def test_what_no_carrier_would_take_fails_at_once(house: House, reason: str) -> None:
    other = await second(house)
    (key,) = await house.handed()
    house.peer.tell(Refused(key, reason))
    assert (await house.until(key, "failed")).error_code == REASONS[reason].error_code
    assert other.handed == []


async def test_it_goes_through_all_routes_once_and_fails_with_the_last_refusal(house: House) -> None:
    peers = [house.peer, await second(house, "second", 2), await second(house, "third", 3)]
    key = await queue(house)
    for n, peer in enumerate(peers):
        await came(peer, key)
        peer.tell(Refused(key, "invalid_source" if n else "refused_here", f"words {n}"))
    row = await house.until(key, "failed")
    assert (row.error_code, row.error_message) == ("invalid_source", "words 2")
    assert [len(peer.handed) for peer in peers] == [1, 1, 1]


async def test_a_fault_that_may_pass_is_borne_some_times_before_the_next_route(house: House) -> None:
    other = await second(house)
    patient, impatient = await queue(house), await queue(house, attempts=TRIES_HERE - 1)
    await eventually(lambda: len(house.peer.handed) == 2)
    house.peer.tell(Refused(patient, "unwell"), Refused(impatient, "unwell"))
    await came(other, impatient)
    assert (await house.until(patient, "queued")).carrier_id == house.carrier_id


async def test_without_another_route_the_schedule_is_kept_to_its_end(house: House) -> None:
    key = await queue(house, attempts=TRIES_HERE)
    await eventually(lambda: bool(house.peer.handed))
    house.peer.tell(Refused(key, "unwell"))
    assert (await house.until(key, "queued")).attempts == TRIES_HERE + 1


async def test_a_carrier_that_throttles_keeps_its_targets(house: House) -> None:
    other = await second(house)
    key = await queue(house, attempts=TRIES_HERE)
    await eventually(lambda: bool(house.peer.handed))
    house.peer.tell(Refused(key, "throttled"))
    assert (await house.until(key, "queued")).carrier_id == house.carrier_id
    assert other.handed == []


async def test_receipts_of_the_first_carrier_say_nothing_of_what_the_second_sends(house: House) -> None:
    other = await second(house)
    (key,) = await house.handed(text=LONG)
    house.peer.tell(Refused(key, "refused_here", partly=True))
    await came(other, key)
    other.tell(Accepted(key, ["a", "b"]))
    assert (await house.until(key, "sent")).possible_duplicate == 1
    of_both = {"carrier_id": house.carrier_id, "carrier_message_id": "x", "message_id": key[0], "n": 0}
    await house.store.many("insert_segment", [{**of_both, "part": part, "retry": 0} for part in (0, 1)])
    await house.receipt("x", "undelivered")
    assert (await house.row(key)).status == "sent"
    for name in "ab":
        other.tell(Receipt(name, "delivered", "", ANNE, name))
    await house.until(key, "delivered")


# --- carriers that are down -------------------------------------------------------------


async def test_a_carrier_is_down_when_no_node_has_had_it_bound_for_a_while(house: House) -> None:
    """What waits for it, and what comes new, goes to the next route; and back, once it is up again."""
    second_id = await house.failover()
    times = itertools.count(0.0, PATIENCE_S)
    state: dict[str, CarrierState] = {house.carrier_id: "connecting", second_id: "bound"}
    health = Health(house.store, "here", lambda: state, lambda: next(times))
    for exchange in house.take_open():
        await exchange.close(0)
    waiting = await house.send(ANNE)
    await health.look()
    assert await goes_to(house, BERT) == house.carrier_id
    await health.look()
    await eventually_so(lambda: down(house, house.carrier_id), "the carrier is down")
    assert await goes_to(house, BERT) == second_id
    await house.sweeper.sweep()
    assert (await house.row((waiting.id, 0))).carrier_id == second_id
    state[house.carrier_id] = "bound"
    await health.look()
    await eventually_so(lambda: down(house), "the carrier is up")
    assert await goes_to(house, BERT) == house.carrier_id


async def test_another_node_that_has_it_bound_is_enough(house: House, store: Store) -> None:
    times = itertools.count(0.0, PATIENCE_S)
    for node, state in (("here", "down"), ("there", "bound")):
        await store.run("keep_lease", id=node, name="", works=1, tm_lease=clock.now() + 10**9)
        health = Health(store, node, lambda s=state: {house.carrier_id: s}, lambda: next(times))  # type: ignore[misc]
        await health.look()
        await health.look()
    await store.many("keep_carrier_health", [{"carrier_id": house.carrier_id, "node_id": "there", "bound": 1}])
    assert await down(house)
    await store.run("drop_lease", id="there")
    await store.run("forget_health_of_dead")
    house.store.notify("changed")
    await eventually_so(lambda: down(house, house.carrier_id))


async def test_when_all_are_down_what_comes_waits_for_the_first_choice(house: House) -> None:
    second_id = await house.failover()
    rows = [{"carrier_id": each, "node_id": "here", "bound": 0} for each in (house.carrier_id, second_id)]
    await house.store.many("keep_carrier_health", rows)
    house.store.notify("changed")
    await eventually_so(lambda: down(house, house.carrier_id, second_id))
    assert await goes_to(house, BERT) == house.carrier_id


async def goes_to(house: House, number: str) -> str:
    message = await house.send(number)
    carrier_id: str = (await house.row((message.id, 0))).carrier_id
    return carrier_id


async def down(house: House, *carrier_ids: str) -> bool:
    return (await house.routes.table(house.store)).down == set(carrier_ids)
