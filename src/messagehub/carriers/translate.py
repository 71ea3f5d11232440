"""Between the contract's words and SMPP's: segments to submit_sm, deliver_sm to receipts and inbound messages. Pure."""

from typing import Any

from messagehub import text
from messagehub.carriers.carrier import Inbound, Receipt, Verdict
from messagehub.smpp import PDU, Action, read_tlv, receipts, status
from messagehub.smpp.receipts import Outcome
from messagehub.smpp.statuses import NUMBERS
from messagehub.text import Concatenation, Segment

UDHI = 0x40  # esm_class, SMPP 3.4, section 5.2.12

# Type of number and numbering plan, SMPP 3.4, sections 5.2.5 and 5.2.6.
INTERNATIONAL, NATIONAL_CODE, ALPHANUMERIC = (1, 1), (3, 0), (5, 0)
UNKNOWN_TON, INTERNATIONAL_TON = 0, 1
SHORTEST_E164 = 7
"""Digits below which a number without a type is taken for a short code."""


# --- out --------------------------------------------------------------------------------


def submission(source: str, destination: str) -> dict[str, Any]:
    """The fields of a submit_sm that all segments of a handover share."""
    source_ton, source_npi, source_addr = address(source)
    dest_ton, dest_npi, destination_addr = address(destination)
    return {
        "source_addr_ton": source_ton,
        "source_addr_npi": source_npi,
        "source_addr": source_addr,
        "dest_addr_ton": dest_ton,
        "dest_addr_npi": dest_npi,
        "destination_addr": destination_addr,
        "registered_delivery": 1,
    }


def with_segment(fields: dict[str, Any], segment: Segment) -> dict[str, Any]:
    esm_class = UDHI if segment.udhi else 0
    return {**fields, "esm_class": esm_class, "data_coding": segment.data_coding, "short_message": segment.octets}


def address(number: str) -> tuple[int, int, str]:
    """TON, NPI and digits: by custom an international number goes without its plus."""
    if number.startswith("+"):
        return (*INTERNATIONAL, number[1:])
    return (*(NATIONAL_CODE if number.isdecimal() else ALPHANUMERIC), number)


REASONS = {
    Action.SLOW_BIND: "throttled",
    Action.RETRY: "unwell",
    Action.SESSION: "not_ready",
    Action.REROUTE: "rejected",
    Action.PERMANENT: "rejected",
    Action.OURS: "misconfigured",
}
REASONS_OF_STATUS = {
    NUMBERS["ESME_RINVDSTADR"]: "invalid_number",
    NUMBERS["ESME_RINVSRCADR"]: "invalid_source",
}


def refusal(command_status: int) -> tuple[str, str]:
    """Why the carrier refused: a key of the contract's REASONS, and the words of the standard."""
    meaning = status(command_status)
    reason = REASONS_OF_STATUS.get(command_status) or REASONS[meaning.action]
    return reason, f"{meaning.name}: {meaning.words}"


# --- in ---------------------------------------------------------------------------------

STATES = {
    Outcome.DELIVERED: "delivered",
    Outcome.EXPIRED: "expired",
    Outcome.DELETED: "deleted",
    Outcome.UNDELIVERABLE: "undelivered",
    Outcome.REJECTED: "carrier_rejected",
    Outcome.SKIPPED: "undelivered",
    Outcome.FAILED: "undelivered",
    Outcome.UNKNOWN: "unknown",
    Outcome.INTERMEDIATE: "intermediate",
}


def arrival(pdu: PDU, ticket: Any) -> Receipt | Inbound:
    """What a deliver_sm or data_sm tells."""
    return _receipt(pdu, ticket) if receipts.is_receipt(pdu, by_shape=True) else _inbound(pdu, ticket)


def _receipt(pdu: PDU, ticket: Any) -> Receipt:
    read = receipts.parse(pdu)
    state = STATES[read.outcome] if read.stat else "intermediate"
    words = f"{read.stat} {read.err}".strip()
    # By the standard the source of a receipt is the destination of the message.
    return Receipt(_clean(read.message_id), state, _clean(words), number(pdu, "source_addr"), ticket)


def _inbound(pdu: PDU, ticket: Any) -> Inbound:
    octets = pdu.fields.get("short_message") or read_tlv(pdu.tlvs, "message_payload") or b""
    assert isinstance(octets, bytes)
    read = text.decode(pdu.fields["data_coding"], octets, bool(pdu.fields["esm_class"] & UDHI))
    return Inbound(
        source=number(pdu, "source_addr"),
        destination=number(pdu, "destination_addr"),
        text=read.text,
        octets=None if read.clean else octets,
        concatenation=read.concatenation or _sar(pdu.tlvs),
        ticket=ticket,
    )


def _sar(tlvs: dict[int, bytes]) -> Concatenation | None:
    """Concatenation said by TLVs instead of a header, SMPP 3.4, section 5.3.2.22."""
    names = ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum")
    reference, total, sequence = (read_tlv(tlvs, name) for name in names)
    if not (isinstance(reference, int) and isinstance(total, int) and isinstance(sequence, int)):
        return None
    return Concatenation(reference, total, sequence, 16) if 1 <= sequence <= total else None


def number(pdu: PDU, field: str) -> str:
    """An address as the carrier gave it, brought to E.164 where it is an international number."""
    given = _clean(str(pdu.fields[field]))
    ton = pdu.fields["dest_addr_ton" if field == "destination_addr" else "source_addr_ton"]
    digits = given.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()) or digits.startswith("0"):
        return given
    long_enough = len(digits) >= SHORTEST_E164
    return f"+{digits}" if ton == INTERNATIONAL_TON or (ton == UNKNOWN_TON and long_enough) else given


def _clean(words: str) -> str:
    return words.replace("\0", "\N{REPLACEMENT CHARACTER}")


ANSWERS = {
    Verdict.TAKEN: NUMBERS["ESME_ROK"],
    Verdict.REFUSED: NUMBERS["ESME_RX_R_APPN"],
    Verdict.BROKEN: NUMBERS["ESME_RX_P_APPN"],
    Verdict.LATER: NUMBERS["ESME_RX_T_APPN"],
}
