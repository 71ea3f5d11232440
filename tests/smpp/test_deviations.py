"""What is told of a PDU that was taken although it is against the standard."""

import pytest

from messagehub.smpp import PDU, TLVs, decode, deviations, encode

NAMED: list[tuple[PDU, list[str]]] = [
    (PDU("submit_sm"), []),
    (PDU("submit_sm_resp", fields={"message_id": "x" * 99}), ["message_id: 99 octets, 64 are allowed"]),
    (PDU("submit_sm", fields={"validity_period": "3600"}), ["validity_period: '3600' is no time"]),
    (PDU("deliver_sm", fields={"validity_period": "0" * 15 + "+"}), ["validity_period: 16 octets, 0 are allowed"]),
    (PDU("deliver_sm", tlvs={0x0427: b"\0\2"}), ["TLV message_state: 2 octets instead of 1"]),
    (PDU("deliver_sm", tlvs={0x001E: b"a1"}), ["TLV receipted_message_id: no NUL at its end"]),
    (PDU("deliver_sm", tlvs={0x0423: b"003\0"}), ["TLV network_error_code: 4 octets instead of 3"]),
    (PDU("submit_sm", tlvs={0x0202: b"x"}), ["TLV source_subaddress: 1 octets instead of 2 to 23"]),
    (PDU("submit_sm", tlvs={0x0427: b"\2"}), ["TLV message_state: not in submit_sm"]),
    (PDU("enquire_link", tlvs={0x0428: b"\2"}), ["TLV congestion_state: not in enquire_link"]),
    (PDU("enquire_link_resp", tlvs={0x0428: b"\2"}), []),
    (PDU("submit_sm", tlvs={0x1400: b"any", 0x3FFF: b""}), []),
    (PDU("submit_sm", tlvs={0x0666: b"any"}), ["TLV 0x0666: unknown, and not of the vendors' range"]),
    (PDU("submit_sm", tlvs=TLVs([(0x0381, b"1234"), (0x0381, b"5678")])), []),
    (PDU("submit_sm", tlvs=TLVs([(0x0204, b"\0\1")] * 2)), ["TLV user_message_reference: more than once"]),
    (PDU("submit_sm", tlvs=TLVs([(0x1400, b"")] * 2)), ["TLV 0x1400: more than once"]),
    (
        PDU("submit_sm", fields={"short_message": b"hi"}, tlvs={0x0424: b"hi"}),
        ["short_message: and message_payload, too"],
    ),
    (PDU("unknown", fields={"command_id": 0x111, "body": b""}), ["command_id 0x00000111: unknown"]),
]


@pytest.mark.parametrize(("pdu", "words"), NAMED)
def test_a_deviation_is_named(pdu: PDU, words: list[str]) -> None:
    assert deviations(pdu) == words


def test_what_the_decoder_passed_over_comes_first() -> None:
    octets = encode(PDU("submit_sm_resp", tlvs={0x0427: b"\2"}))[:-1]
    pdu = decode(len(octets).to_bytes(4, "big") + octets[4:])
    assert deviations(pdu) == ["TLV 0x0427: 1 octets announced, 0 are there"]


@pytest.mark.parametrize("name", ["submit_sm", "data_sm", "bind_receiver_resp", "submit_multi", "alert_notification"])
def test_what_we_write_has_none(name: str) -> None:
    assert deviations(decode(encode(PDU(name)))) == []
