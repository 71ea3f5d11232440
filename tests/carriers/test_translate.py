"""Between the contract's words and SMPP's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from messagehub import text
from messagehub.carriers import profile, translate
from messagehub.carriers.carrier import REASONS, Inbound, Receipt, Verdict
from messagehub.messages.status import ERROR_CODES
from messagehub.smpp import PDU, Action, decode, encode, pack_tlvs
from messagehub.smpp.receipts import Outcome
from messagehub.smpp.statuses import NUMBERS, STATUSES
from messagehub.text import Concatenation, concatenation_header, cut

TICKET = object()
USUAL = profile.Profile()

# --- out

ADDRESSES = [  # an address of ours, TON, NPI, what goes on the wire
    ("+15551234567", 1, 1, "15551234567"),
    ("12345", 3, 0, "12345"),
    ("ACME", 5, 0, "ACME"),
    ("4U", 5, 0, "4U"),
    ("Grüße", 5, 0, "Grüße"),
]


@pytest.mark.parametrize(("number", "ton", "npi", "digits"), ADDRESSES)
def test_an_address_has_a_type_and_a_plan(number: str, ton: int, npi: int, digits: str) -> None:
    fields = translate.submission(USUAL, number, "+442079461234")
    assert (fields["source_addr_ton"], fields["source_addr_npi"], fields["source_addr"]) == (ton, npi, digits)
    assert (fields["dest_addr_ton"], fields["dest_addr_npi"], fields["destination_addr"]) == (1, 1, "442079461234")
    assert fields["registered_delivery"] == 1


@given(words=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=400))
def test_what_is_submitted_says_what_was_written(words: str) -> None:
    said = ""
    for segment in cut(words, 7):
        fields, _ = translate.with_segment(segment, translate.submission(USUAL, "+15551234567", "+442079461234"))
        sent = decode(encode(PDU("submit_sm", 1, fields=fields)))
        read = text.decode(sent.fields["data_coding"], sent.fields["short_message"], sent.fields["esm_class"] == 0x40)
        assert read.clean or "\ufffd" in words
        said += read.text
    assert said == words


# --- refusals

REFUSALS = [
    ("ESME_RINVDSTADR", "invalid_number"),
    ("ESME_RINVSRCADR", "invalid_source"),
    ("ESME_RTHROTTLED", "throttled"),
    ("ESME_RMSGQFUL", "throttled"),
    ("ESME_RSYSERR", "unwell"),
    ("ESME_RX_T_APPN", "unwell"),
    ("ESME_RINVBNDSTS", "unbound"),
    ("ESME_RX_R_APPN", "refused_here"),
    ("ESME_RSUBMITFAIL", "refused_here"),
    ("ESME_RINVMSGLEN", "rejected"),
    ("ESME_RINVDCS", "misconfigured"),
]


@pytest.mark.parametrize(("name", "reason"), REFUSALS)
def test_why_it_was_refused(name: str, reason: str) -> None:
    found, words, code = translate.refusal(USUAL, NUMBERS[name])
    assert code == ""
    assert found == reason
    assert words == f"{name}: {STATUSES[NUMBERS[name]].words}"


@given(number=st.one_of(st.sampled_from(sorted(STATUSES)), st.integers(1, 2**32 - 1)).filter(bool))
def test_every_command_status_has_a_reason(number: int) -> None:
    reason, words, _ = translate.refusal(USUAL, number)
    assert reason in REASONS
    assert words


def test_every_action_but_ok_and_every_outcome_and_verdict_is_translated() -> None:
    assert profile.OF_ACTION.keys() == set(Action) - {Action.OK}
    assert set(profile.OF_ACTION.values()) <= REASONS.keys()
    assert translate.STATES.keys() == set(Outcome)
    assert set(translate.STATES.values()) - {"delivered", "intermediate"} <= ERROR_CODES.keys()
    assert translate.ANSWERS.keys() == set(Verdict)


# --- in


def deliver(**fields: Any) -> PDU:
    """A deliver_sm as it comes off the wire."""
    usual = {"source_addr": "442079461234", "destination_addr": "15551234567"}
    tons = {"source_addr_ton": 1, "dest_addr_ton": 1}
    tlvs = fields.pop("tlvs", {})
    return decode(encode(PDU("deliver_sm", 1, fields={**usual, **tons, **fields}, tlvs=tlvs)))


def inbound(**fields: Any) -> Inbound:
    found = translate.arrival(USUAL, deliver(**fields), TICKET)
    assert isinstance(found, Inbound)
    assert found.ticket is TICKET
    return found


def receipt(**fields: Any) -> Receipt:
    found = translate.arrival(USUAL, deliver(esm_class=0x04, **fields), TICKET)
    assert isinstance(found, Receipt)
    assert found.ticket is TICKET
    return found


NUMBERS_IN = [  # TON, digits on the wire, the number
    (1, "442079461234", "+442079461234"),
    (1, "+442079461234", "+442079461234"),
    (1, "12345", "+12345"),
    (0, "442079461234", "+442079461234"),
    (0, "+442079461234", "+442079461234"),
    (0, "12345", "12345"),
    (0, "02079461234", "02079461234"),
    (2, "2079461234", "2079461234"),
    (3, "12345", "12345"),
    (5, "ACME", "ACME"),
    (5, "1234567890", "1234567890"),
    (1, "00442079461234", "00442079461234"),
    (0, "", ""),
    (0, "+", "+"),
    (1, "44 2079", "44 2079"),
]


@pytest.mark.parametrize(("ton", "digits", "number"), NUMBERS_IN)
def test_a_number_is_brought_to_e164_where_it_is_one(ton: int, digits: str, number: str) -> None:
    found = inbound(source_addr=digits, source_addr_ton=ton, destination_addr=digits, dest_addr_ton=ton)
    assert (found.source, found.destination) == (number, number)


@given(octets=st.binary(max_size=20), ton=st.integers(0, 6))
def test_an_address_of_any_octets_can_be_kept(octets: bytes, ton: int) -> None:
    pdu = PDU("deliver_sm", 1, fields={"source_addr": octets.decode("latin-1"), "source_addr_ton": ton})
    assert "\0" not in translate.number(USUAL, pdu, "source_addr")


TEXTS = [  # label, data_coding, octets, text, whether it was read whole
    ("GSM", 0, b"Gr\x7e\x1e", "Grüß", True),
    ("Latin-1", 3, b"caf\xe9", "café", True),
    ("UCS-2", 8, "Ж 😀".encode("utf-16-be"), "Ж 😀", True),
    ("UCS-2, cut in two", 8, b"\x04\x16\x04", "Ж\ufffd", False),
    ("binary", 4, b"abc", "abc", False),
    ("nothing", 0, b"", "", True),
]


@pytest.mark.parametrize(("data_coding", "octets", "words", "whole"), [r[1:] for r in TEXTS], ids=[r[0] for r in TEXTS])
def test_text_is_read_and_what_cannot_be_read_keeps_its_octets(
    data_coding: int, octets: bytes, words: str, whole: bool
) -> None:
    found = inbound(data_coding=data_coding, short_message=octets)
    assert (found.text, found.octets) == (words, None if whole else octets)
    assert found.concatenation is None


def test_text_in_a_payload() -> None:
    assert inbound(tlvs=pack_tlvs({"message_payload": b"long"})).text == "long"


def test_a_part_by_its_header() -> None:
    found = inbound(esm_class=0x40, short_message=concatenation_header(200, 3, 2) + b"two")
    assert (found.text, found.concatenation) == ("two", Concatenation(200, 3, 2, 8))


def sar(reference: int, total: int, sequence: int) -> dict[int, bytes]:
    names = {"sar_msg_ref_num": reference, "sar_total_segments": total, "sar_segment_seqnum": sequence}
    return pack_tlvs(names)


def test_a_part_by_its_tlvs() -> None:
    found = inbound(short_message=b"two", tlvs=sar(0x1234, 3, 2))
    assert (found.text, found.concatenation) == ("two", Concatenation(0x1234, 3, 2, 16))


def test_a_header_counts_before_the_tlvs() -> None:
    found = inbound(esm_class=0x40, short_message=concatenation_header(7, 2, 1) + b"one", tlvs=sar(9, 3, 3))
    assert found.concatenation == Concatenation(7, 2, 1, 8)


@pytest.mark.parametrize("tlvs", [sar(1, 0, 0), sar(1, 2, 3), sar(1, 2, 0), pack_tlvs({"sar_msg_ref_num": 1})])
def test_tlvs_that_make_no_sense_are_passed_over(tlvs: dict[int, bytes]) -> None:
    found = inbound(short_message=b"text", tlvs=tlvs)
    assert (found.text, found.concatenation) == ("text", None)


# --- receipts


def appendix_b(stat: str, message_id: str = "n1", err: str = "000") -> bytes:
    dates = "submit date:2601011200 done date:2601011201"
    return f"id:{message_id} sub:001 dlvrd:001 {dates} stat:{stat} err:{err} text:Hello".encode()


STATS = [
    ("DELIVRD", "delivered"),
    ("EXPIRED", "expired"),
    ("DELETED", "deleted"),
    ("UNDELIV", "undelivered"),
    ("REJECTD", "carrier_rejected"),
    ("UNKNOWN", "unknown"),
    ("ACCEPTD", "intermediate"),
    ("ENROUTE", "intermediate"),
    ("SKIPPED", "undelivered"),
    ("BLOCKED", "undelivered"),
]


@pytest.mark.parametrize(("stat", "state"), STATS)
def test_what_a_receipt_says(stat: str, state: str) -> None:
    found = receipt(short_message=appendix_b(stat, err="042"))
    assert replace(found, ticket=None) == Receipt("n1", state, f"{stat} 042", "+442079461234")


def test_a_receipt_in_tlvs() -> None:
    found = receipt(tlvs=pack_tlvs({"receipted_message_id": "n2", "message_state": 5}))
    assert (found.name, found.state) == ("n2", "undelivered")


def test_a_receipt_that_says_nothing_changes_nothing() -> None:
    assert receipt(short_message=b"?").state == "intermediate"


def test_the_name_of_a_receipt_can_be_kept() -> None:
    assert "\0" not in receipt(short_message=appendix_b("DELIVRD", "n\0")).name


@given(octets=st.binary(max_size=140), esm_class=st.integers(0, 255), data_coding=st.integers(0, 255))
def test_whatever_comes_is_a_receipt_or_a_message_that_can_be_kept(
    octets: bytes, esm_class: int, data_coding: int
) -> None:
    pdu = deliver(short_message=octets, esm_class=esm_class, data_coding=data_coding)
    found = translate.arrival(USUAL, pdu, TICKET)
    if isinstance(found, Inbound):
        found.text.encode()
        assert "\0" not in found.text
    else:
        assert found.state in translate.STATES.values()
        assert "\0" not in found.name + found.words
