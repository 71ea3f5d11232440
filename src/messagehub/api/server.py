"""The HTTP server: uvicorn, on a socket of ours, with answers that leave in one write."""

import asyncio
import logging
import socket
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from messagehub.errors import SettingError
from messagehub.serving import Server

BACKLOG = 2048
KEEP_ALIVE_S = 75
FINISH_REQUESTS_S = 2
"""How long the requests under way may take when the server ends."""


def listener(listen: str) -> socket.socket:
    """A socket that listens on `HOST:PORT`. SettingError where that cannot be."""
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), backlog=BACKLOG, family=family)
    except (OSError, ValueError, OverflowError) as error:
        raise SettingError(f"MESSAGEHUB_LISTEN: cannot listen on {listen!r}: {error}") from None


def server(application: ASGIApp) -> Server:
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # what it says else is said by us
    return Server(_config(application))


def _config(application: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=FINISH_REQUESTS_S,
    )


class _Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(Any, _OneWrite(cast(asyncio.Transport, transport), self.loop)))


class _OneWrite:
    """A transport that writes once in a turn of the loop.

    The server writes the head and the body of an answer apart. Each write is a system call at once, and gives up the
    interpreter's lock: together they cost a quarter of a request.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes] = []

    def write(self, octets: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(octets)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._waiting:
            octets, self._waiting = b"".join(self._waiting), []
            self._transport.write(octets)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
