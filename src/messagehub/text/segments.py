"""Segmentation: the one place that counts segments, and cuts them (3GPP TS 23.040, section 9.2.3.24.1).

A text goes in the first alphabet of the carrier that has all its characters; the last, UCS-2, has them all. Where the
carrier takes national language tables, and a text needs fewer segments by one of them, it goes so.
"""

import re
from collections.abc import Callable

from msgspec import Struct

from messagehub.text.alphabets import Encoding
from messagehub.text.gsm import ONE_SEPTET, encode_gsm
from messagehub.text.profile import STANDARD, Form, Profile, Way
from messagehub.text.udh import REFERENCE_OCTETS, Concatenation

MAX_PARTS = 255


class TooManyParts(ValueError):
    """The text needs more parts than the 255 that a concatenation header can number."""

    def __init__(self, parts: int) -> None:
        super().__init__(f"{parts} parts, where a message has at most {MAX_PARTS}")
        self.parts = parts


class Segmentation(Struct, frozen=True):
    """How a text is cut. The join of `segments` is the text; a text without characters is one empty segment.

    `units` are those of the whole text, and `units_per_part` what a part can hold. With a standard carrier those are
    septets (160 alone, 153 as one of several) for GSM-7, UTF-16 code units (70 or 67) for UCS-2.
    """

    encoding: Encoding
    units: int
    units_per_part: int
    segments: tuple[str, ...]

    @property
    def parts(self) -> int:
        return len(self.segments)


class Segment(Struct):
    """One piece on the wire: `octets` begin with a user data header where `udhi`; `text` is what they say.

    `sar` is for SMPP's sar_* parameters, None where there is nothing to say in them. Where `payload` is not 0, the
    octets are for message_payload, of which the SMSC will make about so many parts.
    """

    data_coding: int
    udhi: bool
    octets: bytes
    text: str
    sar: Concatenation | None = None
    payload: int = 0


# Most texts are of this kind, and one look is enough for them.
_PLAIN = STANDARD.forms[0]
_short_and_plain = re.compile(f"[{re.escape(ONE_SEPTET)}]{{0,{_PLAIN.alone}}}").fullmatch


def segment(text: str, profile: Profile = STANDARD) -> Segmentation:
    """Cut `text` and tell how. For message_payload this is a forecast: the cutting is the SMSC's."""
    form, pieces = _divide(text, profile)
    room = form.alone if len(pieces) == 1 else form.in_part
    return Segmentation(form.alphabet.name, form.alphabet.units(text), room, tuple(pieces))


def count_parts(text: str, profile: Profile = STANDARD) -> int:
    """The number of parts of `text`: always that of `segment(text, profile)`."""
    if profile is STANDARD and _short_and_plain(text):
        return 1
    return len(_divide(text, profile)[1])


def cut(text: str, reference: int, profile: Profile = STANDARD) -> list[Segment]:
    """The segments of `text` as they go on the wire, in order: as many as it has parts, but one for message_payload.

    `reference` may be any integer, such as a counter: its low octet or two tell the parts from those of other messages.
    Raises TooManyParts above 255.
    """
    if profile is STANDARD and _short_and_plain(text):
        return [Segment(0, False, encode_gsm(text), text)]
    form, pieces = _divide(text, profile)
    if len(pieces) > MAX_PARTS:
        raise TooManyParts(len(pieces))
    if len(pieces) == 1 and profile.concatenation != "payload":
        return [Segment(form.data_coding, bool(form.header), form.octets(text, form.header), text)]
    return _MARKED[profile.concatenation](form, pieces, reference)


# --- Which form ------------------------------------------------------------------------------------------------------


def _divide(text: str, profile: Profile) -> tuple[Form, list[str]]:
    for form in profile.forms:
        if not form.alphabet.lacks(text):  # the last lacks nothing
            break
    pieces = form.divide(text)
    # What is beyond any number of parts need not be tried in each language.
    if profile.languages and len(pieces) > 1 and len(text) <= MAX_PARTS * _PLAIN.alone:
        return _shortest(text, profile, (form, pieces))
    return form, pieces


def _shortest(text: str, profile: Profile, best: tuple[Form, list[str]]) -> tuple[Form, list[str]]:
    for form in profile.national_forms:
        if not form.alphabet.lacks(text):
            pieces = form.divide(text)
            best = (form, pieces) if len(pieces) < len(best[1]) else best
    return best


# --- How parts are told to be of one message -------------------------------------------------------------------------

_Marking = Callable[[Form, list[str], int], list[Segment]]


def _by_header(identifier: int) -> _Marking:
    size = REFERENCE_OCTETS[identifier]

    def mark(form: Form, pieces: list[str], reference: int) -> list[Segment]:
        languages = form.header[1:]
        number = (reference % (1 << 8 * size)).to_bytes(size)
        start = bytes((4 + size + len(languages), identifier, 2 + size)) + number + bytes((len(pieces),))
        return [
            Segment(form.data_coding, True, form.octets(piece, start + bytes((sequence,)) + languages), piece)
            for sequence, piece in enumerate(pieces, start=1)
        ]

    return mark


def _by_sar(form: Form, pieces: list[str], reference: int) -> list[Segment]:
    return [
        Segment(
            form.data_coding,
            bool(form.header),
            form.octets(piece, form.header),
            piece,
            sar=Concatenation(reference % (1 << 16), len(pieces), sequence, 16),
        )
        for sequence, piece in enumerate(pieces, start=1)
    ]


def _in_payload(form: Form, pieces: list[str], reference: int) -> list[Segment]:
    text = "".join(pieces)
    octets = form.octets(text, form.header)
    return [Segment(form.data_coding, bool(form.header), octets, text, payload=len(pieces))]


_MARKED: dict[Way, _Marking] = {
    "udh8": _by_header(0x00),
    "udh16": _by_header(0x08),
    "sar": _by_sar,
    "payload": _in_payload,
}
