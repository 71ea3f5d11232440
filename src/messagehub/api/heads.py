"""The heads of requests: how large they may be, and which of them have one meaning only."""

import re
import sys
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

import httptools

from messagehub.api.representation import Header
from messagehub.errors import Refusal

MAX_HEAD = 32 * 1024
MAX_URL = 8 * 1024
MAX_HEADERS = 100
VERSIONS = ("1.1", "1.0")

JSON = b"application/json"
"""The media type of what a request says, unless it says otherwise."""

KEY = b"idempotency-key"
"""The header of a request that is to be done once."""

ABSOLUTE = re.compile(rb"https?://[^/?#]+(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


class Target(NamedTuple):
    """What a request asks for: `url` is all of it, in the origin form (RFC 9112, 3.2.1)."""

    url: bytes
    path: str
    raw_path: bytes
    query: bytes


def target(url: bytes) -> Target:
    parsed = httptools.parse_url(url)
    path = parsed.path.decode("ascii")
    return Target(url, unquote(path) if "%" in path else path, parsed.path, parsed.query or b"")


def check(url: bytes, headers: list[Header], fields: Mapping[bytes, bytes], version: str, octets: int) -> None:
    """`fields`: the headers by name. `octets`: those of the head, and perhaps some that came with it.

    What is no HTTP the parser has refused.
    """
    if len(url) > MAX_URL:
        raise Refusal("HEADERS_TOO_LARGE", f"the URL is longer than {MAX_URL} octets")
    if len(headers) > MAX_HEADERS:
        raise Refusal("HEADERS_TOO_LARGE", f"the request has more than {MAX_HEADERS} headers")
    if octets > MAX_HEAD and sum(len(name) + len(value) + 4 for name, value in headers) > MAX_HEAD:
        raise too_large()
    if b"host" not in fields or len(fields) < len(headers) or version != "1.1":
        _check_version(version, sum(name == b"host" for name, _ in headers))
    if b"transfer-encoding" in fields:
        _check_coding(version, [value.lower() for name, value in headers if name == b"transfer-encoding"])


def too_large() -> Refusal:
    return Refusal("HEADERS_TOO_LARGE", f"the head of the request is larger than {MAX_HEAD} octets")


def _check_version(version: str, hosts: int) -> None:
    if version not in VERSIONS:
        raise Refusal("MALFORMED_REQUEST", f"HTTP/{version}: send HTTP/1.1")
    if hosts > 1 or (not hosts and version == "1.1"):  # RFC 9112, 3.2
        raise Refusal("MALFORMED_REQUEST", f"Host: the request has {hosts} of it; send one")


def _check_coding(version: str, codings: list[bytes]) -> None:
    """What a proxy and we might understand differently is refused (RFC 9112, 6.1)."""
    if codings != [b"chunked"] or version == "1.0":
        raise Refusal("MALFORMED_REQUEST", "Transfer-Encoding: it can only be chunked, in HTTP/1.1")


def origin_form(url: bytes, method: str) -> bytes:
    """The target of a request, as if we were no proxy and not asked as a whole (RFC 9112, 3.2.2 and 3.2.4)."""
    if url == b"*" and method == "OPTIONS":
        return b"/"
    if absolute := ABSOLUTE.fullmatch(url):
        rest: bytes = absolute["rest"]
        return rest if rest[:1] == b"/" else b"/" + rest
    raise Refusal("MALFORMED_REQUEST", f"the target {url[:100].decode('latin-1')!r} is no path")


def bare_kind(kind: bytes) -> bytes:
    """A Content-Type without its parameters."""
    return kind.split(b";")[0].strip().lower()


def is_json(fields: Mapping[bytes, bytes]) -> bool:
    kind = fields.get(b"content-type", JSON)
    return kind == JSON or bare_kind(kind) == JSON


def said_length(content_length: bytes) -> int | None:
    """What a Content-Length says, which may be as many digits as there is room for in a head. None for what is none."""
    if not content_length.isdigit():
        return None
    digits = content_length.lstrip(b"0")
    return int(digits or b"0") if len(digits) < len(str(sys.maxsize)) else sys.maxsize
