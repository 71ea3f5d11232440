import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.smpp import PDU, pack_tlvs
from messagehub.smpp.receipts import FAILURES, Outcome, is_receipt, outcome, parse, receipt_text

FORM = "id:a1 sub:001 dlvrd:001 submit date:2601311200 done date:2601311201 stat:DELIVRD err:000 text:Hello: you"


def deliver(text: bytes | str, esm_class: int = 4, **tlvs: object) -> PDU:
    octets = text.encode("latin-1") if isinstance(text, str) else text
    return PDU("deliver_sm", 1, 0, {"esm_class": esm_class, "short_message": octets}, pack_tlvs(tlvs))


# text: id, stat, err, submit date, done date, text
READ = [
    (FORM, "a1", "DELIVRD", "000", "2601311200", "2601311201", "Hello: you"),
    (FORM.upper(), "A1", "DELIVRD", "000", "2601311200", "2601311201", "HELLO: YOU"),
    (FORM.partition(" text")[0], "a1", "DELIVRD", "000", "2601311200", "2601311201", ""),
    ("id:a1 stat:UNDELIV", "a1", "UNDELIV", "", "", "", ""),
    ("stat:EXPIRED err:21b id:0x7F done date:260131120001", "0x7F", "EXPIRED", "21b", "", "260131120001", ""),
    ("id: a1 sub: dlvrd: stat: REJECTD err:", "a1", "REJECTD", "", "", "", ""),
    ("id:a1 submit_date:1 done_date:2 stat:delivrd Text:hi", "a1", "DELIVRD", "", "1", "2", "hi"),
    ("id:a1 text:my id:b2 stat:DND_REJECTED", "a1", "DND_REJECTED", "", "", "", "my id:b2 stat:DND_REJECTED"),
    ("\x05\0\x03\x41\x02\x01" + FORM, "a1", "DELIVRD", "000", "2601311200", "2601311201", "Hello: you"),
    ("no receipt at all", "", "", "", "", "", ""),
    ("", "", "", "", "", "", ""),
]


@pytest.mark.parametrize(("raw", "message_id", "stat", "err", "submitted", "done", "text"), READ)
def test_reads_the_text(raw: str, message_id: str, stat: str, err: str, submitted: str, done: str, text: str) -> None:
    receipt = parse(deliver(raw, esm_class=0x44 if raw.startswith("\x05") else 4))
    assert (receipt.message_id, receipt.stat, receipt.err) == (message_id, stat, err)
    assert (receipt.submit_date, receipt.done_date, receipt.text) == (submitted, done, text)


def test_udhi_without_a_header_takes_nothing_away() -> None:
    assert parse(deliver(FORM, esm_class=0x44)).message_id == "a1"


@pytest.mark.parametrize("coding", ["utf-16-be", "latin-1"])
def test_ucs2_is_read_whatever_data_coding_says(coding: str) -> None:
    assert parse(deliver(FORM.encode(coding))).stat == "DELIVRD"


def test_tlvs_count_more_than_the_text() -> None:
    pdu = deliver(FORM, receipted_message_id="b2", message_state=5, network_error_code=b"\x03\0\x0b")
    receipt = parse(pdu)
    assert (receipt.message_id, receipt.stat, receipt.err, receipt.network) == ("b2", "UNDELIV", "011", 3)
    assert receipt.outcome is Outcome.UNDELIVERABLE
    assert receipt.done_date == "2601311201"


def test_a_body_may_be_empty_or_in_the_payload() -> None:
    assert parse(deliver("", receipted_message_id="b2", message_state=2)).outcome is Outcome.DELIVERED
    assert parse(deliver("", message_payload=FORM.encode())).message_id == "a1"
    assert parse(PDU("data_sm", fields={"esm_class": 4}, tlvs={0x0424: FORM.encode()})).message_id == "a1"


TOLD_APART = [
    (deliver("anything", 0x04), True),
    (deliver("anything", 0x44), True),
    (deliver("anything", 0x05), True),
    (deliver("anything", 0x08), False),
    (deliver("", 0, receipted_message_id="1", message_state=2), True),
    (deliver("", 0, message_state=2), False),
    (deliver(FORM, 0), True),
    (deliver(FORM, 0x20), True),
    (deliver("id:1 stat:DELIVRD", 0), False),
    (deliver("my id: 5, stat: fine", 0), False),
    (deliver("hello", 0), False),
    (deliver("", 0), False),
]


@pytest.mark.parametrize(("pdu", "expected"), TOLD_APART)
def test_receipts_are_told_from_messages(pdu: PDU, expected: bool) -> None:
    assert is_receipt(pdu) is expected


OUTCOMES = [
    ("DELIVRD", Outcome.DELIVERED),
    ("delivered", Outcome.DELIVERED),
    ("UNDELIV", Outcome.UNDELIVERABLE),
    ("ENROUTE", Outcome.INTERMEDIATE),
    ("ACCEPTD", Outcome.INTERMEDIATE),
    ("UNKNOWN", Outcome.UNKNOWN),
    ("NOROUTE", Outcome.FAILED),
    ("FAILED", Outcome.FAILED),
    ("", Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("stat", "expected"), OUTCOMES)
def test_a_word_has_an_outcome(stat: str, expected: Outcome) -> None:
    assert outcome(stat) is expected


def test_outcomes_that_are_failures() -> None:
    assert Outcome.FAILED in FAILURES
    assert not FAILURES & {Outcome.DELIVERED, Outcome.INTERMEDIATE, Outcome.UNKNOWN}


def test_what_is_written_is_read() -> None:
    pdu = deliver(receipt_text("a1", "EXPIRED", "2601311200", "2601311201", "003", "x" * 30))
    receipt = parse(pdu)
    assert (receipt.message_id, receipt.outcome, receipt.err, receipt.text) == ("a1", Outcome.EXPIRED, "003", "x" * 20)


@given(
    st.binary(max_size=254), st.integers(0, 255), st.dictionaries(st.sampled_from([0x1E, 0x423, 0x427]), st.binary())
)
def test_nothing_makes_it_raise(text: bytes, esm_class: int, tlvs: dict[int, bytes]) -> None:
    pdu = PDU("deliver_sm", fields={"esm_class": esm_class, "short_message": text}, tlvs=tlvs)
    is_receipt(pdu)
    parse(pdu)
