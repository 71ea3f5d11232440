"""PNG (W3C Portable Network Graphics, third edition, section 5): its chunks, and what of them goes out."""

from collections.abc import Iterator

from messagehub.media import exif
from messagehub.media.errors import Broken
from messagehub.media.pieces import counted
from messagehub.media.shape import Shape

START = b"\x89PNG\r\n\x1a\n"
_STAYING = frozenset(b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT".split())


def inspect(octets: bytes) -> Shape:
    """Raises Broken where a chunk or the end is missing. It is one picture, even where it says that it moves."""
    chunks = list(counted(_chunks(octets), "a PNG"))
    names = [name for name, _, _ in chunks]
    if names[0] != b"IHDR" or b"IDAT" not in names or len(octets) < 33:
        raise Broken("a PNG without a picture")
    width, height = int.from_bytes(octets[16:20]), int.from_bytes(octets[20:24])
    if not width or not height:
        raise Broken("a PNG without a size")
    turns = (exif.orientation(octets[start + 8 : end - 4]) for name, start, end in chunks if name == b"eXIf")
    return Shape(width, height, 1, next(turns, exif.UPRIGHT))


def strip(octets: bytes) -> bytes:
    """Without texts, EXIF and dates, the further pictures of one that moves, and whatever stands behind it."""
    return START + b"".join(octets[start:end] for name, start, end in _chunks(octets) if name in _STAYING)


def _chunks(octets: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each chunk with where it begins and ends. The last is IEND."""
    at = len(START)
    while True:
        name = octets[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(octets[at : at + 4])
        if len(name) < 4 or end > len(octets):
            raise Broken("a PNG without its end")
        yield name, at, end
        if name == b"IEND":
            return
        at = end
