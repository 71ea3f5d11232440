"""A customer: who pays, owns numbers and keys, and is told by webhook what happens."""

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from messagehub import ids
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.events import DEFAULT_EVENT_TYPES
from messagehub.store import Row, Store, Tx
from messagehub.store.recent import CHANGED, Recent

OPERATOR, CUSTOMER = "operator", "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    id: str
    role: str = CUSTOMER
    name: str
    detail: str = ""
    email: str = ""
    phone_number: str = ""
    address: str = ""
    webhook_uri: str = ""
    webhook_method: str = "POST"
    webhook_events: tuple[str, ...] = DEFAULT_EVENT_TYPES
    webhook_statuses: tuple[str, ...] = ()
    """The target statuses to be told of; none means all."""
    webhook_secret: str
    webhook_disabled: str = ""
    on_doubt: str = "resend"
    tm_create: int
    tm_update: int = NEVER
    tm_delete: int = NEVER
    _wants: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        told = self.webhook_events if self.webhook_uri and not self.webhook_disabled else ()
        object.__setattr__(self, "_wants", frozenset(told))

    def wants(self, event_type: str, status: str = "") -> bool:
        """Whether an event of this type (for message_updated: about this target status) is told to the customer."""
        if event_type not in self._wants:
            return False
        return not (status and self.webhook_statuses) or status in self.webhook_statuses

    def as_row(self) -> dict[str, Any]:
        row = {name: getattr(self, name) for name in self.__slots__ if not name.startswith("_")}
        lists = {name: msgspec.json.encode(row[name]).decode() for name in ("webhook_events", "webhook_statuses")}
        return row | lists


def new(*, name: str, now: int, webhook_secret: str, **other: Any) -> Customer:
    return Customer(id=ids.new(), name=name, webhook_secret=webhook_secret, tm_create=now, **other)


def from_row(row: Row) -> Customer:
    values = row._asdict()
    for name in ("webhook_events", "webhook_statuses"):
        values[name] = msgspec.json.decode(values[name], type=tuple[str, ...])
    return Customer(**values)


class Customers:
    """The customers in the store, with those remembered who were asked for lately."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[str, Customer] = Recent(_read)
        self._recent.follow(store)

    async def get(self, tx: Tx, customer_id: str) -> Customer:
        """The customer by its id, also one that is deleted. Refusal when there is none."""
        if customer := await self._recent.get(tx, customer_id):
            return customer
        raise Refusal("RESOURCE_NOT_FOUND", f"customer_id: there is no customer {customer_id}")

    async def page(self, before: str, count: int) -> list[Customer]:
        """The newest `count` customers whose id is smaller than `before`."""
        return [from_row(row) for row in await self._store.all("customers_page", before=before, count=count)]

    async def change(self, customer_id: str, now: int, **changes: Any) -> Customer:
        """The customer with `changes`. What is remembered may be old, so it is read in the transaction."""

        async def unit(tx: Tx) -> Customer:
            row = await tx.one("customer_for_change", id=customer_id)
            assert row is not None
            changed = replace(from_row(row), **changes, tm_update=now)
            await tx.run("update_customer", **changed.as_row())
            return changed

        customer = await self._store.transaction(unit)
        self._store.notify(CHANGED)
        return customer


async def _read(tx: Tx, customer_id: str) -> Customer | None:
    row = await tx.one("customer_by_id", id=customer_id)
    return from_row(row) if row else None
