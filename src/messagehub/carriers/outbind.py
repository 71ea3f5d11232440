"""Outbind: carriers that call us, and to which we bind on the connection that they made (SMPP 3.4, 2.2.1 and 4.1.7)."""

import asyncio
import hmac
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

from msgspec import Struct

from messagehub.carriers.config import SMPPConfig
from messagehub.errors import SettingError
from messagehub.logs import Seldom, about
from messagehub.smpp import PDU, Driver, Event, Received, Role, Session

log = logging.getLogger(__name__)

SAY_WITHIN_S = 5.0
"""How long a caller may take to say who it is."""

MOST_CALLERS = 64
"""How many may be connected that have not said so yet."""

TOLD_S = 10.0
"""How often there is a line for callers that are turned away."""

Take = Callable[[Driver], None]


class Expected(Struct, frozen=True, eq=False):
    """A bind that waits to be called. `take` gets the connection at once, `called` tells that it did."""

    config: SMPPConfig
    take: Take
    called: asyncio.Future[Driver]

    def fits(self, said: PDU, host: str) -> bool:
        knows_name = _equal(said.fields["system_id"], self.config.system_id)
        knows_word = _equal(said.fields["password"], self.config.password)
        return knows_name & knows_word & self.may_be_at(host)

    def may_be_at(self, host: str) -> bool:
        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self.config.callers())


def _equal(given: str, known: str) -> bool:
    """In a time that tells nothing of how much of it is right."""
    return hmac.compare_digest(given.encode(), known.encode())


class Outbinds:
    """The place where carriers call. Until it is opened, and where it is not, nobody can."""

    def __init__(self) -> None:
        self._expected: list[Expected] = []
        self._callers: set[Driver] = set()
        self._server: asyncio.Server | None = None
        self._told = Seldom(TOLD_S)

    async def open(self, listen: str) -> None:
        """Listens on `HOST:PORT`. SettingError where that cannot be."""
        host, _, port = listen.rpartition(":")
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._new_driver, host.strip("[]"), int(port), backlog=MOST_CALLERS)
        except (OSError, ValueError, OverflowError) as error:
            raise SettingError(f"MESSAGEHUB_OUTBIND_LISTEN: cannot listen on {listen!r}: {error}") from None

    async def close(self) -> None:
        if self._server:
            self._server.close()
        for driver in list(self._callers):
            driver.close()

    @property
    def is_open(self) -> bool:
        return self._server is not None

    async def call(self, config: SMPPConfig, take: Take) -> Driver:
        """The connection of the carrier, once it has called. OSError where nobody can call."""
        if self._server is None:
            raise OSError("carriers cannot call here: the operator has not set MESSAGEHUB_OUTBIND_LISTEN")
        with self._waiting(Expected(config, take, asyncio.get_running_loop().create_future())) as expected:
            return await expected.called

    @contextmanager
    def _waiting(self, expected: Expected) -> Iterator[Expected]:
        self._expected.append(expected)
        try:
            yield expected
        finally:
            self._expected.remove(expected)

    # --- callers ------------------------------------------------------------------------

    def _new_driver(self) -> Driver:
        return Driver(self._new_session, self._heard, self._lost, on_made=self._came)

    def _new_session(self, now: float) -> Session:
        return Session(Role.ESME, now, session_init=SAY_WITHIN_S)

    def _came(self, driver: Driver) -> None:
        self._callers.add(driver)
        if not any(one.may_be_at(_host(driver)) for one in self._expected):
            self._turn_away(driver, "no carrier is waited for from there")
        elif len(self._callers) > MOST_CALLERS:
            self._turn_away(driver, "too many are connected that have not said who they are")

    def _lost(self, driver: Driver, _: Exception | None) -> None:
        self._callers.discard(driver)

    def _heard(self, driver: Driver, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Received) and event.request.name == "outbind":
                return self._called(driver, event.request)
        return None

    def _called(self, driver: Driver, said: PDU) -> None:
        fitting = [one for one in self._expected if one.fits(said, _host(driver)) and not one.called.done()]
        if not fitting:
            return self._turn_away(driver, "no carrier that is waited for has this system_id, password and address")
        expected = fitting[0]
        self._callers.discard(driver)
        expected.take(driver)
        return expected.called.set_result(driver)

    def _turn_away(self, driver: Driver, why: str) -> None:
        if self._told.due():
            log.warning("a caller is turned away", extra=about(peer=driver.peer, why=why))
        driver.close()


def _host(driver: Driver) -> str:
    return str(driver.transport.get_extra_info("peername")[0])
