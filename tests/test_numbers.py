"""Numbers of ours: which can be owned, and by whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import clock, ids, numbers
from messagehub.errors import Refusal
from messagehub.numbers import Numbers
from messagehub.store import Store

E164 = ["+15551234567", "+10", "+821021656521", "+123456789012345", "+999999999999999"]
NO_E164 = [
    "", "+", "+1", "+05551234567", "15551234567", "+1 555 1234567", "+1234567890123456", "+1555123456x", "+１５５５",
    "+15551234567\n", "++15551234567", "tel:+15551234567",
]  # fmt: skip


@pytest.mark.parametrize("number", E164)
def test_e164(number: str) -> None:
    assert numbers.is_e164(number)
    assert numbers.can_be_owned(number)


@pytest.mark.parametrize("number", NO_E164)
def test_not_e164(number: str) -> None:
    assert not numbers.is_e164(number)


NAMES = ["ACME", "a", "Acme 24", "Grüße", "ACME[5]", "A-B.C_D", "0800ACME", "1234567890X"]
NO_NAMES = [
    "", "12345678901", "...", "Acme Limited", "ACME✓", "Акме", " ACME", "ACME ", "AC\nME", "AC\0ME",
    "\x1bACME", "\ud800", "Ω Bank", "€uro", "ACME[12345]",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_that_can_be_a_sender(name: str) -> None:
    assert numbers.is_alphanumeric(name)
    assert numbers.can_be_owned(name)


@pytest.mark.parametrize("name", NO_NAMES)
def test_names_that_cannot(name: str) -> None:
    assert not numbers.is_alphanumeric(name)


@pytest.mark.parametrize("code", ["123", "12345678", "00800"])
def test_short_codes(code: str) -> None:
    assert numbers.can_be_owned(code)


@pytest.mark.parametrize("code", ["12", "123456789", "12 34", "١٢٣"])
def test_what_is_no_short_code(code: str) -> None:
    assert not numbers.can_be_owned(code)


@given(text=st.text(max_size=20))
def test_any_text_is_judged_without_an_error(text: str) -> None:
    assert numbers.can_be_owned(text) in (True, False)


@given(country=st.integers(1, 9), rest=st.text("0123456789", min_size=1, max_size=14))
def test_every_number_of_up_to_fifteen_digits_is_e164(country: int, rest: str) -> None:
    assert numbers.is_e164(f"+{country}{rest}")


# --- in the store


def given_to(customer_id: str, number: str) -> dict[str, str]:
    return {"customer_id": customer_id, "number": number, "name": "", "detail": "", "message_flow_id": ids.UNSET}


async def test_a_number_has_one_owner_until_it_is_given_back(store: Store) -> None:
    owned = Numbers(store)
    assert await owned.find(store, "+15551234567") is None
    first = await owned.add(clock.now(), **given_to("a", "+15551234567"))
    assert await owned.find(store, "+15551234567") == first
    with pytest.raises(Refusal, match=r"^ALREADY_EXISTS: number: \+15551234567 has an owner"):
        await owned.add(clock.now(), **given_to("b", "+15551234567"))
    await owned.remove(first, clock.now())
    assert await owned.find(store, "+15551234567") is None
    second = await owned.add(clock.now(), **given_to("b", "+15551234567"))
    assert await owned.find(store, "+15551234567") == second
    await owned.change(second.id, "b", clock.now(), name="main line")
    found = await owned.find(store, "+15551234567")
    assert found
    assert (found.name, found.message_flow_id, found.customer_id) == ("main line", ids.UNSET, "b")
    with pytest.raises(Refusal, match=r"INVALID_NUMBER: number: '\+0' is neither E.164"):
        await owned.add(clock.now(), **given_to("a", "+0"))
