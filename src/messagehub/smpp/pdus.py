"""The PDUs of SMPP 3.4 as data: a PDU is a row, and a row is all that the codec knows of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from messagehub.smpp.kinds import U8, U32, Choice, Counted, CString, Group, Int, Kind, Repeated, Time


class TLVs(dict[int, bytes]):
    """Optional parameters of which some come more than once: as a dict the last of them counts.

    `pairs` has all, in the order of the wire, and is what is encoded. To change it, make a new one.
    """

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[int, bytes]]) -> None:
        self.pairs = tuple(pairs)
        super().__init__(self.pairs)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TLVs):
            return self.pairs == other.pairs
        return len(self) == len(self.pairs) and super().__eq__(other)

    def __ne__(self, other: object) -> bool:  # dict has one of its own
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return f"TLVs({self.pairs!r})"


class PDU(Struct):
    """One protocol data unit.

    `fields` has the mandatory parameters by the standard's names: integers as int, C-octet strings as str (latin-1),
    octet strings as bytes. A string's length is never a field of its own. `tlvs` has the optional parameters as raw
    bytes by tag, in the order of the wire (see `messagehub.smpp.tlvs` for names and types); it is a `TLVs` where a
    tag comes more than once. `oddities` tells what the tolerant decoder passed over; `messagehub.smpp.deviations`
    tells what else is against the standard.
    """

    name: str
    sequence: int = 0
    status: int = 0
    fields: dict[str, Any] = field(default_factory=dict)
    tlvs: dict[int, bytes] = field(default_factory=dict)
    oddities: tuple[str, ...] = ()


Row = Mapping[str, Kind]

# --- parts of rows that several PDUs share: section 5.2 ---------------------------------------------------------------
MESSAGE_ID: Row = {"message_id": CString(65)}
SOURCE: Row = {"source_addr_ton": U8, "source_addr_npi": U8, "source_addr": CString(21)}
DESTINATION: Row = {"dest_addr_ton": U8, "dest_addr_npi": U8, "destination_addr": CString(21)}
LONG_SOURCE: Row = {**SOURCE, "source_addr": CString(65)}  # data_sm and alert_notification carry other networks' too
LONG_DESTINATION: Row = {**DESTINATION, "destination_addr": CString(65)}
TIMES: Row = {"schedule_delivery_time": Time(), "validity_period": Time()}
NULL = CString(1)  # unused in this PDU: section 3.1
TEXT: Row = {"sm_default_msg_id": U8, "short_message": Counted(254)}
CODING: Row = {"registered_delivery": U8, "replace_if_present_flag": U8, "data_coding": U8}
CLASS: Row = {"esm_class": U8, "protocol_id": U8, "priority_flag": U8}

# --- section 4.1: bind, 4.1.7: outbind --------------------------------------------------------------------------------
LOGIN: Row = {"system_id": CString(16), "password": CString(9)}
BIND: Row = {
    **LOGIN,
    "system_type": CString(13),
    "interface_version": Int(1, default=0x34),
    "addr_ton": U8,
    "addr_npi": U8,
    "address_range": CString(41),
}
BOUND: Row = {"system_id": CString(16)}

# --- sections 4.4 to 4.12 ---------------------------------------------------------------------------------------------
MESSAGE: Row = {"service_type": CString(6), **SOURCE, **DESTINATION, **CLASS, **TIMES, **CODING, **TEXT}
DELIVERY: Row = {**MESSAGE, "schedule_delivery_time": NULL, "validity_period": NULL}  # 4.6.1
DATA: Row = {
    "service_type": CString(6),
    **LONG_SOURCE,
    **LONG_DESTINATION,
    "esm_class": U8,
    "registered_delivery": U8,
    "data_coding": U8,
}
MULTI_DESTINATION = Choice(  # 4.5.1.1
    "dest_flag", {1: Group(DESTINATION), 2: Group({"dl_name": CString(21)})}, status=0x00000040
)
MULTI: Row = {
    "service_type": CString(6),
    **SOURCE,
    "dest_address": Repeated(MULTI_DESTINATION),
    **CLASS,
    **TIMES,
    **CODING,
    **TEXT,
}
UNSUCCESSFUL: Row = {"unsuccess_sme": Repeated(Group({**DESTINATION, "error_status_code": U32}))}  # 4.5.2.1
QUERIED: Row = {**MESSAGE_ID, "final_date": Time(), "message_state": U8, "error_code": U8}
CANCEL: Row = {"service_type": CString(6), **MESSAGE_ID, **SOURCE, **DESTINATION}
REPLACE: Row = {**MESSAGE_ID, **SOURCE, **TIMES, "registered_delivery": U8, **TEXT}
ALERT: Row = {**LONG_SOURCE, "esme_addr_ton": U8, "esme_addr_npi": U8, "esme_addr": CString(65)}

RESPONSE = 0x80000000

COMMANDS: Mapping[int, tuple[str, Row]] = {  # section 5.1.2.1: command_id, name, mandatory parameters in order
    0x00000001: ("bind_receiver", BIND),
    0x80000001: ("bind_receiver_resp", BOUND),
    0x00000002: ("bind_transmitter", BIND),
    0x80000002: ("bind_transmitter_resp", BOUND),
    0x00000003: ("query_sm", {**MESSAGE_ID, **SOURCE}),
    0x80000003: ("query_sm_resp", QUERIED),
    0x00000004: ("submit_sm", MESSAGE),
    0x80000004: ("submit_sm_resp", MESSAGE_ID),
    0x00000005: ("deliver_sm", DELIVERY),
    0x80000005: ("deliver_sm_resp", {"message_id": NULL}),
    0x00000006: ("unbind", {}),
    0x80000006: ("unbind_resp", {}),
    0x00000007: ("replace_sm", REPLACE),
    0x80000007: ("replace_sm_resp", {}),
    0x00000008: ("cancel_sm", CANCEL),
    0x80000008: ("cancel_sm_resp", {}),
    0x00000009: ("bind_transceiver", BIND),
    0x80000009: ("bind_transceiver_resp", BOUND),
    0x0000000B: ("outbind", LOGIN),
    0x00000015: ("enquire_link", {}),
    0x80000015: ("enquire_link_resp", {}),
    0x00000021: ("submit_multi", MULTI),
    0x80000021: ("submit_multi_resp", {**MESSAGE_ID, **UNSUCCESSFUL}),
    0x00000102: ("alert_notification", ALERT),
    0x00000103: ("data_sm", DATA),
    0x80000103: ("data_sm_resp", MESSAGE_ID),
    0x80000000: ("generic_nack", {}),
}
COMMAND_IDS: Mapping[str, int] = {name: command_id for command_id, (name, _) in COMMANDS.items()}
RESPONSES: Mapping[str, str] = {  # response: the request that it answers
    name: COMMANDS[command_id ^ RESPONSE][0]
    for name, command_id in COMMAND_IDS.items()
    if command_id > RESPONSE and command_id ^ RESPONSE in COMMANDS
}
REQUESTS: Mapping[str, str] = {request: response for response, request in RESPONSES.items()}

# The notes of 4.1.2 to 4.1.6, 4.4.2 and 4.5.2: a refusal has no body. deliver_sm_resp keeps its one NUL (4.6.2).
BARE_WHEN_REFUSING = frozenset(
    {name for name, (_, row) in zip(COMMAND_IDS, COMMANDS.values(), strict=True) if row is BOUND}
    | {"submit_sm_resp", "submit_multi_resp"}
)

# A request whose frame ends early is taken if these were there and no text is lost; without, it makes no sense. A
# response is taken wherever it ends.
MAY_END_AFTER: Mapping[str, str] = {
    "bind_receiver": "password",
    "bind_transmitter": "password",
    "bind_transceiver": "password",
    "submit_sm": "data_coding",
    "submit_multi": "data_coding",
    "deliver_sm": "data_coding",
    "alert_notification": "source_addr",
}

GENERIC_NACK = "generic_nack"
# A command_id that is in no row becomes a PDU of this name with the fields `command_id` (int) and `body` (bytes).
UNKNOWN = "unknown"
