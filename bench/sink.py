"""The customer's endpoint: answers each webhook at once, and notes its number."""

import asyncio
from time import perf_counter
from typing import cast

from bench.tally import Tally
from bench.wire import NO_CONTENT, end_of

TEXT = b'"text":"'
DELIVERED = b'"status":"delivered"'


class Sink(asyncio.Protocol):
    def __init__(self, endpoint: "Endpoint") -> None:
        self._endpoint = endpoint
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's own are no subclass

    def data_received(self, data: bytes) -> None:
        data = self._unread + data if self._unread else data
        start = 0
        while end := end_of(data, start):
            self._endpoint.note(data[start:end])
            self._transport.write(NO_CONTENT)
            start = end
        self._unread = data[start:]


class Endpoint:
    """Listens before it is known what will come."""

    def __init__(self) -> None:
        self.tally: Tally | None = None
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """The port."""
        self._server = await asyncio.get_running_loop().create_server(lambda: Sink(self), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def note(self, request: bytes) -> None:
        """The text of a message is its number, so the JSON need not be read."""
        start = request.index(TEXT) + len(TEXT)
        number = int(request[start : request.index(b'"', start)])
        assert self.tally
        self.tally.called_back(number, DELIVERED in request, perf_counter())
