"""Signatures of webhooks: Standard Webhooks 1.0.0 (scheme v1), and one of the body alone.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
import secrets as chance
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import lru_cache

PREFIX = "whsec_"
SECRET_OCTETS = 32


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
        "webhook-signature": " ".join(["v1," + b64encode(_mac(_keyed(s), signed)).decode() for s in secrets]),
        "X-VoIPBIN-Signature": "sha256=" + _mac(_keyed_by_text(secrets[0]), body).hex(),
    }


def _mac(keyed: hmac.HMAC, octets: bytes) -> bytes:
    mac = keyed.copy()
    mac.update(octets)
    return mac.digest()


# Mixing the key in costs as much as signing a short body, and a customer's secret stays the same for months.
@lru_cache(maxsize=4096)
def _keyed(secret: str) -> hmac.HMAC:
    if not secret.startswith(PREFIX):
        raise ValueError(f"a secret begins with {PREFIX}")
    key = b64decode(secret.removeprefix(PREFIX), validate=True)
    if not key:
        raise ValueError("an empty secret signs nothing")
    return hmac.new(key, digestmod="sha256")


@lru_cache(maxsize=4096)
def _keyed_by_text(secret: str) -> hmac.HMAC:
    return hmac.new(secret.encode(), digestmod="sha256")
