"""A node holds a lease while it lives."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from messagehub import clock
from messagehub.clock import NEVER, SECOND
from messagehub.messages.rows import TargetRow
from messagehub.messages.status import Status
from messagehub.store import Insert, Store
from messagehub.store.postgres import PostgresStore
from messagehub.work.node import LEASE_S, Duty, Node, store_clock
from tests.support import postgres
from tests.support.waiting import PATIENCE_S


async def holders_of_the_dead(store: Store, now: int) -> set[str]:
    """Whose targets would be taken from them at that moment."""
    rows = await store.all("targets_of_dead_nodes", own="", now=now, count=9)
    return {row.message_id for row in rows}


def held_by(node: Node) -> TargetRow:
    """A target of a message that is called like the node that holds it."""
    usual = {"n": 0, "customer_id": "c", "destination": "+1", "status": Status.HANDED, "parts": 1, "due_at": 1}
    return TargetRow(message_id=node.id, holder=node.id, **usual)  # type: ignore[arg-type]


@pytest.mark.parametrize("lease_s", [LEASE_S, 5.0])
async def test_what_a_node_holds_is_its_own_until_it_ends_or_its_lease_does(store: Store, lease_s: float) -> None:
    one, other = Node(store, lease_s=lease_s), Node(store)
    assert one.id != other.id
    await store.write([Insert("insert_target", [held_by(one), held_by(other)])])
    await one.open()
    now = await store.transaction(store_clock)
    assert await holders_of_the_dead(store, now) == {other.id}
    lease = int(lease_s * SECOND)
    assert await holders_of_the_dead(store, now + lease - SECOND) == {other.id}
    assert await holders_of_the_dead(store, now + lease + SECOND) == {one.id, other.id}
    assert one.alone or one.lease.until <= time.monotonic() + lease_s * 4 / 5
    await one.check()
    await one.close()
    assert await holders_of_the_dead(store, now) == {one.id, other.id}


async def test_a_node_that_must_be_the_only_one_takes_over_what_others_held(store: Store) -> None:
    """So it is with a file, which one process serves at a time. Nodes that share a server live side by side."""
    one, other = Node(store), Node(store)
    await store.write([Insert("insert_target", [held_by(one), held_by(other)])])
    await store.run("keep_lease", id=one.id, name="", works=1, tm_lease=NEVER)
    alone = await other.open()
    now = await store.transaction(store_clock)
    assert await holders_of_the_dead(store, now) == ({one.id} if alone else set())
    await other.close()


async def test_a_node_whose_lease_has_run_out_is_buried_by_others_and_not_by_itself(store: Store) -> None:
    """Where the clock was set forward it has lost nothing, and says so with its next renewal."""
    node = Node(store)
    await store.run("keep_lease", id=node.id, name="", works=1, tm_lease=1)
    await node.bury()
    assert [row.id for row in await store.all("nodes_at_work")] == [node.id]
    await Node(store).bury()
    assert await store.all("nodes_at_work") == []


async def test_the_clocks_agree(store: Store) -> None:
    assert abs(await store.transaction(store_clock) - clock.now()) < 5 * SECOND


async def test_a_slot_is_one_nodes_until_that_is_dead_and_a_node_that_was_dead_begins_with_nothing(
    store: Store,
) -> None:
    one, other = Node(store), Node(store)
    await one.open()
    if one.alone:
        await store.run("keep_lease", id=other.id, name="", works=1, tm_lease=NEVER)
    else:
        await other.open()
    assert await takes(store, one)
    assert not await takes(store, other)
    await one._loop.stop()  # it stands still, and renews nothing
    await store.run("keep_lease", id=one.id, name="", works=1, tm_lease=1)
    assert not await takes(store, other)  # its lease is over, and nobody has said yet that it is dead
    await other.bury()
    assert await takes(store, other)
    await one.check()
    await one._renew()
    assert [row.node_id for row in await store.all("bind_slots")] == [other.id]
    assert not await takes(store, one)
    await other.close()
    assert await takes(store, one)
    await one.close()


class Slow:
    """A store that answers so many questions more, in transactions and without, and none after them."""

    def __init__(self, verbs: Any) -> None:
        self._verbs, self.answers = verbs, asyncio.Semaphore(100)

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._verbs, name)
        return self._late(verb) if name in ("one", "all", "run", "many", "change", "expect") else verb

    def _late(self, verb: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def ask(*args: Any, **kwargs: Any) -> Any:
            await self.answers.acquire()
            return await verb(*args, **kwargs)

        return ask

    async def transaction(self, unit: Callable[[Any], Any]) -> Any:
        def asked(tx: Any) -> Any:
            slow = Slow(tx)
            slow.answers = self.answers
            return unit(slow)

        return await self._verbs.transaction(asked)


async def test_a_lease_is_renewed_by_the_first_answer_of_a_slow_store(postgres_server: str) -> None:
    store = await PostgresStore.open(postgres.new_database(postgres_server))
    slow = Slow(store)
    node = Node(slow)
    try:
        await node.open()
        before, slow.answers = node.lease.until, asyncio.Semaphore(1)
        async with asyncio.timeout(PATIENCE_S):
            await node._renew()
        assert node.lease.until > before
    finally:
        slow.answers = asyncio.Semaphore(100)
        await node.close()
        await store.close()


async def test_a_duty_is_one_nodes_until_that_ends(store: Store) -> None:
    one, other = Node(store), Node(store)
    for node in (one, other):
        await store.run("keep_lease", id=node.id, name="", works=1, tm_lease=NEVER)
    assert await Duty(store, one, "sweeps").is_mine()
    assert not await Duty(store, other, "sweeps").is_mine()
    assert await Duty(store, other, "another").is_mine()
    await one.close()
    assert await Duty(store, other, "sweeps").is_mine()


async def takes(store: Store, node: Node) -> bool:
    return bool(await store.many("take_slot", [{"carrier_id": "c", "slot": 0, "node_id": node.id}]))
