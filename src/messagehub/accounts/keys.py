"""Access keys: `vb_` and 32 random characters. The store knows a key's hash and never the key.

A key has 190 random bits, so a plain SHA-256 hides it as well as a slow hash would.
"""

import hashlib
import secrets
import string
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from messagehub import ids
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.store import Insert, Row, Store, Tx
from messagehub.store.recent import CHANGED

ALPHABET = string.ascii_letters + string.digits
PREFIX = "vb_"
LENGTH = 35
SHOWN = 8
"""Characters of a key that stay readable, by which its owner knows it again."""

BEHIND = "~"
"""Sorts behind every character that a key may have."""


class AccessKey(Struct, frozen=True, kw_only=True):
    id: str
    customer_id: str
    hash: str
    prefix: str
    name: str
    detail: str = ""
    tm_expire: int
    tm_last_use: int = NEVER
    tm_create: int
    tm_update: int = NEVER
    tm_delete: int = NEVER


def issue(customer_id: str, name: str, now: int, expire: int = NEVER, detail: str = "") -> tuple[str, AccessKey]:
    """A new key, to be shown this once, and what is kept of it."""
    key = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - len(PREFIX)))
    kept = AccessKey(
        id=ids.new(),
        customer_id=customer_id,
        hash=hashed(key),
        prefix=key[:SHOWN],
        name=name,
        detail=detail,
        tm_expire=expire,
        tm_create=now,
    )
    return key, kept


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def looks_like_one(credential: str) -> bool:
    return len(credential) == LENGTH and credential.startswith(PREFIX)


class AccessKeys:
    """The access keys in the store. `last_uses` are those that are not written down yet, by the ids of the keys."""

    def __init__(self, store: Store, last_uses: Mapping[str, int]) -> None:
        self._store, self._last_uses = store, last_uses

    async def add(self, customer_id: str, now: int, *, name: str, detail: str, tm_expire: int) -> tuple[str, AccessKey]:
        """The key itself, which nobody will see again, and what is kept of it."""
        key, kept = issue(customer_id, name, now, tm_expire, detail)
        await self._store.write([Insert("insert_accesskey", [kept])])
        return key, kept

    async def get(self, key_id: str, owner_id: str | None) -> AccessKey:
        """A key by its id. Refusal when there is none, or it is not the owner's (None: whoever owns it)."""
        return self._known(await self._store.one("accesskey_by_id", id=key_id), key_id, owner_id)

    async def page(self, owner_id: str | None, prefix: str, before: str, count: int) -> list[AccessKey]:
        """The newest `count` of an owner (None: of all) that begin with `prefix` and whose id is before `before`."""
        query = "accesskeys_page" if owner_id else "all_accesskeys_page"
        bounds = {"lowest": prefix, "highest": prefix + BEHIND}
        rows = await self._store.all(query, customer_id=owner_id, before=before, count=count, **bounds)
        return [self._from_row(row) for row in rows]

    async def change(self, key_id: str, owner_id: str | None, now: int, **changes: Any) -> AccessKey:
        """Refusal as with `get`."""

        async def unit(tx: Tx) -> AccessKey:
            key = self._known(await tx.one("accesskey_for_change", id=key_id), key_id, owner_id)
            changed = replace(key, **changes, tm_update=now)
            await tx.many("update_accesskey", [changed])
            return changed

        changed = await self._store.transaction(unit)
        self._store.notify(CHANGED)
        return changed

    async def revoke(self, key: AccessKey, now: int) -> AccessKey:
        await self._store.run("revoke_accesskey", id=key.id, now=now)
        self._store.notify(CHANGED)
        return replace(key, tm_update=now, tm_delete=now)

    def _known(self, row: Row | None, key_id: str, owner_id: str | None) -> AccessKey:
        if row is None or owner_id not in (None, row.customer_id):
            raise Refusal("RESOURCE_NOT_FOUND", f"there is no access key {key_id}")
        return self._from_row(row)

    def _from_row(self, row: Row) -> AccessKey:
        return AccessKey(**row._replace(tm_last_use=self._last_uses.get(row.id, row.tm_last_use))._asdict())
