"""Ids of responses and receipts that are of one message, whatever the carrier made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.smpp.receipt_ids import (
    RULES,
    WIDTHS,
    Form,
    decimal_to_hex,
    hex_to_decimal,
    is_enough,
    learn,
    without_zeros,
)

UUID = "01930e2b-9c5a-7d40-8a11-0242ac120002"

PAIRS = [  # what the carrier does, ids of response and receipt, the rule that is learnt
    ("nothing", [("a1", "a1"), ("b2", "b2")], "as_is"),
    ("nothing to uuids", [(UUID, UUID)], "as_is"),
    ("nothing to its own form", [("SAR-5551-2-1", "SAR-5551-2-1")], "as_is"),
    ("nothing to decimals", [("1526758174", "1526758174")], "as_is"),
    ("raises the case", [("a1", "A1"), ("77", "77")], "any_case"),
    ("raises the case of uuids", [(UUID, UUID.upper())], "any_case"),
    ("pads the response", [("0000029095", "29095"), ("0000000010", "10")], "without_zeros"),
    ("pads the receipt", [("12345678", "0000000012345678")], "without_zeros"),
    ("pads and raises the case", [("00ab12cd", "AB12CD"), ("0000001f", "1F")], "without_zeros"),
    ("hex, decimal", [("33E95179", "870928761"), ("1f", "31")], "hex_to_dec"),
    ("hex with zeros, decimal with zeros", [("0000001F", "0000000031")], "hex_to_dec"),
    ("0x, decimal", [("0x1F", "31")], "hex_to_dec"),
    ("decimal, hex", [("870928761", "33e95179"), ("31", "1F")], "dec_to_hex"),
    ("one id is read in several ways, others are not", [("5", "5"), ("16", "10")], "dec_to_hex"),
    ("one of each case is the same", [("12", "12"), ("0a", "0A"), ("ff", "FF")], "any_case"),
    # what cannot be told
    ("no pair", [], ""),
    ("may be anything", [("5", "5")], ""),
    ("a padded digit may be hex", [("00000005", "5")], ""),
    ("two of one key", [("0A", "a"), ("a", "0A")], ""),
    ("something else", [("a1", "b2")], ""),
    ("one that contradicts", [("1f", "31"), ("20", "20")], ""),
]


@pytest.mark.parametrize(("pairs", "name"), [case[1:] for case in PAIRS], ids=[case[0] for case in PAIRS])
def test_the_rule_is_learnt_where_it_is_unambiguous(pairs: list[tuple[str, str]], name: str) -> None:
    rule = learn(pairs)
    assert (rule.name if rule else "") == name


IDS = st.text(st.characters(max_codepoint=255), max_size=64)


@given(IDS)
def test_no_form_raises_and_as_is_is_as_is(message_id: str) -> None:
    for rule in RULES.values():
        rule.response(message_id)
        rule.receipt(message_id)
    assert RULES["as_is"].receipt(message_id) == message_id


@given(st.integers(0, 2**64), st.integers(0, 8))
def test_a_number_is_found_in_either_base(number: int, zeros: int) -> None:
    decimal, hexadecimal = "0" * zeros + str(number), f"{'0' * zeros}{number:X}"
    assert RULES["hex_to_dec"].match(hexadecimal, decimal)
    assert RULES["dec_to_hex"].match(decimal, hexadecimal)


NOT_NUMBERS = [
    UUID,
    UUID.replace("-", ""),
    "SAR-5551-2-1",
    "",
    " 12",
    "1_0",
    "٣",
    "-5",
    "+5",
    "1.5",
    "f" * 65,
    "9" * 5000,
]


@pytest.mark.parametrize("message_id", NOT_NUMBERS)
@pytest.mark.parametrize("name", ["hex_to_dec", "dec_to_hex"])
def test_what_is_no_number_stays_as_it_is(name: str, message_id: str) -> None:
    rule = RULES[name]
    assert {rule.response(message_id), rule.receipt(message_id)} == {message_id}
    assert not rule.match(message_id, message_id + "x")


@given(st.lists(st.tuples(IDS, IDS), max_size=6))
def test_what_was_learnt_tells_all_messages_apart(pairs: list[tuple[str, str]]) -> None:
    if rule := learn(pairs):
        for _, receipt in pairs:
            found = {response for response, _ in pairs if rule.match(response, receipt)}
            assert len(found) == 1


@given(st.integers(0, 2**63), st.sampled_from((0, *WIDTHS)), st.sampled_from((0, *WIDTHS)), st.sampled_from("xX"))
def test_what_a_rule_finds_equal_it_also_spells_out(number: int, wide: int, wider: int, base: str) -> None:
    decimal, hexadecimal = str(number).zfill(wide), f"{number:{base}}".zfill(wider)
    cases = [
        ("as_is", decimal, decimal),
        ("any_case", hexadecimal, hexadecimal.swapcase()),
        ("without_zeros", hexadecimal, f"{number:x}".zfill(wide)),
        ("hex_to_dec", hexadecimal, decimal),
        ("dec_to_hex", decimal, hexadecimal),
    ]
    for name, response, receipt in cases:
        assert response in RULES[name].responses(receipt), name
        assert receipt in RULES[name].receipts(response), name


@given(IDS)
def test_what_a_rule_spells_out_it_finds_equal(message_id: str) -> None:
    for rule in RULES.values():
        assert all(rule.match(response, message_id) for response in rule.responses(message_id))
        assert all(rule.match(message_id, receipt) for receipt in rule.receipts(message_id))
        assert len(rule.responses(message_id)) <= 20


@pytest.mark.parametrize("message_id", [UUID, UUID.replace("-", ""), "SAR-5551-2-1"])
def test_of_what_is_no_number_at_most_the_case_is_changed(message_id: str) -> None:
    spelled = {each for rule in RULES.values() for each in rule.responses(message_id) + rule.receipts(message_id)}
    assert spelled == {message_id, message_id.lower(), message_id.upper()}


ENOUGH = [
    ([("1f", "31")], False),
    ([("1f", "31"), ("1f", "31")], False),
    ([("1f", "31"), ("20", "32")], True),
    ([("33E95179", "870928761")], True),
]


@pytest.mark.parametrize(("pairs", "enough"), ENOUGH)
def test_what_may_be_chance_is_not_enough(pairs: list[tuple[str, str]], enough: bool) -> None:
    assert is_enough(pairs) == enough


FORMS = [
    (hex_to_decimal, "1F", "31"),
    (hex_to_decimal, "0x0000001f", "31"),
    (decimal_to_hex, "0000000031", "1f"),
    (decimal_to_hex, "1F", "1F"),
    (without_zeros, "000aB", "ab"),
    (without_zeros, "000", "0"),
    (without_zeros, "", ""),
]


@pytest.mark.parametrize(("form", "message_id", "expected"), FORMS)
def test_a_form(form: Form, message_id: str, expected: str) -> None:
    assert form(message_id) == expected
