"""One customer's endpoint as the dispatcher sees it: lanes by message, and a breaker. No clock and no socket here."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

MAX_HELD = 1000
"""Events of one endpoint in memory; the others wait in the store."""

MAX_AT_ONCE = 32
"""Requests to one endpoint at the same time."""

FAST_AT_ONCE = 128
"""Likewise to one that is fast and takes what it is sent: what takes time is then our own turns, not its work.

Each fast answer allows one more. So connections are opened as it answers, and not all at once: a server has room for
some that it has not accepted yet, often for a hundred.
"""

LEAST_HELD = 2 * MAX_AT_ONCE
"""Events of a slow endpoint in memory: more are claimed when half of them are done, and still all who may work do."""

AHEAD = 2_000_000
"""Microseconds for which a slow endpoint has work in memory: it must not take the room of the others."""

FAST = MAX_AT_ONCE * AHEAD // MAX_HELD
"""Microseconds of an attempt, below which an endpoint is fast, and may have as much in memory as any."""

FAILURES_TO_OPEN = 5
PAUSES_S = (5, 15, 30, 60, 120, 300)
"""How long nothing is sent to an endpoint that is down, before one event probes it; the last repeats."""


class Pending(Struct, gc=False):
    """An event that this process has leased."""

    id: str
    customer_id: str
    message_id: str
    body: bytes
    attempts: int
    attempts_before: int
    """Those made when its schedule of retries began."""
    lease: int
    tm_create: int


class Endpoint:
    def __init__(self, customer_id: str) -> None:
        self.customer_id = customer_id
        self.workers = 0
        self.held = 0
        self._lanes: dict[str, list[Pending]] = {}  # a deque has room for 64 from the beginning
        self._ready: deque[str] = deque()
        self._failures = 0
        self._openings = 0
        self._known = False
        self._uri = ""
        self.met = 0
        """The `tm_update` of its customer when it was met last."""
        self.closed_until = 0
        """Microseconds; nothing is sent before."""
        self.failing = False
        """Whether the store says so, of whichever node it is."""
        self.backlog = True
        """Events wait in the store, as far as is known. What is new goes behind them."""
        self.unclaimed = False
        """Something was stored for it since the last claim began."""
        self._claims = False
        self._left: set[str] = set()
        """Messages of which an event went to the store, maybe too late for the claim that found no more there."""
        self._pace = AHEAD
        """Microseconds that an attempt takes, the last ones weighing most."""
        self.quota = LEAST_HELD
        """How many events it may have in memory: what it does away with in a while."""
        self.at_once = MAX_AT_ONCE
        """Requests to it at the same time, for now."""

    # --- lanes --------------------------------------------------------------------------

    def add(self, pending: Pending) -> None:
        """Behind the other events of its message: they go one after the other."""
        self.held += 1
        if lane := self._lanes.get(pending.message_id):
            lane.append(pending)
        else:
            self._lanes[pending.message_id] = [pending]
            self._ready.append(pending.message_id)

    def take(self) -> Pending | None:
        """The next event whose message has none under way; its lane is shut until `done`."""
        return self._lanes[self._ready.popleft()][0] if self._ready else None

    def done(self, pending: Pending) -> None:
        self.held -= 1
        lane = self._lanes[pending.message_id]
        del lane[0]
        if lane:
            self._ready.append(pending.message_id)
        else:
            del self._lanes[pending.message_id]
        if not self.held:  # its connections may be closed by the time that there is more
            self.at_once = MAX_AT_ONCE

    def forget_waiting(self) -> list[Pending]:
        """Lets go of all that is not under way; it is in the store."""
        forgotten = [pending for message_id in self._ready for pending in self._lanes.pop(message_id)]
        self._ready.clear()
        for lane in self._lanes.values():
            forgotten += [lane.pop() for _ in range(len(lane) - 1)]
        self.held -= len(forgotten)
        self.backlog = self.backlog or bool(forgotten)
        return forgotten

    @property
    def wants_worker(self) -> bool:
        return bool(self._ready) and self.workers < self.at_once

    # --- how much of it may be in memory --------------------------------------------------

    def took(self, micros: int) -> None:
        """How long an attempt took."""
        self._pace += (micros - self._pace) >> 3
        if self._pace >= FAST:
            self.quota, self.at_once = max(LEAST_HELD, MAX_AT_ONCE * AHEAD // self._pace), MAX_AT_ONCE
            return
        self.quota = MAX_HELD
        if self.at_once < FAST_AT_ONCE and not self._failures:
            self.at_once += 1

    @property
    def wants_more(self) -> bool:
        """Whether it is time to lease more of what waits in the store."""
        return (self.backlog or self.unclaimed) and self.held * 2 <= self.quota

    def room(self, now: int) -> int:
        """How many events to lease: none while it is closed or has enough, one where it is to be probed."""
        if now < self.closed_until:
            return 0
        if self._openings or self.failing:
            return 1 - self.held
        return self.quota - self.held if self.held * 2 <= self.quota else 0

    def leave(self, message_id: str) -> None:
        """An event of the message was stored, to be claimed."""
        self.unclaimed = True
        if self._claims or not self.backlog:
            self._left.add(message_id)

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Around a claim: what was left before is in memory after it, or is known to wait."""
        left = frozenset(self._left)
        self.unclaimed, self._claims = False, True
        try:
            yield
            self._left -= left
        finally:
            self._claims = False

    def takes_new(self, now: int, message_id: str = "") -> bool:
        """Whether a new event may come straight here, and not by way of the store, where one before it may be."""
        if message_id in self._left:
            return False
        if self.backlog or self._openings or self.failing or now < self.closed_until:
            return False
        return self.held < self.quota

    # --- the breaker --------------------------------------------------------------------

    @property
    def is_down(self) -> bool:
        """The breaker is open, or opened and no probe has come through since."""
        return self.failing or self._openings > 0

    def succeeded(self) -> bool:
        """Whether it had been failing until now."""
        recovers = self.failing or self._openings > 0
        self._failures = self._openings = self.closed_until = 0
        self.failing = self._known = False
        return recovers

    def failed(self, now: int) -> bool:
        """Whether the breaker opens by this failure."""
        self._failures += 1
        self.at_once = MAX_AT_ONCE
        if now < self.closed_until or (self._failures < FAILURES_TO_OPEN and not (self._openings or self.failing)):
            return False
        pause = PAUSES_S[min(self._openings, len(PAUSES_S) - 1)]
        self._openings += 1
        self.closed_until = now + pause * 1_000_000
        return True

    def hold(self, until: int) -> None:
        """It has asked to be left alone until then."""
        self.closed_until = max(self.closed_until, until)

    def is_known_to_fail(self) -> None:
        """The store has it now."""
        self._known = self._openings > 0

    def heed(self, failing: bool, uri: str, tm_update: int = 0) -> None:
        """What the store says. Where it knew and does so no more, another node or its owner has found it mended."""
        self.meet(uri, tm_update)
        if self._known and not failing:
            self.succeeded()
        self.failing = failing

    def meet(self, uri: str, tm_update: int) -> None:
        """Before it is tried: what it asks for from now on stands until its customer is changed again."""
        if tm_update != self.met:  # its owner has given the same address anew, maybe: it is tried at once
            self.met, self.closed_until = tm_update, 0
        if uri != self._uri:  # what another address has asked for, or can do, says nothing of this one
            self._uri, self.closed_until = uri, 0
            self._pace, self.quota, self.at_once = AHEAD, LEAST_HELD, MAX_AT_ONCE


class Endpoints(dict[str, Endpoint]):
    """By the ids of their customers; one is made when it is first asked for."""

    def __missing__(self, customer_id: str) -> Endpoint:
        endpoint = self[customer_id] = Endpoint(customer_id)
        return endpoint
