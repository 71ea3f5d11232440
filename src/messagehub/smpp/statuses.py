"""Every command_status: its number, name and meaning, and what the sender of the refused request does about it.

SMPP 3.4, section 5.1.3 (table 5-2), and what SMPP 5.0, section 4.7.6, adds.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class Action(StrEnum):
    """What to do with the message whose request was answered so."""

    OK = "ok"
    SLOW_BIND = "slow_bind"
    RETRY = "retry"
    REROUTE = "reroute"
    PERMANENT = "permanent"
    SESSION = "session"
    OURS = "ours"


MEANINGS: Mapping[Action, str] = {
    Action.OK: "Keep the message_id.",
    Action.SLOW_BIND: "Slow down the whole bind and send the message again; never drop it, as it is not at fault.",
    Action.RETRY: "Send the same again here, a few times with growing pauses; then try another route.",
    Action.REROUTE: "Try another route, if there is one.",
    Action.PERMANENT: "No route will take it: the message has failed.",
    Action.SESSION: "The session is at fault and the message unharmed: bind anew, and send it again.",
    Action.OURS: "Our configuration is at fault: the message has failed, and the operator should know.",
}


class Status(Struct, frozen=True):
    """One command_status: `number` on the wire, `name` in the standard, `words` for people."""

    number: int
    name: str
    words: str
    action: Action


_OK, _SLOW, _RETRY = Action.OK, Action.SLOW_BIND, Action.RETRY
_REROUTE, _PERMANENT, _SESSION, _OURS = Action.REROUTE, Action.PERMANENT, Action.SESSION, Action.OURS

_ROWS = (
    (0x000, "ESME_ROK", "No error", _OK),
    (0x001, "ESME_RINVMSGLEN", "Message length is invalid", _PERMANENT),
    (0x002, "ESME_RINVCMDLEN", "Command length is invalid", _SESSION),
    (0x003, "ESME_RINVCMDID", "Invalid command id", _SESSION),
    (0x004, "ESME_RINVBNDSTS", "Incorrect bind status for this command", _SESSION),
    (0x005, "ESME_RALYBND", "Already bound", _SESSION),
    (0x006, "ESME_RINVPRTFLG", "Invalid priority flag", _PERMANENT),
    (0x007, "ESME_RINVREGDLVFLG", "Invalid registered_delivery flag", _PERMANENT),
    (0x008, "ESME_RSYSERR", "System error", _RETRY),
    (0x00A, "ESME_RINVSRCADR", "Invalid source address", _REROUTE),
    (0x00B, "ESME_RINVDSTADR", "Invalid destination address", _PERMANENT),
    (0x00C, "ESME_RINVMSGID", "Message id is invalid", _PERMANENT),
    (0x00D, "ESME_RBINDFAIL", "Bind failed", _SESSION),
    (0x00E, "ESME_RINVPASWD", "Invalid password", _SESSION),
    (0x00F, "ESME_RINVSYSID", "Invalid system_id", _SESSION),
    (0x011, "ESME_RCANCELFAIL", "cancel_sm failed", _PERMANENT),
    (0x013, "ESME_RREPLACEFAIL", "replace_sm failed", _PERMANENT),
    (0x014, "ESME_RMSGQFUL", "Message queue full", _SLOW),
    (0x015, "ESME_RINVSERTYP", "Invalid service type", _REROUTE),
    (0x033, "ESME_RINVNUMDESTS", "Invalid number of destinations", _PERMANENT),
    (0x034, "ESME_RINVDLNAME", "Invalid distribution list name", _PERMANENT),
    (0x040, "ESME_RINVDESTFLAG", "Destination flag is invalid (submit_multi)", _PERMANENT),
    (0x042, "ESME_RINVSUBREP", "Invalid submit with replace request", _PERMANENT),
    (0x043, "ESME_RINVESMCLASS", "Invalid esm_class", _PERMANENT),
    (0x044, "ESME_RCNTSUBDL", "Cannot submit to distribution list", _PERMANENT),
    (0x045, "ESME_RSUBMITFAIL", "Submit failed", _REROUTE),
    (0x048, "ESME_RINVSRCTON", "Invalid source address TON", _REROUTE),
    (0x049, "ESME_RINVSRCNPI", "Invalid source address NPI", _REROUTE),
    (0x050, "ESME_RINVDSTTON", "Invalid destination address TON", _REROUTE),
    (0x051, "ESME_RINVDSTNPI", "Invalid destination address NPI", _REROUTE),
    (0x053, "ESME_RINVSYSTYP", "Invalid system_type", _SESSION),
    (0x054, "ESME_RINVREPFLAG", "Invalid replace_if_present flag", _PERMANENT),
    (0x055, "ESME_RINVNUMMSGS", "Invalid number of messages", _PERMANENT),
    (0x058, "ESME_RTHROTTLED", "Throttling error: the allowed message rate was exceeded", _SLOW),
    (0x061, "ESME_RINVSCHED", "Invalid scheduled delivery time", _PERMANENT),
    (0x062, "ESME_RINVEXPIRY", "Invalid validity period (expiry time)", _PERMANENT),
    (0x063, "ESME_RINVDFTMSGID", "Predefined message is invalid or not found", _PERMANENT),
    (0x064, "ESME_RX_T_APPN", "Receiver: temporary application error", _RETRY),
    (0x065, "ESME_RX_P_APPN", "Receiver: permanent application error", _REROUTE),
    (0x066, "ESME_RX_R_APPN", "Receiver: message rejected", _REROUTE),
    (0x067, "ESME_RQUERYFAIL", "query_sm failed", _PERMANENT),  # some carriers say "no credit" by it
    (0x0C0, "ESME_RINVOPTPARSTREAM", "Error in the optional part of the PDU", _OURS),
    (0x0C1, "ESME_ROPTPARNOTALLWD", "Optional parameter not allowed", _OURS),
    (0x0C2, "ESME_RINVPARLEN", "Invalid parameter length", _OURS),
    (0x0C3, "ESME_RMISSINGOPTPARAM", "Expected optional parameter missing", _OURS),
    (0x0C4, "ESME_RINVOPTPARAMVAL", "Invalid optional parameter value", _OURS),
    (0x0FE, "ESME_RDELIVERYFAILURE", "Delivery failure (data_sm)", _RETRY),
    (0x0FF, "ESME_RUNKNOWNERR", "Unknown error", _RETRY),
    (0x100, "ESME_RSERTYPUNAUTH", "Not authorised to use this service type", _REROUTE),
    (0x101, "ESME_RPROHIBITED", "Prohibited from using this operation", _REROUTE),
    (0x102, "ESME_RSERTYPUNAVAIL", "Service type is unavailable", _RETRY),
    (0x103, "ESME_RSERTYPDENIED", "Service type is denied", _REROUTE),
    # 5.0
    (0x104, "ESME_RINVDCS", "Invalid data_coding", _OURS),
    (0x105, "ESME_RINVSRCADDRSUBUNIT", "Invalid source address subunit", _OURS),
    (0x106, "ESME_RINVDSTADDRSUBUNIT", "Invalid destination address subunit", _OURS),
    (0x107, "ESME_RINVBCASTFREQINT", "Invalid broadcast frequency interval", _PERMANENT),
    (0x108, "ESME_RINVBCASTALIAS_NAME", "Invalid broadcast alias name", _PERMANENT),
    (0x109, "ESME_RINVBCASTAREAFMT", "Invalid broadcast area format", _PERMANENT),
    (0x10A, "ESME_RINVNUMBCAST_AREAS", "Invalid number of broadcast areas", _PERMANENT),
    (0x10B, "ESME_RINVBCASTCNTTYPE", "Invalid broadcast content type", _PERMANENT),
    (0x10C, "ESME_RINVBCASTMSGCLASS", "Invalid broadcast message class", _PERMANENT),
    (0x10D, "ESME_RBCASTFAIL", "broadcast_sm failed", _PERMANENT),
    (0x10E, "ESME_RBCASTQUERYFAIL", "query_broadcast_sm failed", _PERMANENT),
    (0x10F, "ESME_RBCASTCANCELFAIL", "cancel_broadcast_sm failed", _PERMANENT),
    (0x110, "ESME_RINVBCAST_REP", "Invalid number of repeated broadcasts", _PERMANENT),
    (0x111, "ESME_RINVBCASTSRVGRP", "Invalid broadcast service group", _PERMANENT),
    (0x112, "ESME_RINVBCASTCHANIND", "Invalid broadcast channel indicator", _PERMANENT),
)

STATUSES: Mapping[int, Status] = {row[0]: Status(*row) for row in _ROWS}
NUMBERS: Mapping[str, int] = {status.name: number for number, status in STATUSES.items()}


VENDORS = range(0x400, 0x500)  # every SMSC's own
NONE: Mapping[int, Status] = {}


def status(number: int, more: Mapping[int, Status] = NONE) -> Status:
    """The row of a command_status; `more` has a carrier's own rows, which count before the standard's.

    What is in no row is permanent: of a vendor's status nobody knows what it means, and one that the standard reserves
    ought not to be.
    """
    if row := more.get(number) or STATUSES.get(number):
        return row
    words = "A status of the vendor's own" if number in VENDORS else "A status that SMPP does not know"
    return Status(number, f"{number:#010x}", words, _PERMANENT)
