"""The committer: who owns the writing connection of a SQLite file, and commits for everybody.

It takes all jobs that wait, up to MAX_BATCH, and commits them as one. While it does, others gather; so commits grow
with the load and no timer is needed. The good case costs each job nothing: inserts are merged, and units whose ops are
all here are run one after another. If anything fails in it, it is begun anew with a savepoint for each job, so nobody
pays for another; writes that came and failed together are sent again by the store, each alone. Units that wait for what
their ops find come after those, in a commit of their own with a savepoint for each, and one after the other; so they
hold up nobody who came with them.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from messagehub.errors import Stale, Unavailable, Unsettled
from messagehub.store.connection import UNAVAILABLE, Connection, translated
from messagehub.store.jobs import (
    ASK,
    COUNT,
    DO,
    Answer,
    Done,
    Failed,
    Job,
    Look,
    More,
    Op,
    Rows,
    Undo,
    Unit,
    Write,
    failure,
)

MAX_BATCH = 1000
"""Writes and units in one commit, so that none waits long for its turn."""


WRITE_OVER_S, AGAIN_S = 2.0, 0.05
"""For how long, and after which pauses, it is tried to write over a commit that has failed at its very end."""


class Line(Protocol):
    """To the store."""

    def take(self, wait: bool) -> Sequence[Any]:
        """The frames that came; where it is to `wait`, one at least. Ended when there will be no more."""

    def give(self, frames: Sequence[Any]) -> None: ...


class Ended(BaseException):
    """The store is gone."""


class Committer:
    def __init__(
        self,
        connection: Connection,
        line: Line,
        cpu: Callable[[], float] = lambda: 0.0,
        between_commits: Callable[[], None] = lambda: None,
    ) -> None:
        """`cpu`: the seconds that its process has used, where that is its own."""
        self._connection, self._line, self._cpu, self._between_commits = connection, line, cpu, between_commits
        self._jobs: deque[Job] = deque()
        self._said: dict[int, More | Undo] = {}
        """By the id of a unit, what is to be done next with it."""
        self._looks: list[Look] = []

    def run(self) -> None:
        """Until the store is gone."""
        try:
            while True:
                self._gather(wait=not self._jobs and not self._looks)
                self._look()
                jobs = self._next()
                self._forget_what_came_too_late(jobs)
                self._commit([job for job in jobs if _is_whole(job)])
                self._commit([job for job in jobs if not _is_whole(job)])
        except Ended:
            return

    def _gather(self, wait: bool) -> None:
        for frame in self._line.take(wait):
            if isinstance(frame, More | Undo):
                self._said[frame.id] = frame
            elif isinstance(frame, Look):
                self._looks.append(frame)
            else:
                self._jobs.append(frame)

    def _next(self) -> list[Job]:
        """What is to be committed now."""
        jobs: list[Job] = []
        count = 0
        while self._jobs and count < MAX_BATCH:
            jobs.append(self._jobs.popleft())
            count += len(jobs[-1].ids)
        return jobs

    def _look(self) -> None:
        looks, self._looks = self._looks, []
        if looks:
            self._line.give([self._seen(look) for look in looks])

    def _seen(self, look: Look) -> Answer | Failed:
        try:
            return Answer(look.id, *self._connection.ask(look.query, look.rows))
        except Exception as error:
            return failure(look.id, translated(error))

    def _forget_what_came_too_late(self, jobs: list[Job]) -> None:
        """What was said of units that had failed by then."""
        if self._said:
            there = {id for job in (*jobs, *self._jobs) for id in job.ids}
            self._said = {id: said for id, said in self._said.items() if id in there}

    # --- one commit ---------------------------------------------------------------------

    def _commit(self, jobs: list[Job]) -> None:
        """What cannot be written now cannot be written one by one either."""
        if not jobs:
            return
        begun = time.perf_counter()
        try:
            self._connection.plain("BEGIN IMMEDIATE")
            failed = self._apply(jobs)
            self._connection.commit()
        except Exception as error:
            self._connection.roll_back()
            if isinstance(error, Unsettled) and self._has_written_over():
                error = Unavailable(str(error))
            self._line.give([failure(id, translated(error)) for job in jobs for id in job.ids])
            return
        lost = {one.id for one in failed}
        kept = [id for job in jobs for id in job.ids if id not in lost]
        done = Done(kept, time.perf_counter() - begun, self._cpu())
        self._line.give([*failed, done])
        self._between_commits()

    def _has_written_over(self) -> bool:
        """What must not be found if the process is killed now. Nothing else can be written either, so all wait."""
        until = time.monotonic() + WRITE_OVER_S
        while not self._connection.write_over():
            if time.monotonic() > until:
                return False
            time.sleep(AGAIN_S)
        return True

    def _apply(self, jobs: list[Job]) -> list[Failed]:
        """Those that failed."""
        if not all(map(_is_whole, jobs)):
            return self._each(jobs)
        try:
            self._together(jobs)
        except UNAVAILABLE:
            raise
        except Exception:
            self._connection.roll_back()
            self._connection.plain("BEGIN IMMEDIATE")
            return self._each(jobs)
        return []

    def _together(self, jobs: Iterable[Job]) -> None:
        merged: dict[str, Rows] = {}
        units: list[Unit] = []
        for job in jobs:
            if isinstance(job, Unit):
                units.append(job)
                continue
            for query, rows in job.inserts.items():
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
                failed += [failure(id, translated(error)) for id in job.ids]
                is_kept = False
            if not is_kept:
                self._connection.plain("ROLLBACK TO job")
            self._connection.plain("RELEASE job")
        return failed

    def _whole(self, job: Job) -> bool:
        """Runs it to its end. False where its unit has failed by itself."""
        if isinstance(job, Write):
            self._run([Op(query, rows, DO) for query, rows in job.inserts.items()])
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


def _is_whole(job: Job) -> bool:
    return isinstance(job, Write) or job.is_whole
