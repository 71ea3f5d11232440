"""How answers leave a connection."""

import asyncio
from collections.abc import Callable
from typing import Any


class Outlet:
    """A transport that writes once in a turn of the loop, and asks before it closes.

    The server writes the head and the body of an answer apart. Each write is a system call at once, and gives up the
    interpreter's lock: together they cost a quarter of a request.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, may_close: Callable[[], bool]
    ) -> None:
        self._transport, self._loop, self._may_close = transport, loop, may_close
        self._waiting: list[bytes] = []

    def write(self, octets: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(octets)

    def write_eof(self) -> None:
        self._flush()
        if not self._transport.is_closing():
            self._transport.write_eof()

    def close(self) -> None:
        self._flush()
        if self._may_close():
            self._transport.close()

    def _flush(self) -> None:
        if self._waiting:
            octets, self._waiting = b"".join(self._waiting), []
            self._transport.write(octets)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
