"""Who is out, in memory: so that accepting a message for somebody who is not costs no look into the store.

It may be behind by as much as another node's commit takes to be heard of: at once by a bell, and within a second by
looking. What it does not know for sure is not handed over at once: such targets are queued, and the claim looks into
the store in its own transaction.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from messagehub import clock
from messagehub.clock import SECOND
from messagehub.people.opt_outs import CHANGED, IN_FORCE, Change
from messagehub.store import Row, Store
from messagehub.work.loop import Loop

MOST_OF_ONE = 20_000
"""Opt-outs of one customer that are kept in memory; with more, its messages always wait for their claim."""

MOST = 100_000
MOST_CUSTOMERS = 10_000
"""Beyond either everything is forgotten, and read again for those who send."""

POLL_S = 1.0
TRUSTED_S = 2.5
"""How long ago other nodes' changes may have been looked for."""

LOOKED_BACK = 60 * SECOND
"""Changes whose commit takes longer, or whose node's clock is behind by more, are heard of by the bell only."""

MOST_CHANGES = 5000
TRIES = 3

Stand = dict[str, str]
"""The status of a person by scope, of those that may stop a message."""

Outs = Mapping[str, Stand]
"""By address."""

NOBODY: Outs = {}


class Mirror:
    def __init__(self, store: Store, alone: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        """`alone`: no other node changes anything."""
        self._store, self._alone, self._clock = store, alone, clock
        self._known: dict[str, dict[str, Stand] | None] = {}
        self._loading: set[str] = set()
        """Many may ask at once for those of a customer of whom nothing was known: one reads them."""
        self._size = 0
        self._changes = 0
        self._looked = clock()
        self._loop = Loop("opt-outs of other nodes", self._look, POLL_S)

    def start(self) -> None:
        if not self._alone:
            self._store.listen(CHANGED, self._loop.ring)
            self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    def of(self, customer_id: str) -> Outs | None:
        """Those of a customer; None where it is not known here: see `load`."""
        if not self._alone and self._clock() - self._looked > TRUSTED_S:
            return None
        return self._known.get(customer_id)

    async def load(self, customer_id: str) -> Outs | None:
        """As `of`, having read them. None where there are too many, where they change all the time, and while they are
        being read for somebody else."""
        if customer_id in self._known:
            return self.of(customer_id)
        if customer_id in self._loading:
            return None
        self._loading.add(customer_id)
        try:
            return await self._load(customer_id)
        finally:
            self._loading.discard(customer_id)

    async def _load(self, customer_id: str) -> Outs | None:
        for _ in range(TRIES):
            seen = self._changes
            rows: list[Row] = []
            for status in IN_FORCE:
                asked = {"customer_id": customer_id, "status": status, "count": MOST_OF_ONE + 1}
                rows += await self._store.all("opt_outs_in_force", **asked)
            if seen == self._changes:
                self._keep(customer_id, rows)
                return self.of(customer_id)
        return None

    def _keep(self, customer_id: str, rows: list[Row]) -> None:
        if self._size + len(rows) > MOST or len(self._known) >= MOST_CUSTOMERS:
            self._forget()
        if len(rows) > MOST_OF_ONE:
            self._known[customer_id] = None
            return
        outs: dict[str, Stand] = {}
        for row in rows:
            outs.setdefault(row.address, {})[row.scope] = row.status
        self._known[customer_id] = outs
        self._size += len(rows)

    def _forget(self) -> None:
        self._known, self._size = {}, 0

    def make_known(self, changes: Iterable[Change]) -> None:
        """After their commit, here."""
        self.note(changes)
        self._store.notify(CHANGED)

    def note(self, changes: Iterable[Change | Row]) -> None:
        for change in changes:
            self._changes += 1
            if (outs := self._known.get(change.customer_id)) is not None:
                self._note(outs, change)
        if self._size > MOST:
            self._forget()

    def _note(self, outs: dict[str, Stand], change: Change | Row) -> None:
        stand = outs.get(change.address, {})
        self._size -= len(stand)
        if change.status in IN_FORCE:
            stand[change.scope] = change.status
        else:
            stand.pop(change.scope, None)
        self._size += len(stand)
        if stand:
            outs[change.address] = stand
        else:
            outs.pop(change.address, None)

    async def _look(self) -> None:
        """For what other nodes have changed lately."""
        begun, seen = self._clock(), self._changes
        since = clock.now() - LOOKED_BACK
        rows = await self._store.all("opt_outs_changed", since=since, count=MOST_CHANGES) if self._known else []
        if seen != self._changes:  # what is known here is newer than what was read
            self._loop.ring()
            return
        if len(rows) == MOST_CHANGES:
            self._changes += 1
            self._forget()
        else:
            self.note(rows)
        self._looked = begun
