"""The embedded store: one file, one writer thread that commits for everybody, a few threads that read.

The commit runs beside the event loop because an fsync takes as long as a hundred messages. While it runs, what the
loop produces gathers; the next commit takes all of it. So commits grow with the load and no timer is needed.
"""

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain
from typing import Any, NoReturn, TextIO, TypeVar

import apsw
import apsw.ext

from messagehub.errors import Conflict, Refusal, Stale, StoreError, Unavailable
from messagehub.metrics import COUNTS
from messagehub.store import queries, schema_sqlite
from messagehub.store.lock import locked
from messagehub.store.seam import Bells, Insert, Row, Unit, row_maker

T = TypeVar("T")

# A checkpoint writes each changed page once however often it changed: the longer it waits, the less it writes.
# The cache is small: a commit looks through all of it, and what is not in it is in the system's.
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 8192",
    "PRAGMA cache_size = -8192",
    "PRAGMA journal_size_limit = 67108864",
)
BUSY_MS = 5000
BUSY_PAUSE_S = 0.02
STATEMENTS = 500
READERS = 2
MAX_WAITING = 4000
"""Jobs that may wait for the writer. Beyond it the store says that it is too slow for what is asked of it."""

MAX_BATCH = 1000
"""Jobs in one commit, so that none waits long for its turn."""

SQL = queries.load("sqlite")

# SQLite would count each allocation under a lock that all threads share. It takes this only before its first use.
apsw.shutdown()
apsw.config(apsw.SQLITE_CONFIG_MEMSTATUS, False)
apsw.initialize()


class Connection:
    """One connection and its verbs, used by one thread at a time. They are coroutines that never wait."""

    def __init__(self, path: str, readonly: bool = False) -> None:
        self._db = apsw.Connection(path, statementcachesize=STATEMENTS)
        self._db.set_busy_timeout(BUSY_MS)
        # Without it each new value of a parameter has the statement prepared anew, at ten times the cost of running it.
        self._db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        for pragma in PRAGMAS:
            self._db.execute(pragma)
        if readonly:
            self._db.execute("PRAGMA query_only = ON")
        self._makers: dict[str, Callable[[Any], Row]] = {}
        self.close = self._db.close

    def plain(self, sql: str, *args: Any) -> list[Any]:
        return list(self._db.execute(sql, args))

    def each(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        self._db.executemany(sql, rows)

    async def one(self, query: str, **args: Any) -> Row | None:
        rows = self.run_now(query, args)
        return rows[0] if rows else None

    async def all(self, query: str, **args: Any) -> list[Row]:
        return self.run_now(query, args)

    async def run(self, query: str, **args: Any) -> None:
        self.run_now(query, args)

    async def many(self, query: str, rows: Sequence[object]) -> list[Row]:
        return self.many_now(query, rows)

    async def change(self, query: str, rows: Sequence[object]) -> int:
        before = self._db.total_changes()
        self.many_now(query, rows)
        return self._db.total_changes() - before

    def run_now(self, query: str, args: dict[str, Any]) -> list[Row]:
        spec = SQL[query]
        found = list(self._db.execute(NUMBERED[query], tuple(args[name] for name in spec.names)))
        return self._rows(query, found)

    def many_now(self, query: str, rows: Sequence[object]) -> list[Row]:
        if not rows:
            return []
        given = SQL[query].tuples(rows)
        if query not in BATCHES or len(given) == 1:
            return self._rows(query, list(self._db.executemany(NUMBERED[query], given)))
        found: list[Any] = []
        for chunk in _chunks(given):
            found += self._db.execute(_batch(query, len(chunk)), tuple(chain.from_iterable(chunk)))
        return self._rows(query, found)

    def _rows(self, query: str, found: list[Any]) -> list[Row]:
        if not found:
            return []
        if not (make := self._makers.get(query)):
            columns = [column[0] for column in apsw.ext.query_info(self._db, NUMBERED[query]).description]
            make = self._makers[query] = row_maker(query, columns)
        return list(map(make, found))


CHUNKS = (64, 32, 16, 8, 4, 2, 1)
"""Rows in one statement. Each step of a statement gives other threads of Python a turn, and getting one's own back
takes longer than writing a row; so a batch is written in few steps."""

BATCHES = {name for name, query in SQL.items() if query.sql.startswith(("INSERT", "UPDATE"))}


def _chunks(rows: list[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """The rows in pieces of a few sizes, so that there are few statements to prepare."""
    at = 0
    for size in CHUNKS:
        while len(rows) - at >= size:
            yield rows[at : at + size]
            at += size


@cache
def _batch(query: str, count: int) -> str:
    spec = SQL[query]
    row = f"({', '.join('?' * len(spec.names))})"
    names = ", ".join(f"given_{name}" for name in spec.names)
    return f"WITH given({names}) AS (VALUES {', '.join([row] * count)}) {spec.batch('given')}"


NUMBERED = {name: query.with_placeholders(lambda number, _: f"?{number}") for name, query in SQL.items()}


class Job:
    """Something for the writer: inserts to merge, or a unit to run."""

    __slots__ = ("error", "future", "inserts", "result", "unit")

    def __init__(self, future: asyncio.Future[Any], unit: Unit[Any] | None, inserts: Sequence[Insert]) -> None:
        self.future, self.unit, self.inserts = future, unit, inserts
        self.result: Any = None
        self.error: Exception | None = None

    def settle(self) -> None:
        if self.future.done():  # whoever asked has gone
            return
        if self.error:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SQLiteStore:
    @classmethod
    async def open(cls, path: str) -> "SQLiteStore":
        until = time.monotonic() + BUSY_MS / 1000
        while True:
            try:
                return await asyncio.to_thread(cls, path, asyncio.get_running_loop())
            except apsw.BusyError as error:  # making a new file one with a WAL does not wait for its turn
                if time.monotonic() > until:
                    raise Unavailable(f"{path}: {error}") from error
                await asyncio.sleep(BUSY_PAUSE_S)
            except (apsw.Error, OSError) as error:
                raise Unavailable(f"{path}: {error}") from error

    def __init__(self, path: str, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._path = loop, path
        self._bells = Bells()
        self._lock: TextIO | None = None
        self._closed = False
        self._gathered: list[Job] = []
        self.waiting = 0
        self._jobs: queue.SimpleQueue[list[Job]] = queue.SimpleQueue()
        """What the writer is asked for; nothing at all ends it."""
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # its secrets are its owner's
        self._writer = _migrated(path)
        self._local = threading.local()
        self._readers = ThreadPoolExecutor(READERS, "sqlite-reader")
        self._thread = threading.Thread(target=self._write_forever, name="sqlite-writer", daemon=True)
        self._thread.start()

    # --- reading ------------------------------------------------------------------------

    async def one(self, query: str, **args: Any) -> Row | None:
        rows = await self.all(query, **args)
        return rows[0] if rows else None

    async def all(self, query: str, **args: Any) -> list[Row]:
        return await self._read(query, lambda connection: connection.run_now(query, args))

    async def run(self, query: str, **args: Any) -> None:
        await self.all(query, **args)

    async def many(self, query: str, rows: Sequence[object]) -> list[Row]:
        return await self._read(query, lambda connection: connection.many_now(query, rows))

    async def change(self, query: str, rows: Sequence[object]) -> int:
        async def unit(tx: Any) -> int:
            changed: int = await tx.change(query, rows)
            return changed

        return await self.transaction(unit)

    async def _read(self, query: str, ask: Callable[[Connection], list[Row]]) -> list[Row]:
        if not SQL[query].sql.startswith(("SELECT", "WITH")):

            async def unit(tx: Any) -> list[Row]:
                return ask(tx)

            return await self.transaction(unit)
        try:
            return await self._loop.run_in_executor(self._readers, lambda: ask(self._reader()))
        except apsw.Error as error:
            _raise(error)

    def _reader(self) -> Connection:
        if not hasattr(self._local, "connection"):
            self._local.connection = Connection(self._path, readonly=True)
        connection: Connection = self._local.connection
        return connection

    # --- writing ------------------------------------------------------------------------

    async def transaction(self, unit: Unit[T]) -> T:
        result: T = await self._submit(unit, ())
        return result

    async def write(self, inserts: Sequence[Insert]) -> None:
        await self._submit(None, inserts)

    async def _submit(self, unit: Unit[Any] | None, inserts: Sequence[Insert]) -> Any:
        if self._closed:
            raise Unavailable("the store has been closed")
        if self.waiting >= MAX_WAITING:
            raise Unavailable("more is asked of the store than it can write")
        job = Job(self._loop.create_future(), unit, inserts)
        self.waiting += 1
        if not self._gathered:
            self._loop.call_soon(self._pass_on)
        self._gathered.append(job)
        return await job.future

    def _pass_on(self) -> None:
        """What one turn of the loop asks for comes to the writer together: its first job alone would be a commit."""
        jobs, self._gathered = self._gathered, []
        self._jobs.put(jobs)

    def _write_forever(self) -> None:
        while jobs := self._jobs.get():
            while len(jobs) < MAX_BATCH and not self._jobs.empty():
                more = self._jobs.get()
                if not more:
                    self._jobs.put(more)
                    break
                jobs += more
            self._commit(jobs)
            self._loop.call_soon_threadsafe(self._settle, jobs)

    def _settle(self, jobs: list[Job]) -> None:
        self.waiting -= len(jobs)
        for job in jobs:
            job.settle()

    def _commit(self, jobs: list[Job]) -> None:
        try:
            self._together(jobs)
        except Exception as error:
            if len(jobs) > 1 and not isinstance(error, UNAVAILABLE):
                for job in jobs:
                    self._commit([job])
                return
            for job in jobs:  # what cannot be written now cannot be written one by one either
                job.error = _translated(error)

    def _together(self, jobs: list[Job]) -> None:
        begun = time.perf_counter()
        self._writer.plain("BEGIN IMMEDIATE")
        try:
            for query, rows in _merged(jobs).items():
                self._writer.many_now(query, rows)
            for job in jobs:
                if job.unit:
                    self._run(job, job.unit)
            self._writer.plain("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        COUNTS.commit_seconds.observe(time.perf_counter() - begun)
        COUNTS.commit_units.observe(len(jobs))

    def _run(self, job: Job, unit: Unit[Any]) -> None:
        """A unit that refuses takes back what it wrote itself, and costs the others of the commit nothing."""
        self._writer.plain("SAVEPOINT unit")
        try:
            job.result = self._run_again_if_stale(unit)
        except Refusal as refusal:
            job.error = refusal
            self._writer.plain("ROLLBACK TO unit")
        self._writer.plain("RELEASE unit")

    def _run_again_if_stale(self, unit: Unit[Any]) -> Any:
        try:
            return _run_to_its_end(unit(self._writer))
        except Stale:
            self._writer.plain("ROLLBACK TO unit")
            return _run_to_its_end(unit(self._writer))

    def _roll_back(self) -> None:
        try:
            self._writer.plain("ROLLBACK")
        except apsw.SQLError:  # a full disk or an I/O error has rolled back already
            return

    # --- the rest -----------------------------------------------------------------------

    def listen(self, topic: str, ring: Callable[[], None]) -> Callable[[], None]:
        return self._bells.listen(topic, ring)

    def notify(self, topic: str) -> None:
        self._bells.ring(topic)

    def serve(self) -> bool:
        if self._lock is None:
            self._lock = locked(self._path)
        return True

    async def close(self) -> None:
        self._closed = True
        if self._gathered:
            self._pass_on()
        self._jobs.put([])
        await asyncio.to_thread(self._thread.join)
        self._readers.shutdown()
        self._writer.close()
        if self._lock:
            self._lock.close()


def _migrated(path: str) -> Connection:
    connection = Connection(path)
    try:
        schema_sqlite.migrate(path, connection.plain)
    except BaseException:
        connection.close()
        raise
    return connection


def _merged(jobs: list[Job]) -> dict[str, list[object]]:
    merged: dict[str, list[object]] = {}
    for job in jobs:
        for query, rows in job.inserts:
            merged.setdefault(query, []).extend(rows)
    return merged


def _run_to_its_end(unit: Coroutine[Any, Any, T]) -> T:
    """A unit awaits nothing but this connection, whose verbs never wait: one step is all of it."""
    try:
        unit.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    unit.close()
    raise RuntimeError("a unit awaits only its transaction")


UNAVAILABLE = (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.BusyError, apsw.LockedError, apsw.CantOpenError)


def _translated(error: Exception) -> Exception:
    if isinstance(error, apsw.ConstraintError):
        return Conflict(str(error))
    if isinstance(error, UNAVAILABLE):
        return Unavailable(str(error))
    return StoreError(str(error)) if isinstance(error, apsw.Error) else error


def _raise(error: Exception) -> NoReturn:
    raise _translated(error) from error
