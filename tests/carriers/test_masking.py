"""Masked PDUs say nothing that people wrote, and all else as before."""

from hypothesis import given
from hypothesis import strategies as st

from messagehub.carriers.masking import masked
from messagehub.smpp import PDU, decode, encode, receipts

PAYLOAD = 0x0424
ADDRESSES = {"source_addr": "15551234567", "destination_addr": "442079460001"}

texts = st.binary(min_size=1, max_size=200).map(lambda octets: octets.replace(b"*", b"x"))


@given(texts, st.sampled_from(["submit_sm", "deliver_sm"]), st.booleans())
def test_all_but_the_text_stays(text: bytes, name: str, in_payload: bool) -> None:
    fields = {**ADDRESSES, "short_message": b"" if in_payload else text}
    tlvs = {0x0204: b"\0\1", **({PAYLOAD: text} if in_payload else {})}
    pdu = decode(masked(encode(PDU(name, 5, 0, fields, tlvs))))
    hidden = b"*" * len(text)
    assert pdu.fields["short_message"] == (b"" if in_payload else hidden)
    assert pdu.tlvs == {0x0204: b"\0\1", **({PAYLOAD: hidden} if in_payload else {})}
    assert {name: pdu.fields[name] for name in ADDRESSES} == ADDRESSES


def test_a_header_of_user_data_is_no_text() -> None:
    header = bytes((5, 0, 3, 9, 2, 1))
    frame = masked(encode(PDU("submit_sm", 5, 0, {"esm_class": 0x40, "short_message": header + b"secret"})))
    assert decode(frame).fields["short_message"] == header + b"******"


def test_of_a_receipt_its_own_words_stay() -> None:
    text = receipts.receipt_text("ab12", "UNDELIV", "2601311030", "2601311031", "011", "secret words")
    frame = masked(encode(PDU("deliver_sm", 5, 0, {"esm_class": 4, "short_message": text})))
    read = receipts.parse(decode(frame))
    assert (read.message_id, read.stat, read.err, read.done_date) == ("ab12", "UNDELIV", "011", "2601311031")
    assert b"secret" not in frame
    assert b"words" not in frame


def test_what_else_a_receipt_says_is_masked() -> None:
    said = (b"secret id:1 stat:DELIVRD", "id:1 stat:DELIVRD text:secret".encode("utf-16-be"), b"id:1 foo:secret")
    for text in said:
        frame = masked(encode(PDU("deliver_sm", 5, 0, {"esm_class": 4, "short_message": text})))
        assert b"secret" not in frame
        assert "secret".encode("utf-16-be") not in frame


@given(st.binary(max_size=120))
def test_of_a_pdu_that_makes_no_sense_the_header_stays(body: bytes) -> None:
    frame = (16 + len(body)).to_bytes(4, "big") + bytes((0, 0, 0, 5)) + bytes(8) + body
    hidden = masked(frame)
    assert len(hidden) == len(frame)
    assert hidden[:16] == frame[:16]
