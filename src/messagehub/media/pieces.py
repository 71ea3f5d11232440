"""The pieces that a file is made of, and how many of them are taken."""

from collections.abc import Iterator
from typing import TypeVar

from messagehub.media.errors import Broken

MOST_PIECES = 50_000
"""Segments, chunks, blocks or boxes of one file. Going through them holds up all other threads, and one of 16 MiB could
have millions. True ones have few: writers of PNG put 8 KiB or more in a chunk, a film that goes out live has two boxes
a second, and a GIF two blocks a frame."""

Piece = TypeVar("Piece")


def counted(pieces: Iterator[Piece], whole: str) -> Iterator[Piece]:
    """The same pieces. Raises Broken where there are more than anybody has a use for."""
    for number, piece in enumerate(pieces):
        if number == MOST_PIECES:
            raise Broken(f"{whole} of more than {MOST_PIECES} pieces")
        yield piece
