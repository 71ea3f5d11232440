import contextlib
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.smpp import PDU, DecodeError, EncodeError, decode, encode
from messagehub.smpp.codec import _walk, _write_walk
from messagehub.smpp.compiler import reader, writer
from messagehub.smpp.pdus import COMMAND_IDS, COMMANDS, REQUESTS, RESPONSES
from tests.smpp.rows import any_pdu, pdus


def frame(command_id: int, body: bytes = b"", status: int = 0, sequence: int = 7) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command_id, status, sequence) + body


@given(any_pdu)
def test_decoding_what_was_encoded_gives_it_back(pdu: PDU) -> None:
    assert decode(encode(pdu)) == pdu


@given(any_pdu)
def test_compiled_functions_do_what_walking_the_row_does(pdu: PDU) -> None:
    command_id = COMMAND_IDS[pdu.name]
    _, row = COMMANDS[command_id]
    read, write = reader(row), writer(row)
    octets = encode(pdu)
    if read and write:
        assert write(**pdu.fields) == _write_walk(pdu.name, pdu.fields)
        assert read(octets, octets.decode("latin-1")) == _walk(octets, command_id, pdu.sequence)


def test_only_rows_with_lists_inside_are_not_compiled() -> None:
    walked = {name for name, row in COMMANDS.values() if reader(row) is None}
    assert walked == {"submit_multi", "submit_multi_resp"}


def test_a_submit_is_these_octets() -> None:
    pdu = PDU(
        "submit_sm", 2, 0, {"source_addr": "1", "dest_addr_ton": 1, "destination_addr": "82", "short_message": b"hi"}
    )
    assert encode(pdu) == bytes.fromhex(
        "00000026 00000004 00000000 00000002 00 00 00 3100 01 00 383200 00 00 00 00 00 00 00 00 00 02 6869"
    )


def test_every_response_answers_a_request() -> None:
    assert len(RESPONSES) == len(REQUESTS) == 12
    assert REQUESTS["submit_sm"] == "submit_sm_resp"
    assert not {"outbind", "alert_notification"} & REQUESTS.keys()


# --- what real SMSCs send ---------------------------------------------------------------------------------------------

TOLERATED: list[tuple[str, bytes, PDU]] = [
    (
        "a refusal without a body",
        frame(0x80000004, b"", 0x58),
        PDU("submit_sm_resp", 7, 0x58, {"message_id": ""}),
    ),
    ("a refusal with an id", frame(0x80000004, b"a1\0", 0x58), PDU("submit_sm_resp", 7, 0x58, {"message_id": "a1"})),
    ("an id without its NUL", frame(0x80000004, b"a1"), PDU("submit_sm_resp", 7, 0, {"message_id": "a1"})),
    ("a response without a body", frame(0x80000004), PDU("submit_sm_resp", 7, 0, {"message_id": ""})),
    ("an id longer than the standard allows", frame(0x80000004, b"x" * 99 + b"\0"),
     PDU("submit_sm_resp", 7, 0, {"message_id": "x" * 99})),
    (
        "a response that ends early",
        frame(0x80000003, b"id\0" + b"\0" + b"\x02"),
        PDU("query_sm_resp", 7, 0, {"message_id": "id", "final_date": "", "message_state": 2, "error_code": 0}),
    ),
    ("a deliver_sm_resp without a body", frame(0x80000005), PDU("deliver_sm_resp", 7, 0, {"message_id": ""})),
    ("a last string without its NUL", frame(0x0000000B, b"me\0secret"),
     PDU("outbind", 7, 0, {"system_id": "me", "password": "secret"})),
    (
        "a TLV that is cut short",
        frame(0x80000004, b"a\0" + bytes.fromhex("0427000102 001E0009 3132")),
        PDU("submit_sm_resp", 7, 0, {"message_id": "a"}, {0x0427: b"\x02"}, "TLV 0x001e announces 9 octets and has 2"),
    ),
    (
        "a TLV that stops within its header",
        frame(0x80000015, b"\x04\x27\0"),
        PDU("enquire_link_resp", 7, 0, {}, {}, "3 octets behind the last TLV"),
    ),
    (
        "a TLV that is there twice",
        frame(0x80000004, b"a\0" + bytes.fromhex("0427000101 0427000102")),
        PDU("submit_sm_resp", 7, 0, {"message_id": "a"}, {0x0427: b"\x02"}),
    ),
    ("an unknown command", frame(0x00000111, b"xy"), PDU("unknown", 7, 0, {"command_id": 0x111, "body": b"xy"})),
    (
        "a list of failures that is cut short",
        frame(0x80000021, b"id\0\x02\x01\x01123"),
        PDU("submit_multi_resp", 7, 0, {"message_id": "id", "unsuccess_sme": ()}),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "pdu"), [case[1:] for case in TOLERATED], ids=[case[0] for case in TOLERATED])
def test_is_tolerated(octets: bytes, pdu: PDU) -> None:
    assert decode(octets) == pdu


def test_255_octets_of_text_are_taken_where_they_are_there() -> None:
    body = encode(PDU("deliver_sm"))[16:-1] + b"\xff"
    assert decode(frame(5, body + b"x" * 255)).fields["short_message"] == b"x" * 255


TOO_SHORT = encode(PDU("submit_sm", fields={"short_message": b"hello"}))[16:]
REFUSED: list[tuple[str, bytes, int, str]] = [
    ("no header", b"\0\0\0\x10", 0x02, ""),
    ("a length that is not the frame's", struct.pack(">IIII", 17, 4, 0, 7), 0x02, ""),
    ("a request without its body", frame(0x00000004), 0x02, "submit_sm"),
    ("a request cut in a string", frame(0x00000004, TOO_SHORT[:3]), 0x02, "submit_sm"),
    ("a request cut in its text", frame(0x00000004, TOO_SHORT[:-1]), 0x01, "submit_sm"),
    ("a destination of no kind", frame(0x00000021, b"\0\0\0\0\x01\x03"), 0x40, "submit_multi"),
]


@pytest.mark.parametrize(("octets", "status", "name"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED])
def test_is_refused(octets: bytes, status: int, name: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(octets)
    assert (caught.value.status, caught.value.name) == (status, name)


# --- what we may not say ----------------------------------------------------------------------------------------------

UNSAYABLE: list[tuple[str, dict[str, Any], str]] = [
    ("submit_sm", {"source_addr": "1" * 21}, "source_addr"),
    ("submit_sm", {"source_addr": "1\x002"}, "source_addr"),
    ("submit_sm", {"source_addr": b"12"}, "source_addr"),
    ("submit_sm", {"source_addr": None}, "source_addr"),
    ("submit_sm", {"destination_addr": "Ω"}, "destination_addr"),
    ("submit_sm", {"dest_addr_ton": 256}, "dest_addr_ton"),
    ("submit_sm", {"dest_addr_ton": -1}, "dest_addr_ton"),
    ("submit_sm", {"dest_addr_ton": None}, "dest_addr_ton"),
    ("submit_sm", {"short_message": b"x" * 255}, "short_message"),
    ("submit_sm", {"short_message": "text"}, "short_message"),
    ("submit_sm", {"sm_length": 1}, "sm_length"),
    ("submit_multi", {"dest_address": [{"dest_flag": 3}]}, "dest_address"),
    ("submit_multi", {"dest_address": 1}, "dest_address"),
    ("submit_mm", {}, "submit_mm"),
]


@pytest.mark.parametrize(("name", "fields", "named"), UNSAYABLE)
def test_names_the_field_that_does_not_fit(name: str, fields: dict[str, Any], named: str) -> None:
    with pytest.raises(EncodeError, match=named):
        encode(PDU(name, fields=fields))


@pytest.mark.parametrize("pdu", [PDU("unbind", -1), PDU("unbind", 1, 1 << 32), PDU("unbind", tlvs={1 << 16: b""})])
def test_numbers_that_do_not_fit_are_named(pdu: PDU) -> None:
    with pytest.raises(EncodeError):
        encode(pdu)


@pytest.mark.parametrize(
    ("name", "size"), [("submit_sm_resp", 16), ("bind_receiver_resp", 16), ("deliver_sm_resp", 17)]
)
def test_a_refusal_has_a_body_only_where_the_standard_wants_one(name: str, size: int) -> None:
    assert len(encode(PDU(name, 1, 8))) == size


@given(pdus("submit_sm") | pdus("submit_multi") | pdus("bind_transceiver_resp"), st.data())
def test_mutilated_frames_raise_nothing_but_decode_errors(pdu: PDU, data: st.DataObject) -> None:
    octets = bytearray(encode(pdu))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(4, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(octets[: data.draw(st.integers(16, len(octets)))])
    with contextlib.suppress(DecodeError):
        assert decode(len(cut).to_bytes(4, "big") + cut[4:]).sequence == int.from_bytes(cut[12:16], "big")
