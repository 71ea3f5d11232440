"""Segmentation: the one place that counts segments, and cuts them (3GPP TS 23.040, section 9.2.3.24.1).

A text goes in the GSM alphabet if that has all its characters, else in UCS-2. A message of several parts gives six
octets of each to the concatenation header. No part ends within an escape pair or a surrogate pair, nor within what a
reader sees as one character (a grapheme cluster of Unicode, UAX 29), as long as a part can hold that.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from messagehub.text.gsm import ESCAPE, NOT_GSM, ONE_SEPTET, decode_gsm, encode_gsm
from messagehub.text.ucs2 import encode_ucs2
from messagehub.text.udh import concatenation_header

Encoding = Literal["GSM-7", "UCS-2"]

MAX_PARTS = 255


class TooManyParts(ValueError):
    """The text needs more parts than the 255 that a concatenation header can number."""

    def __init__(self, parts: int) -> None:
        super().__init__(f"{parts} parts, where a message has at most {MAX_PARTS}")
        self.parts = parts


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How a text is cut. The join of `segments` is the text; a text without characters is one empty segment.

    `units` are those of the whole text, and `units_per_part` what a part can hold: septets (160 alone, 153 as one of
    several) for GSM-7, UTF-16 code units (70 or 67) for UCS-2.
    """

    encoding: Encoding
    units: int
    units_per_part: int
    segments: tuple[str, ...]

    @property
    def parts(self) -> int:
        return len(self.segments)


@dataclass(slots=True)  # not frozen: that would make one four times as dear
class Segment:
    """One piece on the wire: `octets` begin with a user data header where `udhi`; `text` is what they say."""

    data_coding: int
    udhi: bool
    octets: bytes
    text: str


def segment(text: str) -> Segmentation:
    """Cut `text` and tell how."""
    alphabet, pieces = _divide(text)
    room = alphabet.alone if len(pieces) == 1 else alphabet.in_part
    return Segmentation(alphabet.name, alphabet.units(text), room, tuple(pieces))


def count_parts(text: str) -> int:
    """The number of parts of `text`: always that of `segment(text)`."""
    return len(_divide(text)[1])


def cut(text: str, reference: int) -> list[Segment]:
    """The segments of `text` as they go on the wire, in order.

    `reference` may be any integer, such as a counter: its low octet tells the parts from those of other messages.
    Raises TooManyParts above 255.
    """
    alphabet, pieces = _divide(text)
    total = len(pieces)
    if total == 1:
        return [Segment(alphabet.data_coding, False, alphabet.encode(text), text)]
    if total > MAX_PARTS:
        raise TooManyParts(total)
    return [
        Segment(
            alphabet.data_coding,
            True,
            concatenation_header(reference & 0xFF, total, sequence) + alphabet.encode(piece),
            piece,
        )
        for sequence, piece in enumerate(pieces, start=1)
    ]


# --- How each alphabet is cut ---------------------------------------------------------------------------------------

_ESCAPE = bytes([ESCAPE])


def _split_gsm(text: str, room: int) -> Iterator[str]:
    octets, start = encode_gsm(text), 0
    while start < len(octets):
        end = start + room
        # CR LF is the one cluster of several characters that this alphabet can write.
        if octets[end - 1 : end] == _ESCAPE or octets[end - 1 : end + 1] == b"\r\n":
            end -= 1
        yield decode_gsm(octets[start:end])
        start = end


def _split_ucs2(text: str, room: int) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = _whole_clusters(text, start, start + _fitting(text[start : start + room], room))
        yield text[start:end]
        start = end


def _fitting(text: str, room: int) -> int:
    """How many code points of `text` fit `room` UTF-16 code units: a pair cut in two at the end does not."""
    return len(encode_ucs2(text)[: 2 * room].decode("utf-16-be", "ignore"))


def _whole_clusters(text: str, start: int, end: int) -> int:
    """The last place up to `end` that is not within a cluster; `end` itself if one cluster fills it all."""
    if end == len(text):
        return end
    import regex  # late: it takes 10 ms to load, and most texts have one part

    # Whether a cluster ends at `end` is decided by what is before it and by the one character behind it.
    last: str = regex.findall(r"\X", text[start : end + 1])[-1]
    return end + 1 - len(last) if len(last) <= end - start else end


@dataclass(frozen=True, slots=True)
class _Alphabet:
    name: Encoding
    data_coding: int  # SMPP 3.4, 5.2.19
    octets_per_unit: int
    alone: int
    in_part: int
    encode: Callable[[str], bytes]
    split: Callable[[str, int], Iterator[str]]

    def units(self, text: str) -> int:
        return len(self.encode(text)) // self.octets_per_unit


_GSM_7 = _Alphabet("GSM-7", 0, 1, 160, 153, encode_gsm, _split_gsm)
_UCS_2 = _Alphabet("UCS-2", 8, 2, 70, 67, encode_ucs2, _split_ucs2)

# Most texts are of this kind, and one look is enough for them.
_short_and_plain = re.compile(f"[{re.escape(ONE_SEPTET)}]{{0,{_GSM_7.alone}}}").fullmatch


def _divide(text: str) -> tuple[_Alphabet, list[str]]:
    if _short_and_plain(text):
        return _GSM_7, [text]
    alphabet = _UCS_2 if NOT_GSM.search(text) else _GSM_7
    if alphabet.units(text) <= alphabet.alone:
        return alphabet, [text]
    return alphabet, list(alphabet.split(text, alphabet.in_part))
