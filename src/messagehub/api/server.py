"""The HTTP server: a part of a process, on a socket of ours, with connections that have limits."""

import asyncio
import logging
import socket
from collections.abc import Callable

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
        self._listening: asyncio.Server | None = None

    async def serve(self, sock: socket.socket) -> None:
        """Until `end` was called and what was asked is answered."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(self._connection, sock=sock, backlog=BACKLOG)
        self.up.set()
        try:
            await self._ending.wait()
        finally:
            self._listening.close()
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

    def hand_over(self, heir: Callable[[int], bool]) -> None:
        """Another process listens from now on; see `Connections.hand_over`."""
        if self._listening and not self._ending.is_set():
            self._listening.close()
            self.connections.hand_over(heir)

    async def adopt(self, sock: socket.socket) -> None:
        """Goes on with a connection that another process has handed over."""
        if self._ending.is_set():
            sock.close()
            return
        loop = asyncio.get_running_loop()
        _, connection = await loop.connect_accepted_socket(self._connection, sock)
        connection.wait()

    def _connection(self) -> Connection:
        return Connection(self._application, self.connections)
