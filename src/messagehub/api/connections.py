"""The connections of the HTTP server together: how many there may be, and which of them have had their time."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from typing import Protocol

from msgspec import Struct, field

from messagehub.api.callers import Peer, Proxies, peer_at

log = logging.getLogger(__name__)

SWEEP_S = 0.25
"""How exact the time limits are."""

MAX_UNREAD = 64 * 1024 * 1024
"""Octets of answers that all callers together may leave unread."""

SLOWEST_READER = 16 * 1024
"""Octets a second. Whoever reads an answer has the time that it takes at this pace, and `answer_timeout` besides."""

MAX_PARTING = 100
"""So many connections more than there may be can stay for the moment that a refusal takes."""


class Bounds(Struct, frozen=True, kw_only=True):
    head_timeout: float = 10.0
    answer_timeout: float = 20.0
    connections_per_address: int = 1000
    max_connections: int = 10_000
    trusted: Proxies = field(default_factory=Proxies)


class Limited(Protocol):
    """A connection, as it is watched."""

    peer: Peer
    due: float
    """By the clock of `Connections`."""

    @property
    def is_busy(self) -> bool: ...
    def overdue(self) -> None: ...
    def move(self) -> None: ...
    def shutdown(self) -> None: ...
    def abort(self) -> None: ...


class Connections:
    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.now = 0.0
        """Seconds by the loop's clock, as of the last sweep: exact enough for limits, and costs nothing to ask."""
        self.date = b""
        """The line of a head with the time of the last sweep, as each answer has it (RFC 9110, 6.6.1)."""
        self._open: set[Limited] = set()
        self._per_address: Counter[str] = Counter()
        self._unread: dict[Limited, tuple[int, float]] = {}
        self._unread_octets = 0
        self._sweep_is_due = False
        self._answering: set[asyncio.Task[None]] = set()
        self.heir: Callable[[int], bool] | None = None
        """Takes the open file of a connection over, unless it cannot do so now."""
        self.swept: Callable[[], None] = _nothing
        """Called after each sweep."""
        self._gone: asyncio.Event | None = None
        """Set once all have gone, when the server ends."""

    def __len__(self) -> int:
        return len(self._open)

    def peer_at(self, host: str) -> Peer:
        return peer_at(host, self.bounds.trusted)

    # --- coming and going ---------------------------------------------------------------

    def enter(self, connection: Limited) -> str:
        """Why it may not stay; empty where it may. In either case it has to `leave` some day."""
        if not self._sweep_is_due:
            self._sweep_later()
        self._open.add(connection)
        self._per_address[connection.peer.address] += 1
        if self._gone:
            return "the server is ending; nothing was accepted"
        if len(self._open) > self.bounds.max_connections:
            return "too many connections are open"
        most = self.bounds.connections_per_address
        if most and not connection.peer.is_near and self._per_address[connection.peer.address] > most:
            return f"more than {most} connections are open from your address; use them again, or close some"
        return ""

    def leave(self, connection: Limited) -> None:
        if connection not in self._open:
            return
        self._open.remove(connection)
        self.read(connection)
        address = connection.peer.address
        self._per_address[address] -= 1
        if not self._per_address[address]:
            del self._per_address[address]
        if self._gone and not self._open:
            self._gone.set()

    def answering(self, task: asyncio.Task[None]) -> None:
        """It answers what is asked on a connection, and may have to do so when that is gone."""
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    @property
    def are_ending(self) -> bool:
        """Each is closed with its next answer."""
        return self._gone is not None

    @property
    def is_crowded(self) -> bool:
        """Whether there is no room even to say no."""
        return len(self._open) > self.bounds.max_connections + MAX_PARTING

    @property
    def busy(self) -> int:
        """How many wait for an answer."""
        return sum(connection.is_busy for connection in self._open)

    # --- moving to another process ------------------------------------------------------

    def hand_over(self, heir: Callable[[int], bool]) -> None:
        """Each goes to the heir as soon as nothing is under way on it."""
        self.heir = heir
        self._move()

    def _move(self) -> None:
        for connection in list(self._open):
            connection.move()

    # --- answers that nobody reads ------------------------------------------------------

    def unread(self, connection: Limited, octets: int) -> None:
        """So many octets wait for their reader. Who has made the others wait longest goes first."""
        self.read(connection)
        self._unread[connection] = octets, self.now + self.bounds.answer_timeout + octets / SLOWEST_READER
        self._unread_octets += octets
        while self._unread_octets > MAX_UNREAD:
            self._cut(next(iter(self._unread)))

    def read(self, connection: Limited) -> None:
        octets, _ = self._unread.pop(connection, (0, 0.0))
        self._unread_octets -= octets

    def _cut(self, connection: Limited) -> None:
        self.read(connection)
        connection.abort()

    async def end(self, seconds: float) -> None:
        """All of them part once what they were asked is answered; what is not after so many seconds is cut off."""
        self._gone = asyncio.Event()
        for connection in list(self._open):
            connection.shutdown()
        try:
            async with asyncio.timeout(seconds):
                while self._open:  # others may have come in the moment in which the last of them left
                    self._gone.clear()
                    await self._gone.wait()
                if self._answering:
                    await asyncio.wait(self._answering)
        except TimeoutError:
            if self._answering:
                log.error("%d answers are cut off, since they do not come to an end", len(self._answering))
            for task in self._answering:
                task.cancel()

    # --- time ---------------------------------------------------------------------------

    def _sweep_later(self) -> None:
        loop = asyncio.get_running_loop()
        self.now = loop.time()
        self.date = b"date: %s\r\n" % formatdate(usegmt=True).encode()
        self._sweep_is_due = True
        loop.call_later(SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        self._sweep_is_due = False
        if self._open:
            self._sweep_later()
        if self.heir:
            self._move()
        for connection in [one for one in self._open if one.due <= self.now]:
            connection.overdue()
        for connection in [one for one, (_, due) in self._unread.items() if due <= self.now]:
            self._cut(connection)
        self.swept()


def _nothing() -> None:
    pass
