"""What a SQLite store and its committer say to each other. Ids are the store's.

A unit runs on the event loop, and its verbs go to the committer. Those that return nothing do not wait: what a unit
asks for up to its first result, or to its end, is one frame.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from messagehub.errors import Conflict, Stale, StoreError, Unavailable, Unsettled

Rows = list[tuple[Any, ...]]

MOST_OCTETS = 512 * 1024 * 1024
"""Of one frame. What is asked for and answered is bounded by whoever asks; this only keeps lengths sane."""

MOST_AT_ONCE = 2 * MOST_OCTETS
"""Of the frames that go together."""


class Frame(Struct, array_like=True, gc=False):
    """Several may go together, as an array of msgpack."""


class Op(Frame):
    """A query, and a row of parameters for each time that it is run."""

    query: str
    rows: Rows
    kind: str


DO, EXPECT, ASK, COUNT = "do", "expect", "ask", "count"
"""The kinds. EXPECT changes as many rows as it is given, or its unit is stale; ASK and COUNT are answered."""


# --- from the store ---------------------------------------------------------------------


class Write(Frame, tag=1):
    """Inserts of all who ask for some in one turn of the loop, which may be merged with those of others.

    If it fails, nothing of it is written, and each of `ids` is told so: none of them, or another, may be at fault.
    """

    ids: list[int]
    inserts: dict[str, Rows]
    """By the names of their queries."""


class Unit(Frame, tag=2):
    """The beginning of a unit; where it `is_whole`, all of it. Else its last op is to be answered."""

    id: int
    ops: list[Op]
    is_whole: bool

    @property
    def ids(self) -> Sequence[int]:
        return (self.id,)


class More(Frame, tag=3):
    """What a unit goes on with. `is_whole` as above."""

    id: int
    ops: list[Op]
    is_whole: bool


class Undo(Frame, tag=4):
    """A unit has failed by itself. Nobody waits for an answer."""

    id: int


class Look(Frame, tag=5):
    """A query that a unit begins with, which locks nothing on any store: what is committed is enough for it."""

    id: int
    query: str
    rows: Rows


class Open(Frame, tag=6):
    """Said first to a committer that is a process of its own."""

    path: str


Job = Write | Unit
ToCommitter = Write | Unit | More | Undo | Look | Open


# --- from the committer -----------------------------------------------------------------


class Answer(Frame, tag=11):
    """What a look, or the last op of a unit, found. COUNT is one row with one number."""

    id: int
    columns: list[str]
    rows: Rows


class Failed(Frame, tag=12):
    """Nothing of it is written, unless it is Unsettled. `error` is a key of ERRORS."""

    id: int
    error: str
    words: str


class Done(Frame, tag=13):
    """These are on disk, by one commit that took so many seconds. `cpu`: of a process of its own, since its start."""

    ids: list[int]
    seconds: float
    cpu: float


class Opened(Frame, tag=14):
    """The answer to Open; words where it cannot be."""

    words: str


FromCommitter = Answer | Failed | Done | Opened

ERRORS = {kind.__name__: kind for kind in (Conflict, Stale, Unavailable, Unsettled, StoreError)}


def failure(id: int, error: Exception) -> Failed:
    """What another process is told of an error in the words of the seam."""
    if type(error).__name__ in ERRORS:
        return Failed(id, type(error).__name__, str(error))
    return Failed(id, StoreError.__name__, f"{type(error).__name__}: {error}")
