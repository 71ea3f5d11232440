"""Stores of one version and programs of another, side by side; a later version is one with more migrations."""

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import asyncpg
import pytest

from messagehub.clock import NEVER
from messagehub.errors import SettingError, StoreError, Unavailable
from messagehub.store import Insert, Store, open_store, schema, schema_postgres
from tests.store.test_conformance import route

COLUMN = "-- compatible from: 1\nALTER TABLE routes ADD COLUMN later TEXT NOT NULL DEFAULT '';\n"
TABLE = "-- compatible from: 1\nCREATE TABLE later (id TEXT PRIMARY KEY) WITHOUT ROWID;\n"
INDEX = "-- compatible from: 1\nCREATE INDEX routes_later ON routes (name, id);\n"
UNIQUE = "-- compatible from: 1\nCREATE UNIQUE INDEX routes_later ON routes (name);\n"
RENAMED = "ALTER TABLE routes RENAME COLUMN name TO title;\n"

Versions = Callable[..., None]


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Versions:
    """Makes this program one that has these migrations, too; without any it is itself again."""
    own = schema.MIGRATIONS

    def become(*migrations: str) -> None:
        folder = tmp_path / f"version {len(list(tmp_path.iterdir()))}"
        shutil.copytree(own, folder)
        for n, sql in enumerate(migrations):
            (folder / f"{9001 + n}_later.sql").write_text(sql)
        monkeypatch.setattr(schema, "MIGRATIONS", folder)

    return become


async def ask(url: str, sql: str) -> list[Any]:
    if url.startswith("sqlite"):
        opened = apsw.Connection(url.removeprefix("sqlite:///"))
        try:
            return list(opened.execute(sql))
        finally:
            opened.close()
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def works(store: Store, id: str) -> bool:
    await store.write([Insert("insert_route", [route(id)])])
    return await store.one("route_by_id", id=id) is not None


async def opens(url: str) -> None:
    await (await open_store(url)).close()


async def test_an_older_program_goes_on_where_a_newer_one_only_adds(database_url: str, version: Versions) -> None:
    older = await open_store(database_url)
    assert await works(older, "before")
    version(COLUMN, TABLE, INDEX)
    newer = await open_store(database_url)
    assert await works(newer, "newer")
    assert await works(older, "beside it")
    await older.close()
    version()
    again = await open_store(database_url)
    assert await works(again, "started beside it")
    await again.close()
    assert await works(newer, "alone")
    await newer.close()
    assert await ask(database_url, "SELECT later FROM routes WHERE id = 'beside it'") == [("",)]


async def test_an_older_program_does_not_start_where_a_newer_one_has_changed_things(
    database_url: str, version: Versions
) -> None:
    version(RENAMED, COLUMN)
    await opens(database_url)
    version()
    with pytest.raises(SettingError, match="used by a newer version \\(migration 9001\\)"):
        await open_store(database_url)


async def test_a_newer_program_changes_nothing_under_an_older_one_that_serves(
    database_url: str, version: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema_postgres, "LEASE_S", 0.3)
    older = await open_store(database_url)
    older.serve()
    await older.run("keep_lease", id="older", tm_lease=NEVER, name="", works=1)
    version(COLUMN, RENAMED)
    with pytest.raises(SettingError, match="serve"):
        await open_store(database_url)
    assert await ask(database_url, "SELECT version FROM migration WHERE version > 9000") == []
    assert await works(older, "still")
    await older.run("drop_lease", id="older")
    await older.close()
    newer = await open_store(database_url)
    assert await ask(database_url, "SELECT title FROM routes") == [("r",)]
    await newer.close()


@pytest.mark.parametrize("kind", ["postgres"], indirect=True)  # a file is nobody else's as long as it is served
async def test_who_stood_still_while_a_newer_program_changed_things_does_nothing_any_more(
    database_url: str, version: Versions
) -> None:
    """Its lease was over, so nobody waited for it."""
    older = await open_store(database_url)
    assert await works(older, "before")
    version(RENAMED)
    await opens(database_url)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await works(older, "behind")
    with pytest.raises(Unavailable, match="used by a newer version \\(migration 9001\\)"):
        await older.one("clock")
    await older.close()


async def test_who_was_killed_is_waited_for_and_not_more(database_url: str, version: Versions) -> None:
    """Its lease ends by itself."""
    store = await open_store(database_url)
    now = await store.one("clock", now=1)
    assert now is not None
    await store.run("keep_lease", id="killed", tm_lease=now.now + 500_000, name="", works=1)
    await store.close()
    version(RENAMED)
    await opens(database_url)


async def test_several_that_start_at_once_migrate_once(database_url: str, version: Versions) -> None:
    await opens(database_url)
    version(COLUMN, INDEX, TABLE)
    stores = await asyncio.gather(*(open_store(database_url) for _ in range(4)))
    assert [await works(store, str(n)) for n, store in enumerate(stores)] == [True] * 4
    for store in stores:
        await store.close()
    done = await ask(database_url, "SELECT version, compatible_from FROM migration WHERE version > 9000 ORDER BY 1")
    assert done == [(9001, 1), (9002, 1), (9003, 1)]


async def test_several_that_start_at_once_on_an_empty_database(database_url: str) -> None:
    stores = await asyncio.gather(*(open_store(database_url) for _ in range(4)))
    for store in stores:
        await store.close()


async def test_a_migration_that_fails_changes_nothing_and_can_be_tried_again(
    database_url: str, version: Versions
) -> None:
    version("ALTER TABLE routes ADD COLUMN later BIGINT;\nCREATE TABLE routes (id BIGINT);\n")
    with pytest.raises((StoreError, apsw.Error)):
        await open_store(database_url)
    version(COLUMN)
    await opens(database_url)


async def test_an_index_whose_building_was_cut_short_is_built_anew(database_url: str, version: Versions) -> None:
    """PostgreSQL leaves it there, not valid, as nothing takes it back."""
    store = await open_store(database_url)
    await store.write([Insert("insert_route", [route("a", name="same"), route("b", name="same")])])
    version(UNIQUE)
    with pytest.raises((StoreError, apsw.Error)):
        await open_store(database_url)
    row = route("b", name="other")
    await store.many("update_route", [row])
    await store.close()
    store = await open_store(database_url)
    with pytest.raises(StoreError):
        await store.write([Insert("insert_route", [route("c", name="same")])])
    await store.close()


async def test_whoever_writes_does_not_wait_for_a_migration_that_waits(
    postgres_server: str, version: Versions, database_url: str
) -> None:
    if database_url.startswith("sqlite"):
        return  # one process has the file, and it migrates before it serves
    store = await open_store(database_url)
    await works(store, "before")
    long = await asyncpg.connect(database_url)
    transaction = long.transaction()
    await transaction.start()
    await long.execute("SELECT * FROM routes")  # whoever wants the table for himself waits for the end of this
    version(COLUMN)
    migrating = asyncio.create_task(open_store(database_url))
    for n in range(30):
        async with asyncio.timeout(20):
            assert await works(store, f"meanwhile {n}")
        await asyncio.sleep(0.05)
    assert not migrating.done()
    await transaction.rollback()
    await (await migrating).close()
    await long.close()
    await store.close()


ADDITIVE = re.compile(
    r"CREATE (TABLE|INDEX|UNIQUE INDEX) \w+ .*|ALTER TABLE \w+ SET \(.*|"
    r"ALTER TABLE \w+ ADD COLUMN \w+ \w+( NOT NULL DEFAULT \S+.*| DEFAULT \S+.*)?",
    re.DOTALL,
)


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_what_calls_itself_compatible_only_adds(dialect: str) -> None:
    """Columns of old rows are not written, and an index on a table with rows is a migration of its own."""
    for migration in schema.migrations(dialect):
        if not migration.is_compatible:
            continue
        assert [sql for sql in migration.statements if not ADDITIVE.fullmatch(sql)] == []
        made = {sql.split()[2] for sql in migration.statements if sql.startswith("CREATE TABLE")}
        on = {match[1] for sql in migration.statements if (match := re.match(r"CREATE .*INDEX \w+ ON (\w+)", sql))}
        assert migration.indexes or on <= made
        assert migration.compatible_from in {one.version for one in schema.migrations(dialect)}


def test_numbers_are_given_once() -> None:
    for dialect in ("sqlite", "postgres"):
        versions = [migration.version for migration in schema.migrations(dialect)]
        assert len(versions) == len(set(versions))
