"""JPEG (ITU-T T.81, annex B): its segments, and what of them goes out."""

import re
from collections.abc import Iterator

from messagehub.media import exif
from messagehub.media.errors import Broken
from messagehub.media.shape import Shape

START = b"\xff\xd8\xff"
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # SOF0 to SOF15; the others are DHT, JPG and DAC
_ALONE = frozenset({_SOI, _EOI})
_APP0, _APP1, _APP2, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_MARKER = re.compile(rb"\xff+([\xc0-\xcf\xd8-\xfe])")  # with octets of fill; RST is in a scan only
_AFTER_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # a marker that is no RST, and no stuffed octet
_PROFILE = b"ICC_PROFILE\0"
_EXIF = b"Exif\0\0"


def inspect(octets: bytes) -> Shape:
    """Raises Broken where a segment or the end is missing."""
    sizes = []
    orientation = exif.UPRIGHT
    seen_scan = False
    for marker, start, end in _segments(octets):
        seen_scan = seen_scan or marker == _SOS
        if marker == _APP1 and octets.startswith(_EXIF, start + 4) and orientation == exif.UPRIGHT:
            orientation = exif.orientation(octets[start + 4 + len(_EXIF) : end])
        if marker in _FRAMES:
            if end - start < 10:
                raise Broken("a JPEG with a frame header cut short")
            sizes.append((int.from_bytes(octets[start + 7 : start + 9]), int.from_bytes(octets[start + 5 : start + 7])))
    if not seen_scan or not any(width and height for width, height in sizes):
        raise Broken("a JPEG without a picture")
    return Shape(max(width for width, _ in sizes), max(height for _, height in sizes), 1, orientation)


def strip(octets: bytes) -> bytes:
    """Without what a picture does not need: EXIF, XMP, IPTC, comments, previews, and whatever stands behind it.

    Its colour profile stays.
    """
    return b"".join(octets[start:end] for marker, start, end in _segments(octets) if _stays(octets, marker, start))


def _stays(octets: bytes, marker: int, start: int) -> bool:
    if marker == _APP2:
        return octets.startswith(_PROFILE, start + 4)
    return marker in (_APP0, _APP14) or not (_APP0 <= marker <= _APP15 or marker == _COM)


def _segments(octets: bytes) -> Iterator[tuple[int, int, int]]:
    """Each marker with where its segment begins and ends; that of a scan has its data. The last is EOI."""
    at = 0
    while True:
        found = _MARKER.match(octets, at)
        if found is None:
            raise Broken("a JPEG without its end")
        marker, at = found[1][0], found.end()
        start = at - 2
        if marker not in _ALONE:
            at += _length(octets, at)
        if marker == _SOS:
            behind = _AFTER_SCAN.search(octets, at)
            if behind is None:
                raise Broken("a JPEG without its end")
            at = behind.start()
        yield marker, start, at
        if marker == _EOI:
            return


def _length(octets: bytes, at: int) -> int:
    length = int.from_bytes(octets[at : at + 2])
    if length < 2 or at + length > len(octets):
        raise Broken("a JPEG with a segment cut short")
    return length
