"""A frame to a PDU and back. The rows of `pdus` are the only description; `compiler` makes them quick.

The decoder takes what real SMSCs send: refusals without a body, PDUs that end early, strings without their NUL, texts
shorter than their length says, TLVs cut short; `PDU.oddities` tells of it. It raises only where a request cannot be
understood.
"""

import struct
from collections.abc import Iterable
from typing import Any

from messagehub.smpp.compiler import BODY, Reader, Writer, reader, writer
from messagehub.smpp.errors import DecodeError, EncodeError
from messagehub.smpp.kinds import INVALID_COMMAND_LENGTH, Group
from messagehub.smpp.pdus import (
    BARE_WHEN_REFUSING,
    COMMAND_IDS,
    COMMANDS,
    MAY_END_AFTER,
    PDU,
    RESPONSE,
    UNKNOWN,
    TLVs,
)

HEADER = struct.Struct(">IIII")  # section 3.2: command_length, command_id, command_status, sequence_number
TLV = struct.Struct(">HH")  # section 3.2.4.1: tag, length
MAX_PDU = 64 * 1024  # octets: what a session takes of its peer, and so the most that we write

_unpack_header, _pack_header = HEADER.unpack_from, HEADER.pack
_unpack_tlv, _pack_tlv = TLV.unpack_from, TLV.pack


def decode(frame: bytes) -> PDU:
    """The PDU in exactly one frame, header included.

    All mandatory parameters of the row are in `fields`; those that the frame left out have their defaults. A command_id
    that is in no row becomes a PDU of the name `unknown`. Raises DecodeError where the header or a request's mandatory
    parameters make no sense.
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
        return _decode_oddly(frame, command_id, status, sequence)
    if at == length:
        return PDU(name, sequence, status, fields, {})
    tlvs, oddities = _read_tlvs(frame, at)
    return PDU(name, sequence, status, fields, tlvs, oddities)


def encode(pdu: PDU) -> bytes:
    """The frame of a PDU; mandatory parameters that `fields` leaves out have their defaults.

    A refusal with no fields has no body where the standard says so. Raises EncodeError, which names the field.
    """
    return write(pdu.name, pdu.sequence, pdu.status, pdu.fields, pdu.tlvs)


def write(name: str, sequence: int, status: int, fields: dict[str, Any] | None, tlvs: dict[int, bytes] | None) -> bytes:
    """As `encode`, for who needs no PDU."""
    try:
        command_id, write_fields, bare = _writers[name]
    except KeyError:
        raise EncodeError(f"there is no PDU {name!r}") from None
    if fields:
        try:
            body = write_fields(**fields)
        except (TypeError, ValueError, KeyError):
            body = _write_walk(name, fields)
    else:
        body = b"" if status and name in BARE_WHEN_REFUSING else bare
    if tlvs:
        body += _write_tlvs(name, tlvs)
        if len(body) > MAX_PDU - BODY:
            raise EncodeError(f"{name}: {BODY + len(body)} octets; a peer takes no more than {MAX_PDU}")
    try:
        return _pack_header(BODY + len(body), command_id, status, sequence) + body
    except struct.error as error:
        raise EncodeError(f"{name}: command_status {status!r}, sequence_number {sequence!r}") from error


class _Readers(dict[int, tuple[str, Reader]]):
    """Compiled when first needed, so that importing costs nothing."""

    def __missing__(self, command_id: int) -> tuple[str, Reader]:
        name, row = COMMANDS[command_id]
        self[command_id] = made = name, reader(row) or _never_read
        return made


class _Writers(dict[str, tuple[int, Writer, bytes]]):
    """The third of each is the body without any fields."""

    def __missing__(self, name: str) -> tuple[int, Writer, bytes]:
        command_id = COMMAND_IDS[name]
        write_fields = writer(COMMANDS[command_id][1]) or _never_written
        self[name] = made = command_id, write_fields, _write_walk(name, {})
        return made


def _never_read(frame: bytes, text: str) -> tuple[dict[str, Any], int]:
    raise ValueError


def _never_written(**fields: Any) -> bytes:
    raise ValueError


_readers, _writers = _Readers(), _Writers()


# --- reading ----------------------------------------------------------------------------------------------------------


def _decode_oddly(frame: bytes, command_id: int, status: int, sequence: int) -> PDU:
    name, row = COMMANDS[command_id]
    bare = len(frame) == BODY and status != 0 and name in BARE_WHEN_REFUSING
    if bare:
        return PDU(name, sequence, status, {key: kind.default for key, kind in row.items()}, {})
    fields, at, oddities = _walk(frame, command_id, sequence)
    tlvs, more = _read_tlvs(frame, at)
    return PDU(name, sequence, status, fields, tlvs, (*oddities, *more))


def _walk(frame: bytes, command_id: int, sequence: int) -> tuple[dict[str, Any], int, list[str]]:
    """The row, parameter by parameter: the fields, where the TLVs begin, and what was passed over."""
    name, row = COMMANDS[command_id]
    fields = {key: kind.default for key, kind in row.items()}
    at, oddities, key = BODY, list[str](), ""
    try:
        for key, kind in row.items():
            odd: list[str] = []
            fields[key], at = kind.read(frame, at, odd)
            oddities += [f"{key}: {words}" for words in odd]
    except DecodeError as error:
        if not _may_end_before(command_id, key):
            raise DecodeError(f"{name}: {error} (at {key})", error.status, name, sequence) from error
        return fields, len(frame), [*oddities, f"{key}: {error}"]
    return fields, at, oddities


def _may_end_before(command_id: int, key: str) -> bool:
    """A response may cease to make sense anywhere; a request only behind what it cannot do without."""
    name, row = COMMANDS[command_id]
    order, last = list(row), MAY_END_AFTER.get(name)
    return command_id & RESPONSE != 0 or (last is not None and order.index(key) > order.index(last))


def _read_tlvs(frame: bytes, at: int) -> tuple[dict[int, bytes], tuple[str, ...]]:
    """What is cut short is passed over: the message is worth more."""
    tlvs: dict[int, bytes] = {}
    size, begin = len(frame), at
    while at + 4 <= size:
        tag, length = _unpack_tlv(frame, at)
        end = at + 4 + length
        if end > size:
            return tlvs, (f"TLV {tag:#06x}: {length} octets announced, {size - at - 4} are there",)
        if tag in tlvs:
            return _read_repeated_tlvs(frame, begin)
        tlvs[tag] = frame[at + 4 : end]
        at = end
    return tlvs, (f"{size - at} octets behind the last TLV",) if at < size else ()


def _read_repeated_tlvs(frame: bytes, at: int) -> tuple[TLVs, tuple[str, ...]]:
    pairs: list[tuple[int, bytes]] = []
    while at + 4 <= len(frame):
        tag, length = _unpack_tlv(frame, at)
        if at + 4 + length > len(frame):
            break
        pairs.append((tag, frame[at + 4 : at + 4 + length]))
        at += 4 + length
    return TLVs(pairs), _read_tlvs(frame, at)[1]


# --- writing ----------------------------------------------------------------------------------------------------------


def _write_walk(name: str, fields: dict[str, Any]) -> bytes:
    try:
        return Group(COMMANDS[COMMAND_IDS[name]][1]).write(fields)
    except ValueError as error:
        raise EncodeError(f"{name}: {error}") from error


def _write_tlvs(name: str, tlvs: dict[int, bytes]) -> bytes:
    pairs = tlvs.pairs if type(tlvs) is TLVs else tlvs.items()
    try:
        return b"".join([_pack_tlv(tag, len(value)) + value for tag, value in pairs])
    except (TypeError, struct.error) as error:
        raise EncodeError(f"{name}: {_misfit(pairs)}") from error


def _misfit(pairs: Iterable[tuple[Any, Any]]) -> str:
    """Which TLV does not fit, and why."""
    for tag, value in pairs:
        if not isinstance(tag, int) or not 0 <= tag <= 0xFFFF:
            return f"TLV {tag!r}: the tag is no integer of 2 octets"
        if not isinstance(value, bytes):
            return f"TLV {tag:#06x}: {value!r} is no bytes"
        if len(value) > 0xFFFF:
            return f"TLV {tag:#06x}: {len(value)} octets do not fit 65535"
    return "the TLVs do not fit"
