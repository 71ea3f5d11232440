"""Sender pools: numbers of one customer, of which one is chosen for each recipient."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from messagehub import ids
from messagehub.clock import NEVER
from messagehub.errors import Conflict, Refusal
from messagehub.numbers import SHORT_CODE, Number, is_e164
from messagehub.numbers import from_row as number_from
from messagehub.senders.countries import Country, country_of
from messagehub.store import Insert, Row, Store, Tx
from messagehub.store.recent import CHANGED, Recent


class Pool(Struct, frozen=True, kw_only=True):
    id: str
    customer_id: str
    name: str
    numbers: str
    """Their ids, with spaces between them."""
    sticky: int
    prefer_country: int
    tm_create: int
    tm_update: int = NEVER
    members: tuple[Number, ...] = ()
    """Those of its numbers that its customer has."""

    def __hash__(self) -> int:
        return hash(self.id)


# --- choosing: pure ---------------------------------------------------------------------


def choose(
    pool: Pool,
    members: Sequence[Number],
    destination: str,
    chance: float,
    passed_over: Collection[str] = (),
    answered: str = "",
) -> Number:
    """One of the `members` that may write there. Those that are `passed_over` are taken where there are no others.

    `answered`: the number that the recipient wrote to last. Whoever is written to again gets the same number, by
    rendezvous hashing: when a number comes or goes only those move that it gets or had. `chance` is in [0, 1).
    """
    country = country_of(destination) if pool.prefer_country else None

    def rank(number: Number) -> tuple[bool, bool, bool, bool, bytes]:
        return (
            number.number in passed_over,
            not (pool.sticky and number.number == answered),
            country is not None and not is_of(number, country),
            country is not None and kind_of(number) != country.best,
            _lot(destination, number.id) if pool.sticky else b"",
        )

    ranked = sorted((rank(number), n) for n, number in enumerate(members))
    equals = [n for how, n in ranked if how == ranked[0][0]]
    return members[equals[int(chance * len(equals))]]


def is_of(number: Number, country: Country) -> bool:
    if is_e164(number.number):
        return country_of(number.number) == country
    return country.code in number.registered_in.split()


def kind_of(number: Number) -> str:
    """As the table of countries calls it."""
    if is_e164(number.number):
        return "long"
    return "short_code" if SHORT_CODE.fullmatch(number.number) else "alphanumeric"


def _lot(destination: str, number_id: str) -> bytes:
    return hashlib.blake2b(f"{destination} {number_id}".encode(), digest_size=8).digest()


# --- in the store -----------------------------------------------------------------------


class Pools:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[tuple[str, str], Pool] = Recent(_find)
        self._recent.follow(store)

    async def find(self, tx: Tx, customer_id: str, name: str) -> Pool | None:
        """A customer's pool by its name or its id."""
        return await self._recent.get(tx, (customer_id, name))

    async def get(self, pool_id: str, owner_id: str | None) -> Pool:
        """A pool by its id. Refusal when there is none, or it is not the owner's (None: whoever owns it)."""
        row = await self._store.one("sender_pool_by_id", id=pool_id)
        if row is None or owner_id not in (None, row.customer_id):
            raise _missing(pool_id)
        return await _with_members(self._store, row)

    async def page(self, owner_id: str | None, before: str, count: int) -> list[Pool]:
        """The newest `count` pools of an owner (None: of all) whose id is smaller than `before`."""
        query = "sender_pools_page_of" if owner_id else "sender_pools_page"
        rows = await self._store.all(query, customer_id=owner_id, before=before, count=count)
        return [await _with_members(self._store, row) for row in rows]

    async def add(self, now: int, customer_id: str, numbers: Sequence[str], **given: Any) -> Pool:
        """Refusal for a number that is not the customer's, and for a name that it uses already."""
        members = await self._members(customer_id, numbers)
        pool = Pool(
            id=ids.new(), customer_id=customer_id, tm_create=now, members=members, numbers=_listed(members), **given
        )
        try:
            await self._store.write([Insert("insert_sender_pool", [pool])])
        except Conflict:
            raise _taken(pool) from None
        self._store.notify(CHANGED)
        return pool

    async def change(self, pool: Pool, now: int, **changes: Any) -> Pool:
        """Refusal as with `add`."""
        if "numbers" in changes:
            members = await self._members(pool.customer_id, changes["numbers"])
            changes |= {"members": members, "numbers": _listed(members)}

        async def unit(tx: Tx) -> Pool:
            row = await tx.one("sender_pool_for_change", id=pool.id)
            if row is None:
                raise _missing(pool.id)
            changed = replace(await _with_members(tx, row), **changes, tm_update=now)
            await tx.change("update_sender_pool", [changed])
            return changed

        try:
            changed = await self._store.transaction(unit)
        except Conflict:
            raise _taken(replace(pool, **changes)) from None
        self._store.notify(CHANGED)
        return changed

    async def remove(self, pool: Pool) -> None:
        await self._store.run("delete_sender_pool", id=pool.id)
        self._store.notify(CHANGED)

    async def release(self, tx: Tx, owner_id: str) -> None:
        """Removes all pools of a customer. Notify CHANGED after the commit."""
        await tx.run("delete_sender_pools_of", customer_id=owner_id)

    async def _members(self, customer_id: str, numbers: Sequence[str]) -> tuple[Number, ...]:
        wanted = list(dict.fromkeys(id.lower() for id in numbers))
        found = await _numbers(self._store, customer_id, wanted)
        if len(found) < len(wanted):
            have = {number.id for number in found}
            n = next(n for n, id in enumerate(numbers) if id.lower() not in have)
            raise Refusal("RESOURCE_NOT_FOUND", f"numbers[{n}]: there is no number {numbers[n]}; give ids of numbers")
        return found


def _listed(members: Sequence[Number]) -> str:
    return " ".join(number.id for number in members)


def _missing(pool_id: str) -> Refusal:
    return Refusal("RESOURCE_NOT_FOUND", f"there is no sender pool {pool_id}")


def _taken(pool: Pool) -> Refusal:
    return Refusal("ALREADY_EXISTS", f"name: there is a sender pool {pool.name!r} already")


async def _find(tx: Tx, key: tuple[str, str]) -> Pool | None:
    customer_id, name = key
    row = await tx.one("sender_pool_by_name", customer_id=customer_id, name=name)
    if row is None and ids.is_id(name.lower()):
        row = await tx.one("sender_pool_by_id", id=name.lower())
    return await _with_members(tx, row) if row and row.customer_id == customer_id else None


async def _with_members(tx: Tx, row: Row) -> Pool:
    members = await _numbers(tx, row.customer_id, row.numbers.split())
    return Pool(**row._asdict(), members=members)


async def _numbers(tx: Tx, customer_id: str, wanted: Sequence[str]) -> tuple[Number, ...]:
    """In the order of `wanted`, which is the customer's."""
    rows = await tx.many("number_by_id", [{"id": id} for id in wanted])
    found = {row.id: number_from(row) for row in rows if row.customer_id == customer_id}
    return tuple(found[id] for id in wanted if id in found)
