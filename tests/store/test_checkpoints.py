"""The log of a SQLite file begins anew under load, and whoever reads for long holds up nobody."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import apsw
import pytest

from messagehub.store import Insert, Store, open_store
from messagehub.store.connection import LOG_PAGES
from tests.store.test_conformance import route

ROW = 64 * 1024
LOG = LOG_PAGES * 4096
NUMBERS = count()


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


def log(folder: Path) -> int:
    return (folder / "hub.db-wal").stat().st_size


async def test_the_log_begins_anew_while_all_want_to_commit(store: Store, tmp_path: Path) -> None:
    rows = await fill(store, 8 * LOG)
    assert log(tmp_path) < 4 * LOG
    assert len(await store.all("live_routes")) == rows
    for row in apsw.Connection(str(tmp_path / "hub.db")).execute("PRAGMA integrity_check"):
        assert row == ("ok",)


async def test_whoever_reads_for_long_only_makes_the_log_longer(store: Store, tmp_path: Path) -> None:
    await fill(store, ROW * 8)
    reader = apsw.Connection(str(tmp_path / "hub.db"))
    reader.execute("BEGIN")
    before = list(reader.execute("SELECT COUNT(*) FROM routes"))
    await fill(store, 4 * LOG)
    assert log(tmp_path) > 4 * LOG
    assert list(reader.execute("SELECT COUNT(*) FROM routes")) == before
    reader.execute("COMMIT")
    await fill(store, 4 * LOG)
    assert log(tmp_path) < 4 * LOG  # it has been cut, and has begun anew
