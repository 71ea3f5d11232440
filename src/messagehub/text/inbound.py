"""What came in, as text: the whole data_coding octet decides (SMPP 3.4, 5.2.19; 3GPP TS 23.038, section 4)."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from messagehub.text.gsm import decode_gsm
from messagehub.text.ucs2 import REPLACEMENT, decode_ucs2
from messagehub.text.udh import Concatenation, UserData, parse_user_data

_Decoder = Callable[[bytes], str]

# National language tables (TS 23.040, 9.2.3.24.15 and 16): without them, some septets mean other characters.
_SHIFTS = frozenset({0x24, 0x25})


@dataclass(frozen=True, slots=True)
class Decoded:
    """An inbound segment. `text` has no NUL and no surrogate, so any store can keep it.

    `concatenation` is None where the user data header speaks of none. Where `clean` is False, `text` is not all that
    was said, and the octets are worth keeping: they were binary, or had a header that cannot be read or that names a
    national language table, or U+FFFD stands for something that could not be decoded.
    """

    text: str
    concatenation: Concatenation | None
    clean: bool


def decode(data_coding: int, octets: bytes, udhi: bool) -> Decoded:
    """Decode the `short_message` of a deliver_sm; `udhi` says that it begins with a user data header. Never raises."""
    data = parse_user_data(octets) if udhi else UserData((), octets)
    decoder = _DECODERS[data_coding & 0xFF]
    text = decoder(data.payload).replace("\0", REPLACEMENT)
    clean = data.intact and decoder is not _binary and REPLACEMENT not in text and not _is_shifted(data)
    return Decoded(text, data.concatenation, clean)


def _is_shifted(data: UserData) -> bool:
    return not _SHIFTS.isdisjoint(element.identifier for element in data.elements)


def _binary(octets: bytes) -> str:
    return re.sub("[^ -~]", REPLACEMENT, octets.decode("latin-1"))


def _charset(name: str) -> _Decoder:
    return lambda octets: octets.decode(name, "replace")


# --- SMPP 3.4, 5.2.19: the codings that SMPP names itself ------------------------------------------------------------
_SMPP: dict[int, _Decoder] = {
    0x00: decode_gsm,  # the SMSC's default alphabet
    0x01: decode_gsm,  # IA5: letters, digits and most of the punctuation are the same
    0x02: _binary,
    0x03: _charset("latin_1"),
    0x04: _binary,
    0x05: _charset("iso2022_jp"),  # JIS X 0208-1990
    0x06: _charset("iso8859_5"),  # Cyrillic
    0x07: _charset("iso8859_8"),  # Hebrew
    0x08: decode_ucs2,
    0x09: decode_gsm,  # pictograms, for which there is no codec
    0x0A: _charset("iso2022_jp"),  # music codes
    0x0B: decode_gsm,  # reserved
    0x0C: decode_gsm,  # reserved
    0x0D: _charset("iso2022_jp_1"),  # JIS X 0212-1990, extended kanji
    0x0E: _charset("euc_kr"),  # KS C 5601
    0x0F: decode_gsm,  # reserved
}

# --- TS 23.038, section 4: the bits of all others; the first row that matches counts ----------------------------------
_GROUPS: tuple[tuple[str, _Decoder], ...] = (
    ("0.1.....", _binary),  # compressed
    ("0...00..", decode_gsm),
    ("0...01..", _binary),
    ("0...10..", decode_ucs2),  # 0x18 among them: class 0, shown at once
    ("110.....", decode_gsm),  # message waiting
    ("1110....", decode_ucs2),  # message waiting
    ("1111.0..", decode_gsm),
    ("1111.1..", _binary),
    ("........", decode_gsm),  # reserved: to be taken for the default alphabet
)


def _by_group(data_coding: int) -> _Decoder:
    bits = f"{data_coding:08b}"
    return next(decoder for pattern, decoder in _GROUPS if re.fullmatch(pattern, bits))


_DECODERS = tuple(_SMPP.get(data_coding) or _by_group(data_coding) for data_coding in range(256))
