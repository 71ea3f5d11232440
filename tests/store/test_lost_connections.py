"""PostgreSQL is lost in the middle of something: whoever asked is told that the store is unavailable."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from messagehub.errors import Unavailable, Unsettled
from messagehub.store import Store, Tx, open_store, queries
from tests.chaos.proxy import Proxy
from tests.support import postgres
from tests.support.postgres import Server

NODE = {"id": "n", "name": "n", "works": 1, "tm_lease": 1}


@pytest.fixture
def server() -> Iterator[Server]:
    opened = Server()
    opened.start()
    try:
        yield opened
    finally:
        opened.remove()


async def test_a_server_that_dies_in_a_transaction_is_unavailable_and_its_return_is_noticed(server: Server) -> None:
    store = await open_store(postgres.new_database(server.url))
    try:

        async def unit(tx: Tx) -> None:
            await tx.one("clock")
            server.kill()
            await tx.one("clock")

        with pytest.raises(Unavailable):
            await store.transaction(unit)
        with pytest.raises(Unavailable):
            await store.one("clock")
        server.start()
        assert await store.one("clock")
    finally:
        await store.close()


async def test_a_server_that_dies_before_it_has_answered_a_commit_leaves_open_what_became_of_it(server: Server) -> None:
    store = await open_store(postgres.new_database(server.url))

    async def unit(tx: Tx) -> None:
        await tx.run("keep_lease", **NODE)
        server.kill()

    try:
        with pytest.raises(Unsettled, match="did not say whether it has committed"):
            await store.transaction(unit)
    finally:
        await store.close()


class Line(Proxy):
    """Carries all that is asked; once it is `mute`, it ends at the first answer."""

    mute = False

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_to_server = writer.get_extra_info("peername")[1] == self.target
        while octets := await reader.read(65536):
            if self.mute and not is_to_server:
                return
            writer.write(octets)


@pytest.fixture
async def far(postgres_server: str) -> AsyncIterator[tuple[Store, Store, Line]]:
    """A store that is reached over a line, the same reached directly, and the line."""
    url, port = postgres.new_database(postgres_server), postgres_server.rpartition(":")[2]
    line = Line(int(port))
    line.open()
    there, here = await open_store(url.replace(port, str(line.port))), await open_store(url)
    try:
        yield there, here, line
    finally:
        await there.close()
        await here.close()
        line.close()


async def test_a_commit_whose_answer_is_lost_is_not_told_as_undone(far: tuple[Store, Store, Line]) -> None:
    there, here, line = far

    async def unit(tx: Tx) -> None:
        await tx.run("keep_lease", **NODE)
        line.mute = True

    with pytest.raises(Unsettled):
        await there.transaction(unit)
    line.mute = False
    assert [node.id for node in await here.all("nodes_at_work")] == ["n"]
    assert [node.id for node in await there.all("nodes_at_work")] == ["n"]


async def test_neither_is_a_single_change(far: tuple[Store, Store, Line]) -> None:
    there, here, line = far
    await there.run("keep_lease", **NODE)
    await there.run("drop_lease", id="n")  # else it would only be prepared, with an answer to that
    await here.run("keep_lease", **NODE)
    line.mute = True
    with pytest.raises(Unsettled):
        await there.run("drop_lease", id="n")
    assert await here.all("nodes_at_work") == []
    line.mute = False
    await there.many("drop_lease", [NODE])
    await here.run("keep_lease", **NODE)
    line.mute = True
    with pytest.raises(Unsettled):
        await there.many("drop_lease", [NODE])
    assert await here.all("nodes_at_work") == []


async def test_who_only_read_hears_no_doubt(far: tuple[Store, Store, Line]) -> None:
    there, _, line = far

    async def unit(tx: Tx) -> None:
        await tx.one("clock")
        line.mute = True

    with pytest.raises(Unavailable) as told:
        await there.transaction(unit)
    assert not isinstance(told.value, Unsettled)
    line.mute = False
    assert await there.one("clock")
    line.mute = True
    with pytest.raises(Unavailable) as told:
        await there.one("clock")
    assert not isinstance(told.value, Unsettled)


def test_no_query_that_seems_to_read_writes() -> None:
    reading = [query.sql for query in queries.load("postgres").values() if not query.writes]
    assert len(reading) > 50
    assert not [sql for sql in reading if re.search(r"\b(INSERT INTO|UPDATE (?!OF)\w+ SET|DELETE FROM)\b", sql)]


async def test_what_the_driver_says_of_a_commit_without_a_connection_is_no_fault_of_the_program(
    postgres_server: str,
) -> None:
    store = await open_store(postgres.new_database(postgres_server))

    async def unit(tx: Tx) -> None:
        raise asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")

    try:
        with pytest.raises(Unavailable, match="another operation"):
            await store.transaction(unit)
    finally:
        await store.close()


async def test_of_several_servers_the_one_that_can_be_written_is_taken(postgres_server: str) -> None:
    """As of a primary and its standby, in whatever order the address names them."""
    url = postgres.new_database(postgres_server)
    place = url.rpartition("@")[2].partition("/")[0]
    with_standby = url.replace(place, f"127.0.0.1:1,{place}") + "?target_session_attrs=read-write"
    store = await open_store(with_standby)
    try:
        assert await store.one("clock")
    finally:
        await store.close()
