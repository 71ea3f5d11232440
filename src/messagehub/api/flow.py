"""How the octets of a connection flow: nobody is sent more than he reads, nor read from more than he needs answered."""

import asyncio

from messagehub.writable import Writable


class Flow(Writable):
    __slots__ = ("_is_read_paused", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._is_read_paused = False

    def pause_reading(self) -> None:
        if not self._is_read_paused:
            self._is_read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._is_read_paused:
            self._is_read_paused = False
            self._transport.resume_reading()
