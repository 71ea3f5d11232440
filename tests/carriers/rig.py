"""An SMPP carrier of ours and a message centre to speak to, over loopback sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from ssl import SSLContext
from typing import Any, TypeVar

from messagehub import text
from messagehub.carriers.backoff import PAUSES, Pauses
from messagehub.carriers.carrier import Handover, TargetKey
from messagehub.carriers.kinds import parse
from messagehub.carriers.simulator import Options
from messagehub.carriers.simulator.smsc import Smsc
from messagehub.carriers.smpp import SMPPCarrier
from messagehub.smpp import PDU, Driver, Event, Received, Role, Session, Unbound, listen
from messagehub.smpp.statuses import NUMBERS
from tests.carriers.side import Side

T = TypeVar("T")

SOURCE, SOMEBODY = "+15551234567", "+442079461234"
NEVER_ANSWERED, ANSWERED_LATE, NO_SUCH_NUMBER = "+442079460006", "+442079460007", "+442079460003"
"""Numbers by which the simulator knows what to do."""

QUICK = {"receipt_delay": 0.01, "slow_receipt": 0.05, "second_receipt_delay": 0.02}
_ids = count(1)


class Ours(Side):
    def __init__(self, port: int, pauses: Pauses = PAUSES, taped: bool = True, **config: Any) -> None:
        super().__init__()
        given = {"host": "127.0.0.1", "port": port, "system_id": "me", "password": "secret", **config}
        self.carrier: SMPPCarrier = SMPPCarrier(parse("smpp", given), pauses, taped)

    def send(self, destination: str = SOMEBODY, words: str = "Hello", source: str = SOURCE, **more: Any) -> TargetKey:
        key = (f"m{next(_ids)}", 0)
        self.carrier.send([Handover(key, source, destination, text.cut(words, key[1]), **more)])
        return key

    async def bound(self) -> None:
        await self.until(lambda: self.carrier.status().status == "bound")


@asynccontextmanager
async def simulator(**options: Any) -> AsyncIterator[tuple[Smsc, int]]:
    """The message centre of the simulator, and its port."""
    smsc = Smsc(Options(**{**QUICK, **options}))
    port = await smsc.open()
    try:
        yield smsc, port
    finally:
        await smsc.close()


@asynccontextmanager
async def pair(**config: Any) -> AsyncIterator[tuple[Ours, Smsc]]:
    """Our carrier, bound to a simulator."""
    async with simulator() as (smsc, port), Ours(port, **config) as ours:
        await ours.bound()
        yield ours, smsc


class Centre:
    """A message centre that answers a submit_sm when, and as, a test says; and notes when each came."""

    def __init__(self) -> None:
        self.submits: list[tuple[float, Driver, PDU]] = []
        self.on_submit: Callable[[Driver, PDU], None] = lambda driver, pdu: driver.answer(pdu, 0, {"message_id": "n"})
        self.binds: list[PDU] = []
        self.on_bind: Callable[[Driver, PDU], None]
        self.let_in()
        self.unbound = 0
        """How many sessions ended in good order."""
        self.drivers: list[Driver] = []

    def connected(self) -> Driver:
        return Driver(lambda now: Session(Role.MC, now), self._heard, lambda *_: None, on_made=self.drivers.append)

    def _heard(self, driver: Driver, events: list[Event]) -> None:
        for event in events:
            self.unbound += isinstance(event, Unbound)
            if not isinstance(event, Received):
                continue
            if event.request.name == "submit_sm":
                self.submits.append((asyncio.get_running_loop().time(), driver, event.request))
                self.on_submit(driver, event.request)
            else:
                self.binds.append(event.request)
                self.on_bind(driver, event.request)

    def let_in(self) -> None:
        self.on_bind = lambda driver, pdu: driver.answer(pdu, 0, {"system_id": "centre"})

    def refuse_binds(self, name: str) -> None:
        self.on_bind = lambda driver, pdu: driver.answer(pdu, NUMBERS[name])


@asynccontextmanager
async def centre(ssl: SSLContext | None = None) -> AsyncIterator[tuple[Centre, int]]:
    opened = Centre()
    server = await listen("127.0.0.1", 0, opened.connected, ssl=ssl)
    try:
        yield opened, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for driver in opened.drivers:
            driver.close()
        await asyncio.gather(*(driver.wait_lost() for driver in opened.drivers))
