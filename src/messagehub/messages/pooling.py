"""Which number of a pool writes to whom: what is known of the numbers, and of the people, at that moment."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from messagehub import clock, ids
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.messages.limits import Limits
from messagehub.messages.meters import Meter
from messagehub.numbers import Number
from messagehub.senders.pools import Pool, Pools, choose
from messagehub.senders.rules import SenderRules
from messagehub.store import Store, Tx
from messagehub.store.recent import Recent

LIMITED, FAILING = "limited", "failing"

BEHIND = 60 * SECOND
"""A number whose new messages would wait longer than this is passed over."""

LATELY = 3600 * SECOND
FATES, FEW = 50, 10
"""Targets of a number that are looked at; fewer than FEW say nothing."""

BAD = 0.5
"""A number of which more than this share fails for its own sake is passed over."""

ITS_OWN = frozenset({"invalid_source", "blocked", "carrier_rejected"})
"""Failures that may be the number's fault, and not the recipient's."""


class Pooling:
    def __init__(self, store: Store, pools: Pools, rules: SenderRules, limits: Limits) -> None:
        self._store, self._pools, self._rules, self._limits = store, pools, rules, limits
        self._recent: Recent[Pool, Mapping[str, str]] = Recent(self._read)
        self._recent.follow(store)

    async def choose(
        self, tx: Tx, customer_id: str, name: str, destinations: Sequence[str]
    ) -> tuple[Pool, list[Number]]:
        """The pool, and for each destination the number that writes there. Refusal where there is none."""
        pool = await self._pools.find(tx, customer_id, name)
        if pool is None:
            raise Refusal("INVALID_SOURCE", f"source: there is no pool {name!r} of yours; GET /sender_pools lists them")
        if not pool.members:
            raise Refusal("INVALID_SOURCE", f"source: the pool {pool.name!r} has no numbers any more")
        poor = await self._recent.get(tx, pool) or {}
        answered = await self._answered(tx, pool, destinations)
        chosen = []
        for n, to in enumerate(destinations):
            members = await self._rules.allowed(tx, pool.members, to)
            if not members:
                words = f"source: no number of the pool {pool.name!r} may write to destinations[{n}] ({to})"
                raise Refusal("INVALID_SOURCE", f"{words}; GET /sender_rules says what is needed there")
            chosen.append(choose(pool, members, to, random.random(), poor, answered.get(to, "")))
        return pool, chosen

    async def states(self, pool: Pool) -> Mapping[str, str]:
        """Of the numbers that are passed over: why."""
        return await self._read(self._store, pool)

    async def _answered(self, tx: Tx, pool: Pool, destinations: Sequence[str]) -> dict[str, str]:
        """Which number somebody wrote to last."""
        if not pool.sticky:
            return {}
        keys = [{"customer_id": pool.customer_id, "source": to} for to in destinations]
        return {row.person: row.number for row in await tx.many("last_written_to", keys)}

    async def _read(self, tx: Tx, pool: Pool) -> dict[str, str]:
        now = clock.now()
        limited = await self._limited(tx, pool, now)
        return {**dict.fromkeys(await _failing(tx, pool, now), FAILING), **dict.fromkeys(limited, LIMITED)}

    async def _limited(self, tx: Tx, pool: Pool, now: int) -> list[str]:
        table = await self._limits.table(tx)
        limits = {
            limit.id: limit for number in pool.members for limit in table.of_number(pool.customer_id, number.number)
        }
        found = []
        for row in await tx.many("limit_use", [{"limit_id": id} for id in limits]):
            meter, limit = Meter(*row), limits[row.limit_id]
            meter.begin(limit.rule, now)
            if (limit.per_day and meter.used >= limit.per_day) or max(meter.last_at, meter.free_at) > now + BEHIND:
                found.append(limit.subject)
        return found


async def _failing(tx: Tx, pool: Pool, now: int) -> list[str]:
    since = {"customer_id": pool.customer_id, "since_id": ids.first_of(now - LATELY), "count": FATES}
    keys = [{"source": number.number, **since} for number in pool.members]
    seen, bad = Counter[str](), Counter[str]()
    for query in ("fates_of_source", "fates_of_own_source"):
        for row in await tx.many(query, keys):
            seen[row.number] += 1
            bad[row.number] += row.status == "gw_timeout" or (row.status == "failed" and row.error_code in ITS_OWN)
    return [number for number, count in seen.items() if count >= FEW and bad[number] > BAD * count]
