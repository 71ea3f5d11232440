"""What became of attempts, written down in batches: of each event, and of the endpoints as such."""

import logging
from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from messagehub import clock
from messagehub.accounts.customers import Customer
from messagehub.logs import about
from messagehub.store import Store, Tx
from messagehub.webhooks.attempt import GONE
from messagehub.webhooks.endpoint import Pending

log = logging.getLogger(__name__)

DROPPED_AT_ONCE = 1000


class Result(Struct, gc=False):
    """How an attempt ended. `due_at`: when the next is made; None when this was the last."""

    customer_id: str
    id: str
    status: str
    attempts: int
    due_at: int | None
    response_status: int
    error: str
    now: int
    tried: bool = True
    """Whether anything was sent at all."""
    lease: int = 0
    """By which it was this node's."""


class Failure(Struct, frozen=True):
    """The breaker of an endpoint has opened, for the first time or after one probe more."""

    customer: Customer
    error: str
    now: int
    is_first: bool


class Conclusions(Struct):
    """What is still to be written down. All but `results` is rare."""

    results: list[Result] = field(default_factory=list)
    released: list[Pending] = field(default_factory=list)
    """Leased, and not tried."""
    failing: dict[str, Failure] = field(default_factory=dict)
    recovered: dict[str, Customer] = field(default_factory=dict)
    """Whose endpoint answers again. Of some that may be known already: a claim may read of what has just ended."""
    gone: dict[str, Customer] = field(default_factory=dict)
    """Customers whose endpoint says that it is gone for good."""
    mended: list[str] = field(default_factory=list)
    """Those of `recovered` that were failing until this was written."""
    disabled: list[str] = field(default_factory=list)
    """Those of `gone` that have no other address since."""

    def __bool__(self) -> bool:
        return bool(self.results or self.released or self.failing or self.recovered or self.gone)

    def before(self, later: "Conclusions") -> "Conclusions":
        return Conclusions(
            self.results + later.results,
            self.released + later.released,
            self.failing | later.failing,
            {id: found for id, found in self.recovered.items() if id not in later.failing} | later.recovered,
            self.gone | later.gone,
        )

    @classmethod
    def of(cls, pieces: Iterable["Conclusions"]) -> "Conclusions":
        """Those of one, together again."""
        whole = cls()
        for piece in pieces:
            whole.results += piece.results
            whole.released += piece.released
            whole.failing |= piece.failing
            whole.recovered |= piece.recovered
            whole.gone |= piece.gone
        return whole

    def pieces(self) -> Iterator["Conclusions"]:
        """Each thing by itself."""
        yield from (Conclusions([result]) for result in self.results)
        yield from (Conclusions(released=[pending]) for pending in self.released)
        yield from (Conclusions(failing={id: failure}) for id, failure in self.failing.items())
        yield from (Conclusions(recovered={id: customer}) for id, customer in self.recovered.items())
        yield from (Conclusions(gone={id: customer}) for id, customer in self.gone.items())

    def about(self) -> dict[str, object]:
        """Of what it tells, for the log."""
        events = [result.id for result in self.results] + [pending.id for pending in self.released]
        return about(event_id=",".join(events), customer_id=",".join({**self.failing, **self.recovered, **self.gone}))

    @property
    def changes_customers(self) -> bool:
        return bool(self.recovered or self.gone or any(failure.is_first for failure in self.failing.values()))

    async def write(self, tx: Tx) -> None:
        now = clock.now()
        failed = [result for result in self.results if result.status != "delivered"]
        await tx.many("event_delivered", [result for result in self.results if result.status == "delivered"])
        await tx.many("event_failed", failed)
        await tx.many("insert_event_attempt", [result for result in failed if result.tried])
        await tx.many("release_event", [_release(pending, now) for pending in self.released])
        await tx.many("webhook_fails", [_failure(failure) for failure in self.failing.values()])
        self.mended = [
            customer.id
            for customer in self.recovered.values()
            if await tx.change("webhook_recovered", [_at(customer, now)])
        ]
        self.disabled = [
            customer.id
            for customer in self.gone.values()
            if await tx.change("disable_webhook", [_disabling(customer, now)])
        ]

    def log(self) -> None:
        for failure in self.failing.values():
            if failure.is_first:
                log.warning("an endpoint fails", extra=about(customer_id=failure.customer.id, error=failure.error))
        for customer_id in self.mended:
            log.info("an endpoint answers again", extra=about(customer_id=customer_id))
        for customer_id in self.disabled:
            log.warning("an endpoint said that it is gone, and is disabled", extra=about(customer_id=customer_id))


def _release(pending: Pending, now: int) -> dict[str, object]:
    due = {"tm_create": min(pending.tm_create, now), "lease": pending.lease}
    return {"customer_id": pending.customer_id, "id": pending.id, **due}


def _at(customer: Customer, now: int) -> dict[str, object]:
    return {"id": customer.id, "webhook_uri": customer.webhook_uri, "now": now}


def _failure(failure: Failure) -> dict[str, object]:
    return {**_at(failure.customer, failure.now), "error": failure.error}


def _disabling(customer: Customer, now: int) -> dict[str, object]:
    why = f"{customer.webhook_uri} answered {GONE} at {clock.plain(now)}"
    return {**_at(customer, now), "tm_seen": customer.tm_update, "why": why}


async def drop_waiting(store: Store, customer_id: str) -> None:
    """All that waits for an endpoint that is gone, in pieces, so that nobody waits long for the writer."""
    dropped = DROPPED_AT_ONCE
    while dropped == DROPPED_AT_ONCE:
        dropped = await store.transaction(lambda tx: _drop_some(tx, customer_id))


async def _drop_some(tx: Tx, customer_id: str) -> int:
    rows = await tx.all("events_to_drop", customer_id=customer_id, count=DROPPED_AT_ONCE)
    now = clock.now()
    await tx.many("drop_event", [{**row._asdict(), "now": now} for row in rows])
    return len(rows)
