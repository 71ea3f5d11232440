"""How late the event loop is: a timer measures what everything that runs on the loop waits for."""

import asyncio

from messagehub.metrics import COUNTS

EVERY_S = 0.25


async def measure() -> None:
    """Until it is cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(EVERY_S)
        COUNTS.lag_seconds.observe(max(0.0, loop.time() - before - EVERY_S))
