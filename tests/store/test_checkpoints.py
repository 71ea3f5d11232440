"""The log of a SQLite file begins anew under load; neither who reads for long nor a bad disk holds up anybody."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import apsw
import pytest

from messagehub.store import Insert, Store, checkpoints, open_store
from messagehub.store.checkpoints import Checkpoints
from messagehub.store.connection import LOG_PAGES, Connection
from tests.store.test_conformance import route
from tests.support.waiting import until

ROW = 64 * 1024
LOG = LOG_PAGES * 4096
NUMBERS = count()


# --- the whole store --------------------------------------------------------------------


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite:///{tmp_path}/hub.db", beside=True)
    yield opened
    await opened.close()


async def fill(store: Store, octets: int) -> int:
    """Commits so much, without a pause in which nobody wants to commit; how many rows that is."""
    rows = octets // ROW

    async def fill_some() -> None:
        for _ in range(rows // 8):
            await store.write([Insert("insert_route", [route(f"{next(NUMBERS):09}", name="x" * ROW)])])

    await asyncio.gather(*(fill_some() for _ in range(8)))
    return rows // 8 * 8


async def fill_until_the_log_is_short(store: Store, folder: Path) -> int:
    """It is cut when it begins anew. How many rows it took."""
    rows = 0
    for _ in range(30):
        rows += await fill(store, LOG)
        if (folder / "hub.db-wal").stat().st_size < 3 * LOG and rows > 3 * LOG // ROW:
            return rows
    raise AssertionError("the log has not begun anew")


async def test_the_log_begins_anew_while_all_want_to_commit(store: Store, tmp_path: Path) -> None:
    rows = await fill_until_the_log_is_short(store, tmp_path)
    assert len(await store.all("live_routes")) == rows
    with closing(apsw.Connection(str(tmp_path / "hub.db"))) as reader:
        assert list(reader.execute("PRAGMA integrity_check")) == [("ok",)]


async def test_whoever_reads_for_long_only_makes_the_log_longer(store: Store, tmp_path: Path) -> None:
    await fill(store, ROW * 8)
    with closing(apsw.Connection(str(tmp_path / "hub.db"))) as reader:
        reader.execute("BEGIN")
        before = list(reader.execute("SELECT COUNT(*) FROM routes"))
        await fill(store, 4 * LOG)
        assert (tmp_path / "hub.db-wal").stat().st_size > 4 * LOG
        assert list(reader.execute("SELECT COUNT(*) FROM routes")) == before
        reader.execute("COMMIT")
        await fill_until_the_log_is_short(store, tmp_path)


# --- page by page -----------------------------------------------------------------------

FEW = 20
"""Pages after which a log is written back here."""


class Log:
    """A file with a log, whose commits are counted."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "few.db")
        self.connection = Connection(self.path)
        self.connection.plain("CREATE TABLE t (v BLOB)")
        self.connection.plain(f"PRAGMA wal_autocheckpoint = {FEW}")
        self.checkpoints = Checkpoints(self.path, self.connection)

    def commit(self, times: int = 1, *, pause: bool = True) -> None:
        for _ in range(times):
            self.connection.plain("INSERT INTO t VALUES (randomblob(3000))")
            if pause:
                self.checkpoints.between_commits()

    @property
    def salt(self) -> bytes:
        """It is another one whenever the log begins anew (the WAL format of SQLite, section 4.1)."""
        return Path(f"{self.path}-wal").read_bytes()[16:24]

    @property
    def pages(self) -> int:
        """In the log, each with a head of its own."""
        return Path(f"{self.path}-wal").stat().st_size // (4096 + 24)

    def begins_anew(self) -> bool:
        before = self.salt
        self.commit()
        return self.salt != before


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(checkpoints, "LOG_PAGES", FEW)
    monkeypatch.setattr(checkpoints, "LITTLE", FEW // 4)
    opened = Log(tmp_path)
    yield opened
    assert opened.checkpoints.close()
    opened.connection.close()


def test_no_commit_waits_for_the_log(log: Log) -> None:
    before = log.salt
    log.commit(20 * FEW, pause=False)
    assert log.salt == before


def test_between_commits_what_is_left_is_written_back(log: Log) -> None:
    log.commit(FEW)
    until(log.begins_anew, "the log begins anew")
    log.commit(FEW)
    until(log.begins_anew, "and once more")


def test_commits_that_change_nothing_ask_for_nothing(log: Log) -> None:
    log.commit(FEW)
    until(log.begins_anew, "the log begins anew")
    passes = passes_of(log)
    for _ in range(200):
        log.connection.plain("BEGIN IMMEDIATE")
        log.connection.plain("COMMIT")
        log.checkpoints.between_commits()
    assert len(passes) <= checkpoints.PASSES


def passes_of(log: Log) -> list[int]:
    """Grows by one for each pass of the thread over the log."""
    passes: list[int] = []
    beside = log.checkpoints._beside
    real = beside.write_back

    def counted() -> int:
        passes.append(1)
        return real()

    beside.write_back = counted  # type: ignore[method-assign]
    return passes


def test_what_fails_is_tried_again_when_the_log_has_grown(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fails(_: Connection) -> int:
        tried.append(1)
        raise apsw.IOError("a bad disk")

    with monkeypatch.context() as broken:
        broken.setattr(Connection, "write_back", fails)
        for _ in range(10 * FEW):
            log.commit()
            time.sleep(0.001)
        assert 1 < len(tried) <= log.pages // FEW + 1
    log.commit(2 * FEW)
    until(log.begins_anew, "the log begins anew")


def test_a_reader_is_not_asked_again_and_again(log: Log) -> None:
    log.commit()
    with closing(apsw.Connection(log.path)) as reader:
        reader.execute("BEGIN")
        list(reader.execute("SELECT COUNT(*) FROM t"))
        passes, before = passes_of(log), log.salt
        for _ in range(10 * FEW):
            log.commit()
            time.sleep(0.001)
        assert log.salt == before
        assert 1 < len(passes) <= 2 * (log.pages // FEW + 1)
        reader.execute("COMMIT")
    log.commit(2 * FEW)
    until(log.begins_anew, "the log begins anew")


@pytest.mark.parametrize("commits", [0, FEW, 3 * FEW])
def test_it_ends_whatever_it_is_at(log: Log, commits: int) -> None:
    log.commit(commits)
    begun = time.monotonic()
    assert log.checkpoints.close()
    assert time.monotonic() - begun < checkpoints.END_S
    log.checkpoints = Checkpoints(log.path, log.connection)


COMMITS = """
import os, sys
from messagehub.store import checkpoints
from messagehub.store.connection import Connection

checkpoints.LOG_PAGES, checkpoints.LITTLE = 20, 5
connection = Connection(sys.argv[1])
connection.plain("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, v BLOB)")
beside = checkpoints.Checkpoints(sys.argv[1], connection)
for n in range(int(sys.argv[2]), 10**9):
    connection.plain("INSERT INTO t VALUES (?, randomblob(3000))", n)
    os.write(1, f"{n}\\n".encode())
    beside.between_commits()
"""


def test_a_kill_in_the_midst_of_it_loses_nothing(tmp_path: Path) -> None:
    path, begin = str(tmp_path / "killed.db"), 0
    for kill in range(8):
        with subprocess.Popen([sys.executable, "-c", COMMITS, path, str(begin)], stdout=subprocess.PIPE) as child:
            assert child.stdout
            for _ in range(100 + 37 * kill):
                told = child.stdout.readline()
            child.kill()
            *_, told = [told, *child.stdout.read().splitlines()]
        with closing(apsw.Connection(path)) as after:
            assert list(after.execute("PRAGMA integrity_check")) == [("ok",)]
            ((count, last),) = list(after.execute("SELECT COUNT(*), MAX(n) FROM t"))
        assert count == last + 1  # nothing is missing in the midst
        assert last >= int(told)
        begin = last + 1
