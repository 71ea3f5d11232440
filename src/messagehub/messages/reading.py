"""Reading messages: one, a page of them, a page of the targets of one."""

import heapq
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from messagehub import clock, ids
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.messages import options
from messagehub.messages.rows import SHOWN, message_shape, target_shape
from messagehub.published import Published
from messagehub.shapes import Message, Target
from messagehub.store import Row, Store, Tx

LAST_ID = "g"
"""Behind every id."""


class Filter(Struct, frozen=True, kw_only=True):
    """Which messages are wanted. Empty members want all; the times are microseconds, `until` not included."""

    direction: str = ""
    source: str = ""
    destination: str = ""
    since: int = 0
    until: int = NEVER


# Which query finds a page, by whether a source and a destination are given: each reads along an index of its own.
PAGE_QUERIES = {
    (False, False): "messages_page",
    (True, False): "messages_page_by_source",
    (False, True): "messages_page_by_destination",
    (True, True): "messages_page_by_source_and_destination",
}


class Reader:
    def __init__(self, store: Store, published: Published) -> None:
        self._store, self._published = store, published

    async def one(self, customer_id: str, message_id: str) -> Message:
        return await self.message(self._store, customer_id, message_id)

    async def message(self, tx: Tx, customer_id: str, message_id: str) -> Message:
        """Refusal when there is none, or it is another customer's, or it was deleted."""
        row = await self.row(tx, customer_id, message_id)
        return self.shape(row, await tx.all("targets_of_message", message_id=message_id, first=0, end=SHOWN))

    async def row(self, tx: Tx, customer_id: str, message_id: str) -> Row:
        row = await tx.one("message_by_id", id=message_id, customer_id=customer_id)
        if row is None:
            raise Refusal("MESSAGE_NOT_FOUND", f"there is no message {message_id}")
        return row

    def shape(self, row: Row, targets: Sequence[Any]) -> Message:
        shape = message_shape(row, targets, clock.plain)
        if shape.medias:
            options.renew(shape.medias, row, self._published, clock.now())
        return shape

    async def page(self, customer_id: str, wanted: Filter, before: str, count: int) -> list[Message]:
        """The newest `count` messages whose id is smaller than `before` (LAST_ID for the first page)."""
        rows = await self._rows(customer_id, wanted, before, count)
        keys = [{"message_id": row.id, "first": 0, "end": SHOWN} for row in rows]
        targets: dict[str, list[Row]] = {row.id: [] for row in rows}
        for target in await self._store.many("targets_of_message", keys):
            targets[target.message_id].append(target)
        return [self.shape(row, sorted(targets[row.id], key=lambda target: target.n)) for row in rows]

    async def _rows(self, customer_id: str, wanted: Filter, before: str, count: int) -> list[Row]:
        """Each direction is read along its index, newest first, and the two are merged."""
        query = PAGE_QUERIES[bool(wanted.source), bool(wanted.destination)]
        args = {
            "customer_id": customer_id,
            "source": wanted.source,
            "destination": wanted.destination,
            "before": min(before, ids.first_of(wanted.until)) if wanted.until < NEVER else before,
            "after": ids.first_of(wanted.since),
            "count": count,
        }
        if wanted.destination and not wanted.direction:
            return await self._store.all(f"{query}_both_ways", **args)
        directions = [wanted.direction] if wanted.direction else ["outbound", "inbound"]
        pages = [await self._store.all(query, direction=direction, **args) for direction in directions]
        return list(heapq.merge(*pages, key=lambda row: row.id, reverse=True))[:count]

    async def targets(self, customer_id: str, message_id: str, first: int, count: int) -> list[Target]:
        """Targets of a message by their number, from `first` on."""
        await self.row(self._store, customer_id, message_id)
        rows = await self._store.all("targets_of_message", message_id=message_id, first=first, end=first + count)
        return [target_shape(row, clock.plain) for row in rows]
