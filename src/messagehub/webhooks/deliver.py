"""Delivering webhooks: events that are due are leased, sent, and concluded in batches.

An event is leased by its `due_at`: whoever sends it has moved that into the future first, so that it is due again if
the process dies. Most events never wait in the store: they are stored with a lease by whoever makes them, and are
offered here after the commit.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import accumulate

from messagehub import clock
from messagehub.accounts.customers import Customer, Customers
from messagehub.clock import SECOND
from messagehub.errors import Unavailable
from messagehub.events import Event
from messagehub.logs import about
from messagehub.metrics import COUNTS
from messagehub.store import Row, Store, Tx
from messagehub.store.recent import CHANGED
from messagehub.web import Answer, Busy, Closed, Requester, WebError
from messagehub.webhooks.attempt import attempt, error_of, words
from messagehub.webhooks.claim import all_due, claimable
from messagehub.webhooks.conclude import Conclusions, Failure, Result, drop_waiting
from messagehub.webhooks.endpoint import FAST_AT_ONCE, Endpoint, Endpoints, Pending
from messagehub.work.loop import Loop
from messagehub.work.schedule import next_attempt
from messagehub.work.setback import Forward

log = logging.getLogger(__name__)

RETRY_AFTER = (5, 30, 300, 1800, 7200, 18000, 28800, 28800)
"""Seconds between the attempts: nine in 24 hours."""

LEASE = 30 * SECOND
MAX_HELD = 20_000
"""Events of all endpoints in memory."""
MAX_OCTETS = 128 * 1024 * 1024
"""Of their bodies: one that tells of a hundred targets with texts of their own may have some hundred thousand."""
CLAIM_OCTETS = 8 * 1024 * 1024
"""Of the bodies that are claimed at once, but for the first."""

BUSY = frozenset({429, 503})
LONGEST_HOLD = 3600 * SECOND
"""How long an endpoint may ask to be left alone with all that waits for it."""

MAX_IDLE = FAST_AT_ONCE
"""Workers that stay for what comes next."""

POLL_S = 1.0
BEHIND_S = 0.1
"""When the store is looked at once more for an event that another node's may go before."""

EVENTS = "events"
"""The topic that is notified when a node has made events that it does not tell itself."""

CLAIMS_AT_ONCE = 4
MOST_FAILURES = 6
"""Claims that fail in one turn before the others are not tried any more: it is the store."""
ASIDE_S = 5.0
"""How long a customer whose events cannot be claimed is passed over."""

DAY = 24 * 3600 * SECOND

SET_BACK = (Forward("events_set_back", "bring_event_forward"),)


class Dispatcher:
    """The outbox of events, and the workers that empty it. `shared`: others may do so as well."""

    def __init__(
        self, store: Store, customers: Customers, client: Requester, timeout: float, shared: bool = False
    ) -> None:
        self.shared = shared
        self._store, self._customers, self._client = store, customers, client
        self._timeout = int(timeout * SECOND)
        self._endpoints = Endpoints()
        self._held = self._octets = 0
        self._unwritten = Conclusions()
        self._is_behind = False
        """The store could not take what was to be written last."""
        self._workers: set[asyncio.Task[None]] = set()
        self._idle: list[asyncio.Future[Endpoint | None]] = []
        """Workers that wait for an endpoint; the one that has worked last is warmest."""
        self._claims = Loop("webhooks", self._claim_all, POLL_S)
        self._conclusions = Loop("webhook results", self._conclude, POLL_S)
        self._open = False
        self._ahead: set[str] = set()
        """Whose events were left in the store while others' were claimed: they need not wait for thousands of those."""
        self._later: asyncio.TimerHandle | None = None
        self._aside: dict[str, float] = {}
        """Until when customers are passed over."""

    async def open(self, alone: bool) -> None:
        """`alone`: no other node can have leased anything, so what is leased is due."""
        if alone:
            await self._store.run("release_events", now=clock.now())
        self._open = True
        self._store.listen(CHANGED, self._claims.ring)  # a customer may have mended its endpoint
        self._store.listen(EVENTS, self._claims.ring)
        self._claims.start()
        self._conclusions.start()

    async def close(self) -> None:
        """Lets the requests under way end, and writes down how; what waits stays in the store."""
        self._open = False
        if self._later:
            self._later.cancel()
        await self._claims.stop()
        for endpoint in self._endpoints.values():
            self._release_waiting(endpoint)
        while self._idle:
            self._idle.pop().set_result(None)
        if self._workers:
            await asyncio.wait(self._workers, timeout=self._timeout / SECOND)
        await self._conclusions.stop()
        await self._conclude()

    @property
    def endpoints_down(self) -> int:
        """To how many endpoints nothing is sent but a probe now and then."""
        return sum(endpoint.is_down for endpoint in self._endpoints.values())

    def wake(self) -> None:
        """Something may be due in the store."""
        if self._open:
            self._claims.ring()
        else:
            self._store.notify(EVENTS)

    def set_back(self, step: int) -> None:
        """The clock was, by so many microseconds: breakers are open for as long as they were to be."""
        for endpoint in self._endpoints.values():
            endpoint.closed_until -= step

    # --- the outbox ---------------------------------------------------------------------

    def due_at(self, customer_id: str, message_id: str, now: int) -> int:
        endpoint = self._endpoints[customer_id]
        has_room = self._held < MAX_HELD and self._octets < MAX_OCTETS
        if has_room and self._open and endpoint.takes_new(now, message_id):
            return now + LEASE
        endpoint.backlog = True
        return now

    def offer(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.leased:
                self._add(_pending(event))
            else:
                self._leave_in_store(self._endpoints[event.customer_id], event)

    def _leave_in_store(self, endpoint: Endpoint, event: Event) -> None:
        endpoint.leave(event.message_id)
        if endpoint.room(event.due_at) > 0:
            self._ahead.add(event.customer_id)
            self.wake()
            self._wake_later()

    def _wake_later(self) -> None:
        """It may have to wait for an event before it, which another node is just about to tell."""
        if self.shared and self._open and not self._later:
            self._later = asyncio.get_running_loop().call_later(BEHIND_S, self._wake_now)

    def _wake_now(self) -> None:
        self._later = None
        self.wake()

    def _add(self, pending: Pending) -> None:
        if not self._open:
            return
        endpoint = self._endpoints[pending.customer_id]
        self._held += 1
        self._octets += len(pending.body)
        endpoint.add(pending)
        if endpoint.wants_worker:
            self._engage(endpoint)

    def _engage(self, endpoint: Endpoint) -> None:
        endpoint.workers += 1
        if self._idle:
            self._idle.pop().set_result(endpoint)
            return
        # In a context of its own, since it outlives the request whose event is its first.
        worker = asyncio.create_task(self._work(endpoint), context=Context())
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    def _release_waiting(self, endpoint: Endpoint) -> None:
        forgotten = endpoint.forget_waiting()
        self._held -= len(forgotten)
        self._octets -= sum(len(pending.body) for pending in forgotten)
        self._unwritten.released += forgotten

    # --- claiming what waits in the store -----------------------------------------------

    async def _claim_all(self) -> None:
        now = clock.now()
        due = [row.customer_id for row in await self._store.all("endpoints_due", now=now)]
        half, failures = CLAIMS_AT_ONCE // 2, list[BaseException]()
        for some in range(0, len(due), half):
            ahead = [self._ahead.pop() for _ in range(min(half, len(self._ahead)))]
            claims = [self._claim_safely(id, now) for id in {*ahead, *due[some : some + half]}]
            ended = await asyncio.gather(*claims, return_exceptions=True)
            failures += [error for error in ended if error]
            if len(failures) >= MOST_FAILURES:
                break
        if failures:
            raise failures[0]

    async def _claim_safely(self, customer_id: str, now: int) -> None:
        """What is wrong with one customer, and not with the store, is nobody else's matter."""
        if time.monotonic() < self._aside.get(customer_id, 0.0):
            return
        try:
            await self._claim_for(customer_id, now)
        except Unavailable:
            raise
        except Exception:
            self._aside[customer_id] = time.monotonic() + ASIDE_S
            log.exception("events cannot be claimed", extra=about(customer_id=customer_id))
        else:
            self._aside.pop(customer_id, None)

    async def _claim_for(self, customer_id: str, now: int) -> None:
        endpoint = self._endpoints[customer_id]
        customer = await self._customers.get(self._store, customer_id)
        endpoint.heed(customer.webhook_fails, customer.webhook_uri, customer.tm_update)
        room = min(endpoint.room(now), MAX_HELD - self._held)
        if room > 0 and self._octets < MAX_OCTETS:
            await self._claim(endpoint, room)

    async def _claim(self, endpoint: Endpoint, room: int) -> None:
        claim = claimable if self.shared else all_due
        now = clock.now()  # of all that was stored up to here, the last as well: what is new will not wait for it
        lease = now + LEASE

        async def unit(tx: Tx) -> tuple[list[Pending], bool]:
            found, is_full = await claim(tx, endpoint.customer_id, now, room)
            rows = _that_fit(found)
            await tx.expect("lease_event", [_lease(row, lease) for row in rows])
            bodies = {row.event_id: row.body for row in await tx.many("event_body", rows)}
            return [_claimed(row, bodies[row.id], lease) for row in rows], is_full or len(rows) < len(found)

        with endpoint.claiming():
            claimed, endpoint.backlog = await self._store.transaction(unit)
            endpoint.unclaimed |= self.shared and bool(claimed)  # there may be later ones of the same messages
            for pending in sorted(claimed, key=lambda pending: pending.id):
                self._add(pending)

    # --- sending ------------------------------------------------------------------------

    async def _work(self, endpoint: Endpoint | None) -> None:
        """Goes from endpoint to endpoint, as making a task costs as much as signing an event."""
        while endpoint:
            try:
                while endpoint.workers <= endpoint.at_once and (pending := endpoint.take()):
                    await self._attempt(endpoint, pending)
                    self._held -= 1
                    self._octets -= len(pending.body)
                    endpoint.done(pending)
                    if endpoint.wants_more:
                        self.wake()
                    if endpoint.wants_worker:  # it has shown to be fast
                        self._engage(endpoint)
            finally:
                endpoint.workers -= 1
            if not self._open or len(self._idle) >= MAX_IDLE:
                return
            idle: asyncio.Future[Endpoint | None] = asyncio.get_running_loop().create_future()
            self._idle.append(idle)
            endpoint = await idle

    async def _attempt(self, endpoint: Endpoint, pending: Pending) -> None:
        now = clock.now()
        if now + self._timeout > pending.lease:  # it may be another's before we are done with it
            return
        try:
            customer = await self._customers.get(self._store, pending.customer_id)
            if not customer.webhook_uri or customer.webhook_disabled:
                self._not_sent(pending, now)
                return
            if customer.tm_update != endpoint.met:
                endpoint.meet(customer.webhook_uri, customer.tm_update)
            try:
                answer = await attempt(self._client, customer, pending.id, pending.body, now)
            except Closed:
                return
            except WebError as error:
                self._failed(endpoint, pending, customer, None, error.code, counts=not isinstance(error, Busy))
            else:
                self._answered(endpoint, pending, customer, answer)
            endpoint.took(clock.now() - now)
        except Unavailable:
            return
        except Exception:  # its lease runs out, and it is tried again
            fields = about(event_id=pending.id, message_id=pending.message_id, customer_id=pending.customer_id)
            log.exception("an attempt to deliver an event failed", extra=fields)

    def _answered(self, endpoint: Endpoint, pending: Pending, customer: Customer, answer: Answer) -> None:
        error = error_of(answer)
        if not error:
            if endpoint.succeeded() or customer.webhook_fails:
                self._unwritten.recovered[customer.id] = customer
            self._note(pending, "delivered", None, answer.status, "")
        elif error == "gone":
            self._unwritten.gone[customer.id] = customer
            endpoint.hold(clock.now() + LONGEST_HOLD)  # until the store has it
            self._release_waiting(endpoint)
            self._note(pending, "failed", None, answer.status, error)
        else:
            self._failed(endpoint, pending, customer, answer, error)

    def _failed(
        self,
        endpoint: Endpoint,
        pending: Pending,
        customer: Customer,
        answer: Answer | None,
        error: str,
        counts: bool = True,
    ) -> None:
        now = clock.now()
        due_at = next_attempt(RETRY_AFTER, pending.attempts - pending.attempts_before + 1, now, random.random())
        wish = wished_pause(answer, now) if answer else 0
        if due_at:
            due_at = max(due_at, now + wish)
        status = answer.status if answer else 0
        self._note(pending, "pending" if due_at else "failed", due_at, status, error)
        if counts and endpoint.failed(now):
            self._release_waiting(endpoint)
            self._unwritten.recovered.pop(customer.id, None)
            failure = Failure(customer, words(error, status), now, is_first=not customer.webhook_fails)
            self._unwritten.failing[customer.id] = failure
        if wish and status in BUSY:  # it speaks of itself, and not of this one event
            endpoint.hold(now + min(wish, LONGEST_HOLD))
            self._release_waiting(endpoint)

    def _not_sent(self, pending: Pending, now: int) -> None:
        """Its webhook was switched off, or disabled, since it was stored."""
        COUNTS.webhooks["disabled"] += 1
        result = Result(
            pending.customer_id, pending.id, "failed", pending.attempts, None, 0, "disabled", now, False, pending.lease
        )
        self._unwritten.results.append(result)
        self._conclusions.ring()

    def _note(self, pending: Pending, status: str, due_at: int | None, response_status: int, error: str) -> None:
        COUNTS.webhooks[error or status] += 1
        attempts, now, lease = pending.attempts + 1, clock.now(), pending.lease
        results = self._unwritten.results
        if not results or self._is_behind:  # else it has been rung
            self._conclusions.ring()
        results.append(
            Result(pending.customer_id, pending.id, status, attempts, due_at, response_status, error, now, True, lease)
        )

    # --- writing down how it ended ------------------------------------------------------

    async def _conclude(self) -> None:
        """All that ended since the last commit, in one."""
        while batch := self._unwritten:
            self._unwritten = Conclusions()
            try:
                await self._store.transaction(batch.write)
            except (Unavailable, asyncio.CancelledError):
                self._put_back(batch)
                raise
            except Exception:
                log.exception("results of attempts cannot be stored together; they are stored one by one")
                await self._one_by_one(batch)
            else:
                await self._written(batch)

    async def _one_by_one(self, batch: Conclusions) -> None:
        """One that cannot be stored does not keep back the others."""
        rest = deque(batch.pieces())
        try:
            while rest:
                await self._write_alone(rest[0])
                rest.popleft()
        finally:
            if rest:
                self._put_back(Conclusions.of(rest))

    async def _write_alone(self, piece: Conclusions) -> None:
        try:
            await self._store.transaction(piece.write)
        except Unavailable:
            raise
        except Exception:
            log.exception("the result of an attempt is set aside, since it cannot be stored", extra=piece.about())
        else:
            await self._written(piece)

    def _put_back(self, batch: Conclusions) -> None:
        self._unwritten, self._is_behind = batch.before(self._unwritten), True

    async def _written(self, batch: Conclusions) -> None:
        self._is_behind = False
        batch.log()
        if any(self._endpoints[customer_id].unclaimed for customer_id in {one.customer_id for one in batch.results}):
            self.wake()
        for customer_id in batch.failing:
            self._endpoints[customer_id].is_known_to_fail()
        for customer_id in batch.gone:
            self._endpoints[customer_id].closed_until = 0
        if batch.changes_customers:
            self._store.notify(CHANGED)
        for customer_id in batch.disabled:
            await drop_waiting(self._store, customer_id)


def _pending(event: Event) -> Pending:
    return Pending(event.id, event.customer_id, event.message_id, event.body, 0, 0, event.due_at, event.tm_create)


def _that_fit(rows: Sequence[Row]) -> Sequence[Row]:
    """The first of them, as many as may be claimed at once."""
    sums = accumulate(row.octets for row in rows)
    return [row for row, octets in zip(rows, sums, strict=True) if octets <= CLAIM_OCTETS or row is rows[0]]


def _claimed(row: Row, body: bytes, lease: int) -> Pending:
    return Pending(
        row.id, row.customer_id, row.message_id, body, row.attempts, row.attempts_before, lease, row.tm_create
    )


def _lease(row: Row, lease: int) -> dict[str, object]:
    return {"customer_id": row.customer_id, "id": row.id, "due_at": row.due_at, "lease": lease}


def wished_pause(answer: Answer, now: int) -> int:
    """The Retry-After of an answer in microseconds, a day at most (RFC 9110, section 10.2.3); 0 where there is none."""
    text = answer.headers.get("retry-after", "")
    if text.isdecimal():
        return min(int(text[:9]) * SECOND, DAY)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError):
        return 0
    moment = date if date.tzinfo else date.replace(tzinfo=UTC)  # all dates of HTTP are of UTC, also where none is said
    return min(max(int(moment.timestamp()) * SECOND - now, 0), DAY)
