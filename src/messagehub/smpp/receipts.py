"""Delivery receipts: told apart, read and written. SMPP 3.4, appendix B and section 5.3.2.

The text of a receipt is every vendor's own: any order, any case, keys left out, dates of 10 to 14 digits, in UCS-2 or
said to be, with a user data header or only said to have one. So it is read key by key. Where a TLV says the same, the
TLV counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from messagehub.smpp.pdus import PDU
from messagehub.smpp.tlvs import TAGS


class Outcome(StrEnum):
    """What a receipt says became of the message."""

    DELIVERED = "delivered"
    EXPIRED = "expired"
    DELETED = "deleted"
    UNDELIVERABLE = "undeliverable"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    FAILED = "failed"  # a vendor's own word: they have many for failure, and none was seen for success
    UNKNOWN = "unknown"
    INTERMEDIATE = "intermediate"  # not final: another receipt will come


FAILURES = frozenset(Outcome) - {Outcome.DELIVERED, Outcome.INTERMEDIATE, Outcome.UNKNOWN}

_STATES: tuple[tuple[int | None, str, str, Outcome], ...] = (  # message_state, stat, in full (5.2.28 and appendix B)
    (0, "SCHEDLD", "SCHEDULED", Outcome.INTERMEDIATE),  # 5.0
    (1, "ENROUTE", "ENROUTE", Outcome.INTERMEDIATE),
    (2, "DELIVRD", "DELIVERED", Outcome.DELIVERED),
    (3, "EXPIRED", "EXPIRED", Outcome.EXPIRED),
    (4, "DELETED", "DELETED", Outcome.DELETED),
    (5, "UNDELIV", "UNDELIVERABLE", Outcome.UNDELIVERABLE),
    (6, "ACCEPTD", "ACCEPTED", Outcome.INTERMEDIATE),
    (7, "UNKNOWN", "UNKNOWN", Outcome.UNKNOWN),
    (8, "REJECTD", "REJECTED", Outcome.REJECTED),
    (9, "SKIPPED", "SKIPPED", Outcome.SKIPPED),  # 5.0
    (None, "FAILED", "FAILED", Outcome.FAILED),
    (None, "UNDELIVERED", "UNDELIVERED", Outcome.UNDELIVERABLE),
)
WORDS: Mapping[int, str] = {number: word for number, word, _, _ in _STATES if number is not None}
NUMBERS: Mapping[str, int] = {word: number for number, word in WORDS.items()}
OUTCOMES: Mapping[str, Outcome] = {
    **{full: outcome for _, _, full, outcome in _STATES},
    **{word: outcome for _, word, _, outcome in _STATES},
}

ESM_TYPE, RECEIPT, UDHI = 0x3C, 0x04, 0x40  # esm_class: 5.2.12
RECEIPTED_MESSAGE_ID, MESSAGE_STATE = TAGS["receipted_message_id"], TAGS["message_state"]
NETWORK_ERROR_CODE, MESSAGE_PAYLOAD = TAGS["network_error_code"], TAGS["message_payload"]

_KEYS = r"id|sub|dlvrd|submit[ _]date|done[ _]date|stat|err|text"
_KEY = re.compile(rf"(?<![a-z0-9_-])({_KEYS}):(?: ?(?!(?:{_KEYS}):)(\S+))?", re.IGNORECASE | re.ASCII)
_WANTED = ("id", "submit date", "done date", "stat", "err", "text")
# Appendix B to the letter, as most are: found at once, where key by key would take five times as long.
_FORM = re.compile(
    r"id:(\S+) sub:\S+ dlvrd:\S+ submit date:(\S+) done date:(\S+) stat:(\S+) err:(\S+)(?: text:(.*))?",
    re.IGNORECASE | re.DOTALL | re.ASCII,
)


@dataclass(slots=True)
class Receipt:
    """One receipt; what it did not say is empty.

    `message_id` as the carrier wrote it; `stat` in upper case; `err` as written, or the three octets of
    network_error_code as `err` (decimal) and `network` (1 ANSI-136, 2 IS-95, 3 GSM); dates raw, their zone unknown;
    `raw` is the whole text.
    """

    message_id: str
    stat: str
    err: str
    submit_date: str
    done_date: str
    text: str
    raw: str
    outcome: Outcome
    network: int | None = None


def is_receipt(pdu: PDU) -> bool:
    """Is this deliver_sm or data_sm a receipt (or an intermediate notification), rather than a message?"""
    if pdu.fields.get("esm_class", 0) & ESM_TYPE == RECEIPT:
        return True
    tlvs = pdu.tlvs
    if RECEIPTED_MESSAGE_ID in tlvs and MESSAGE_STATE in tlvs:
        return True
    text = _text(pdu)
    if "stat:" not in text.lower():
        return False
    message_id, _, done, stat, err, _ = _read(text)
    return bool(message_id and stat and (done or err))  # which no person writes by accident


def parse(pdu: PDU) -> Receipt:
    """Read a receipt; of one that says nothing the parts are empty and the outcome is unknown. Never raises."""
    raw, network = _text(pdu), None
    message_id, submitted, done, stat, err, text = _read(raw)
    stat = stat.upper()
    if tlvs := pdu.tlvs:
        if receipted := tlvs.get(RECEIPTED_MESSAGE_ID):
            message_id = receipted.partition(b"\0")[0].decode("latin-1") or message_id
        if state := tlvs.get(MESSAGE_STATE):
            stat = WORDS.get(state[-1], stat)
        if len(code := tlvs.get(NETWORK_ERROR_CODE, b"")) == 3:
            network, err = code[0], f"{int.from_bytes(code[1:], 'big'):03d}"
    return Receipt(message_id, stat, err, submitted, done, text, raw, outcome(stat), network)


def outcome(stat: str) -> Outcome:
    """What the word of a receipt means; a word that nobody knows is a vendor's word for failure."""
    return OUTCOMES.get(stat.upper(), Outcome.FAILED) if stat else Outcome.UNKNOWN


def receipt_text(message_id: str, stat: str, submitted: str, done: str, err: str = "000", text: str = "") -> bytes:
    """The text of appendix B. Dates are YYMMDDhhmm; of `text` the first 20 characters are shown."""
    delivered = "001" if outcome(stat) is Outcome.DELIVERED else "000"
    return (
        f"id:{message_id} sub:001 dlvrd:{delivered} submit date:{submitted} done date:{done} "
        f"stat:{stat} err:{err} text:{text[:20]}"
    ).encode("latin-1", "replace")


def _text(pdu: PDU) -> str:
    octets: bytes = pdu.fields.get("short_message") or pdu.tlvs.get(MESSAGE_PAYLOAD, b"")
    # Some set UDHI on receipts that have no header: then the "header" would be as long as the letter `i` is high.
    if pdu.fields.get("esm_class", 0) & UDHI and octets[:1] < b" ":
        octets = octets[1 + octets[0] :] if octets else b""
    if b"\0:" in octets:  # UCS-2, whatever data_coding says; and ASCII is often labelled as UCS-2
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")


def _read(text: str) -> tuple[str, ...]:
    """The values of _WANTED. `text:` goes on to the end, but what is missing before it may stand behind it."""
    if match := _FORM.fullmatch(text):
        return match.groups("")
    found: dict[str, str] = {}
    for match in _KEY.finditer(text):
        key = match[1].lower().replace("_", " ")
        if key == "text" and key not in found:
            found[key] = text[match.end(1) + 1 :].strip()
        else:
            found.setdefault(key, match[2] or "")
    return tuple(found.get(key, "") for key in _WANTED)
