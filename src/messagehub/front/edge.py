"""Where HTTP is spoken, to callers and to the outside: in this process, or in one of its own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
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
from messagehub.web import Requester


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
        COUNTS.connections = self._http.connections
        serving = asyncio.create_task(self._http.serve(self._sock))
        await self._http.until_up(serving)
        await up()
        await serving

    def end(self) -> None:
        if self._http:
            self._http.end()


@asynccontextmanager
async def edge(settings: Settings, sock: socket.socket, per_origin: int) -> AsyncIterator[Edge]:
    """As the settings say, on a socket that listens. `per_origin`: requests to one place outside at once."""
    begin = _begin(settings, per_origin)
    bounds = bounds_of(begin)  # what cannot work is said here, and not by a child
    if settings.front == "inline":
        yield Inline(sock, bounds, client_of(begin))
        return
    front = Front(sock, begin)
    await front.open()
    try:
        yield front
    finally:
        await front.close()


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
