"""Between the contract's words and SMPP's: segments to submit_sm, deliver_sm to receipts and inbound messages. Pure."""

from hashlib import blake2b
from typing import Any

from msgspec.structs import replace

from messagehub import text
from messagehub.carriers.carrier import LONGEST_ADDRESS, LONGEST_NAME, Handover, Inbound, Receipt, Verdict
from messagehub.carriers.failures import GSM, GSM_MAP, bare, meaning_of
from messagehub.carriers.national import internationally
from messagehub.carriers.profile import OF_ACTION, Profile
from messagehub.carriers.transfer import Transfer, Why
from messagehub.clock import NEVER
from messagehub.smpp import PDU, Action, read_tlv, receipts, status
from messagehub.smpp.pdus import SOURCE
from messagehub.smpp.receipts import Outcome
from messagehub.smpp.statuses import NUMBERS
from messagehub.smpp.tlvs import TAGS, pack_tlvs
from messagehub.text import Concatenation, Piece, Segment
from messagehub.text.keepable import keepable

UDHI = 0x40  # esm_class, SMPP 3.4, section 5.2.12

INTERNATIONAL_TON, NATIONAL_TON, UNKNOWN_TON = 1, 2, 0  # SMPP 3.4, section 5.2.5
SHORTEST_E164 = 7
"""Digits below which a number without a type is taken for a short code."""


# --- out --------------------------------------------------------------------------------


def transfer_of(handover: Handover, profile: Profile, now: int) -> Transfer:
    fields = submission(profile, handover.source, handover.destination)
    if handover.expire_at < NEVER or profile.dates_validity:
        fields["validity_period"] = profile.validity_period(handover.expire_at, now)
    tlvs = profile.with_tlvs(handover.tlvs) if handover.tlvs else profile.tlvs
    names = [""] * len(handover.segments)
    return Transfer(handover.key, handover.steps, handover.retry, handover.expire_at, fields, tlvs, names)


def submission(profile: Profile, source: str, destination: str) -> dict[str, Any]:
    """The fields of a submit_sm that all segments of a handover share."""
    source_ton, source_npi, source_addr = profile.source.write(source)
    dest_ton, dest_npi, destination_addr = profile.destination.write(destination)
    return {
        **profile.fields,
        "source_addr_ton": source_ton,
        "source_addr_npi": source_npi,
        "source_addr": source_addr,
        "dest_addr_ton": dest_ton,
        "dest_addr_npi": dest_npi,
        "destination_addr": destination_addr,
    }


def sender(profile: Profile, source: str) -> dict[str, Any]:
    """Of these fields those that say who it is from: by them, too, a message is known in a query_sm."""
    fields = submission(profile, source, "")
    return {name: fields[name] for name in SOURCE}


def with_segment(
    segment: Segment, fields: dict[str, Any], tlvs: dict[int, bytes] | None = None
) -> tuple[dict[str, Any], dict[int, bytes] | None]:
    """What a segment says in fields and in TLVs (SMPP 3.4, sections 5.3.2.22 to 24 and 32), besides these."""
    octets = segment.octets
    if segment.payload:
        octets, tlvs = b"", {**(tlvs or {}), TAGS["message_payload"]: octets}
    elif sar := segment.sar:
        values = {"sar_msg_ref_num": sar.reference, "sar_total_segments": sar.total, "sar_segment_seqnum": sar.sequence}
        tlvs = {**(tlvs or {}), **pack_tlvs(values)}
    esm_class = UDHI if segment.udhi else 0
    return {**fields, "esm_class": esm_class, "data_coding": segment.data_coding, "short_message": octets}, tlvs


def refusal(profile: Profile, command_status: int) -> Why:
    """Why the carrier refused: a key of the contract's REASONS, the standard's words, the config's error_code."""
    meaning = status(command_status)
    reason, code = profile.reasons.get(command_status, VENDORS), profile.refusals.get(command_status, "")
    return reason, f"{meaning.name}: {meaning.words}", code


VENDORS = OF_ACTION[Action.PERMANENT]
"""What a command_status means that is in no table."""


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


def arrival(profile: Profile, pdu: PDU, ticket: Any) -> Receipt | Inbound:
    """What a deliver_sm or data_sm tells."""
    if receipts.is_receipt(pdu):
        return _receipt(profile, pdu, ticket)
    if profile.receipt_by_shape and receipts.is_receipt(pdu, by_shape=True):
        return replace(_receipt(profile, pdu, ticket), is_by_shape=True)
    return _inbound(profile, pdu, ticket)


def _receipt(profile: Profile, pdu: PDU, ticket: Any) -> Receipt:
    read = receipts.parse(pdu)
    state = STATES[read.outcome] if read.stat else "intermediate"
    if state not in NO_FAILURE:
        state = _failure(profile, read) or state
    name, words = read.message_id[:LONGEST_NAME], f"{read.stat} {read.err}".strip()[:LONGEST_WORDS]
    if "\0" in read.raw:
        name, words = keepable(name), keepable(words)
    # By the standard the source of a receipt is the destination of the message.
    recipient = "destination_addr" if profile.receipt_swapped else "source_addr"
    return Receipt(name, state, words, number(profile, pdu, recipient), ticket)


NO_FAILURE = ("delivered", "intermediate")

LONGEST_WORDS = 200
"""Characters of a receipt that are shown: a state and a code have ten."""


def _failure(profile: Profile, read: receipts.Receipt) -> str:
    """What its code says that its state does not; empty where that is nothing."""
    if code := profile.errors.get(bare(read.err)) or profile.errors.get(bare(read.stat)):
        return code
    return meaning_of(read.err, GSM_MAP if read.network == GSM else profile.numbering)


def answer(response: PDU) -> tuple[str, str]:
    """What a query_sm_resp without an error tells: a state as of a receipt, and words (SMPP 3.4, section 4.8.2)."""
    word = receipts.WORDS.get(response.fields.get("message_state", 0), "UNKNOWN")
    return STATES[receipts.OUTCOMES[word]], f"{word} {response.fields.get('error_code', 0):03}"


def _inbound(profile: Profile, pdu: PDU, ticket: Any) -> Inbound:
    octets = pdu.fields.get("short_message") or read_tlv(pdu.tlvs, "message_payload") or b""
    assert isinstance(octets, bytes)
    piece = Piece(pdu.fields["data_coding"], octets, bool(pdu.fields["esm_class"] & UDHI))
    read = text.decode(*piece, profile.texts.alphabet)
    return Inbound(
        source=number(profile, pdu, "source_addr"),
        destination=number(profile, pdu, "destination_addr"),
        text=read.text,
        octets=None if read.clean else octets,
        concatenation=read.concatenation or _sar(pdu.tlvs),
        piece=piece,
        alphabet=profile.texts.alphabet,
        ticket=ticket,
        fingerprint=_fingerprint(pdu, octets),
    )


def _fingerprint(pdu: PDU, octets: bytes) -> bytes:
    names = ("source_addr", "destination_addr", "esm_class", "data_coding")
    told = repr([*(pdu.fields.get(name) for name in names), octets, sorted(pdu.tlvs.items())])
    return blake2b(told.encode(), digest_size=16).digest()


def _sar(tlvs: dict[int, bytes]) -> Concatenation | None:
    """Concatenation said by TLVs instead of a header, SMPP 3.4, section 5.3.2.22."""
    names = ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum")
    reference, total, sequence = (read_tlv(tlvs, name) for name in names)
    if not (isinstance(reference, int) and isinstance(total, int) and isinstance(sequence, int)):
        return None
    return Concatenation(reference, total, sequence, 16) if 1 <= sequence <= total else None


def number(profile: Profile, pdu: PDU, field: str) -> str:
    """An address as the carrier gave it, brought to E.164 where it is an international number, or a national one of
    the carrier's country."""
    ton = pdu.fields["dest_addr_ton" if field == "destination_addr" else "source_addr_ton"]
    return keepable(international(pdu.fields[field][:LONGEST_ADDRESS], profile.default_country, ton))


def international(given: str, country: str, ton: int = UNKNOWN_TON) -> str:
    """In E.164 where it is an international number, or a national one of this country; else as it was given."""
    digits = given.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return given
    if country and given == digits and len(digits) >= SHORTEST_E164 and ton in (UNKNOWN_TON, NATIONAL_TON):
        ton, digits = INTERNATIONAL_TON, internationally(country, digits, ton == NATIONAL_TON)
    if digits.startswith("0"):
        return given
    long_enough = len(digits) >= SHORTEST_E164
    return f"+{digits}" if ton == INTERNATIONAL_TON or (ton == UNKNOWN_TON and long_enough) else given


ANSWERS = {
    Verdict.TAKEN: NUMBERS["ESME_ROK"],
    Verdict.REFUSED: NUMBERS["ESME_RX_R_APPN"],
    Verdict.BROKEN: NUMBERS["ESME_RX_P_APPN"],
    Verdict.LATER: NUMBERS["ESME_RX_T_APPN"],
}
