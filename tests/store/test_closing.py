"""A store that is closed: what it has begun comes to an end, and who asks for more is told no."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from messagehub.errors import Unavailable, Unsettled
from messagehub.store import Insert, Store, open_store
from messagehub.store import postgres as module
from tests.messages.house import eventually_so
from tests.store.test_conformance import ids, route

WITHIN_S = 10
LOCKED = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(params=("sqlite", "beside", "postgres"))
def kind(request: pytest.FixtureRequest) -> str:
    """SQLite with a thread that writes, and with a process."""
    kind: str = request.param
    return kind


async def write(store: Store, id: str) -> None:
    async with asyncio.timeout(WITHIN_S):
        await store.write([Insert("insert_route", [route(id)])])


async def test_a_store_that_is_closed_takes_no_more_to_write(database_url: str, kind: str) -> None:
    store = await open_store(database_url, beside=kind == "beside")
    await store.close()
    with pytest.raises(Unavailable, match="closed"):
        await write(store, "a")


@asynccontextmanager
async def in_the_middle_of_a_commit(url: str) -> AsyncIterator[tuple[Store, asyncio.Task[None], asyncpg.Connection]]:
    """A store, what it has begun to write, and the connection in whose transaction a lock holds that up."""
    store, holder = await open_store(url), await asyncpg.connect(url)
    watcher = await asyncpg.connect(url)
    try:
        await holder.execute("BEGIN; LOCK TABLE routes")
        writing = asyncio.create_task(write(store, "a"))
        await eventually_so(lambda: watcher.fetchval(LOCKED), "it waits")
        yield store, writing, holder
    finally:
        await holder.close()
        await watcher.close()
        await store.close()


@pytest.mark.parametrize("kind", ["postgres"], indirect=True)
async def test_what_is_being_committed_when_the_store_is_closed_is_written_and_answered(database_url: str) -> None:
    async with in_the_middle_of_a_commit(database_url) as (store, writing, holder):
        closing = asyncio.create_task(store.close())
        await asyncio.wait([closing], timeout=0.05)
        await holder.execute("COMMIT")
        await asyncio.gather(writing, closing)
    again = await open_store(database_url)
    assert await ids(again) == ["a"]
    await again.close()


@pytest.mark.parametrize("kind", ["postgres"], indirect=True)
async def test_who_waits_for_a_commit_that_takes_too_long_for_the_end_is_told_so(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSE_S", 0.1)
    async with in_the_middle_of_a_commit(database_url) as (store, writing, _):
        behind = asyncio.create_task(write(store, "b"))
        await asyncio.sleep(0)
        await store.close()
        told = await asyncio.gather(writing, behind, return_exceptions=True)
    assert [type(error) for error in told] == [Unsettled, Unavailable]
