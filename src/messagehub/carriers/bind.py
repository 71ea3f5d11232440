"""A bind: one SMPP session with a carrier, made again whenever it is lost."""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from functools import lru_cache

from messagehub import clock, ids
from messagehub.carriers.carrier import BindRole, BindState, BindStatus
from messagehub.carriers.config import SMPPConfig
from messagehub.logs import about
from messagehub.smpp import Answered, Driver, Event, Role, Session, StateError, connect, status
from messagehub.smpp.states import SENDING

log = logging.getLogger(__name__)

PAUSES_S = (0.5, 1, 2, 5, 10, 30, 60)
"""Between one connection and the next; the last repeats."""

INTERFACE_VERSION = 0x34
CONNECT_S = 10.0
UNBIND_S = 1.0


class Bind:
    """`on_events(bind, events)` gets what a read brought, `on_lost(bind)` tells that the session is over."""

    def __init__(
        self,
        config: SMPPConfig,
        role: BindRole,
        on_events: Callable[["Bind", list[Event]], None],
        on_lost: Callable[["Bind"], None],
    ) -> None:
        self.status = BindStatus(role=role, state="connecting", since=clock.now())
        self.driver: Driver | None = None
        self.session_id = ""
        """Of the session that is, or was last."""
        self._config = config
        self._on_events, self._on_lost = on_events, on_lost
        self._failures = 0
        self._refusal = ""
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"bind {self._config.system_id}")

    async def close(self) -> None:
        if self.driver:
            await self._part(self.driver)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _part(self, driver: Driver) -> None:
        try:
            async with asyncio.timeout(UNBIND_S):
                await driver.unbind()
        except TimeoutError:
            driver.close()

    @property
    def is_sending(self) -> bool:
        """It is bound in a role that sends."""
        return self.driver is not None and self.driver.session.state in SENDING

    @property
    def can_send(self) -> bool:
        """And the peer reads what it is sent."""
        return self.is_sending and self.driver is not None and self.driver.writable

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
            try:
                await self._once()
            except Exception as error:  # whatever it is, the bind is tried again
                log.exception("a bind failed and is tried again")
                self.status.last_error = f"{type(error).__name__}: {error}"
            self._turn("down" if self._failures else "connecting")
            pause = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
            self._failures += 1
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))

    async def _once(self) -> None:
        """One session from its beginning to its end."""
        try:
            tls = _trust() if self._config.tls else None
            driver = await connect(self._config.host, self._config.port, self._new_driver, ssl=tls, timeout=CONNECT_S)
        except (OSError, TimeoutError, UnicodeError) as error:  # the last for names that can be no host's
            self.status.last_error = f"cannot connect: {error or type(error).__name__}"
            return
        self.driver, self.session_id, self._refusal = driver, ids.new(), ""
        try:
            driver.request(f"bind_{self.status.role}", self._credentials())
        except StateError:  # the peer has broken the protocol before we could say a word
            driver.close()
        await driver.wait_lost()
        self.driver = None

    def _new_driver(self) -> Driver:
        return Driver(self._new_session, self._heard, self._lost, on_writable=lambda _: self._on_events(self, []))

    def _new_session(self, now: float) -> Session:
        config = self._config
        return Session(Role.ESME, now, enquire_link=config.enquire_link, response_timeout=config.response_timeout)

    def _credentials(self) -> dict[str, object]:
        return {
            "system_id": self._config.system_id,
            "password": self._config.password,
            "system_type": self._config.system_type,
            "interface_version": INTERFACE_VERSION,
        }

    def _heard(self, driver: Driver, events: list[Event]) -> None:
        if self.status.state != "bound":
            for event in events:
                if isinstance(event, Answered) and event.request.name.startswith("bind_"):
                    self._bound(driver, event.response.status)
        self._on_events(self, events)

    def _bound(self, driver: Driver, command_status: int) -> None:
        if command_status:
            meaning = status(command_status)
            self._refusal = f"bind refused: {meaning.name}: {meaning.words}"
            driver.close()
            return
        self._failures = 0
        self.status.last_error = ""
        self._turn("bound")

    def _lost(self, driver: Driver, error: Exception | None) -> None:
        self.status.last_error = self._refusal or _end(self.status.state, error)
        self._turn("connecting")
        self._on_lost(self)

    def _turn(self, state: BindState) -> None:
        if self.status.state == state:
            return
        self.status.state, self.status.since = state, clock.now()
        config, fields = self._config, {"why": why} if (why := self.status.last_error) else {}
        level = logging.WARNING if state == "down" else logging.INFO
        where = about(role=self.status.role, host=config.host, port=config.port, **fields)
        log.log(level, "a bind is %s", state, extra=where)


def _end(state: str, error: Exception | None) -> str:
    """In words, how a session ended."""
    if error:
        return f"connection lost: {error}"
    return "the carrier ended the session" if state == "bound" else "the carrier hung up before it answered the bind"


@lru_cache(maxsize=1)  # reading the system's certificates takes a while
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
