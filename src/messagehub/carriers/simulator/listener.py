"""An HTTP server of the simulator's, on a port of its own."""

import asyncio
import socket
from collections.abc import Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from messagehub.serving import Server


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
