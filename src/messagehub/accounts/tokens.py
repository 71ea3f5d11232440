"""Tokens: what a login gives. JSON Web Tokens (RFC 7519), signed with HMAC-SHA256 under keys of ours.

The keys are in the store, sealed. The newest signs; when it is old, whoever signs next makes another. A key that has
a successor verifies as long as a token of its time can live, and is then removed.

The head of a token is decided by its key alone, octet for octet. So it is looked up whole and never read: a token
with another algorithm, with none, or with a key that is unknown has a head that is not there.
"""

import asyncio
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from messagehub import ids
from messagehub.clock import SECOND
from messagehub.sealing import Sealer
from messagehub.store import Row, Store, Tx
from messagehub.store.recent import CHANGED, Recent

if TYPE_CHECKING:
    from joserfc.jwk import OctKey

ISSUER = "messagehub"
ALGORITHM = "HS256"
MAX_LENGTH = 4096
SIGNS_FOR = 30 * 24 * 3600 * SECOND
"""How long a key is the one that signs."""

OVERLAP = 3600 * SECOND
"""How much longer than any token a key that was replaced is kept: another node may sign with it a little longer."""


class BadToken(ValueError):
    """A text that is no token of ours."""


class Claims(msgspec.Struct, kw_only=True, frozen=True):
    """What a token says (RFC 7519, section 4.1). `iat` and `exp` are in seconds."""

    iss: str
    sub: str
    """The customer's id."""
    username: str
    tm_password: int
    """Which password it was got with; a login that has another by now does not know the token any more."""
    iat: int
    exp: int
    jti: str


class TokenKey(Struct, frozen=True):
    id: str
    tm_create: int
    secret: "OctKey"

    @property
    def header(self) -> dict[str, str]:
        return {"typ": "JWT", "alg": ALGORITHM, "kid": self.id}


class Ring(Struct, frozen=True):
    """The keys that there are, the newest last."""

    keys: list[TokenKey]
    by_head: dict[str, TokenKey] = {}

    def __post_init__(self) -> None:
        from joserfc.util import json_b64encode

        force_setattr(self, "by_head", {json_b64encode(key.header).decode(): key for key in self.keys})

    def signing(self, now: int) -> TokenKey | None:
        """The key that signs; None where it is time for another."""
        newest = self.keys[-1] if self.keys else None
        return newest if newest and now < newest.tm_create + SIGNS_FOR else None

    def spent(self, before: int) -> list[TokenKey]:
        """Those that were replaced before that moment."""
        return [key for key, next_one in zip(self.keys, self.keys[1:], strict=False) if next_one.tm_create < before]


class Tokens:
    """Makes tokens and knows its own again. `lifetime` in seconds."""

    def __init__(self, store: Store, sealer: Sealer, lifetime: int) -> None:
        self._store, self._sealer, self._lifetime = store, sealer, lifetime
        self._ring: Recent[None, Ring] = Recent(self._read)
        self._ring.follow(store)

    async def issue(self, customer_id: str, username: str, tm_password: int, now: int) -> str:
        issued = now // SECOND
        claims = Claims(
            iss=ISSUER,
            sub=customer_id,
            username=username,
            tm_password=tm_password,
            iat=issued,
            exp=issued + self._lifetime,
            jti=ids.new(),
        )
        return sign(await self._signing(now), claims)

    async def read(self, token: str) -> Claims:
        """What a token says that we have signed, be it expired or not. BadToken for any other text."""
        if len(token) > MAX_LENGTH or not token.isascii():
            raise BadToken
        ring = await self._ring.get(self._store, None)
        key = ring and ring.by_head.get(token.partition(".")[0])
        if not key:
            raise BadToken
        return _verified(token, key)

    async def seal(self) -> None:
        """Seals what is not sealed under the first key. SettingError where an older key is missing."""

        async def unit(tx: Tx) -> None:
            rows = [row for row in await tx.all("token_keys") if not self._sealer.is_current(row.secret)]
            opened = [(row.id, self._sealer.unseal(row.secret, place(row.id))) for row in rows]
            sealed = [{"id": id, "secret": self._sealer.seal(secret, place(id))} for id, secret in opened]
            await tx.many("seal_token_key", sealed)

        if self._sealer:
            await self._store.transaction(unit)

    async def _signing(self, now: int) -> TokenKey:
        ring = await self._ring.get(self._store, None)
        assert ring
        spent = ring.spent(now - self._lifetime * SECOND - OVERLAP)
        if (key := ring.signing(now)) and not spent:
            return key
        await self._store.transaction(partial(self._renew, ring, spent, now))
        self._store.notify(CHANGED)
        ring = await self._ring.get(self._store, None)
        assert ring
        return ring.keys[-1]

    async def _renew(self, ring: Ring, spent: list[TokenKey], now: int, tx: Tx) -> None:
        if not ring.signing(now):
            # Named after its forerunner, so that two nodes at the same moment make one key and not two.
            id = str(int(ring.keys[-1].id) + 1 if ring.keys else 1)
            secret = self._sealer.seal(secrets.token_urlsafe(32), place(id))
            await tx.run("insert_token_key", id=id, secret=secret, tm_create=now)
        await tx.many("delete_token_key", spent)

    async def _read(self, tx: Tx, _: None) -> Ring:
        # In a thread, as the library takes 80 ms to load.
        return await asyncio.to_thread(self._opened, await tx.all("token_keys"))

    def _opened(self, rows: list[Row]) -> Ring:
        from joserfc.jwk import OctKey

        texts = {row.id: self._sealer.unseal(row.secret, place(row.id)) for row in rows}
        return Ring([TokenKey(row.id, row.tm_create, OctKey.import_key(texts[row.id].encode())) for row in rows])


def place(key_id: str) -> str:
    """Where a key stands, to which it is bound."""
    return f"token_keys/{key_id}/secret"


def sign(key: TokenKey, claims: Claims) -> str:
    from joserfc import jwt

    said: dict[str, Any] = msgspec.to_builtins(claims)
    return jwt.encode(dict(key.header), said, key.secret, algorithms=[ALGORITHM], default_type=None)


def _verified(token: str, key: TokenKey) -> Claims:
    from joserfc import jwt
    from joserfc.errors import JoseError

    try:
        return msgspec.convert(jwt.decode(token, key.secret, algorithms=[ALGORITHM]).claims, Claims)
    except (JoseError, ValueError):
        raise BadToken from None
