"""Optional parameters by name: SMPP 3.4, section 5.3.2, and where they may stand: sections 4.1 to 4.12.

A PDU keeps its TLVs raw, by tag. Here a name becomes a tag and typed octets, and back. Tags of the vendors' range
(0x1400 to 0x3FFF) mean something else at every carrier, so a carrier brings its own rows as `more`.
"""

from collections.abc import Mapping
from typing import Any

from messagehub.smpp.errors import DecodeError, EncodeError
from messagehub.smpp.kinds import U8, U16, U32, CString, Int, Kind, Octets

TLVS: Mapping[str, tuple[int, Kind]] = {  # name: tag, type
    "dest_addr_subunit": (0x0005, U8),
    "dest_network_type": (0x0006, U8),
    "dest_bearer_type": (0x0007, U8),
    "dest_telematics_id": (0x0008, U16),
    "source_addr_subunit": (0x000D, U8),
    "source_network_type": (0x000E, U8),
    "source_bearer_type": (0x000F, U8),
    "source_telematics_id": (0x0010, U8),
    "qos_time_to_live": (0x0017, U32),
    "payload_type": (0x0019, U8),
    "additional_status_info_text": (0x001D, CString(256)),
    "receipted_message_id": (0x001E, CString(65)),
    "ms_msg_wait_facilities": (0x0030, U8),
    "privacy_indicator": (0x0201, U8),
    "source_subaddress": (0x0202, Octets(2, 23)),
    "dest_subaddress": (0x0203, Octets(2, 23)),
    "user_message_reference": (0x0204, U16),
    "user_response_code": (0x0205, U8),
    "source_port": (0x020A, U16),
    "destination_port": (0x020B, U16),
    "sar_msg_ref_num": (0x020C, U16),
    "language_indicator": (0x020D, U8),
    "sar_total_segments": (0x020E, U8),
    "sar_segment_seqnum": (0x020F, U8),
    "sc_interface_version": (0x0210, U8),
    "callback_num_pres_ind": (0x0302, U8),
    "callback_num_atag": (0x0303, Octets(0, 65)),
    "number_of_messages": (0x0304, U8),
    "callback_num": (0x0381, Octets(4, 19)),
    "dpf_result": (0x0420, U8),
    "set_dpf": (0x0421, U8),
    "ms_availability_status": (0x0422, U8),
    "network_error_code": (0x0423, Octets(3, 3)),
    "message_payload": (0x0424, Octets()),
    "delivery_failure_reason": (0x0425, U8),
    "more_messages_to_send": (0x0426, U8),
    "message_state": (0x0427, U8),
    "congestion_state": (0x0428, U8),  # SMPP 5.0, 4.8.4.18: 0 to 99, how busy the peer is; a governor for the window
    "ussd_service_op": (0x0501, U8),
    "billing_identification": (0x060B, Octets(1, 1024)),  # SMPP 5.0, as those that follow
    "source_network_id": (0x060D, CString(66)),
    "dest_network_id": (0x060E, CString(66)),
    "source_node_id": (0x060F, Octets(6, 6)),
    "dest_node_id": (0x0610, Octets(6, 6)),
    "dest_addr_np_resolution": (0x0611, U8),
    "dest_addr_np_information": (0x0612, Octets(0, 10)),
    "dest_addr_np_country": (0x0613, Octets(1, 5)),
    "display_time": (0x1201, U8),
    "sms_signal": (0x1203, U16),
    "ms_validity": (0x1204, U8),
    "alert_on_message_delivery": (0x130C, Octets(0, 0)),
    "its_reply_type": (0x1380, U8),
    "its_session_info": (0x1383, Octets(2, 2)),
}
TAGS: Mapping[str, int] = {name: tag for name, (tag, _) in TLVS.items()}
NAMES: Mapping[int, str] = {tag: name for name, tag in TAGS.items()}
NONE: Mapping[str, tuple[int, Kind]] = {}

# --- where they may stand: the tables of optional parameters ----------------------------------------------------------
Names = frozenset[str]

_ADDRESSED = frozenset({"source_port", "destination_port", "source_subaddress", "dest_subaddress"})
_CONTENT = frozenset(
    {
        "user_message_reference", "sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum", "payload_type",
        "message_payload", "privacy_indicator", "callback_num", "language_indicator",
    }
)  # fmt: skip
_TO_HANDSET = frozenset(
    {
        "source_addr_subunit", "dest_addr_subunit", "callback_num_pres_ind", "callback_num_atag", "display_time",
        "sms_signal", "ms_validity", "ms_msg_wait_facilities", "alert_on_message_delivery",
    }
)  # fmt: skip
_DIALOGUE = frozenset(
    {"more_messages_to_send", "user_response_code", "number_of_messages", "its_reply_type", "its_session_info"}
)
_RECEIPT = frozenset({"receipted_message_id", "message_state", "network_error_code"})
_BEARERS = frozenset(
    {
        "source_network_type", "source_bearer_type", "source_telematics_id", "dest_network_type", "dest_bearer_type",
        "dest_telematics_id", "qos_time_to_live", "set_dpf",
    }
)  # fmt: skip
_NETWORKS = frozenset({"source_network_id", "dest_network_id", "source_node_id", "dest_node_id"})  # 5.0
_PORTED = frozenset({"dest_addr_np_resolution", "dest_addr_np_information", "dest_addr_np_country"})  # 5.0
_BILLED = frozenset({"billing_identification"}) | _NETWORKS | _PORTED  # 5.0
_FAILURE = frozenset({"delivery_failure_reason", "network_error_code", "additional_status_info_text", "dpf_result"})
_BOUND = frozenset({"sc_interface_version"})

PLACES: Mapping[str, Names] = {
    "bind_receiver_resp": _BOUND,
    "bind_transmitter_resp": _BOUND,
    "bind_transceiver_resp": _BOUND,
    "submit_sm": _ADDRESSED | _CONTENT | _TO_HANDSET | _DIALOGUE | {"ussd_service_op"} | _BILLED,
    "submit_sm_resp": _FAILURE,  # 5.0; none in 3.4
    "submit_multi": _ADDRESSED | _CONTENT | _TO_HANDSET | _BILLED,
    "submit_multi_resp": _FAILURE,  # 5.0; none in 3.4
    "deliver_sm": _ADDRESSED
    | _CONTENT
    | _RECEIPT
    | _NETWORKS
    | {"user_response_code", "its_session_info", "ussd_service_op"},  # the last in 5.0
    "deliver_sm_resp": _FAILURE,  # 5.0; none in 3.4
    "data_sm": _ADDRESSED | _CONTENT | _TO_HANDSET | _DIALOGUE | _RECEIPT | _BEARERS | _BILLED,
    "data_sm_resp": _FAILURE,
    "alert_notification": frozenset({"ms_availability_status"}),
}
EVERY_RESPONSE = frozenset({"congestion_state"})  # 5.0


def pack_tlvs(values: Mapping[str, Any], more: Mapping[str, tuple[int, Kind]] = NONE) -> dict[int, bytes]:
    """Values by name as raw octets by tag, for a PDU's `tlvs`; EncodeError names the one that does not fit."""
    packed = {}
    for name, value in values.items():
        try:
            tag, kind = more.get(name) or TLVS[name]
            packed[tag] = kind.write(value)
        except KeyError:
            raise EncodeError(f"there is no TLV {name!r}") from None
        except (TypeError, ValueError) as error:
            raise EncodeError(f"TLV {name}: {error}") from error
    return packed


def read_tlv(tlvs: Mapping[int, bytes], name: str, more: Mapping[str, tuple[int, Kind]] = NONE) -> Any:
    """One value by name: int, str (up to its NUL, if it has one) or bytes. None where it is absent or cannot be.

    An integer may have any size: carriers disagree on the standard's.
    """
    tag, kind = more.get(name) or TLVS[name]
    raw = tlvs.get(tag)
    if raw is None:
        return None
    if isinstance(kind, Int):
        return int.from_bytes(raw, "big") if raw else None
    try:
        return kind.read(raw, 0, [])[0]
    except DecodeError:  # a C-octet string of no octets at all
        return None
