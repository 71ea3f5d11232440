"""What is too old is removed, for good and in small pieces, by one node for all.

A message goes with all that belongs to it in one transaction, once nothing of it is to be done: a target that waits, or
an event that is still to be told, keeps it. Names of segments have no index by their message, for which every message
would pay: they are walked from end to end, some in each run, and go when their target has gone or is at rest for long.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct

from messagehub import clock, ids
from messagehub.clock import SECOND
from messagehub.errors import Unavailable
from messagehub.logs import about
from messagehub.messages.once import KEPT_FOR
from messagehub.metrics import COUNTS
from messagehub.store import Row, Store, Tx, Unit
from messagehub.work.loop import Loop
from messagehub.work.node import always

log = logging.getLogger(__name__)

DAY = 24 * 3600 * SECOND
EVERY_S = 60.0
BATCH = 100
"""Rows, of each table, in one transaction: others wait for the writer no longer than for a commit of their own."""

REST, MOST_REST_S = 4, 0.25
"""How many times as long as a batch took the next one is waited for, and how long at most: where everybody waits long
for the writer, what is too old is to become less all the same."""

SEGMENTS_KEPT = 30 * DAY
"""How long after its end a target can still be found by the carrier's name for it."""

WALKED = 2000
MOST_WALKED = 200_000
"""Names of segments that are looked at in one step, and in one run."""

FIRST = {"carrier_id": "", "carrier_message_id": "", "message_id": "", "n": 0, "part": 0}


class Policy(Struct, frozen=True):
    """For how many days things are kept; 0 is for ever."""

    messages: float
    events: float
    traces: float


class Revived(Exception):
    """Something of a message is to be done again since it was looked at."""


class Retention:
    def __init__(
        self,
        store: Store,
        policy: Policy,
        duty: Callable[[], Awaitable[bool]] = always,
        now: Callable[[], int] = clock.now,
    ) -> None:
        """`duty`: whether it is this node that removes for all."""
        self._store, self._policy, self._duty, self._now = store, policy, duty, now
        self._loop = Loop("retention", self.turn, EVERY_S)
        self._walked_to: dict[str, Any] = FIRST

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def turn(self) -> None:
        if await self._duty():
            await self.run()

    async def run(self) -> Counter[str]:
        """Removes all that is too old; how many rows of each table."""
        begun, before = time.monotonic(), Counter(COUNTS.removed)
        for days, remove in (
            (self._policy.traces, self._traces),
            (self._policy.messages, self._messages),
            (self._policy.messages, self._conversations),
            (self._policy.events, self._events),
            (self._policy.events, self._activeflows),
        ):
            if days:
                await _safely(remove, ids.first_of(self._now() - int(days * DAY)))
        await _safely(self._segments, self._now() - SEGMENTS_KEPT)
        await _safely(self._keys, self._now() - KEPT_FOR)
        await _safely(self._notices)
        removed = COUNTS.removed - before
        if removed:
            seconds = round(time.monotonic() - begun, 1)
            log.info("what was too old is removed", extra=about(**removed, seconds=seconds))
        return removed

    async def _in_pieces(self, piece: Callable[[], Awaitable[bool]]) -> None:
        """Repeats `piece` until it says that there is no more, and rests in between."""
        while True:
            begun = time.monotonic()
            if not await piece():
                return
            await asyncio.sleep(min(REST * (time.monotonic() - begun), MOST_REST_S))

    async def _commit(self, unit: Unit[Counter[str]]) -> None:
        COUNTS.removed.update(await self._store.transaction(unit))

    # --- traces -------------------------------------------------------------------------

    async def _traces(self, before: str) -> None:
        behind = ""

        async def piece() -> bool:
            nonlocal behind
            if rows := await self._store.all("old_traces", behind=behind, before=before, count=BATCH):
                behind = rows[-1].id
                await self._commit(partial(_removed_traces, rows))
            return len(rows) == BATCH

        await self._in_pieces(piece)

    # --- messages -----------------------------------------------------------------------

    async def _messages(self, before: str) -> None:
        behind = ""

        async def piece() -> bool:
            nonlocal behind
            found = await self._store.all("old_messages", behind=behind, before=before, count=BATCH)
            if found:
                rows = _some(found)
                behind = rows[-1].id
                await self._remove_messages(rows, ids.moment_of(before))
            return bool(found)

        await self._in_pieces(piece)

    async def _remove_messages(self, rows: Sequence[Row], since: int) -> None:
        try:
            await self._commit(partial(_removed, rows, since))
        except Revived:
            for row in rows if len(rows) > 1 else ():
                await self._remove_messages([row], since)

    # --- events -------------------------------------------------------------------------

    async def _events(self, before: str) -> None:
        await self._of_customers("next_customer_with_events", self._events_of, before)

    async def _of_customers(
        self, next_customer: str, remove: Callable[[str, str], Awaitable[None]], before: str
    ) -> None:
        customer_id = ""
        while True:
            row = await self._store.one(next_customer, behind=customer_id)
            if row is None or row.customer_id is None:
                return
            customer_id = row.customer_id
            await remove(customer_id, before)

    async def _events_of(self, customer_id: str, before: str) -> None:
        behind = ""

        async def piece() -> bool:
            nonlocal behind
            span = {"customer_id": customer_id, "behind": behind, "before": before, "count": BATCH}
            if rows := await self._store.all("old_events", **span):
                behind = rows[-1].id
                await self._commit(partial(_removed_events, rows))
            return len(rows) == BATCH

        await self._in_pieces(piece)

    # --- flows that ran -----------------------------------------------------------------

    async def _activeflows(self, before: str) -> None:
        behind = ""

        async def piece() -> bool:
            nonlocal behind
            if rows := await self._store.all("old_activeflows", behind=behind, before=before, count=BATCH):
                behind = rows[-1].id
                await self._commit(partial(_removed_activeflows, rows))
            return len(rows) == BATCH

        await self._in_pieces(piece)

    # --- conversations ------------------------------------------------------------------

    async def _conversations(self, before: str) -> None:
        """A thread goes with its last message."""
        await self._of_customers("next_customer_with_conversations", self._conversations_of, before)

    async def _conversations_of(self, customer_id: str, before: str) -> None:
        behind = ""

        async def piece() -> bool:
            nonlocal behind
            span = {"customer_id": customer_id, "behind": behind, "before": before, "count": BATCH}
            if rows := await self._store.all("old_conversations", **span):
                behind = rows[-1].last_id
                await self._commit(partial(_removed_conversations, rows))
            return len(rows) == BATCH

        await self._in_pieces(piece)

    # --- idempotency keys ---------------------------------------------------------------

    async def _keys(self, before: int) -> None:
        async def piece() -> bool:
            if rows := await self._store.all("old_idempotency_keys", tm_before=before, count=BATCH):
                await self._commit(partial(_removed_keys, rows))
            return len(rows) == BATCH

        await self._in_pieces(piece)

    # --- notices ------------------------------------------------------------------------

    async def _notices(self) -> None:
        """What people may be told again."""

        async def piece() -> bool:
            rows = await self._store.all("old_notices", now=self._now(), count=BATCH)
            if rows:
                await self._commit(partial(_removed_notices, rows))
            return len(rows) == BATCH

        await self._in_pieces(piece)

    # --- segments -----------------------------------------------------------------------

    async def _segments(self, before: int) -> None:
        walked = 0

        async def piece() -> bool:
            nonlocal walked
            rows = await self._store.all("segments_behind", **self._walked_to, count=WALKED)
            self._walked_to = rows[-1]._asdict() if len(rows) == WALKED else FIRST
            walked += len(rows)
            spent = await self._spent(rows, before)
            for at in range(0, len(spent), BATCH):
                await self._commit(partial(_removed_segments, spent[at : at + BATCH]))
            return len(rows) == WALKED and walked < MOST_WALKED

        await self._in_pieces(piece)

    async def _spent(self, rows: Sequence[Row], before: int) -> list[Row]:
        """Those whose target is gone, or came to its rest before that moment. Young messages need no look."""
        young = ids.first_of(self._now() - self._youngest())
        old = [row for row in rows if row.message_id < young]
        keys = {(row.message_id, row.n): {"message_id": row.message_id, "n": row.n} for row in old}
        targets = await self._store.many("target_at_rest_since", list(keys.values()))
        kept = {(row.message_id, row.n) for row in targets if row.due_at is not None or row.tm_update >= before}
        return [row for row in old if (row.message_id, row.n) not in kept]

    def _youngest(self) -> int:
        """The age before which no segment goes."""
        return min(SEGMENTS_KEPT, int(self._policy.messages * DAY) or SEGMENTS_KEPT)


async def _safely(remove: Callable[..., Awaitable[None]], *before: str | int) -> None:
    """What is wrong with a row of one kind, and not with the store, does not keep those of the others for ever."""
    try:
        await remove(*before)
    except Unavailable:
        raise
    except Exception:
        log.exception("what is too old cannot be removed", extra=about(rows=remove.__name__.strip("_")))


def _some(rows: Sequence[Row]) -> Sequence[Row]:
    """As many of the first messages as have BATCH targets; one at least."""
    targets, count = 0, 0
    while count < len(rows) and targets < BATCH:
        targets += rows[count].target_count
        count += 1
    return rows[:count]


async def _removed(rows: Sequence[Row], since: int, tx: Tx) -> Counter[str]:
    """The messages to which nothing has happened `since`, and of which nothing is to be done, with all that is theirs.

    Revived, with nothing removed.
    """
    asked = [{"id": row.id, "since": since} for row in rows]
    waiting = {row.message_id for row in await tx.many("unsettled_target_of", asked)}
    events = await tx.many("events_of_message", rows)
    waiting |= {event.message_id for event in events if event.due_at is not None}
    done = [row for row in rows if row.id not in waiting]
    owners = {row.id: row.customer_id for row in done}
    told = [{"customer_id": owners[one.message_id], "id": one.id} for one in events if one.message_id in owners]
    removed = Counter(targets=await tx.change("remove_targets_of", done))
    if removed["targets"] != sum(row.target_count for row in done):
        raise Revived
    removed["messages"] = await tx.change("remove_message", done)
    removed["traces"] = await tx.change("remove_traces_of", done)
    removed += await _removed_events(told, tx)
    if removed["events"] != len(told):
        raise Revived
    return removed


async def _removed_events(rows: Sequence[Any], tx: Tx) -> Counter[str]:
    """Those that wait for nothing, with their bodies and attempts."""
    gone = await tx.many("remove_event", rows)
    await tx.many("remove_event_body", gone)
    await tx.many("remove_event_attempts", gone)
    return Counter(events=len(gone))


async def _removed_traces(rows: Sequence[Row], tx: Tx) -> Counter[str]:
    return Counter(traces=await tx.change("remove_trace", rows))


async def _removed_conversations(rows: Sequence[Row], tx: Tx) -> Counter[str]:
    return Counter(conversations=await tx.change("remove_conversation", rows))


async def _removed_keys(rows: Sequence[Row], tx: Tx) -> Counter[str]:
    return Counter(idempotency_keys=await tx.change("remove_idempotency_key", rows))


async def _removed_notices(rows: Sequence[Row], tx: Tx) -> Counter[str]:
    return Counter(notices=await tx.change("remove_notice", rows))


async def _removed_activeflows(rows: Sequence[Row], tx: Tx) -> Counter[str]:
    return Counter(activeflows=await tx.change("remove_activeflow", rows))


async def _removed_segments(rows: Sequence[Row], tx: Tx) -> Counter[str]:
    return Counter(segments=await tx.change("remove_segment", rows))
