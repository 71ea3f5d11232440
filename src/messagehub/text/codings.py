"""The data_coding octet: 3GPP TS 23.038, section 4, and what SMPP 3.4, section 5.2.19, lays over its first values."""

import re
from functools import cache
from typing import Literal

from msgspec import Struct

Charset = Literal[
    "default",
    "ascii",
    "octets",
    "latin1",
    "jis",
    "cyrillic",
    "hebrew",
    "ucs2",
    "pictogram",
    "music",
    "extended_kanji",
    "korean",
    "compressed",
]
"""`default` is what the SMSC takes for its default alphabet; `octets` are no text; `compressed` is TS 23.042."""


class Waiting(Struct, frozen=True):
    """Message waiting indication: `active` says that there is something, not `kept` that the text may be discarded."""

    kind: Literal["voicemail", "fax", "email", "other"]
    active: bool
    kept: bool


class DataCoding(Struct, frozen=True):
    """What the octet says. `message_class` is 0 (flash: shown at once, not kept) to 3, None where none is given."""

    charset: Charset
    message_class: int | None = None
    waiting: Waiting | None = None


# --- SMPP 3.4, 5.2.19 -------------------------------------------------------------------------------------------------
_SMPP: tuple[Charset, ...] = (
    "default",
    "ascii",  # IA5
    "octets",
    "latin1",
    "octets",
    "jis",  # JIS X 0208-1990
    "cyrillic",  # ISO-8859-5
    "hebrew",  # ISO-8859-8
    "ucs2",
    "pictogram",
    "music",  # ISO-2022-JP
    "default",  # reserved
    "default",  # reserved
    "extended_kanji",  # JIS X 0212-1990
    "korean",  # KS C 5601
    "default",  # reserved
)

# --- TS 23.038, section 4: the bits of all others; the first row that matches counts ----------------------------------
_GROUPS: tuple[tuple[str, Charset], ...] = (
    ("0.1.....", "compressed"),
    ("0...00..", "default"),
    ("0...01..", "octets"),
    ("0...10..", "ucs2"),
    ("110.....", "default"),  # message waiting
    ("1110....", "ucs2"),  # message waiting
    ("1111.0..", "default"),
    ("1111.1..", "octets"),
    ("........", "default"),  # reserved: to be taken for the default alphabet
)
_HAS_CLASS = re.compile("0..1|1111").match
_WAITING = re.compile("110|1110").match
_KINDS: tuple[Literal["voicemail", "fax", "email", "other"], ...] = ("voicemail", "fax", "email", "other")


@cache
def read_data_coding(octet: int) -> DataCoding:
    """What an octet (0..255) says; all of them say something."""
    if octet < len(_SMPP):
        return DataCoding(_SMPP[octet])
    bits = f"{octet:08b}"
    charset = next(charset for pattern, charset in _GROUPS if re.fullmatch(pattern, bits))
    waiting = Waiting(_KINDS[octet & 3], active=bits[4] == "1", kept=octet >= 0xD0) if _WAITING(bits) else None
    return DataCoding(charset, octet & 3 if _HAS_CLASS(bits) else None, waiting)


# Where several octets say the same, the one that most peers know: SMPP's own, then the group for classes alone.
_PREFERRED = (*range(0x10), *range(0xF0, 0x100), *range(0x10, 0x20))


@cache
def data_coding_of(charset: Charset, message_class: int | None = None) -> int | None:
    """The octet that says so; None where none can: only `default`, `octets` and `ucs2` can have a class."""
    wanted = DataCoding(charset, message_class)
    return next((octet for octet in _PREFERRED if read_data_coding(octet) == wanted), None)
