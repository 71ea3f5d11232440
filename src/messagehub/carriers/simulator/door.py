"""Who may ask over HTTP: Basic and Digest, as a server checks them (RFC 7617, RFC 7616)."""

import hashlib
import re
import secrets
from collections import deque
from hmac import compare_digest

from messagehub.carriers.credentials import is_basic

REALM = "simulator"
NONCES = 1000  # that are known at the same time; the oldest is forgotten

_PAIR = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class Door:
    """Without a username everybody is let in."""

    def __init__(self, username: str, password: str, is_digest: bool) -> None:
        self._username, self._password, self._is_digest = username, password, is_digest
        self._nonces: deque[str] = deque(maxlen=NONCES)

    def lets_in(self, method: str, path: str, authorization: str) -> bool:
        if not self._username:
            return True
        if not self._is_digest:
            return is_basic(authorization, self._username, self._password)
        scheme, _, rest = authorization.partition(" ")
        return scheme.lower() == "digest" and self._knows(method, path, rest)

    def challenge(self) -> str:
        """The value of WWW-Authenticate."""
        if not self._is_digest:
            return f'Basic realm="{REALM}", charset="UTF-8"'
        self._nonces.append(secrets.token_hex(16))
        return f'Digest realm="{REALM}", qop="auth", algorithm=SHA-256, nonce="{self._nonces[-1]}"'

    def _knows(self, method: str, path: str, given: str) -> bool:
        """RFC 7616, section 3.4.1."""
        said = {match[1].lower(): match[2] or match[3] for match in _PAIR.finditer(given)}
        if said.get("nonce") not in self._nonces or said.get("uri") != path or said.get("username") != self._username:
            return False
        secret = _hash(self._username, REALM, self._password)
        middle = [said.get(name, "") for name in ("nonce", "nc", "cnonce", "qop")]
        return compare_digest(_hash(secret, *middle, _hash(method, path)), said.get("response", ""))


def _hash(*texts: str) -> str:
    return hashlib.sha256(":".join(texts).encode()).hexdigest()
