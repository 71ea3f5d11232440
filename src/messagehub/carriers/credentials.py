"""Names and passwords over HTTP, both ways: Basic (RFC 7617) and Digest (RFC 7616, and RFC 2069 before it)."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from secrets import token_hex
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct, field

from messagehub.web import Answer

Scheme = Literal["auto", "basic", "digest"]
"""`auto`: what the server asks for; `basic`: with each request, unasked; `digest`: nothing else, whatever it asks."""

_WORD = r"[\w!#$%&'*+.^`|~/-]+"
_ITEM = re.compile(rf"""({_WORD})(?:\s*(=)\s*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))|(?=[\s,]|\Z))""", re.ASCII)
"""A name with its value, or the scheme that begins a challenge (RFC 9110, section 11.2 and 11.3)."""

_HASHES: Mapping[str, str] = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_SESSION = "-SESS"


class Challenge(Struct):
    """What a server wants to know. `parameters` are by their names in lower case; `count`: how often it was met."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)
    count: int = 0

    @property
    def algorithm(self) -> str:
        return self.parameters.get("algorithm", "").upper() or "MD5"

    @property
    def can_be_met(self) -> bool:
        if self.scheme != "digest":
            return self.scheme == "basic"
        offered = self.parameters.get("qop", "")
        if not all(value.isascii() and value.isprintable() for value in self.parameters.values()):
            return False  # it would have to be repeated, and no header of ours can say it
        return "nonce" in self.parameters and _hash(self.algorithm) is not None and (not offered or bool(_qop(offered)))


class Login:
    """Who we are to one server, and what it last asked for, so that the next request says it unasked."""

    def __init__(self, username: str, password: str, scheme: Scheme = "auto") -> None:
        self._username, self._password, self._scheme = username, password, scheme
        self._challenge: Challenge | None = Challenge("basic") if scheme == "basic" else None

    def header(self, method: str, url: str, body: bytes) -> str:
        """The Authorization of a request; empty where none is known to be asked for."""
        if not self._username or self._challenge is None:
            return ""
        if self._challenge.scheme == "basic":
            return basic(self._username, self._password)
        self._challenge.count += 1
        return _digest(self._username, self._password, self._challenge, method, _target(url), body)

    def asked(self, answer: Answer, said: str) -> bool:
        """Whether an answer of 401 asks for what was not `said`, an Authorization, and may do better another time."""
        challenges = [one for one in read(answer.headers.get("www-authenticate", "")) if self._would_meet(one)]
        if not self._username or not challenges:
            return False
        chosen = min(challenges, key=lambda one: _STRENGTH.index(_strength(one)))
        if chosen.scheme == "basic" and said.lower().startswith("basic "):
            return False
        self._challenge = chosen
        return True

    def told(self, answer: Answer) -> None:
        """A server may say with any answer which nonce it wants next (RFC 7616, section 3.5)."""
        if self._challenge and self._challenge.scheme == "digest" and "authentication-info" in answer.headers:
            info = next(read("Info " + answer.headers["authentication-info"]), None)
            if info and (nonce := info.parameters.get("nextnonce")):
                self._challenge = Challenge("digest", {**self._challenge.parameters, "nonce": nonce})

    def _would_meet(self, challenge: Challenge) -> bool:
        return challenge.can_be_met and self._scheme in ("auto", challenge.scheme)


def read(value: str) -> Iterator[Challenge]:
    """The challenges of a WWW-Authenticate. What is none is passed over."""
    current: Challenge | None = None
    for name, has_value, quoted, token in _ITEM.findall(value):
        if not has_value:
            if current:
                yield current
            current = Challenge(name.lower())
        elif current:
            current.parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or token)
    if current:
        yield current


_STRENGTH = ("SHA-512-256", "SHA-256", "MD5", "basic")


def _strength(challenge: Challenge) -> str:
    return "basic" if challenge.scheme == "basic" else challenge.algorithm.removesuffix(_SESSION)


def _hash(algorithm: str) -> Callable[[bytes], str] | None:
    name = _HASHES.get(algorithm.removesuffix(_SESSION))
    return (lambda octets: hashlib.new(name, octets, usedforsecurity=False).hexdigest()) if name else None


def _qop(offered: str) -> str:
    """`auth` where it is offered, as the octets of a body need not be hashed for it."""
    known = [word.strip().lower() for word in offered.split(",")]
    return next((word for word in ("auth", "auth-int") if word in known), "")


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def basic(username: str, password: str) -> str:
    """The value of an Authorization."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def is_basic(value: str, username: str, password: str) -> bool:
    """Whether an Authorization says these, compared in constant time."""
    scheme, _, said = value.strip().partition(" ")
    try:
        octets = b64decode(said.strip(), validate=True)
    except ValueError:
        octets = b""
    return hmac.compare_digest(octets, f"{username}:{password}".encode()) and scheme.lower() == "basic"


def _digest(username: str, password: str, challenge: Challenge, method: str, target: str, body: bytes) -> str:
    """RFC 7616, section 3.4."""
    given, hashed = challenge.parameters, _hash(challenge.algorithm)
    assert hashed is not None
    realm, nonce, qop = given.get("realm", ""), given["nonce"], _qop(given.get("qop", ""))
    cnonce, count = token_hex(8), f"{challenge.count:08x}"
    who = hashed(f"{username}:{realm}:{password}".encode())
    if challenge.algorithm.endswith(_SESSION):
        who = hashed(f"{who}:{nonce}:{cnonce}".encode())
    what = f"{method}:{target}" + (f":{hashed(body)}" if qop == "auth-int" else "")
    proven = [who, nonce, *((count, cnonce, qop) if qop else ()), hashed(what.encode())]
    response = hashed(":".join(proven).encode())
    quoted = {"username": username, "realm": realm, "nonce": nonce, "uri": target, "response": response}
    quoted |= {"opaque": given["opaque"]} if "opaque" in given else {}
    plain = {"algorithm": given["algorithm"]} if "algorithm" in given else {}
    if qop or challenge.algorithm.endswith(_SESSION):
        quoted["cnonce"] = cnonce
        plain |= {"qop": qop, "nc": count} if qop else {}
    written = [f'{name}="{_escaped(value)}"' for name, value in quoted.items()]
    return "Digest " + ", ".join([*written, *(f"{name}={value}" for name, value in plain.items())])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
