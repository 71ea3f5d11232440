"""The alphabets in which a text can be sent, and how a text is cut in each.

No part ends within an escape pair or a surrogate pair, nor within what a reader sees as one character (a grapheme
cluster of Unicode, UAX 29), as long as a part can hold that.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal

from msgspec import Struct

from messagehub.text.gsm import ESCAPE, NOT_GSM, decode_gsm, encode_gsm
from messagehub.text.ucs2 import encode_ucs2

Encoding = Literal["GSM-7", "Latin-1", "ASCII", "UCS-2"]

Fitting = Callable[[str, int], int]
"""How many code points from the start of a text fit so many units; the text has no more code points than units."""

_ESCAPE = bytes([ESCAPE])


class Alphabet(Struct, frozen=True):
    """`bits` are those of a unit over the air; `encode` gives an octet for a unit, or two for one of 16 bits.

    `lacks` finds something in a text that the alphabet does not have; `split` cuts a text into parts of so many units.
    """

    name: Encoding
    bits: int
    lacks: Callable[[str], object]
    encode: Callable[[str], bytes]
    split: Callable[[str, int], Iterator[str]]
    packed: bool = False

    def units(self, text: str) -> int:
        octets = len(self.encode(text))
        return octets // 2 if self.bits == 16 else octets

    def fits(self, text: str, room: int) -> bool:
        units = self.units(text)
        return units < room or (units == room and not (self.packed and text.endswith("\r")))


def _nothing(text: str) -> None:
    return None


# --- Cutting ---------------------------------------------------------------------------------------------------------


def _split_gsm(text: str, room: int) -> Iterator[str]:
    octets, start = encode_gsm(text), 0
    while start < len(octets):
        end = start + room
        # CR LF is the one cluster of several characters that this alphabet can write.
        if octets[end - 1 : end] == _ESCAPE or octets[end - 1 : end + 1] == b"\r\n":
            end -= 1
        yield decode_gsm(octets[start:end])
        start = end


def _splitting(fitting: Fitting) -> Callable[[str, int], Iterator[str]]:
    def split(text: str, room: int) -> Iterator[str]:
        start = 0
        while start < len(text):
            end = _whole_clusters(text, start, start + fitting(text[start : start + room], room))
            yield text[start:end]
            start = end

    return split


def _whole_clusters(text: str, start: int, end: int) -> int:
    """The last place up to `end` that is not within a cluster; `end` itself if one cluster fills it all."""
    if end == len(text):
        return end
    import regex  # late: it takes 10 ms to load, and most texts have one part

    # Whether a cluster ends at `end` is decided by what is before it and by the one character behind it.
    last: str = regex.findall(r"\X", text[start : end + 1])[-1]
    return end + 1 - len(last) if len(last) <= end - start else end


def _octets_fitting(text: str, room: int) -> int:
    return len(text)


def _ucs2_fitting(text: str, room: int) -> int:
    """A pair cut in two at the end does not fit."""
    return len(encode_ucs2(text)[: 2 * room].decode("utf-16-be", "ignore"))


def _septets_fitting(encode: Callable[[str], bytes], packed: bool) -> Fitting:
    """An escape at the end does not fit; nor does a packed CR, which would pass for filling (TS 23.038, 6.1.2.3.1)."""
    barred = _ESCAPE + b"\r" if packed else _ESCAPE

    def fitting(text: str, room: int) -> int:
        septets = encode(text)[:room]
        if len(septets) == room and septets[-1] in barred:
            septets = septets[:-1]
        return len(septets) - septets.count(_ESCAPE)

    return fitting


# --- The alphabets ---------------------------------------------------------------------------------------------------

GSM_7 = Alphabet("GSM-7", 7, NOT_GSM.search, encode_gsm, _split_gsm)
UCS_2 = Alphabet("UCS-2", 16, _nothing, encode_ucs2, _splitting(_ucs2_fitting))
LATIN_1 = Alphabet(
    "Latin-1", 8, re.compile("[^\0-\xff]").search, lambda text: text.encode("latin-1"), _splitting(_octets_fitting)
)
ASCII = Alphabet(
    "ASCII", 7, re.compile("[^\0-\x7f]").search, lambda text: text.encode("ascii"), _splitting(_octets_fitting)
)
GSM_7_PACKED = Alphabet(
    "GSM-7", 7, NOT_GSM.search, encode_gsm, _splitting(_septets_fitting(encode_gsm, packed=True)), packed=True
)


@cache
def national(locking: int, single: int, packed: bool) -> Alphabet:
    """GSM 7-bit with the tables of two languages, 0 for the default ones."""
    from messagehub.text.national import shifted

    tables = shifted(locking, single)
    lacks = re.compile(f"[^{re.escape(tables.characters)}]").search
    split = _splitting(_septets_fitting(tables.encode, packed))
    return Alphabet("GSM-7", 7, lacks, tables.encode, split, packed)
