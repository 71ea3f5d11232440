"""A node, or the machine of the store, is gone and nobody says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from messagehub.errors import Unavailable
from messagehub.store import Insert, Tx
from messagehub.store import postgres as module
from messagehub.store.moving import Watcher, move, release
from messagehub.store.postgres import ANSWER_S, PostgresStore
from tests.chaos.proxy import Proxy
from tests.support import postgres

PATIENCE_S = 30
LOST = {"id": "lost", "name": "lost", "works": 1, "tm_lease": 1}


class Line(Proxy):
    """What was connected in a generation before leads nowhere, and nobody is told."""

    generation = 0

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = self.generation
        while octets := await reader.read(65536):
            if mine == self.generation:
                writer.write(octets)
        await asyncio.sleep(3600 if mine != self.generation else 0)


@asynccontextmanager
async def apart(server: str) -> AsyncIterator[tuple[PostgresStore, PostgresStore, Line]]:
    """A store that is reached directly, the same over a line that may break, and that line."""
    url, port = postgres.new_database(server), server.rpartition(":")[2]
    line = Line(int(port))
    line.open()
    there = await PostgresStore.open(url.replace(port, str(line.port)))
    here = await PostgresStore.open(url)
    try:
        yield here, there, line
    finally:
        line.close()
        await here.close()
        await there.close()


async def test_what_a_lost_node_had_locked_is_free_again_soon(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SESSION", module.SESSION.replace(f"'{ANSWER_S:g}s'", "'1s'"))
    has_locked = asyncio.Event()

    async def unit(tx: Tx) -> None:
        await tx.one("renew_lease", id="lost", lease=2)
        has_locked.set()
        await asyncio.sleep(60)

    async with apart(postgres_server) as (here, there, line):
        await here.run("keep_lease", **LOST)
        lost = asyncio.create_task(there.transaction(unit))
        await has_locked.wait()
        line.freeze()
        assert await here.one("renew_lease", id="lost", lease=3)
        line.cut()
        lost.cancel()
        await asyncio.gather(lost, return_exceptions=True)


async def test_the_server_looks_whether_a_quiet_connection_still_is_one(postgres_server: str) -> None:
    """TCP is to say in seconds, and not in two hours, that a machine is without power."""
    store = await PostgresStore.open(postgres.new_database(postgres_server))
    try:
        async with store._pool.acquire() as connection:
            told = {
                name: await connection.fetchval(f"SHOW {name}")
                for name in ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count")
            }
        assert told == {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "2"}
    finally:
        await store.close()


async def test_who_listens_notices_that_nobody_is_there_any_more(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's machine is gone, and its address leads to another; nothing came that could tell."""
    monkeypatch.setattr(module, "HEAR_S", 0.2, raising=False)
    monkeypatch.setattr(module, "ANSWER_S", 0.5)
    heard = asyncio.Event()

    async def is_heard() -> None:
        heard.clear()
        async with asyncio.timeout(PATIENCE_S):
            while not heard.is_set():
                here.notify("news")
                await asyncio.sleep(0.05)

    async with apart(postgres_server) as (here, there, line):
        there.listen("news", heard.set)
        await is_heard()
        line.generation += 1
        await is_heard()


async def test_who_stood_still_while_the_store_was_moved_away_does_nothing_with_it_any_more(
    postgres_server: str,
) -> None:
    """It was no living node, so nobody waited for it; its next commit would be lost, or send what the target sends."""
    url, other = postgres.new_database(postgres_server), postgres.new_database(postgres_server)
    store = await PostgresStore.open(url)
    try:
        await store.run("keep_lease", **LOST)
        await move(url, other, False, Watcher(lambda _: None, lambda _: None))
        for _ in range(3):
            with pytest.raises(Unavailable):
                await store.run("keep_lease", **LOST)
        with pytest.raises(Unavailable, match="was moved to another"):
            await store.one("clock")
        store.notify("news")
        await release(url)
        assert await store.one("clock")
        async with asyncio.timeout(PATIENCE_S):
            await store.write([Insert("insert_expiry", [{"message_id": "m", "due_at": 1}])])
    finally:
        await store.close()
