"""Making accounts: the operator of a new installation, and customers."""

import secrets
from typing import Any

from msgspec import Struct

from messagehub.accounts import customers, keys, logins
from messagehub.accounts.customers import OPERATOR, Customer
from messagehub.errors import Conflict, Refusal
from messagehub.sealing import Sealer, sealer
from messagehub.store import Insert, Store, Tx


class NewAccount(Struct, frozen=True):
    """What is shown once to whoever made the account."""

    customer: Customer
    accesskey: str
    username: str
    password: str


async def sealer_of(store: Store, secret_key: str, database_url: str) -> Sealer:
    """What seals the secrets of a store, and opens them. SettingError where its key is missing."""
    return sealer(secret_key, database_url, is_used=bool(await store.one("sealed_customer")))


async def operator(store: Store, sealer: Sealer, now: int, webhook_secret: str) -> NewAccount | None:
    """The operator of a new installation; None when it has one already."""
    if await store.one("operator"):
        return None
    customer = customers.new(name="operator", now=now, webhook_secret=webhook_secret, role=OPERATOR)
    try:
        return await _make(store, sealer, customer, "admin", secrets.token_urlsafe(18), now)
    except Conflict:  # somebody else has made one at the same moment
        return None


async def take_back(store: Store, operator: NewAccount) -> None:
    """As if it had not been made: nobody has seen its key."""

    async def unit(tx: Tx) -> None:
        await tx.run("drop_accesskeys_of", customer_id=operator.customer.id)
        await tx.run("delete_logins_of", customer_id=operator.customer.id)
        await tx.run("drop_operator", id=operator.customer.id)

    await store.transaction(unit)


async def customer(
    store: Store, sealer: Sealer, given: dict[str, Any], username: str, password: str, now: int
) -> NewAccount:
    """A customer with a login and an access key. Refusal when somebody has the username already."""
    try:
        return await _make(store, sealer, customers.new(now=now, **given), username, password, now)
    except Conflict:
        raise Refusal("ALREADY_EXISTS", f"username: {username!r} is taken; choose another") from None


async def _make(store: Store, sealer: Sealer, customer: Customer, username: str, password: str, now: int) -> NewAccount:
    key, kept = keys.issue(customer.id, "first key", now)
    login = await logins.new(username, password, customer.id, now)
    await store.write([Insert("insert_customer", [customer.as_row(sealer)]), login, Insert("insert_accesskey", [kept])])
    return NewAccount(customer, key, username, password)
