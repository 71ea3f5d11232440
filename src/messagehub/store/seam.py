"""What a store promises to the rest of the program.

There are two ways to write. `write` takes inserts only: those that wait are committed together as soon as the writer
is free, and if the merged commit fails they are tried one by one, so that nobody pays for another's row. An UPDATE may
stand beside them that returns nothing and of which, where several meet one row, any one will do.
`transaction` runs a unit: a coroutine function that is given a `Tx`. A unit reads and writes through its `Tx` and
awaits nothing else; it may be run a second time if the first was rolled back, so it has no other effect.

A unit reads what is committed, and what it wrote itself. What it read may be changed by others until it is written,
unless the query locked it: those `…_for_change`, and those that claim. An error of a verb that returns nothing may be
raised by a later one, or at the end of the unit.
"""

from collections import namedtuple
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol, TypeVar

Row = Any
"""A named tuple with the columns of the query."""

T = TypeVar("T")


FOR_CALLER: ContextVar[bool] = ContextVar("for_caller", default=False)
"""Whether what is asked is asked for a caller: they may be thousands, and no work of ours is to wait behind them."""


class Insert(NamedTuple):
    """Rows for one named INSERT. A row is any object with an attribute (or a dict with a key) per parameter."""

    query: str
    rows: Sequence[object]


class Tx(Protocol):
    """The verbs of a query by its name. Parameters are named as in the SQL."""

    async def one(self, query: str, **args: Any) -> Row | None:
        """The first row, or None."""

    async def all(self, query: str, **args: Any) -> list[Row]:
        """Every row."""

    async def run(self, query: str, **args: Any) -> None:
        """No rows."""

    async def many(self, query: str, rows: Sequence[object]) -> list[Row]:
        """The query once for each of `rows`, in one round trip. What the single runs return, in no sure order.

        An UPDATE must not meet the same row twice in one call.
        """

    async def change(self, query: str, rows: Sequence[object]) -> int:
        """As `many`, for a query that returns nothing: how many rows were changed."""

    async def expect(self, query: str, rows: Sequence[object]) -> None:
        """As `change`, where each of `rows` must change one row. Stale, then or at the end of the unit, if not."""


Unit = Callable[[Tx], Coroutine[Any, Any, T]]


class Store(Tx, Protocol):
    """Outside of a transaction `one`, `all`, `run` and `many` stand alone, each with its own commit."""

    @property
    def waiting(self) -> int:
        """How many writes and transactions their callers wait for."""

    async def transaction(self, unit: Unit[T]) -> T:
        """What `unit` returns, once all it wrote is on disk. Raises what it raises, with nothing written.

        Unavailable when the store cannot be reached or cannot write; Conflict for a key that is there already.
        """

    async def write(self, inserts: Sequence[Insert]) -> None:
        """Returns when the rows are on disk. Errors as with `transaction`."""

    def listen(self, topic: str, ring: Callable[[], None]) -> Callable[[], None]:
        """Calls `ring` on the event loop after each `notify` of the topic, on any node. Returns how to stop it.

        A ring may be lost with a connection, so a listener polls as well.
        """

    def notify(self, topic: str) -> None:
        """Rings the topic's listeners: at once here, soon elsewhere."""

    def serve(self) -> bool:
        """Said before serving. True when no other node can be alive; SettingError when one is that bars this one."""

    async def close(self) -> None:
        """Commits what waits, then closes."""


def row_maker(query: str, columns: Sequence[str]) -> Callable[[Any], Row]:
    """Turns what a driver returns for a row into a named tuple."""
    maker: Any = namedtuple(query, columns)  # type: ignore[misc]
    make: Callable[[Any], Row] = maker._make
    return make


class Bells:
    """The listeners of one process."""

    def __init__(self) -> None:
        self._rings: dict[str, list[Callable[[], None]]] = {}

    def listen(self, topic: str, ring: Callable[[], None]) -> Callable[[], None]:
        rings = self._rings.setdefault(topic, [])
        rings.append(ring)
        return lambda: rings.remove(ring) if ring in rings else None

    def ring(self, topic: str) -> None:
        for ring in self._rings.get(topic, ()):
            ring()
