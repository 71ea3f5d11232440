"""Limits: how many segments may go, or be accepted, per second and per day; and for whom."""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from messagehub import ids
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Conflict, Refusal
from messagehub.messages.meters import DAILY_LIMIT, RATE_LIMITED, Meter, Rule
from messagehub.messages.target import Target
from messagehub.people import zones
from messagehub.store import Insert, Row, Store, Tx
from messagehub.store.recent import CHANGED, Recent

SENDING, ACCEPTING = "sending", "accepting"
OPERATOR, CUSTOMER = "operator", "customer"

THOUSAND = 1000
BURST = SECOND
"""A whole second's segments may be accepted at once."""

MOST_ACCEPTED = 1000 * 255
"""Segments of one request."""

LAST = "\U0010ffff"
"""Behind all that a column holds."""

ANY = ("", LAST)


class Limit(Struct, frozen=True, kw_only=True, dict=True):
    id: str
    scope: str
    subject: str
    """The number, the customer's id, the carrier's id, or the first digits of destinations."""
    customer_id: str
    """Whose messages are meant; empty for those of all."""
    applies: str
    set_by: str
    rate: int
    """Thousandths of a segment per second; 0 is no limit, and likewise per day."""
    per_day: int
    zone: str
    tm_create: int
    tm_update: int = NEVER

    @cached_property
    def rule(self) -> Rule:
        if self.applies == ACCEPTING:
            return Rule(self.rate, self.per_day, self.zone, BURST, MOST_ACCEPTED)
        return Rule(self.rate, self.per_day, self.zone)

    def says(self, why: str) -> str:
        """What of it is used up, in words."""
        amount = (
            f"{self.per_day} segments a day" if why == DAILY_LIMIT else f"{self.rate / THOUSAND:g} segments a second"
        )
        return f"{WORDS[self.scope].format(self.subject)} may {VERBS[self.applies]} {amount}"

    @property
    def bounds(self) -> dict[str, str]:
        """Between what its targets are: the parameters of `targets_held_back`."""
        of_scope = (f"+{self.subject}", f"+{self.subject}:") if self.scope == "prefix" else (self.subject, self.subject)
        spans = {"customer": ANY, "carrier": ANY, "destination": ANY, "source": ANY, COLUMNS[self.scope]: of_scope}
        if self.customer_id:
            spans["customer"] = (self.customer_id, self.customer_id)
        return {f"{name}_{end}": span[at] for name, span in spans.items() for at, end in enumerate(("from", "to"))}


COLUMNS = {"number": "source", "customer": "customer", "carrier": "carrier", "prefix": "destination"}
WORDS = {
    "number": "{}",
    "customer": "customer {}",
    "carrier": "carrier {}",
    "prefix": "all to +{} together",
}
VERBS = {SENDING: "send", ACCEPTING: "be given"}


class Table:
    """All limits, ready to be asked. Pure."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.by_id = {limit.id: limit for limit in limits}
        self.accepting = [limit for limit in limits if limit.applies == ACCEPTING]
        sending = [limit for limit in limits if limit.applies == SENDING]
        self.limits_sending = bool(sending)
        self._numbers = _by_subject(sending, "number")
        self._customers = _by_subject(sending, "customer")
        self._carriers = _by_subject(sending, "carrier")
        self._prefixes = _by_subject(sending, "prefix")
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})

    def of(self, target: Target) -> list[Limit]:
        """Those that the target is counted in when it is sent."""
        found = list(self._customers.get(target.customer_id, ()))
        if self._numbers:
            found += self.of_number(target.customer_id, target.source)
        if limits := self._carriers.get(target.carrier_id):
            found += limits
        for length in self._lengths:
            if limits := self._prefixes.get(target.destination[1 : 1 + length]):
                found += limits
        return found

    def of_number(self, customer_id: str, number: str) -> list[Limit]:
        """Those of a customer's number when it sends."""
        return [limit for limit in self._numbers.get(number, ()) if limit.customer_id == customer_id]

    def accepting_of(self, customer_id: str, sources: Collection[str]) -> list[Limit]:
        """Those that a message of this customer is counted in when it is accepted."""
        return [
            limit
            for limit in self.accepting
            if limit.customer_id == customer_id and (limit.scope == "customer" or limit.subject in sources)
        ]


def _by_subject(limits: Sequence[Limit], scope: str) -> dict[str, list[Limit]]:
    found: dict[str, list[Limit]] = {}
    for limit in limits:
        if limit.scope == scope:
            found.setdefault(limit.subject, []).append(limit)
    return found


class Use(Struct, frozen=True):
    """How much of a limit is used."""

    used: int
    """Segments since the day began."""
    waiting: int
    """Targets that wait for a limit and are of this one's; counted up to MOST_COUNTED."""
    day_ends: int


MOST_COUNTED = 10_000


class Limits:
    """The limits in the store, all of which are remembered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[str, Table] = Recent(_read, seconds=30)
        self._recent.follow(store)

    async def table(self, tx: Tx) -> Table:
        table = await self._recent.get(tx, "")
        assert table is not None
        return table

    async def get(self, limit_id: str, owner_id: str | None) -> Limit:
        """A limit by its id. Refusal when there is none, or it is not the owner's (None: whoever it is for)."""
        return _seen(await self._store.one("limit_by_id", id=limit_id), limit_id, owner_id)

    async def page(self, owner_id: str | None, before: str, count: int) -> list[Limit]:
        """The newest `count` limits for an owner (None: for all) whose id is smaller than `before`."""
        query = "limits_page_of" if owner_id else "limits_page"
        rows = await self._store.all(query, customer_id=owner_id, before=before, count=count)
        return [from_row(row) for row in rows]

    async def of_subject(self, scope: str, subject: str) -> list[Limit]:
        """Whoever they are for, and set by."""
        table = await self.table(self._store)
        return [limit for limit in table.by_id.values() if (limit.scope, limit.subject) == (scope, subject)]

    async def use(self, limit: Limit, now: int, counts_waiting: bool = True) -> Use:
        row = await self._store.one("limit_use", limit_id=limit.id)
        meter = Meter(*row) if row else Meter(limit.id)
        meter.begin(limit.rule, now)
        waiting = 0
        if limit.applies == SENDING and counts_waiting:
            asked = [
                {"code": code, "tm_after": 0, "count": MOST_COUNTED, **limit.bounds}
                for code in (RATE_LIMITED, DAILY_LIMIT)
            ]
            waiting = sum(row.count for row in await self._store.many("count_held_back", asked))
        return Use(meter.used, min(waiting, MOST_COUNTED), meter.day_ends)

    async def add(self, now: int, **given: Any) -> Limit:
        """Refusal for one that limits nothing, and when there is one already."""
        limit = _checked(Limit(id=ids.new(), tm_create=now, **given))
        try:
            await self._store.write([Insert("insert_limit", [limit]), Insert("insert_limit_use", [Meter(limit.id)])])
        except Conflict:
            said = f"there is a limit for {limit.scope} {limit.subject} when {limit.applies}; PUT changes it"
            raise Refusal("ALREADY_EXISTS", f"key: {said}") from None
        self._store.notify(CHANGED)
        return limit

    async def change(self, limit: Limit, now: int, **changes: Any) -> Limit:
        """Refusal as with `add`. What waits is to be brought forward then."""

        async def unit(tx: Tx) -> Limit:
            row = await tx.one("limit_for_change", id=limit.id)
            if row is None:
                raise _missing(limit.id)
            before = from_row(row)
            changed = _checked(replace(before, **changes, tm_update=now))
            await tx.many("update_limit", [changed])
            if changed.zone != before.zone and (row := await tx.one("limit_use_for_change", limit_id=limit.id)):
                meter = Meter(*row)
                meter.begin(before.rule, now)
                meter.move_day(changed.rule, now)
                await tx.many("keep_limit_use", [meter])
            return changed

        changed = await self._store.transaction(unit)
        self._store.notify(CHANGED)
        return changed

    async def remove(self, limit: Limit) -> None:
        async def unit(tx: Tx) -> None:
            await tx.run("delete_limit", id=limit.id)
            await tx.run("delete_limit_use", id=limit.id)

        await self._store.transaction(unit)
        self._store.notify(CHANGED)

    async def release(self, tx: Tx, owner_id: str) -> None:
        """Removes all limits of a customer. Notify CHANGED after the commit."""
        await tx.run("delete_limit_uses_of", customer_id=owner_id)
        await tx.run("delete_limits_of", customer_id=owner_id)


def _checked(limit: Limit) -> Limit:
    if not (limit.rate or limit.per_day):
        raise Refusal("INVALID_LIMIT", "segments_per_second: give it, or segments_per_day, or both")
    if not zones.is_zone(limit.zone):
        raise Refusal(
            "INVALID_LIMIT",
            f"day_starts_in: {limit.zone!r} is no time zone; write one such as UTC or America/Los_Angeles",
        )
    return limit


def _seen(row: Row | None, limit_id: str, owner_id: str | None) -> Limit:
    if row is None or owner_id not in (None, row.customer_id):
        raise _missing(limit_id)
    return from_row(row)


def _missing(limit_id: str) -> Refusal:
    return Refusal("RESOURCE_NOT_FOUND", f"there is no limit {limit_id}")


def from_row(row: Row) -> Limit:
    return Limit(**row._asdict())


async def _read(tx: Tx, _: str) -> Table | None:
    return Table([from_row(row) for row in await tx.all("every_limit")])
