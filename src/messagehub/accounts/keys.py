"""Access keys: `vb_` and 32 random characters. The store knows a key's hash and never the key.

A key has 190 random bits, so a plain SHA-256 hides it as well as a slow hash would.
"""

import hashlib
import secrets
import string
from dataclasses import dataclass

from messagehub import ids
from messagehub.accounts.customers import OPERATOR
from messagehub.clock import NEVER
from messagehub.store import Insert, Store, Tx
from messagehub.store.recent import Recent

ALPHABET = string.ascii_letters + string.digits
PREFIX = "vb_"
LENGTH = 35
SHOWN = 8
"""Characters of a key that stay readable, by which its owner knows it again."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request."""

    customer_id: str
    role: str
    tm_expire: int = NEVER

    @property
    def is_operator(self) -> bool:
        return self.role == OPERATOR


def issue(customer_id: str, name: str, now: int, expire: int = NEVER) -> tuple[str, Insert]:
    """A new key, to be shown this once, and its row, to be written."""
    key = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - len(PREFIX)))
    row = {"id": ids.new(), "customer_id": customer_id, "hash": hashed(key), "prefix": key[:SHOWN], "name": name}
    return key, Insert("insert_accesskey", [{**row, "tm_expire": expire, "tm_create": now, "tm_delete": NEVER}])


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class Keys:
    """Tells who a key belongs to, and remembers it for some seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recent: Recent[str, Caller] = Recent(_read)
        self._recent.follow(store)

    async def caller(self, key: str, now: int) -> Caller | None:
        """None for a key that is unknown, revoked or expired."""
        if len(key) != LENGTH:  # nor is it worth remembering
            return None
        caller = await self._recent.get(self._store, key)
        return caller if caller and caller.tm_expire > now else None


async def _read(tx: Tx, key: str) -> Caller | None:
    row = await tx.one("accesskey_by_hash", hash=hashed(key))
    return Caller(row.customer_id, row.role, row.tm_expire) if row else None
