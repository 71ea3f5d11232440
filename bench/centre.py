"""A message centre that takes so many submits a second: `python -m bench.centre PER_S`, 0 for all that come.

Says its port; each line that it is told it answers with one of JSON: when each submit came whose destination begins so,
in seconds of the clock that all processes of a machine share.
"""

import asyncio
import sys
from collections import deque
from time import monotonic

import msgspec
import uvloop

from messagehub.smpp import PDU, Driver, Event, Received, Role, Session, listen

TICK_S = 0.002


class Centre:
    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._came: dict[str, float] = {}
        self._waiting: deque[tuple[Driver, PDU]] = deque()
        self._answered = 0

    def connected(self) -> Driver:
        return Driver(lambda now: Session(Role.MC, now), self._heard, lambda *_: None)

    def came(self, prefix: str) -> dict[str, float]:
        return {to: at for to, at in self._came.items() if to.startswith(prefix)}

    def _heard(self, driver: Driver, events: list[Event]) -> None:
        now = monotonic()
        for event in events:
            if not isinstance(event, Received):
                continue
            request = event.request
            if request.name != "submit_sm":
                driver.answer(request, 0, {"system_id": "centre"})
                continue
            self._came[request.fields["destination_addr"]] = now
            self._waiting.append((driver, request))
        if not self._per_s:
            self._answer(len(self._waiting))

    async def take(self) -> None:
        """Answers what waits, at its rate."""
        while True:
            began, allowed = monotonic(), 0.0
            await asyncio.sleep(TICK_S)
            while self._waiting:
                allowed += (monotonic() - began) * self._per_s
                began = monotonic()
                self._answer(min(int(allowed), len(self._waiting)))
                allowed %= 1
                await asyncio.sleep(TICK_S)

    def _answer(self, count: int) -> None:
        for _ in range(count):
            driver, request = self._waiting.popleft()
            self._answered += 1
            driver.answer(request, 0, {"message_id": f"{self._answered:x}"})


async def main() -> None:
    centre = Centre(float(sys.argv[1]))
    server = await listen("127.0.0.1", 0, centre.connected)
    _say(server.sockets[0].getsockname()[1])
    taking = asyncio.create_task(centre.take())
    while prefix := await asyncio.to_thread(sys.stdin.readline):
        _say(centre.came(prefix.strip()))
    taking.cancel()


def _say(words: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(words) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(main())
