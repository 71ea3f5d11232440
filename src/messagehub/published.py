"""The addresses by which what is kept is fetched from outside: signed, and for a time only.

The keys that sign are in the store, sealed, so all nodes believe each other's addresses. A new one is made every 90
days; it signs two hours later, when every node has read it.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import overload
from urllib.parse import urlsplit

from messagehub import clock
from messagehub.clock import SECOND
from messagehub.media import addresses
from messagehub.sealing import Sealer
from messagehub.store import Insert, Row, Store, Tx
from messagehub.work.loop import Loop

PATH, SHORT_PATH = "/media/", "/m/"
DAY = 24 * 3600 * SECOND

# --- signed addresses -------------------------------------------------------------------


class Published:
    """`public_url` is how this server is reached from outside; `keys`: the first signs, all are believed; `lifetime` in
    microseconds."""

    def __init__(self, public_url: str, keys: Sequence[bytes], lifetime: int) -> None:
        self.public_url = public_url.rstrip("/")
        self.lifetime = lifetime
        self._keys = keys

    def url(self, digest: str, now: int) -> str:
        """Where the content can be fetched for a while."""
        token = addresses.sign(digest, now + self.lifetime, self._keys[0])
        return f"{self.public_url}{PATH}{digest}?token={token}"

    def is_valid(self, digest: str, token: str, now: int) -> bool:
        return addresses.is_valid(digest, token, now, self._keys)

    def digest_of(self, url: str) -> str:
        """The digest in an address of ours, whether or not it can still be used; empty where it is none of ours."""
        if not url.startswith(self.public_url + PATH):
            return ""
        digest = urlsplit(url).path.rpartition("/")[2]
        return digest if addresses.is_digest(digest) else ""

    def renewed(self, url: str, now: int) -> str:
        """An address of ours that can be used for a while again; any other as it is."""
        digest = self.digest_of(url)
        return self.url(digest, now) if digest else url


# --- short links ------------------------------------------------------------------------

_CHANCE, _MAC = 8, 4
CODE_CHARACTERS = (_CHANCE + _MAC) * 4 // 3
_PURPOSE = b"messagehub link\0"
LONGEST = 366 * DAY
"""No link is good for longer."""


class Links:
    """Addresses of contents, short enough for a text. A code is 8 octets of chance and 4 of HMAC-SHA256, so a guess is
    mostly seen to be one before the store is asked, and finds nothing there in any case."""

    def __init__(self, store: Store, public_url: str, keys: Sequence[bytes]) -> None:
        self._store, self._public_url, self._keys = store, public_url.rstrip("/"), keys

    def make(self, digest: str, until: int) -> tuple[str, Insert]:
        """A link that is good until then (microseconds), and what is to be written for it. Whoever makes it keeps the
        content as long (`Blobs.keep`)."""
        chance = secrets.token_bytes(_CHANCE)
        code = urlsafe_b64encode(chance + _mac(chance, self._keys[0])).decode()
        row = {"code": code, "digest": digest, "tm_expire": until}
        return f"{self._public_url}{SHORT_PATH}{code}", Insert("insert_media_link", [row])

    async def find(self, code: str, now: int) -> str | None:
        """The digest behind a code; empty where its time is over, None where there is none."""
        if not self._is_ours(code):
            return None
        row = await self._store.one("media_link", code=code)
        if row is None:
            return None
        return str(row.digest) if now <= row.tm_expire else ""

    def _is_ours(self, code: str) -> bool:
        if len(code) != CODE_CHARACTERS or not code.isascii():
            return False
        try:
            octets = urlsafe_b64decode(code)
        except ValueError:
            return False
        chance, mac = octets[:_CHANCE], octets[_CHANCE:]
        known = [hmac.compare_digest(mac, _mac(chance, key)) for key in self._keys]
        return any(known)


def _mac(chance: bytes, key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + chance, "sha256")[:_MAC]


# --- keys -------------------------------------------------------------------------------

LOOKS_EVERY_S = 3600.0
SIGNS_FOR = 90 * DAY
SPREADS_FOR = 2 * 3600 * SECOND
"""How long a new key is only believed, so that every node has it before it signs."""


class Keys(Sequence[bytes]):
    """Sealed until one of them is asked for: what opens them takes 7 MB, and many servers see no media."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._sealed: Sequence[tuple[str, str]] = ()
        self._opened: list[bytes] = []

    def take(self, rows: Iterable[Row]) -> None:
        """In the order in which they are to be believed."""
        sealed = [(row.id, row.secret) for row in rows]
        if sealed != self._sealed:
            self._sealed, self._opened = sealed, []

    def __len__(self) -> int:
        return len(self._sealed)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        if not self._opened:
            self._opened = [self._sealer.unseal(secret, _place(id)).encode() for id, secret in self._sealed]
        return self._opened[place]


class Keyring:
    """`keys` is one object as long as the process lives: the first signs, all are believed. `lifetime`: of an address,
    in microseconds."""

    def __init__(self, store: Store, sealer: Sealer, lifetime: int = 0, now: Callable[[], int] = clock.now) -> None:
        self._store, self._sealer, self._now = store, sealer, now
        self._kept_for = max(lifetime, LONGEST) + SPREADS_FOR
        self.keys = Keys(sealer)
        self._loop = Loop("media keys", self.look, LOOKS_EVERY_S)

    async def seal(self) -> None:
        """Seals what is not sealed under the first key. SettingError where an older key is missing."""

        async def unit(tx: Tx) -> None:
            rows = [row for row in await tx.all("media_keys") if not self._sealer.is_current(row.secret)]
            opened = [(row.id, self._sealer.unseal(row.secret, _place(row.id))) for row in rows]
            sealed = [{"id": id, "secret": self._sealer.seal(secret, _place(id))} for id, secret in opened]
            await tx.many("seal_media_key", sealed)

        if self._sealer:
            await self._store.transaction(unit)

    async def open(self) -> None:
        """Reads the keys, or makes the first one."""
        await self.look()
        self._loop.start()

    async def close(self) -> None:
        await self._loop.stop()

    async def look(self) -> None:
        rows, now = await self._store.all("media_keys"), self._now()
        if self._is_due(rows, now) or self._spent(rows, now):
            await self._store.transaction(partial(self._renew, now))
            rows = await self._store.all("media_keys")
        signing = max([row for row in rows if row.tm_signs <= now] or rows[:1], key=lambda row: row.tm_signs)
        self.keys.take([signing, *(row for row in rows if row is not signing)])

    async def _renew(self, now: int, tx: Tx) -> None:
        rows = await tx.all("media_keys")
        if self._is_due(rows, now):
            # Named after its forerunner, so that two nodes at the same moment make one key and not two.
            id = str(int(rows[-1].id) + 1 if rows else 1)
            secret = self._sealer.seal(secrets.token_urlsafe(32), _place(id))
            times = {"tm_create": now, "tm_signs": now + SPREADS_FOR if rows else now}
            await tx.run("insert_media_key", id=id, secret=secret, **times)
        await tx.many("delete_media_key", self._spent(rows, now))

    def _is_due(self, rows: Sequence[Row], now: int) -> bool:
        return not rows or rows[-1].tm_signs + SIGNS_FOR <= now

    def _spent(self, rows: Sequence[Row], now: int) -> list[Row]:
        """Keys by which nothing can be signed that is still good."""
        return [row for row, next_one in pairwise(rows) if next_one.tm_signs + self._kept_for < now]


def _place(key_id: str) -> str:
    """Where a key stands, to which it is bound."""
    return f"media_keys/{key_id}/secret"
