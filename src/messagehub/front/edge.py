"""Where HTTP is spoken, to callers and to the outside: in this process, or in one of its own."""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from starlette.types import ASGIApp

from messagehub.api.asgi import MESSAGES
from messagehub.api.connections import Bounds
from messagehub.api.server import Server
from messagehub.front.begin import bounds_of, client_of
from messagehub.front.frames import Begin
from messagehub.front.process import Front
from messagehub.front.taking import Taker
from messagehub.metrics import COUNTS
from messagehub.settings import Settings
from messagehub.web import Answer, Requester

log = logging.getLogger(__name__)

CROWD = 10
"""Requests under way on the average, from which on two processes answer more of them than one."""

LOOKS = 8
"""Over so many looks the average goes, one for each sweep: a burst is over before a process has started."""


class Edge(Protocol):
    client: Requester
    """What asks the outside. It is closed by whoever uses it."""

    async def serve(self, application: ASGIApp, taker: Taker, up: Callable[[], Awaitable[None]]) -> None:
        """Until `end` was called and what was asked is answered. `up` is called as soon as requests are taken.

        What is not drafted is asked of the application.
        """

    def end(self) -> None:
        """Takes no more requests."""


class Inline:
    def __init__(self, sock: socket.socket, bounds: Bounds, client: Requester) -> None:
        self._sock, self._bounds, self.client = sock, bounds, client
        self._http: Server | None = None

    async def serve(self, application: ASGIApp, taker: Taker, up: Callable[[], Awaitable[None]]) -> None:
        self._http = Server(application, self._bounds)
        await _serve_here(self._http, self._sock, up)

    def end(self) -> None:
        if self._http:
            self._http.end()


async def _serve_here(http: Server, sock: socket.socket, up: Callable[[], Awaitable[None]]) -> None:
    COUNTS.connections = http.connections
    serving = asyncio.create_task(http.serve(sock))
    await http.until_up(serving)
    await up()
    await serving


class Latest:
    """A `web.Requester`: whichever there is now."""

    def __init__(self, first: Requester) -> None:
        self._all = [first]

    def turn_to(self, requester: Requester) -> None:
        self._all.append(requester)

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return await self._all[-1].request(method, url, headers, body)

    async def close(self) -> None:
        for requester in self._all:
            await requester.close()


class Auto:
    """Here, where few are answered soonest; in a process beside from when many ask at once, for good.

    Connections are handed over between two of their requests, so their callers see nothing of it.
    """

    def __init__(self, sock: socket.socket, begin: Begin, bounds: Bounds) -> None:
        self._sock, self._begin, self._bounds = sock, begin, bounds
        self._latest = Latest(client_of(begin))
        self.client: Requester = self._latest
        self._http: Server | None = None
        self._front: Front | None = None
        self._busy = 0.0
        """How many wait for an answer, on the average."""
        self._crowded = asyncio.Event()
        self._is_ending = False

    async def serve(self, application: ASGIApp, taker: Taker, up: Callable[[], Awaitable[None]]) -> None:
        http = self._http = Server(application, self._bounds)
        http.connections.swept = lambda: self._look(http.connections.busy)
        beside = asyncio.create_task(self._serve_beside(http, application, taker))
        sock = self._sock.dup()  # which is closed when the front listens, and the other kept for the next front
        here = asyncio.create_task(_serve_here(http, sock, up))
        try:
            await asyncio.wait((here, beside), return_when=asyncio.FIRST_COMPLETED)
            if beside.done():
                beside.result()  # nobody listens if this has failed; else all stays here
            await here
            if self._front:
                await beside
        finally:
            here.cancel()
            beside.cancel()
            await asyncio.gather(here, beside, return_exceptions=True)
            sock.close()

    def _look(self, busy: int) -> None:
        self._busy += (busy - self._busy) / LOOKS
        if self._busy >= CROWD:
            self._crowded.set()

    async def _serve_beside(self, http: Server, application: ASGIApp, taker: Taker) -> None:
        await self._crowded.wait()
        front = Front(self._sock, self._begin)
        has_moved = False

        async def up() -> None:
            nonlocal has_moved
            has_moved = True
            log.info("many ask at once, so HTTP is spoken in a process of its own from now on")
            self._latest.turn_to(front.client)
            http.hand_over(front.adopt)

        try:
            await front.open()
            self._front = front
            if not self._is_ending:
                await front.serve(application, taker, up)
        except Exception as error:
            if has_moved:
                raise
            log.error("many ask at once, but HTTP stays in this process: %s", error)

    def end(self) -> None:
        self._is_ending = True
        self._sock.close()  # or who connects from now on would wait for us to end
        if self._http:
            self._http.end()
        if self._front:
            self._front.end()

    async def close(self) -> None:
        self._sock.close()
        if self._front:
            await self._front.close()


@asynccontextmanager
async def edge(settings: Settings, sock: socket.socket, per_origin: int) -> AsyncIterator[Edge]:
    """As the settings say, on a socket that listens. `per_origin`: requests to one place outside at once."""
    begin = _begin(settings, per_origin)
    bounds = bounds_of(begin)  # what cannot work is said here, and not by a child
    if settings.front == "inline" or (settings.front == "auto" and _cores() < 2):
        yield Inline(sock, bounds, client_of(begin))
        return
    beside = Auto(sock, begin, bounds) if settings.front == "auto" else Front(sock, begin)
    if isinstance(beside, Front):
        await beside.open()
    try:
        yield beside
    finally:
        await beside.close()


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _drafts_at(settings: Settings) -> str:
    """Nowhere, where each request is counted by its address or has a line in the log: that is done with requests."""
    if settings.role == "worker" or settings.rate_per_address or settings.log_requests == "all":
        return ""
    return MESSAGES


def _begin(settings: Settings, per_origin: int) -> Begin:
    return Begin(
        head_timeout=settings.head_timeout,
        answer_timeout=settings.answer_timeout,
        connections_per_address=settings.connections_per_address,
        max_connections=settings.max_connections,
        trusted_proxies=settings.trusted_proxies,
        allow_private=settings.webhook_allow_private,
        webhook_timeout=settings.webhook_timeout,
        per_origin=per_origin,
        log_level=settings.log_level,
        log_format=settings.log_format,
        log_numbers=settings.log_numbers,
        drafts_at=_drafts_at(settings),
        max_segments=settings.max_segments,
    )
