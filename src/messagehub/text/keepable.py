"""What any store and any JSON can hold."""

from messagehub.text.ucs2 import REPLACEMENT


def keepable(words: str, most: int | None = None) -> str:
    """The first `most` characters, with U+FFFD for a NUL and "?" for half of a surrogate pair."""
    short = words[:most]
    if short.isascii() and "\0" not in short:
        return short
    return short.encode(errors="replace").decode().replace("\0", REPLACEMENT)
