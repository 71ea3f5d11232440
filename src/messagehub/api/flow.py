"""How the octets of a connection flow: nobody is sent more than he reads, nor read from more than he needs answered."""

import asyncio


class Flow:
    __slots__ = ("_is_read_paused", "_room", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_read_paused = False
        self._room: asyncio.Future[None] | None = None
        """Set while the peer does not read; done when it does again."""

    def pause_reading(self) -> None:
        if not self._is_read_paused:
            self._is_read_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._is_read_paused:
            self._is_read_paused = False
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self._room = self._room or asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room:
            room.set_result(None)

    @property
    def is_full(self) -> bool:
        return self._room is not None

    async def room(self) -> None:
        """Waits until the peer reads, or is gone."""
        if self._room:
            await asyncio.shield(self._room)
