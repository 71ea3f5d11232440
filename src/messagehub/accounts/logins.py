"""Logins: names and passwords, for which there are tokens. Whoever fails too often waits."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from messagehub import ids
from messagehub.accounts import passwords
from messagehub.accounts.attempts import Attempts
from messagehub.accounts.tokens import Tokens
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Refusal
from messagehub.store import Insert, Row, Store
from messagehub.store.recent import CHANGED

MAX_WAITING = 100
"""Logins that may wait for their turn: some seconds' worth."""


class Login(Struct, frozen=True, kw_only=True):
    id: str
    customer_id: str
    username: str
    name: str
    """Of its customer, as is `detail`."""
    detail: str
    tm_create: int
    tm_password: int

    @property
    def tm_update(self) -> int:
        return self.tm_password if self.tm_password > self.tm_create else NEVER


async def new(username: str, password: str, customer_id: str, now: int) -> Insert:
    row = {"id": ids.new(), "username": username, "customer_id": customer_id, "tm_create": now}
    return Insert("insert_login", [{**row, "password_hash": await passwords.hashed(password)}])


class Logins:
    def __init__(self, store: Store, tokens: Tokens, attempts: Attempts) -> None:
        self._store, self._tokens, self._attempts = store, tokens, attempts
        self._turns = asyncio.Semaphore(passwords.AT_ONCE)
        self._waiting = 0

    async def get(self, username: str) -> Login:
        """Refusal when there is none."""
        row = await self._store.one("login_by_username", username=username)
        if row is None:
            raise Refusal("RESOURCE_NOT_FOUND", f"there is no login {username}")
        return _from_row(row)

    async def token(self, username: str, password: str, address: str, now: int) -> str:
        """A new token. Refusal for a name or a password that is wrong, without saying which."""
        row = await self._verified(username, password, address, now)
        if row is None:
            raise Refusal("INVALID_CREDENTIALS", "the username or the password is wrong")
        if passwords.is_dated(row.password_hash):
            again = {"password_hash": await passwords.hashed(password), "before": row.password_hash}
            await self._store.run("rehash_password", username=username, **again)
        return await self._tokens.issue(row.customer_id, row.username, row.tm_password, now)

    async def change_password(self, username: str, password: str, another: str, address: str, now: int) -> Login:
        """Ends all tokens of this login. Refusal when `password` is not the one that it has."""
        if await self._verified(username, password, address, now) is None:
            raise Refusal("INVALID_CREDENTIALS", "password: it is not the one that this login has")
        await self._set(username, another, now)
        return await self.get(username)

    async def reset_password(self, customer_id: str, password: str, now: int) -> None:
        """As the operator does it. Refusal when the customer has no login."""
        row = await self._store.one("login_of_customer", customer_id=customer_id)
        if row is None:
            raise Refusal("STATE_INVALID", "password: this customer has no login")
        await self._set(row.username, password, now)

    async def _set(self, username: str, password: str, now: int) -> None:
        kept = await passwords.hashed(password)
        await self._store.run("change_password", username=username, password_hash=kept, now=now)
        self._store.notify(CHANGED)

    async def _verified(self, username: str, password: str, address: str, now: int) -> Row | None:
        """The login, if the password is its own. Refusal for an address that has to wait."""
        async with self._turn():
            # Asked when it is one's turn: those who came before may have failed meanwhile.
            if wait := self._attempts.wait(address, username, now):
                raise _too_many(wait)
            row = await self._store.one("login_by_username", username=username)
            if not await passwords.matches(password, row.password_hash if row else None):
                self._attempts.failed(address, username, now)
                return None
            self._attempts.succeeded(address, username)
            return row

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise Refusal("SERVICE_UNAVAILABLE", "too many are logging in just now; try again in a moment")
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1


def _from_row(row: Row) -> Login:
    return Login(**{name: getattr(row, name) for name in Login.__struct_fields__})


def _too_many(wait: int) -> Refusal:
    seconds = math.ceil(wait / SECOND)
    return Refusal(
        "RATE_LIMIT_EXCEEDED",
        f"too many logins have failed; try again in {seconds} s",
        ({"limited_by": "ip"},),
        retry_after=seconds,
    )
