"""Moving a store into another, of the same kind or not, while the first one is served.

Both are walked side by side, table by table, in the order of the primary key, which is the same on both. What differs
within a batch is written anew. So one pass copies everything, the next one what has changed meanwhile, a pass after an
abort goes on where that ended, and one that finds nothing to change has compared every row: its checksums are those of
what each side holds. The last passes need the source to stand still; until then a row may change behind the walk.

Rows are copied as they are. What is sealed stays sealed, as its place has the same name in both stores.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import apsw
import asyncpg
import msgspec
from msgspec import Struct

from messagehub.errors import HubError, SettingError, Unavailable
from messagehub.store import open_store, schema
from messagehub.store.address import is_missing, path_of, shown
from messagehub.store.schema import BARRED, MOVED, UNFINISHED
from messagehub.store.sides import Side, Table, Values, side_of

BATCH = 1000
"""Rows of each side that are in memory at once."""

TELL_S = 1.0
LOOK_S = 0.5
UNFIT = (apsw.ConstraintError, asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)
BROKEN = (OSError, TimeoutError, apsw.Error, asyncpg.PostgresError, asyncpg.InterfaceError)

STILL_PASSES = 3
"""Of a source that stands still: one takes the rest, the next finds nothing to change."""


class MoveError(HubError):
    """The source is as it was. What is in the target is unfinished, and the next call goes on from there."""


class Progress(NamedTuple):
    """Of the pass `number`: rows that were walked, of how many there are; `seconds` since its begin."""

    number: int
    table: str
    rows: int
    of: int
    seconds: float

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds if self.seconds else 0.0

    @property
    def eta(self) -> float:
        """Seconds until the end of the pass."""
        return max(0, self.of - self.rows) / self.rate if self.rate else 0.0


class Counted(NamedTuple):
    """A table after a pass. `checksum`: BLAKE2b over the rows by their key; `changed`: rows that differed."""

    table: str
    rows: int
    checksum: str
    changed: int


class Passed(NamedTuple):
    """A pass over all tables. `is_live`: the source was served meanwhile, so there will be another."""

    number: int
    tables: list[Counted]
    is_live: bool
    seconds: float

    @property
    def changed(self) -> int:
        return sum(table.changed for table in self.tables)


class Watcher(Struct, frozen=True):
    """Who is told how it goes: some times a second, and after each pass."""

    progress: Callable[[Progress], None]
    passed: Callable[[Passed], None]


async def move(source_url: str, target_url: str, follow: bool, watcher: Watcher) -> Passed:
    """The last pass, once the target has all rows of the source and nobody can serve the source any more.

    `follow`: copies while the source is served, until it is stopped. SettingError for addresses that are no stores of
    this version, MoveError where the source is served, the target is not empty, or rows cannot be written; Unavailable.
    """
    if source_url == target_url or (path_of(source_url) and path_of(source_url) == path_of(target_url)):
        raise MoveError("--from and --to are the same store")
    sides: list[Side] = []
    try:
        source = await _source(source_url, sides)
        target = await _target(source, target_url, sides)
        return await Mover(source, target, watcher).run(follow)
    except BROKEN as error:
        raise Unavailable(f"the move was cut short, and goes on when called again: {error}") from error
    finally:
        for side in sides:
            await side.close()


async def is_in_use(url: str) -> bool:
    """Whether it is a store that was not moved away. SettingError where it is none, or of another version."""
    side = await _opened(url)
    try:
        done = await side.done()
        _refuse_other_version(done, url)
        return MOVED not in done
    finally:
        await side.close()


async def release(url: str) -> bool:
    """Takes a store that was moved away into use again. False where it is in use."""
    side = await _opened(url)
    try:
        was_moved = MOVED in await side.done()
        await side.unmark(MOVED)
        return was_moved
    finally:
        await side.close()


async def _opened(url: str) -> Side:
    if is_missing(url):
        raise SettingError(f"{shown(url)}: there is no such store")
    return await side_of(url)


async def _source(url: str, sides: list[Side]) -> Side:
    sides.append(source := await _opened(url))
    _refuse_other_version(await source.done(), url)
    return source


def _refuse_other_version(done: dict[int, int | None], url: str) -> None:
    dialect = "sqlite" if path_of(url) else "postgres"
    if not done:
        raise SettingError(f"{shown(url)} is no store of messagehub")
    known = {migration.version for migration in schema.migrations(dialect)}
    if done.keys() - BARRED.keys() != known:
        raise SettingError(f"{shown(url)} is of another version; start it once with this one")


async def _target(source: Side, url: str, sides: list[Side]) -> Side:
    """Empty with all its tables, or as an unfinished move has left it."""
    done = await _done_of(url)
    if UNFINISHED not in done:
        if MOVED in await source.done():
            raise SettingError(f"{shown(source.url)}: {BARRED[MOVED]}")
        await (await open_store(url)).close()
    sides.append(target := await side_of(url))
    _refuse_other_version(await target.done(), url)
    tables = await target.tables()
    if UNFINISHED not in done:
        for table in tables.values():
            if await target.rows(table, None, 1):
                raise MoveError(f"{shown(url)} is not empty: there are rows in {table.name}; name an empty database")
    if not await target.hold():
        raise MoveError(f"{shown(url)} is served, or moved, by another process")
    await target.mark(UNFINISHED)
    return target


async def _done_of(url: str) -> dict[int, int | None]:
    if is_missing(url):
        return {}
    side = await side_of(url)
    try:
        return await side.done()
    finally:
        await side.close()


class Mover:
    def __init__(self, source: Side, target: Side, watcher: Watcher) -> None:
        self._source, self._target, self._watcher = source, target, watcher
        self._number = 0
        self._is_over = False
        """All is there, and the target may be served."""

    async def run(self, follow: bool) -> Passed:
        if not await self._source.hold():
            if not follow:
                where = shown(self._source.url)
                raise MoveError(
                    f"{where} is served, or moved, by another process; stop it, or copy beside it with --follow"
                )
            await self._beside_it()
        try:
            return await self._standing_still()
        except BaseException:
            if not self._is_over:
                with suppress(*BROKEN):
                    await self._source.unmark(MOVED)
            raise

    async def _beside_it(self) -> None:
        """Passes until it is stopped, each as long after the last as that took."""
        while True:
            passed = await self._pass(is_live=True)
            for _ in range(1 + int(passed.seconds / LOOK_S)):
                if await self._source.hold():
                    return
                await asyncio.sleep(LOOK_S)

    async def _standing_still(self) -> Passed:
        await self._source.mark(MOVED)  # from here on nobody begins to serve it
        for _ in range(STILL_PASSES):
            passed = await self._pass(is_live=False)
            if not passed.changed and await self._source.hold():
                self._is_over = True  # whoever ends the command from here on does not end up with two that are served
                await self._target.unmark(UNFINISHED)
                return passed
        raise MoveError(f"{shown(self._source.url)} is written by somebody; stop all that uses it")

    async def _pass(self, is_live: bool) -> Passed:
        self._number += 1
        begun = time.monotonic()
        theirs, ours = await self._source.tables(), await self._target.tables()
        if {name: set(table.columns) for name, table in theirs.items()} != {
            name: set(table.columns) for name, table in ours.items()
        }:
            raise MoveError("the two stores have different tables")
        self._walked, self._of = 0, sum([await self._source.count(table) for table in theirs.values()])
        self._begun = self._told = begun
        counted = [await self._table(table) for table in theirs.values()]
        passed = Passed(self._number, counted, is_live, time.monotonic() - begun)
        self._watcher.passed(passed)
        return passed

    async def _table(self, table: Table) -> Counted:
        here, there = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
        after: Values | None = None
        rows = changed = 0
        while True:
            wanted, found, after = await self._span(table, after)
            for digest, each in ((here, wanted), (there, found)):
                digest.update(msgspec.msgpack.encode(each) if each else b"")
            await asyncio.sleep(0)  # SQLite never waits, and whoever ends the command does
            changed += await self._make_equal(table, wanted, found)
            rows += len(wanted)
            self._walk(table, len(wanted))
            if after is None:
                break
        if not changed and here.digest() != there.digest():
            raise MoveError(f"{table.name}: the checksums of the two stores differ")
        return Counted(table.name, rows, here.hexdigest(), changed)

    async def _span(self, table: Table, after: Values | None) -> tuple[list[Values], list[Values], Values | None]:
        """The rows of both sides behind `after`, up to the same key, which is the third; None at the end of both."""
        wanted = await self._source.rows(table, after, BATCH)
        found = await self._target.rows(table, after, BATCH)
        ends = [table.key_of(rows[-1]) for rows in (wanted, found) if len(rows) == BATCH]
        if not ends:
            return wanted, found, None
        end = min(ends)
        return _up_to(end, table, wanted), _up_to(end, table, found), end

    async def _make_equal(self, table: Table, wanted: list[Values], found: list[Values]) -> int:
        """How many rows differed."""
        if wanted == found:
            return 0
        there = {table.key_of(row): row for row in found}
        new = [row for row in wanted if there.get(table.key_of(row)) != row]
        gone = there.keys() - {table.key_of(row) for row in wanted}
        replaced = {table.key_of(row) for row in new} & there.keys()
        try:
            await self._target.replace(table, [*gone, *replaced], new)
        except UNFIT as error:
            first = table.key_of(new[0] if new else found[0])
            raise MoveError(f"{table.name}: of the rows from {first} on one cannot be moved: {error}") from error
        return len(gone) + len(new)

    def _walk(self, table: Table, rows: int) -> None:
        self._walked += rows
        now = time.monotonic()
        if now - self._told >= TELL_S:
            self._told = now
            self._watcher.progress(Progress(self._number, table.name, self._walked, self._of, now - self._begun))


def _up_to(end: Values, table: Table, rows: list[Values]) -> list[Values]:
    return rows if rows and table.key_of(rows[-1]) == end else [row for row in rows if table.key_of(row) <= end]
