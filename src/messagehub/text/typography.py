"""What makes a text cost UCS-2, and what could be written instead.

Word processors and telephones put in typographic characters that nobody asked for: one curly quote, and a message of
160 characters becomes three. The replacements are those that a typist would choose. Letters of other alphabets, marks
and emoji have none: to replace them would change what is said. Accents are taken off only where that is asked for.
"""

import re
import unicodedata
from functools import lru_cache

from msgspec import Struct

from messagehub.text.gsm import NOT_GSM, is_gsm

_SUBSTITUTIONS = (
    # Quotation marks, apostrophes, primes
    ("‘’‚‛′‵ʼʹ´`‹›", "'"),
    ("“”„‟″‶ʺ«»", '"'),
    # Hyphens, dashes, the minus sign
    ("\u2010\u2011‒–—―⁃−", "-"),
    # Dots and bullets
    ("…", "..."),
    ("‥", ".."),
    ("·", "."),
    ("•‣▪◦∙", "*"),
    # Spaces: tab, no-break, ogham, en quad to hair space, narrow no-break, mathematical, ideographic
    ("\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
    # Line ends: vertical tab, next line, line separator, paragraph separator
    ("\v\u0085\u2028\u2029", "\n"),
    # Nothing to be seen: soft hyphen, joiners and zero-width spaces, marks of direction, variation selectors
    ("\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff", ""),
    ("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", ""),
    ("\ufe0e\ufe0f", ""),
    # Greek capitals that look like Latin ones: GSM has the others only, since telephones write these so
    *zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True),
    # Fractions: the space keeps 2½ from becoming 21/2
    ("½", " 1/2"),
    ("⅓", " 1/3"),
    ("⅔", " 2/3"),
    ("¼", " 1/4"),
    ("¾", " 3/4"),
    ("⁄∕", "/"),
    # Ligatures
    ("ﬀ", "ff"),
    ("ﬁ", "fi"),
    ("ﬂ", "fl"),
    ("ﬃ", "ffi"),
    ("ﬄ", "ffl"),
    ("ﬅﬆ", "st"),
    ("œ", "oe"),
    ("Œ", "OE"),
    ("ĳ", "ij"),
    ("Ĳ", "IJ"),
    ("ẞ", "SS"),
    # Signs
    ("×", "x"),
    ("±", "+/-"),
    ("≤", "<="),
    ("≥", ">="),
    ("→", "->"),
    ("←", "<-"),
    ("©", "(c)"),
    ("®", "(R)"),
    ("™", "(TM)"),
    ("№", "No."),
)
# Letters that Unicode does not take for another one with an accent
_WITHOUT_ACCENT = {
    "ı": "i",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ħ": "h",
    "Ħ": "H",
    "ŧ": "t",
    "Ŧ": "T",
    "ð": "d",
    "Ð": "D",
    "þ": "th",
    "Þ": "Th",
}
# Compatibility decompositions (Unicode, UAX 15) that look the same: full-width and small forms, fonts made of
# mathematical letters, ligatures. Not what is raised or circled: 10² is not 102.
_SAME_LOOK = re.compile("<(?:wide|narrow|small|font|compat)>|[0-9A-F]")

REPLACEMENTS = {character: replacement for characters, replacement in _SUBSTITUTIONS for character in characters}


class Forcing(Struct, frozen=True):
    """A character outside the GSM alphabet, and GSM text that can stand for it; None where there is none."""

    character: str
    replacement: str | None


@lru_cache(maxsize=4096)
def replacement(character: str, accents: bool = False) -> str | None:
    """GSM text that can stand for a character outside of the alphabet, None where there is none.

    `accents`: a letter may stand for one with an accent.
    """
    found = REPLACEMENTS.get(character)
    if found is None and _SAME_LOOK.match(unicodedata.decomposition(character)):
        found = unicodedata.normalize("NFKC", character)
    if accents and (found is None or not is_gsm(found)):
        found = _WITHOUT_ACCENT.get(character) or _bare(character)
    return found if found is not None and is_gsm(found) else None


def _bare(character: str) -> str:
    letters = (letter for letter in unicodedata.normalize("NFKD", character) if not unicodedata.combining(letter))
    return "".join(REPLACEMENTS.get(letter, letter) for letter in letters)


def forced_by(text: str) -> list[Forcing]:
    """The characters for which `text` has to go as UCS-2: each once, in order of appearance; empty for GSM text.

    To write the replacements saves something only where each of them has one.
    """
    return [Forcing(character, replacement(character)) for character in dict.fromkeys(NOT_GSM.findall(text))]
