"""What time alone makes due: receipts that never come, receipts that came too early, parts that are missing,
and what a node held that died, and what waits for a carrier that is gone."""

import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, NamedTuple

from messagehub import clock
from messagehub.carriers.carrier import Receipt, TargetKey
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Unavailable
from messagehub.logs import about
from messagehub.messages import inquiries, options, outcomes, receipts, repeats, timing
from messagehub.messages.habits import Habit
from messagehub.messages.lanes import LANES
from messagehub.messages.ledger import Ledger
from messagehub.messages.letting import MEDIA
from messagehub.messages.receipts import Match
from messagehub.messages.recorder import ROUTED
from messagehub.messages.rows import kind_of
from messagehub.messages.settling import Means
from messagehub.messages.status import Happening, Status
from messagehub.messages.target import Target, due_topic
from messagehub.messages.telling import Told
from messagehub.routing import Table
from messagehub.smpp.receipt_ids import Rule
from messagehub.store import Row, Store, Tx
from messagehub.work.loop import Loop
from messagehub.work.node import always, store_clock
from messagehub.work.setback import Forward

log = logging.getLogger(__name__)

EVERY_S = 1.0
BATCH = 500
FORGOTTEN = 5000
"""Rows without a use that one sweep removes: more than come in a second."""

ASIDE_S = 5.0
"""How long a sweep that has failed is passed over."""

STRAY = 30 * SECOND
"""How long ago a target was handed over that this node may have lost sight of."""

PARTS_WAIT = 30 * 60 * SECOND
"""How long the parts of an inbound message are waited for."""

SET_BACK = (Forward("targets_set_back", "bring_target_forward"), Forward("parked_set_back", "bring_parked_forward"))


class Place(NamedTuple):
    """Of a target among those that wait for one carrier."""

    lane: int = LANES[0]
    due_at: int = 0
    message_id: str = ""
    n: int = 0


class Sweeper:
    def __init__(
        self,
        store: Store,
        means: Means,
        knows: Callable[[str, TargetKey], bool],
        duty: Callable[[], Awaitable[bool]] = always,
    ) -> None:
        """`duty`: whether it is this node that sweeps for all."""
        self._store, self._knows, self._duty, self._node_id = store, knows, duty, means.node_id
        self._customers, self._routes, self._receiver = means.customers, means.routes, means.receiver
        self._outbox, self._recorder, self._habits = means.outbox, means.recorder, means.habits
        self._live, self._linking = means.live, means.linking
        self._loop = Loop("sweeps", self.sweep, EVERY_S)
        self._aside: dict[str, float] = {}
        """Until when those that have failed are passed over, by their names."""
        self._waiting: set[tuple[str, int]] = set()
        self._rescued = 0
        self._learnt: dict[str, Rule] = {}
        self._looked_at: dict[str, Place] = {}
        """Up to where those that wait for a carrier that is down were looked at."""
        self._places: dict[str, Place] = {}
        """Likewise, once it is committed."""

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def sweep(self) -> None:
        await self._safely("strays", self._find_strays)
        if await self._duty():
            for unit in SWEEPS:
                await self._safely(unit.__name__.strip("_"), partial(self._sweep_for_all, unit))
        waiting, self._waiting = self._waiting, set()
        for carrier_id, lane in waiting:
            self._store.notify(due_topic(carrier_id, lane))

    async def _safely(self, name: str, do: Callable[[], Awaitable[None]]) -> None:
        """What is wrong with a row that one sweep finds, and not with the store, keeps back none of the others."""
        if time.monotonic() < self._aside.get(name, 0.0):
            return
        try:
            await do()
        except Unavailable:
            raise
        except Exception:
            self._aside[name] = time.monotonic() + ASIDE_S
            log.exception("a sweep failed", extra=about(sweep=name))
        else:
            self._aside.pop(name, None)

    async def _sweep_for_all(self, unit: Callable[["Sweeper", Tx], Coroutine[Any, Any, Told]]) -> None:
        self._rescued, self._learnt, self._places = 0, {}, self._looked_at  # one that has failed may have left its own
        (await self._store.transaction(partial(unit, self))).make_known(self._outbox)
        self._looked_at = self._places
        if self._rescued:
            log.warning("a process is gone; what it had handed over is in doubt", extra=about(targets=self._rescued))
        for carrier_id, rule in self._learnt.items():
            self._habits.make_known(carrier_id, rule)

    async def _rescue(self, tx: Tx) -> Told:
        """What a node held that lives no more is in doubt."""
        now = await store_clock(tx)
        rows = await tx.all("targets_of_dead_nodes", own=self._node_id, now=now, count=BATCH)
        self._rescued = len(rows)
        holders = {(row.message_id, row.n): row.holder for row in rows}
        return await self._each(tx, rows, partial(self._doubt, holders))

    async def _find_strays(self) -> None:
        """What this node has handed over and knows nothing of: the answer of a commit was lost, or a turn was ended."""
        before = clock.now() - STRAY
        rows = await self._store.all("targets_handed_long_ago", own=self._node_id, tm_before=before, count=BATCH)
        if strays := [row for row in rows if not self._knows(row.carrier_id, (row.message_id, row.n))]:
            log.warning("what was handed over was lost sight of, and is in doubt", extra=about(targets=len(strays)))
            doubt = partial(self._doubt, {(row.message_id, row.n): self._node_id for row in strays})
            told = await self._store.transaction(lambda tx: self._each(tx, strays, doubt))
            told.make_known(self._outbox)

    def _doubt(self, holders: dict[TargetKey, str], ledger: Ledger, target: Target) -> None:
        # Now that the row is ours: it may have been answered, or rescued and handed over again, since it was found.
        if target.status is Status.HANDED and target.holder == holders[target.message_id, target.n]:
            outcomes.lost(ledger, target)
            self._waiting.add((target.carrier_id, target.lane))

    async def _without_receipt(self, tx: Tx) -> Told:
        now = clock.now()
        asked = {"overdue": now - inquiries.ASKED_WITHIN, "now": now, "count": BATCH}
        carriers = await tx.all("every_carrier")
        of_lanes = [{"carrier_id": carrier.id, "lane": lane, **asked} for carrier in carriers for lane in LANES]
        return await self._each(tx, await tx.many("targets_without_receipt", of_lanes), receipts.give_up)

    async def _replan(self, tx: Tx) -> Told:
        """What waits for a carrier that is down, disabled or gone goes to another, where a route leads to one."""
        table = await self._routes.table(tx)
        told = Told()
        self._places = {}
        for carrier in await tx.all("every_carrier"):
            gone = carrier.tm_delete != NEVER
            if gone or carrier.disabled or carrier.id in table.down:
                rows = await self._next_queued(tx, carrier.id, self._looked_at.get(carrier.id, Place()))
                told.add(await self._each(tx, rows, partial(self._plan_anew, table, gone)))
        return told

    async def _next_queued(self, tx: Tx, carrier_id: str, place: Place) -> list[Row]:
        """The most urgent first, but each time those behind the last: these may have nowhere else to go."""
        found: list[Row] = []
        for lane in LANES[LANES.index(place.lane) :]:
            if lane != place.lane:
                place = Place(lane)
            count = BATCH - len(found)
            rows = await tx.all("targets_queued_for", carrier_id=carrier_id, **place._asdict(), count=count)
            found += rows
            if len(rows) == count:
                self._places[carrier_id] = Place(lane, rows[-1].due_at, rows[-1].message_id, rows[-1].n)
                break
        return found

    def _plan_anew(self, table: Table, gone: bool, ledger: Ledger, target: Target) -> None:
        if target.status is not Status.QUEUED or target.error_code == MEDIA:
            return
        if route := table.of(kind_of(target)).first(target.destination, target.customer_id, random.random):
            if route.carrier_id != target.carrier_id:
                target.carrier_id = route.carrier_id
                target.steps.append((ledger.now, ROUTED, route.carrier_id))
                ledger.touch(target)
                self._waiting.add((route.carrier_id, target.lane))
        elif gone and self._linking.fall_back(ledger, target, table):
            self._waiting.add((target.carrier_id, target.lane))
        elif gone:
            ledger.happen(target, Happening.REFUSE, error_code="no_route")

    async def _expired(self, tx: Tx) -> Told:
        """What waits though its validity is over: its carrier has not claimed it."""
        now = clock.now()
        expiring = await tx.all("expiries_due", now=now, count=BATCH)
        found = await tx.many("expiring_message", [{"message_id": row.message_id} for row in expiring])
        sums = itertools.accumulate(row.target_count for row in found)
        due = [row for row, targets in zip(found, sums, strict=True) if row is found[0] or targets <= BATCH]
        rows = await tx.many("targets_to_cancel", [{"message_id": row.id} for row in due])
        told = await self._each(tx, rows, _expire)
        removed = {row.message_id for row in expiring} - {row.id for row in found}
        again = {**dict.fromkeys(removed), **{row.id: _look_again(row, now) for row in due}}
        await tx.many("put_off_expiry", [{"message_id": id, "due_at": at} for id, at in again.items() if at])
        await tx.many("remove_expiry", [{"message_id": id} for id, at in again.items() if not at])
        if len(found) > len(due):
            self._loop.ring()
        return told

    async def _each(self, tx: Tx, rows: Sequence[Row], do: Callable[[Ledger, Target], None]) -> Told:
        if not rows:
            return Told()
        ledger = Ledger(tx, self._customers, self._outbox, self._recorder, self._live, clock.now())
        keys: list[TargetKey] = [(row.message_id, row.n) for row in rows]
        await ledger.load(keys)
        for key in keys:
            if target := ledger.get(key):
                do(ledger, target)
        if ledger.has_changes and len(rows) >= BATCH:
            self._loop.ring()  # there may be more of them
        return await ledger.write()

    async def _parked(self, tx: Tx) -> Told:
        told = Told()
        now, self._learnt = clock.now(), {}
        for carrier_id, parked in (await receipts.due(tx, now, BATCH)).items():
            habit = await self._habits.of(tx, carrier_id)
            matches = await self._match(tx, carrier_id, [one.receipt for one in parked], habit, now)
            ledger = Ledger(tx, self._customers, self._outbox, self._recorder, self._live, now)
            await ledger.load([match.key for match in matches])
            receipts.apply(ledger, matches, habit)
            told.add(await ledger.write())
            known = {id(match.receipt) for match in matches}
            await receipts.swept(
                tx,
                [one for one in parked if id(one.receipt) in known],
                [one for one in parked if id(one.receipt) not in known],
            )
        await tx.many("unpark", await tx.all("old_parked", tm_before=now - receipts.KEPT, count=FORGOTTEN))
        return told

    async def _match(self, tx: Tx, carrier_id: str, parked: Sequence[Receipt], habit: Habit, now: int) -> list[Match]:
        """Those that match, maybe since it becomes clear here what the carrier makes of its ids."""
        matches, others = await receipts.match(tx, self._live, carrier_id, parked, habit.rule)
        if others and habit.is_auto:
            witnesses = await receipts.witnesses_among_parked(tx, carrier_id)
            if rule := await self._habits.learn(tx, carrier_id, witnesses, now):
                self._learnt[carrier_id] = rule
                matches, _ = await receipts.match(tx, self._live, carrier_id, parked, rule)
        return matches

    async def _stale_parts(self, tx: Tx) -> Told:
        now = clock.now()
        seen = await tx.all("old_inbound_seen", tm_before=now - repeats.REMEMBERED, count=FORGOTTEN)
        await tx.many("remove_inbound_seen", seen)
        return await self._receiver.give_up_waiting(tx, now - PARTS_WAIT, now, BATCH)


SWEEPS = (
    Sweeper._rescue,
    Sweeper._parked,
    Sweeper._without_receipt,
    Sweeper._expired,
    Sweeper._replan,
    Sweeper._stale_parts,
)


def _expire(ledger: Ledger, target: Target) -> None:
    if timing.expiry_of(target) <= ledger.now:
        ledger.happen(target, Happening.EXPIRE, error_code="expired", error_message=timing.TOO_LATE)


def _look_again(row: Row, now: int) -> int | None:
    return timing.next_expiry(options.read(row.options), row.target_count, row.tm_create, now)
