"""A node is one running process. While it lives it renews a lease; what a dead one held is anybody's to rescue.

The lease is told by the store's clock. The node itself goes by its own clock that never goes back, and stops before its
lease ends: from `lease.until` on it sends nothing, and parts from its carriers.
"""

import asyncio
import logging
import math
import os
import socket
import time
from collections.abc import Callable

from msgspec import Struct

from messagehub import clock, ids
from messagehub.clock import SECOND
from messagehub.errors import Unavailable
from messagehub.store import Store, Tx
from messagehub.work.deadman import DeadMan
from messagehub.work.loop import Loop

log = logging.getLogger(__name__)

LEASE_S = 15.0
RENEW = 4 / 15
"""After this share of its lease a node renews it."""

AGAIN = 1 / 15
"""After such a share it tries again, where it could not: a store that is back in time costs nobody its binds."""

PART = 1 / 5
"""So long before its lease ends, as a share of it, a node begins to part from its carriers."""

DEAD = 1 / 30
"""So long before its lease ends, as a share of it, a process that has not parted is ended."""

CHECK_S = 0.5
"""How long a write stands for the store's being writable, however often that is asked."""

LEFT = "left"
"""The topic that is notified when a node gives something back that others may take."""


class Lease(Struct):
    until: float = math.inf
    """Of the monotonic clock; for ever where there can be no other node."""


class Node:
    """This process, as the others see it. What it holds names it by its `id`."""

    def __init__(self, store: Store, works: bool = True, lease_s: float = LEASE_S) -> None:
        self.id = ids.new()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.alone = False
        self.lease = Lease()
        self.on_part: list[Callable[[], None]] = []
        """Called when the lease was not renewed in time."""
        self._store, self._works, self._lease_s = store, int(works), lease_s
        self._renewed = -math.inf
        self._loop = Loop("lease", self._renew, lease_s * RENEW, lease_s * AGAIN)
        self._tidying = Loop("leases of the dead", self._tidy, lease_s * RENEW)
        self._ending: asyncio.TimerHandle | None = None
        self._deadman = DeadMan()
        self._guards = False

    async def open(self) -> bool:
        """Takes the lease. Whether this is the only node there can be, so that all leases before it are void."""
        self.alone = self._store.serve()
        if self.alone:
            await self._store.run("drop_all_leases")
        await self._renew()
        await self._tidy()
        self._loop.start()
        self._tidying.start()
        return self.alone

    async def close(self) -> None:
        await asyncio.gather(self._loop.stop(), self._tidying.stop())
        self.guard(False)
        if self._ending:
            self._ending.cancel()
        try:
            await self._store.transaction(self._leave)
        except Unavailable as error:
            log.warning("the lease of this node runs out by itself: %s", error)
        self._store.notify(LEFT)

    async def check(self) -> None:
        """Writes to the store, unless it was written a moment ago. Unavailable when it cannot be written."""
        if time.monotonic() - self._renewed > CHECK_S:
            await self._renew()

    def guard(self, guards: bool) -> None:
        """Whether others wait for what this node holds, so that it must be ended where it stands still."""
        if guards != self._guards:
            self._guards = guards
            self._arm()

    # --- the lease ----------------------------------------------------------------------

    async def _renew(self) -> None:
        """By one answer of the store: where each of them takes a second or more, a few would take the whole lease."""
        begun, lease = time.monotonic(), int(self._lease_s * SECOND)
        if not await self._store.one("renew_lease", id=self.id, now=clock.now(), lease=lease):
            has_begun = await self._store.transaction(self._begin)
            if has_begun and self._renewed > -math.inf:
                log.warning("this node was taken for dead, since it could not renew its lease; it begins anew")
        self._renewed = time.monotonic()
        if not self.alone:
            self.lease.until = begun + self._lease_s * (1 - PART)
            self._arm()
            self._watch()

    async def _begin(self, tx: Tx) -> bool:
        """With nothing: what it held before may be another's. Not where another renewal has just done so."""
        lease = int(self._lease_s * SECOND)
        if await tx.one("renew_lease", id=self.id, now=clock.now(), lease=lease):
            return False
        until = await store_clock(tx) + lease
        await tx.run("keep_lease", id=self.id, tm_lease=until, name=self.name, works=self._works)
        await self._release(tx)
        return True

    async def bury(self) -> None:
        """Those others whose leases have run out: what they held is free from now on."""

        async def unit(tx: Tx) -> None:
            await tx.run("drop_old_leases", own=self.id, tm_before=await store_clock(tx))

        await self._store.transaction(unit)

    async def _tidy(self) -> None:
        await self.bury()
        await self._store.run("forget_health_of_dead")

    async def _release(self, tx: Tx) -> None:
        await tx.run("release_slots", node_id=self.id)
        await tx.run("release_duties", node_id=self.id)

    async def _leave(self, tx: Tx) -> None:
        await self._release(tx)
        await tx.run("drop_lease", id=self.id)

    def _watch(self) -> None:
        if self._ending:
            self._ending.cancel()
        wait = self.lease.until - time.monotonic()
        self._ending = asyncio.get_running_loop().call_later(wait, self._part)

    def _part(self) -> None:
        log.error("the lease could not be renewed in time: others may take what this node holds, so it parts from it")
        for part in self.on_part:
            part()

    def _arm(self) -> None:
        self._deadman.arm(self.lease.until + self._lease_s * (PART - DEAD) if self._guards else 0)


async def always() -> bool:
    """The duty of who is alone."""
    return True


class Duty:
    """What one node does for all, until it ends or dies."""

    def __init__(self, store: Store, node: Node, name: str) -> None:
        self._store, self._node, self._name = store, node, name

    async def is_mine(self) -> bool:
        if self._node.alone:
            return True
        holder = await self._store.one("duty", name=self._name)
        if holder:
            return bool(holder.node_id == self._node.id)
        mine = {"name": self._name, "node_id": self._node.id}
        return await self._store.transaction(lambda tx: _took(tx, mine))


async def _took(tx: Tx, mine: dict[str, str]) -> bool:
    return await tx.one("take_duty", **mine) is not None


async def store_clock(tx: Tx) -> int:
    """Leases are told by the store's clock, which all nodes share."""
    row = await tx.one("clock", now=clock.now())
    assert row is not None
    return int(row.now)
