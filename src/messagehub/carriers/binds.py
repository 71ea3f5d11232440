"""The binds of one carrier that are this process's: all of them, or those whose slots it holds."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence

from messagehub.carriers.bind import Bind

SENDING = ("transceiver", "transmitter")


class Binds:
    """`kinds` are those of all the carrier's binds; `make` makes one of a kind."""

    def __init__(self, kinds: Sequence[str], make: Callable[[str], Bind]) -> None:
        self.kinds = kinds
        self._make = make
        self._held: dict[int, Bind] = {}
        self._all: list[Bind] = []
        self._closing: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Bind]:
        return iter(self._all)

    @property
    def share(self) -> float:
        """How much of the carrier's rate may leave on them: as much as their part of all binds that send."""
        can_send = sum(kind in SENDING for kind in self.kinds)
        own = sum(self.kinds[slot] in SENDING and not bind.leaving for slot, bind in self._held.items())
        return own / can_send if can_send else 1.0

    def hold(self, slots: Collection[int]) -> None:
        """Opens those that are new, and closes those that are not among `slots`, but for what leaves already."""
        for slot in [slot for slot, bind in self._held.items() if slot not in slots and not bind.leaving]:
            self._held[slot].leaving = True
            self._closing.add(task := asyncio.create_task(self.part(slot, 0)))
            task.add_done_callback(self._closing.discard)
        for slot in sorted(slots):
            if slot not in self._held:
                self._held[slot] = bind = self._make(self.kinds[slot])
                bind.open()
        self._all = list(self._held.values())

    async def part(self, slot: int, seconds: float) -> None:
        """Lets nothing more out on a bind, waits so long for what is in flight on it, and closes it."""
        if not (bind := self._held.get(slot)):
            return
        await bind.drain(seconds)
        await bind.close()
        if self._held.get(slot) is bind:
            del self._held[slot]
        self._all = list(self._held.values())

    async def close(self) -> None:
        for bind in self._all:
            bind.leaving = True
        await asyncio.gather(*(bind.close() for bind in self._all), *self._closing)
        self._held, self._all = {}, []
