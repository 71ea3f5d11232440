"""Names of what is stored, and the tokens by which it is fetched from outside: signed, and for a time only.

A medium is stored under the SHA-256 of its octets, so the same octets are stored once. A token is for one name and one
moment: the moment in seconds since 1970 in 5 octets, and 16 octets of HMAC-SHA256 (RFC 2104), as base64url (RFC 4648,
section 5) of 28 characters.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

SECOND = 1_000_000
_MOMENT, _MAC = 5, 16
_CHARACTERS = (_MOMENT + _MAC) * 4 // 3
_PURPOSE = b"messagehub media\0"
_LAST = (1 << 8 * _MOMENT) - 1


def digest(octets: bytes) -> str:
    """The name of a content: 64 hexadecimal digits."""
    return hashlib.sha256(octets).hexdigest()


def is_digest(name: str) -> bool:
    return len(name) == 64 and not name.strip("0123456789abcdef")


def path(name: str) -> str:
    """Where a content is stored: in one of 256 folders of a folder. Raises ValueError for what is no name."""
    if not is_digest(name):
        raise ValueError(f"{name[:80]!r} is no name of a content")
    return f"{name[:2]}/{name}"


def sign(name: str, until: int, key: bytes) -> str:
    """The token by which this name can be fetched until a moment (microseconds since 1970), rounded up to seconds."""
    moment = min(-(-until // SECOND), _LAST).to_bytes(_MOMENT, "big")
    return urlsafe_b64encode(moment + _mac(name, moment, key)).decode()


def is_valid(name: str, token: str, now: int, keys: Sequence[bytes]) -> bool:
    """Whether a token is for this name, by one of the keys, and its moment is not over. `now` is in microseconds."""
    if len(token) != _CHARACTERS or not token.isascii():
        return False
    try:
        octets = urlsafe_b64decode(token)
    except ValueError:
        return False
    if urlsafe_b64encode(octets).decode() != token:  # another alphabet's spelling of the same
        return False
    moment, mac = octets[:_MOMENT], octets[_MOMENT:]
    known = [hmac.compare_digest(mac, _mac(name, moment, key)) for key in keys]
    return any(known) and now <= int.from_bytes(moment) * SECOND


def _mac(name: str, moment: bytes, key: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + moment + name.encode(errors="surrogatepass"), "sha256")[:_MAC]
