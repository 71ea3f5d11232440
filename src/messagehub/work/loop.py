"""A loop that lives on: it works when it is rung or when time is up, and outlives the failures of its turns."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from messagehub.errors import Unavailable
from messagehub.logs import about

log = logging.getLogger(__name__)

PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0


class Loop:
    """Runs `turn` after each `ring`, and every `every` seconds without one. After a failure a ring waits as well: a
    pause that grows up to `longest_pause` seconds."""

    def __init__(
        self, name: str, turn: Callable[[], Awaitable[None]], every: float, longest_pause: float = LONGEST_PAUSE_S
    ) -> None:
        self._name, self._turn, self._every, self._longest_pause = name, turn, every, longest_pause
        self._bell = asyncio.Event()
        self._pause = PAUSE_S
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    def ring(self) -> None:
        self._bell.set()

    async def stop(self, within: float = 3.0) -> None:
        """Lets the turn that is under way end, and ends it by force where it takes longer than `within` seconds."""
        if not self._task:
            return
        self._ending.set()
        self._bell.set()
        await asyncio.wait([self._task], timeout=within)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._ending.is_set():
            self._bell.clear()
            if await self._turn_safely():
                self._pause = PAUSE_S
                await _rest(self._bell, self._every)
            else:
                await _rest(self._ending, self._pause)
                self._pause = min(self._pause * 2, self._longest_pause)

    async def _turn_safely(self) -> bool:
        try:
            await self._turn()
        except Unavailable as error:
            log.warning("work waits for the store: %s", error, extra=about(work=self._name))
            return False
        except Exception:
            log.exception("work failed and goes on", extra=about(work=self._name))
            return False
        return True


async def _rest(unless: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await unless.wait()
    except TimeoutError:
        return
