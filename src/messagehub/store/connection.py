"""A connection to a SQLite file, which runs queries by their names. It knows no event loop, and one thread uses it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from typing import Any

import apsw

from messagehub.errors import Conflict, StoreError, Unavailable, Unsettled
from messagehub.store import queries

LOG_PAGES = 8192
"""From how many on the log is written back. That writes each page once however often it changed, so it may be late."""

# The cache is small: a commit looks through all of it, and what is not in it is in the system's.
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA wal_autocheckpoint = {LOG_PAGES}",
    "PRAGMA cache_size = -8192",
    "PRAGMA journal_size_limit = 67108864",
)
BUSY_MS = 5000
STATEMENTS = 500

SQL = queries.load("sqlite")
NUMBERED = {name: query.with_placeholders(lambda number, _: f"?{number}") for name, query in SQL.items()}
BATCHES = {name for name, query in SQL.items() if query.sql.startswith(("INSERT", "UPDATE"))}

UNWRITTEN = (apsw.FullError, apsw.BusyError, apsw.LockedError, apsw.ProtocolError, apsw.ReadOnlyError)
UNWRITTEN_IO = (apsw.SQLITE_IOERR_WRITE, apsw.SQLITE_IOERR_READ, apsw.SQLITE_IOERR_SHORT_READ)
"""What a COMMIT fails with before its end is in the log; what is there without an end is not looked at."""

CHUNKS = (64, 32, 16, 8, 4, 2, 1)
"""Rows in one statement. Each step of a statement gives other threads of Python a turn, and getting one's own back
takes longer than writing a row; so a batch is written in few steps."""

# SQLite would count each allocation under a lock that all threads share. It takes this only before its first use.
apsw.shutdown()
apsw.config(apsw.SQLITE_CONFIG_MEMSTATUS, False)
apsw.initialize()

Given = Sequence[Sequence[Any]]
"""A row of parameters for each time that a query is run, in the order of `Query.names`."""

Found = tuple[list[str], list[tuple[Any, ...]]]
"""The names of the columns, and the rows. Where there are no rows there are no names."""

NOTHING: Found = ([], [])


class Connection:
    def __init__(self, path: str, readonly: bool = False) -> None:
        self._db = apsw.Connection(path, statementcachesize=STATEMENTS)
        self._db.set_busy_timeout(BUSY_MS)
        # Without it each new value of a parameter has the statement prepared anew, at ten times the cost of running it.
        self._db.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        for pragma in PRAGMAS:
            self._db.execute(pragma)
        if readonly:
            self._db.execute("PRAGMA query_only = ON")
        self.close = self._db.close

    def on_commit(self, grown: Callable[[int], None]) -> None:
        """Calls `grown` after each commit with the pages in the log, which is not written back by itself any more."""

        def hook(_: apsw.Connection, __: str, pages: int) -> int:
            grown(pages)  # which must not raise: a COMMIT that is done would fail
            return int(apsw.SQLITE_OK)

        self._db.set_wal_hook(hook)

    def write_back(self) -> int:
        """As much of the log as no reader holds up; how many of its pages are in the file then."""
        _, back = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        return back

    def commit(self) -> None:
        """Unsettled where all of it is in the log, and yet it has failed: whoever opens the file next finds it done.

        So it is where the disk finds no room for what was written until it is synced, or the log's index cannot grow.
        """
        try:
            self.plain("COMMIT")
        except UNWRITTEN:
            raise
        except apsw.Error as error:
            if error.extendedresult in UNWRITTEN_IO:  # type: ignore[attr-defined]
                raise
            raise Unsettled(str(translated(error))) from error

    def write_over(self) -> bool:
        """The beginning of a commit that was Unsettled, and rolled back; so that nobody finds it any more.

        False where that cannot be written now, or another process writes.
        """
        self._db.set_busy_timeout(0)
        try:
            self._write_over()
        except apsw.Error:
            self.roll_back()
            return False
        finally:
            self._db.set_busy_timeout(BUSY_MS)
        return True

    def _write_over(self) -> None:
        try:
            self.plain("BEGIN IMMEDIATE")
            ((version,),) = self.plain("PRAGMA user_version")
            self.plain(f"PRAGMA user_version = {version}")  # one page, which changes nothing
            self.commit()
        except Unsettled:
            self.roll_back()
            pages, _ = self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
            if not pages:  # it has failed at the head of a log that begins anew, before it wrote anything behind that
                self._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def roll_back(self) -> None:
        with suppress(apsw.Error):  # a full disk or an I/O error has rolled back already
            self.plain("ROLLBACK")

    def plain(self, sql: str, *args: Any) -> list[Any]:
        return list(self._db.execute(sql, args))

    def each(self, sql: str, rows: Given) -> None:
        self._db.executemany(sql, rows)

    def ask(self, query: str, given: Given) -> Found:
        """What the query returns for each of `given`."""
        if not given:
            return NOTHING
        if query not in BATCHES or len(given) == 1:
            return _fetched(self._db.executemany(NUMBERED[query], given))
        columns: list[str] = []
        found: list[tuple[Any, ...]] = []
        for chunk in _chunks(given):
            names, rows = _fetched(self._db.execute(_batch(query, len(chunk)), tuple(chain.from_iterable(chunk))))
            columns = names or columns
            found += rows
        return columns, found

    def change(self, query: str, given: Given) -> int:
        """How many rows were changed."""
        before = self._db.total_changes()
        self.ask(query, given)
        return self._db.total_changes() - before


def _fetched(cursor: apsw.Cursor) -> Found:
    first = cursor.fetchone()
    if first is None:
        return NOTHING
    columns = [column[0] for column in cursor.get_description()]
    return columns, [first, *cursor]


def _chunks(rows: Given) -> Iterator[Given]:
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


UNAVAILABLE = (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.BusyError, apsw.LockedError, apsw.CantOpenError)
DAMAGED = "the file of the store is damaged, and a backup is needed"
NO_DATABASE = "this is no file of SQLite; if it was one it is damaged, and a backup is needed"


def translated(error: Exception) -> Exception:
    """In the words of the seam."""
    if isinstance(error, apsw.ConstraintError):
        return Conflict(str(error))
    if isinstance(error, UNAVAILABLE):
        return Unavailable(str(error))
    if isinstance(error, apsw.CorruptError):
        return Unavailable(f"{DAMAGED}: {error}")
    if isinstance(error, apsw.NotADBError):
        return Unavailable(NO_DATABASE)
    return StoreError(str(error)) if isinstance(error, apsw.Error) else error
