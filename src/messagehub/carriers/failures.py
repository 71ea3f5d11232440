"""What carriers say of messages that they could not deliver, in our words; and a table for each numbering of codes.

A receipt's `err` is a number of the carrier's own: 32 is a busy handset here and a full one there. So by itself it
means nothing; a carrier's config says which numbering it is of, or what single codes mean. Only network_error_code
(SMPP 3.4, section 5.3.2.31) says itself whose codes they are.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

FailureCode = Literal[
    "invalid_number", "invalid_source", "carrier_busy", "carrier_unavailable", "carrier_misconfigured",
    "carrier_rejected", "expired", "undelivered", "deleted", "unknown", "unreachable", "handset_busy", "handset_full",
    "not_supported", "barred", "network_error", "opted_out", "blocked",
]  # fmt: skip


class Failure(Struct, frozen=True):
    """`is_temporary`: the same message may do better later. `is_open`: a receipt may yet say that it was delivered."""

    meaning: str
    is_temporary: bool = False
    is_open: bool = False


FAILURES: Mapping[str, Failure] = {
    "invalid_number": Failure("There is no such number.", is_open=True),
    "invalid_source": Failure("The carrier does not let this sender through."),
    "carrier_busy": Failure("The carrier takes no more just now."),
    "carrier_unavailable": Failure("The carrier had a fault, or its bind could not take the message."),
    "carrier_misconfigured": Failure("The carrier and our configuration of it do not understand each other."),
    "carrier_rejected": Failure("The carrier refuses the message."),
    "expired": Failure("The carrier could not deliver it within its validity.", is_open=True),
    "undelivered": Failure("The carrier could not deliver it.", is_open=True),
    "deleted": Failure("The carrier deleted it."),
    "unknown": Failure("The carrier does not know what became of it."),
    "unreachable": Failure("The handset is switched off or out of reach.", is_temporary=True, is_open=True),
    "handset_busy": Failure("The handset is busy with another message.", is_temporary=True, is_open=True),
    "handset_full": Failure("The handset has no room for it.", is_temporary=True, is_open=True),
    "not_supported": Failure("The recipient's contract or handset takes no such messages.", is_open=True),
    "barred": Failure("The recipient's network bars the recipient, or messages to it.", is_open=True),
    "network_error": Failure("The recipient's network had a fault.", is_temporary=True, is_open=True),
    "opted_out": Failure("The recipient wants no messages from this sender."),
    "blocked": Failure("The message was taken for spam, or for what may not be sent."),
}
"""Every `error_code` that a carrier can be the reason of."""

GSM_MAP: Mapping[int, FailureCode] = {  # 3GPP TS 29.002, section 17.6.6: local error codes
    1: "invalid_number",  # unknownSubscriber
    5: "invalid_number",  # unidentifiedSubscriber
    6: "unreachable",  # absentSubscriberSM
    8: "barred",  # roamingNotAllowed
    9: "barred",  # illegalSubscriber
    10: "not_supported",  # bearerServiceNotProvisioned
    11: "not_supported",  # teleserviceNotProvisioned
    12: "barred",  # illegalEquipment
    13: "barred",  # callBarred
    21: "not_supported",  # facilityNotSupported
    27: "unreachable",  # absentSubscriber
    31: "handset_busy",  # subscriberBusyForMT-SMS
    32: "handset_full",  # sm-DeliveryFailure, mostly for want of memory
    33: "unreachable",  # messageWaitingListFull
    34: "network_error",  # systemFailure
    35: "network_error",  # dataMissing
    36: "network_error",  # unexpectedDataValue
}

AGGREGATOR: Mapping[int, FailureCode] = {  # what many aggregators publish, each in its own words
    1: "invalid_number",
    2: "invalid_number",
    5: "invalid_number",
    9: "barred",
    11: "not_supported",
    12: "barred",
    13: "barred",
    21: "not_supported",
    22: "not_supported",
    31: "handset_busy",
    32: "handset_busy",
    34: "network_error",
    35: "network_error",
    36: "network_error",
    40: "handset_full",
    49: "handset_full",
    52: "handset_full",
    **dict.fromkeys(range(60, 65), "unreachable"),
}

GSM = 3
"""The network of network_error_code whose codes are those of GSM_MAP."""

NUMBERINGS: Mapping[str, Mapping[int, FailureCode]] = {"": {}, "aggregator": AGGREGATOR, "gsm": GSM_MAP}
"""By the `err_numbering` of a config."""


def bare(code: str) -> str:
    """A code by which 069, 69 and 0069 are the same, and dnd_rejected is DND_REJECTED."""
    return code.upper().lstrip("0")


def meaning_of(err: str, numbering: Mapping[int, FailureCode]) -> str:
    """The word for a code of this numbering; empty where it has none."""
    digits = bare(err)
    return numbering.get(int(digits), "") if digits.isascii() and digits.isdecimal() and len(digits) < 10 else ""


def as_markdown() -> str:
    """Both numberings side by side, and what is tried again."""
    numbers = sorted(GSM_MAP.keys() | AGGREGATOR.keys())
    rows = [f"| {number} | {_shown(GSM_MAP.get(number))} | {_shown(AGGREGATOR.get(number))} |" for number in numbers]
    words = [
        f"| `{code}` | {failure.meaning} | {'yes' if failure.is_temporary else ''} |"
        for code, failure in sorted(FAILURES.items())
    ]
    return "\n".join(
        [
            *("| error_code | meaning | passes by itself |", "| --- | --- | --- |", *words, ""),
            *("| code | `gsm`, and network_error_code of a GSM network | `aggregator` |", "| --- | --- | --- |", *rows),
        ]
    )


def _shown(code: FailureCode | None) -> str:
    return f"`{code}`" if code else ""
