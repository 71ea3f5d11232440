"""Which carriers can be sent to: each node tells the others what it sees of its binds, and routes follow it."""

import time
from collections.abc import Callable, Mapping

from messagehub.carriers.carrier import CarrierState
from messagehub.store import Store
from messagehub.store.recent import CHANGED
from messagehub.work.loop import Loop

LOOK_S = 1.0
PATIENCE_S = 10.0
"""How long a carrier may be without a bind before its targets are given to others: most binds come back sooner."""

SENDING = ("bound", "degraded")


class Health:
    """Tells the store of each carrier that goes down, and of each that comes back.

    `states`: of the carriers that this node has binds of; the others are not for it to judge.
    """

    def __init__(
        self,
        store: Store,
        node_id: str,
        states: Callable[[], Mapping[str, CarrierState]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._node_id, self._states, self._clock = store, node_id, states, clock
        self._down_since: dict[str, float] = {}
        self._told: dict[str, int | None] = {}
        self._loop = Loop("health of carriers", self.look, LOOK_S)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    def tell_anew(self) -> None:
        """What was told may be forgotten, as that of a node that is dead is."""
        self._told = dict.fromkeys(self._told)

    async def look(self) -> None:
        seen = {carrier_id: self._bound(carrier_id, state) for carrier_id, state in self._states().items()}
        gone = [{"carrier_id": id, "node_id": self._node_id} for id in sorted(self._told.keys() - seen.keys())]
        news = {carrier_id: bound for carrier_id, bound in seen.items() if self._told.get(carrier_id) != bound}
        rows = [{"carrier_id": id, "node_id": self._node_id, "bound": bound} for id, bound in sorted(news.items())]
        await self._store.many("keep_carrier_health", rows)
        await self._store.many("forget_carrier_health", gone)
        was_down = {carrier_id for carrier_id, bound in self._told.items() if bound == 0}
        self._told = {**seen}
        self._down_since = {id: since for id, since in self._down_since.items() if id in seen}
        if was_down != {carrier_id for carrier_id, bound in seen.items() if bound == 0}:
            self._store.notify(CHANGED)

    def _bound(self, carrier_id: str, state: CarrierState) -> int:
        """1 unless it has been without a bind for a while."""
        if state in SENDING:
            self._down_since.pop(carrier_id, None)
            return 1
        now = self._clock()
        return int(now - self._down_since.setdefault(carrier_id, now) < PATIENCE_S)
