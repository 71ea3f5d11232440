from collections.abc import Mapping
from typing import Any

import pytest

from messagehub.smpp import EncodeError, pack_tlvs, read_tlv
from messagehub.smpp.kinds import U8, CString, Int, Kind, Octets
from messagehub.smpp.pdus import COMMAND_IDS
from messagehub.smpp.tlvs import EVERY_RESPONSE, NAMES, PLACES, TLVS


def example(kind: object) -> Any:
    return 7 if isinstance(kind, Int) else b"x" * kind.least if isinstance(kind, Octets) else "text"


def test_every_tlv_comes_back() -> None:
    values = {name: example(kind) for name, (_, kind) in TLVS.items()}
    packed = pack_tlvs(values)
    assert {name: read_tlv(packed, name) for name in values} == values
    assert len(NAMES) == len(TLVS)


def test_a_carrier_has_rows_of_its_own() -> None:
    more: Mapping[str, tuple[int, Kind]] = {
        "customer_reference": (0x1400, CString(20)),
        "privacy_indicator": (0x1401, U8),
    }
    packed = pack_tlvs({"customer_reference": "ab", "privacy_indicator": 1}, more)
    assert packed == {0x1400: b"ab\0", 0x1401: b"\x01"}
    assert read_tlv(packed, "customer_reference", more) == "ab"


READ = [
    ("receipted_message_id", b"abc", "abc"),
    ("receipted_message_id", b"abc\0", "abc"),
    ("receipted_message_id", b"", None),
    ("message_state", b"\0\x02", 2),
    ("message_state", b"", None),
    ("message_payload", b"", b""),
]


@pytest.mark.parametrize(("name", "raw", "value"), READ)
def test_reads_what_carriers_send(name: str, raw: bytes, value: object) -> None:
    assert read_tlv({TLVS[name][0]: raw}, name) == value


@pytest.mark.parametrize("values", [{"no_such": 1}, {"message_state": 256}, {"network_error_code": b"12"}])
def test_names_what_does_not_fit(values: dict[str, Any]) -> None:
    with pytest.raises(EncodeError, match=next(iter(values))):
        pack_tlvs(values)


def test_where_tlvs_may_stand_is_told_by_names_that_exist() -> None:
    assert PLACES.keys() <= COMMAND_IDS.keys()
    stand = frozenset().union(*PLACES.values()) | EVERY_RESPONSE
    assert stand == TLVS.keys()


PLACED = [
    ("message_payload", {"submit_sm", "submit_multi", "deliver_sm", "data_sm"}),
    ("receipted_message_id", {"deliver_sm", "data_sm"}),
    ("more_messages_to_send", {"submit_sm", "data_sm"}),
    ("sc_interface_version", {"bind_transmitter_resp", "bind_receiver_resp", "bind_transceiver_resp"}),
    ("ms_availability_status", {"alert_notification"}),
    ("set_dpf", {"data_sm"}),
]


@pytest.mark.parametrize(("name", "places"), PLACED)
def test_a_tlv_stands_where_the_standard_has_it(name: str, places: set[str]) -> None:
    assert {pdu for pdu, names in PLACES.items() if name in names} == places
