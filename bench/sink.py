"""The customer's endpoint: answers each webhook at once, and notes its number."""

import asyncio
import re
from time import perf_counter
from typing import cast

from bench.tally import Tally
from bench.wire import end_of

DIGITS = re.compile(rb"\d+")


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
            self._transport.write(self._endpoint.note(data[start:end]))
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

    def note(self, request: bytes) -> bytes:
        """The answer. The text of a message is its number, so nothing else need be read."""
        assert self.tally
        number = DIGITS.match(request, request.index(self.tally.mark) + len(self.tally.mark))
        assert number
        self.tally.called_back(int(number[0]), self.tally.delivered in request, perf_counter())
        return self.tally.reply
