"""What is accepted while there is room is handed over in the same commit; what is under way needs no reading."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from messagehub import clock
from messagehub.carriers.carrier import Accepted, Refused, TargetKey
from messagehub.errors import Unavailable
from messagehub.messages import entering, live
from messagehub.messages.lanes import NORMAL
from messagehub.messages.live import Live
from messagehub.messages.status import Status
from messagehub.messages.target import Target
from messagehub.shapes import Message
from messagehub.store import Row, Store, Tx
from tests.messages.house import ANNE, BERT, CARL, PATIENCE_S, House, eventually
from tests.messages.peer import Peer
from tests.messages.queued import queue


@pytest.fixture
async def quiet(store: Store) -> AsyncIterator[House]:
    """A house without an exchange."""
    opened = House(store)
    await opened.furnish()
    yield opened
    await opened.close()


async def free(quiet: House, **more: Any) -> Any:
    """An exchange that has looked for what is due, and found nothing."""
    exchange = await quiet.open(**more)
    await eventually(lambda: not exchange._backlog)
    return exchange


async def test_what_there_is_room_for_is_handed_over_with_the_commit_that_accepts_it(quiet: House) -> None:
    await free(quiet)
    message = await quiet.send()
    assert [handover.key for handover in quiet.peer.handed] == [(message.id, 0)]
    row = await quiet.row((message.id, 0))
    assert (row.status, row.holder, row.attempts) == ("handed", "here", 1)
    assert message.targets[0].status == "queued"


async def test_no_more_is_handed_over_than_there_is_room_for_and_the_rest_follows(quiet: House) -> None:
    peer = Peer(window=2)
    await free(quiet, peer=peer)
    message = await quiet.send(ANNE, BERT, "+15550001111", text="x")
    assert len(peer.handed) == 2
    assert sorted(await quiet.statuses(message.id)) == ["handed", "handed", "queued"]
    peer.tell(*(Accepted(handover.key, [f"a{n}"]) for n, handover in enumerate(peer.handed)))
    await eventually(lambda: len(peer.handed) == 3)


async def test_nothing_passes_what_waits(quiet: House) -> None:
    peer = Peer(window=0)
    await quiet.open(peer)
    first = await queue(quiet)
    second = await quiet.send(BERT)
    assert await quiet.statuses(second.id) == ["queued"]
    peer.window = 1
    peer.tell()
    await eventually(lambda: peer.handed)
    assert peer.handed[0].key == first


@asynccontextmanager
async def standstill(quiet: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncio.Event]:
    """The transactions of the exchange stand still until the end; set once one does. What is accepted does not."""
    transaction, reached, go = quiet.store.transaction, asyncio.Event(), asyncio.Event()

    async def later(unit: Any) -> Any:
        reached.set()
        await go.wait()
        return await transaction(unit)

    with monkeypatch.context() as still:
        still.setattr(quiet.store, "transaction", later)
        try:
            yield reached
        finally:
            go.set()


async def test_a_look_for_what_is_due_leaves_room_for_what_is_accepted_meanwhile(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = await free(quiet, peer=(peer := Peer(window=4)))
    async with standstill(quiet, monkeypatch) as reached:
        exchange._look_everywhere()
        await reached.wait()
        await quiet.send(ANNE, BERT, CARL)
        assert len(peer.handed) == 3


@pytest.mark.parametrize("window", [100_000, 7])
async def test_what_comes_without_a_pause_waits_no_longer_than_the_backlog_and_keeps_its_order(
    quiet: House, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though something more comes during each claim; and where the window is filled again and again."""
    peer, transaction, said = Peer(window=0), quiet.store.transaction, defaultdict[str, list[str]](list)
    exchange, tasks = await quiet.open(peer), list[asyncio.Task[None]]()

    def accepted() -> int:
        return sum(map(len, said.values()))

    async def slowly(unit: Any) -> Any:
        before = accepted()
        await eventually(lambda: accepted() > before + 2 or all(task.done() for task in tasks))
        return await transaction(unit)

    async def go_on(to: str) -> None:
        while True:
            said[to].append((await quiet.send(to)).id)

    with monkeypatch.context() as slow:
        slow.setattr(quiet.store, "transaction", slowly)
        tasks += [asyncio.create_task(go_on(to)) for to in (ANNE, BERT, CARL)]
        await eventually(lambda: all(len(ids) > 3 for ids in said.values()))
        peer.window = window
        peer.tell()
        if window > 7:
            await eventually(lambda: peer.handed and not exchange._backlog)
        else:
            await eventually(lambda: answer(peer) > 50)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    all_of_them = {id for ids in said.values() for id in ids}
    await eventually(lambda: answer(peer) and {key[0] for key in handed(peer)} >= all_of_them)
    for to, in_order in said.items():
        assert [key[0] for key in handed(peer, to) if key[0] in in_order] == in_order


def answer(peer: Peer) -> int:
    """Accepts what is on its way; how much there was of it until now."""
    peer.tell(*(Accepted(one.key, [one.key[0]]) for one in peer.handed if peer.holds(one.key)))
    return len(peer.handed)


@asynccontextmanager
async def held_up(
    quiet: House, peer: Peer, monkeypatch: pytest.MonkeyPatch, until: asyncio.Event
) -> AsyncIterator[asyncio.Task[Message]]:
    """One message is told to wait, and gets into the store `until` then; the last claim of the backlog waits for it."""
    write, exchange = quiet.store.write, quiet.exchange_with(quiet.carrier_id)
    assert exchange

    async def late(inserts: Any) -> None:
        await until.wait()
        await write(inserts)

    with monkeypatch.context() as slow:
        slow.setattr(quiet.store, "write", late)
        first = asyncio.create_task(quiet.send())
        await eventually(lambda: exchange.entering.lanes)
    peer.window = 8
    peer.tell()
    await eventually(lambda: exchange._behind is not None)
    yield first
    until.set()


async def test_the_end_of_a_backlog_waits_for_what_was_before_it_and_for_nothing_else(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entering, "WAIT_S", PATIENCE_S)
    peer, write, go, go_all = Peer(window=0), quiet.store.write, asyncio.Event(), asyncio.Event()
    exchange = await quiet.open(peer)

    async def late(inserts: Any) -> None:
        await go_all.wait()
        await write(inserts)

    await quiet.send()
    async with held_up(quiet, peer, monkeypatch, go) as first:
        monkeypatch.setattr(quiet.store, "write", late)
        others = [asyncio.create_task(quiet.send()) for _ in range(12)]
        await eventually(lambda: exchange.entering.lanes)  # there is no room for some of them
        go.set()
        await eventually(lambda: len(peer.handed) == 2)
        assert handed(peer)[1] == ((await first).id, 0)
        go_all.set()
        ids = {message.id for message in await asyncio.gather(*others)}
    await eventually(lambda: answer(peer) and {key[0] for key in handed(peer)} >= ids)


async def test_the_end_of_a_backlog_does_not_wait_for_long(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    peer, go = Peer(window=0), asyncio.Event()
    exchange = await quiet.open(peer)
    some = [await quiet.send()]
    async with held_up(quiet, peer, monkeypatch, go) as slowest:
        for _ in range(3):  # as long as it takes, more than once
            some.append(await quiet.send())
            await eventually(lambda: len(peer.handed) == len(some))
        go.set()
        some.append(await slowest)
    await eventually(lambda: len(peer.handed) == 5)
    assert {key[0] for key in handed(peer)} == {one.id for one in some}
    await eventually(lambda: not exchange.entering.lanes and not exchange._backlog)


async def test_what_fills_the_store_during_the_last_claim_of_a_backlog_goes_before_what_comes_later(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entering, "WAIT_S", PATIENCE_S)
    peer, transaction = Peer(window=0), quiet.store.transaction
    exchange, go, go_on, in_order = await quiet.open(peer), asyncio.Event(), asyncio.Event(), list[str]()

    async def slowly(unit: Any) -> Any:
        """But for the first, which is the claim that was under way."""
        if exchange._behind_at != begun:
            before = len(in_order)
            go_on.set()
            await eventually(lambda: len(in_order) > before or stream.done())
        return await transaction(unit)

    async def come_later() -> None:
        await go_on.wait()
        while len(in_order) < 60:
            in_order.append((await quiet.send()).id)

    in_order.append((await quiet.send()).id)
    async with held_up(quiet, peer, monkeypatch, go) as first:
        some = await asyncio.gather(*(quiet.send() for _ in range(16)))
        in_order += [message.id for message in some]
        begun, stream = exchange._behind_at, asyncio.create_task(come_later())
        with monkeypatch.context() as slow:
            slow.setattr(quiet.store, "transaction", slowly)
            go.set()
            in_order.insert(1, (await first).id)
            await stream
    await eventually(lambda: answer(peer) == len(in_order))
    assert [key[0] for key in handed(peer)] == in_order


async def test_what_is_accepted_after_a_last_claim_that_failed_waits_behind_what_is_left(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer, go = Peer(window=0), asyncio.Event()
    exchange = await quiet.open(peer)
    in_order = [await quiet.send()]

    async def full(_: Any) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as broken:
        async with held_up(quiet, peer, monkeypatch, go) as second:
            broken.setattr(quiet.store, "transaction", full)
            go.set()
            in_order.append(await second)
            await eventually(lambda: exchange._behind is None)
        in_order.append(await quiet.send())
        assert [key[0] for key in handed(peer)] == [in_order[0].id]
    await eventually(lambda: [key[0] for key in handed(peer)] == [message.id for message in in_order])


async def test_what_is_more_urgent_is_not_held_back_behind_a_backlog(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = Peer(window=0)
    exchange = await quiet.open(peer)
    async with standstill(quiet, monkeypatch):
        first = await quiet.send()
        peer.window = 8
        exchange._is_nearly_through, exchange._backlog = True, {NORMAL}
        exchange._look_everywhere()
        await eventually(lambda: exchange._behind is not None)
        code, other = await quiet.send(class_="otp"), await quiet.send()
        assert [key[0] for key in handed(peer)] == [code.id]
    await eventually(lambda: [key[0] for key in handed(peer)] == [code.id, first.id, other.id])


def handed(peer: Peer, to: str = "") -> list[TargetKey]:
    return [handover.key for handover in peer.handed if not to or handover.destination == to]


async def test_a_commit_that_fails_gives_the_room_back(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer(window=1)
    await free(quiet, peer=peer)

    async def full(_: Any) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(quiet.store, "write", full)
        with pytest.raises(Unavailable):
            await quiet.send()
    assert peer.handed == []
    await quiet.send()
    assert len(peer.handed) == 1


async def test_an_exchange_that_closes_waits_for_what_is_being_accepted(quiet: House) -> None:
    exchange = await free(quiet)
    assert exchange.reserve(1, NORMAL)
    closing = asyncio.create_task(exchange.close(5))
    await asyncio.sleep(0.02)
    assert not closing.done()
    assert not exchange.reserve(1, NORMAL)
    exchange.release(1)
    await closing


async def test_news_of_what_is_under_way_need_no_reading(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await free(quiet)
    asked: list[str] = []
    (key,) = await quiet.handed()
    watch(quiet, asked, monkeypatch)
    quiet.peer.tell(Accepted(key, ["a"]))
    await quiet.until(key, "sent")
    await quiet.receipt("a", "delivered")
    await quiet.until(key, "delivered")
    assert asked == []
    assert await quiet.steps(key[0]) == [(1, ["sent"]), (2, ["delivered"])]


def watch(quiet: House, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes which of the queries for targets and segments are made with anything to ask for."""
    transaction = quiet.store.transaction

    async def watched(unit: Any) -> Any:
        async def inner(tx: Tx) -> Any:
            return await unit(Watching(tx, asked))

        return await transaction(inner)

    monkeypatch.setattr(quiet.store, "transaction", watched)


class Watching:
    def __init__(self, tx: Tx, asked: list[str]) -> None:
        self._tx, self._asked = tx, asked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)

    async def many(self, query: str, rows: Any) -> list[Row]:
        if rows and query in ("target_for_change", "segments_by_name"):
            self._asked.append(query)
        return await self._tx.many(query, rows)


async def test_what_another_node_did_meanwhile_is_seen(quiet: House) -> None:
    """It has rescued the target and handed it over again: the answer to the first try concludes nothing."""
    await free(quiet)
    (key,) = await quiet.handed()
    await quiet.store.run("keep_lease", id="there", name="", works=1, tm_lease=clock.NEVER)
    row = await quiet.row(key)
    seen = {"before": "handed", "seen_holder": "here", "seen_sequence": 0, "seen_receipts": ""}
    await quiet.store.run("move_target", **{**row._asdict(), **seen, "holder": "there"})
    quiet.peer.tell(Refused(key, "rejected"))
    other, ticket = await quiet.accepted(BERT, names=["b"]), object()
    assert ticket not in quiet.peer.answers
    assert (await quiet.row(key)).status == "handed"
    assert (await quiet.row(other)).status == "sent"


async def test_a_message_that_was_deleted_is_no_longer_spoken_of(quiet: House) -> None:
    await free(quiet)
    key = await quiet.accepted(names=["a"])
    await quiet.actor.delete(quiet.customer.id, key[0])
    before = await quiet.steps(key[0])
    await quiet.receipt("a", "delivered")
    await quiet.until(key, "delivered")
    assert await quiet.steps(key[0]) == before


async def test_a_receipt_for_another_destination_is_not_taken_for_its_own(quiet: House) -> None:
    """Two segments of one name: each receipt finds its own by the destination."""
    await free(quiet)
    first, second = await quiet.accepted(ANNE, names=["a"]), await quiet.accepted(BERT, names=["a"])
    await quiet.receipt("a", "delivered", ANNE)
    await quiet.until(first, "delivered")
    assert (await quiet.row(second)).status == "sent"
    await quiet.receipt("a", "delivered", BERT)
    await quiet.until(second, "delivered")


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST", 16)
    kept = Live()
    for n in range(100):
        target = Target(
            f"m{n}", 0, "c", ANNE, "", Status.SENT, parts=1, carrier_id="k", lane=0, due_at=1, source="",
            source_detail="", text="", on_doubt="", target_count=1, tm_create=0, names=["a", str(n)],
        )  # fmt: skip
        kept.keep([target])
    assert len(kept._targets) <= 16
    assert len(kept._names) <= 16
    assert kept.take(("m99", 0))
    assert kept.find("k", "99") == (("m99", 0), 1, 0, ANNE)
    assert not kept.take(("m0", 0))
