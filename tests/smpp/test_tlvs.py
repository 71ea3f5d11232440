from collections.abc import Mapping
from typing import Any

import pytest

from messagehub.smpp import EncodeError, pack_tlvs, read_tlv
from messagehub.smpp.kinds import U8, CString, Int, Kind, Octets
from messagehub.smpp.statuses import NUMBERS, STATUSES, Action, status
from messagehub.smpp.tlvs import NAMES, TLVS


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


STATUS = [
    (0x00, "ESME_ROK", Action.OK),
    (0x58, "ESME_RTHROTTLED", Action.SLOW_BIND),
    (0x08, "ESME_RSYSERR", Action.RETRY),
    (0x0B, "ESME_RINVDSTADR", Action.PERMANENT),
    (0x0E, "ESME_RINVPASWD", Action.SESSION),
    (0x66, "ESME_RX_R_APPN", Action.REROUTE),
    (0xC3, "ESME_RMISSINGOPTPARAM", Action.OURS),
    (0x455, "0x00000455", Action.PERMANENT),
]


@pytest.mark.parametrize(("number", "name", "action"), STATUS)
def test_a_status_says_what_to_do(number: int, name: str, action: Action) -> None:
    assert (status(number).name, status(number).action) == (name, action)


def test_status_names_are_unique() -> None:
    assert len(NUMBERS) == len(STATUSES)
