"""The committer: who owns the writing connection of a SQLite file, and commits for everybody.

It takes all jobs that wait, up to MAX_BATCH, and commits them as one. While it does, others gather; so commits grow
with the load and no timer is needed. The good case costs each job nothing: inserts are merged, and units whose ops are
all here are run one after another. If anything fails in it, it is begun anew with a savepoint for each job, so nobody
pays for another. A unit that waits for what its ops find has a savepoint in any case, and is alone until its end.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import Any, Protocol

from messagehub.errors import Stale
from messagehub.store.connection import UNAVAILABLE, Connection, translated
from messagehub.store.jobs import (
    ASK,
    COUNT,
    DO,
    Answer,
    Done,
    Failed,
    Job,
    More,
    Op,
    Rows,
    Undo,
    Unit,
    Write,
    failure,
)

MAX_BATCH = 1000
"""Jobs in one commit, so that none waits long for its turn."""


class Line(Protocol):
    """To the store."""

    def take(self, wait: bool) -> Sequence[Any]:
        """The frames that came; where it is to `wait`, one at least. Ended when there will be no more."""

    def give(self, frames: Sequence[Any]) -> None: ...


class Ended(BaseException):
    """The store is gone."""


class Committer:
    def __init__(self, connection: Connection, line: Line, cpu: Callable[[], float] = lambda: 0.0) -> None:
        """`cpu`: the seconds that its process has used, where that is its own."""
        self._connection, self._line, self._cpu = connection, line, cpu
        self._jobs: deque[Job] = deque()
        self._said: dict[int, More | Undo] = {}
        """By the id of a unit, what is to be done next with it."""

    def run(self) -> None:
        """Until the store is gone."""
        try:
            while True:
                self._gather(wait=not self._jobs)
                count = min(len(self._jobs), MAX_BATCH)
                self._commit([self._jobs.popleft() for _ in range(count)])
        except Ended:
            return

    def _gather(self, wait: bool) -> None:
        for frame in self._line.take(wait):
            if isinstance(frame, More | Undo):
                self._said[frame.id] = frame
            else:
                self._jobs.append(frame)

    # --- one commit ---------------------------------------------------------------------

    def _commit(self, jobs: list[Job]) -> None:
        """What cannot be written now cannot be written one by one either."""
        if self._said:  # of units that had failed when it was said
            there = {job.id for job in (*jobs, *self._jobs)}
            self._said = {id: said for id, said in self._said.items() if id in there}
        begun = time.perf_counter()
        try:
            self._connection.plain("BEGIN IMMEDIATE")
            failed = self._apply(jobs)
            self._connection.plain("COMMIT")
        except Exception as error:
            self._roll_back()
            self._line.give([failure(job.id, translated(error)) for job in jobs])
            return
        lost = {one.id for one in failed}
        done = Done([job.id for job in jobs if job.id not in lost], time.perf_counter() - begun, self._cpu())
        self._line.give([*failed, done])

    def _apply(self, jobs: list[Job]) -> list[Failed]:
        """Those that failed."""
        writes = [job for job in jobs if isinstance(job, Write)]
        units = [job for job in jobs if isinstance(job, Unit)]
        whole = list(takewhile(lambda unit: unit.is_whole, units))
        failed: list[Failed] = []
        try:
            self._together(writes, whole)
        except UNAVAILABLE:
            raise
        except Exception:
            self._roll_back()
            self._connection.plain("BEGIN IMMEDIATE")
            failed += self._each(writes)
            failed += self._each(whole)
        return failed + self._each(units[len(whole) :])

    def _together(self, writes: Iterable[Write], units: Iterable[Unit]) -> None:
        merged: dict[str, Rows] = {}
        for job in writes:
            for query, rows in job.inserts:
                if query in merged:
                    merged[query] += rows
                else:
                    merged[query] = list(rows)
        for query, rows in merged.items():
            self._connection.ask(query, rows)
        for unit in units:
            self._run(unit.ops)

    def _each(self, jobs: Iterable[Job]) -> list[Failed]:
        """One by one. Those that failed, of which nothing is written."""
        failed = []
        for job in jobs:
            self._connection.plain("SAVEPOINT job")
            try:
                is_kept = self._whole(job)
            except UNAVAILABLE:
                raise
            except Exception as error:
                failed.append(failure(job.id, translated(error)))
                is_kept = False
            if not is_kept:
                self._connection.plain("ROLLBACK TO job")
            self._connection.plain("RELEASE job")
        return failed

    def _whole(self, job: Job) -> bool:
        """Runs it to its end. False where its unit has failed by itself."""
        if isinstance(job, Write):
            self._run([Op(query, rows, DO) for query, rows in job.inserts])
            return True
        said: Unit | More | Undo = job
        while not isinstance(said, Undo):
            found = self._run(said.ops)
            if said.is_whole:
                return True
            self._line.give([Answer(job.id, *found)])
            said = self._more_of(job.id)
        return False

    def _more_of(self, id: int) -> More | Undo:
        while id not in self._said:
            self._gather(wait=True)
        return self._said.pop(id)

    def _run(self, ops: Iterable[Op]) -> tuple[list[str], Rows]:
        """What the last one found."""
        found: tuple[list[str], Rows] = ([], [])
        for op in ops:
            if op.kind == DO or op.kind == ASK:
                found = self._connection.ask(op.query, op.rows)
                continue
            count = self._connection.change(op.query, op.rows)
            if op.kind == COUNT:
                found = (["count"], [(count,)])
            elif count != len(op.rows):
                raise Stale(f"{op.query}: a row was changed by somebody else since it was seen")
        return found

    def _roll_back(self) -> None:
        try:
            self._connection.plain("ROLLBACK")
        except Exception:  # a full disk or an I/O error has rolled back already
            return
