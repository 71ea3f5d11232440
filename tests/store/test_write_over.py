"""The log of a commit that has failed at its very end: what a start after a kill would find of it."""

import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from messagehub.errors import Unsettled
from messagehub.store.connection import Connection

BASE = "unix"
INDEX_PAGE = 32 * 1024
"""Octets of the log's index that stand for its first 4,062 pages."""


class Disk(apsw.VFS):
    """For what is opened meanwhile. Its logs call `at_sync` with how often they were synced since that was set."""

    def __init__(self) -> None:
        super().__init__("failing", BASE, makedefault=True)
        self.fail_from(0)

    def fail_from(self, count: int) -> None:
        """Each sync from this one on; none, where it is 0."""
        self.at_sync: Callable[[int], None] = lambda synced: _fail() if 0 < count <= synced else None
        self.synced = 0

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> apsw.VFSFile:
        if flags[0] & apsw.SQLITE_OPEN_WAL:
            return Log(self, name, flags)
        return apsw.VFSFile(BASE, name, flags)


class Log(apsw.VFSFile):
    def __init__(self, disk: Disk, name: apsw.URIFilename | str | None, flags: list[int]) -> None:
        self._disk = disk
        super().__init__(BASE, name, flags)

    def xSync(self, flags: int) -> None:
        self._disk.synced += 1
        self._disk.at_sync(self._disk.synced)
        super().xSync(flags)


def _fail() -> None:
    error: Any = apsw.IOError("no room for what was written")
    error.result, error.extendedresult = apsw.SQLITE_IOERR, apsw.SQLITE_IOERR_FSYNC
    raise error


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    made.unregister()


@pytest.fixture
def connection(tmp_path: Path, disk: Disk) -> Iterator[Connection]:
    opened = Connection(str(tmp_path / "hub.db"))
    opened.plain("CREATE TABLE kept (octets)")
    opened.plain("INSERT INTO kept VALUES ('before')")
    yield opened
    disk.fail_from(0)
    opened.close()


def commit(connection: Connection, octets: str | bytes) -> None:
    connection.plain("BEGIN IMMEDIATE")
    connection.plain("INSERT INTO kept VALUES (?)", octets)
    connection.commit()


def unsettled(connection: Connection, octets: str | bytes = "refused") -> None:
    with pytest.raises(Unsettled):
        commit(connection, octets)
    connection.roll_back()


def found(folder: Path) -> int:
    """How many rows there would be after a kill."""
    copy = folder / "copy"
    copy.mkdir()
    for file in (*folder.glob("hub.db"), *folder.glob("hub.db-wal")):
        shutil.copy(file, copy)
    opened = apsw.Connection(str(copy / "hub.db"), vfs=BASE)
    rows: int = opened.execute("SELECT count(*) FROM kept").get
    opened.close()
    shutil.rmtree(copy)
    return rows


def test_in_a_log_that_grows(connection: Connection, disk: Disk, tmp_path: Path) -> None:
    disk.fail_from(1)
    unsettled(connection)
    assert found(tmp_path) == 2
    assert connection.write_over()
    assert found(tmp_path) == 1


def test_in_a_log_that_begins_anew(connection: Connection, disk: Disk, tmp_path: Path) -> None:
    """Its head is synced by itself before anything is written behind it."""
    connection.write_back()
    disk.fail_from(2)
    unsettled(connection)
    assert found(tmp_path) == 2
    assert connection.write_over()
    assert found(tmp_path) == 1


@contextmanager
def full_index(disk: Disk) -> Iterator[None]:
    """From the next sync on, the log's index cannot grow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    disk.at_sync = lambda _: resource.setrlimit(resource.RLIMIT_FSIZE, (INDEX_PAGE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        disk.fail_from(0)


def test_where_the_index_of_the_log_cannot_grow(connection: Connection, disk: Disk, tmp_path: Path) -> None:
    with full_index(disk):
        unsettled(connection, bytes(20_000_000))
    assert found(tmp_path) == 2
    assert connection.write_over()
    assert found(tmp_path) == 1


def test_not_while_another_process_writes(connection: Connection, disk: Disk, tmp_path: Path) -> None:
    disk.fail_from(1)
    unsettled(connection)
    disk.fail_from(0)
    another = apsw.Connection(str(tmp_path / "hub.db"))
    another.execute("BEGIN IMMEDIATE")
    assert not connection.write_over()
    another.execute("ROLLBACK")
    another.close()
    assert connection.write_over()
    assert found(tmp_path) == 1


def test_what_is_committed_afterwards_is_kept(connection: Connection, disk: Disk, tmp_path: Path) -> None:
    connection.write_back()
    disk.fail_from(2)
    unsettled(connection)
    assert connection.write_over()
    disk.fail_from(0)
    commit(connection, "after")
    assert found(tmp_path) == 2
    assert connection.plain("SELECT octets FROM kept") == [("before",), ("after",)]
