"""What a peer of SMPP 3.3 can be told: SMPP 3.4, section 3.4. It takes no TLVs; those that only add something are left
out, and what would be another message without its TLVs is not sent at all."""

from messagehub.smpp.errors import EncodeError
from messagehub.smpp.tlvs import NAMES

V33, V34, V50 = 0x33, 0x34, 0x50  # interface_version: 5.2.4

NEEDED = frozenset(
    {
        "message_payload", "sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum", "source_port",
        "destination_port", "its_session_info", "ussd_service_op",
    }
)  # fmt: skip


def takes_tlvs(interface_version: int) -> bool:
    return interface_version >= V34


def without_tlvs(name: str, tlvs: dict[int, bytes]) -> dict[int, bytes]:
    """No TLVs; EncodeError where `tlvs` has one that the message needs."""
    if needed := sorted(NEEDED & {NAMES.get(tag, "") for tag in tlvs}):
        raise EncodeError(f"{name}: TLV {needed[0]}: the peer speaks SMPP 3.3 and takes no TLVs")
    return {}
