"""Charsets of texts, by the names that peers give them; and texts out of octets whose charset is wrong.

Only these are taken: Python knows codecs that are no charsets of texts, or can be made to work for hours.
"""

import re
from collections.abc import Mapping

DEFAULT = "utf-8"

_NAMES = (
    # IANA name or alias, MIBenum (which is how WAP writes charsets, and some gateways leave it so), codec
    ("utf-8 utf8 unicode-1-1-utf-8", "106", "utf-8"),
    ("us-ascii ascii ansi_x3.4-1968", "3", "utf-8"),  # what calls itself ASCII and is not is UTF-8 mostly
    ("iso-8859-1 iso8859-1 latin1 latin-1", "4", "windows-1252"),  # as the WHATWG's Encoding Standard has it
    ("windows-1252 cp1252", "2252", "windows-1252"),
    ("iso-10646-ucs-2 ucs-2 utf-16", "1000 1015", "utf-16"),
    ("utf-16be", "1013", "utf-16-be"),
    ("utf-16le", "1014", "utf-16-le"),
    *((f"iso-8859-{n} iso8859-{n}", str(3 + n), f"iso8859-{n}") for n in range(2, 10)),
    ("iso-8859-15 iso8859-15 latin-9", "111", "iso8859-15"),
    *((f"windows-{n} cp{n}", str(1000 + n), f"cp{n}") for n in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)),
    ("koi8-r", "2084", "koi8-r"),
    ("koi8-u", "2088", "koi8-u"),
    ("shift_jis shift-jis sjis windows-31j", "17 2024", "cp932"),
    ("euc-jp", "18", "euc-jp"),
    ("iso-2022-jp", "39", "iso2022_jp"),
    ("euc-kr ks_c_5601-1987 cp949", "38 36", "cp949"),
    ("gb2312 gbk gb18030", "2025 113 114", "gb18030"),
    ("big5", "2026", "big5"),
    ("tis-620 windows-874", "2259", "cp874"),
)
CODECS: Mapping[str, str] = {
    name: codec for names, numbers, codec in _NAMES for name in (*names.split(), *numbers.split())
}

_BOM = re.compile(rb"\xef\xbb\xbf|\xff\xfe|\xfe\xff")
_BY_BOM: Mapping[bytes, str] = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def codec_of(charset: str) -> str | None:
    """Python's name for a charset that is taken, in any case."""
    return CODECS.get(charset.strip().strip('"').lower())


def decode(octets: bytes, charset: str = DEFAULT) -> str:
    """A text of its own, as `plain` reads it; but a byte order mark counts before the charset."""
    if mark := _BOM.match(octets):
        return octets.decode(_BY_BOM[mark[0]], "replace")
    return plain(octets, charset)


def plain(octets: bytes, charset: str = DEFAULT) -> str:
    """A text within another. What cannot be read becomes U+FFFD.

    A text that claims nothing, or a charset that nobody knows, is UTF-8 if it can be, else Windows-1252.
    """
    codec = codec_of(charset)
    if codec == "utf-16":
        codec = "utf-16-be"  # RFC 2781, section 4.3: without a mark
    if codec is not None:
        return octets.decode(codec, "replace")
    try:
        return octets.decode(DEFAULT)
    except UnicodeDecodeError:
        return octets.decode("windows-1252", "replace")
