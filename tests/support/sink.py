"""An endpoint for webhooks: a small real HTTP server, which keeps what it gets and fails where it is told to."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from tests.support.waiting import PATIENCE_S, until

STALL = 0
"""In place of a status: the request is never answered."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One request that came."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def type(self) -> str:
        kind: str = json.loads(self.body)["type"]
        return kind

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data


class Endpoint:
    """One path of the sink. `answers` are for the next requests, one each; then it is `usual`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.hits: list[Hit] = []
        self.answers: list[int] = []
        self.usual = 200
        self.headers: dict[str, str] = {}
        """More headers of every answer."""

    def take(self, hit: Hit) -> int:
        self.hits.append(hit)
        return self.answers.pop(0) if self.answers else self.usual

    def about(self, message: dict[str, Any]) -> list[Hit]:
        """The requests about one message, in the order of their coming."""
        return [hit for hit in self.hits if hit.data["id"] == message["id"]]

    def wait(self, is_so: Callable[["Endpoint"], object], what: str = "webhooks", within: float = PATIENCE_S) -> None:
        until(lambda: bool(is_so(self)), what, within)


class Sink:
    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._names = count(1)
        self._port = 0
        self._up = threading.Event()
        self._connections: set[asyncio.Transport] = set()
        self._close: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="sink", daemon=True)

    def endpoint(self) -> Endpoint:
        """A new one, known to nobody else."""
        path = f"/hook/{next(self._names)}"
        endpoint = self._endpoints[path] = Endpoint(f"http://127.0.0.1:{self._port}{path}")
        return endpoint

    def open(self) -> None:
        self._thread.start()
        assert self._up.wait(10)

    def close(self) -> None:
        self._close()
        self._thread.join(10)

    async def _run(self) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._close = lambda: loop.call_soon_threadsafe(ended.set)
        make = partial(_Connection, self._endpoints, self._connections)
        server = await loop.create_server(make, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        self._up.set()
        await ended.wait()
        server.close()
        for transport in list(self._connections):
            transport.abort()
        await asyncio.sleep(0)  # the loop closes what was aborted


class _Connection(asyncio.Protocol):
    """Requests on one connection, answered one after the other."""

    def __init__(self, endpoints: dict[str, Endpoint], connections: set[asyncio.Transport]) -> None:
        self._endpoints, self._connections = endpoints, connections
        self._octets = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._octets += data
        while found := _request(self._octets):
            hit, self._octets = found
            endpoint = self._endpoints[hit.path.partition("?")[0]]
            if status := endpoint.take(hit):
                more = "".join(f"{name}: {value}\r\n" for name, value in endpoint.headers.items()).encode()
                self._transport.write(b"HTTP/1.1 %d Word\r\n%bContent-Length: 2\r\n\r\nok" % (status, more))


def _request(octets: bytes) -> tuple[Hit, bytes] | None:
    """The first request and what follows it; None until it is whole."""
    head, end, rest = octets.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    length = int(headers["content-length"])
    if len(rest) < length:
        return None
    return Hit(time.time(), method, path, headers, rest[:length]), rest[length:]


@contextmanager
def sink() -> Iterator[Sink]:
    opened = Sink()
    opened.open()
    try:
        yield opened
    finally:
        opened.close()
