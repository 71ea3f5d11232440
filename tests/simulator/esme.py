"""An ESME that notes what it hears, and the simulator that it speaks to."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from messagehub.carriers.simulator import Options, Ports, run
from messagehub.smpp import PDU, Answered, Driver, Event, Received, Role, Session, Stray, connect

QUICK = Options(receipt_delay=0.03, slow_receipt=0.15, second_receipt_delay=0.06)


@asynccontextmanager
async def simulator(options: Options = QUICK) -> AsyncIterator[Ports]:
    ready: asyncio.Future[Ports] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(run(replace(options, ready=ready.set_result)))
    await asyncio.wait((ready, running), timeout=30, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield ready.result()
    finally:
        running.cancel()
        await asyncio.wait((running,), timeout=30)


class _Taped(Session):
    """Keeps the octets that it read, and tells of them."""

    def __init__(self, now: float, happened: asyncio.Event) -> None:
        super().__init__(Role.ESME, now)
        self.octets = b""
        self._happened = happened

    def receive(self, octets: bytes, now: float) -> None:
        self.octets += octets
        self._happened.set()
        super().receive(octets, now)


class Esme:
    """An ESME that keeps what it hears, each with its time, and answers with `statuses`, then with 0."""

    def __init__(self, *, statuses: tuple[int | None, ...] = ()) -> None:
        self.heard: list[tuple[float, PDU]] = []
        self.statuses = list(statuses)
        self.happened = asyncio.Event()
        self.driver: Driver

    async def bind(self, ports: Ports, name: str = "bind_transceiver", **login: str) -> int:
        make = lambda: Driver(lambda now: _Taped(now, self.happened), self._on_events, self._on_lost)  # noqa: E731
        self.driver = await connect("127.0.0.1", ports.smpp, make)
        self.driver.request(name, {"system_id": "me", "interface_version": 0x34, **login})
        return (await self.named(f"{name}_resp"))[-1].status

    def submit(self, destination: str, text: bytes = b"hi", **fields: Any) -> int:
        asked = {"source_addr": "15551234567", "source_addr_ton": 1, "registered_delivery": 1, **fields}
        return self.driver.request("submit_sm", {**asked, "destination_addr": destination, "short_message": text})

    async def named(self, name: str, count: int = 1, within: float = 5) -> list[PDU]:
        """Wait for so many PDUs of this name; all of that name."""
        async with asyncio.timeout(within):
            while len(found := [pdu for _, pdu in self.heard if pdu.name == name]) < count:
                self.happened.clear()
                await self.happened.wait()
        return found

    def names(self) -> list[str]:
        return [pdu.name for _, pdu in self.heard]

    async def read(self, octets: bytes, within: float = 5) -> None:
        """Wait until they were read."""
        async with asyncio.timeout(within):
            while octets not in self.octets:
                self.happened.clear()
                await self.happened.wait()

    @property
    def octets(self) -> bytes:
        """All that was ever read."""
        assert isinstance(self.driver.session, _Taped)
        return self.driver.session.octets

    def _on_events(self, driver: Driver, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Answered | Stray):
                self.heard.append((time.monotonic(), event.response))
            elif isinstance(event, Received):
                self.heard.append((time.monotonic(), event.request))
                answer = self.statuses.pop(0) if self.statuses else 0
                if answer is not None:
                    driver.answer(event.request, answer)
        self.happened.set()

    def _on_lost(self, driver: Driver, error: Exception | None) -> None:
        self.happened.set()


@asynccontextmanager
async def bound(options: Options = QUICK) -> AsyncIterator[tuple[Esme, Ports]]:
    async with simulator(options) as ports:
        esme = Esme()
        assert await esme.bind(ports) == 0
        yield esme, ports
        await esme.driver.unbind()
