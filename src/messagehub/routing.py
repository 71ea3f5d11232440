"""Routes: rules that put carriers in order for a target."""

import bisect
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from messagehub import ids
from messagehub.carriers import kinds
from messagehub.carriers.config import TLVConfig
from messagehub.carriers.kinds import Config
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.shapes.members import MessageKind
from messagehub.store import Insert, Row, Store, Tx
from messagehub.store.recent import CHANGED, Recent
from messagehub.work.node import store_clock

MAX_DIGITS = 15
"""Of a prefix and of a number. A number is filled up to them, lest it match a prefix that is longer than itself."""

EVERYBODY = ""
"""The customer_id of a general route."""


class Route(Struct, frozen=True, kw_only=True):
    id: str
    name: str = ""
    prefix: str = ""
    """The first digits of the destination, without the plus; empty for all."""
    carrier_id: str
    priority: int = 1
    weight: int = 1
    customer_id: str = EVERYBODY
    tm_create: int = 0
    tm_update: int = NEVER
    tm_delete: int = NEVER


class Table:
    """The routes of an installation, ready to be asked. Pure: routes in, an order out."""

    def __init__(
        self,
        routes: Sequence[Route],
        down: frozenset[str] = frozenset(),
        tlvs: Mapping[str, Mapping[str, TLVConfig]] | None = None,
        mms: "Table | None" = None,
        configs: Mapping[str, Config] | None = None,
    ) -> None:
        self.down = down
        """Carriers that cannot be sent to just now; they come last."""
        self.tlvs = tlvs or {}
        """By carrier, the TLVs that a message may have there."""
        self.mms = mms or self
        """The routes of messages with media, where this is the table of those without."""
        self.configs = configs or {}
        """Of all carriers that can be sent to, without their secrets."""
        self._by_prefix: dict[str, list[Route]] = {}
        for route in routes:
            self._by_prefix.setdefault(route.prefix, []).append(route)
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)

    def of(self, kind: MessageKind) -> "Table":
        return self.mms if kind == "mms" else self

    def choose(self, destination: str, customer_id: str, chance: Callable[[], float]) -> list[Route]:
        """All routes for the destination, the first choice first; the others are the failover.

        The longest prefix wins, then the customer's own route before a general one, then the lowest priority; equals
        share by weight. `chance` gives numbers in [0, 1).
        """
        digits = destination.removeprefix("+").ljust(MAX_DIGITS)
        chosen: list[Route] = []
        for length in self._lengths:
            if routes := self._by_prefix.get(digits[:length]):
                chosen += _in_order([r for r in routes if r.customer_id in (EVERYBODY, customer_id)], chance)
        return sorted(chosen, key=lambda route: route.carrier_id in self.down) if self.down else chosen

    def first(self, destination: str, customer_id: str, chance: Callable[[], float]) -> Route | None:
        """As `choose`, but only the first."""
        if self.down:
            return next(iter(self.choose(destination, customer_id, chance)), None)
        digits = destination.removeprefix("+")  # the longest that matches is none that is longer than itself
        for length in self._lengths:
            routes = self._by_prefix.get(digits[:length], ())
            if len(routes) == 1 and routes[0].customer_id in (EVERYBODY, customer_id):
                return routes[0]
            if usable := [r for r in routes if r.customer_id in (EVERYBODY, customer_id)]:
                return _in_order(usable, chance)[0]
        return None


def why(route: Route, down: frozenset[str] = frozenset()) -> str:
    """In words, why a route stands where it stands."""
    match = f"prefix +{route.prefix}" if route.prefix else "any destination"
    whose = "the customer's own route" if route.customer_id else "a general route"
    behind = "; behind the others, since its carrier is down" if route.carrier_id in down else ""
    return f"{match}, {whose}, priority {route.priority}, weight {route.weight}{behind}"


def _in_order(routes: list[Route], chance: Callable[[], float]) -> list[Route]:
    def rank(route: Route) -> tuple[bool, int]:
        return route.customer_id == EVERYBODY, route.priority

    groups = itertools.groupby(sorted(routes, key=rank), key=rank)
    return [route for _, equals in groups for route in _shared(list(equals), chance)]


def _shared(equals: list[Route], chance: Callable[[], float]) -> list[Route]:
    """Draws one after the other, each with the odds of its weight."""
    order = []
    while len(equals) > 1:
        sums = list(itertools.accumulate(route.weight for route in equals))
        order.append(equals.pop(bisect.bisect_right(sums, chance() * sums[-1])))
    return order + equals


class Routes:
    """The routes in the store. A route whose carrier is disabled or gone is passed over."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[str, Table] = Recent(_read)
        self._recent.follow(store)

    async def table(self, tx: Tx) -> Table:
        table = await self._recent.get(tx, "")
        assert table is not None
        return table

    async def table_of_all(self) -> Table:
        """With the routes that are passed over, too."""
        return Table([from_row(row) for row in await self._store.all("live_routes")])

    async def get(self, route_id: str) -> Route:
        row = await self._store.one("route_by_id", id=route_id)
        if row is None:
            raise _missing(route_id)
        return from_row(row)

    async def page(self, before: str, count: int) -> list[Route]:
        """The newest `count` routes whose id is smaller than `before`."""
        return [from_row(row) for row in await self._store.all("routes_page", before=before, count=count)]

    async def add(self, now: int, **given: Any) -> Route:
        route = Route(id=ids.new(), tm_create=now, **given)
        await self._store.write([Insert("insert_route", [route])])
        self._store.notify(CHANGED)
        return route

    async def change(self, route_id: str, now: int, **changes: Any) -> Route:
        """Refusal when there is no such route."""

        async def unit(tx: Tx) -> Route:
            row = await tx.one("route_for_change", id=route_id)
            if row is None:
                raise _missing(route_id)
            changed = replace(from_row(row), **changes, tm_update=now)
            await tx.many("update_route", [changed])
            return changed

        changed = await self._store.transaction(unit)
        self._store.notify(CHANGED)
        return changed

    async def remove(self, route_id: str, now: int) -> None:
        await self._store.run("delete_route", id=route_id, now=now)
        self._store.notify(CHANGED)


def _missing(route_id: str) -> Refusal:
    return Refusal("RESOURCE_NOT_FOUND", f"there is no route {route_id}")


def from_row(row: Row) -> Route:
    return Route(**row._asdict())


async def _read(tx: Tx, _: str) -> Table | None:
    rows = [row for row in await tx.all("live_carriers") if not row.disabled]
    configs = {row.id: kinds.stored(row.type, row.config) for row in rows}
    down = frozenset(row.carrier_id for row in await tx.all("carriers_down", now=await store_clock(tx)))
    routes = [route for row in await tx.all("live_routes") if (route := from_row(row)).carrier_id in configs]

    def of(kind: MessageKind) -> list[Route]:
        return [route for route in routes if kind in configs[route.carrier_id].takes]

    tlvs = {carrier_id: config.tlvs for carrier_id, config in configs.items()}
    return Table(of("sms"), down, tlvs, Table(of("mms"), down, configs=configs), configs)
