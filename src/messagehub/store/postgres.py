"""The shared store: PostgreSQL through asyncpg.

`many` and `write` send one statement however many rows there are: from the single-row SQL of a query its batch form
is made, whose arrays are unnested by the server. The types of the arrays are those that the server itself infers for
the single-row form, so no table of types stands here.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn, TypeVar

import asyncpg

from messagehub.errors import Conflict, RolledBack, SettingError, Stale, StoreError, Unavailable, Unsettled
from messagehub.metrics import COUNTS
from messagehub.store import queries, schema, schema_postgres
from messagehub.store.address import shown
from messagehub.store.queries import Query
from messagehub.store.seam import FOR_CALLER, Bells, Insert, Row, Tx, Unit, row_maker

log = logging.getLogger(__name__)

T = TypeVar("T")

POOL, CALLERS = 8, 4
"""Connections for the work of this process, and for what callers ask: behind those a lease could not be renewed."""
CONNECT_S = 10.0
ANSWER_S = 5.0
"""How long the server may take for one statement, and a caller for a connection of the pool: then it is unavailable."""

CLOSE_S = 2.0
CLOSED = "the store has been closed"
MAX_WAITING = 4000
MAX_BATCH = 1000
TRIES = 5
"""How often a transaction that met a deadlock or a serialization failure is run."""

ASIDE = ("seqscan", "bitmapscan", "hashjoin", "mergejoin")
PLANS = [*(f"SET enable_{way} = off" for way in ASIDE), "SET jit = off"]
"""Each query has its index. The planner would do without where rows are few, and a plan is kept: with that of an empty
table each statement would read all of it, once it has grown. What the planner knows of a table that grows by thousands
of rows a second is always old."""

KEEPALIVE = [
    "SET tcp_keepalives_idle = 5",
    "SET tcp_keepalives_interval = 2",
    "SET tcp_keepalives_count = 2",
    "SET tcp_user_timeout = 10000",
]
FORSAKEN = [f"SET idle_in_transaction_session_timeout = '{ANSWER_S:g}s'", *KEEPALIVE]
"""A machine that lost its power, or its network, says no farewell. The server would keep the rows that it had locked
for as long as TCP is patient, which is two hours, and the other nodes would wait for them."""

SESSION = "; ".join([*PLANS, *FORSAKEN, f"SET application_name = '{schema_postgres.APPLICATION}'"])
NEWER = "SELECT max(version) FROM migration WHERE COALESCE(compatible_from, version) > $1"

CHANNEL = "messagehub"
NOTIFY = "SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic"
RECONNECT_S = 1.0
HEAR_S = 5.0
"""After so long it is asked whether the connection that only listens still leads to somebody: silence does not say."""

SQL = queries.load("postgres")
NUMBERED = {name: query.with_placeholders(lambda number, _: f"${number}") for name, query in SQL.items()}


class Connection:
    """The verbs on one connection, or, with a pool, each on any of its connections."""

    def __init__(self, source: "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]", forms: "Forms"):
        self._source, self._forms = source, forms
        self.has_written = False
        """Whether a statement was sent that changes something."""

    async def one(self, query: str, **args: Any) -> Row | None:
        rows = await self.all(query, **args)
        return rows[0] if rows else None

    async def all(self, query: str, **args: Any) -> list[Row]:
        self.has_written |= SQL[query].writes
        found = await self._source.fetch(NUMBERED[query], *(args[name] for name in SQL[query].names))
        return self._forms.rows(query, found)

    async def run(self, query: str, **args: Any) -> None:
        await self.all(query, **args)

    async def many(self, query: str, rows: Sequence[object]) -> list[Row]:
        if not rows:
            return []
        sql = await self._forms.batch(query, self._source)
        columns = zip(*SQL[query].tuples(rows), strict=True)
        self.has_written |= SQL[query].writes
        return self._forms.rows(query, await self._source.fetch(sql, *map(list, columns)))

    async def change(self, query: str, rows: Sequence[object]) -> int:
        if not rows:
            return 0
        sql = await self._forms.batch(query, self._source)
        columns = zip(*SQL[query].tuples(rows), strict=True)
        self.has_written = True
        return int((await self._source.execute(sql, *map(list, columns))).split()[-1])

    async def expect(self, query: str, rows: Sequence[object]) -> None:
        if await self.change(query, rows) != len(rows):
            raise Stale(f"{query}: a row was changed by somebody else since it was seen")


class Forms:
    """What is learnt of each query once: its batch form and the shape of its rows."""

    def __init__(self) -> None:
        self._batch: dict[str, str] = {}
        self._makers: dict[str, Callable[[Any], Row]] = {}

    async def batch(self, query: str, source: Any) -> str:
        if query not in self._batch:
            statement = await source.prepare(NUMBERED[query])
            self._batch[query] = batch_form(SQL[query], [kind.name for kind in statement.get_parameters()])
        return self._batch[query]

    def rows(self, query: str, found: list[Any]) -> list[Row]:
        if not found:
            return []
        if query not in self._makers:
            self._makers[query] = row_maker(query, list(found[0].keys()))
        return list(map(self._makers[query], found))


def batch_form(query: Query, types: Sequence[str]) -> str:
    """The statement that does for arrays of parameters what the single-row statement does for one of each."""
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))
    columns = ", ".join(f"given_{name}" for name in query.names)
    source = f"unnest({arrays}) AS given({columns})"
    if not query.writes:
        return f"SELECT found.* FROM {source} CROSS JOIN LATERAL ({query.with_given()}) AS found"
    return query.batch(source)


class Waiting:
    """Inserts of one caller on their way to the next commit."""

    __slots__ = ("future", "inserts")

    def __init__(self, future: asyncio.Future[None], inserts: Sequence[Insert]) -> None:
        self.future, self.inserts = future, inserts


class PostgresStore:
    def __init__(self, pool: "asyncpg.Pool[Any]", callers: "asyncpg.Pool[Any]", url: str) -> None:
        self._pool, self._callers, self._url = pool, callers, url
        self._forms = Forms()
        self._bells = Bells()
        self._waiting: list[Waiting] = []
        self._unanswered: set[asyncio.Future[None]] = set()
        """Of all that is to be written: of those that wait, and of those that are being committed."""
        self._closed = False
        self._transactions = 0
        self._wanted = asyncio.Event()
        self._topics: set[str] = set()
        self._tasks = [asyncio.create_task(self._write_forever()), asyncio.create_task(self._hear_forever())]

    @classmethod
    async def open(cls, url: str) -> "PostgresStore":
        try:
            pool, callers = await _pool(url, POOL), await _pool(url, CALLERS)
            await _migrate(url)
        except (SettingError, Unavailable):
            raise
        except ValueError as error:
            # What is not the driver's own may quote a piece of the password.
            own = isinstance(error, asyncpg.InterfaceError)
            why = error if own else "it cannot be read; in a password / is written as %2F, and so on"
            raise SettingError(f"MESSAGEHUB_DATABASE_URL: {shown(url)}: {why}") from None
        except TRANSLATED as error:
            raise Unavailable(f"{shown(url)} cannot be opened: {str(error) or 'it does not answer'}") from error
        return cls(pool, callers, url)

    def _own_or_callers(self) -> "asyncpg.Pool[Any]":
        return self._callers if FOR_CALLER.get() else self._pool

    # --- reading ------------------------------------------------------------------------

    async def one(self, query: str, **args: Any) -> Row | None:
        rows = await self.all(query, **args)
        return rows[0] if rows else None

    async def all(self, query: str, **args: Any) -> list[Row]:
        async def ask(connection: Connection) -> list[Row]:
            return await connection.all(query, **args)

        return await self._with_connection(ask)

    async def run(self, query: str, **args: Any) -> None:
        await self.all(query, **args)

    async def many(self, query: str, rows: Sequence[object]) -> list[Row]:
        async def ask(connection: Connection) -> list[Row]:
            return await connection.many(query, rows)

        return await self._with_connection(ask)

    async def change(self, query: str, rows: Sequence[object]) -> int:
        async def unit(tx: Tx) -> int:
            return await tx.change(query, rows)

        return await self.transaction(unit)

    async def expect(self, query: str, rows: Sequence[object]) -> None:
        await self.transaction(lambda tx: tx.expect(query, rows))

    async def _with_connection(self, ask: Callable[[Connection], Awaitable[list[Row]]]) -> list[Row]:
        try:
            async with self._own_or_callers().acquire(timeout=ANSWER_S) as source:
                connection = Connection(source, self._forms)
                try:
                    return await ask(connection)
                except SILENT as error:
                    _raise_if_unsettled(connection, error)
                    raise
        except TRANSLATED as error:
            _raise(error)

    # --- writing ------------------------------------------------------------------------

    async def transaction(self, unit: Unit[T]) -> T:
        self._transactions += 1
        try:
            return await self._repeated(unit, 1)
        finally:
            self._transactions -= 1

    async def _repeated(self, unit: Unit[T], units: int) -> T:
        for _ in range(TRIES):
            try:
                return await self._once(unit, units)
            except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, Stale):
                continue
            except TRANSLATED as error:
                _raise(error)
        raise RolledBack(f"rolled back {TRIES} times in favour of other transactions")

    async def _once(self, unit: Unit[T], units: int) -> T:
        async with self._own_or_callers().acquire(timeout=ANSWER_S) as source:
            begun, is_done = time.perf_counter(), False
            connection = Connection(source, self._forms)
            try:
                async with source.transaction():
                    result = await unit(connection)
                    is_done = True
            except SILENT as error:
                if is_done:
                    _raise_if_unsettled(connection, error)
                raise
        COUNTS.commit_seconds.observe(time.perf_counter() - begun)
        COUNTS.commit_units.observe(units)
        return result

    @property
    def waiting(self) -> int:
        return len(self._waiting) + self._transactions

    async def write(self, inserts: Sequence[Insert]) -> None:
        if self._closed:
            raise Unavailable(CLOSED)
        if len(self._waiting) > MAX_WAITING:
            raise Unavailable("more is asked of the store than it can write")
        waiting = Waiting(asyncio.get_running_loop().create_future(), inserts)
        self._waiting.append(waiting)
        self._unanswered.add(waiting.future)
        self._wanted.set()
        try:
            await waiting.future
        finally:
            self._unanswered.discard(waiting.future)
            del waiting  # an error in it leads back here by its traceback, and so to all that was to be written

    async def _write_forever(self) -> None:
        while True:
            await self._wanted.wait()
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            if not self._waiting:
                self._wanted.clear()
            if batch:  # and not just a topic to pass on
                await self._commit(batch)
            del batch  # nobody knows when there is a next one
            await self._pass_on()

    async def _commit(self, batch: list[Waiting]) -> None:
        """What may have been written although it failed is not written again."""
        futures = [waiting.future for waiting in batch]
        try:
            await self._insert(batch)
        except Exception as error:
            is_lost = isinstance(error, Unavailable) and not isinstance(error, RolledBack)
            if len(batch) > 1 and not is_lost:
                for waiting in batch:
                    await self._commit([waiting])
                return
            del batch  # the error leads back here by its traceback, and would keep all that was to be written
            for future in futures:
                _fail(future, error)
            return
        for future in futures:
            if not future.done():  # whoever asked may have gone
                future.set_result(None)

    async def _insert(self, batch: list[Waiting]) -> None:
        merged: dict[str, list[object]] = {}
        for waiting in batch:
            for query, rows in waiting.inserts:
                merged.setdefault(query, []).extend(rows)

        async def unit(tx: Any) -> None:
            for query, rows in merged.items():
                await tx.many(query, rows)

        count = len(batch)
        del batch  # as in `_commit`
        try:
            await self._repeated(unit, count)
        finally:
            merged.clear()

    # --- telling other nodes ------------------------------------------------------------

    def listen(self, topic: str, ring: Callable[[], None]) -> Callable[[], None]:
        return self._bells.listen(topic, ring)

    def notify(self, topic: str) -> None:
        self._bells.ring(topic)
        self._topics.add(topic)
        self._wanted.set()

    async def _pass_on(self) -> None:
        topics, self._topics = self._topics, set()
        try:
            if topics:
                await self._pool.execute(NOTIFY, CHANNEL, sorted(topics))
        except (*TRANSLATED, Unavailable):
            return  # listeners poll as well

    async def _hear_forever(self) -> None:
        while True:
            try:
                await self._hear()
            except TRANSLATED as error:
                log.warning("other nodes are not heard for now: %s", error)
            await asyncio.sleep(RECONNECT_S)

    async def _hear(self) -> None:
        """Until the connection is lost."""
        connection = await asyncpg.connect(self._url, timeout=CONNECT_S)
        gone = asyncio.Event()
        connection.add_termination_listener(lambda _: gone.set())
        try:
            await connection.execute("; ".join(KEEPALIVE))
            await connection.add_listener(CHANNEL, lambda *heard: self._bells.ring(str(heard[-1])))
            while not gone.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(HEAR_S):
                        await gone.wait()
                        return
                await connection.execute("SELECT 1", timeout=ANSWER_S)
        finally:
            connection.terminate()

    # --- the rest -----------------------------------------------------------------------

    def serve(self) -> bool:
        return False

    async def close(self) -> None:
        self._closed = True
        if self._unanswered:
            await asyncio.wait(self._unanswered, timeout=CLOSE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for waiting in self._waiting:
            _fail(waiting.future, Unavailable(CLOSED))
        for future in self._unanswered:  # what was given up in the middle of its commit
            _fail(future, Unsettled(f"{CLOSED} before it said whether it has committed"))
        try:
            async with asyncio.timeout(CLOSE_S):
                await asyncio.gather(self._pool.close(), self._callers.close())
        except TimeoutError:
            self._pool.terminate()
            self._callers.terminate()


async def _pool(url: str, size: int) -> "asyncpg.Pool[Any]":
    """It connects when it is asked for something."""
    begin = partial(_begin, schema.newest("postgres"))
    return await asyncpg.create_pool(
        url, min_size=0, max_size=size, timeout=CONNECT_S, command_timeout=ANSWER_S, init=begin, reset=_leave
    )


async def _begin(newest: int, connection: "asyncpg.Connection[Any]") -> None:
    """`newest`: the last migration that this program knows. One that stood still while the store was moved away, or
    changed by a newer one, has slept through the bar."""
    try:
        await connection.execute(SESSION)
        if newer := await connection.fetchval(NEWER, newest):
            raise Unavailable(schema.why_barred(newer))
    except BaseException:
        connection.terminate()  # else the pool would take its leave of a server that does not answer
        raise


async def _leave(_: "asyncpg.Connection[Any]") -> None:
    """Nobody leaves anything in a session, so nothing is to be reset after each use."""


async def _migrate(url: str) -> None:
    """On a connection of its own, since a migration may take as long as it needs."""
    connection = await asyncpg.connect(url, timeout=CONNECT_S)
    try:
        await schema_postgres.migrate(connection)
    finally:
        await connection.close()


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _raise_if_unsettled(connection: Connection, error: Exception) -> None:
    """Of an `error` of SILENT which came for what commits."""
    if connection.has_written:
        raise Unsettled(f"it did not say whether it has committed: {_said(error)}") from error


SILENT = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
)
"""What a COMMIT ends in to which there is no answer."""

TRANSLATED = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresError,
)
"""All that the driver raises, and what a connection does. The third is what a connection that is lost in the middle of
a transaction may make of its COMMIT."""

PASSING = ("08", "25006", "25P03", "40", "53", "55P03", "57", "58")
"""The beginnings of the SQLSTATEs that say nothing against what was asked: the same may do later.

Connection, read-only, idle for too long, rolled back, no resources, locked, operator's intervention, system.
PostgreSQL, appendix A.
"""


def _raise(error: Exception) -> NoReturn:
    if isinstance(error, asyncpg.UniqueViolationError):
        raise Conflict(str(error)) from error
    state = getattr(error, "sqlstate", None)
    if not isinstance(error, asyncpg.DataError) and (state is None or state.startswith(PASSING)):
        raise Unavailable(_said(error)) from error
    raise StoreError(str(error)) from error


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
