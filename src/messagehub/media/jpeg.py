"""JPEG (ITU-T T.81, annex B): its segments, and what of them goes out."""

import re
from collections.abc import Iterator
from operator import mul
from typing import NamedTuple

from messagehub.media import exif
from messagehub.media.errors import Broken, MediaError
from messagehub.media.pieces import counted
from messagehub.media.shape import Shape

START = b"\xff\xd8\xff"
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # SOF0 to SOF15; the others are DHT, JPG and DAC
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ALONE = frozenset({_SOI, _EOI})
_APP0, _APP1, _APP2, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE
_MARKER = re.compile(rb"\xff+([\xc0-\xcf\xd8-\xfe])")  # with octets of fill; RST is in a scan only
_AFTER_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # a marker that is no RST, and no stuffed octet
_PROFILE = b"ICC_PROFILE\0"
_EXIF = b"Exif\0\0"

MOST_SCANS = 100
"""A decoder goes over the whole picture for each, though it has hardly an octet. Cameras write one; programs write some
ten of a progressive picture, and twice as many of one in CMYK."""
MOST_PASSES = 2_000_000_000
"""Pixels that a decoder goes over in all scans: some 30 scans of the largest picture."""
MOST_WAITING = 192_000_000
"""Samples of two octets that wait in memory for later scans: those of the largest picture in three whole colours."""


class _Frame(NamedTuple):
    width: int
    height: int
    components: int
    samples: int
    is_progressive: bool


def inspect(octets: bytes) -> Shape:
    """Raises Broken where a segment or the end is missing, and MediaError where it is too much work to decode."""
    frames = []
    scans = []
    orientation = exif.UPRIGHT
    for marker, start, end in counted(_segments(octets), "a JPEG"):
        if marker == _APP1 and octets.startswith(_EXIF, start + 4) and orientation == exif.UPRIGHT:
            orientation = exif.orientation(octets[start + 4 + len(_EXIF) : end])
        if marker in _FRAMES:
            frames.append(_frame(marker, octets[start + 4 : end]))
        if marker == _SOS:
            scans.append(octets[start + 4])
    if not scans or not any(frame.width and frame.height for frame in frames):
        raise Broken("a JPEG without a picture")
    shape = Shape(max(frame.width for frame in frames), max(frame.height for frame in frames), 1, orientation)
    waiting = [frame.samples for frame in frames if frame.is_progressive or frame.components != scans[0]]
    is_much = len(scans) > MOST_SCANS or (len(scans) > 1 and len(scans) * shape.pixels > MOST_PASSES)
    if is_much or max(waiting, default=0) > MOST_WAITING:
        size = f"{shape.width} x {shape.height} pixels in {len(scans)} scans"
        raise MediaError("media_too_large", f"{size} are too much work; a baseline JPEG has one scan")
    return shape


def _frame(marker: int, header: bytes) -> _Frame:
    """T.81, B.2.2: precision, height, width, and for each component its name, its share of the samples and a table."""
    if len(header) < 6:
        raise Broken("a JPEG with a frame header cut short")
    height, width = int.from_bytes(header[1:3]), int.from_bytes(header[3:5])
    across, down = [each >> 4 for each in header[7::3]], [each & 15 for each in header[7::3]]
    whole = max(across, default=0) * max(down, default=0)
    samples = width * height * sum(map(mul, across, down)) // max(whole, 1)
    return _Frame(width, height, header[5], samples, marker in _PROGRESSIVE)


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
