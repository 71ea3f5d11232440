"""SMPP 3.4, both ends of it, without a socket: tables, a codec, a session; and one driver for asyncio.

pdus  tlvs  statuses  states  timers    the protocol as tables
codec (kinds, compiler)                 a frame to a PDU and back
deviations                              what is against the standard in a PDU that was taken all the same
session (events, outstanding, versions) one connection's law, as values in and out
receipts (receipt_ids)                  what carriers write into deliver_sm, and how they write their ids
times                                   times and dates on the wire
driver                                  a session on a socket
"""

from typing import TYPE_CHECKING, Any

from messagehub.smpp.codec import decode, encode
from messagehub.smpp.deviations import deviations
from messagehub.smpp.errors import DecodeError, EncodeError, SMPPError, StateError, WindowFull
from messagehub.smpp.events import Answered, AnsweredLate, Broken, Event, Received, Stray, Unanswered, Unbound
from messagehub.smpp.pdus import PDU, TLVs
from messagehub.smpp.session import Session
from messagehub.smpp.states import Role, State
from messagehub.smpp.statuses import Action, Status, status
from messagehub.smpp.tlvs import pack_tlvs, read_tlv

if TYPE_CHECKING:
    from messagehub.smpp.driver import Driver, connect, listen

__all__ = [
    "PDU", "Action", "Answered", "AnsweredLate", "Broken", "DecodeError", "Driver", "EncodeError", "Event", "Received",
    "Role", "SMPPError", "Session", "State", "StateError", "Status", "Stray", "TLVs", "Unanswered", "Unbound",
    "WindowFull", "connect", "decode", "deviations", "encode", "listen", "pack_tlvs", "read_tlv", "status",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The driver, when it is asked for: whoever only reads PDUs need not import asyncio."""
    if name in ("Driver", "connect", "listen"):
        from messagehub.smpp import driver

        return getattr(driver, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
