"""What an MMSC says of a request (StatusCode) and of a message (MMStatus), and what the sender does about it.

3GPP TS 23.140, release 6, sections 8.4.3 and 8.7.1.6 (MM7 status codes), 8.4.1.4 and 8.1.5.3 (status of messages).
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class Action(StrEnum):
    """What to do with the message whose request was answered so."""

    OK = "ok"
    PARTIAL = "partial"
    RETRY = "retry"
    REROUTE = "reroute"
    PERMANENT = "permanent"
    OURS = "ours"


MEANINGS: Mapping[Action, str] = {
    Action.OK: "Keep the MessageID.",
    Action.PARTIAL: "Keep the MessageID; the recipients that the details name were refused.",
    Action.RETRY: "Send the same again here, a few times with growing pauses; then try another route.",
    Action.REROUTE: "Try another route, if there is one.",
    Action.PERMANENT: "No route will take it: the message has failed.",
    Action.OURS: "Our configuration is at fault: the message has failed, and the operator should know.",
}


class Status(Struct, frozen=True):
    """One StatusCode: `words` are those of the standard."""

    code: int
    words: str
    action: Action


_OK, _PARTIAL, _RETRY = Action.OK, Action.PARTIAL, Action.RETRY
_REROUTE, _PERMANENT, _OURS = Action.REROUTE, Action.PERMANENT, Action.OURS

_ROWS = (
    (1000, "Success", _OK),
    (1100, "Partial success", _PARTIAL),
    (2000, "Client error", _PERMANENT),
    (2001, "Operation restricted", _REROUTE),
    (2002, "Address error", _PERMANENT),
    (2003, "Address not found", _PERMANENT),
    (2004, "Multimedia content refused", _REROUTE),
    (2005, "Message ID not found", _PERMANENT),
    (2006, "LinkedID not found", _OURS),
    (2007, "Message format corrupt", _OURS),
    (2008, "Application ID not found", _OURS),
    (2009, "Reply application ID not found", _OURS),
    (3000, "Server error", _RETRY),
    (3001, "Not possible", _REROUTE),
    (3002, "Message rejected", _REROUTE),
    (3003, "Multiple addresses not supported", _OURS),
    (3004, "Application addressing not supported", _OURS),
    (4000, "General service error", _RETRY),
    (4001, "Improper identification", _OURS),
    (4002, "Unsupported version", _OURS),
    (4003, "Unsupported operation", _OURS),
    (4004, "Validation error", _OURS),
    (4005, "Service error", _RETRY),
    (4006, "Service unavailable", _RETRY),
    (4007, "Service denied", _REROUTE),
    (4008, "Application denied", _REROUTE),
)

STATUSES: Mapping[int, Status] = {row[0]: Status(*row) for row in _ROWS}
OWN = range(500, 1000)
"""The last three digits of codes that are an implementation's own."""
SERVER_ERROR = 3000
NONE: Mapping[int, Status] = {}


def status(code: int, more: Mapping[int, Status] = NONE) -> Status:
    """The row of a StatusCode; `more` has a carrier's own rows, which count before the standard's.

    A code that is in no row is what the first of its class is, and one of no class is a server error (8.4.3.2).
    """
    if row := more.get(code) or STATUSES.get(code):
        return row
    group = code // 1000 * 1000
    like = STATUSES.get(group, STATUSES[SERVER_ERROR])
    whose = "of the MMSC's own" if group in STATUSES and code % 1000 in OWN else "that MM7 does not know"
    return Status(code, f"{like.words} (a code {whose})", like.action)


class Fate(StrEnum):
    """What became of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"
    UNDER_WAY = "under_way"
    UNKNOWN = "unknown"


class MMStatus(Struct, frozen=True):
    """One status of a delivery report; `words` for people."""

    name: str
    words: str
    fate: Fate


_MM_STATUSES = (
    ("Expired", "It was not fetched within its validity.", Fate.FAILED),
    ("Retrieved", "The recipient's handset has fetched it.", Fate.DELIVERED),
    ("Rejected", "The recipient, or the network for the recipient, refused it.", Fate.FAILED),
    ("Indeterminate", "Nobody knows what became of it, such as behind a gateway to another network.", Fate.UNKNOWN),
    ("Forwarded", "It was passed on to another address without being fetched.", Fate.UNDER_WAY),
    # Release 6
    ("Deferred", "The recipient has put off fetching it.", Fate.UNDER_WAY),
    ("Unreachable", "The recipient cannot be reached.", Fate.FAILED),
    ("Unrecognised", "The recipient's handset could make nothing of its notification.", Fate.FAILED),
)
MM_STATUSES: Mapping[str, MMStatus] = {row[0]: MMStatus(*row) for row in _MM_STATUSES}
_BY_LOWER = {name.lower(): row for name, row in MM_STATUSES.items()} | {
    "unrecognized": MM_STATUSES["Unrecognised"],
    "delivered": MM_STATUSES["Retrieved"],  # what several aggregators say for it
}

READ_STATUSES: Mapping[str, str] = {
    "Read": "The recipient has opened it.",
    "Deleted": "The recipient has deleted it without opening it.",
    "Indeterminate": "Nobody knows whether it was opened.",
}


def mm_status(name: str) -> MMStatus:
    """The row of an MMStatus, in any case; one that nobody knows says nothing of what became of the message."""
    return _BY_LOWER.get(name.strip().lower()) or MMStatus(name, "A status that MM7 does not know.", Fate.UNKNOWN)
