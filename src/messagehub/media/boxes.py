"""MP4 and 3GP (ISO/IEC 14496-12; 3GPP TS 26.244): boxes within boxes, and what of them goes out."""

from collections.abc import Iterator

from messagehub.media.errors import Broken
from messagehub.media.pieces import counted
from messagehub.media.shape import NOTHING, Shape

_3GP = (b"3gp", b"3ge", b"3gg", b"3gh", b"3gm", b"3gr", b"3gs", b"3gt", b"3g2")
_MP4 = frozenset(b"isom mp41 mp42 mp71 avc1 mmp4 dash MSNV M4V M4VH M4VP f4v NDSC NDSH XAVC".split())
_MP4_BY_START = (b"iso", b"cmf")
_OTHERS = frozenset(b"qt M4A M4B M4P heic heix heim heis hevc mif1 msf1 avif avis crx jp2 jpx JP20".split())
_WITHIN = frozenset({b"moov", b"trak"})
_PRIVATE = frozenset({b"udta", b"meta", b"uuid"})
"""Where a film says with which device, when, and at what place it was taken."""


def brand(octets: bytes) -> str:
    """3gp, mp4, or nothing where it is neither. QuickTime, sounds and pictures of this form are neither."""
    if octets[4:8] != b"ftyp":
        return ""
    end = min(int.from_bytes(octets[:4]), len(octets), 256)
    brands = [octets[8:12].rstrip(), *(octets[at : at + 4].rstrip() for at in range(16, end, 4))]
    if brands[0].startswith(_3GP):
        return "3gp"
    if brands[0] in _OTHERS:
        return ""
    return "mp4" if any(each in _MP4 or each.startswith(_MP4_BY_START) for each in brands) else ""


def inspect(octets: bytes) -> Shape:
    """Raises Broken where a box is cut short, or what says how to play it is missing."""
    names = {name for depth, name, _, _ in counted(_walk(octets, 0, len(octets)), "a film") if not depth}
    if missing := {b"moov", b"mdat"} - names:
        raise Broken(f"a film without its {min(missing).decode()} box")
    return NOTHING


def strip(octets: bytes) -> bytes:
    """With nothing in its private boxes. Its length stays, as the film says at which octets its samples are."""
    out = bytearray(octets)
    for _, name, begin, end in _walk(octets, 0, len(octets)):
        if name in _PRIVATE:
            out[begin - 4 : begin] = b"free"
            out[begin:end] = bytes(end - begin)
    return bytes(out)


def _walk(octets: bytes, start: int, end: int, depth: int = 0) -> Iterator[tuple[int, bytes, int, int]]:
    """Each box with its depth, and those within the boxes that may have private ones."""
    for name, begin, close in _boxes(octets, start, end):
        yield depth, name, begin, close
        if name in _WITHIN and depth < 4:
            yield from _walk(octets, begin, close, depth + 1)


def _boxes(octets: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The name of each box, and where its content begins and ends. Those with a size of 64 bits begin behind it."""
    while at < end:
        size, name, begin = int.from_bytes(octets[at : at + 4]), octets[at + 4 : at + 8], at + 8
        if size == 1:
            size, begin = int.from_bytes(octets[at + 8 : at + 16]), at + 16
        elif size == 0:
            size = end - at
        if begin > end or begin > at + size or at + size > end:
            raise Broken("a film with a box cut short")
        yield name, begin, at + size
        at += size
