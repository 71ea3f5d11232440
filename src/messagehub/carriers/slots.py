"""Which node has which binds of a carrier: each bind of its config is a slot, and a slot is one node's or none's.

A node holds its slots for as long as it lives (work/node.py). All nodes see the same rows and come to the same plan, so
nobody has to be asked: free slots go to who has fewest, and who has two more than another gives one back. A node gives
back in order: it sends nothing more on that bind, waits for the answers, unbinds, and only then is the slot free. So a
carrier never sees more binds than its config allows.
"""

import asyncio
import logging
import time
import zlib
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from msgspec import Struct, field

from messagehub.carriers.carrier import Carrier
from messagehub.logs import about
from messagehub.store import Store
from messagehub.work.loop import Loop
from messagehub.work.node import LEFT, Node

log = logging.getLogger(__name__)

LOOK_S = 1.0
DRAIN_S = 5.0
"""How long the answers on a bind that is given back are waited for."""


class Plan(Struct):
    """What one node is to do about one carrier."""

    take: list[int] = field(default_factory=list)
    give: list[int] = field(default_factory=list)


def plan(carrier_id: str, kinds: Sequence[str], held: Mapping[int, str], nodes: Sequence[str], me: str) -> Plan:
    """`kinds` are those of the carrier's binds; `held` says which node has which; `nodes` are those that could."""
    found = Plan()
    left = len(kinds) - len(held)  # fewer than are free, where others still have those of a config before
    for kind in dict.fromkeys(kinds):
        of_kind = [slot for slot, one in enumerate(kinds) if one == kind]
        owns: dict[str, list[int]] = {node: [] for node in sorted(nodes, key=lambda node: _lot(carrier_id, node))}
        for slot in of_kind:
            if (node := held.get(slot)) in owns:
                owns[node].append(slot)
        free = [slot for slot in of_kind if slot not in held][: max(0, left)]
        left -= len(free)
        for slot in free:
            poorest = min(owns, key=lambda node: len(owns[node]))
            owns[poorest].append(slot)
            if poorest == me:
                found.take.append(slot)
        found.give += _surplus(owns, me)
    return found


def _surplus(owns: dict[str, list[int]], me: str) -> list[int]:
    """Those of mine that go to who has fewer."""
    mine: list[int] = []
    while True:
        richest, poorest = max(owns, key=lambda node: len(owns[node])), min(owns, key=lambda node: len(owns[node]))
        if len(owns[richest]) - len(owns[poorest]) < 2:
            return mine
        slot = owns[richest].pop()
        owns[poorest].insert(0, slot)
        if richest == me:
            mine.append(slot)


def _lot(carrier_id: str, node: str) -> int:
    """The order of nodes differs from carrier to carrier, so that those with one bind do not all go to the same."""
    return zlib.crc32(f"{carrier_id} {node}".encode())


class Slots:
    """`carriers`: those that are open here, by their ids; `closing`: those that are not quite closed yet.

    `context_of`: in which context what is done about a carrier is logged as its own.
    """

    def __init__(
        self,
        store: Store,
        node: Node,
        carriers: Callable[[], Mapping[str, Carrier]],
        closing: Collection[str],
        context_of: Callable[[str], Context] = lambda _: copy_context(),
    ) -> None:
        self._store, self._node, self._carriers, self._closing = store, node, carriers, closing
        self._context_of = context_of
        self._giving: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._released: set[tuple[str, int]] = set()
        """Those given back since it was last asked whose they are, so that the answer may not know of it."""
        self._parting: asyncio.Task[None] | None = None
        self._loop = Loop("bind slots", self.turn, LOOK_S)
        self._deaf: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Nothing where there can be no other node: then each carrier has all its binds from the beginning."""
        if not self._node.alone:
            await self.turn()
            self._node.on_part.append(self._part)
            self._deaf = self._store.listen(LEFT, self.ring)
            self._loop.start()

    async def close(self) -> None:
        self._deaf()
        await self._loop.stop()
        tasks = list(self._giving.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def ring(self) -> None:
        """A carrier was opened or closed, or somebody has left a slot."""
        self._loop.ring()

    async def turn(self) -> None:
        """Takes what is this node's, and begins to give back what is another's."""
        if time.monotonic() >= self._node.lease.until:
            return
        await self._node.bury()
        self._released.clear()
        nodes = [row.id for row in await self._store.all("nodes_at_work")]
        held: dict[str, dict[int, str]] = {}
        for row in await self._store.all("bind_slots"):
            held.setdefault(row.carrier_id, {})[row.slot] = row.node_id
        if self._node.id in nodes:  # else it was taken for dead, and begins anew when it renews its lease
            await self._follow(held, nodes)

    async def _follow(self, held: dict[str, dict[int, str]], nodes: Sequence[str]) -> None:
        me, carriers = self._node.id, self._carriers()
        plans = {id: plan(id, one.kinds, held.get(id, {}), nodes, me) for id, one in carriers.items()}
        wanted = [{"carrier_id": id, "slot": slot, "node_id": me} for id, found in plans.items() for slot in found.take]
        for row in await self._store.many("take_slot", wanted):
            held.setdefault(row.carrier_id, {})[row.slot] = me
        mine = {
            id: {slot for slot, node in slots.items() if node == me and (id, slot) not in self._released}
            for id, slots in held.items()
        }
        if time.monotonic() >= self._node.lease.until:  # it parts from them, or has done so: nobody waits for it then
            return
        self._node.guard(len(nodes) > 1 and any(mine.values()))
        for id, carrier in self._carriers().items():
            if id in plans:
                self._settle(id, carrier, mine.pop(id, set()), plans[id].give)
        await self._release_unused(mine)

    def _settle(self, carrier_id: str, carrier: Carrier, mine: set[int], give: Sequence[int]) -> None:
        """What is being given back already is not taken up again."""
        for slot in give:
            if slot in mine and (carrier_id, slot) not in self._giving:
                log.info("a bind goes to another node", extra=about(carrier_id=carrier_id, slot=slot))
                self._begin_giving(carrier_id, slot, self._give(carrier_id, carrier, slot))
        beyond = {slot for slot in mine if slot >= len(carrier.kinds)}
        for slot in beyond:  # of a config before, whose binds were closed with it
            if (carrier_id, slot) not in self._giving:
                self._begin_giving(carrier_id, slot, self._release(carrier_id, slot))
        held = {slot for slot in mine - beyond if (carrier_id, slot) not in self._giving}
        self._context_of(carrier_id).run(carrier.hold, held)

    def _begin_giving(self, carrier_id: str, slot: int, giving: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(giving, context=self._context_of(carrier_id))
        self._giving[carrier_id, slot] = task
        task.add_done_callback(partial(self._has_given, (carrier_id, slot)))

    def _has_given(self, key: tuple[str, int], task: asyncio.Task[None]) -> None:
        """Or has failed to: then the next turn finds it held, and begins anew."""
        if self._giving.get(key) is task:
            del self._giving[key]
        if not task.cancelled() and (error := task.exception()):
            log.warning("a bind could not be given back: %s", error, extra=about(carrier_id=key[0], slot=key[1]))

    async def _give(self, carrier_id: str, carrier: Carrier, slot: int) -> None:
        await carrier.part(slot, DRAIN_S)
        await self._release(carrier_id, slot)

    async def _release(self, carrier_id: str, slot: int) -> None:
        await self._store.run("release_slot", carrier_id=carrier_id, slot=slot, node_id=self._node.id)
        self._released.add((carrier_id, slot))
        self._giving.pop((carrier_id, slot), None)
        self._store.notify(LEFT)

    async def _release_unused(self, mine: Mapping[str, set[int]]) -> None:
        """Those of carriers that are gone or disabled, once their binds are closed."""
        for carrier_id, slots in mine.items():
            if carrier_id not in self._closing and carrier_id not in self._carriers():
                for slot in slots:
                    await self._release(carrier_id, slot)

    def _part(self) -> None:
        """The lease ends: what is held may soon be another's."""
        self._parting = asyncio.create_task(self._part_from_all())

    async def _part_from_all(self) -> None:
        each = self._carriers().items()
        await asyncio.gather(*(asyncio.create_task(one.let_go(), context=self._context_of(id)) for id, one in each))
        self._node.guard(False)
