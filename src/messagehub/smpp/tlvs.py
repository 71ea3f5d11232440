"""Optional parameters by name: SMPP 3.4, section 5.3.2.

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
    "congestion_state": (0x0428, U8),  # SMPP 5.0: 0 to 99, a governor for the window
    "ussd_service_op": (0x0501, U8),
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
    """One value by name: int, str (up to its NUL, if it has one) or bytes. None where it is absent or empty.

    An integer may have any size: carriers disagree on the standard's.
    """
    tag, kind = more.get(name) or TLVS[name]
    raw = tlvs.get(tag)
    if raw is None:
        return None
    if isinstance(kind, Int):
        return int.from_bytes(raw, "big") if raw else None
    try:
        return kind.read(raw, 0)[0]
    except DecodeError:  # a C-octet string of no octets at all
        return None
