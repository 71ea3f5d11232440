"""What is looked at once more when a target is claimed that was given its time long before.

Whether it is still in time, its source still its customer's, and its carrier still one to which a route leads.
"""

import random
from collections.abc import Iterator, Mapping, Sequence

from messagehub.carriers.carrier import TargetKey
from messagehub.messages import timing
from messagehub.messages.gate import Stop
from messagehub.messages.rows import kind_of
from messagehub.messages.target import Target
from messagehub.numbers import Numbers
from messagehub.routing import Routes, Table
from messagehub.store import Tx

NO_SOURCE = "The number is no longer its customer's."
NO_ROUTE = "No route leads to the destination any more."


class Leaving:
    """A check of the gate, for claims only."""

    def __init__(self, numbers: Numbers, routes: Routes) -> None:
        self._numbers, self._routes = numbers, routes

    async def stops(self, tx: Tx, targets: Sequence[Target], now: int) -> Mapping[TargetKey, Stop]:
        stops = dict(_late(targets, now))
        for target in targets:
            key = (target.message_id, target.n)
            if target.error_code and key not in stops and (stop := await self._after_waiting(tx, target, now)):
                stops[key] = stop
        return stops

    async def _after_waiting(self, tx: Tx, target: Target, now: int) -> Stop | None:
        number = await self._numbers.find(tx, target.source)
        if number is None or number.customer_id != target.customer_id:
            return Stop("invalid_source", NO_SOURCE)
        return _replanned(await self._routes.table(tx), target, now)


def _late(targets: Sequence[Target], now: int) -> Iterator[tuple[TargetKey, Stop]]:
    for target in targets:
        if target.options and timing.expiry_of(target) <= now:
            yield (target.message_id, target.n), Stop("expired", timing.TOO_LATE)


def _replanned(table: Table, target: Target, now: int) -> Stop | None:
    routes = table.of(kind_of(target)).choose(target.destination, target.customer_id, random.random)
    if not routes:
        return Stop("no_route", NO_ROUTE)
    if any(route.carrier_id == target.carrier_id for route in routes):
        return None
    return Stop("", until=now, carrier_id=routes[0].carrier_id)
