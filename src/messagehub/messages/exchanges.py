"""The exchanges of this process: one for each carrier in the store, opened, changed and closed as that changes."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from typing import Any

from msgspec import Struct

from messagehub.carriers.book import CarrierRow, Carriers
from messagehub.carriers.carrier import Carrier, CarrierState, TargetKey
from messagehub.carriers.wire import Step
from messagehub.logs import about, within
from messagehub.messages.exchange import Exchange
from messagehub.store import Store
from messagehub.store.recent import CHANGED
from messagehub.work.loop import Loop

POLL_S = 5.0
SWITCH_DRAIN_S = 2.0
"""How long a carrier that is changed may take to answer what is in flight."""

MakeExchange = Callable[[str, Carrier], Exchange]


log = logging.getLogger(__name__)


class Running(Struct):
    name: str
    settings: dict[str, Any]
    exchange: Exchange
    context: Context
    """In which all that is logged is about it."""


class Exchanges:
    """`alone`: each carrier has all its binds here, and has them at once."""

    def __init__(
        self,
        store: Store,
        carriers: Carriers,
        make: Callable[[CarrierRow], Carrier],
        exchange: MakeExchange,
        alone: bool = True,
    ) -> None:
        self._carriers, self._make, self._exchange = carriers, make, exchange
        self._slots = None if alone else ()
        self.on_change: Callable[[], None] = lambda: None
        """Called when a carrier was opened or closed."""
        self.closing: set[str] = set()
        """Carriers whose binds may not be closed yet."""
        self._running: dict[str, Running] = {}
        self._loop = Loop("carriers", self._follow, POLL_S)
        self._deaf = store.listen(CHANGED, self._loop.ring)

    async def open(self) -> None:
        await self._follow()
        self._loop.start()

    async def close(self, drain_s: float) -> None:
        self._deaf()
        await self._loop.stop()
        ended = await asyncio.gather(*(_closed(id, one, drain_s) for id, one in self._running.items()))
        if errors := [error for error in ended if error]:
            raise errors[0]

    def states(self) -> dict[str, CarrierState]:
        """How each carrier does that has binds here."""
        statuses = {id: carrier.status() for id, carrier in self.carriers().items()}
        return {id: status.status for id, status in statuses.items() if status.binds}

    def carriers(self) -> dict[str, Carrier]:
        """Those that are open here."""
        return {carrier_id: one.exchange.carrier for carrier_id, one in self._running.items()}

    def knows(self, carrier_id: str, key: TargetKey) -> bool:
        """Whether a target is on its way here, or what became of it is still to be written down."""
        return carrier_id in self._running and self._running[carrier_id].exchange.knows(key)

    def steps(self, carrier_id: str, key: TargetKey) -> list[Step]:
        """What was seen of a target that is on its way to a carrier here."""
        return self._running[carrier_id].exchange.carrier.steps(key) if carrier_id in self._running else []

    def get(self, carrier_id: str) -> Exchange | None:
        """The exchange with a carrier that is open here."""
        running = self._running.get(carrier_id)
        return running.exchange if running else None

    def context_of(self, carrier_id: str) -> Context:
        """What is begun in it is logged as what the carrier does."""
        running = self._running.get(carrier_id)
        return running.context.copy() if running else copy_context()

    def running(self) -> Iterator[tuple[str, str, Exchange]]:
        """The name and the id of each carrier that is open here, and its exchange."""
        return ((running.name, carrier_id, running.exchange) for carrier_id, running in self._running.items())

    async def _follow(self) -> None:
        """Opens what is new, closes what is gone or disabled, and does both for what has another config."""
        wanted = {row.id: row for row in await self._carriers.live() if not row.disabled}
        changed = [
            carrier_id
            for carrier_id, running in self._running.items()
            if carrier_id not in wanted or wanted[carrier_id].settings != running.settings
        ]
        await asyncio.gather(*(self._close(carrier_id, wanted.get(carrier_id)) for carrier_id in changed))
        is_new = wanted.keys() - self._running.keys()
        for carrier_id, row in wanted.items():
            if carrier_id in self._running:
                self._running[carrier_id].name = row.name
            else:
                self._running[carrier_id] = copy_context().run(self._open, row)
        if changed or is_new:
            self.on_change()

    async def _close(self, carrier_id: str, row: CarrierRow | None) -> None:
        running = self._running.pop(carrier_id)
        why = "its config was changed" if row else "it was disabled or deleted"
        log.info("a carrier is closed", extra=about(carrier=running.name, carrier_id=carrier_id, why=why))
        self.closing.add(carrier_id)
        try:
            await _closed(carrier_id, running, SWITCH_DRAIN_S)
        finally:
            self.closing.discard(carrier_id)

    def _open(self, row: CarrierRow) -> Running:
        """In a context of its own: all that is logged by the carrier's tasks is about it."""
        within({"carrier": row.name, "carrier_id": row.id})
        exchange = self._exchange(row.id, self._make(row))
        exchange.open(self._slots)
        return Running(row.name, row.settings, exchange, copy_context())


async def _closed(carrier_id: str, running: Running, drain_s: float) -> Exception | None:
    """What went wrong, if anything did. It is not raised, as others that are closed at the same time are waited for."""
    try:
        await running.exchange.close(drain_s)
    except Exception as error:
        fields = about(carrier=running.name, carrier_id=carrier_id)
        log.exception("a carrier could not be closed in order", extra=fields)
        return error
    return None
