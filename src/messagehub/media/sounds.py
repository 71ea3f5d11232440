"""MP3 (ISO/IEC 11172-3 and 13818-3, layer III; ID3v2) and WAV (IBM and Microsoft, RIFF, 1991): sounds as frames."""

from collections.abc import Iterator

from messagehub.media.errors import Broken
from messagehub.media.pieces import counted
from messagehub.media.shape import NOTHING, Shape

_ID3 = b"ID3"
_PADDING = 4096
"""Octets of nothing that may stand between a tag and the sound."""

_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_VERSIONS = {  # bits of the version: samples a second, kbit/s, octets of a frame for a kbit/s and a sample a second
    0b11: ((44100, 48000, 32000), _KBITS_1, 144_000),
    0b10: ((22050, 24000, 16000), _KBITS_2, 72_000),
    0b00: ((11025, 12000, 8000), _KBITS_2, 72_000),
}


def is_mp3(octets: bytes) -> bool:
    """A tag and then a frame, or a frame and then another."""
    start = _behind_tag(octets)
    if start is None:
        return octets.startswith(_ID3)  # cut short, as `inspect_mp3` will say
    return _first_frame(octets, start) is not None


def inspect_mp3(octets: bytes) -> Shape:
    """Raises Broken where there is no sound in it."""
    start = _behind_tag(octets)
    if start is None or _first_frame(octets, start) is None:
        raise Broken("an MP3 without its sound")
    return NOTHING


def _behind_tag(octets: bytes) -> int | None:
    """ID3v2.4, section 3.1: the size is in four octets of seven bits."""
    if not octets.startswith(_ID3):
        return 0
    size = octets[6:10]
    if len(size) < 4 or max(size) > 0x7F:
        return None
    end = 10 + sum(octet << shift for octet, shift in zip(size, (21, 14, 7, 0), strict=True))
    return end if end < len(octets) else None


def _first_frame(octets: bytes, start: int) -> int | None:
    """Where the first frame begins: behind a tag at once or behind padding, and else nowhere but at the start."""
    last = start + _PADDING if start else start
    while octets[start : start + 1] == b"\0" and start < last:
        start += 1
    length = _frame(octets, start)
    if length is None:
        return None
    after = start + length
    return start if after == len(octets) or _frame(octets, after) is not None else None


def _frame(octets: bytes, at: int) -> int | None:
    """How long the frame at this place is, if one is."""
    head = octets[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # synchronisation, and layer III
        return None
    version, bitrate, sampling = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version not in _VERSIONS or bitrate in (0, 15) or sampling == 3:
        return None
    rates, kbits, factor = _VERSIONS[version]
    length = factor * kbits[bitrate] // rates[sampling] + (head[2] >> 1 & 1)
    return length if at + length <= len(octets) else None


# --- WAV --------------------------------------------------------------------------------------------------------------

_UNKNOWN = 0xFFFFFFFF  # what programs write that cannot go back to say the size


def is_wav(octets: bytes) -> bool:
    return octets[:4] == b"RIFF" and octets[8:12] == b"WAVE"


def inspect_wav(octets: bytes) -> Shape:
    """Raises Broken where a chunk is cut short or the sound is missing."""
    size = int.from_bytes(octets[4:8], "little")
    end = len(octets) if size == _UNKNOWN else 8 + size
    chunks = list(counted(_chunks(octets, end), "a WAV"))
    at = chunks[-1][1] if chunks else 0
    if end > len(octets) or at > len(octets) + 1 or not {b"fmt ", b"data"} <= {name for name, _ in chunks}:
        raise Broken("a WAV without its end")
    return NOTHING


def _chunks(octets: bytes, end: int) -> Iterator[tuple[bytes, int]]:
    """The name of each chunk, and where its content ends. That of the last may have no octet of padding."""
    at = 12
    while at + 8 <= min(end, len(octets)):
        name, length = octets[at : at + 4], int.from_bytes(octets[at + 4 : at + 8], "little")
        at += 8 + (len(octets) - at - 8 if length == _UNKNOWN else length)
        yield name, at
        at += at % 2
