"""A carrier of ours that speaks HTTP and a server to speak to, over loopback sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from ssl import SSLContext
from typing import Any, TypeVar

from messagehub import text
from messagehub.carriers.backoff import Pauses, Trouble
from messagehub.carriers.book import Means
from messagehub.carriers.carrier import Handover, TargetKey
from messagehub.carriers.dialects import DIALECTS
from messagehub.carriers.kinds import parse
from messagehub.carriers.web import WebCarrier
from tests.carriers.side import Side

T = TypeVar("T")
Json = dict[str, Any]

SOURCE, SOMEBODY = "+15551234567", "+442079461234"
SOON: Pauses = dict.fromkeys(Trouble, (0.05,))
CALLBACK_URL = "https://hub.test/callbacks/c"
_ids = count(1)

HTTP: Json = {
    "body": {"from": "{source}", "to": "{destination}", "text": "{text}", "ref": "{reference}"},
    "id": "id",
    "code": "code",
    "words": "words",
}
"""What the carrier of most tests is told of the server, besides its URL."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came."""

    at: float
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        value: Json = json.loads(self.body)
        return value


@dataclass(frozen=True, slots=True)
class Said:
    status: int = 200
    body: Any = b""
    headers: tuple[tuple[str, str], ...] = ()

    def octets(self) -> bytes:
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


class Hangup(Exception):
    """In place of an answer the connection is closed."""


Answering = Callable[[Asked], Awaitable[Said]]


class Server:
    """Answers as a test says, and notes what came."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.on_request: Answering = self.accept
        self.connections: set[asyncio.StreamWriter] = set()
        self.opened = 0
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"

    async def accept(self, asked: Asked) -> Said:
        return Said(200, {"id": f"n{len(self.asked)}"})

    def answer(self, *said: Said | type[Hangup]) -> None:
        """The next requests get these, and those after them the last."""
        waiting = list(said)

        async def next_one(_: Asked) -> Said:
            one = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if isinstance(one, type):
                raise one
            return one

        self.on_request = next_one

    async def open(self, port: int = 0, ssl: SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=ssl)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop_listening(self) -> None:
        """Nobody can connect any more; the connections that are open stay."""
        assert self._server
        self._server.close()

    async def close(self) -> None:
        self.stop_listening()
        for writer in list(self.connections):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        self.opened += 1
        try:
            while await self._once(reader, writer):
                pass
        except (Hangup, OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            self.connections.discard(writer)
            writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(asyncio.get_running_loop().time(), method, target, headers, body)
        self.asked.append(asked)
        said = await self.on_request(asked)
        writer.write(said.octets())
        await writer.drain()
        return True


@asynccontextmanager
async def server(ssl: SSLContext | None = None) -> AsyncIterator[Server]:
    opened = Server()
    await opened.open(ssl=ssl)
    try:
        yield opened
    finally:
        await opened.close()


class Ours(Side):
    def __init__(
        self, url: str, kind: str = "http", means: Means | None = None, pauses: Pauses = SOON, **config: Any
    ) -> None:
        super().__init__()
        parsed = parse(kind, {**(HTTP if kind == "http" else {}), "url": url, **config})
        self.carrier: WebCarrier = WebCarrier(parsed, DIALECTS[kind](parsed, CALLBACK_URL), means or Means(), pauses)

    def send(self, destination: str = SOMEBODY, words: str = "Hello", source: str = SOURCE, **more: Any) -> TargetKey:
        key = (f"m{next(_ids)}", 0)
        self.carrier.send([Handover(key, source, destination, text.cut(words, key[1]), text=words, **more)])
        return key


@asynccontextmanager
async def pair(**config: Any) -> AsyncIterator[tuple[Ours, Server]]:
    async with server() as peer, Ours(peer.url, **config) as ours:
        yield ours, peer
