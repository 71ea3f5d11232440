"""Receipts as carriers write them: to the letter of appendix B, or in whatever dialect a scenario asks for."""

import struct
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, cast

from msgspec.structs import replace

from messagehub.carriers.simulator import scenario
from messagehub.carriers.simulator.ids import Form, Ids
from messagehub.carriers.simulator.outbox import Delivery
from messagehub.carriers.simulator.record import Submit
from messagehub.smpp.receipts import NUMBERS as STATES
from messagehub.smpp.receipts import RECEIPT, Outcome, outcome, receipt_text
from messagehub.smpp.tlvs import TAGS, pack_tlvs

MESSAGE_ID, MESSAGE_STATE, PAYLOAD = (
    TAGS[name] for name in ("receipted_message_id", "message_state", "message_payload")
)
UCS_2 = 0x08  # data_coding: SMPP 3.4, section 5.2.19
GSM = 3  # the network of network_error_code: 5.3.2.31

DATES: Mapping[int, str] = {10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S", 14: "%Y%m%d%H%M%S"}
CASES: Mapping[str, Callable[[str], str]] = {"usual": str, "upper": str.upper, "lower": str.lower, "title": str.title}
ALPHABETS: Mapping[str, tuple[str, int]] = {
    "ascii": ("latin-1", 0),
    "ucs2": ("utf-16-be", UCS_2),
    "mislabelled": ("latin-1", UCS_2),
}
SHOWN = 20  # characters of the message that the text shows

Write = Callable[[Submit], Delivery]


def writer(given: scenario.Receipt, ids: Ids) -> Write:
    """Writes the receipt of a submit, which goes back the way that the submit came."""
    plain = replace(given, stat="DELIVRD", err="000", after=None, times=1)
    if plain == scenario.Receipt():
        return partial(_plain, given.stat, given.err)
    return partial(_in_dialect, given, ids)


def is_good(given: scenario.Receipt) -> bool:
    """It is for those who ask to hear when all is well (5.2.17)."""
    return outcome(given.stat) is Outcome.DELIVERED


# --- to the letter ----------------------------------------------------------------------


def _plain(stat: str, err: str, submit: Submit) -> Delivery:
    message_id, submitted, done = submit.message_id, _minute(submit.at // 60), _minute(int(time.time()) // 60)
    text = receipt_text(message_id, stat, submitted, done, err, _beginning(submit.octets))
    return Delivery(
        {**_way_back(submit.fields), "esm_class": RECEIPT, "short_message": text},
        {MESSAGE_ID: message_id.encode("latin-1") + b"\0", MESSAGE_STATE: _STATE_OCTETS[stat]},
        is_receipt=True,
    )


@lru_cache(maxsize=8)
def _minute(minute: int) -> str:
    return time.strftime(DATES[10], time.gmtime(60 * minute))


_STATE_OCTETS: Mapping[str, bytes] = {word: struct.pack("B", number) for word, number in STATES.items()}


def _way_back(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source_addr_ton": fields["dest_addr_ton"],
        "source_addr_npi": fields["dest_addr_npi"],
        "source_addr": fields["destination_addr"],
        "dest_addr_ton": fields["source_addr_ton"],
        "dest_addr_npi": fields["source_addr_npi"],
        "destination_addr": fields["source_addr"],
    }


def _beginning(octets: bytes) -> str:
    text = octets[:SHOWN].decode("latin-1")
    return text if text.isascii() and text.isprintable() else ""


# --- in a dialect -----------------------------------------------------------------------


def _in_dialect(given: scenario.Receipt, ids: Ids, submit: Submit) -> Delivery:
    message_id = _message_id(given.id, ids, submit)
    text, data_coding = _text(given, message_id, submit) if given.by != "tlvs" else (b"", 0)
    fields: dict[str, Any] = {
        **({name: submit.fields[name] for name in _ADDRESSES} if given.swapped else _way_back(submit.fields)),
        "esm_class": given.esm_class,
        "data_coding": data_coding,
    }
    tlvs = _tlvs(given, message_id)
    if text and (given.payload or given.pdu == "data_sm"):
        tlvs[PAYLOAD] = text
    elif given.pdu == "deliver_sm":
        fields["short_message"] = text
    near = submit.driver if given.bind == "same" else None
    far = submit.driver if given.bind == "another" else None
    return Delivery(fields, tlvs, is_receipt=True, name=given.pdu, near=near, far=far)


_ADDRESSES = (
    "source_addr_ton", "source_addr_npi", "source_addr", "dest_addr_ton", "dest_addr_npi", "destination_addr",
)  # fmt: skip


def _text(given: scenario.Receipt, message_id: str, submit: Submit) -> tuple[bytes, int]:
    """The octets of the text, and their data_coding."""
    form = DATES[given.dates]
    values: dict[scenario.Key, str] = {
        "id": message_id,
        "sub": "001",
        "dlvrd": "001" if is_good(given) else "000",
        "submit date": time.strftime(form, time.gmtime(submit.at)),
        "done date": time.strftime(form, time.gmtime()),
        "stat": given.stat,
        "err": given.err,
        "text": _beginning(submit.octets),
    }
    written = CASES[given.case]
    text = " ".join(f"{written(key)}:{values[key]}" for key in given.keys)
    charset, data_coding = ALPHABETS[given.alphabet]
    return text.encode(charset, "replace"), data_coding


def _tlvs(given: scenario.Receipt, message_id: str) -> dict[int, bytes]:
    values: dict[str, Any] = {}
    if given.by != "text":
        values = {"receipted_message_id": message_id, "message_state": STATES[given.stat]}
    if given.network_error is not None:
        values["network_error_code"] = struct.pack(">BH", GSM, given.network_error)
    return pack_tlvs(values)


def _message_id(form: str, ids: Ids, submit: Submit) -> str:
    if found := _OTHERS.get(form):
        return found(submit)
    return ids.write(submit.n, cast(Form, form))


_OTHERS: Mapping[str, Callable[[Submit], str]] = {
    "as_is": lambda submit: submit.message_id,
    "previous": lambda submit: submit.previous,
    "unknown": lambda submit: f"unknown{submit.n}",
}
