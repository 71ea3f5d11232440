"""A server of media of a customer's: each path answers as a test says, after a while if it says so."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Gallery:
    url: str = ""
    shown: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    """By path: status, Content-Type, body."""
    first: dict[str, list[int]] = field(default_factory=dict)
    """By path: the statuses of the next answers, which are empty."""
    asked: Counter[str] = field(default_factory=Counter)
    waits: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing is answered while it is cleared."""

    def show(self, path: str, body: bytes, content_type: str = "", status: int = 200) -> str:
        """Its address."""
        self.shown[path] = (status, content_type, body)
        return f"{self.url}{path}"

    def answer(self, path: str) -> bytes:
        status, content_type, body = self.shown.get(path, (404, "", b""))
        if self.first.get(path):
            status, body = self.first[path].pop(0), b""
        said = f"content-type: {content_type}\r\n" if content_type else ""
        return f"HTTP/1.1 {status} OK\r\n{said}content-length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def gallery() -> AsyncIterator[Gallery]:
    opened = Gallery()
    opened.waits.set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.decode().split(" ")[1]
                opened.asked[path] += 1
                await opened.waits.wait()
                writer.write(opened.answer(path))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    opened.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield opened
    finally:
        opened.waits.set()
        server.close()
