"""The two ends of a move: any table of either store, row by row in the order of its primary key.

Names of tables and columns come from the catalog of the store itself, so a table that is new is moved without a word
here. That is why the SQL of this file is put together and does not stand in sql/.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, TextIO

import asyncpg

from messagehub.errors import SettingError
from messagehub.store import schema_postgres
from messagehub.store.address import path_of, shown
from messagehub.store.connection import Connection
from messagehub.store.lock import locked
from messagehub.store.postgres import CONNECT_S

NOT_MOVED = {
    "migration": "the target has its own",
    "nodes": "leases of processes of the source",
    "carrier_health": "what these processes see",
    "bind_slots": "what these processes hold",
    "duties": "likewise",
}
"""Tables that stay, and why."""

LOCK = schema_postgres.LOCK + 1
"""For pg_advisory_lock: of who moves a store or moves one into it."""

Values = tuple[Any, ...]


class Table(NamedTuple):
    """`key` and `columns` in the order in which rows are compared and read."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def key_of(self, row: Values) -> Values:
        return tuple(row[self.columns.index(name)] for name in self.key)


class Side(Protocol):
    url: str

    async def tables(self) -> dict[str, Table]:
        """Those that are moved."""

    async def rows(self, table: Table, after: Values | None, count: int) -> list[Values]:
        """The next rows behind the key `after`, which are `count` at most; None for the first."""

    async def count(self, table: Table) -> int: ...

    async def replace(self, table: Table, gone: Sequence[Values], rows: Sequence[Values]) -> None:
        """Removes the rows with the keys `gone` and writes `rows`, in one commit."""

    async def done(self) -> dict[int, int | None]:
        """The table `migration`; empty where there is none."""

    async def mark(self, version: int) -> None:
        """Bars all programs from the store: see `schema.BARRED`."""

    async def unmark(self, version: int) -> None: ...

    async def hold(self) -> bool:
        """Whether nobody serves the store or moves it. From then on nobody else can move it, and on SQLite nobody serve
        it, until this is closed."""

    async def close(self) -> None: ...


async def side_of(url: str) -> Side:
    """SettingError for what is no address of a store."""
    if path := path_of(url):
        return SQLiteSide(url, path)
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresSide(url, await asyncpg.connect(url, timeout=CONNECT_S))
    raise SettingError(f"{shown(url)!r} is neither sqlite:///PATH nor postgresql://…")


def _names(names: Sequence[str]) -> str:
    return ", ".join(names)


class SQLiteSide:
    def __init__(self, url: str, path: str) -> None:
        self.url, self._path = url, path
        self._db = Connection(path)
        self._ask = self._db.plain
        self._lock: TextIO | None = None

    async def tables(self) -> dict[str, Table]:
        names = [row[0] for row in self._ask("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        return {name: self._table(name) for name in names if name not in NOT_MOVED and not name.startswith("sqlite_")}

    def _table(self, name: str) -> Table:
        columns = self._ask("SELECT name, pk FROM pragma_table_info(?)", name)
        key = sorted((place, column) for column, place in columns if place)
        return Table(name, tuple(column for column, _ in columns), tuple(column for _, column in key))

    async def rows(self, table: Table, after: Values | None, count: int) -> list[Values]:
        key, columns = _names(table.key), _names(table.columns)
        behind = f"WHERE ({key}) > ({_names('?' * len(table.key))})" if after else ""
        sql = f"SELECT {columns} FROM {table.name} {behind} ORDER BY {key} LIMIT ?"
        return self._ask(sql, *(after or ()), count)

    async def count(self, table: Table) -> int:
        return int(self._ask(f"SELECT COUNT(*) FROM {table.name}")[0][0])

    async def replace(self, table: Table, gone: Sequence[Values], rows: Sequence[Values]) -> None:
        same = " AND ".join(f"{name} = ?" for name in table.key)
        values = _names("?" * len(table.columns))
        self._ask("BEGIN IMMEDIATE")
        try:
            self._db.each(f"DELETE FROM {table.name} WHERE {same}", gone)
            self._db.each(f"INSERT INTO {table.name} ({_names(table.columns)}) VALUES ({values})", rows)
        except BaseException:
            self._ask("ROLLBACK")
            raise
        self._ask("COMMIT")

    async def done(self) -> dict[int, int | None]:
        columns = [row[0] for row in self._ask("SELECT name FROM pragma_table_info('migration')")]
        start = "compatible_from" if "compatible_from" in columns else "NULL"
        return dict(self._ask(f"SELECT version, {start} FROM migration")) if columns else {}

    async def mark(self, version: int) -> None:
        self._ask("INSERT INTO migration (version) VALUES (?) ON CONFLICT DO NOTHING", version)

    async def unmark(self, version: int) -> None:
        self._ask("DELETE FROM migration WHERE version = ?", version)

    async def hold(self) -> bool:
        try:
            self._lock = self._lock or locked(self._path)
        except SettingError:
            return False
        return True

    async def close(self) -> None:
        self._db.close()
        if self._lock:
            self._lock.close()


class PostgresSide:
    def __init__(self, url: str, connection: "asyncpg.Connection[Any]") -> None:
        self.url, self._db = url, connection
        self._locked = False

    async def tables(self) -> dict[str, Table]:
        rows = await self._db.fetch(
            "SELECT c.relname, a.attname, array_position(i.indkey::int[], a.attnum::int) AS place "
            "FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
            "LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary "
            "WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace "
            "ORDER BY c.relname, a.attnum"
        )
        found: dict[str, list[tuple[str, int | None]]] = {}
        for table, column, place in rows:
            found.setdefault(table, []).append((column, place))
        return {name: _of_catalog(name, columns) for name, columns in found.items() if name not in NOT_MOVED}

    async def rows(self, table: Table, after: Values | None, count: int) -> list[Values]:
        key, columns = _names(table.key), _names(table.columns)
        given = [f"${n}" for n in range(2, 2 + len(table.key))]
        behind = f"WHERE ({key}) > ({_names(given)})" if after else ""
        sql = f"SELECT {columns} FROM {table.name} {behind} ORDER BY {key} LIMIT $1"
        return [tuple(row) for row in await self._db.fetch(sql, count, *(after or ()))]

    async def count(self, table: Table) -> int:
        return int(await self._db.fetchval(f"SELECT COUNT(*) FROM {table.name}"))

    async def replace(self, table: Table, gone: Sequence[Values], rows: Sequence[Values]) -> None:
        same = " AND ".join(f"{name} = ${n}" for n, name in enumerate(table.key, 1))
        async with self._db.transaction():
            if gone:
                await self._db.executemany(f"DELETE FROM {table.name} WHERE {same}", gone)
            await self._db.copy_records_to_table(table.name, records=rows, columns=table.columns)

    async def done(self) -> dict[int, int | None]:
        if await schema_postgres.has_column(self._db, "compatible_from"):
            return await schema_postgres.done(self._db)
        if await schema_postgres.has_column(self._db, "version"):
            return {row[0]: None for row in await self._db.fetch("SELECT version FROM migration")}
        return {}

    async def mark(self, version: int) -> None:
        await self._db.execute("INSERT INTO migration (version) VALUES ($1) ON CONFLICT DO NOTHING", version)
        await schema_postgres.end_sessions(self._db)

    async def unmark(self, version: int) -> None:
        await self._db.execute("DELETE FROM migration WHERE version = $1", version)

    async def hold(self) -> bool:
        self._locked = self._locked or await self._db.fetchval("SELECT pg_try_advisory_lock($1)", LOCK)
        return self._locked and not await schema_postgres.living_nodes(self._db)

    async def close(self) -> None:
        await self._db.close()


def _of_catalog(name: str, columns: list[tuple[str, int | None]]) -> Table:
    key = sorted((place, column) for column, place in columns if place is not None)
    return Table(name, tuple(column for column, _ in columns), tuple(column for _, column in key))
