"""An HTTP server of the simulator's, on a port of its own."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route


class Server(uvicorn.Server):
    """It tells when it is up. uvicorn's own handling of signals would end the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    def __init__(self, routes: Sequence[Route], host: str, port: int) -> None:
        self._host, self._port = host, port
        config = uvicorn.Config(
            Starlette(routes=routes), lifespan="off", access_log=False, log_level="warning", log_config=None
        )
        self._server = Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def open(self) -> int:
        """Listen; the port. Raises OSError where it is taken."""
        listening = socket.create_server((self._host, self._port))
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        await self._server.up.wait()
        port: int = listening.getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop, whoever is still connected. (uvicorn's own way takes a fifth of a second to say goodbye.)"""
        if self._serving is None:
            return
        self._serving.cancel()
        await asyncio.wait((self._serving,))
        for server in self._server.servers:
            server.close()
        for connection in list(self._server.server_state.connections):
            connection.shutdown()
