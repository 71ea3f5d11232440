"""Limits where they bind: when targets are claimed, and when messages are accepted.

A claim counts what it takes in the transaction that hands it over, so no crash forgets it and no two nodes take the
same room. What may not go is put to its slot (meters.py). A message that is being accepted is not counted: what is
limited is stored as queued, and the claim that follows decides. What is not limited pays nothing for any of this.
"""

import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

from messagehub import clock
from messagehub.carriers.carrier import TargetKey
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Refusal
from messagehub.messages import options
from messagehub.messages.gate import Stop
from messagehub.messages.lanes import LANES
from messagehub.messages.limits import SENDING, Limit, Limits, Table
from messagehub.messages.meters import DAILY_LIMIT, RATE_LIMITED, Meter
from messagehub.messages.status import Status
from messagehub.messages.target import Target, due_topic
from messagehub.store import Row, Store, Tx
from messagehub.work.loop import Loop
from messagehub.work.node import always

LOOK_S = 5.0
GAP = 3 * SECOND
"""Where nobody asks for so long though slots are given, those who had the next ones are gone: canceled, perhaps."""

NEARLY = 20
"""Segments that are left of a day and may be too few for whoever is the first to wait."""

BATCH = 500
CODES = (RATE_LIMITED, DAILY_LIMIT)

Limited = list[tuple[Target, list[Limit]]]


class Metering:
    def __init__(self, store: Store, limits: Limits, duty: Callable[[], Awaitable[bool]] = always) -> None:
        """`duty`: whether it is this node that looks after slots that nobody uses."""
        self._store, self._limits, self._duty = store, limits, duty
        self._loop = Loop("limits", self.look, LOOK_S)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    # --- sending ------------------------------------------------------------------------

    async def is_on(self, tx: Tx) -> bool:
        """Whether there are limits for sending at all."""
        return (await self._limits.table(tx)).limits_sending

    async def take(self, tx: Tx, targets: Sequence[Target], now: int) -> dict[TargetKey, Stop]:
        """Counts those that may go, in their order; and gives slots to those that may not."""
        return await self._judge(tx, targets, now, takes=True)

    async def put_off(self, tx: Tx, targets: Sequence[Target], now: int) -> dict[TargetKey, Stop]:
        """Gives slots to those that may not go, and leaves the others as they are."""
        return await self._judge(tx, targets, now, takes=False)

    async def _judge(self, tx: Tx, targets: Sequence[Target], now: int, takes: bool) -> dict[TargetKey, Stop]:
        if not (limited := _limited(await self._limits.table(tx), targets)):
            return {}
        meters = await _meters(tx, (limit for _, limits in limited for limit in limits), now)
        stops = {}
        for target, limits in limited:
            if stop := _stop(target, limits, meters, now):
                stops[target.message_id, target.n] = stop
            elif takes:
                for limit in limits:
                    if meter := meters.get(limit.id):
                        meter.take(limit.rule, target.parts, now, target.lane)
        await tx.many("keep_limit_use", list(meters.values()))
        return stops

    # --- accepting ----------------------------------------------------------------------

    async def asked(self, tx: Tx, customer_id: str, targets: Sequence[Target]) -> tuple[Limited, list[Limit]]:
        """Those of a message's targets that are counted when they go, and the limits in which it is itself counted."""
        table = await self._limits.table(tx)
        limits = table.accepting_of(customer_id, {one.source for one in targets}) if table.accepting else []
        return _limited(table, targets), limits

    async def accept(self, tx: Tx, limits: Sequence[Limit], targets: Sequence[Target], now: int) -> None:
        """Counts a message. Refusal where that is too much: then nothing is counted."""
        meters, counted = await _meters(tx, limits, now), _counted(limits, targets)
        for limit, segments in counted:
            if (meter := meters.get(limit.id)) and (why := meter.why_not(limit.rule, segments, now)):
                raise _too_many(limit, meter, why, now)
        for limit, segments in counted:
            if meter := meters.get(limit.id):
                meter.take(limit.rule, segments, now)
        await tx.many("keep_limit_use", list(meters.values()))

    # --- slots that nobody uses ---------------------------------------------------------

    async def look(self) -> None:
        await self.move_up(clock.now())

    async def move_up(self, now: int) -> None:
        """Where slots are free since those who had them are gone, those who wait behind them ask again at once."""
        table = await self._limits.table(self._store)
        if not (table.limits_sending and await self._duty()):
            return
        given = [
            (limit, lane, until)
            for row in await self._store.all("limits_with_slots", now=now)
            if (limit := table.by_id.get(row.limit_id))
            for lane, until in _lanes_to_ask(limit, Meter(*row), now)
        ]
        asked = [
            {"lane": lane, "tm_after": now, "tm_until": until, "count": 1, **_held_by(limit, code)}
            for limit, lane, until in given
            for code in CODES
        ]
        used = {(row.error_message, row.lane) for row in await self._store.many("targets_held_by", asked)}
        for limit, lane, _ in given:
            if used.isdisjoint((limit.says(code), lane) for code in CODES):
                await self._bring_lane_forward(limit, lane)

    async def _bring_lane_forward(self, limit: Limit, lane: int) -> None:
        """Those that wait for this limit; who waits for another keeps the slot that it has there."""
        await self._store.transaction(partial(_forget_slots, limit, [lane]))
        carriers = set[str]()
        for code in CODES:
            carriers |= await self._bring("targets_held_by", lane=lane, tm_until=NEVER, **_held_by(limit, code))
        self._ring(carriers, [lane])

    async def bring_forward(self, limit: Limit) -> None:
        """All that waits and is of the limit asks again at once, in its order. For a limit that changed or is gone."""
        await self._store.transaction(partial(_forget_slots, limit, LANES))
        carriers = set[str]()
        for code in CODES:
            carriers |= await self._bring("targets_held_back", code=code, **limit.bounds)
        self._ring(carriers, LANES)

    async def let_go(self, limits: Iterable[Limit]) -> None:
        """As `bring_forward`, for limits that went with what they were for."""
        for limit in limits:
            if limit.applies == SENDING:
                await self.bring_forward(limit)

    async def _bring(self, query: str, **asked: Any) -> set[str]:
        """The carriers of those that were found."""
        carriers = set[str]()
        after = now = clock.now()
        due_at = now - SECOND
        while rows := await self._store.transaction(partial(_bring_some, query, asked, after, due_at)):
            after, due_at = rows[-1].due_at, due_at + len(rows)
            carriers |= {row.carrier_id for row in rows}
        return carriers

    def _ring(self, carriers: Iterable[str], lanes: Iterable[int]) -> None:
        for carrier_id, lane in product(carriers, lanes):
            self._store.notify(due_topic(carrier_id, lane))


def _limited(table: Table, targets: Iterable[Target]) -> Limited:
    if not table.limits_sending:
        return []
    return [(target, limits) for target in targets if (limits := table.of(target)) and not _is_notice(target)]


def _is_notice(target: Target) -> bool:
    """Who says STOP is to be told so within five minutes, however much has gone before."""
    return bool(target.options) and bool(options.read(target.options).notice)


async def _meters(tx: Tx, limits: Iterable[Limit], now: int) -> dict[str, Meter]:
    """In the order of their ids, in which a shared store locks the rows. None for one that is gone."""
    by_id = {limit.id: limit for limit in limits}
    rows = await tx.many("limit_use_for_change", [{"limit_id": id} for id in sorted(by_id)])
    meters = {row.limit_id: Meter(*row) for row in rows}
    for id, meter in meters.items():
        meter.begin(by_id[id].rule, now)
    return meters


def _stop(target: Target, limits: Sequence[Limit], meters: Mapping[str, Meter], now: int) -> Stop | None:
    """It goes when all its limits let it go; otherwise it waits for the latest slot.

    It takes no slot where it could go earlier: it would not use it, and all that comes new would wait behind it. But it
    does where it goes more slowly than where it waits: else a campaign for which one segment a second may go would fill
    the slots of a carrier that is busy for a moment, before the first of it has asked for its second one.
    """
    lane, parts, is_again = target.lane, target.parts, target.error_code in CODES
    asked = [(limit, meter) for limit in limits if (meter := meters.get(limit.id))]
    found: tuple[Limit, str] | None = None
    at = 0
    for limit, meter in asked:
        if why := meter.why_not(limit.rule, parts, now, lane, is_again):
            slot = meter.next_slot(now, why, lane, is_again)
            if slot > at:
                found, at = (limit, why), slot
    if found is None:
        return None
    holding, why = found
    for limit, meter in asked:
        is_slower = why == RATE_LIMITED and limit.rule.cost(1) > holding.rule.cost(1)
        if limit is holding or is_slower:
            meter.slot(limit.rule, parts, now, why, lane, is_again)
    return Stop(why, holding.says(why), at)


def _counted(limits: Sequence[Limit], targets: Sequence[Target]) -> list[tuple[Limit, int]]:
    """The segments that count in each limit: those of a number are what a pool has it send."""
    going = [target for target in targets if target.status is not Status.FAILED]
    return [
        (limit, sum(one.parts for one in going if limit.scope == "customer" or one.source == limit.subject))
        for limit in limits
    ]


def _too_many(limit: Limit, meter: Meter, why: str, now: int) -> Refusal:
    seconds = max(1, math.ceil((meter.free_from(limit.rule, why) - now) / SECOND))
    detail = {"limited_by": limit.scope, "limit_id": limit.id, "used_today": meter.used}
    words = f"{limit.says(why)}; try again in {seconds} s"
    return Refusal("RATE_LIMIT_EXCEEDED", words, (detail,), retry_after=seconds)


def _lanes_to_ask(limit: Limit, meter: Meter, now: int) -> Iterator[tuple[int, int]]:
    """The lanes with slots, and until when the next of those who have them is to ask, if they are still there."""
    meter.begin(limit.rule, now)
    until = max(now, meter.free_at) + GAP
    for lane, slots in meter.slots.items():
        waits_for_tomorrow = limit.per_day and meter.used and now < meter.day_ends <= slots.end
        is_used_up = waits_for_tomorrow and meter.used + NEARLY > limit.per_day
        if slots.end > until and not is_used_up:
            yield lane, until


def _held_by(limit: Limit, code: str) -> dict[str, str]:
    """What tells those that wait for this limit from those that are of it, and wait for another."""
    return {"code": code, "words": limit.says(code)}


async def _forget_slots(limit: Limit, lanes: Iterable[int], tx: Tx) -> None:
    if row := await tx.one("limit_use_for_change", limit_id=limit.id):
        meter = Meter(*row)
        meter.forget_slots(lanes)
        await tx.many("keep_limit_use", [meter])


async def _bring_some(query: str, asked: Mapping[str, Any], after: int, due_at: int, tx: Tx) -> list[Row]:
    """Those whose slots come `after` a moment, one behind the other from `due_at` on."""
    rows = await tx.all(query, tm_after=after, count=BATCH, **asked)
    keys = [{"message_id": row.message_id, "n": row.n, "seen": row.due_at} for row in rows]
    await tx.many("bring_held_forward", [{**key, "due_at": due_at + place} for place, key in enumerate(keys)])
    return rows
