"""What the binds of one carrier share while they come in: wrong credentials are said by one of them, and seldom."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from messagehub.carriers.backoff import PAUSES, Backoff, Pauses, Trouble


class Door:
    """While none of them is in they try one at a time; when the carrier does not know us, none does for a while."""

    def __init__(self, pauses: Pauses = PAUSES) -> None:
        self._backoff = Backoff(pauses)
        self._one = asyncio.Lock()
        self._inside = 0
        self._shut_until = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits until a bind may try; hold it until the carrier has answered."""
        while True:
            await asyncio.sleep(self._shut_for())
            if self._inside:
                yield
                return
            async with self._one:
                if self._inside or self._shut_for():
                    continue
                yield
                return

    def let_in(self) -> None:
        """The carrier knows us: the others may try at once."""
        self._inside += 1
        self._backoff.forget()

    def left(self) -> None:
        """One that was in is out again."""
        self._inside -= 1

    def turned_away(self) -> float:
        """The carrier does not know us: seconds until it is asked again."""
        if not self._shut_for():
            self._shut_until = time.monotonic() + self._backoff.fail(Trouble.CREDENTIALS, random.random())
        return self._shut_for()

    def _shut_for(self) -> float:
        return max(0.0, self._shut_until - time.monotonic())
