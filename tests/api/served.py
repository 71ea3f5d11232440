"""The HTTP server in front of an application of the test's own, in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvloop
from starlette.types import ASGIApp

from messagehub.api.connections import Bounds
from messagehub.api.server import Server, listener
from tests.support.raw import Place


@contextmanager
def served(application: ASGIApp, **bounds: Any) -> Iterator[Place]:
    """Where it listens. At the end it must let go of every connection in good time."""
    sock = listener("127.0.0.1:0")
    http = Server(application, Bounds(**bounds))
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await http.serve(sock)

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    place = sock.getsockname()[:2]
    thread.start()
    try:
        yield place
    finally:
        loops[0].call_soon_threadsafe(http.end)
        thread.join(10)
        assert not thread.is_alive()


async def answer(send: Any, body: bytes, status: int = 200) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.set()
        await asyncio.to_thread(self.may_answer.wait, 10)
        await answer(send, scope["path"].encode())
