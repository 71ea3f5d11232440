"""The HTTP server: a part of a process, on a socket of ours, with connections that have limits."""

import asyncio
import logging
import socket

from starlette.types import ASGIApp

from messagehub.api.connection import FINISH_REQUESTS_S, LINGER_S, Connection
from messagehub.api.connections import Bounds, Connections
from messagehub.errors import SettingError

log = logging.getLogger(__name__)

BACKLOG = 2048
END_S = FINISH_REQUESTS_S + LINGER_S + 1
"""How long connections may take to end their requests, which they do themselves by then."""


def listener(listen: str) -> socket.socket:
    """A socket that listens on `HOST:PORT`. SettingError where that cannot be."""
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), backlog=BACKLOG, family=family)
    except (OSError, ValueError, OverflowError) as error:
        raise SettingError(f"MESSAGEHUB_LISTEN: cannot listen on {listen!r}: {error}") from None


class Server:
    """It tells when it is up, and leaves the signals to the process."""

    def __init__(self, application: ASGIApp, bounds: Bounds) -> None:
        self.connections = Connections(bounds)
        self.up = asyncio.Event()
        self._application = application
        self._ending = asyncio.Event()

    async def serve(self, sock: socket.socket) -> None:
        """Until `end` was called and what was asked is answered."""
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(self._connection, sock=sock, backlog=BACKLOG)
        self.up.set()
        try:
            await self._ending.wait()
        finally:
            listening.close()
            sock.close()
        await self.connections.end(END_S)

    async def until_up(self, serving: asyncio.Task[None]) -> None:
        """`serving` is the task that serves; what it fails with is raised, or its starter would wait for ever."""
        up = asyncio.create_task(self.up.wait())
        try:
            await asyncio.wait((serving, up), return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
        if not self.up.is_set():
            serving.result()

    def end(self) -> None:
        """Takes no more requests."""
        self._ending.set()

    def _connection(self) -> Connection:
        return Connection(self._application, self.connections)
