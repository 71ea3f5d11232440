"""What the simulator hands to the ESME: receipts, and what handsets write, as deliver_sm."""

import re
import struct
import time
from asyncio import Future
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from messagehub.carriers.simulator.behaviours import Verdict
from messagehub.carriers.simulator.record import Submit
from messagehub.smpp import PDU, encode
from messagehub.smpp.receipts import NUMBERS as STATES
from messagehub.smpp.receipts import receipt_text
from messagehub.smpp.tlvs import TAGS
from messagehub.text import Segment, cut

RECEIPT, UDHI = 0x04, 0x40  # esm_class: SMPP 3.4, section 5.2.12

MESSAGE_ID, MESSAGE_STATE = TAGS["receipted_message_id"], TAGS["message_state"]

# type of number and numbering plan (5.2.5, 5.2.6) by the look of an address; the first that matches
_ADDRESSES: tuple[tuple[re.Pattern[str], int, int], ...] = (
    (re.compile(r"\+\d+", re.ASCII), 1, 1),  # international, E.164
    (re.compile(r"\d{1,6}", re.ASCII), 3, 0),  # short code
    (re.compile(r"\d+", re.ASCII), 0, 1),  # who knows
    (re.compile(r".*", re.DOTALL), 5, 0),  # alphanumeric
)


@dataclass(slots=True, eq=False)
class Delivery:
    """One deliver_sm, kept until it is acknowledged. `answer` is set to the command_status of its first answer."""

    fields: dict[str, Any]
    tlvs: dict[int, bytes]
    is_receipt: bool
    answer: "Future[int] | None" = None


def receipt(submit: Submit, verdict: Verdict) -> Delivery:
    """The receipt of a submit, which goes back the way that the submit came."""
    fields, message_id = submit.fields, submit.message_id
    text = receipt_text(message_id, verdict.stat, submit.moment, moment(), verdict.err, _beginning(submit.octets))
    return Delivery(
        {
            "source_addr_ton": fields["dest_addr_ton"],
            "source_addr_npi": fields["dest_addr_npi"],
            "source_addr": fields["destination_addr"],
            "dest_addr_ton": fields["source_addr_ton"],
            "dest_addr_npi": fields["source_addr_npi"],
            "destination_addr": fields["source_addr"],
            "esm_class": RECEIPT,
            "short_message": text,
        },
        {MESSAGE_ID: message_id.encode() + b"\0", MESSAGE_STATE: _STATE_OCTETS[verdict.stat]},
        is_receipt=True,
    )


def written(source: str, destination: str, text: str, reference: int) -> list[Delivery]:
    """What a handset writes, in parts where it is long. Raises ValueError where an address or text cannot be."""
    addresses = _address("source_addr", "source", source) | _address("destination_addr", "dest", destination)
    parts = [_part(addresses, segment) for segment in cut(text, reference)]
    encode(PDU("deliver_sm", fields=parts[0].fields))  # now, while whoever asked can be told
    return parts


def moment() -> str:
    """The date of receipts, now: YYMMDDhhmm, UTC."""
    return _minute(int(time.time()) // 60)


@lru_cache(maxsize=2)
def _minute(minute: int) -> str:
    return time.strftime("%y%m%d%H%M", time.gmtime(60 * minute))


_STATE_OCTETS: Mapping[str, bytes] = {word: struct.pack("B", number) for word, number in STATES.items()}


def _beginning(octets: bytes) -> str:
    text = octets[:20].decode("latin-1")
    return text if text.isascii() and text.isprintable() else ""


def _address(field: str, side: str, address: str) -> dict[str, Any]:
    ton, npi = next((ton, npi) for form, ton, npi in _ADDRESSES if form.fullmatch(address))
    return {f"{side}_addr_ton": ton, f"{side}_addr_npi": npi, field: address.removeprefix("+")}


def _part(addresses: Mapping[str, Any], segment: Segment) -> Delivery:
    fields = {
        **addresses,
        "esm_class": UDHI if segment.udhi else 0,
        "data_coding": segment.data_coding,
        "short_message": segment.octets,
    }
    return Delivery(fields, {}, is_receipt=False)
