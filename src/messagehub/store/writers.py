"""Where the committer of a SQLite store works: in a thread beside the event loop, or in a process of its own.

A thread begins at once, but holds Python's lock while the loop wants it. Both are given what one turn of the loop asks
for together, unless they are to begin with it at once: the first job of a turn alone would be a commit.
"""

import asyncio
import logging
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TextIO

import msgspec

from messagehub.child import ended, spawned
from messagehub.errors import StoreError, Unavailable
from messagehub.link import Link
from messagehub.store.committer import Committer, Ended
from messagehub.store.connection import Connection
from messagehub.store.jobs import MOST_AT_ONCE, MOST_OCTETS, FromCommitter, Open, Opened

log = logging.getLogger(__name__)

CLOSE_S = 5.0
"""How long a process may take to close the file, once all is written."""

Take = Callable[[Sequence[Any]], None]

_pack = msgspec.msgpack.Encoder().encode


class Writer(Protocol):
    def send(self, frame: Any) -> None:
        """To the committer, with the others of this turn. StoreError for what cannot be sent."""

    def flush(self) -> None:
        """Waits for no others."""

    async def close(self) -> None:
        """Once all that was sent is answered."""


class ThreadWriter:
    def __init__(self, connection: Connection, take: Take) -> None:
        self._connection, self._take = connection, take
        self._loop = asyncio.get_running_loop()
        self._gathered: list[Any] = []
        self._frames: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
        """What the committer is asked for; nothing at all ends it."""
        self._thread = threading.Thread(target=Committer(self._connection, self).run, name="sqlite-writer", daemon=True)
        self._thread.start()

    def send(self, frame: Any) -> None:
        if not self._gathered:
            self._loop.call_soon(self.flush)
        self._gathered.append(frame)

    def flush(self) -> None:
        if self._gathered:
            frames, self._gathered = self._gathered, []
            self._frames.put(frames)

    async def close(self) -> None:
        self._frames.put([])
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    # --- in the thread ------------------------------------------------------------------

    def take(self, wait: bool) -> list[Any]:
        taken: list[Any] = []
        while not self._frames.empty() or (wait and not taken):
            frames = self._frames.get()
            if not frames:
                raise Ended
            taken += frames
        return taken

    def give(self, frames: Sequence[Any]) -> None:
        self._loop.call_soon_threadsafe(self._take, frames)


class ProcessWriter:
    """`lock` is inherited: nobody may serve the file while it lives. `lost` is called if it dies before its time."""

    def __init__(self, take: Take, lock: TextIO, lost: Callable[[int], None]) -> None:
        """To be called on the event loop, whose thread is the longest to live."""
        self._take, self._lost = take, lost
        self._loop = asyncio.get_running_loop()
        self._is_linked = self._is_ending = False
        self._opened: asyncio.Future[str] = self._loop.create_future()
        ours, its = socket.socketpair()
        with its:
            self._process = spawned("messagehub.store.beside", (its.fileno(), lock.fileno()))
        self._socket = ours
        self._link = Link(FromCommitter, self._heard, self._gone, yields=False, most=MOST_AT_ONCE)

    async def open(self, path: str) -> None:
        """The file, which has been migrated. Unavailable where it cannot be opened."""
        await self._loop.create_connection(lambda: self._link, sock=self._socket)
        self._is_linked = True
        self._link.send(Open(path))
        if words := await self._opened:
            raise Unavailable(words)

    def send(self, frame: Any) -> None:
        try:
            octets = _pack(frame)
        except (TypeError, ValueError, OverflowError) as error:
            raise StoreError(f"{type(error).__name__}: {error}") from error
        if len(octets) > MOST_OCTETS:
            raise StoreError(f"{len(octets)} octets are too many to be written at once")
        self._link.send(msgspec.Raw(octets), len(octets))

    def flush(self) -> None:
        self._link.flush()

    async def close(self) -> None:
        self._is_ending = True
        self._link.close() if self._is_linked else self._socket.close()
        await asyncio.to_thread(ended, self._process, CLOSE_S)

    def _heard(self, frames: Sequence[Any]) -> None:
        if not self._opened.done():
            first, *frames = frames
            assert isinstance(first, Opened)
            self._opened.set_result(first.words)
        self._take(frames)

    def _gone(self) -> None:
        if not self._opened.done():
            self._opened.set_result("the process that is to write has ended as soon as it was started")
        elif not self._is_ending:
            self._lost(ended(self._process))
