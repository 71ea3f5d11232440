"""An endpoint for webhooks: a small real HTTP server, which keeps what it gets and fails where it is told to."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)

    def endpoint(self) -> Endpoint:
        """A new one, known to nobody else."""
        path = f"/hook/{next(self._names)}"
        endpoint = self._endpoints[path] = Endpoint(f"http://127.0.0.1:{self._port}{path}")
        return endpoint

    def open(self) -> None:
        self._thread.start()
        assert self._up.wait(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        self._up.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; whether another may follow."""
        hit = await _read(reader)
        status = self._endpoints[hit.path].take(hit)
        if status == STALL:
            await reader.read()  # until whoever asked gives up
            return False
        writer.write(b"HTTP/1.1 %d Word\r\nContent-Length: 2\r\n\r\nok" % status)
        await writer.drain()
        return True


async def _read(reader: asyncio.StreamReader) -> Hit:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers["content-length"]))
    return Hit(time.time(), method, path, headers, body)


@contextmanager
def sink() -> Iterator[Sink]:
    opened = Sink()
    opened.open()
    try:
        yield opened
    finally:
        opened.close()
