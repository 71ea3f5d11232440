"""What came in, as text: the whole data_coding octet decides, and the tables that the user data header names."""

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Literal, NamedTuple

from msgspec import Struct

from messagehub.text.codings import Charset, read_data_coding
from messagehub.text.gsm import decode_gsm
from messagehub.text.packing import fill_bits, unpack
from messagehub.text.ucs2 import REPLACEMENT, decode_ucs2
from messagehub.text.udh import LOCKING_SHIFT, SINGLE_SHIFT, Concatenation, UserData, parse_user_data

DefaultAlphabet = Literal["gsm7", "gsm7_packed", "latin1", "ascii"]
"""What an SMSC takes for its default alphabet: GSM 7-bit, with a septet in each octet or packed, or no GSM at all."""


class Decoded(Struct, frozen=True):
    """An inbound segment. `text` has no NUL and no surrogate, so any store can keep it.

    `concatenation` is None where the user data header speaks of none. Where `clean` is False, `text` is not all that
    was said, and the octets are worth keeping: they were binary or compressed, or had a header that cannot be read or
    that names an unknown language, or U+FFFD stands for something that could not be decoded.
    """

    text: str
    concatenation: Concatenation | None
    clean: bool


class Piece(NamedTuple):
    """An inbound segment as it was on the wire: the arguments of `decode`."""

    data_coding: int
    octets: bytes
    udhi: bool


def decode(data_coding: int, octets: bytes, udhi: bool, default: DefaultAlphabet = "gsm7") -> Decoded:
    """Decode the `short_message` of a deliver_sm; `udhi` says that it begins with a user data header. Never raises.

    `default` is the default alphabet of the SMSC.
    """
    content = _open(data_coding, octets, udhi, default)
    text = _text(content.script, content.units)
    return Decoded(text, content.concatenation, content.intact and REPLACEMENT not in text)


def join(pieces: Iterable[Piece], default: DefaultAlphabet = "gsm7") -> Decoded:
    """The text of consecutive parts of one message, in order, as if they had come as one. Never raises.

    Some peers cut at any octet. So a character whose halves are in two parts (an escape and its code, a pair of
    surrogates, several octets) comes out whole, as long as both parts are in the same alphabet.
    """
    contents = [_open(*piece, default) for piece in pieces]
    runs = groupby(contents, key=lambda content: content.script)
    text = "".join(_joined(script, [content.units for content in run]) for script, run in runs)
    return Decoded(text, None, all(content.intact for content in contents) and REPLACEMENT not in text)


def _joined(script: "_Script", units: list[bytes]) -> str:
    text = _text(script, b"".join(units))
    if REPLACEMENT not in text:
        return text
    # One octet too many in a part would make nonsense of all behind it, if it were taken as half a character.
    apart = "".join(_text(script, part) for part in units)
    return text if text.count(REPLACEMENT) < apart.count(REPLACEMENT) else apart


# --- What there is to decode -----------------------------------------------------------------------------------------


class _Script(NamedTuple):
    """All that says how to decode: a charset, and for septets the languages of their tables."""

    charset: Charset | DefaultAlphabet
    locking: int = 0
    single: int = 0


class _Content(NamedTuple):
    script: _Script
    units: bytes  # without header; septets one per octet
    concatenation: Concatenation | None
    intact: bool


_SEPTETS = ("gsm7", "gsm7_packed")
_NO_TEXT = ("octets", "compressed")


def _open(data_coding: int, octets: bytes, udhi: bool, default: DefaultAlphabet) -> _Content:
    charset: Charset | DefaultAlphabet = read_data_coding(data_coding & 0xFF).charset
    if charset in _THE_DEFAULT:
        charset = default
    if not udhi:
        units = unpack(octets) if charset == "gsm7_packed" else octets
        return _Content(_Script(charset), units, None, charset not in _NO_TEXT)
    data = parse_user_data(octets)
    script, known = _script(charset, data)
    units = data.payload
    if charset == "gsm7_packed":
        units = unpack(units, fill_bits(len(octets) - len(units)))
    return _Content(script, units, data.concatenation, data.intact and known and charset not in _NO_TEXT)


def _script(charset: Charset | DefaultAlphabet, data: UserData) -> tuple[_Script, bool]:
    """Which tables to use, and whether all that the header names are known."""
    locking, single = data.element(LOCKING_SHIFT), data.element(SINGLE_SHIFT)
    if charset not in _SEPTETS or (locking is None and single is None):
        return _Script(charset), True
    from messagehub.text.national import LOCKING, SINGLE

    named = [_language(element, table) for element, table in ((locking, LOCKING), (single, SINGLE))]
    return _Script(charset, *(language or 0 for language in named)), None not in named


def _language(element: bytes | None, tables: dict[int, str]) -> int | None:
    """0 where no element names one, None where it names one that is not known: it is to be ignored then."""
    if element is None:
        return 0
    return element[0] if len(element) == 1 and element[0] in tables else None


# --- Decoding --------------------------------------------------------------------------------------------------------


def _text(script: _Script, units: bytes) -> str:
    if script.locking or script.single:
        from messagehub.text.national import shifted

        return shifted(script.locking, script.single).decode(units)
    return _DECODERS[script.charset](units).replace("\0", REPLACEMENT)


def _no_text(octets: bytes) -> str:
    return re.sub("[^ -~]", REPLACEMENT, octets.decode("latin-1"))


def _codec(name: str) -> Callable[[bytes], str]:
    return lambda octets: octets.decode(name, "replace")


_THE_DEFAULT = ("default", "pictogram")  # there is no codec for pictograms
_DECODERS: dict[str, Callable[[bytes], str]] = {
    "gsm7": decode_gsm,
    "gsm7_packed": decode_gsm,
    "ascii": _codec("ascii"),
    "latin1": _codec("latin_1"),
    "octets": _no_text,
    "compressed": _no_text,
    "jis": _codec("iso2022_jp"),
    "music": _codec("iso2022_jp"),
    "extended_kanji": _codec("iso2022_jp_1"),
    "cyrillic": _codec("iso8859_5"),
    "hebrew": _codec("iso8859_8"),
    "ucs2": decode_ucs2,
    "korean": _codec("euc_kr"),
}
