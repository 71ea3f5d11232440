"""Peers of SMPP 3.3, which take no TLVs."""

import pytest

from messagehub.smpp import PDU, EncodeError, Received, encode, pack_tlvs, read_tlv
from tests.smpp.pair import Pair, frames

RECEIPTED = pack_tlvs({"receipted_message_id": "a1", "message_state": 2})


def agreed(asked: int, given: int | None) -> Pair:
    """Both ends, bound: the ESME said `asked`, the MC `given`."""
    pair = Pair()
    pair.esme.request("bind_transceiver", 0, {"interface_version": asked})
    pair.carry()
    (event,) = pair.mc.events()
    assert isinstance(event, Received)
    pair.mc.answer(event.request, 0, {}, pack_tlvs({"sc_interface_version": given}) if given else None)
    pair.carry()
    return pair


VERSIONS = [  # asked, given, what the ESME then speaks, what the MC does
    (0x34, 0x34, 0x34, 0x34),
    (0x34, None, 0x34, 0x34),
    (0x34, 0x33, 0x33, 0x34),
    (0x34, 0x50, 0x34, 0x34),
    (0x50, 0x50, 0x50, 0x50),
    (0x33, 0x34, 0x33, 0x33),
    (0x00, None, 0x00, 0x00),
]


@pytest.mark.parametrize(("asked", "given", "esme", "mc"), VERSIONS)
def test_both_ends_speak_the_lower_version(asked: int, given: int | None, esme: int, mc: int) -> None:
    pair = agreed(asked, given)
    assert (pair.esme.interface_version, pair.mc.interface_version) == (esme, mc)


def test_a_peer_of_3_3_is_sent_no_tlvs() -> None:
    pair = agreed(0x33, 0x34)
    pair.mc.request("deliver_sm", 0, {"short_message": b"id:a1"}, RECEIPTED)
    pair.esme.request("submit_sm", 0, {"short_message": b"hi"}, pack_tlvs({"user_message_reference": 7}))
    for session in (pair.mc, pair.esme):
        (pdu,) = frames(session.outgoing())
        assert (pdu.tlvs, bool(pdu.fields["short_message"])) == ({}, True)


def test_not_even_in_the_answer_to_its_bind() -> None:
    pair = Pair()
    pair.mc.receive(encode(PDU("bind_receiver", 1, 0, {"interface_version": 0x33})), 0)
    (event,) = pair.mc.events()
    assert isinstance(event, Received)
    pair.mc.answer(event.request, 0, {"system_id": "mc"}, pack_tlvs({"sc_interface_version": 0x34}))
    (answer,) = frames(pair.mc.outgoing())
    assert (answer.name, answer.tlvs) == ("bind_receiver_resp", {})


def test_what_a_message_needs_is_never_left_out() -> None:
    pair = agreed(0x33, 0x34)
    with pytest.raises(EncodeError, match="message_payload"):
        pair.esme.request("submit_sm", 0, {}, pack_tlvs({"message_payload": b"long"}))
    with pytest.raises(EncodeError, match="sar_msg_ref_num"):
        pair.mc.request("deliver_sm", 0, {}, pack_tlvs({"sar_msg_ref_num": 1}))
    assert (pair.esme.outgoing(), pair.esme.in_flight, pair.mc.in_flight) == (b"", 0, 0)


def test_what_a_peer_of_3_3_sends_is_read_tlvs_or_not() -> None:
    pair = agreed(0x33, None)
    pair.mc.receive(encode(PDU("submit_sm", 9, 0, {"short_message": b"hi"}, RECEIPTED)), 0)
    (event,) = pair.mc.events()
    assert isinstance(event, Received)
    assert read_tlv(event.request.tlvs, "message_state") == 2


def test_how_busy_a_peer_of_5_0_is_can_be_read() -> None:
    pair = agreed(0x50, 0x50)
    sequence = pair.esme.request("submit_sm", 0)
    pair.esme.receive(encode(PDU("submit_sm_resp", sequence, 0, {}, pack_tlvs({"congestion_state": 92}))), 0)
    *_, event = pair.esme.events()
    assert read_tlv(event.response.tlvs, "congestion_state") == 92  # type: ignore[union-attr]
