"""A session on a socket: the only file here that knows asyncio. It runs on uvloop as well.

The driver has no opinion: what was read goes to the session, the session's events go to the owner in one list, and
what the session wants written is written once per turn of the loop.
"""

import asyncio
import time
from collections.abc import Callable
from ssl import SSLContext
from typing import Any, cast

from messagehub.smpp.events import Broken, Event
from messagehub.smpp.pdus import PDU
from messagehub.smpp.session import Session
from messagehub.smpp.states import BOUND, State

TICK = 0.5  # seconds between two looks at the clock
MAX_UNWRITTEN = 8 * 1024 * 1024  # octets that a peer which does not read may leave with us
CLOSING = 5.0  # seconds in which the last octets may still be written

_CLOSED = State.CLOSED  # which costs ten times as much to look up at its class

Clock = Callable[[], float]
OnEvents = Callable[["Driver", list[Event]], None]
OnLost = Callable[["Driver", Exception | None], None]
OnDriver = Callable[["Driver"], None]


def _no_one(_: "Driver") -> None:
    """Nobody wants to know."""


class Driver(asyncio.Protocol):
    """One session on one connection.

    `make_session(now)`, then `on_made(driver)`, are called when the connection is there. `on_events(driver, events)`
    gets what one read or one tick brought; it must not block. `on_lost(driver, error)` is called once, at the end,
    with None after an orderly end; `session.pending` then tells what is in doubt. `on_writable(driver)` is called when
    `writable` becomes True again. More than `max_unanswered` requests of the peer without an answer stop the reading
    until half of them are answered.
    """

    session: Session
    transport: asyncio.Transport

    def __init__(
        self,
        make_session: Callable[[float], Session],
        on_events: OnEvents,
        on_lost: OnLost,
        *,
        on_made: OnDriver = _no_one,
        on_writable: OnDriver = _no_one,
        max_unanswered: int = 1000,
        clock: Clock = time.monotonic,
        tick: float = TICK,
    ) -> None:
        self.writable = False
        self.reading = False
        self.max_unanswered = max_unanswered
        self._make_session = make_session
        self._on_events, self._on_lost = on_events, on_lost
        self._on_made, self._on_writable = on_made, on_writable
        self._clock = clock
        self._tick_every = tick
        self._timer: asyncio.TimerHandle | None = None
        self._flushing = False
        self._error: Exception | None = None
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()

    def adopt(
        self,
        make_session: Callable[[float], Session],
        on_events: OnEvents,
        on_lost: OnLost,
        *,
        on_writable: OnDriver = _no_one,
    ) -> None:
        """Gives the connection to another owner, with a session that begins anew."""
        self._make_session = make_session
        self._on_events, self._on_lost, self._on_writable = on_events, on_lost, on_writable
        self.session = make_session(self._clock())

    # --- what the owner says ------------------------------------------------------------------------------------------

    def request(
        self,
        name: str,
        fields: dict[str, Any] | None = None,
        tlvs: dict[int, bytes] | None = None,
        context: Any = None,
    ) -> int:
        """`Session.request` at this moment, and a flush; the sequence number."""
        sequence = self.session.request(name, self._clock(), fields, tlvs, context)
        if not self._flushing:
            self.flush()
        return sequence

    def answer(
        self,
        request: PDU,
        status: int = 0,
        fields: dict[str, Any] | None = None,
        tlvs: dict[int, bytes] | None = None,
    ) -> None:
        """`Session.answer`, and a flush."""
        session = self.session
        session.answer(request, status, fields, tlvs)
        if not self._flushing:
            self.flush()
        if not self.reading and session.unanswered <= self.max_unanswered // 2:
            self._read_again()

    def flush(self) -> None:
        """Write what the session has, at the end of this turn of the loop."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Write what there is and close the connection, without an unbind."""
        if self._gone.done() or self.transport.is_closing():
            return
        self._write()
        self.session.close()
        self.transport.close()
        self._loop.call_later(CLOSING, self._abort)

    async def unbind(self) -> None:
        """Unbind where bound, wait for the answer, and close. Returns when the connection is gone."""
        if self.session.state in BOUND:
            self.session.unbind(self._clock())
            self.flush()
        elif self.session.state is not State.UNBINDING:
            self.close()
        await self.wait_lost()

    async def wait_lost(self) -> None:
        """Until the connection is gone."""
        await asyncio.shield(self._gone)

    @property
    def peer(self) -> str:
        """host:port of the other side, for people to read."""
        name = self.transport.get_extra_info("peername")
        return f"{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)

    # --- what the loop says -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.session = self._make_session(self._clock())
        self.writable = self.reading = True
        self._wait()
        self._on_made(self)

    def data_received(self, data: bytes) -> None:
        self.session.receive(data, self._clock())
        self._tell()

    def eof_received(self) -> None:
        """A peer that will say no more has left: SMPP has no half-closed sessions."""

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        self._on_writable(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable = self.reading = False
        if self._timer is not None:
            self._timer.cancel()
        self.session.close()
        if not self._gone.done():
            self._gone.set_result(None)
            self._on_lost(self, exc or self._error)

    # ------------------------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        session = self.session
        if events := session.events():
            if isinstance(events[-1], Broken):
                self._error = ConnectionError(events[-1].reason)
            self._on_events(self, events)
        if session.state is _CLOSED:
            return self.close()
        if not self._flushing:
            self.flush()
        if session.unanswered > self.max_unanswered and self.reading and not self._gone.done():
            self.reading = False
            self.transport.pause_reading()
        return None

    def _read_again(self) -> None:
        if self._gone.done() or self.transport.is_closing():
            return
        self.reading = True
        self.transport.resume_reading()
        # The answers that we waited for may be in the socket already: no judgement before they were read.
        self._wait()

    def _flush(self) -> None:
        self._write()
        if self.session.state is _CLOSED:  # an answer of the owner was the last that the peer's unbind waited for
            self._tell()

    def _write(self) -> None:
        self._flushing = False
        if self._gone.done() or not (octets := self.session.outgoing()):
            return
        self.transport.write(octets)
        if not self.writable and self.transport.get_write_buffer_size() > MAX_UNWRITTEN:
            self._error = ConnectionError("the peer does not read")
            self._abort()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._tick_every, self._tick)

    def _tick(self) -> None:
        self._wait()
        # While we do not read, silence is our own.
        if self.reading:
            self.session.tick(self._clock())
            self._tell()

    def _abort(self) -> None:
        if not self._gone.done():
            self.transport.abort()


async def connect(
    host: str,
    port: int,
    make_driver: Callable[[], Driver],
    *,
    ssl: SSLContext | None = None,
    timeout: float = 10.0,
) -> Driver:
    """A driver with a connection (not bound yet). Raises OSError, or TimeoutError after `timeout` seconds."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout):
        _, driver = await loop.create_connection(make_driver, host, port, ssl=ssl)
    return driver


async def listen(
    host: str, port: int, make_driver: Callable[[], Driver], *, ssl: SSLContext | None = None
) -> asyncio.Server:
    """A server that makes a driver for each connection. Port 0 is any free one: see `server.sockets`."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(make_driver, host, port, ssl=ssl, backlog=1024)
