"""What is against the standard in a PDU that was taken all the same: for traces, and for talks with a carrier.

Decoding does not look for these, as it would cost time for each message; whoever wants to know asks.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from messagehub.smpp.kinds import TIME, Counted, CString, Int, Kind, Octets, Time
from messagehub.smpp.pdus import COMMAND_IDS, COMMANDS, PDU, RESPONSES, UNKNOWN, TLVs
from messagehub.smpp.tlvs import EVERY_RESPONSE, NAMES, PLACES, TAGS, TLVS

VENDORS = range(0x1400, 0x4000)  # tags that every vendor uses as it likes: section 5.3.1
MANY = frozenset({"callback_num", "callback_num_pres_ind", "callback_num_atag"})  # may come more than once: 5.3.2.36
PAYLOAD = TAGS["message_payload"]


def deviations(pdu: PDU) -> list[str]:
    """In words, each with the name of its field or TLV; the decoder's `oddities` first."""
    if pdu.name == UNKNOWN:
        return [f"command_id {pdu.fields['command_id']:#010x}: unknown"]
    _, row = COMMANDS[COMMAND_IDS[pdu.name]]
    return [*pdu.oddities, *_in_fields(row, pdu.fields), *_in_tlvs(pdu), *_in_content(pdu)]


def _in_fields(row: Mapping[str, Kind], fields: Mapping[str, Any]) -> Iterator[str]:
    for name, kind in row.items():
        value = fields.get(name, kind.default)
        if isinstance(kind, CString) and len(value) >= kind.limit:
            yield f"{name}: {len(value)} octets, {kind.limit - 1} are allowed"
        elif isinstance(kind, Time) and value and not TIME.fullmatch(value):
            yield f"{name}: {value!r} is no time"
        elif isinstance(kind, Counted) and len(value) > kind.limit:
            yield f"{name}: {len(value)} octets, {kind.limit} are allowed"


def _in_tlvs(pdu: PDU) -> Iterator[str]:
    allowed = PLACES.get(pdu.name, frozenset()) | (EVERY_RESPONSE if pdu.name in RESPONSES else frozenset())
    pairs = pdu.tlvs.pairs if isinstance(pdu.tlvs, TLVs) else tuple(pdu.tlvs.items())
    seen: set[int] = set()
    for tag, value in pairs:
        name = NAMES.get(tag, "")
        if name and (words := _misshapen(TLVS[name][1], value)):
            yield f"TLV {name}: {words}"
        if name and name not in allowed:
            yield f"TLV {name}: not in {pdu.name}"
        elif not name and tag not in VENDORS:
            yield f"TLV {tag:#06x}: unknown, and not of the vendors' range"
        if tag in seen and name not in MANY:
            yield f"TLV {name or format(tag, '#06x')}: more than once"
        seen.add(tag)


def _misshapen(kind: Kind, value: bytes) -> str:
    match kind:
        case Int(size=size) if len(value) != size:
            return f"{len(value)} octets instead of {size}"
        case CString(limit=limit) if len(value) > limit:
            return f"{len(value)} octets, {limit} are allowed"
        case CString() if not value.endswith(b"\0"):
            return "no NUL at its end"
        case Octets(least=least, most=most) if not least <= len(value) <= most:
            return f"{len(value)} octets instead of {least}" + (f" to {most}" if least < most else "")
    return ""


def _in_content(pdu: PDU) -> Iterator[str]:
    """Section 5.2.22: a text stands in short_message or in message_payload."""
    if pdu.fields.get("short_message") and PAYLOAD in pdu.tlvs:
        yield "short_message: and message_payload, too"
