"""Delivering webhooks: events that are due are leased, sent, and concluded in batches.

An event is leased by its `due_at`: whoever sends it has moved that into the future first, so that it is due again if
the process dies. Most events never wait in the store: they are stored with a lease by whoever makes them, and are
offered here after the commit.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial

from messagehub import clock
from messagehub.accounts.customers import Customer, Customers
from messagehub.clock import SECOND
from messagehub.errors import StoreError, Unavailable
from messagehub.events import Event
from messagehub.logs import about
from messagehub.metrics import COUNTS
from messagehub.store import Row, Store, Tx
from messagehub.store.recent import CHANGED
from messagehub.web import Answer, Busy, Client, Closed, WebError
from messagehub.webhooks.endpoint import Endpoint, Pending
from messagehub.webhooks.sign import signatures
from messagehub.work.loop import Loop
from messagehub.work.schedule import next_attempt

log = logging.getLogger(__name__)

RETRY_AFTER = (5, 30, 300, 1800, 7200, 18000, 28800, 28800)
"""Seconds between the attempts: nine in 24 hours."""

LEASE = 30 * SECOND
MAX_HELD = 20_000
"""Events of all endpoints in memory."""

POLL_S = 1.0
GONE = 410
DAY = 24 * 3600 * SECOND


@dataclass(slots=True)
class Result:
    """How an attempt ended. `due_at`: when the next is made; None when this was the last."""

    id: str
    status: str
    attempts: int
    due_at: int | None
    response_status: int
    error: str
    now: int


@dataclass(slots=True)
class Conclusions:
    """What is still to be written down."""

    results: list[Result] = field(default_factory=list)
    gone: list[Customer] = field(default_factory=list)
    """Customers whose endpoint says that it is gone for good."""
    postponed: dict[str, int] = field(default_factory=dict)
    """Customers whose endpoint is down, and until when nothing is sent to it."""

    def __bool__(self) -> bool:
        return bool(self.results or self.gone or self.postponed)

    def before(self, later: "Conclusions") -> "Conclusions":
        return Conclusions(self.results + later.results, self.gone + later.gone, self.postponed | later.postponed)


class Dispatcher:
    """The outbox of events, and the workers that empty it."""

    def __init__(self, store: Store, customers: Customers, client: Client, timeout: float) -> None:
        self._store, self._customers, self._client = store, customers, client
        self._timeout = int(timeout * SECOND)
        self._endpoints: dict[str, Endpoint] = {}
        self._held = 0
        self._unwritten = Conclusions()
        self._workers: set[asyncio.Task[None]] = set()
        self._claims = Loop("webhooks", self._claim_all, POLL_S)
        self._conclusions = Loop("webhook results", self._conclude, POLL_S)
        self._open = False

    async def open(self, alone: bool) -> None:
        """`alone`: no other node can have leased anything, so what is leased is due."""
        if alone:
            await self._store.run("release_events", now=clock.now())
        self._open = True
        self._claims.start()
        self._conclusions.start()

    async def close(self) -> None:
        """Lets the requests under way end, and writes down how; what waits stays in the store."""
        self._open = False
        await self._claims.stop()
        for endpoint in self._endpoints.values():
            self._forget_waiting(endpoint)
        if self._workers:
            await asyncio.wait(self._workers, timeout=self._timeout / SECOND)
        await self._conclusions.stop()
        await self._conclude()

    @property
    def endpoints_down(self) -> int:
        """To how many endpoints nothing is sent but a probe now and then."""
        return sum(endpoint.is_down for endpoint in self._endpoints.values())

    # --- the outbox ---------------------------------------------------------------------

    def due_at(self, customer_id: str, now: int) -> int:
        endpoint = self._endpoint(customer_id)
        if self._open and self._held < MAX_HELD and endpoint.takes_new(now):
            return now + LEASE
        endpoint.backlog = True
        return now

    def offer(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.due_at > event.tm_create:
                self._add(
                    Pending(event.id, event.customer_id, event.message_id, event.body, 0, event.due_at, event.tm_create)
                )
            else:
                self._claims.ring()

    def _add(self, pending: Pending) -> None:
        if not self._open:
            return
        endpoint = self._endpoint(pending.customer_id)
        endpoint.add(pending)
        self._held += 1
        if endpoint.wants_worker:
            endpoint.workers += 1
            # In a context of its own, since it outlives the request whose event is its first.
            worker = asyncio.create_task(self._work(endpoint), context=Context())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    def _endpoint(self, customer_id: str) -> Endpoint:
        if customer_id not in self._endpoints:
            self._endpoints[customer_id] = Endpoint(customer_id)
        return self._endpoints[customer_id]

    def _forget_waiting(self, endpoint: Endpoint) -> None:
        before = endpoint.held
        endpoint.forget_waiting()
        self._held -= before - endpoint.held

    # --- claiming what waits in the store -----------------------------------------------

    async def _claim_all(self) -> None:
        now = clock.now()
        for row in await self._store.all("endpoints_due", now=now):
            endpoint = self._endpoint(row.customer_id)
            room = min(endpoint.room(now), MAX_HELD - self._held)
            if room > 0:
                await self._claim(endpoint, now, room)

    async def _claim(self, endpoint: Endpoint, now: int, room: int) -> None:
        lease = clock.now() + LEASE

        async def unit(tx: Tx) -> list[Row]:
            rows = await tx.all("claim_events", customer_id=endpoint.customer_id, now=now, count=room)
            leases = [{"id": row.id, "due_at": row.due_at, "lease": lease} for row in rows]
            if await tx.change("lease_event", leases) != len(leases):
                raise StoreError("an event was leased by somebody else in the middle of a transaction")
            return rows

        rows = await self._store.transaction(unit)
        for row in sorted(rows, key=lambda row: row.id):
            self._add(Pending(row.id, row.customer_id, row.message_id, row.body, row.attempts, lease, row.tm_create))
        endpoint.backlog = len(rows) == room
        if endpoint.backlog:
            self._claims.ring()

    # --- sending ------------------------------------------------------------------------

    async def _work(self, endpoint: Endpoint) -> None:
        try:
            while pending := endpoint.take():
                try:
                    await self._attempt(endpoint, pending)
                except Exception:  # its lease runs out, and it is tried again
                    fields = about(event_id=pending.id, message_id=pending.message_id, customer_id=pending.customer_id)
                    log.exception("an attempt to deliver an event failed", extra=fields)
                endpoint.done(pending)
                self._held -= 1
        finally:
            endpoint.workers -= 1

    async def _attempt(self, endpoint: Endpoint, pending: Pending) -> None:
        now = clock.now()
        if now + self._timeout > pending.lease:  # it may be another's before we are done with it
            return
        try:
            customer = await self._customers.get(self._store, pending.customer_id)
        except Unavailable:
            return
        if not customer.webhook_uri or customer.webhook_disabled:
            self._note(pending, "failed", None, 0, "disabled")
            return
        try:
            answer = await self._request(customer, pending, now)
        except Closed:
            return
        except WebError as error:
            self._failed(endpoint, pending, None, error.code, counts=not isinstance(error, Busy))
        else:
            self._answered(endpoint, pending, answer, customer)

    async def _request(self, customer: Customer, pending: Pending, now: int) -> Answer:
        secrets = [customer.webhook_secret]
        headers = signatures(secrets, pending.id, now // SECOND, pending.body)
        headers["Content-Type"] = "application/json"
        headers["User-Agent"] = "messagehub"
        return await self._client.request(
            customer.webhook_method or "POST", customer.webhook_uri, headers, pending.body
        )

    def _answered(self, endpoint: Endpoint, pending: Pending, answer: Answer, customer: Customer) -> None:
        if 200 <= answer.status < 300:
            if endpoint.succeeded():
                log.info("an endpoint answers again", extra=about(customer_id=endpoint.customer_id))
            self._note(pending, "delivered", None, answer.status, "")
        elif answer.status == GONE:
            self._note(pending, "failed", None, answer.status, "gone")
            self._forget_waiting(endpoint)
            self._unwritten.gone.append(customer)
            log.warning("an endpoint said that it is gone, and is disabled", extra=about(customer_id=customer.id))
        else:
            self._failed(endpoint, pending, answer, "status")

    def _failed(
        self, endpoint: Endpoint, pending: Pending, answer: Answer | None, error: str, counts: bool = True
    ) -> None:
        now = clock.now()
        due_at = next_attempt(RETRY_AFTER, pending.attempts + 1, now, random.random())
        if due_at and answer:
            due_at = max(due_at, now + wished_pause(answer, now))
        self._note(pending, "pending" if due_at else "failed", due_at, answer.status if answer else 0, error)
        if counts and endpoint.failed(now):
            self._forget_waiting(endpoint)
            self._unwritten.postponed[endpoint.customer_id] = endpoint.closed_until
            fields = about(customer_id=endpoint.customer_id, error=error, status=answer.status if answer else None)
            pause = (endpoint.closed_until - now) // SECOND
            log.warning("an endpoint fails; nothing is sent to it for %s s", pause, extra=fields)

    def _note(self, pending: Pending, status: str, due_at: int | None, response_status: int, error: str) -> None:
        COUNTS.webhooks[error or status] += 1
        self._unwritten.results.append(
            Result(pending.id, status, pending.attempts + 1, due_at, response_status, error, clock.now())
        )
        self._conclusions.ring()

    # --- writing down how it ended ------------------------------------------------------

    async def _conclude(self) -> None:
        """All that ended since the last commit, in one."""
        while self._unwritten:
            batch, self._unwritten = self._unwritten, Conclusions()
            try:
                await self._store.transaction(partial(_write, batch))
            except Unavailable:
                self._unwritten = batch.before(self._unwritten)
                raise
            if batch.gone:
                self._store.notify(CHANGED)


async def _write(batch: Conclusions, tx: Tx) -> None:
    now = clock.now()
    failed = [result for result in batch.results if result.status != "delivered"]
    await tx.many("event_delivered", [result for result in batch.results if result.status == "delivered"])
    await tx.many("event_failed", failed)
    await tx.many("insert_event_attempt", failed)
    for customer_id, until in batch.postponed.items():
        await tx.run("postpone_events", customer_id=customer_id, until=until)
    for customer in batch.gone:
        why = f"{customer.webhook_uri} answered {GONE} at {clock.plain(now)}"
        await tx.run("disable_webhook", id=customer.id, webhook_uri=customer.webhook_uri, why=why, now=now)
        await tx.run("drop_events", customer_id=customer.id, now=now)


def wished_pause(answer: Answer, now: int) -> int:
    """The Retry-After of an answer in microseconds, a day at most (RFC 9110, section 10.2.3); 0 where there is none."""
    text = answer.headers.get("retry-after", "")
    if text.isdecimal():
        return min(int(text[:9]) * SECOND, DAY)
    try:
        moment = int(parsedate_to_datetime(text).timestamp()) * SECOND
    except (ValueError, OverflowError, TypeError):
        return 0
    return min(max(moment - now, 0), DAY)
