"""Things to do after a delay: one queue per length of delay, and one timer for all."""

import asyncio
from collections import deque
from collections.abc import Callable
from math import inf

BATCH = 0.005  # seconds: what falls due this close together is done together

Call = Callable[[], object]


class Later:
    """There are few lengths of delay and many things to do, so queueing is cheaper than sorting.

    Each batch is followed by one call of `after`.
    """

    def __init__(self, after: Call) -> None:
        self._after = after
        self._loop = asyncio.get_running_loop()
        self._queues: dict[float, deque[tuple[float, Call]]] = {}
        self._timer: asyncio.Handle | None = None
        self._wakes = inf  # a handle does not tell this on every loop

    def put(self, delay: float, call: Call) -> None:
        """Call `call` in `delay` seconds."""
        due = self._loop.time() + delay
        queue = self._queues.get(delay)
        if queue is None:
            queue = self._queues[delay] = deque()
        queue.append((due, call))
        if due < self._wakes:
            self._wake_at(due)

    def close(self) -> None:
        """Forget all that is still to be done."""
        self._queues.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _wake_at(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._wakes = self._loop.call_at(due, self._do), due

    def _do(self) -> None:
        self._timer, self._wakes = None, inf
        now = self._loop.time() + BATCH
        for queue in list(self._queues.values()):
            while queue and queue[0][0] <= now:
                queue.popleft()[1]()
        self._after()
        if heads := [queue[0][0] for queue in self._queues.values() if queue]:
            self._wake_at(max(min(heads), now))
