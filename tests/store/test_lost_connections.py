"""PostgreSQL is lost in the middle of something: whoever asked is told that the store is unavailable."""

from collections.abc import Iterator

import asyncpg
import pytest

from messagehub.errors import Unavailable, Unsettled
from messagehub.store import Tx, open_store
from tests.support import postgres
from tests.support.postgres import Server


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
        await tx.one("clock")
        server.kill()

    try:
        with pytest.raises(Unsettled, match="did not say whether it has committed"):
            await store.transaction(unit)
    finally:
        await store.close()


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
