"""EXIF (JEITA CP-3451, 2.32), of which one thing is wanted: how a picture must be turned to stand upright."""

from collections.abc import Mapping
from typing import Literal

UPRIGHT = 1
_ORIENTATION = 0x0112  # section 4.6.4
_SHORT, _LONG = 3, 4
_ORDERS: Mapping[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_MAX_ENTRIES = 500


def orientation(tiff: bytes) -> int:
    """1 to 8, of which 1 is upright, as is what does not say or cannot be read."""
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return UPRIGHT
    start = int.from_bytes(tiff[4:8], order)
    entries = int.from_bytes(tiff[start : start + 2], order)
    for place in range(min(entries, _MAX_ENTRIES)):
        entry = tiff[start + 2 + 12 * place : start + 14 + 12 * place]
        if len(entry) < 12:
            break
        if int.from_bytes(entry[:2], order) == _ORIENTATION:
            size = {_SHORT: 2, _LONG: 4}.get(int.from_bytes(entry[2:4], order), 0)
            value = int.from_bytes(entry[8 : 8 + size], order)
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT
