"""What is said over HTTP in the same way, whoever says it. Pure."""

import json
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from messagehub.mms import charsets, headers
from messagehub.web import Answer

_STRAY = {0xDC00 + octet: bytes([octet]).decode("windows-1252", "replace") for octet in range(0x80, 0x100)}
"""What octets that are no UTF-8 most likely are, by what `surrogateescape` makes of them."""


def retry_after(answer: Answer) -> float:
    """Seconds by Retry-After (RFC 9110, section 10.2.3); 0 where it says nothing that can be read.

    A date there counts from the answer's own, as clocks differ.
    """
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdecimal():
        return float(said) if len(said) < 9 else 0
    until, since = _moment(said), _moment(answer.headers.get("date", ""))
    return max(until - since, 0) if until and since else 0


def _moment(date: str) -> float:
    try:
        read = parsedate_to_datetime(date)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0


def decoded(octets: bytes, charset: str = "") -> str:
    """In the charset that is said, if that is known; else UTF-8, whose stray octets are Windows-1252."""
    if charsets.codec_of(charset) in (None, charsets.DEFAULT):
        return octets.decode("utf-8-sig", "surrogateescape").translate(_STRAY)
    return charsets.decode(octets, charset)


def charset_of(content_type: str) -> str:
    _, parameters = headers.parse(content_type)
    return parameters.get("charset", "")


def pairs_of(octets: bytes, charset: str = "", most: int | None = None) -> list[tuple[str, str]]:
    """Those of a form or of a query. ValueError where there are more than `most`."""
    read = parse_qsl(octets.decode("latin-1"), keep_blank_values=True, encoding="latin-1", max_num_fields=most)
    octets_read = ((name.encode("latin-1"), value.encode("latin-1")) for name, value in read)
    return [(decoded(name, charset), decoded(value, charset)) for name, value in octets_read]


def json_of(octets: bytes, content_type: str = "") -> Any:
    """A value of JSON; None where it is none.

    It should be UTF-8 (RFC 8259, section 8.1), and many who write it know nothing of that, or cut a text within a
    pair of surrogates: a half of one becomes "?".
    """
    try:
        return msgspec.json.decode(octets)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    except RecursionError:
        return None
    try:
        value = json.loads(decoded(octets, charset_of(content_type)))
        return msgspec.json.decode(json.dumps(value, ensure_ascii=False).encode(errors="replace"))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
