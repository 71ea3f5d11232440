"""A bind with a carrier that is sent requests over HTTP: the right to have so many of them under way."""

import asyncio
import contextlib

from messagehub import clock
from messagehub.carriers.carrier import BindState, BindStatus


class WebBind:
    def __init__(self, window: int) -> None:
        self.status = BindStatus(role="client", state="bound", since=clock.now())
        self.leaving = False
        """It is to be given back: nothing more leaves on it."""
        self._window = window
        self._drained = asyncio.Event()

    @property
    def room(self) -> int:
        """Free places in the window."""
        return 0 if self.leaving else self._window - self.status.in_flight

    def begin(self) -> None:
        self.status.in_flight += 1

    def end(self) -> None:
        self.status.in_flight -= 1
        if not self.status.in_flight:
            self._drained.set()

    def turn(self, state: BindState, why: str = "") -> None:
        self.status.last_error = why
        if self.status.state != state:
            self.status.state, self.status.since = state, clock.now()

    async def drain(self, seconds: float) -> None:
        """Lets nothing more out, and waits so long for the answers to what left."""
        self.leaving = True
        self._drained.clear()
        if self.status.in_flight:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._drained.wait()
