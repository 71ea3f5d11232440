"""Keywords of a number: which flow answers a message, by its words. Pure.

A pattern's `*` stands for anything. There are no other patterns, so a long message costs no more than reading it.
"""

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from msgspec import Struct

from messagehub import ids
from messagehub.errors import Refusal
from messagehub.shapes import Keyword, KeywordGiven
from messagehub.text import plain_words

MOST = 100
ANYTHING = "*"

_decode = msgspec.json.Decoder(list[Keyword]).decode


class Pattern(Struct, frozen=True):
    """What a message begins with, what comes in it in this order, and what it ends with; `whole`: it is one word."""

    pieces: tuple[str, ...]

    def fits(self, said: str) -> bool:
        first, *middle, last = self.pieces if len(self.pieces) > 1 else (*self.pieces, "")
        if len(self.pieces) == 1:
            return said == first
        if len(said) < len(first) + len(last) or not (said.startswith(first) and said.endswith(last)):
            return False
        at, end = len(first), len(said) - len(last)
        for piece in middle:
            if (at := said.find(piece, at, end)) < 0:
                return False
            at += len(piece)
        return True


def checked(given: Sequence[KeywordGiven]) -> str:
    """As they are stored. Refusal names the one that is wrong."""
    if len(given) > MOST:
        raise Refusal("INVALID_KEYWORD", f"keywords: {len(given)} are given; a number has {MOST} at most")
    for n, keyword in enumerate(given):
        if bool(keyword.word) == bool(keyword.pattern):
            raise Refusal("INVALID_KEYWORD", f"keywords[{n}]: give either a word or a pattern")
        member, words = ("word", keyword.word) if keyword.word else ("pattern", keyword.pattern)
        if not _said(words):
            raise Refusal("INVALID_KEYWORD", f"keywords[{n}].{member}: {words!r} has nothing that can be told")
    if not given:
        return ""
    kept = [Keyword(keyword.flow_id.lower(), keyword.word, keyword.pattern) for keyword in given]
    return msgspec.json.encode(kept).decode()


def read(stored: str) -> list[Keyword]:
    return _decode(stored) if stored else []


def flow_for(stored: str, text: str) -> str:
    """The flow of the first keyword that the text fits; empty for none."""
    said = _said(text)
    return next((flow_id for pattern, flow_id in _patterns(stored) if pattern.fits(said)), "")


@lru_cache(maxsize=4096)
def _patterns(stored: str) -> tuple[tuple[Pattern, str], ...]:
    return tuple((_pattern(keyword), keyword.flow_id) for keyword in read(stored))


def _pattern(keyword: Keyword) -> Pattern:
    if keyword.word:
        return Pattern((_said(keyword.word),))
    return Pattern(tuple(_piece(piece) for piece in keyword.pattern.strip().split(ANYTHING)))


def _piece(text: str) -> str:
    """As it would be said, with a blank left where it begins or ends between words."""
    said = _said(text)
    if not said:
        return " " if text else ""
    before, after = (" " if edge.isspace() else "" for edge in (text[0], text[-1]))
    return before + said + after


def _said(text: str) -> str:
    """A message of emoji alone is what it is."""
    return plain_words(text) or "".join(text.split())


def flows_of(stored: str) -> set[str]:
    return {keyword.flow_id for keyword in read(stored)} - {ids.UNSET}
