"""An HTTP server that is a part of a process: it tells when it is up, and leaves the signals to the process."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import Iterator

import uvicorn


class Server(uvicorn.Server):
    """The server's own handling of signals would end the process before it has drained."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def spare_the_collector() -> None:
    """What is there by now stays for ever, and a message that is accepted leaves no cycles: looking can wait for more.

    The messages under way of a busy moment are fewer objects than that, so they are hardly ever looked through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
