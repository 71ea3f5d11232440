"""Signatures of webhooks: Standard Webhooks 1.0.0 (scheme v1), and one of the body alone.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import secrets as chance
from base64 import b64decode, b64encode
from binascii import b2a_base64
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

PREFIX = "whsec_"
SECRET_OCTETS = 32
BLOCK_OCTETS = 64
"""Of SHA-256."""


def new_secret() -> str:
    """A secret as its owner sees it: `whsec_` and the base64 of 32 random octets."""
    return PREFIX + b64encode(chance.token_bytes(SECRET_OCTETS)).decode()


def signatures(secrets: Sequence[str], webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that sign one attempt.

    `secrets` are `whsec_` secrets, the newest first, at least one: `webhook-signature` has an item for each, and
    `X-VoIPBIN-Signature` has the key of the first. `webhook_id` is the same for every attempt and has no dot in it;
    `timestamp` is that of the attempt, in seconds.

    Raises ValueError where a secret is no `whsec_` and base64, IndexError where there is none.
    """
    signed = b"%b.%d.%b" % (webhook_id.encode(), timestamp, body)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join([_v1(_keyed(secret).mac(signed)) for secret in secrets]),
        "X-VoIPBIN-Signature": "sha256=" + _keyed_by_text(secrets[0]).mac(body).hex(),
    }


def _v1(mac: bytes) -> str:
    return "v1," + b2a_base64(mac, newline=False).decode()


class _Key:
    """HMAC with SHA-256 (RFC 2104) under one key: mixing it in costs as much as signing a short body.

    A `hmac.HMAC` could be copied likewise, which takes twice as long.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= BLOCK_OCTETS else sha256(key).digest()).ljust(BLOCK_OCTETS, b"\0")
        self._inner = sha256(bytes(octet ^ 0x36 for octet in block))
        self._outer = sha256(bytes(octet ^ 0x5C for octet in block))

    def mac(self, octets: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(octets)
        outer.update(inner.digest())
        return outer.digest()


# A customer's secret stays the same for months.
@lru_cache(maxsize=4096)
def _keyed(secret: str) -> _Key:
    if not secret.startswith(PREFIX):
        raise ValueError(f"a secret begins with {PREFIX}")
    key = b64decode(secret.removeprefix(PREFIX), validate=True)
    if not key:
        raise ValueError("an empty secret signs nothing")
    return _Key(key)


@lru_cache(maxsize=4096)
def _keyed_by_text(secret: str) -> _Key:
    return _Key(secret.encode())
