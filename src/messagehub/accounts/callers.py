"""Who makes a request: told by an access key or by a token, with one door for both."""

from msgspec import Struct

from messagehub.accounts import keys
from messagehub.accounts.customers import OPERATOR
from messagehub.accounts.tokens import BadToken, Tokens
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Refusal
from messagehub.store import Store, Tx
from messagehub.store.recent import Recent

ACCESSKEY, LOGIN = "accesskey", "login"


class Caller(Struct, frozen=True):
    customer_id: str
    role: str
    tm_expire: int = NEVER
    kind: str = ACCESSKEY
    id: str = ""
    """Of the access key or of the login."""
    username: str = ""
    """Of the login."""

    @property
    def is_operator(self) -> bool:
        return self.role == OPERATOR

    def acting_for(self, customer_id: str) -> str:
        """Whose a new thing is to be: one's own unless another is named, which is the operator's to do."""
        if customer_id not in ("", self.customer_id) and not self.is_operator:
            raise Refusal("PERMISSION_DENIED", "customer_id: only the operator acts for others; leave it out")
        return customer_id or self.customer_id

    def in_time(self, seconds: int, now: int) -> int:
        """The end of what an access key lets live for `seconds`: its own end at the latest."""
        end = now + seconds * SECOND
        return min(end, self.tm_expire) if self.kind == ACCESSKEY else end


class Callers:
    """Tells whose a credential is, and remembers it for some seconds. Uses of access keys go into `last_uses`."""

    def __init__(self, store: Store, tokens: Tokens, last_uses: dict[str, int]) -> None:
        self._store, self._tokens, self._last_uses = store, tokens, last_uses
        self._recent: Recent[str, Caller] = Recent(self._read)
        self._recent.follow(store)

    async def caller(self, credential: str, now: int) -> Caller | None:
        """None for a credential that is unknown, revoked or expired."""
        try:
            caller = await self._recent.get(self._store, credential)
        except BadToken:  # nor is it worth remembering
            return None
        if caller is None or caller.tm_expire <= now:
            return None
        if caller.kind == ACCESSKEY:
            self._last_uses[caller.id] = now
        return caller

    async def _read(self, tx: Tx, credential: str) -> Caller | None:
        if keys.looks_like_one(credential):
            return await _by_key(tx, credential)
        return await self._by_token(tx, credential)

    async def _by_token(self, tx: Tx, token: str) -> Caller | None:
        """A token ends with its login, with its customer, and with the password that it was got with."""
        claims = await self._tokens.read(token)
        row = await tx.one("login_by_username", username=claims.username)
        if row is None or (row.customer_id, row.tm_password) != (claims.sub, claims.tm_password):
            return None
        return Caller(row.customer_id, row.role, claims.exp * SECOND, LOGIN, row.id, row.username)


async def _by_key(tx: Tx, key: str) -> Caller | None:
    row = await tx.one("accesskey_by_hash", hash=keys.hashed(key))
    return Caller(row.customer_id, row.role, row.tm_expire, ACCESSKEY, row.id) if row else None
