"""Migrating a PostgreSQL database, beside processes that use it.

One process migrates, the others wait for it. They ask for the advisory lock again and again: one that waited for it
within a statement would hold a snapshot, for whose end `CREATE INDEX CONCURRENTLY` waits in turn. A migration that
would stop older programs waits until none lives. A lock on a table is not waited for long, since all who come later
for that table wait behind whoever waits: it is given up and tried again.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from messagehub.errors import SettingError, Unavailable
from messagehub.logs import about
from messagehub.store import schema
from messagehub.store.schema import Migration

log = logging.getLogger(__name__)

APPLICATION = "messagehub"
"""What the server calls the sessions of those who serve a store."""

LOCK = 0x6D736768  # an arbitrary number of ours for pg_advisory_lock
LOOK_S = 0.2
LEASE_S = 20.0
"""Longer than the lease of a process that was killed."""

LOCK_TIMEOUT = "1s"
TRIES = 60
LONGEST_PAUSE_S = 5.0

# The migrations are written in SQLite's words; these are PostgreSQL's for what differs. Text sorts by its octets on
# both, which is what paging by id relies on; room is left in the pages of rows that are updated.
WORDS = {
    re.compile(r"\bTEXT\b"): 'TEXT COLLATE "C"',
    re.compile(r"\bBLOB\b"): "BYTEA",
    re.compile(r"\bWITHOUT ROWID\b"): "WITH (fillfactor = 70)",
}

CONCURRENTLY = re.compile(r"(CREATE (?:UNIQUE )?INDEX) ")


async def migrate(connection: "asyncpg.Connection[Any]") -> None:
    """`connection` has no time limit: a migration takes as long as it needs. SettingError, Unavailable as `open`."""
    await _lock(connection)
    try:
        pending = await _pending(connection)
        if bar := next((one for one in pending if not one.is_compatible), None):
            # Before those that come first, too: else the older would be left with some of what they cannot have whole.
            await _wait_for_the_older(connection, bar.version)
        for migration in pending:
            if not migration.is_compatible:
                await _wait_for_the_older(connection, migration.version)
            run = _build_indexes if migration.is_compatible and migration.indexes else _change
            await run(connection, migration)
    finally:
        if not connection.is_closed():
            await connection.execute("SELECT pg_advisory_unlock($1)", LOCK)


async def _lock(connection: "asyncpg.Connection[Any]") -> None:
    waited = 0
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
        if waited % 50 == 25:
            log.warning("another process migrates the store; waiting for it")
        waited += 1
        await asyncio.sleep(LOOK_S)


async def _pending(connection: "asyncpg.Connection[Any]") -> list[Migration]:
    if not await has_column(connection, "version"):
        await connection.execute(schema.TABLE)
    elif not await has_column(connection, "compatible_from"):
        await connection.execute(schema.COLUMN)
    return schema.pending(await done(connection), "postgres")


async def done(connection: "asyncpg.Connection[Any]") -> dict[int, int | None]:
    rows = await connection.fetch("SELECT version, compatible_from FROM migration")
    return {row[0]: row[1] for row in rows}


async def has_column(connection: "asyncpg.Connection[Any]", name: str) -> bool:
    """Whether the table `migration` has it; asked first, since changing a table waits for all who read it."""
    asked = "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('migration') AND attname = $1"
    return await connection.fetchval(asked, name) is not None


async def living_nodes(connection: "asyncpg.Connection[Any]") -> int:
    """Processes whose lease has not ended, by the server's clock."""
    if await connection.fetchval("SELECT to_regclass('nodes')") is None:
        return 0
    asked = "SELECT COUNT(*) FROM nodes WHERE tm_lease > EXTRACT(EPOCH FROM clock_timestamp()) * 1000000"
    return int(await connection.fetchval(asked))


async def end_sessions(connection: "asyncpg.Connection[Any]") -> None:
    """Of those who served the store, and stood still until they were taken for dead: each new session looks whether it
    may use the store."""
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND usename = current_user AND application_name = $1 "
        "AND pid <> pg_backend_pid()",
        APPLICATION,
    )


async def _wait_for_the_older(connection: "asyncpg.Connection[Any]", version: int) -> None:
    """Processes that were killed a moment ago still have their leases; those that live keep theirs."""
    end = asyncio.get_running_loop().time() + LEASE_S
    while living := await living_nodes(connection):
        if asyncio.get_running_loop().time() > end:
            raise SettingError(
                "MESSAGEHUB_DATABASE_URL: processes that would not understand this store after migration "
                f"{version} serve it: {living}; stop them first"
            )
        await asyncio.sleep(LOOK_S)


async def _change(connection: "asyncpg.Connection[Any]", migration: Migration) -> None:
    async def change() -> None:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            for statement in migration.statements:
                await connection.execute(translated(statement))
            await _note(connection, migration)

    await _patiently(change, migration.version)
    if not migration.is_compatible:
        await end_sessions(connection)


async def _build_indexes(connection: "asyncpg.Connection[Any]", migration: Migration) -> None:
    """Without barring writers. One that was interrupted leaves an index that is not valid, and is built anew."""
    for name, statement in zip(migration.indexes, migration.statements, strict=True):
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"
        is_valid = await connection.fetchval(valid, name)
        if is_valid is False:
            await connection.execute(f"DROP INDEX CONCURRENTLY {name}")
        if not is_valid:
            await connection.execute(CONCURRENTLY.sub(r"\1 CONCURRENTLY ", statement))
    await _note(connection, migration)


async def _note(connection: "asyncpg.Connection[Any]", migration: Migration) -> None:
    await connection.execute(
        "INSERT INTO migration (version, compatible_from) VALUES ($1, $2)",
        migration.version,
        migration.compatible_from,
    )


async def _patiently(change: Callable[[], Awaitable[None]], version: int) -> None:
    pause = LOOK_S
    for _ in range(TRIES):
        try:
            return await change()
        except asyncpg.LockNotAvailableError:
            log.warning("a migration waits for a table that is in use", extra=about(migration=version))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
    raise Unavailable(f"migration {version} did not get its tables for itself in {TRIES} tries")


def translated(statement: str) -> str:
    """A statement of a migration in the words of PostgreSQL."""
    for sqlite, postgres in WORDS.items():
        statement = sqlite.sub(postgres, statement)
    return statement
