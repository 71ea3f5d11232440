"""National language tables: 3GPP TS 23.038, annex A; their identifiers are those of section 6.2.1.2.4.

A locking shift table takes the place of the default alphabet, a single shift table that of its extension table. Which
of them a message uses is said by its user data header (TS 23.040, 9.2.3.24.15 and 9.2.3.24.16). Loaded only by who
meets one of them.

The standard has misprints: Kannada 0x24 (locking), Oriya 0x20, Tamil 0x24, Telugu 0x1C, 0x22 and 0x23 (single), not all
of them in every edition. They are taken here, as elsewhere, for the letters that are due; and 0x11 of Tamil and Telugu
for empty, where Unicode has no letter.
"""

import codecs
import re
from functools import lru_cache

from messagehub.text.gsm import BASIC, ESCAPE, EXTENSION

# In the frames below: where the letters of a language go, in order, and what stands for no character.
_LETTER, _NOTHING = "\u25a1", "\u25a0"
UNDEFINED = "\ufffe"
"""Holds the place of no character in a table; a decoder shows it as U+FFFD."""

# --- Turkish, Spanish, Portuguese: a code and what stands there instead of what the default tables have ---------------

_TURKISH = "04€ 07ı 0BĞ 0Cğ 1CŞ 1Dş 40İ 60ç"
_TURKISH_SINGLE = "47Ğ 49İ 53Ş 63ç 67ğ 69ı 73ş"
_SPANISH_SINGLE = "09ç 41Á 49Í 4FÓ 55Ú 61á 69í 6Fó 75ú"
_PORTUGUESE = (
    "04ê 06ú 07í 08ó 09ç 0BÔ 0Cô 0EÁ 0Fá 12ª 13Ç 14À 15∞ 16^ 17\\ 18€ 19Ó 1A| 1CÂ 1Dâ 1EÊ "
    "24º 40Í 5BÃ 5CÕ 5DÚ 60~ 7Bã 7Cõ 7D`"
)
_PORTUGUESE_SINGLE = (
    "05ê 09ç 0BÔ 0Cô 0EÁ 0Fá 12Φ 13Γ 15Ω 16Π 17Ψ 18Σ 19Θ 1FÊ 41À 49Í 4FÓ 55Ú 5BÃ 5CÕ 61Â 69í 6Fó 75ú 7Bã 7Cõ 7Fâ"
)

# --- The languages of India and Pakistan share two frames -------------------------------------------------------------

_LOCKING_FRAME = (
    "□□□□□□□□□□\n□□\r□□"
    "□□□□□□□□□□□\x1b□□□□"
    " !□□□□□□)(□□,□.□"
    "0123456789:;□□□?"
    "□□□□□□□□□□□□□□□□"
    "□□□□□□□□□□□□□□□□"
    "□abcdefghijklmno"
    "pqrstuvwxyz□□□□□"
)
_SINGLE_FRAME = (
    "@£$¥¿\"¤%&'\f*+■-/"
    "<=>¡^¡_#*□□■□□□□"
    "□□□□□□□□{}□□□□□\\"
    "□□□□□□□□□□□□[~]□"
    "|ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZ■■■■■"
    "■■■■■€■■■■■■■■■■"
    "■■■■■■■■■■■■■■■■"
)

# The blocks of Unicode for the scripts of India run in parallel, and the locking tables follow them: these places of a
# block, then six more letters.
_PLACES = (*range(0x01, 0x04), *range(0x05, 0x3A), *range(0x3C, 0x4E))


def _letters(block: int, lacking: str, more: str) -> str:
    """The letters of a locking table, in order; `lacking` are the places of the block where the script has none."""
    without = bytes.fromhex(lacking)
    return "".join(UNDEFINED if place in without else chr(block + place) for place in _PLACES) + more


_LOCKING_LETTERS = {
    4: _letters(0x0980, "0d0e111229313334354546494a", "\u09ce\u09d7\u09dc\u09dd\u09f0\u09f1"),
    5: _letters(0x0A80, "0e12293134464a", "\u0ad0\u0ae0\u0ae1\u0ae2\u0ae3\u0af1"),
    6: _letters(0x0900, "", "\u0950\u0972\u097b\u097c\u097e\u097f"),
    7: _letters(0x0C80, "010d1129344549", "\u0cd5\u0cd6\u0ce0\u0ce1\u0ce2\u0ce3"),
    8: _letters(0x0D00, "010d11293c4549", "\u0d57\u0d60\u0d61\u0d62\u0d63\u0d79"),
    9: _letters(0x0B00, "0d0e11122931344546494a", "\u0b56\u0b57\u0b60\u0b61\u0b62\u0b63"),
    10: _letters(0x0A00, "0b0c0d0e1112293134373d43444546494a", "\u0a51\u0a70\u0a71\u0a72\u0a73\u0a74"),
    11: _letters(0x0B80, "010b0c0d111617181b1d2021222526272b2c2d3c3d43444549", "\u0bd0\u0bd7\u0bf0\u0bf1\u0bf2\u0bf9"),
    12: _letters(0x0C00, "0d1129343c4549", "\u0c55\u0c56\u0c60\u0c61\u0c62\u0c63"),
    13: (
        "\u0627\u0622\u0628\u067b\u0680\u067e\u06a6\u062a\u06c2\u067f\u0679\u067d\u067a\u067c"
        "\u062b\u062c\u0681\u0684\u0683\u0685\u0686\u0687\u062d\u062e\u062f\u068c\u0688\u0689\u068a"
        "\u068f\u068d\u0630\u0631\u0691\u0693\u0699\u0632\u0696\u0698\u069a\u0633\u0634"
        "\u0635\u0636\u0637\u0638\u0639\u0641\u0642\u06a9\u06aa\u06ab\u06af\u06b3\u06b1\u0644\u0645\u0646"
        "\u06ba\u06bb\u06bc\u0648\u06c4\u06d5\u06c1\u06be\u0621\u06cc\u06d0\u06d2\u064d\u0650\u064f\u0657"
        "\u0654\u0655\u0651\u0653\u0656\u0670"
    ),
}


def _run(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))


_DANDAS = "\u0964\u0965"
_SINGLE_LETTERS = {
    4: _run(0x09E6, 0x09EF) + _run(0x09DF, 0x09E3) + _run(0x09F2, 0x09FA),
    5: _DANDAS + _run(0x0AE6, 0x0AEF),
    6: _DANDAS + _run(0x0966, 0x096F) + _run(0x0951, 0x0954) + _run(0x0958, 0x0963) + "\u0970\u0971",
    7: _DANDAS + _run(0x0CE6, 0x0CEF) + "\u0cde\u0cf1\u0cf2",
    8: _DANDAS + _run(0x0D66, 0x0D75) + _run(0x0D7A, 0x0D7F),
    9: _DANDAS + _run(0x0B66, 0x0B6F) + "\u0b5c\u0b5d\u0b5f\u0b70\u0b71",
    10: _DANDAS + _run(0x0A66, 0x0A6F) + _run(0x0A59, 0x0A5C) + "\u0a5e\u0a75",
    11: _DANDAS + _run(0x0BE6, 0x0BEF) + _run(0x0BF3, 0x0BF8) + "\u0bfa",
    12: 2 * UNDEFINED + _run(0x0C66, 0x0C6F) + "\u0c58\u0c59" + _run(0x0C78, 0x0C7F),
    13: (
        "\u0600\u0601" + _run(0x06F0, 0x06F9) + _run(0x060C, 0x0614)
        + "\u061b\u061f\u0640\u0652\u0658\u066b\u066c\u0672\u0673\u06cd\u06d4"
    ),
}  # fmt: skip


def _filled(frame: str, letters: str) -> str:
    rest = iter(letters)
    drawn = (next(rest, UNDEFINED) if cell == _LETTER else cell for cell in frame)
    return "".join(drawn).replace(_NOTHING, UNDEFINED)


def _changed(table: str, changes: str) -> str:
    there = {int(change[:2], 16): change[2:] for change in changes.split()}
    return "".join(there.get(code, character) for code, character in enumerate(table))


# --- The tables: 128 characters each, a character's place is its code ------------------------------------------------

_EXTENSION = "".join(EXTENSION.get(code, UNDEFINED) for code in range(128))

LANGUAGES = {
    "turkish": 1,
    "spanish": 2,
    "portuguese": 3,
    "bengali": 4,
    "gujarati": 5,
    "hindi": 6,
    "kannada": 7,
    "malayalam": 8,
    "oriya": 9,
    "punjabi": 10,
    "tamil": 11,
    "telugu": 12,
    "urdu": 13,
}
LOCKING = {
    0: BASIC,
    1: _changed(BASIC, _TURKISH),
    3: _changed(BASIC, _PORTUGUESE),
    **{language: _filled(_LOCKING_FRAME, letters) for language, letters in _LOCKING_LETTERS.items()},
}
SINGLE = {
    0: _EXTENSION,
    1: _changed(_EXTENSION, _TURKISH_SINGLE),
    2: _changed(_EXTENSION, _SPANISH_SINGLE),
    3: _changed(_EXTENSION, _PORTUGUESE_SINGLE),
    **{language: _filled(_SINGLE_FRAME, letters) for language, letters in _SINGLE_LETTERS.items()},
}

# --- Encoding and decoding by a pair of them -------------------------------------------------------------------------

_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)
_SHIFTED = 0xE000
"""Added to a code behind an escape, so that both tables can be applied at once."""


class Shifted:
    """Septets, one per octet, by a locking and a single shift table; `characters` are those that they have."""

    __slots__ = ("_characters", "_octets", "characters")

    def __init__(self, locking: str, single: str) -> None:
        self._octets = {
            **{ord(single[code]): bytes((ESCAPE, code)) for code in reversed(range(128))},
            **{ord(locking[code]): bytes((code,)) for code in reversed(range(128))},
        }
        for nothing in (UNDEFINED, chr(ESCAPE)):
            self._octets.pop(ord(nothing), None)
        self.characters = "".join(map(chr, self._octets))
        behind = {code: locking[code] if single[code] == UNDEFINED else single[code] for code in range(128)}
        behind[ESCAPE] = " "
        characters = dict(enumerate(locking)) | {_SHIFTED + code: character for code, character in behind.items()}
        self._characters = {code: character.replace(UNDEFINED, "\ufffd") for code, character in characters.items()}

    def encode(self, text: str) -> bytes:
        """Raises UnicodeEncodeError, which says where, at a character that neither table has."""
        return codecs.charmap_encode(text, "strict", self._octets)[0]

    def decode(self, octets: bytes) -> str:
        """Never raises. As with the default alphabet, what is unknown behind an escape is looked up without it."""
        codes = octets.decode("ascii", "replace")
        return _ESCAPED.sub(_shift, codes).translate(self._characters)


def _shift(pair: re.Match[str]) -> str:
    code = ord(pair[1] or " ")
    return chr(_SHIFTED + code) if code < 128 else pair[1]


@lru_cache(maxsize=32)  # a peer may name any pair
def shifted(locking: int, single: int) -> Shifted:
    """By the identifiers of two languages, 0 for the default. KeyError where the standard has no such table."""
    return Shifted(LOCKING[locking], SINGLE[single])
