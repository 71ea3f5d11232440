"""Writing a text so that it costs less and looks the same: what typography.py knows, applied where that pays."""

import re
import unicodedata
from collections.abc import Callable

from msgspec import Struct

from messagehub.text.gsm import NOT_GSM, is_gsm
from messagehub.text.profile import STANDARD, Profile
from messagehub.text.segments import count_parts, segment
from messagehub.text.typography import Forcing, replacement
from messagehub.text.ucs2 import encode_ucs2

# A letter and accents of its own, as some systems write é: as one character it may be in the GSM alphabet.
_ACCENTED = re.compile("[A-Za-z][\u0300-\u036f]+")

# To be seen only in what they do to their neighbours: joiners, marks of direction, variation selectors. Beside an
# emoji or a letter of another alphabet that stays, they stay.
_AT_WORK = re.compile("[\u061c\u200c-\u200f\u202a-\u202e\u2066-\u2069\ufe0e\ufe0f]")


class Smart(Struct, frozen=True):
    """`text` as it is better sent; `replaced`, each once, is what is written otherwise, nothing where nothing is."""

    text: str
    replaced: tuple[Forcing, ...]


def smart(text: str, profile: Profile = STANDARD, accents: bool = False) -> Smart:
    """`text` with GSM characters for those that look like them, if it then goes without UCS-2 and in no more parts.

    A text that stays in UCS-2 is changed only where that saves a part. What has been written so is never changed again.
    `accents`: a letter may stand for one with an accent, which does change the look.
    """
    before = segment(text, profile)
    if before.encoding != "UCS-2":
        return Smart(text, ())
    whole = _written(text, lambda character: replacement(character, accents), accents)
    after = segment(whole.text, profile)
    if after.encoding != "UCS-2" and after.parts <= before.parts:
        return whole
    shorter = _written(text, _shorter, False)
    return shorter if count_parts(shorter.text, profile) < before.parts else Smart(text, ())


def _shorter(character: str) -> str | None:
    """A replacement that takes less even in UCS-2, and that leaves alone what stands beside it."""
    found = None if _AT_WORK.match(character) else replacement(character)
    return found if found is not None and len(found) < len(encode_ucs2(character)) // 2 else None


def _written(text: str, replace: Callable[[str], str | None], accents: bool) -> Smart:
    replaced: dict[str, str] = {}

    def write(found: str, instead: str | None) -> str:
        if instead is None:
            return found
        replaced[found] = instead
        return instead

    text = NOT_GSM.sub(lambda match: match[0] if _is_accent(match[0]) else write(match[0], replace(match[0])), text)
    text = _ACCENTED.sub(lambda match: write(match[0], _composed(match[0], accents)), text)
    return Smart(text, tuple(Forcing(*pair) for pair in replaced.items()))


def _is_accent(character: str) -> bool:
    return "\u0300" <= character <= "\u036f"


def _composed(letter: str, accents: bool) -> str | None:
    composed = unicodedata.normalize("NFC", letter)
    if is_gsm(composed):
        return composed
    return letter[0] if accents else None
