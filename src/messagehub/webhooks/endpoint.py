"""One customer's endpoint as the dispatcher sees it: lanes by message, and a breaker. No clock and no socket here."""

from collections import deque
from dataclasses import dataclass

MAX_HELD = 1000
"""Events of one endpoint in memory; the others wait in the store."""

MAX_AT_ONCE = 32
"""Requests to one endpoint at the same time."""

FAILURES_TO_OPEN = 5
PAUSES_S = (5, 15, 30, 60, 120, 300)
"""How long nothing is sent to an endpoint that is down, before one event probes it; the last repeats."""


@dataclass(slots=True)
class Pending:
    """An event that this process has leased."""

    id: str
    customer_id: str
    message_id: str
    body: bytes
    attempts: int
    lease: int
    tm_create: int


class Endpoint:
    def __init__(self, customer_id: str) -> None:
        self.customer_id = customer_id
        self.workers = 0
        self.held = 0
        self._lanes: dict[str, deque[Pending]] = {}
        self._ready: deque[str] = deque()
        self._failures = 0
        self._openings = 0
        self.closed_until = 0
        """Microseconds; nothing is sent before."""
        self.backlog = True
        """Events wait in the store, as far as is known. What is new goes behind them."""

    # --- lanes --------------------------------------------------------------------------

    def add(self, pending: Pending) -> None:
        """Behind the other events of its message: they go one after the other."""
        self.held += 1
        if lane := self._lanes.get(pending.message_id):
            lane.append(pending)
        else:
            self._lanes[pending.message_id] = deque([pending])
            self._ready.append(pending.message_id)

    def take(self) -> Pending | None:
        """The next event whose message has none under way; its lane is shut until `done`."""
        return self._lanes[self._ready.popleft()][0] if self._ready else None

    def done(self, pending: Pending) -> None:
        self.held -= 1
        lane = self._lanes[pending.message_id]
        lane.popleft()
        if lane:
            self._ready.append(pending.message_id)
        else:
            del self._lanes[pending.message_id]

    def forget_waiting(self) -> None:
        """Lets go of all that is not under way; it is in the store."""
        for message_id in self._ready:
            self.held -= len(self._lanes.pop(message_id))
        self._ready.clear()

    @property
    def wants_worker(self) -> bool:
        return bool(self._ready) and self.workers < MAX_AT_ONCE

    # --- the breaker --------------------------------------------------------------------

    def room(self, now: int) -> int:
        """How many more events may be leased: one where the endpoint is to be probed, none while it is closed."""
        if now < self.closed_until:
            return 0
        if self._openings:
            return 1 - self.held
        return MAX_HELD - self.held

    def takes_new(self, now: int) -> bool:
        """Whether a new event may come straight here, and not by way of the store."""
        return not self.backlog and not self._openings and self.room(now) > 0

    @property
    def is_down(self) -> bool:
        """The breaker is open, or opened and no probe has come through since."""
        return self._openings > 0

    def succeeded(self) -> bool:
        """Whether the breaker shuts by this success."""
        was_down = self.is_down
        self._failures = self._openings = self.closed_until = 0
        return was_down

    def failed(self, now: int) -> bool:
        """Whether the breaker opens by this failure."""
        self._failures += 1
        if now < self.closed_until or (self._failures < FAILURES_TO_OPEN and not self._openings):
            return False
        pause = PAUSES_S[min(self._openings, len(PAUSES_S) - 1)]
        self._openings += 1
        self.closed_until = now + pause * 1_000_000
        return True
