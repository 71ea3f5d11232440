"""A link between two of our processes: one socket pair, and all frames of one turn of the loop in one write."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any, cast

from messagehub.batches import MAX_BATCH, BadLink, Batches, batch
from messagehub.writable import Writable

FLUSH_FROM = 1024 * 1024
"""Octets of bodies that wait no longer for company."""

HIGH_WATER = 4 * 1024 * 1024
"""Octets that wait for the other side before it is left alone."""


class Link(Writable, asyncio.Protocol):
    """One end. `take` gets what comes, batch by batch; `lost` is called once, when there is no other end any more.

    `yields`: when the other side does not read, nothing is read from it either, so that what it asks for is bounded.
    Only one of the ends may do so. `most`: octets of a batch that comes. `at_once`: frames that wait for no more of
    their turn.
    """

    def __init__(
        self,
        kind: Any,
        take: Callable[[list[Any]], None],
        lost: Callable[[], None],
        yields: bool,
        most: int = MAX_BATCH,
        at_once: int = sys.maxsize,
    ) -> None:
        super().__init__()
        self._batches = Batches(kind, most)
        self._at_once = at_once
        self._take, self._lost, self._yields = take, lost, yields
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._frames: list[Any] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(HIGH_WATER)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._frames.clear()
        self.resume_writing()
        self._lost()

    def data_received(self, data: bytes) -> None:
        try:
            for frames in self._batches.feed(data):
                self._take(frames)
        except BadLink:
            self.close()
            raise

    def send(self, frame: Any, size: int = 0) -> None:
        """With all others of this turn; to nobody where the link is lost. `size`: octets of what may be large in it."""
        if not self._frames:
            self._loop.call_soon(self.flush)
        self._frames.append(frame)
        self._size += size
        if self._size > FLUSH_FROM or len(self._frames) >= self._at_once:
            self.flush()

    def flush(self) -> None:
        """What is still to be sent does not wait for the end of the turn."""
        if self._transport and self._frames:
            self._transport.write(batch(self._frames))
        self._frames.clear()
        self._size = 0

    def close(self) -> None:
        if self._transport:
            self.flush()
            self._transport.close()

    # --- flow ---------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._yields and self._transport:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._yields and self._transport:
            self._transport.resume_reading()
