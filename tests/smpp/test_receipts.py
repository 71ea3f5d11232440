from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.smpp import PDU, pack_tlvs
from messagehub.smpp.receipts import FAILURES, Outcome, is_receipt, outcome, parse, receipt_text
from messagehub.smpp.tlvs import TAGS

FORM = "id:a1 sub:001 dlvrd:001 submit date:2601311200 done date:2601311201 stat:DELIVRD err:000 text:Hello: you"


def deliver(text: bytes | str, esm_class: int = 4, **tlvs: object) -> PDU:
    octets = text.encode("latin-1") if isinstance(text, str) else text
    return PDU("deliver_sm", 1, 0, {"esm_class": esm_class, "short_message": octets}, pack_tlvs(tlvs))


SMPP_TIMES = ("180711070003912+", "180711070000012+")
NINE = ("2601311200", "2601311201")
UUID = "01930e2b-9c5a-7d40-8a11-0242ac120002"

# text: id, stat, err, submit date, done date, text
READ = [
    # appendix B, and ids of all kinds
    (FORM, "a1", "DELIVRD", "000", *NINE, "Hello: you"),
    (FORM.upper(), "A1", "DELIVRD", "000", *NINE, "HELLO: YOU"),
    (FORM.partition(" text")[0], "a1", "DELIVRD", "000", *NINE, ""),
    (FORM.replace("text", "Text"), "a1", "DELIVRD", "000", *NINE, "Hello: you"),
    (FORM.replace("a1", UUID), UUID, "DELIVRD", "000", *NINE, "Hello: you"),
    (FORM.replace("a1", "0x7F"), "0x7F", "DELIVRD", "000", *NINE, "Hello: you"),
    (FORM.replace("a1", "0000000012345678"), "0000000012345678", "DELIVRD", "000", *NINE, "Hello: you"),
    (FORM.replace("a1", "SAR-5551-2-1"), "SAR-5551-2-1", "DELIVRD", "000", *NINE, "Hello: you"),
    (FORM.replace("a1", " a1 "), "a1", "DELIVRD", "000", *NINE, "Hello: you"),
    (FORM.replace("a1", "12 34 56"), "12 34 56", "DELIVRD", "000", *NINE, "Hello: you"),
    (FORM.replace("a1", "a1 msgid:77"), "a1", "DELIVRD", "000", *NINE, "Hello: you"),
    # errors and states that are not the standard's
    (FORM.replace("000 ", "0000 "), "a1", "DELIVRD", "0000", *NINE, "Hello: you"),
    (FORM.replace("err:000", "err:21b"), "a1", "DELIVRD", "21b", *NINE, "Hello: you"),
    (FORM.replace("err:000", "err: 0"), "a1", "DELIVRD", "0", *NINE, "Hello: you"),
    (FORM.replace("err:000", "err:"), "a1", "DELIVRD", "", *NINE, "Hello: you"),
    (FORM.replace("DELIVRD", "DND_REJECTED"), "a1", "DND_REJECTED", "000", *NINE, "Hello: you"),
    (FORM.replace("DELIVRD", "delivrd"), "a1", "DELIVRD", "000", *NINE, "Hello: you"),
    (FORM.replace("sub:001 dlvrd:001", "sub:1 dlvrd:0"), "a1", "DELIVRD", "000", *NINE, "Hello: you"),
    # keys left out, in another order, written otherwise
    ("id:1526758174 submit date:1701240904 done date:1701240904 stat:DELIVRD err:000 text:hellow",
     "1526758174", "DELIVRD", "000", "1701240904", "1701240904", "hellow"),
    ("id:rdwjwxns18krxr9936ey96ymcw sub:000 dlvrd:000 submit date:180711070003912+ done date:180711070000012+ "
     "stat:UNDELIV err:000", "rdwjwxns18krxr9936ey96ymcw", "UNDELIV", "000", *SMPP_TIMES, ""),
    ("id:0000029095 sub:001 dlvrd:001 submit date:211125034959 done date:211125035001 stat:DELIVRD err:000 text:",
     "0000029095", "DELIVRD", "000", "211125034959", "211125035001", ""),
    ("id:64567564356765435676 sub:001 dlvrd:001 submit date:20190608165232 done date:20190608165237 stat:EXPIRED "
     "err:034 text:Hello World", "64567564356765435676", "EXPIRED", "034", "20190608165232", "20190608165237",
     "Hello World"),
    ("id:a1 submit date:2026-01-31 12:00:00 done date:2026-01-31 12:00:01 stat:DELIVRD err:000",
     "a1", "DELIVRD", "000", "2026-01-31 12:00:00", "2026-01-31 12:00:01", ""),
    ("id:a1 submit date:0000000000 done date:0000000000 stat:REJECTD err:255", "a1", "REJECTD", "255",
     "0000000000", "0000000000", ""),
    ("id:a1 stat:UNDELIV", "a1", "UNDELIV", "", "", "", ""),
    ("id:a1, stat:UNDELIV", "a1,", "UNDELIV", "", "", "", ""),
    ("id:a1\r\nstat:UNDELIV\r\nerr:011\r\n", "a1", "UNDELIV", "011", "", "", ""),
    ("stat:EXPIRED err:21b id:0x7F done date:260131120001", "0x7F", "EXPIRED", "21b", "", "260131120001", ""),
    ("stat:DELIVRD id:a1", "a1", "DELIVRD", "", "", "", ""),
    ("id: a1 sub: dlvrd: stat: REJECTD err:", "a1", "REJECTD", "", "", "", ""),
    ("id:a1 submit_date:1 done_date:2 stat:delivrd Text:hi", "a1", "DELIVRD", "", "1", "2", "hi"),
    ("id:a1 text:my id:b2 stat:DND_REJECTED", "a1", "DND_REJECTED", "", "", "", "my id:b2 stat:DND_REJECTED"),
    ("id:a1 stat:DELIVRD err:000 and more words", "a1", "DELIVRD", "000", "", "", ""),
    ("\x05\0\x03\x41\x02\x01" + FORM, "a1", "DELIVRD", "000", *NINE, "Hello: you"),
    # nothing of it
    ("no receipt at all", "", "", "", "", "", ""),
    ("", "", "", "", "", "", ""),
    ("id:", "", "", "", "", "", ""),
    ("stat: ", "", "", "", "", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "message_id", "stat", "err", "submitted", "done", "text"), READ)
def test_reads_the_text(raw: str, message_id: str, stat: str, err: str, submitted: str, done: str, text: str) -> None:
    receipt = parse(deliver(raw, esm_class=0x44 if raw.startswith("\x05") else 4))
    assert (receipt.message_id, receipt.stat, receipt.err) == (message_id, stat, err)
    assert (receipt.submit_date, receipt.done_date, receipt.text) == (submitted, done, text)


def test_udhi_without_a_header_takes_nothing_away() -> None:
    assert parse(deliver(FORM, esm_class=0x44)).message_id == "a1"


@pytest.mark.parametrize("coding", ["utf-16-be", "utf-16-le", "utf-16", "latin-1"])
def test_ucs2_is_read_whatever_data_coding_says(coding: str) -> None:
    receipt = parse(deliver(FORM.encode(coding)[:254]))
    assert (receipt.message_id, receipt.stat) == ("a1", "DELIVRD")


def test_tlvs_count_more_than_the_text() -> None:
    pdu = deliver(FORM, receipted_message_id="b2", message_state=5, network_error_code=b"\x03\0\x0b")
    receipt = parse(pdu)
    assert (receipt.message_id, receipt.stat, receipt.err, receipt.network) == ("b2", "UNDELIV", "011", 3)
    assert receipt.outcome is Outcome.UNDELIVERABLE
    assert receipt.done_date == "2601311201"


NETWORK = [  # network_error_code, err, network
    (b"\x03\0\x0b", "011", 3),
    (b"\x03\x01\x00", "256", 3),
    (b"034", "034", None),
    (b"\x03\x0b", "000", None),
    (b"", "000", None),
]


@pytest.mark.parametrize(("code", "err", "network"), NETWORK)
def test_reads_the_error_of_the_network(code: bytes, err: str, network: int | None) -> None:
    pdu = deliver(FORM)
    pdu.tlvs[TAGS["network_error_code"]] = code
    assert (parse(pdu).err, parse(pdu).network) == (err, network)


TLV_STATES = [(b"\2", "DELIVRD"), (b"\0\2", "DELIVRD"), (b"\x09", "SKIPPED"), (b"\x63", "UNDELIV"), (b"", "UNDELIV")]


@pytest.mark.parametrize(("state", "stat"), TLV_STATES)
def test_a_state_that_nobody_knows_leaves_the_word_of_the_text(state: bytes, stat: str) -> None:
    pdu = deliver("id:a1 stat:UNDELIV")
    pdu.tlvs[TAGS["message_state"]] = state
    assert parse(pdu).stat == stat


FINAL = [
    (4, "DELIVRD", Outcome.DELIVERED, True),
    (4, "UNDELIV", Outcome.UNDELIVERABLE, True),
    (4, "SKIPPED", Outcome.SKIPPED, True),
    (4, "BLIST", Outcome.FAILED, True),
    (4, "ENROUTE", Outcome.INTERMEDIATE, False),
    (4, "ACCEPTD", Outcome.INTERMEDIATE, False),
    (4, "SCHEDLD", Outcome.INTERMEDIATE, False),
    (4, "UNKNOWN", Outcome.UNKNOWN, False),
    (4, "", Outcome.UNKNOWN, False),
    (0x20, "UNDELIV", Outcome.INTERMEDIATE, False),
    (0x60, "SKIPPED", Outcome.INTERMEDIATE, False),
]


@pytest.mark.parametrize(("esm_class", "stat", "became", "final"), FINAL)
def test_tells_whether_more_is_to_come(esm_class: int, stat: str, became: Outcome, final: bool) -> None:
    receipt = parse(deliver(f"id:a1 stat:{stat}", esm_class))
    assert (receipt.outcome, receipt.final) == (became, final)


def test_a_body_may_be_empty_or_in_the_payload() -> None:
    assert parse(deliver("", receipted_message_id="b2", message_state=2)).outcome is Outcome.DELIVERED
    assert parse(deliver("", message_payload=FORM.encode())).message_id == "a1"
    assert parse(PDU("data_sm", fields={"esm_class": 4}, tlvs={0x0424: FORM.encode()})).message_id == "a1"


TOLD_APART = [  # PDU, is it a receipt, and is it one for whoever goes by the shape of the text
    (deliver("anything", 0x04), True, True),
    (deliver("anything", 0x44), True, True),
    (deliver("anything", 0x05), True, True),
    (deliver("anything", 0x20), True, True),
    (deliver("anything", 0x08), False, False),
    (deliver("anything", 0x10), False, False),
    (deliver("", 0, receipted_message_id="1", message_state=2), True, True),
    (deliver("", 0, message_state=2), False, False),
    (PDU("data_sm", fields={"esm_class": 4}), True, True),
    (deliver(FORM, 0), False, True),
    (deliver(FORM.encode("utf-16-be"), 0), False, True),
    (deliver("", 0, message_payload=FORM.encode()), False, True),
    (deliver("id:1 stat:DELIVRD", 0), False, False),
    (deliver("my id: 5, stat: fine", 0), False, False),
    (deliver("hello", 0), False, False),
    (deliver("", 0), False, False),
]


@pytest.mark.parametrize(("pdu", "expected", "by_shape"), TOLD_APART)
def test_receipts_are_told_from_messages(pdu: PDU, expected: bool, by_shape: bool) -> None:
    assert (is_receipt(pdu), is_receipt(pdu, by_shape=True)) == (expected, by_shape)


OUTCOMES = [
    ("DELIVRD", Outcome.DELIVERED),
    ("delivered", Outcome.DELIVERED),
    ("UNDELIV", Outcome.UNDELIVERABLE),
    ("ENROUTE", Outcome.INTERMEDIATE),
    ("ACCEPTD", Outcome.INTERMEDIATE),
    ("BUFFRED", Outcome.INTERMEDIATE),
    ("acked", Outcome.INTERMEDIATE),
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
    is_receipt(pdu, by_shape=True)
    parse(pdu)


@pytest.mark.parametrize("beginning", ["id:", "id:x ", "id: ", "done date:1 ", "err:", "stat:", "text:", "x" * 9])
def test_a_long_text_of_any_kind_is_read_in_no_time(beginning: str) -> None:
    pdu = PDU("deliver_sm", fields={"esm_class": 4}, tlvs={TAGS["message_payload"]: beginning.encode() * 7000})
    began = process_time()
    parse(pdu)
    assert process_time() - began < 1
