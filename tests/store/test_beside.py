"""A process that writes a SQLite store: it lives and dies with the one that it writes for, and neither lies."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from messagehub.batches import batch
from messagehub.errors import RolledBack, StoreError, Unavailable
from messagehub.metrics import COUNTS
from messagehub.store import Insert, Store, Tx, open_store
from messagehub.store.beside import SocketLine
from messagehub.store.committer import Ended
from messagehub.store.jobs import Open, Opened
from messagehub.store.sqlite import MANY, MAX_WAITING
from tests.front.test_life import Load, is_alive
from tests.store.test_conformance import ids, route, target
from tests.support import hub as hubs
from tests.support import numbering, simulator
from tests.support.hub import Hub
from tests.support.process import ENDS_WITHIN_S
from tests.support.settled import settled
from tests.support.simulator import Simulator
from tests.support.waiting import until

MESSAGES = 400


@pytest.fixture(params=("sqlite", "beside"))
def kind(request: pytest.FixtureRequest) -> str:
    """Both ways of writing."""
    kind: str = request.param
    return kind


@pytest.fixture
async def store(kind: str, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path}/hub.db", beside=kind == "beside")
    yield opened
    await opened.close()


# --- units ------------------------------------------------------------------------------


async def test_a_unit_that_is_given_up_in_its_middle_is_undone_and_holds_up_nobody(store: Store) -> None:
    asked = asyncio.Event()

    async def unit(tx: Tx) -> None:
        await tx.run("insert_route", **route("given up"))
        asked.set()
        await ids(tx)

    given_up = [asyncio.create_task(store.transaction(unit)) for _ in range(3)]
    await asked.wait()
    for task in given_up:
        task.cancel()
    await store.write([Insert("insert_route", [route("kept")])])
    assert {type(error) for error in await asyncio.gather(*given_up, return_exceptions=True)} == {
        asyncio.CancelledError
    }
    assert await ids(store) == ["kept"]


async def test_units_that_lock_a_row_change_it_one_after_the_other(store: Store) -> None:
    await store.write([Insert("insert_route", [route("a", weight=0)])])

    async def unit(tx: Tx) -> int:
        row = await tx.one("route_for_change", id="a")
        assert row
        await tx.run("update_route", **{**row._asdict(), "weight": row.weight + 1})
        return int(row.weight)

    assert await asyncio.gather(*(store.transaction(unit) for _ in range(20))) == list(range(20))


@pytest.mark.parametrize("how", ["write", "transaction"])
async def test_many_rows_are_written_while_the_loop_is_busy(store: Store, tmp_path: Path, how: str) -> None:
    rows = [route(f"{n:02}") for n in range(MANY)]

    async def unit(tx: Tx) -> None:
        await tx.many("insert_route", rows)

    writing = store.write([Insert("insert_route", rows)]) if how == "write" else store.transaction(unit)
    written = asyncio.ensure_future(writing)
    await asyncio.sleep(0)
    with closing(apsw.Connection(str(tmp_path / "hub.db"))) as reader:
        count = "SELECT COUNT(*) FROM routes"
        until(lambda: list(reader.execute(count)) == [(MANY,)], "they are on disk")  # and the loop stands still
    assert not written.done()
    await written


async def test_a_unit_that_only_looks_costs_no_commit(store: Store) -> None:
    await store.write([Insert("insert_route", [route("a")])])
    before = sum(COUNTS.commit_units.counts)

    async def unit(tx: Tx) -> list[str]:
        return await ids(tx) + await ids(tx)

    assert await store.transaction(unit) == ["a", "a"]
    assert sum(COUNTS.commit_units.counts) == before


async def test_what_was_changed_meanwhile_has_the_unit_run_again(store: Store) -> None:
    await store.write([Insert("insert_target", [target("m", 0)])])
    hand = [{"message_id": "m", "n": 0, "due_at": 5, "holder": "h", "parts": 1, "attempts": 1}]
    runs: list[int] = []

    async def unit(tx: Tx) -> int:
        runs.append(len(runs))
        if len(runs) == 1:
            await tx.run("insert_route", **route("taken back"))
            await tx.expect("hand_target", hand)
            await tx.expect("hand_target", hand)
        return len(runs)

    company = store.write([Insert("insert_route", [route("a")])])
    _, result = await asyncio.gather(company, store.transaction(unit))
    assert result == 2
    assert await ids(store) == ["a"]
    with pytest.raises(RolledBack):
        await store.expect("hand_target", [{**hand[0], "n": 7}])


async def test_a_unit_cannot_go_on_after_it_has_failed(store: Store) -> None:
    await store.write([Insert("insert_route", [route("a")])])

    async def unit(tx: Tx) -> str:
        await tx.run("insert_route", **route("b"))
        await tx.run("insert_route", **route("a"))
        try:
            await ids(tx)
        except StoreError:
            return "as if nothing had happened"
        return ""

    with pytest.raises(StoreError):
        await store.transaction(unit)
    assert await ids(store) == ["a"]


async def test_a_unit_awaits_only_its_transaction(store: Store) -> None:
    async def unit(tx: Tx) -> None:
        await tx.run("insert_route", **route("a"))
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="awaits only"):
        await store.transaction(unit)
    assert await ids(store) == []


async def test_what_cannot_be_written_costs_only_whoever_gave_it(store: Store) -> None:
    given = [route("a"), route("b", name=object()), route("c", name="\ud800"), route("d", weight=2**70), route("e")]
    answers = await asyncio.gather(
        *(store.write([Insert("insert_route", [row])]) for row in given), return_exceptions=True
    )
    assert [isinstance(answer, StoreError) for answer in answers] == [False, True, True, True, False]
    assert await ids(store) == ["a", "e"]


async def test_however_much_a_unit_writes_and_reads_at_once_the_server_lives(store: Store) -> None:
    body = bytes(1_000_000)
    rows = [{"message_id": "m", "id": f"{n}", "body": body} for n in range(70)]

    async def unit(tx: Tx) -> int:
        await tx.many("insert_event_body", rows)
        return sum(len(row.body) for row in await tx.many("event_body", rows))

    assert await store.transaction(unit) == 70_000_000


async def test_more_than_can_wait_is_refused(store: Store) -> None:
    given = [store.write([Insert("insert_route", [route(f"{n:04}")])]) for n in range(MAX_WAITING + 50)]
    answers = await asyncio.gather(*given, return_exceptions=True)
    assert [type(answer) for answer in answers[-50:]] == [Unavailable] * 50
    assert len(await ids(store)) == MAX_WAITING


async def test_closing_commits_what_waits(store: Store, tmp_path: Path) -> None:
    writing = [asyncio.create_task(store.write([Insert("insert_route", [route(f"{n:02}")])])) for n in range(30)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writing)
    again = await open_store(f"sqlite:///{tmp_path}/hub.db")
    assert len(await ids(again)) == 30
    await again.close()


# --- its life ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator.simulator(tmp_path_factory.mktemp("box")) as opened:
        yield opened


@pytest.fixture
def own(tmp_path: Path, box: Simulator) -> Iterator[Hub]:
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, writer="process") as opened:
        opened.lead_to(box, dlr_timeout=60, response_timeout=10)
        yield opened


def writer_of(hub: Hub) -> int:
    return hub.child("messagehub.store.beside")


def test_its_environment_holds_no_setting_and_no_key(own: Hub) -> None:
    assert b"MESSAGEHUB_" not in Path(f"/proc/{writer_of(own)}/environ").read_bytes()


def test_when_it_dies_all_ends_and_nothing_that_was_accepted_is_lost(own: Hub) -> None:
    account = own.customer()
    load, writer = Load(account), writer_of(own)
    with ThreadPoolExecutor(1) as beside:
        posting = beside.submit(load.post, numbering.somebodies(MESSAGES))
        until(lambda: len(load.accepted) > MESSAGES // 4, "messages are accepted")
        os.kill(writer, signal.SIGKILL)
        assert own.process
        assert own.process.wait(ENDS_WITHIN_S) == 1
        posting.result()
    assert "the process that writes the store has died with code -9" in own.log
    own.start()
    assert writer_of(own) != writer
    final = settled(account.api, load.accepted, within=30)
    assert {message["status"] for message in final.values()} == {"delivered"}


def test_it_does_not_outlive_a_server_that_is_killed_and_the_next_one_starts_at_once(own: Hub) -> None:
    writer = writer_of(own)
    own.kill()
    own.start()
    assert not is_alive(writer)


def test_nobody_else_serves_the_store_while_it_may_still_commit(own: Hub, tmp_path: Path) -> None:
    held = [os.readlink(file) for file in Path(f"/proc/{writer_of(own)}/fd").iterdir()]
    assert f"{tmp_path}/hub.db.lock" in held
    other = Hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, "other")
    with pytest.raises(AssertionError, match="served by another process"):
        other.start()
    other.close()


def test_it_ends_without_a_word_when_a_start_is_cut_short(tmp_path: Path) -> None:
    ours, its = socket.socketpair()
    with ours, its, (tmp_path / "lock").open("w") as lock:
        files = (its.fileno(), lock.fileno())
        ours.sendall(batch([Open(f"{tmp_path}/hub.db")]))
        ours.close()
        command = [sys.executable, "-m", "messagehub.store.beside", *map(str, (*files, os.getpid()))]
        done = subprocess.run(command, pass_fds=files, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_server_that_was_killed_before_it_had_read_all_is_gone_like_any_other() -> None:
    ours, its = socket.socketpair()
    with its:
        line = SocketLine(its)
        line.give([Opened("")])
        ours.close()
        with pytest.raises(Ended):
            line.take(wait=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_of_the_terminal_do_not_end_it_before_its_server(own: Hub, number: signal.Signals) -> None:
    account = own.customer()
    load, writer = Load(account), writer_of(own)
    with ThreadPoolExecutor(1) as beside:
        posting = beside.submit(load.post, numbering.somebodies(MESSAGES))
        until(lambda: len(load.accepted) > MESSAGES // 4, "messages are accepted")
        os.kill(writer, number)
        own.tell(number)
        assert own.process
        assert own.process.wait(ENDS_WITHIN_S) == 0
        posting.result()
    assert not is_alive(writer)
    own.start()
    settled(account.api, load.accepted, within=30)
