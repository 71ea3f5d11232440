"""UCS-2 as it is on the wire today: UTF-16, big-endian, without a byte order mark (TS 23.038, section 6.2.3)."""

import re

REPLACEMENT = "\ufffd"

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def encode_ucs2(text: str) -> bytes:
    """Two octets per UTF-16 code unit. A surrogate that stands alone in `text` is sent as U+FFFD. Never raises."""
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError:
        return _SURROGATE.sub(REPLACEMENT, text).encode("utf-16-be")


def decode_ucs2(octets: bytes) -> str:
    """The text of UTF-16BE octets. A lone surrogate or an odd last octet becomes U+FFFD. Never raises."""
    return octets.decode("utf-16-be", "replace")
