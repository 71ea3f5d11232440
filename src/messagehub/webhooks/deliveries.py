"""Deliveries as their customer sees them: which there were, how each went, and telling them again."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from messagehub import ids
from messagehub.accounts.customers import Customer
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.store import Row, Store, Tx

SEEN_AT_ONCE = 20_000
"""Events that one page looks at where few of them may be wanted; what is further back is another page's."""

REPLAYED_AT_ONCE = 1000
TRIES_SHOWN = 1000
LAST = "~"
"""Behind every type and status."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which deliveries are wanted. Empty members want all; the times are microseconds, `until` not included."""

    type: str = ""
    status: str = ""
    message_id: str = ""
    since: int = 0
    until: int = NEVER

    @property
    def index(self) -> str:
        """The end of the names of the queries that find them: each goes along an index of its own."""
        if self.message_id:
            return "_of_message"
        return "_failed" if self.status == "failed" else ""

    @property
    def is_sparse(self) -> bool:
        """Whether many events of the index may have to be looked at to find one of these."""
        return not self.message_id and bool(self.type or self.status not in ("", "failed"))

    def has(self, row: Row) -> bool:
        is_of_kind = self.type in ("", row.type) and self.status in ("", row.status)
        return is_of_kind and self.since <= row.tm_create < self.until

    def args(self, customer_id: str, before: str) -> dict[str, Any]:
        """What the queries of a page want to know. An id begins with the millisecond of its `tm_create`."""
        return {
            "customer_id": customer_id,
            "message_id": self.message_id,
            "first_type": self.type,
            "last_type": self.type or LAST,
            "first_status": self.status,
            "last_status": self.status or LAST,
            "since": self.since,
            "until": self.until,
            "after": ids.first_of(self.since),
            "before": min(before, self.end),
        }

    @property
    def end(self) -> str:
        """Behind the ids of all that are wanted."""
        return ids.first_of(self.until + 999) if self.until < NEVER else LAST


class Try(Struct, frozen=True):
    attempt: int
    response_status: int
    error: str
    tm_create: int


def is_under_way(row: Row, now: int) -> bool:
    """Whether a node has it in hand at this moment."""
    return row.status == "pending" and bool(row.leased) and row.due_at > now


class Deliveries:
    """`wake` is called when something has become due."""

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store, self._wake = store, wake

    async def page(self, customer_id: str, wanted: Wanted, before: str, count: int) -> tuple[Sequence[Row], str]:
        """The newest whose id is smaller than `before`, at most `count`; and before which id to go on."""
        args, further = wanted.args(customer_id, before), ""
        if wanted.is_sparse:
            further = args["after"] = await self._floor(wanted.index, args)
        rows = await self._store.all(f"deliveries_page{wanted.index}", count=count + 1, **args)
        if len(rows) > count:
            return rows[:count], rows[count - 1].id
        return rows, further if further > ids.first_of(wanted.since) else ""

    async def _floor(self, index: str, args: dict[str, Any]) -> str:
        floor = await self._store.one(f"deliveries_floor{index}", count=SEEN_AT_ONCE, **args)
        assert floor
        lowest: str = floor.id if floor.seen == SEEN_AT_ONCE else args["after"]
        return lowest

    async def one(self, customer_id: str, event_id: str) -> tuple[Row, list[Try]]:
        """A delivery with its body, and how each attempt went, the first one first."""
        row = await self._store.one("delivery_by_id", customer_id=customer_id, id=event_id)
        if row is None:
            raise Refusal("RESOURCE_NOT_FOUND", f"there is no delivery {event_id}")
        kept = await self._store.all("attempts_of_event", id=event_id, count=TRIES_SHOWN)
        tries = [Try(*each) for each in reversed(kept)]
        if row.status == "delivered" and (not tries or tries[-1].attempt < row.attempts):
            tries.append(_success(row))
        return row, tries

    # --- telling again ------------------------------------------------------------------

    async def replay(self, customer: Customer, event_id: str, now: int) -> Row:
        """Makes one due at once, with all its retries before it. Refusal where it is under way."""

        async def unit(tx: Tx) -> Row:
            row = await tx.one("delivery_by_id", customer_id=customer.id, id=event_id)
            if row is None:
                raise Refusal("RESOURCE_NOT_FOUND", f"there is no delivery {event_id}")
            _check_told(customer)
            if is_under_way(row, now) or not await _replay(tx, [row], now):
                raise Refusal("STATE_INVALID", "it is being delivered at this moment; look at it again in a while")
            return await tx.one("delivery_by_id", customer_id=customer.id, id=event_id)

        replayed = await self._store.transaction(unit)
        self._wake()
        return replayed

    async def replay_some(self, customer: Customer, wanted: Wanted, behind: str, now: int) -> tuple[int, str]:
        """Of the next behind an id, oldest first, those that are wanted. How many; and behind which to go on."""
        _check_told(customer)

        async def unit(tx: Tx) -> tuple[int, str]:
            rows = await tx.all(
                f"deliveries_from{wanted.index}",
                customer_id=customer.id,
                message_id=wanted.message_id,
                behind=max(behind, ids.first_of(wanted.since)),
                before=wanted.end,
                count=REPLAYED_AT_ONCE,
            )
            chosen = [row for row in rows if wanted.has(row) and not is_under_way(row, now)]
            return await _replay(tx, chosen, now), rows[-1].id if len(rows) == REPLAYED_AT_ONCE else ""

        replayed = await self._store.transaction(unit)
        self._wake()
        return replayed


def _check_told(customer: Customer) -> None:
    if not customer.webhook_uri or customer.webhook_disabled:
        raise Refusal("STATE_INVALID", "webhook_uri: there is none, or it is disabled; set it by PUT /customer first")


async def _replay(tx: Tx, rows: Sequence[Row], now: int) -> int:
    """How many were changed. A success, which stands on the event alone, is kept among its attempts."""
    await tx.many("insert_event_attempt", [_kept(row) for row in rows if row.status == "delivered"])
    return await tx.change("replay_event", [{**_state(row), "now": now} for row in rows])


def _state(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("customer_id", "id", "status", "attempts", "leased")}


def _success(row: Row) -> Try:
    return Try(row.attempts, row.response_status, "", row.tm_update)


def _kept(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "attempts": row.attempts,
        "response_status": row.response_status,
        "error": "",
        "now": row.tm_update,
    }
