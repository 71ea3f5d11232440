"""What a carrier takes: its alphabets, its languages, and how it is told which parts belong together."""

from functools import cached_property, lru_cache
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from messagehub.text.alphabets import ASCII, GSM_7, GSM_7_PACKED, LATIN_1, UCS_2, Alphabet, national
from messagehub.text.codings import data_coding_of
from messagehub.text.inbound import DefaultAlphabet
from messagehub.text.packing import fill_bits, pack
from messagehub.text.udh import LOCKING_SHIFT, SINGLE_SHIFT, Concatenation, Element, build_header

Way = Literal["udh8", "udh16", "sar", "payload"]
"""How parts are told to be of one message: by a user data header with an 8-bit or a 16-bit reference (TS 23.040,
9.2.3.24.1 and 9.2.3.24.8); by SMPP's sar_* parameters; or not at all, since the SMSC does the cutting of one
message_payload (SMPP 3.4, 5.3.2.22 to 5.3.2.24 and 5.3.2.32)."""

USER_DATA = 140
"""Octets of user data in one short message (TS 23.040, 9.2.3.24)."""

# What each way takes of a part over the air. In the last two it is the SMSC that writes the header, into room that must
# be there; its own reference is of 8 bits as a rule.
_ONE = Concatenation(0, 1, 1, 8).element
_CONCATENATION: dict[Way, Element] = {
    "udh8": _ONE,
    "udh16": Concatenation(0, 1, 1, 16).element,
    "sar": _ONE,
    "payload": _ONE,
}
_DEFAULTS: dict[DefaultAlphabet, Alphabet] = {
    "gsm7": GSM_7,
    "gsm7_packed": GSM_7_PACKED,
    "latin1": LATIN_1,
    "ascii": ASCII,
}


class Form(Struct, frozen=True):
    """One of the forms in which a carrier takes a text. A message holds `alone` units, a part of one `in_part`.

    `header` is that of a message alone: the languages of its tables, or nothing.
    """

    alphabet: Alphabet
    data_coding: int
    header: bytes
    alone: int
    in_part: int

    def divide(self, text: str) -> list[str]:
        if self.alphabet.fits(text, self.alone):
            return [text]
        return list(self.alphabet.split(text, self.in_part))

    def octets(self, text: str, header: bytes) -> bytes:
        """`text` as it goes on the wire behind a header."""
        units = self.alphabet.encode(text)
        return header + (pack(units, fill_bits(len(header))) if self.alphabet.packed else units)


class Profile(Struct, frozen=True, kw_only=True, dict=True):
    """What a carrier takes. ValueError, which names the member, where that cannot be.

    `alphabet` is what data_coding 0 means there; `latin1`: a text may go as Latin-1 (data_coding 3), rather than as
    UCS-2; `languages` are those of TS 23.038 annex A whose tables it passes on, and its handsets know, such as
    "turkish"; `message_class` 0 makes a text flash.
    """

    alphabet: DefaultAlphabet = "gsm7"
    latin1: bool = False
    concatenation: Way = "udh8"
    languages: tuple[str, ...] = ()
    message_class: int | None = None

    def __post_init__(self) -> None:
        _one_of("alphabet", self.alphabet, get_args(DefaultAlphabet))
        _one_of("concatenation", self.concatenation, get_args(Way))
        _one_of("message_class", self.message_class, (None, 0, 1, 2, 3))
        force_setattr(self, "languages", tuple(self.languages))
        if self.languages:
            self._check_languages()

    def _check_languages(self) -> None:
        from messagehub.text.national import LANGUAGES

        for language in self.languages:
            _one_of("languages", language, tuple(LANGUAGES))
        if _DEFAULTS[self.alphabet].name != "GSM-7":
            raise ValueError(f"languages: they need GSM 7-bit, where the alphabet is {self.alphabet}")

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """The forms without national tables, the shortest first; the last has every character."""
        alphabets = [(_DEFAULTS[self.alphabet], data_coding_of("default", self.message_class))]
        if self.latin1:
            alphabets.append((LATIN_1, data_coding_of("latin1", self.message_class)))
        alphabets.append((UCS_2, data_coding_of("ucs2", self.message_class)))
        return tuple(self._form(alphabet, coding) for alphabet, coding in alphabets if coding is not None)

    @cached_property
    def national_forms(self) -> tuple[Form, ...]:
        """The forms with national tables, those of each language with the smaller headers first."""
        if not self.languages:
            return ()
        from messagehub.text.national import LANGUAGES, LOCKING

        coding, packed = self.forms[0].data_coding, self.alphabet == "gsm7_packed"
        pairs = [
            pair
            for language in map(LANGUAGES.__getitem__, self.languages)
            for pair in ((0, language), (language, 0), (language, language))
            if pair[0] in LOCKING
        ]
        return tuple(self._form(national(*pair, packed), coding, _shifts(*pair)) for pair in pairs)

    def _form(self, alphabet: Alphabet, data_coding: int, shifts: tuple[Element, ...] = ()) -> Form:
        alone = build_header(shifts) if shifts else b""
        in_part = build_header((_CONCATENATION[self.concatenation], *shifts))
        return Form(alphabet, data_coding, alone, _room(alphabet, alone), _room(alphabet, in_part))


def _one_of(member: str, value: object, values: tuple[object, ...]) -> None:
    if value not in values:
        raise ValueError(f"{member}: {value!r} is none of {', '.join(map(str, values))}")


def _shifts(locking: int, single: int) -> tuple[Element, ...]:
    named = ((SINGLE_SHIFT, single), (LOCKING_SHIFT, locking))
    return tuple(Element(identifier, bytes([language])) for identifier, language in named if language)


def _room(alphabet: Alphabet, header: bytes) -> int:
    return 8 * (USER_DATA - len(header)) // alphabet.bits


@lru_cache(maxsize=256)
def with_class(profile: Profile, message_class: int | None) -> Profile:
    """The profile for messages of a class; itself where they have none."""
    return profile if message_class is None else replace(profile, message_class=message_class)


STANDARD = Profile()
"""The GSM default alphabet with a septet in each octet, else UCS-2; headers with 8-bit references."""
