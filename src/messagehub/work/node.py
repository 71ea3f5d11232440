"""A node is one running process. While it lives it renews a lease; what a dead one held is anybody's to rescue."""

import logging
import math
import time

from messagehub import clock, ids
from messagehub.clock import SECOND
from messagehub.errors import Unavailable
from messagehub.store import Store, Tx
from messagehub.work.loop import Loop

log = logging.getLogger(__name__)

LEASE = 15 * SECOND
RENEW_S = 4.0
CHECK_S = 0.5
"""How long a write stands for the store's being writable, however often that is asked."""


class Node:
    """This process, as the others see it. What it holds names it by its `id`."""

    def __init__(self, store: Store) -> None:
        self.id = ids.new()
        self._store = store
        self._renewed = -math.inf
        self._loop = Loop("lease", self._renew, RENEW_S)

    async def open(self) -> bool:
        """Takes the lease. Whether this is the only node there can be, so that all leases before it are void."""
        if alone := self._store.serve():
            await self._store.run("drop_all_leases")
        await self._renew()
        self._loop.start()
        return alone

    async def close(self) -> None:
        await self._loop.stop()
        try:
            await self._store.run("drop_lease", id=self.id)
        except Unavailable as error:
            log.warning("the lease of this node runs out by itself: %s", error)

    async def check(self) -> None:
        """Writes to the store, unless it was written a moment ago. Unavailable when it cannot be written."""
        if time.monotonic() - self._renewed > CHECK_S:
            await self._renew()

    async def is_eldest(self) -> bool:
        """Whether this node does what one does for all. For a moment two may think so, so that must do no harm."""

        async def unit(tx: Tx) -> str | None:
            row = await tx.one("eldest_node", now=await store_clock(tx))
            return row and str(row.id)

        return await self._store.transaction(unit) == self.id

    async def _renew(self) -> None:
        async def unit(tx: Tx) -> None:
            now = await store_clock(tx)
            await tx.run("keep_lease", id=self.id, tm_lease=now + LEASE)
            await tx.run("drop_old_leases", tm_before=now - 10 * LEASE)
            await tx.run("forget_health_of_dead")

        await self._store.transaction(unit)
        self._renewed = time.monotonic()


async def store_clock(tx: Tx) -> int:
    """Leases are told by the store's clock, which all nodes share."""
    row = await tx.one("clock", now=clock.now())
    assert row is not None
    return int(row.now)
