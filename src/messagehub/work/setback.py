"""The clock of the machine is set back: what was due must not wait until the clock has come there again.

Rows say when they are due by the time of day, since they outlive the process. A clock that goes forward makes them due
early, which does no harm. One that is set back by an hour would hold up all that waits for an hour, so the process
looks for such a step, by its monotonic clock, and brings forward what was written before it.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from messagehub import clock
from messagehub.clock import SECOND
from messagehub.logs import about
from messagehub.store import Store, Tx
from messagehub.work.loop import Loop

log = logging.getLogger(__name__)

LOOK_S = 1.0
LEAST = 2 * SECOND
"""A step that matters. Smaller ones are a clock that is kept right, or a process that was not let run."""

AHEAD = 3600 * SECOND
"""Of what is tried again, what was due so soon after the step is brought forward, too: early is better than late."""

BATCH = 500


class Forward(NamedTuple):
    """Two queries: `find` has the rows that wait, and `bring` makes one of them due by `step` earlier, or at once."""

    find: str
    bring: str


class Setback:
    def __init__(
        self,
        store: Store,
        rows: Sequence[Forward],
        heed: Callable[[int], None],
        wall: Callable[[], int] = clock.now,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`heed` is told by how many microseconds, for what is in memory."""
        self._store, self._rows, self._heed = store, rows, heed
        self._wall, self._steady = wall, steady
        self._ahead = self._offset()
        self._step = 0
        """Microseconds that are still to be made up for."""
        self._loop = Loop("clock", self.look, LOOK_S)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def look(self) -> None:
        """A step is seen by one look and made up for by the next: what was on its way to the store is there by then."""
        before, self._ahead = self._ahead, self._offset()
        if (step := before - self._ahead) >= LEAST:
            log.warning("the clock was set back", extra=about(seconds=round(step / SECOND)))
            self._step += step
            self._heed(step)
        elif self._step:
            for forward in self._rows:
                while await self._store.transaction(partial(self._bring_some, forward)) == BATCH:
                    pass
            self._step = 0

    def _offset(self) -> int:
        return self._wall() - int(self._steady() * SECOND)

    async def _bring_some(self, forward: Forward, tx: Tx) -> int:
        now = self._wall()
        before = now + self._step
        rows = await tx.all(forward.find, now=now, tm_before=before, tm_latest=before + AHEAD, count=BATCH)
        await tx.many(forward.bring, [{**row._asdict(), "now": now, "step": self._step} for row in rows])
        return len(rows)
