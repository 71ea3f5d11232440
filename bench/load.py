"""The customer who sends: keep-alive connections, one request under way on each."""

import asyncio
from collections import deque
from time import perf_counter
from typing import cast

from bench.tally import Plan, Tally
from bench.wire import end_of

TICK_S = 0.001
"""How closely a rate is kept."""

STATUS = slice(9, 12)
"""Of an answer: `HTTP/1.1 200 …`"""


class Connection(asyncio.Protocol):
    def __init__(self, load: "Load") -> None:
        self._load = load
        self._unread = b""
        self._n = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's own are no subclass

    def send(self, n: int, request: bytes) -> None:
        self._n = n
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self._unread + data if self._unread else data
        if not end_of(data, 0):
            self._unread = data
            return
        self._unread = b""
        n, self._n = self._n, -1
        self._load.answered(self, n, int(data[STATUS]))

    def connection_lost(self, error: Exception | None) -> None:
        self._load.lost(self, self._n)


class Load:
    """Sends every number once, whatever becomes of it: what is lost is to be seen, not to be made up for."""

    def __init__(self, plan: Plan, tally: Tally) -> None:
        self._plan, self._tally = plan, tally
        self._request = plan.request.encode()
        self._idle: deque[Connection] = deque()
        self._open = 0
        self._next = 0
        self._began = 0.0
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Returns when each request has its answer, or no connection is left."""
        loop, plan = asyncio.get_running_loop(), self._plan
        for _ in range(min(plan.connections, plan.count)):
            _, connection = await loop.create_connection(lambda: Connection(self), plan.host, plan.port)
            self._idle.append(connection)
            self._open += 1
        self._began = perf_counter()
        self._pump()
        while plan.rate and self._next < plan.count and not self._done.is_set():
            await asyncio.sleep(TICK_S)
            self._pump()
        await self._done.wait()

    def answered(self, connection: Connection, n: int, status: int) -> None:
        self._tally.answered(n, status, perf_counter())
        self._idle.append(connection)
        self._pump()
        if self._tally.answers == self._plan.count:
            self._done.set()

    def lost(self, connection: Connection, n: int) -> None:
        self._open -= 1
        if n >= 0:
            self._tally.answered(n, 0, perf_counter())
        else:
            self._idle.remove(connection)
        if not self._open or self._tally.answers == self._plan.count:
            self._done.set()

    def _pump(self) -> None:
        idle, now = self._idle, perf_counter()
        due = self._due(now)
        while idle and self._next < due:
            n, self._next = self._next, self._next + 1
            self._tally.sent(n, self._meant_at(n, now))
            number = self._plan.first + n
            idle.popleft().send(n, self._request % (number, number))

    def _due(self, now: float) -> int:
        plan = self._plan
        return min(plan.count, int((now - self._began) * plan.rate) + 1) if plan.rate else plan.count

    def _meant_at(self, n: int, now: float) -> float:
        """At a fixed rate a request that had to wait for a connection has waited: the hub's slowness is not hidden."""
        return self._began + n / self._plan.rate if self._plan.rate else now
