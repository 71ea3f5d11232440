"""Delivery receipts: told apart, read and written. SMPP 3.4, appendix B and section 5.3.2.

The text of a receipt is every vendor's own: any order, any case, keys left out, dates of 10 to 14 digits, in UCS-2 or
said to be, with a user data header or only said to have one. So it is read key by key. Where a TLV says the same, the
TLV counts. The id is never touched: see `messagehub.smpp.receipt_ids` for what carriers make of it.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import zip_longest

from msgspec import Struct

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
FINAL = FAILURES | {Outcome.DELIVERED}
_FAILED, _UNKNOWN = Outcome.FAILED, Outcome.UNKNOWN  # which cost ten times as much to look up at their class

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
    # Vendors' words for what is on its way. To take one for a failure would send the message once more beside it.
    (None, "ACKED", "ACKNOWLEDGED", Outcome.INTERMEDIATE),
    (None, "BUFFRED", "BUFFERED", Outcome.INTERMEDIATE),
    (None, "BUFFERD", "BUFFERED", Outcome.INTERMEDIATE),
    (None, "EN_ROUTE", "EN_ROUTE", Outcome.INTERMEDIATE),
    (None, "PENDING", "PENDING", Outcome.INTERMEDIATE),
    (None, "QUEUED", "QUEUED", Outcome.INTERMEDIATE),
    (None, "SENT", "SENT", Outcome.INTERMEDIATE),
    (None, "SUBMITD", "SUBMITTED", Outcome.INTERMEDIATE),
)
WORDS: Mapping[int, str] = {number: word for number, word, _, _ in _STATES if number is not None}
NUMBERS: Mapping[str, int] = {word: number for number, word in WORDS.items()}
OUTCOMES: Mapping[str, Outcome] = {
    **{full: outcome for _, _, full, outcome in _STATES},
    **{word: outcome for _, word, _, outcome in _STATES},
}

ESM_TYPE, RECEIPT, NOTIFICATION, UDHI = 0x3C, 0x04, 0x20, 0x40  # esm_class: 5.2.12
RECEIPTED_MESSAGE_ID, MESSAGE_STATE = TAGS["receipted_message_id"], TAGS["message_state"]
NETWORK_ERROR_CODE, MESSAGE_PAYLOAD = TAGS["network_error_code"], TAGS["message_payload"]

_KEY = re.compile(r"(?<![a-z0-9_-])(id|sub|dlvrd|submit[ _]date|done[ _]date|stat|err|text):", re.IGNORECASE | re.ASCII)
_STRANGE_KEY = re.compile(r"\s+[a-z_]+:", re.IGNORECASE | re.ASCII)
_DATE = re.compile(r"\s*([0-9](?:[0-9 :/.TR+-]*[0-9R+-])?)", re.ASCII)
_WANTED = ("id", "submit date", "done date", "stat", "err", "text")
# Appendix B to the letter, as most are: found at once, where key by key would take five times as long.
_FORM = re.compile(
    r"id:(\S+) sub:\S+ dlvrd:\S+ submit date:(\S+) done date:(\S+) stat:(\S+) err:(\S+)(?: text:(.*))?",
    re.IGNORECASE | re.DOTALL | re.ASCII,
)


class Receipt(Struct):
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

    @property
    def final(self) -> bool:
        """Nothing more is to come, by the standard. Carriers are known to correct themselves all the same."""
        return self.outcome in FINAL


def is_receipt(pdu: PDU, *, by_shape: bool = False) -> bool:
    """Is this deliver_sm or data_sm a receipt (or an intermediate notification), rather than a message?

    esm_class says so, or the TLVs that only receipts have. `by_shape` takes a text that looks like one for a receipt,
    too: only for carriers that forget esm_class, as anybody can write such a text.
    """
    if pdu.fields.get("esm_class", 0) & ESM_TYPE in (RECEIPT, NOTIFICATION):
        return True
    tlvs = pdu.tlvs
    if RECEIPTED_MESSAGE_ID in tlvs and MESSAGE_STATE in tlvs:
        return True
    if not by_shape or "stat:" not in (text := _text(pdu)).lower():
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
            message_id = receipted.partition(b"\0")[0].decode("latin-1").strip() or message_id
        if state := tlvs.get(MESSAGE_STATE):
            stat = WORDS.get(int.from_bytes(state, "big"), stat)
        if code := tlvs.get(NETWORK_ERROR_CODE):
            network, err = _network_error(code) or (None, err)
    became = OUTCOMES.get(stat, _FAILED) if stat else _UNKNOWN
    if pdu.fields.get("esm_class", 0) & ESM_TYPE == NOTIFICATION:
        became = Outcome.INTERMEDIATE  # whatever went wrong, the SMSC still tries
    return Receipt(message_id, stat, err, submitted, done, text, raw, became, network)


def outcome(stat: str) -> Outcome:
    """What the word of a receipt means; a word that nobody knows is a vendor's word for failure."""
    return OUTCOMES.get(stat.upper(), _FAILED) if stat else _UNKNOWN


def receipt_text(message_id: str, stat: str, submitted: str, done: str, err: str = "000", text: str = "") -> bytes:
    """The text of appendix B. Dates are YYMMDDhhmm; of `text` the first 20 characters are shown."""
    delivered = "001" if outcome(stat) is Outcome.DELIVERED else "000"
    return (
        f"id:{message_id} sub:001 dlvrd:{delivered} submit date:{submitted} done date:{done} "
        f"stat:{stat} err:{err} text:{text[:20]}"
    ).encode("latin-1", "replace")


def _network_error(code: bytes) -> tuple[int | None, str] | None:
    """network_error_code (5.3.2.31): network and error. Some write three digits instead of three octets."""
    if len(code) != 3:
        return None
    if code.isdigit():
        return None, code.decode("ascii")
    return code[0], f"{int.from_bytes(code[1:], 'big'):03d}"


def _text(pdu: PDU) -> str:
    octets: bytes = pdu.fields.get("short_message") or pdu.tlvs.get(MESSAGE_PAYLOAD, b"")
    # Some set UDHI on receipts that have no header: then the "header" would be as long as the letter `i` is high.
    if pdu.fields.get("esm_class", 0) & UDHI and octets[:1] < b" ":
        octets = octets[1 + octets[0] :] if octets else b""
    if b"\0:" in octets:  # UCS-2, whatever data_coding says; and ASCII is often labelled as UCS-2
        return _ucs2(octets)
    return octets.decode("latin-1")


def _ucs2(octets: bytes) -> str:
    """Big-endian by the standard; little-endian where the first octet is not the zero of a letter."""
    little = octets[:2] == b"\xff\xfe" or (octets[:1] != b"\0" and octets[1:2] == b"\0")
    return octets.decode("utf-16-le" if little else "utf-16-be", "replace").removeprefix("\ufeff")


def _read(text: str) -> tuple[str, ...]:
    """The values of _WANTED. `text:` goes on to the end, but what is missing before it may stand behind it."""
    if match := _FORM.fullmatch(text):
        return match.groups("")
    found: dict[str, str] = {}
    keys = list(_KEY.finditer(text))
    for match, after in zip_longest(keys, keys[1:]):
        key = match[1].lower().replace("_", " ")
        if key not in found:
            within = None if key == "text" or after is None else after.start()
            found[key] = _VALUES.get(key, _word)(text[match.end() : within])
    return tuple(found.get(key, "") for key in _WANTED)


def _word(value: str) -> str:
    return value.split(maxsplit=1)[0] if value.strip() else ""


def _id(value: str) -> str:
    """Up to the next key, known or not: there are ids with spaces inside."""
    return _STRANGE_KEY.split(value, maxsplit=1)[0].strip()


def _date(value: str) -> str:
    match = _DATE.match(value)
    return match[1] if match else ""


_VALUES: Mapping[str, Callable[[str], str]] = {
    "id": _id,
    "submit date": _date,
    "done date": _date,
    "text": str.strip,
}
