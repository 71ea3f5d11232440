"""Marketing: only to those who have agreed, where that is wished, and not while they sleep."""

from collections.abc import Callable
from typing import Any

import pytest

from messagehub import clock, ids
from messagehub.clock import SECOND
from messagehub.messages import options
from messagehub.messages.gate import Stop
from messagehub.messages.marketing import Marketing
from messagehub.messages.options import Options
from messagehub.messages.status import Status
from messagehub.messages.target import Target
from messagehub.people.consents import Consent, Consents
from messagehub.people.contacts import Contacts
from messagehub.people.quiet import MINUTE
from messagehub.shapes import QuietHours
from tests.messages.house import ANNE, BERT, SOURCE, House
from tests.messages.queued import queue
from tests.messages.test_optouts import hears

MARKETING = options.write(Options(traffic_class="marketing"))
NIGHT, DAY = clock.parse("2026-11-21T23:30:00Z"), clock.parse("2026-11-21T12:00:00Z")
MORNING = clock.parse("2026-11-22T08:00:00Z")
ALWAYS = QuietHours(enabled=False)

Ask = Callable[..., Any]


@pytest.fixture
def ask(house: House) -> Ask:
    """What the check says of a target that is marketing."""

    async def answer(now: int, to: str = ANNE, said: str | None = MARKETING, source: str = SOURCE) -> Stop | None:
        target = Target(
            "m", 0, house.customer.id, to, "", Status.QUEUED, 1, "", 0, now, source, "", "Hi", "", 1, now, options=said
        )
        check = Marketing(house.customers, house.numbers)
        return (await check.stops(house.store, [target], now)).get(("m", 0))

    return answer


async def agree(house: House, person: str = ANNE, **more: Any) -> Consent:
    given = {"customer_id": house.customer.id, "address": person, "scope": "customer", "method": "paper"}
    now = clock.now()
    return await Consents(house.store).add(now, **{**given, "tm_given": DAY - 5, **more})


# --- quiet hours ------------------------------------------------------------------------


async def test_at_night_it_waits_for_the_morning_there(house: House, ask: Ask) -> None:
    assert await ask(DAY) is None
    assert await ask(NIGHT) == Stop("quiet_hours", "quiet hours in Europe/London", MORNING)
    assert await ask(NIGHT, to="+12125551234") is None
    assert (await ask(DAY, to="+15551234567")).words == "quiet hours in America/Adak and 41 more"


@pytest.mark.parametrize(
    "said", [None, options.write(Options(traffic_class="otp")), options.write(Options(tlvs={"a": 1}))]
)
async def test_what_is_no_marketing_has_no_hours(house: House, ask: Ask, said: str | None) -> None:
    await house.change(require_consent=True)
    assert await ask(NIGHT, said=said) is None


async def test_a_contact_says_where_somebody_is(house: House, ask: Ask) -> None:
    await Contacts(house.store).keep(house.customer.id, ANNE, "America/New_York", clock.now())
    await Contacts(house.store).keep(ids.new(), BERT, "America/New_York", clock.now())
    assert await ask(NIGHT) is None
    assert (await ask(NIGHT, to=BERT)).until == MORNING
    await Contacts(house.store).keep(house.customer.id, ANNE, "Asia/Tokyo", clock.now())
    assert (await ask(DAY)).until == clock.parse("2026-11-21T23:00:00Z")


async def test_hours_of_the_customers_own_and_none(house: House, ask: Ask) -> None:
    await house.change(quiet_hours=QuietHours(from_="11:00", to="13:30"))
    assert (await ask(DAY)).until == DAY + 90 * MINUTE
    assert await ask(NIGHT) is None
    await house.change(quiet_hours=ALWAYS)
    assert await ask(NIGHT) is None


async def test_where_no_hour_fits_it_never_goes(house: House, ask: Ask) -> None:
    await house.change(quiet_hours=QuietHours(from_="12:05", to="12:00"))
    assert await ask(DAY, to="+15551234567") == Stop("quiet_hours")


async def test_it_is_asked_when_it_is_claimed(house: House) -> None:
    """By the clock of now: five minutes in a year of minutes are quiet, those around it."""
    minute = clock.now() // MINUTE % 1440
    begin, end = (f"{(minute + by) % 1440 // 60:02}:{(minute + by) % 60:02}" for by in (-2, 2))
    await house.change(quiet_hours=QuietHours(from_=begin, to=end))
    await Contacts(house.store).keep(house.customer.id, ANNE, "UTC", clock.now())
    held, code = await queue(house, options=MARKETING), await queue(house)
    await house.until(code, "handed")
    row = await house.row(held)
    assert (row.status, row.error_code) == ("queued", "quiet_hours")
    assert clock.now() < row.due_at <= clock.now() + 130 * SECOND
    (target,) = (await house.seen(held[0])).targets
    assert (target.status, target.hold_reason) == ("queued", "quiet_hours")
    assert target.error_message == "quiet hours in UTC"


# --- consents ---------------------------------------------------------------------------


async def test_who_has_not_agreed_gets_no_marketing(house: House, ask: Ask) -> None:
    await house.change(require_consent=True, quiet_hours=ALWAYS)
    await agree(house, BERT)
    await agree(house, ANNE, customer_id=ids.new())
    assert await ask(DAY) == Stop("no_consent")
    assert await ask(DAY, to=BERT) is None
    await house.change(require_consent=False)
    assert await ask(DAY) is None


async def test_a_consent_that_is_withdrawn_counts_no_more(house: House, ask: Ask) -> None:
    await house.change(require_consent=True, quiet_hours=ALWAYS)
    consent = await agree(house)
    now = clock.now()
    assert await ask(now) is None
    await Consents(house.store).withdraw(consent.id, None, "me", "by letter", now)
    assert await ask(now) == Stop("no_consent")
    kept = await Consents(house.store).get(consent.id, house.customer.id)
    assert (kept.tm_withdraw, kept.withdrawn_by, kept.withdrawn_words) == (now, "me", "by letter")


async def test_a_consent_is_for_what_it_was_given_for(house: House, ask: Ask) -> None:
    await house.change(require_consent=True, quiet_hours=ALWAYS)
    await agree(house, scope=f"number:{SOURCE}")
    assert await ask(DAY) is None
    assert await ask(DAY, source="+15550009999") == Stop("no_consent")


async def test_an_opt_out_counts_more_than_a_consent_and_start_is_none(house: House) -> None:
    await house.change(require_consent=True, quiet_hours=ALWAYS)
    await agree(house)
    await hears(house, "STOP")
    key = await queue(house, options=MARKETING)
    assert (await house.until(key, "failed")).error_code == "opted_out"
    await hears(house, "STOP", BERT)
    await hears(house, "START", BERT)
    key = await queue(house, options=MARKETING, destination=BERT)
    assert (await house.until(key, "failed")).error_code == "no_consent"
