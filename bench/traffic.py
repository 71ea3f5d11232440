"""One process that is the customer, load and endpoint: the machine may have two cores, and the hub wants one.

Says the endpoint's port, is told the plan, says what was seen: each one line of JSON. Ends when its input does.
"""

import asyncio
import gc
import sys
from collections.abc import Callable

import msgspec
import uvloop

from bench.load import Load
from bench.sink import Endpoint
from bench.tally import Plan, Tally

IDLE_S = 10.0
"""Longer than a hub that still works is silent."""

LINGER_S = 1.0
"""After the last webhook that is waited for, as a second one of a message may still come."""

LOOK_S = 0.05
PROGRESS_S = 1.0


async def customer() -> None:
    endpoint = Endpoint()
    _say(await endpoint.open())
    words = await asyncio.to_thread(sys.stdin.buffer.readline)
    if not words:
        return
    plan = msgspec.json.decode(words, type=Plan)
    tally = endpoint.tally = Tally(plan)
    progress = asyncio.create_task(_progress(tally))
    sending = asyncio.create_task(Load(plan, tally).run())
    await _until(sending.done, lambda: tally.answers)
    if not sending.cancel():
        sending.result()
    await _until(lambda: tally.called >= tally.accepted, lambda: tally.called)
    await asyncio.sleep(LINGER_S)
    progress.cancel()
    _say(tally.seen())
    await asyncio.to_thread(sys.stdin.buffer.read)


def _say(words: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(words) + b"\n")
    sys.stdout.buffer.flush()


async def _until(done: Callable[[], bool], moved: Callable[[], int]) -> None:
    """Returns as well when nothing has moved for IDLE_S: no more will come."""
    idle, before = 0.0, -1
    while not done() and idle < IDLE_S:
        idle = idle + LOOK_S if moved() == before else 0.0
        before = moved()
        await asyncio.sleep(LOOK_S)


async def _progress(tally: Tally) -> None:
    while True:
        await asyncio.sleep(PROGRESS_S)
        print(f"  {tally.accepted:,} accepted, {tally.called:,} called back", file=sys.stderr, flush=True)


if __name__ == "__main__":
    gc.disable()  # nothing here makes cycles, and a pause would be counted as the hub's
    uvloop.run(customer())
