"""The embedded store: one file, one committer that writes for everybody, a few threads that read.

The committer works beside the event loop because an fsync takes as long as a hundred messages; and, where it is a
process of its own, because what it does then costs the loop nothing.
"""

import asyncio
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, TextIO, TypeVar

import apsw

from messagehub.errors import RolledBack, Stale, StoreError, Unavailable
from messagehub.metrics import COUNTS
from messagehub.store import queries, schema_sqlite
from messagehub.store.connection import BUSY_MS, SQL, Connection, Found, translated
from messagehub.store.jobs import (
    ASK,
    COUNT,
    DO,
    ERRORS,
    EXPECT,
    Answer,
    Done,
    Failed,
    Look,
    More,
    Op,
    Rows,
    Undo,
    Write,
)
from messagehub.store.jobs import Unit as Begun
from messagehub.store.lock import hold, lock_of
from messagehub.store.seam import Bells, Insert, Row, Unit, row_maker
from messagehub.store.writers import ProcessWriter, ThreadWriter, Writer

log = logging.getLogger(__name__)

T = TypeVar("T")

BUSY_PAUSE_S = 0.02
READERS = 2
MAX_WAITING = 4000
"""Jobs that may wait for the committer. Beyond it the store says that it is too slow for what is asked of it."""

DYING_S = 1.0
"""How long the writer of a server that was killed may yet be at its last commit."""

MANY = 48
"""Rows that wait for no company: the committer begins with them while the loop is busy with its turn."""

TRIES = 5
"""How often a unit is run that finds that what it knew is so no more."""

READING = {name for name, query in SQL.items() if query.sql.startswith(("SELECT", "WITH"))}
ANSWERING = READING | {name for name, query in SQL.items() if " RETURNING " in query.sql}
"""Queries that return rows."""

LOOKING = READING - queries.read(queries.FOLDER / "sql" / "sqlite.sql").keys()
"""Those that lock nothing on a shared store either. What locks there is in the file of each dialect."""


class Shapes:
    """Makes named tuples of rows; the columns of a query are learnt from its first."""

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[Any], Row]] = {}

    def rows(self, query: str, found: Found) -> list[Row]:
        columns, rows = found
        if not rows:
            return []
        if not (make := self._makers.get(query)):
            make = self._makers[query] = row_maker(query, columns)
        return list(map(make, rows))


class Together:
    """Inserts that are written as one. Their parameters are taken from all rows of a query at once."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._rows: defaultdict[str, list[object]] = defaultdict(list)
        self._count = 0

    def add(self, id: int, inserts: Sequence[Insert]) -> None:
        self.ids.append(id)
        for query, rows in inserts:
            self._rows[query] += rows
            self._count += len(rows)

    @property
    def is_enough(self) -> bool:
        """It waits for no more of this turn."""
        return self._count >= MANY

    def frame(self) -> Write:
        return Write(self.ids, {query: SQL[query].tuples(rows) for query, rows in self._rows.items() if rows})


class Running:
    """A unit that is run: its verbs. What it asks for is gathered until it has to wait for an answer, or ends."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._ops: list[Op] = []
        self.error: StoreError | None = None
        """Why nothing more can be asked."""

    async def one(self, query: str, **args: Any) -> Row | None:
        rows = await self.ask(query, [_tuple(query, args)])
        return rows[0] if rows else None

    async def all(self, query: str, **args: Any) -> list[Row]:
        return await self.ask(query, [_tuple(query, args)])

    async def run(self, query: str, **args: Any) -> None:
        self._add(query, [_tuple(query, args)], DO)

    async def many(self, query: str, rows: Sequence[object]) -> list[Row]:
        return await self.ask(query, SQL[query].tuples(rows)) if rows else []

    async def change(self, query: str, rows: Sequence[object]) -> int:
        if not rows:
            return 0
        self._add(query, SQL[query].tuples(rows), COUNT)
        _, found = await self
        changed: int = found[0][0]
        return changed

    async def expect(self, query: str, rows: Sequence[object]) -> None:
        if rows:
            self._add(query, SQL[query].tuples(rows), EXPECT)

    async def ask(self, query: str, given: Rows) -> list[Row]:
        """What the query returns for each of `given`. It waits only where that may be anything."""
        if query in ANSWERING:
            self._add(query, given, ASK)
            return self._shapes.rows(query, await self)
        self._add(query, given, DO)
        return []

    def _add(self, query: str, given: Rows, kind: str) -> None:
        if self.error:
            raise self.error
        self._ops.append(Op(query, given, kind))

    def __await__(self) -> Generator["Running", Found, Found]:
        return (yield self)

    def taken(self) -> list[Op]:
        ops, self._ops = self._ops, []
        return ops


def _tuple(query: str, args: dict[str, Any]) -> tuple[Any, ...]:
    return tuple([args[name] for name in SQL[query].names])


class SQLiteStore:
    @classmethod
    async def open(cls, path: str, beside: bool = False) -> "SQLiteStore":
        """`beside`: it is written by a process of its own. Unavailable where the file cannot be opened."""
        store = cls(path)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # its secrets are its owner's
            await (store._open_beside() if beside else store._open_here())
        except (apsw.Error, OSError) as error:
            raise Unavailable(f"{path}: {translated(error)}") from error
        return store

    def __init__(self, path: str) -> None:
        self._loop, self._path = asyncio.get_running_loop(), path
        self._bells = Bells()
        self._lock: TextIO | None = None
        self._closed = False
        self._writer: Writer
        self.waiting = 0
        self._ids = count()
        self._futures: dict[int, asyncio.Future[Any]] = {}
        """Of each job what is waited for."""
        self._together: Together | None = None
        """What is to be written, of those who asked in this turn of the loop."""
        self._changed = asyncio.Event()
        """A job has come to its end, while the store is being closed."""
        self._takes: dict[type, Callable[[Any], None]] = {
            Done: self._settle,
            Answer: self._answer,
            Failed: self._fail,
        }
        self._shapes = Shapes()
        self._local = threading.local()
        self._readers = ThreadPoolExecutor(READERS, "sqlite-reader")

    async def _open_here(self) -> None:
        self._writer = ThreadWriter(await _migrated(self._path), self._take)

    async def _open_beside(self) -> None:
        """It starts while the file is migrated."""
        self._lock = lock_of(self._path)
        writer = self._writer = ProcessWriter(self._take, self._lock, _end_now)
        try:
            (await _migrated(self._path)).close()
            await writer.open(self._path)
        except BaseException:
            await writer.close()
            self._lock.close()
            raise

    # --- reading ------------------------------------------------------------------------

    async def one(self, query: str, **args: Any) -> Row | None:
        rows = await self.all(query, **args)
        return rows[0] if rows else None

    async def all(self, query: str, **args: Any) -> list[Row]:
        return await self._ask(query, [_tuple(query, args)])

    async def run(self, query: str, **args: Any) -> None:
        await self._ask(query, [_tuple(query, args)])

    async def many(self, query: str, rows: Sequence[object]) -> list[Row]:
        return await self._ask(query, SQL[query].tuples(rows)) if rows else []

    async def change(self, query: str, rows: Sequence[object]) -> int:
        return await self.transaction(lambda tx: tx.change(query, rows))

    async def expect(self, query: str, rows: Sequence[object]) -> None:
        await self.transaction(lambda tx: tx.expect(query, rows))

    async def _ask(self, query: str, given: Rows) -> list[Row]:
        if query not in READING:
            unit: Any = lambda tx: tx.ask(query, given)  # noqa: E731
            rows: list[Row] = await self.transaction(unit)
            return rows
        try:
            found = await self._loop.run_in_executor(self._readers, lambda: self._reader().ask(query, given))
        except apsw.Error as error:
            raise translated(error) from error
        return self._shapes.rows(query, found)

    def _reader(self) -> Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = Connection(self._path, readonly=True)
        connection: Connection = self._local.connection
        return connection

    # --- writing ------------------------------------------------------------------------

    async def write(self, inserts: Sequence[Insert]) -> None:
        self._admit()
        try:
            id = next(self._ids)
            together = self._together or self._begin_together()
            together.add(id, inserts)
            future = self._futures[id] = self._loop.create_future()
            if together.is_enough:
                self._send_together()
            try:
                await future
            except Unavailable:
                raise
            except Exception:  # by the fault of any of them
                if len(together.ids) == 1:
                    raise
                alone, id = Together(), next(self._ids)
                alone.add(id, inserts)
                await self._committed(id, alone.frame())
            finally:
                del future  # an error in it leads back here by its traceback, and so to all that was to be written
        finally:
            self._leave()

    def _begin_together(self) -> "Together":
        self._loop.call_soon(self._send_together)
        self._together = Together()
        return self._together

    def _send_together(self) -> None:
        together, self._together = self._together, None
        if together:
            try:
                self._writer.send(together.frame())
                self._writer.flush()
            except Exception as error:
                for id in together.ids:
                    self._refuse(id, error)

    async def transaction(self, unit: Unit[T]) -> T:
        self._admit()
        try:
            for _ in range(TRIES):
                with suppress(Stale):
                    return await self._once(unit)
            raise RolledBack(f"rolled back {TRIES} times in favour of other transactions")
        finally:
            self._leave()

    def _admit(self) -> None:
        if self._closed:
            raise Unavailable("the store has been closed")
        if self.waiting >= MAX_WAITING:
            raise Unavailable("more is asked of the store than it can write")
        self.waiting += 1

    def _leave(self) -> None:
        self.waiting -= 1
        if self._closed:
            self._changed.set()

    async def _once(self, unit: Unit[T]) -> T:
        running, id = Running(self._shapes), next(self._ids)
        result, is_open = await self._to_its_end(unit(running), running, id)
        ops = running.taken()
        if is_open or ops:
            frame: More | Begun = More(id, ops, is_whole=True) if is_open else Begun(id, ops, is_whole=True)
            await self._committed(id, frame, at_once=sum(len(op.rows) for op in ops) >= MANY)
        return result

    async def _to_its_end(self, steps: Coroutine[Any, Any, T], running: Running, id: int) -> tuple[T, bool]:
        """What the unit returns, and whether it is open at the committer, where it is from its first question on."""
        step: Callable[[], Any] = partial(steps.send, None)
        is_open = False
        try:
            while True:
                if step() is not running:
                    raise RuntimeError("a unit awaits only its transaction")
                ops = running.taken()
                frame: Look | Begun | More
                if not is_open and len(ops) == 1 and ops[0].query in LOOKING:
                    frame = Look(id, ops[0].query, ops[0].rows)
                else:
                    frame = More(id, ops, is_whole=False) if is_open else Begun(id, ops, is_whole=False)
                    is_open = True
                try:
                    found = await self._committed(id, frame)
                    step = partial(steps.send, found)
                except StoreError as error:
                    running.error = error
                    step = partial(steps.throw, error)
        except StopIteration as end:
            if running.error:  # it went on as if nothing had happened
                raise running.error from end
            return end.value, is_open
        except BaseException:
            steps.close()
            if is_open:
                self._futures.pop(id, None)
                self._writer.send(Undo(id))
            raise

    async def _committed(self, id: int, frame: Write | Look | Begun | More, at_once: bool = False) -> Any:
        """What the committer answers. `at_once`: it is told before this turn is over."""
        future = self._futures[id] = self._loop.create_future()
        try:
            self._writer.send(frame)
            if at_once:
                self._writer.flush()
        except StoreError:
            del self._futures[id]
            raise
        try:
            return await future
        finally:
            del future  # as in `write`

    def _take(self, frames: Sequence[Any]) -> None:
        for frame in frames:
            self._takes[type(frame)](frame)
        if self._closed:
            self._changed.set()

    def _settle(self, done: Done) -> None:
        COUNTS.commit_seconds.observe(done.seconds)
        COUNTS.commit_units.observe(len(done.ids))
        COUNTS.writer_cpu = done.cpu
        for id in done.ids:
            future = self._futures.pop(id, None)
            if future and not future.done():  # whoever asked may have gone
                future.set_result(None)

    def _answer(self, answer: Answer) -> None:
        future = self._futures.pop(answer.id, None)
        if future and not future.done():
            future.set_result((answer.columns, answer.rows))

    def _fail(self, failed: Failed) -> None:
        self._refuse(failed.id, ERRORS[failed.error](failed.words))

    def _refuse(self, id: int, error: Exception) -> None:
        future = self._futures.pop(id, None)
        if future and not future.done():
            future.set_exception(error)

    # --- the rest -----------------------------------------------------------------------

    def listen(self, topic: str, ring: Callable[[], None]) -> Callable[[], None]:
        return self._bells.listen(topic, ring)

    def notify(self, topic: str) -> None:
        self._bells.ring(topic)

    def serve(self) -> bool:
        self._lock = self._lock or lock_of(self._path)
        hold(self._lock, self._path, DYING_S)
        return True

    async def close(self) -> None:
        self._closed = True
        while self._futures or self.waiting:
            self._changed.clear()
            await self._changed.wait()
        await self._writer.close()
        self._readers.shutdown()
        if self._lock:
            self._lock.close()


async def _migrated(path: str) -> Connection:
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            return await asyncio.to_thread(_migrate, path)
        except apsw.BusyError:  # making a new file one with a WAL does not wait for its turn
            if time.monotonic() > until:
                raise
            await asyncio.sleep(BUSY_PAUSE_S)


def _migrate(path: str) -> Connection:
    connection = Connection(path)
    try:
        schema_sqlite.migrate(path, connection.plain)
    except BaseException:
        connection.close()
        raise
    return connection


def _end_now(code: int) -> None:
    """Whether what it was just committing is on disk is not known, and the start after a crash is what settles that."""
    log.critical("the process that writes the store has died with code %d; so this one ends, too", code)
    logging.shutdown()
    os._exit(1)
