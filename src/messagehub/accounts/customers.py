"""A customer: who pays, owns numbers and keys, and is told by webhook what happens."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr, replace

from messagehub import ids
from messagehub.accounts import manners
from messagehub.accounts.manners import PLAIN, Manners
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Refusal
from messagehub.events import DEFAULT_EVENT_TYPES
from messagehub.sealing import Sealer
from messagehub.shapes import WebhookStatus
from messagehub.store import Row, Store, Tx
from messagehub.store.recent import CHANGED, Recent

OPERATOR, CUSTOMER = "operator", "customer"
LISTS = ("webhook_events", "webhook_statuses")
"""Members that the store keeps as JSON."""

SECRETS = ("webhook_secret", "webhook_secret_old")
OLD_SECRET_SIGNS = 24 * 3600 * SECOND
"""How long a secret signs beside the one that has taken its place."""

SEALED_AT_ONCE = 500
DELETED = "the customer was deleted"
ANEW: dict[str, Any] = {
    "webhook_disabled": "", "webhook_error": "", "tm_webhook_failing": NEVER, "tm_webhook_recovered": NEVER,
}  # fmt: skip
"""What is known of an endpoint of which nothing is known: it is to be tried."""


class Customer(Struct, frozen=True, kw_only=True):
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
    webhook_secret_old: str = ""
    tm_webhook_secret_old: int = NEVER
    """Until when the old secret signs as well; NEVER where there is none."""
    webhook_disabled: str = ""
    webhook_error: str = ""
    """How the endpoint failed last, in words."""
    tm_webhook_failing: int = NEVER
    tm_webhook_recovered: int = NEVER
    on_doubt: str = "resend"
    trace: str = "default"
    """`all`: the traces of all its messages are kept."""
    smart_encoding: bool = False
    """Of its messages that do not say, typographic characters that would cost more segments are replaced."""
    manners: Manners = PLAIN
    tm_create: int
    tm_update: int = NEVER
    tm_delete: int = NEVER
    _wants: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        told = self.webhook_events if self.webhook_uri and not self.webhook_disabled else ()
        force_setattr(self, "_wants", frozenset(told))

    def wants(self, event_type: str, status: str = "") -> bool:
        """Whether an event of this type (for message_updated: about this target status) is told to the customer."""
        if event_type not in self._wants:
            return False
        return not (status and self.webhook_statuses) or status in self.webhook_statuses

    @property
    def webhook_status(self) -> WebhookStatus:
        if not self.webhook_uri:
            return "off"
        if self.webhook_disabled:
            return "disabled"
        return "failing" if self.webhook_fails else "working"

    @property
    def webhook_fails(self) -> bool:
        return self.tm_webhook_failing != NEVER

    def webhook_secrets(self, now: int) -> tuple[str, ...]:
        """Those that sign at this moment, the newest first."""
        if now < self.tm_webhook_secret_old != NEVER:
            return self.webhook_secret, self.webhook_secret_old
        return (self.webhook_secret,)

    def as_row(self, sealer: Sealer) -> dict[str, Any]:
        row = {name: getattr(self, name) for name in self.__struct_fields__ if not name.startswith("_")}
        lists = {name: msgspec.json.encode(row[name]).decode() for name in LISTS}
        row["smart_encoding"], row["manners"] = int(self.smart_encoding), manners.write(self.manners)
        return row | lists | {name: sealer.seal(row[name], place(self.id, name)) for name in SECRETS if row[name]}


def new(*, name: str, now: int, webhook_secret: str, **other: Any) -> Customer:
    return Customer(id=ids.new(), name=name, webhook_secret=webhook_secret, tm_create=now, **other)


def from_row(row: Row, sealer: Sealer) -> Customer:
    values = row._asdict()
    for name in LISTS:
        values[name] = msgspec.json.decode(values[name], type=tuple[str, ...])
    for name in SECRETS:
        values[name] = sealer.unseal(values[name], place(row.id, name))
    values["smart_encoding"], values["manners"] = bool(row.smart_encoding), manners.read(row.manners)
    return Customer(**values)


def place(customer_id: str, name: str) -> str:
    """Where a secret stands, to which it is bound."""
    return f"customers/{customer_id}/{name}"


class Customers:
    """The customers in the store, with those remembered who were asked for lately."""

    def __init__(self, store: Store, sealer: Sealer) -> None:
        self._store, self._sealer = store, sealer
        recent: Recent[str, Customer] = Recent(self._read)
        recent.follow(store)
        self.get: Callable[[Tx, str], Awaitable[Customer]] = recent.get  # type: ignore[assignment]
        """The customer by its id, also one that is deleted. Refusal when there is none."""

    async def living(self, customer_id: str) -> Customer:
        """As `get`, and Refusal for one that is deleted, too."""
        customer = await self.get(self._store, customer_id)
        if customer.tm_delete != NEVER:
            raise _nobody(customer_id)
        return customer

    async def page(self, before: str, count: int) -> list[Customer]:
        """The newest `count` customers whose id is smaller than `before`."""
        rows = await self._store.all("customers_page", before=before, count=count)
        return [from_row(row, self._sealer) for row in rows]

    async def change(self, customer_id: str, now: int, **changes: Any) -> Customer:
        """The customer with `changes`. What is remembered may be old, so it is read in the transaction."""
        own = {name: changes.pop(name) for name in manners.NAMES if name in changes}

        def changed(customer: Customer) -> dict[str, Any]:
            kept = {"manners": msgspec.structs.replace(customer.manners, **own)} if own else {}
            return {**changes, **kept, "tm_update": now}

        return await self._change(customer_id, "update_customer", changed)

    async def rotate(self, customer_id: str, webhook_secret: str, now: int) -> Customer:
        """The customer with a new secret. The one before signs for a day as well; one that did so signs no more."""

        def changes(customer: Customer) -> dict[str, Any]:
            old = {"webhook_secret_old": customer.webhook_secret, "tm_webhook_secret_old": now + OLD_SECRET_SIGNS}
            return {"webhook_secret": webhook_secret, **old, "tm_update": now}

        return await self._change(customer_id, "rotate_webhook_secret", changes)

    async def _change(self, customer_id: str, query: str, changes: Callable[[Customer], dict[str, Any]]) -> Customer:
        async def unit(tx: Tx) -> Customer:
            customer = await self._for_change(tx, customer_id)
            changed = replace(customer, **changes(customer))
            await tx.run(query, **changed.as_row(self._sealer))
            return changed

        customer = await self._store.transaction(unit)
        self._store.notify(CHANGED)
        return customer

    async def remove(self, tx: Tx, customer_id: str, now: int) -> Customer:
        """Its access keys are revoked, its login is gone, and nothing is told to its webhook any more.

        The customer as it is then. Refusal when there is none, or it is the operator. Notify CHANGED after the commit.
        """
        customer = await self._for_change(tx, customer_id)
        if customer.role == OPERATOR:
            raise Refusal("STATE_INVALID", "the operator cannot be deleted: nobody else could make another")
        await tx.run("delete_customer", id=customer_id, why=DELETED, now=now)
        await tx.run("revoke_accesskeys_of", customer_id=customer_id, now=now)
        await tx.run("delete_logins_of", customer_id=customer_id)
        return replace(customer, webhook_disabled=DELETED, tm_update=now, tm_delete=now)

    async def seal(self) -> int:
        """Seals what is not sealed under the first key. How many were; SettingError where an older key is missing."""

        async def unit(tx: Tx) -> int:
            rows = await tx.all("customers_to_seal", mark=mark, behind=mark + "~", count=SEALED_AT_ONCE)
            await tx.many("seal_customer", [from_row(row, self._sealer).as_row(self._sealer) for row in rows])
            return len(rows)

        if not self._sealer and (row := await self._store.one("sealed_customer")):
            from_row(row, self._sealer)
        sealed, mark = 0, self._sealer.mark
        while self._sealer and (more := await self._store.transaction(unit)):
            sealed += more
        return sealed

    async def _for_change(self, tx: Tx, customer_id: str) -> Customer:
        row = await tx.one("customer_for_change", id=customer_id)
        if row is None or row.tm_delete != NEVER:
            raise _nobody(customer_id)
        return from_row(row, self._sealer)

    async def _read(self, tx: Tx, customer_id: str) -> Customer:
        if row := await tx.one("customer_by_id", id=customer_id):
            return from_row(row, self._sealer)
        raise _nobody(customer_id)


def _nobody(customer_id: str) -> Refusal:
    return Refusal("RESOURCE_NOT_FOUND", f"customer_id: there is no customer {customer_id}")
