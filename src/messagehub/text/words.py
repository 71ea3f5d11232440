"""Words that people write, brought to one form, so that a keyword is told however it was written."""

import unicodedata

ACCENTS = range(0x0300, 0x0370)
"""Combining diacritical marks. Those of other scripts are vowels, without which a word is another."""


def plain_words(text: str) -> str:
    """NFKC, without case, accents, punctuation and emoji, and with one blank between words.

    `  Arrêt!! ` and `ARRET` are both `arret`. Empty where there is no letter and no digit.
    """
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept = (_kept(character) for character in folded if ord(character) not in ACCENTS)
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _kept(character: str) -> str:
    """Letters, digits and the marks of scripts. An apostrophe stands within a word, all else between words."""
    if unicodedata.category(character)[0] in "LNM":
        return "" if _is_joiner(character) else character
    return "" if character in "'’ʼ" else " "


def _is_joiner(character: str) -> bool:
    """Variation selectors and the keycap, which are marks by their category and belong to emoji."""
    return "\ufe00" <= character <= "\ufe0f" or character == "\u20e3"
