"""Whether the other side of a connection reads what it is sent: the half of asyncio's flow control that all need."""

import asyncio


class Writable:
    __slots__ = ("_room",)

    def __init__(self) -> None:
        self._room: asyncio.Future[None] | None = None
        """Set while the other side does not read; done when it does again."""

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
        """Waits until the other side reads, or is gone."""
        if self._room:
            await asyncio.shield(self._room)
