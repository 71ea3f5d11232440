"""A bind: one SMPP session with a carrier, made again whenever it is lost."""

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Callable
from contextvars import copy_context

from msgspec import Struct

from messagehub import clock, ids
from messagehub.carriers import tls
from messagehub.carriers.backoff import OF_STATUS, PAUSES, Backoff, Pauses, Trouble
from messagehub.carriers.carrier import BindRole, BindState, BindStatus
from messagehub.carriers.config import SMPPConfig
from messagehub.carriers.door import Door
from messagehub.carriers.outbind import Outbinds
from messagehub.carriers.wire import NOWHERE, Link
from messagehub.clock import SECOND
from messagehub.logs import about
from messagehub.smpp import PDU, Answered, Driver, Event, Role, Session, StateError, status
from messagehub.smpp.states import SENDING
from messagehub.smpp.statuses import NUMBERS

log = logging.getLogger(__name__)

INTERFACE_VERSIONS = {"3.3": 0x33, "3.4": 0x34}
CONNECT_S = 10.0
UNBIND_S = 1.0

NOT_CALLED = "the carrier has not called yet (outbind)"

STEADY_S = 10.0
"""How long a session must have lasted for the next try to be the first."""


class Ticket(Struct, eq=False, frozen=True):
    """A request of the peer that waits for our answer."""

    driver: Driver
    request: PDU


class Bind:
    """`on_events(bind, events)` gets what a read brought, `on_lost(bind)` tells that the session is over."""

    def __init__(
        self,
        config: SMPPConfig,
        role: BindRole,
        door: Door,
        on_events: Callable[["Bind", list[Event]], None],
        on_lost: Callable[["Bind"], None],
        pauses: Pauses = PAUSES,
        taped: bool = True,
        outbinds: Outbinds | None = None,
    ) -> None:
        """`outbinds`: it does not connect, and is called there."""
        self.is_taped = taped
        """Traces are kept of what is said on it."""
        self.link = NOWHERE
        """Of the session that is, or was last."""
        self.status = BindStatus(role=role, state="connecting", since=clock.now())
        self.driver: Driver | None = None
        self.session_id = ""
        """Of the session that is, or was last."""
        self.leaving = False
        """It is to be closed: nothing more leaves on it."""
        self._closing = False
        self._config, self._door, self._outbinds = config, door, outbinds
        self._on_events, self._on_lost = on_events, on_lost
        self._backoff = Backoff(pauses)
        self._trouble = Trouble.CONNECTION
        self._refusal = ""
        self._decided = asyncio.Event()
        """The carrier has let us in, or not, or is gone."""
        self._context = copy_context()
        """All that is logged of it is about its carrier."""
        self._drained = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._parting: asyncio.Task[None] | None = None
        """From a peer that has forgotten the session."""

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"bind {self._config.system_id}")

    async def drain(self, seconds: float) -> None:
        """Lets nothing more out, and waits so long for the answers to what left."""
        self.leaving = True
        self._drained.clear()
        if self.in_flight:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._drained.wait()

    async def close(self) -> None:
        self._closing = True
        if self.driver:
            await self._part(self.driver)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def begin_anew(self, why: str) -> None:
        """The peer has forgotten the session: what it still answers is heard, and nothing more leaves."""
        if self.driver and self.is_sending and not self._parting:
            self._refusal = why
            self._parting = asyncio.create_task(self._part(self.driver))

    async def _part(self, driver: Driver) -> None:
        try:
            async with asyncio.timeout(UNBIND_S):
                await driver.unbind()
        except TimeoutError:
            driver.close()
            driver.transport.abort()
            await driver.wait_lost()

    @property
    def is_sending(self) -> bool:
        """It is bound in a role that sends, and stays so."""
        return not self.leaving and self.driver is not None and self.driver.session.state in SENDING

    @property
    def can_send(self) -> bool:
        """And the peer reads what it is sent."""
        return self.is_sending and self.driver is not None and self.driver.writable

    @property
    def in_flight(self) -> int:
        """PDUs without an answer."""
        return self.driver.session.in_flight if self.driver else 0

    @property
    def room(self) -> int:
        """Free places in the window."""
        if not self.can_send:
            return 0
        assert self.driver is not None
        return self._config.window - self.driver.session.in_flight

    # --- the life of a bind -------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            self._trouble = Trouble.CONNECTION
            try:
                await self._once()
            except Exception as error:  # whatever it is, the bind is tried again
                log.exception("a bind failed and is tried again")
                self.status.last_error = f"{type(error).__name__}: {error}"
                self._turn("down")
            if self._trouble is not Trouble.CREDENTIALS:  # for those the door stays shut
                await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        """Seconds until it is tried again. One that is called is there at once: how often is the carrier's to say."""
        is_called = self._outbinds is not None and self._outbinds.is_open
        return 0.0 if is_called else self._backoff.fail(self._trouble, random.random())

    async def _once(self) -> None:
        """One session from its beginning to its end."""
        async with self._door.turn():
            await self._knock()
        if self.driver:
            await self.driver.wait_lost()
            self.driver = self._parting = None

    async def _knock(self) -> None:
        """Connects, binds, and waits until the carrier has let us in or not."""
        self._refusal = ""
        self._decided.clear()
        try:
            self.driver = driver = await self._connect()
        except (OSError, TimeoutError, ValueError) as error:  # the last for names that can be no host's
            self.status.last_error = f"cannot connect: {tls.words(error, self._config.tls)}"
            return self._turn("down")
        self.session_id = ids.new()
        self.link = _link(driver)
        try:
            driver.request(f"bind_{self.status.role}", self._credentials())
        except StateError:  # the peer has broken the protocol before we could say a word
            driver.close()
        await self._decided.wait()
        return None

    async def _connect(self) -> Driver:
        if self._outbinds:
            self.status.last_error = self.status.last_error or NOT_CALLED
            self._turn("connecting")
            return await self._outbinds.call(self._config, self._adopt)
        config, loop = self._config, asyncio.get_running_loop()
        over: ssl.SSLContext | None = None
        if config.tls:
            over = tls.context(config.tls_ca, config.tls_certificate, config.tls_key, config.tls_verify)
        name = (config.tls_server_name or config.host) if over else None
        async with asyncio.timeout(CONNECT_S):
            _, driver = await loop.create_connection(
                self._new_driver, config.host, config.port, ssl=over, server_hostname=name
            )
        return driver

    def _adopt(self, driver: Driver) -> None:
        """In the context of the carrier, as what is called belongs to it from now on, and not to who listens."""
        self.driver, run = driver, self._context.run
        driver.adopt(
            self._new_session,
            lambda *heard: run(self._heard, *heard),
            lambda *lost: run(self._lost, *lost),
            on_writable=self._writable,
        )

    def _new_driver(self) -> Driver:
        return Driver(self._new_session, self._heard, self._lost, on_writable=self._writable)

    def _writable(self, _: Driver) -> None:
        self._on_events(self, [])

    def _new_session(self, now: float) -> Session:
        config = self._config
        return Session(Role.ESME, now, enquire_link=config.enquire_link, response_timeout=config.response_timeout)

    def _credentials(self) -> dict[str, object]:
        return {
            "system_id": self._config.system_id,
            "password": self._config.password,
            "system_type": self._config.system_type,
            "interface_version": INTERFACE_VERSIONS[self._config.interface_version],
        }

    # --- hearing ------------------------------------------------------------------------

    def _heard(self, driver: Driver, events: list[Event]) -> None:
        if self.status.state != "bound":
            for event in events:
                if isinstance(event, Answered) and event.request.name.startswith("bind_"):
                    self._answered(driver, _refusal(event.response))
        self._on_events(self, events)
        if self.leaving and not self.in_flight:
            self._drained.set()

    def _answered(self, driver: Driver, command_status: int) -> None:
        if command_status:
            self._refused(command_status)
            return driver.close()
        self._door.let_in()
        self.status.last_error = ""
        self._turn("bound")
        return self._decided.set()

    def _refused(self, command_status: int) -> None:
        meaning = status(command_status)
        self._refusal = f"bind refused: {meaning.name}: {meaning.words}"
        self._trouble, advice = OF_STATUS.get(command_status, (Trouble.CONNECTION, ""))
        if advice:
            self._refusal += f"; {advice}"
        if self._trouble is Trouble.CREDENTIALS:
            again = clock.plain(clock.now() + int(self._door.turned_away() * SECOND))
            self._refusal += f" (tried again at {again} UTC, or at once when the config is changed)"

    def _lost(self, driver: Driver, error: Exception | None) -> None:
        was_bound = self.status.state == "bound"
        if was_bound:
            self._door.left()
        if was_bound and clock.now() - self.status.since > STEADY_S * SECOND:
            self._backoff.forget()
        self.status.last_error = self._refusal or _end(was_bound, error) + self._hint(was_bound)
        self._turn("connecting" if was_bound else "down")
        self._decided.set()
        self._drained.set()
        self._on_lost(self)

    def _hint(self, was_bound: bool) -> str:
        """With TLS 1.3 a certificate that is missing ends the session after the handshake, often without a word."""
        anonymous = self._config.tls and not self._config.tls_certificate
        return (
            "; it may want a certificate of us: `tls_certificate` and `tls_key`" if anonymous and not was_bound else ""
        )

    def _turn(self, state: BindState) -> None:
        if self.status.state == state:
            return
        self.status.state, self.status.since = state, clock.now()
        if self._closing:  # what ends is what we have ended
            return
        config, fields = self._config, {"why": why} if (why := self.status.last_error) else {}
        level = logging.INFO if state != "down" else logging.WARNING
        if state == "down" and self._trouble is Trouble.CREDENTIALS:
            level = logging.ERROR
        where = about(role=self.status.role, host=config.host, port=config.port, **fields)
        log.log(level, "a bind is %s", state, extra=where)


def _link(driver: Driver) -> Link:
    ours, peers = (driver.transport.get_extra_info(name) or ("", 0) for name in ("sockname", "peername"))
    return (ours[0], ours[1], peers[0], peers[1])


def _end(was_bound: bool, error: Exception | None) -> str:
    """In words, how a session ended."""
    if error:
        return f"connection lost: {tls.words(error)}"
    return "the carrier ended the session" if was_bound else "the carrier hung up before it answered the bind"


def _refusal(response: PDU) -> int:
    """A generic_nack lets nobody in, whatever its status says."""
    return response.status or (NUMBERS["ESME_RBINDFAIL"] if response.name == "generic_nack" else 0)
