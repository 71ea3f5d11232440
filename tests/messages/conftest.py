import asyncio
import resource
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from messagehub.store import Store
from tests.messages.house import House
from tests.support import postgres

EMPTY = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration' LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
END $$
"""

Outage = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(scope="session")
def shared_database(postgres_server: str) -> str:
    return postgres.new_database(postgres_server)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    """An empty database. On PostgreSQL it is the last test's, emptied: to make one takes longer than most tests."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    url: str = request.getfixturevalue("shared_database")
    subprocess.run([postgres.binaries() / "psql", "-q", "-d", url, "-c", EMPTY], check=True)
    return url


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    opened = House(store)
    await opened.furnish()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def outage(database_url: str) -> Outage:
    """A time in which the store can be read but not written, as with a disk that is full or a server that stands by."""
    is_file = database_url.startswith("sqlite")
    return lambda: _full(database_url) if is_file else _standing_by(database_url)


@asynccontextmanager
async def _full(url: str) -> AsyncIterator[None]:
    """No file may grow beyond the length that the store's log has now."""
    length = _length(f"{url.removeprefix('sqlite:///')}-wal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _length(path: str) -> int:
    return Path(path).stat().st_size


@asynccontextmanager
async def _standing_by(url: str) -> AsyncIterator[None]:
    server, _, name = url.rpartition("/")
    await _read_only(server, name, "on")
    try:
        yield
    finally:
        await _read_only(server, name, "off")


async def _read_only(server: str, name: str, word: str) -> None:
    connection = await asyncpg.connect(f"{server}/postgres")
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {word}")
    await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    await connection.close()
    await asyncio.sleep(0.02)  # until those who were connected have noticed
