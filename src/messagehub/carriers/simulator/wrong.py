"""Octets that no message centre should send, and answers that are not quite PDUs."""

from collections.abc import Callable, Mapping
from typing import Any

from messagehub.carriers.simulator import handset
from messagehub.carriers.simulator.course import Course
from messagehub.carriers.simulator.scenario import Inbound, Say
from messagehub.smpp import PDU, encode
from messagehub.smpp.codec import HEADER, TLV
from messagehub.smpp.pdus import COMMAND_IDS, RESPONSE

DELIVER_SM, SUBMIT_SM_RESP = COMMAND_IDS["deliver_sm"], COMMAND_IDS["submit_sm_resp"]
NOBODYS = 0x00010203  # a command_id that is in no standard
UNUSED = 0x7FFFFF00  # a sequence_number that no session comes to
CUT_TLV = b"\x14\x00\x00\xff."  # 255 octets announced, of which one is there: SMPP 3.4, section 3.2.4.1
NOISE = bytes((167 * n + 13) % 256 for n in range(64))


def octets(given: Say, fields: Mapping[str, Any]) -> bytes:
    """What is said; `fields` are those of the submit, nothing after a bind."""
    if given.what == "cut_tlv":
        return _with_cut_tlv(fields)
    return bytes.fromhex(given.hex) or _SAID[given.what]()


def response(request: PDU, course: Course, message_id: str) -> bytes:
    """An answer with the body that the course wants."""
    usual = "id" if not course.status else "empty" if course.tlvs else "none"
    body = _BODIES[usual if course.body == "usual" else course.body](message_id.encode("latin-1"))
    command_id = COMMAND_IDS[request.name] | RESPONSE
    body += b"".join(TLV.pack(tag, len(value)) + value for tag, value in (course.tlvs or {}).items())
    return HEADER.pack(HEADER.size + len(body), command_id, course.status, request.sequence) + body


def _with_cut_tlv(fields: Mapping[str, Any]) -> bytes:
    (message,) = handset.written(handset.addressed(Inbound(text="with a TLV cut short"), fields), 0)
    frame = encode(PDU("deliver_sm", UNUSED, 0, message.fields))
    return (len(frame) + len(CUT_TLV)).to_bytes(4, "big") + frame[4:] + CUT_TLV


def _header(command_id: int, length: int = HEADER.size) -> bytes:
    return HEADER.pack(length, command_id, 0, UNUSED)


_SAID: Mapping[str, Callable[[], bytes]] = {
    "garbage": lambda: NOISE,
    "length_too_small": lambda: _header(DELIVER_SM, HEADER.size - 1),
    "length_too_large": lambda: _header(DELIVER_SM, 0x7FFFFFFF),
    "half_pdu": lambda: _header(DELIVER_SM, 100) + b"\0\1\1",
    "unknown_command": lambda: _header(NOBODYS),
    "unknown_response": lambda: _header(NOBODYS | RESPONSE),
    "stray_response": lambda: _header(SUBMIT_SM_RESP),
}
_BODIES: Mapping[str, Callable[[bytes], bytes]] = {
    "none": lambda message_id: b"",
    "empty": lambda message_id: b"\0",
    "id": lambda message_id: message_id + b"\0",
    "unterminated": lambda message_id: message_id,
}
