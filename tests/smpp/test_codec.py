import contextlib
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.smpp import PDU, DecodeError, EncodeError, TLVs, decode, deviations, encode
from messagehub.smpp.codec import _walk, _write_walk
from messagehub.smpp.compiler import reader, writer
from messagehub.smpp.kinds import Counted, CString, Int, Kind, Repeated, Time
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
        assert (*read(octets, octets.decode("latin-1")), []) == _walk(octets, command_id, pdu.sequence)


def test_only_rows_with_lists_inside_are_not_compiled() -> None:
    walked = {name for name, row in COMMANDS.values() if reader(row) is None}
    assert walked == {"submit_multi", "submit_multi_resp"}


ADDRESSES = {"source_addr": "1", "dest_addr_ton": 1, "destination_addr": "82"}
OCTETS: list[tuple[PDU, str]] = [  # written by hand from section 4
    (PDU("bind_transceiver", 1, 0, {"system_id": "me", "password": "pw", "address_range": "44"}),
     "0000001d 00000009 00000000 00000001 6d6500 707700 00 34 00 00 343400"),
    (PDU("outbind", 1, 0, {"system_id": "mc", "password": "pw"}), "00000016 0000000b 00000000 00000001 6d6300 707700"),
    (PDU("submit_sm", 2, 0, {**ADDRESSES, "short_message": b"hi"}),
     "00000026 00000004 00000000 00000002 00 00 00 3100 01 00 383200 00 00 00 00 00 00 00 00 00 02 6869"),
    (PDU("deliver_sm_resp", 2), "00000011 80000005 00000000 00000002 00"),
    (PDU("submit_sm_resp", 2, 0x58), "00000010 80000004 00000058 00000002"),
    (PDU("submit_multi", 3, 0, {"source_addr": "1", "short_message": b"hi", "dest_address": [
        {"dest_flag": 1, "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "82"},
        {"dest_flag": 2, "dl_name": "us"}]}),
     "0000002c 00000021 00000000 00000003 00 00 00 3100 02 01 01 01 383200 02 757300 "
     "00 00 00 00 00 00 00 00 00 02 6869"),
    (PDU("submit_multi_resp", 3, 0, {"message_id": "a1", "unsuccess_sme": [
        {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "82", "error_status_code": 0x0B}]}),
     "0000001d 80000021 00000000 00000003 613100 01 01 01 383200 0000000b"),
    (PDU("data_sm", 4, 0, {**ADDRESSES, "esm_class": 4, "data_coding": 8}, {0x0424: b"hi"}),
     "00000023 00000103 00000000 00000004 00 00 00 3100 01 00 383200 04 00 08 0424 0002 6869"),
    (PDU("query_sm", 5, 0, {"message_id": "a1", "source_addr": "1"}),
     "00000017 00000003 00000000 00000005 613100 00 00 3100"),
    (PDU("query_sm_resp", 5, 0, {"message_id": "a1", "message_state": 2, "error_code": 9}),
     "00000016 80000003 00000000 00000005 613100 00 02 09"),
    (PDU("cancel_sm", 6, 0, {"message_id": "a1", **ADDRESSES}),
     "0000001d 00000008 00000000 00000006 00 613100 00 00 3100 01 00 383200"),
    (PDU("replace_sm", 7, 0, {"message_id": "a1", "source_addr": "1", "short_message": b"hi"}),
     "0000001e 00000007 00000000 00000007 613100 00 00 3100 00 00 00 00 02 6869"),
    (PDU("alert_notification", 8, 0, {"source_addr": "1", "esme_addr": "2"}, {0x0422: b"\1"}),
     "0000001d 00000102 00000000 00000008 00 00 3100 00 00 3200 0422 0001 01"),
    (PDU("unbind", 9), "00000010 00000006 00000000 00000009"),
    (PDU("generic_nack", 9, 3), "00000010 80000000 00000003 00000009"),
]  # fmt: skip


@pytest.mark.parametrize(("pdu", "octets"), OCTETS, ids=[pdu.name for pdu, _ in OCTETS])
def test_a_pdu_is_these_octets(pdu: PDU, octets: str) -> None:
    assert encode(pdu).hex(" ") == bytes.fromhex(octets).hex(" ")


def test_every_response_answers_a_request() -> None:
    assert len(RESPONSES) == len(REQUESTS) == 12
    assert REQUESTS["submit_sm"] == "submit_sm_resp"
    assert not {"outbind", "alert_notification"} & REQUESTS.keys()


# --- what real SMSCs send ---------------------------------------------------------------------------------------------

ID = {"message_id": "a1"}
HALF_A_TEXT = encode(PDU("deliver_sm", 7, 0, {"source_addr": "82", "short_message": b"hello"}))[16:-2]
UP_TO_CODING = encode(PDU("deliver_sm", 7, 0, {"source_addr": "82", "data_coding": 8}))[16:-2]
EMPTY = {"service_type": "", "source_addr_ton": 0, "source_addr_npi": 0, "source_addr": "82", "dest_addr_ton": 0,
    "dest_addr_npi": 0, "destination_addr": "", "esm_class": 0, "protocol_id": 0, "priority_flag": 0,
    "schedule_delivery_time": "", "validity_period": "", "registered_delivery": 0, "replace_if_present_flag": 0,
    "data_coding": 0, "sm_default_msg_id": 0, "short_message": b""}  # fmt: skip
NO_BODY = "message_id: the frame ends before a C-octet string"

TOLERATED: list[tuple[str, bytes, PDU]] = [
    ("a refusal without a body", frame(0x80000004, b"", 0x58), PDU("submit_sm_resp", 7, 0x58, {"message_id": ""})),
    ("a refusal with an id", frame(0x80000004, b"a1\0", 0x58), PDU("submit_sm_resp", 7, 0x58, ID)),
    ("an id without its NUL", frame(0x80000004, b"a1"),
     PDU("submit_sm_resp", 7, 0, ID, {}, ("message_id: no NUL at its end",))),
    ("a refusal with an id without its NUL", frame(0x80000004, b"a1", 0x58),
     PDU("submit_sm_resp", 7, 0x58, ID, {}, ("message_id: no NUL at its end",))),
    ("a response without a body", frame(0x80000004), PDU("submit_sm_resp", 7, 0, {"message_id": ""}, {}, (NO_BODY,))),
    ("an id longer than the standard allows", frame(0x80000004, b"x" * 99 + b"\0"),
     PDU("submit_sm_resp", 7, 0, {"message_id": "x" * 99})),
    (
        "a response that ends early",
        frame(0x80000003, b"id\0" + b"\0" + b"\x02"),
        PDU("query_sm_resp", 7, 0, {"message_id": "id", "final_date": "", "message_state": 2, "error_code": 0}, {},
            ("error_code: the frame ends before an integer of 1 octets",)),
    ),
    ("a deliver_sm_resp without a body", frame(0x80000005),
     PDU("deliver_sm_resp", 7, 0, {"message_id": ""}, {}, (NO_BODY,))),
    ("a bind answered without a body", frame(0x80000009),
     PDU("bind_transceiver_resp", 7, 0, {"system_id": ""}, {},
         ("system_id: the frame ends before a C-octet string",))),
    ("a last string without its NUL", frame(0x0000000B, b"me\0secret"),
     PDU("outbind", 7, 0, {"system_id": "me", "password": "secret"}, {}, ("password: no NUL at its end",))),
    (
        "a bind that ends behind the password",
        frame(0x00000002, b"me\0secret\0"),
        PDU("bind_transmitter", 7, 0,
            {"system_id": "me", "password": "secret", "system_type": "", "interface_version": 0x34, "addr_ton": 0,
             "addr_npi": 0, "address_range": ""}, {}, ("system_type: the frame ends before a C-octet string",)),
    ),
    ("a text shorter than its length", frame(5, HALF_A_TEXT),
     PDU("deliver_sm", 7, 0, {**EMPTY, "short_message": b"hel"}, {},
         ("short_message: 5 octets announced, 3 are there",))),
    ("a message without its last fields", frame(5, UP_TO_CODING),
     PDU("deliver_sm", 7, 0, {**EMPTY, "data_coding": 8}, {},
         ("sm_default_msg_id: the frame ends before an integer of 1 octets",))),
    (
        "a TLV that is cut short",
        frame(0x80000004, b"a1\0" + bytes.fromhex("0427000102 001E0009 3132")),
        PDU("submit_sm_resp", 7, 0, ID, {0x0427: b"\x02"}, ("TLV 0x001e: 9 octets announced, 2 are there",)),
    ),
    (
        "a TLV that stops within its header",
        frame(0x80000015, b"\x04\x27\0"),
        PDU("enquire_link_resp", 7, 0, {}, {}, ("3 octets behind the last TLV",)),
    ),
    (
        "TLVs that nobody knows, one of them again, and the last cut short",
        frame(0x80000004, b"a1\0" + bytes.fromhex("1402000101 1400000102 1402000103 140100FF")),
        PDU("submit_sm_resp", 7, 0, ID, TLVs([(0x1402, b"\1"), (0x1400, b"\2"), (0x1402, b"\3")]),
            ("TLV 0x1401: 255 octets announced, 0 are there",)),
    ),
    ("an unknown command", frame(0x00000111, b"xy"), PDU("unknown", 7, 0, {"command_id": 0x111, "body": b"xy"})),
    (
        "a list of failures that is cut short",
        frame(0x80000021, b"id\0\x02\x01\x01123"),
        PDU("submit_multi_resp", 7, 0, {"message_id": "id", "unsuccess_sme": []}, {},
            ("unsuccess_sme: the frame ends before an integer of 4 octets",)),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "pdu"), [case[1:] for case in TOLERATED], ids=[case[0] for case in TOLERATED])
def test_is_tolerated(octets: bytes, pdu: PDU) -> None:
    assert decode(octets) == pdu


def test_of_a_tag_that_comes_again_the_last_counts_and_all_are_kept() -> None:
    tlvs = TLVs([(0x0381, b"1234"), (0x1400, b""), (0x0381, b"5678")])
    pdu = decode(encode(PDU("submit_sm", tlvs=tlvs)))
    assert pdu.tlvs[0x0381] == b"5678"
    assert pdu.tlvs == tlvs != TLVs(reversed(tlvs.pairs))
    assert eval(repr(tlvs)) == tlvs != {0x0381: b"5678", 0x1400: b""} == dict(tlvs)


def test_255_octets_of_text_are_taken_where_they_are_there() -> None:
    body = encode(PDU("deliver_sm"))[16:-1] + b"\xff"
    pdu = decode(frame(5, body + b"x" * 255))
    assert pdu.fields["short_message"] == b"x" * 255
    assert deviations(pdu) == ["short_message: 255 octets, 254 are allowed"]


TEXT = encode(PDU("submit_sm", fields={"short_message": b"hello"}))[16:]
REPLACE = encode(PDU("replace_sm", fields={"short_message": b"hello"}))[16:]
REFUSED: list[tuple[str, bytes, int, str]] = [
    ("no header", b"\0\0\0\x10", 0x02, ""),
    ("a length that is not the frame's", struct.pack(">IIII", 17, 4, 0, 7), 0x02, ""),
    ("a request without its body", frame(0x00000004), 0x02, "submit_sm"),
    ("a request cut in a string", frame(0x00000004, TEXT[:3]), 0x02, "submit_sm"),
    ("a request cut before data_coding", frame(0x00000004, TEXT[:-8]), 0x02, "submit_sm"),
    ("a bind without a password", frame(0x00000001, b"me\0"), 0x02, "bind_receiver"),
    ("a replacement without its text", frame(0x00000007, REPLACE[:-6]), 0x02, "replace_sm"),
    ("a query without a source", frame(0x00000003, b"id\0"), 0x02, "query_sm"),
    ("a destination of no kind", frame(0x00000021, b"\0\0\0\0\x01\x03"), 0x40, "submit_multi"),
]


@pytest.mark.parametrize(("octets", "status", "name"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED])
def test_is_refused(octets: bytes, status: int, name: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(octets)
    assert (caught.value.status, caught.value.name) == (status, name)


# --- what we may not say ----------------------------------------------------------------------------------------------


def too_much(kind: Kind) -> list[Any]:
    """Values that the kind has no room for, or that are none of its."""
    match kind:
        case Time():
            return ["2601311200", "x" * 16, "0" * 17, None, b""]
        case CString(limit=limit):
            return ["x" * limit, "\0", "Ω", None, b""]
        case Int(size=size):
            return [256**size, -1, None, "1"]
        case Counted(limit=limit):
            return [b"x" * (limit + 1), "text", None]
        case Repeated():
            return [1, None, [None], [{}] * 256, [{"strange": 1}]]
    raise AssertionError(kind)


UNSAYABLE = [
    (name, key, value) for name, row in COMMANDS.values() for key, kind in row.items() for value in too_much(kind)
]


@pytest.mark.parametrize("name", COMMAND_IDS)
def test_names_the_field_that_does_not_fit(name: str) -> None:
    for pdu_name, key, value in UNSAYABLE:
        if pdu_name == name:
            with pytest.raises(EncodeError, match=f"^{name}: {key}: "):
                encode(PDU(name, fields={key: value}))
    with pytest.raises(EncodeError, match="sm_length"):
        encode(PDU(name, fields={"sm_length": 1}))


INNER: list[tuple[str, dict[str, Any], str]] = [
    ("dest_address", {"dest_flag": 3}, "dest_flag 3"),
    ("dest_address", {"dest_flag": 1, "destination_addr": "1" * 21}, "destination_addr: 21 octets do not fit 20"),
    ("dest_address", {"dest_flag": 2, "destination_addr": "1"}, "no such field: destination_addr"),
]


@pytest.mark.parametrize(("key", "value", "words"), INNER)
def test_names_what_does_not_fit_within_a_list(key: str, value: dict[str, Any], words: str) -> None:
    good = {"dest_flag": 2, "dl_name": "friends"}
    with pytest.raises(EncodeError) as caught:
        encode(PDU("submit_multi", fields={key: [good, value]}))
    assert str(caught.value).startswith(f"submit_multi: {key}: [1]: {words}")


def test_a_list_has_no_more_than_its_count_octet_can_say() -> None:
    with pytest.raises(EncodeError, match="submit_multi: dest_address: 256 of them do not fit 255"):
        encode(PDU("submit_multi", fields={"dest_address": [{"dest_flag": 2, "dl_name": "friends"}] * 256}))


def test_there_is_no_such_pdu() -> None:
    with pytest.raises(EncodeError, match="submit_mm"):
        encode(PDU("submit_mm"))


TOO_LONG: list[tuple[dict[Any, Any], str]] = [
    ({0x10000: b""}, "65536"),
    ({0x0424: b"x" * 0x10000}, "0x0424: 65536 octets"),
    ({0x0424: "text"}, "0x0424: 'text'"),
    ({0x0424: b"x" * 0xFFFF}, "65578 octets"),
]


@pytest.mark.parametrize(("tlvs", "words"), TOO_LONG)
def test_names_the_tlv_that_does_not_fit(tlvs: dict[Any, Any], words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        encode(PDU("submit_sm", tlvs={0x0204: b"\0\1", **tlvs}))


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
