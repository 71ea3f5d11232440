"""A request as octets: headers that cannot end their line, and framing that is ours alone to write (RFC 9112)."""

import re
from collections.abc import Mapping
from functools import lru_cache

from messagehub.web.errors import BadRequest

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OUR_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"})

_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)  # RFC 9110, 5.6.2


@lru_cache(maxsize=256)
def _header_lines(names: tuple[str, ...]) -> str:
    """A template that takes the values of these headers, as names are few and checking them is slow."""
    for name in names:
        if not _TOKEN.fullmatch(name) or name.lower() in OUR_HEADERS:
            raise BadRequest(f"{name!r} is no header that can be given")
    return "".join(name.replace("%", "%%") + ": %s\r\n" for name in names) + "content-length: %d\r\n\r\n"


def octets_of(request_line: str, headers: Mapping[str, str], body: bytes) -> bytes:
    values = headers.values()
    text = "".join(values)
    if not (text.isascii() and text.isprintable()):  # no CR, LF or NUL: a value cannot end its line
        raise BadRequest("a header's value is printable ASCII")
    return (request_line + _header_lines(tuple(headers)) % (*values, len(body))).encode("ascii") + body
