"""A time in which the store can be read but not written, as with a disk that is full or a server that stands by."""

import asyncio
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg

END_ALL = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1"
"""Each is waited for, as long as five seconds: who asks next meets none that is about to end."""

Outage = Callable[[], AbstractAsyncContextManager[None]]


def outage_of(database_url: str) -> Outage:
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
    await connection.execute(END_ALL, name)
    await connection.close()
    await asyncio.sleep(0.02)  # until those who were connected have noticed
