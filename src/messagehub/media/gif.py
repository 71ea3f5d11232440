"""GIF (CompuServe, GIF89a, 31 July 1990): its blocks, and what of them goes out."""

from collections.abc import Iterator

from messagehub.media.errors import Broken
from messagehub.media.pieces import counted
from messagehub.media.shape import Shape

STARTS = (b"GIF87a", b"GIF89a")
_HEAD = 13
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF
_MOST_DATA = 1_000_000
"""Blocks of data, which true ones fill with 255 octets each: as many as a GIF of a quarter of a GiB has."""
_LOOPS = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0")


def inspect(octets: bytes) -> Shape:
    """Raises Broken where a block or the trailer is missing. The size is that of all its pictures together."""
    sizes = [(int.from_bytes(octets[6:8], "little"), int.from_bytes(octets[8:10], "little"))]
    for kind, start, _ in counted(_blocks(octets), "a GIF"):
        if kind == _IMAGE:
            left, top, width, height = (
                int.from_bytes(octets[at : at + 2], "little") for at in range(start + 1, start + 9, 2)
            )
            sizes.append((left + width, top + height))
    if len(sizes) == 1:
        raise Broken("a GIF without a picture")
    shape = Shape(max(width for width, _ in sizes), max(height for _, height in sizes), len(sizes) - 1)
    if not shape.pixels:
        raise Broken("a GIF without a size")
    return shape


def strip(octets: bytes) -> bytes:
    """Without comments, texts and the data of programs, and whatever stands behind it. It moves as before."""
    kept = [octets[start:end] for kind, start, end in _blocks(octets) if _stays(octets, kind, start)]
    return octets[: _HEAD + _table(octets, 10)] + b"".join(kept)


def _stays(octets: bytes, kind: int, start: int) -> bool:
    if kind != _EXTENSION:
        return True
    label = octets[start + 1]
    return label == _CONTROL or (label == _APPLICATION and octets.startswith(_LOOPS, start + 2))


def _table(octets: bytes, at: int) -> int:
    """How many octets a colour table has, by the flags at this place."""
    flags = octets[at]
    return 3 << (1 + (flags & 7)) if flags & 0x80 else 0


def _blocks(octets: bytes) -> Iterator[tuple[int, int, int]]:
    """Each block with where it begins and ends. The last is the trailer."""
    left = _MOST_DATA
    try:
        at = _HEAD + _table(octets, 10)
        while True:
            kind, start = octets[at], at
            if kind == _TRAILER:
                yield kind, start, at + 1
                return
            if kind == _EXTENSION:
                at += 2
            elif kind == _IMAGE:
                at += 10 + _table(octets, at + 9) + 1
            else:
                raise Broken("a GIF with a block that there is not")
            while size := octets[at]:
                at += 1 + size
                left -= 1
                if not left:
                    raise Broken("a GIF with too little in each of its blocks")
            at += 1
            yield kind, start, at
    except IndexError:
        raise Broken("a GIF without its end") from None
