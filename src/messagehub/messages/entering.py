"""What has to wait its turn, and is on its way to the store: nobody who claims can see it yet."""

import asyncio

from msgspec import Struct, field

WAIT_S = 0.25
"""How long the last claim of a backlog waits for what was told to wait before it. What takes longer is asked for at the
same time as all that comes meanwhile, and may go after it."""


class Entering(Struct):
    """Counted in segments, by lane."""

    lanes: dict[int, int] = field(default_factory=dict)
    none: asyncio.Event = field(default_factory=asyncio.Event)
    later: "Entering | None" = None
    """Where they are counted since this one was given up."""

    def add(self, segments: int, lane: int) -> None:
        self.lanes[lane] = self.lanes.get(lane, 0) + segments

    def entered(self, segments: int, lane: int) -> None:
        """They are there now, or will never be."""
        there = self
        while there.later:
            there = there.later
        there.lanes[lane] -= segments
        if not there.lanes[lane]:
            del there.lanes[lane]
        if not there.lanes:
            there.none.set()

    async def end(self, later: "Entering") -> int:
        """Waits for them, but not for long. How many segments are still on their way, and counted in `later` then."""
        if not self.lanes:
            return 0
        self.none.clear()
        try:
            async with asyncio.timeout(WAIT_S):
                await self.none.wait()
        except TimeoutError:
            self.later = later
            for lane, segments in self.lanes.items():
                later.add(segments, lane)
        return sum(self.lanes.values())
