"""PDUs without the words of people: each octet of a text becomes an asterisk, so that all else stays where it was."""

import re
import struct

from messagehub.smpp.kinds import CString, Int
from messagehub.smpp.pdus import COMMANDS
from messagehub.smpp.receipts import ESM_TYPE, RECEIPT, UDHI
from messagehub.smpp.tlvs import TAGS

HEADER_SIZE = 16  # SMPP 3.4, section 3.2
ASTERISK = b"*"
WITH_TEXT = frozenset({"submit_sm", "deliver_sm", "data_sm", "submit_multi", "replace_sm"})
TEXT_TLVS = frozenset({TAGS["message_payload"], TAGS["additional_status_info_text"]})

# What a receipt says of itself (appendix B); behind `text:` stands what a person wrote.
_KNOWN = re.compile(
    rb"(?:\A|(?<=[\s;,]))(?:id|sub|dlvrd|submit[ _]date|done[ _]date|stat|err) ?: ?[\w.:+/-]{1,65}", re.I
)
_SPACE = re.compile(rb"[ \r\n]")
_TEXT_KEY = re.compile(rb"\btext ?:", re.I)

_command = struct.Struct(">4xI").unpack_from
_tlv = struct.Struct(">HH").unpack_from


def masked(frame: bytes) -> bytes:
    """The PDU with its text masked; one that makes no sense has nothing but its header left."""
    name, row = COMMANDS.get(_command(frame)[0] if len(frame) >= HEADER_SIZE else 0, ("", {}))
    if name not in WITH_TEXT:
        return frame
    hidden = bytearray(frame)
    try:
        _mask(hidden, list(row.items()))
    except (IndexError, ValueError, struct.error):
        hidden[HEADER_SIZE:] = ASTERISK * (len(frame) - HEADER_SIZE)
    return bytes(hidden)


def _mask(frame: bytearray, row: list[tuple[str, object]]) -> None:
    at, esm_class = HEADER_SIZE, 0
    for name, kind in row:
        if name == "esm_class":
            esm_class = frame[at]
        if isinstance(kind, Int):
            at += kind.size
        elif isinstance(kind, CString):
            at = frame.index(0, at) + 1
        elif name == "short_message":
            at = _hide(frame, at + 1, at + 1 + frame[at], esm_class)
        else:
            raise ValueError(f"{name} has no plain form")
    while at + 4 <= len(frame):
        tag, length = _tlv(frame, at)
        at += 4
        if tag in TEXT_TLVS:
            _hide(frame, at, at + length, esm_class)
        at += length


def _hide(frame: bytearray, start: int, end: int, esm_class: int) -> int:
    """Masks a text, but for its user data header, or for what a receipt says of itself. Its end."""
    end = min(end, len(frame))
    text = bytes(frame[start:end])
    hidden = bytearray(ASTERISK * len(text))
    for first, last in _said_by_receipt(text) if esm_class & ESM_TYPE == RECEIPT else _header(text, esm_class):
        hidden[first:last] = text[first:last]
    frame[start:end] = hidden
    return end


def _header(text: bytes, esm_class: int) -> list[tuple[int, int]]:
    return [(0, 1 + text[0])] if esm_class & UDHI and text and text[0] < len(text) else []


def _said_by_receipt(text: bytes) -> list[tuple[int, int]]:
    of_people = _TEXT_KEY.search(text)
    end = of_people.start() if of_people else len(text)
    return [found.span() for form in (_KNOWN, _SPACE) for found in form.finditer(text, 0, end)]
