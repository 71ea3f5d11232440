"""A frame to a PDU and back. The rows of `pdus` are the only description; `compiler` makes them quick.

The decoder takes what real SMSCs send: refusals without a body, responses that end early, ids without their NUL, 255
octets of short_message, TLVs cut short. It raises only where a request cannot be understood.
"""

import struct
from typing import Any

from messagehub.smpp.compiler import BODY, Reader, Writer, reader, writer
from messagehub.smpp.errors import DecodeError, EncodeError
from messagehub.smpp.kinds import INVALID_COMMAND_LENGTH, CutShort
from messagehub.smpp.pdus import BARE_WHEN_REFUSING, COMMAND_IDS, COMMANDS, PDU, RESPONSE, UNKNOWN, Row

HEADER = struct.Struct(">IIII")  # section 3.2: command_length, command_id, command_status, sequence_number
TLV = struct.Struct(">HH")  # section 3.2.4.1: tag, length

_unpack_header, _pack_header = HEADER.unpack_from, HEADER.pack
_unpack_tlv, _pack_tlv = TLV.unpack_from, TLV.pack


def decode(frame: bytes) -> PDU:
    """The PDU in exactly one frame, header included.

    All mandatory parameters of the row are in `fields`; those that a response left out have their defaults. Raises
    DecodeError where the header or a request's mandatory parameters make no sense.
    """
    if len(frame) < BODY:
        raise DecodeError(f"a frame of {len(frame)} octets", INVALID_COMMAND_LENGTH)
    length, command_id, status, sequence = _unpack_header(frame)
    if length != len(frame):
        raise DecodeError(f"command_length {length} on {len(frame)} octets", INVALID_COMMAND_LENGTH, "", sequence)
    try:
        name, read = _readers[command_id]
    except KeyError:
        return PDU(UNKNOWN, sequence, status, {"command_id": command_id, "body": frame[BODY:]}, {})
    try:
        fields, at = read(frame, frame.decode("latin-1"))
    except (IndexError, ValueError):
        fields, at = _walk(frame, command_id, sequence)
    if at == length:
        return PDU(name, sequence, status, fields, {})
    tlvs, note = _read_tlvs(frame, at)
    return PDU(name, sequence, status, fields, tlvs, note)


def encode(pdu: PDU) -> bytes:
    """The frame of a PDU; mandatory parameters that `fields` leaves out have their defaults.

    A refusal with no fields has no body where the standard says so. Raises EncodeError, which names the field.
    """
    if pdu.name not in COMMAND_IDS:
        raise EncodeError(f"there is no PDU {pdu.name!r}")
    command_id, write = _writers[pdu.name]
    fields = pdu.fields
    if pdu.status and not fields and pdu.name in BARE_WHEN_REFUSING:
        body = b""
    else:
        try:
            body = write(**fields)
        except (TypeError, ValueError, OverflowError):
            body = _write_walk(pdu.name, fields)
    if pdu.tlvs:
        body += _write_tlvs(pdu.tlvs)
    try:
        return _pack_header(BODY + len(body), command_id, pdu.status, pdu.sequence) + body
    except struct.error as error:
        raise EncodeError(f"{pdu.name}: status {pdu.status!r}, sequence {pdu.sequence!r}") from error


class _Readers(dict[int, tuple[str, Reader]]):
    """Compiled when first needed, so that importing costs nothing."""

    def __missing__(self, command_id: int) -> tuple[str, Reader]:
        name, row = COMMANDS[command_id]
        self[command_id] = made = name, reader(row) or _never_read
        return made


class _Writers(dict[str, tuple[int, Writer]]):
    def __missing__(self, name: str) -> tuple[int, Writer]:
        command_id = COMMAND_IDS[name]
        self[name] = made = command_id, writer(COMMANDS[command_id][1]) or _never_written
        return made


def _never_read(frame: bytes, text: str) -> tuple[dict[str, Any], int]:
    raise ValueError


def _never_written(**fields: Any) -> bytes:
    raise ValueError


_readers, _writers = _Readers(), _Writers()


def _walk(frame: bytes, command_id: int, sequence: int) -> tuple[dict[str, Any], int]:
    """The row, parameter by parameter. A response may end anywhere; a request may not."""
    name, row = COMMANDS[command_id]
    fields = {key: kind.default for key, kind in row.items()}
    at = BODY
    try:
        for key, kind in row.items():
            fields[key], at = kind.read(frame, at)
    except DecodeError as error:
        if command_id & RESPONSE:
            return fields, at if not isinstance(error, CutShort) else len(frame)
        raise DecodeError(f"{name}: {error} (at {key})", error.status, name, sequence) from error
    return fields, at


def _write_walk(name: str, fields: dict[str, Any]) -> bytes:
    row: Row = COMMANDS[COMMAND_IDS[name]][1]
    if strange := fields.keys() - row.keys():
        raise EncodeError(f"{name} has no {', '.join(sorted(map(str, strange)))}")
    body = b""
    for key, kind in row.items():
        try:
            body += kind.write(fields.get(key, kind.default))
        except (TypeError, ValueError, AttributeError) as error:
            raise EncodeError(f"{name}: {key}: {error}") from error
    return body


def _read_tlvs(frame: bytes, at: int) -> tuple[dict[int, bytes], str]:
    """Of a repeated tag the last counts. What is cut short is passed over, with a note: the message is worth more."""
    tlvs: dict[int, bytes] = {}
    size = len(frame)
    while at + 4 <= size:
        tag, length = _unpack_tlv(frame, at)
        end = at + 4 + length
        if end > size:
            return tlvs, f"TLV {tag:#06x} announces {length} octets and has {size - at - 4}"
        tlvs[tag] = frame[at + 4 : end]
        at = end
    return tlvs, f"{size - at} octets behind the last TLV" if at < size else ""


def _write_tlvs(tlvs: dict[int, bytes]) -> bytes:
    try:
        return b"".join([_pack_tlv(tag, len(value)) + value for tag, value in tlvs.items()])
    except (TypeError, struct.error) as error:
        raise EncodeError(f"a TLV does not fit: {error}") from error
