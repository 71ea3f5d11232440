"""Limits in segments: nothing goes beyond them, what waits goes in its turn, and nobody else waits for it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from messagehub import clock, ids
from messagehub.carriers.carrier import Accepted
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.messages.limits import ACCEPTING, OPERATOR, SENDING, Limit
from messagehub.messages.meters import midnight_after
from messagehub.shapes import MessageGiven, QuietHours
from messagehub.store import Store, open_store
from tests.messages.house import ANNE, BERT, CARL, SOURCE, House, eventually, eventually_so
from tests.messages.peer import Peer

OTHER = "+15550000001"
"""Another number of the customer's."""


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    opened = House(store)
    await opened.furnish()
    number = {"customer_id": opened.customer.id, "number": OTHER, "name": "", "detail": ""}
    await opened.numbers.add(clock.now(), **number, message_flow_id=ids.UNSET)
    opened.peer = Peer(window=10)
    await opened.open()
    yield opened
    await opened.close()


async def limit(house: House, scope: str = "number", **given: Any) -> Limit:
    subjects = {"number": SOURCE, "customer": house.customer.id, "carrier": house.carrier_id, "prefix": "44"}
    usual = {
        "subject": subjects[scope],
        "customer_id": "" if scope in ("carrier", "prefix") else house.customer.id,
        "applies": SENDING,
        "set_by": OPERATOR,
        "rate": 0,
        "per_day": 0,
        "zone": "UTC",
    }
    return await house.limits.add(clock.now(), scope=scope, **{**usual, **given})


def numbers(count: int, first: int = 442_079_000_000) -> list[str]:
    return [f"+{first + n}" for n in range(count)]


def sent(house: House, source: str = SOURCE) -> list[str]:
    return [handover.destination for handover in house.peer.handed if handover.source == source]


async def answered(house: House) -> None:
    """The peer accepts whatever it gets, until the test ends."""
    at = 0
    while True:
        for handover in house.peer.handed[at:]:
            house.peer.tell(Accepted(handover.key, [f"{handover.key}"]))
            at += 1
        await asyncio.sleep(0.001)


@pytest.fixture
async def answering(house: House) -> AsyncIterator[None]:
    task = asyncio.create_task(answered(house))
    yield
    task.cancel()


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize("scope", ["number", "customer", "carrier", "prefix"])
async def test_a_limit_of_each_scope_spreads_what_it_is_for(house: House, scope: str) -> None:
    await limit(house, scope, rate=20_000)
    begun = asyncio.get_running_loop().time()
    for to in numbers(12):
        message = await house.send(to)
        assert message.targets[0].status == "queued"
    await eventually(lambda: len(sent(house)) == 12)
    took = asyncio.get_running_loop().time() - begun
    assert 11 / 20 - 0.11 <= took < 30
    assert sorted(sent(house)) == numbers(12)


async def test_who_waits_says_why_and_for_how_long_does_not_move_again(house: House) -> None:
    used = await limit(house, rate=500)
    message = await house.send(ANNE, BERT, CARL)
    await eventually(lambda: sent(house) == [ANNE])

    async def held() -> bool:
        return (await house.limits.use(used, clock.now())).waiting == 2

    await eventually_so(held)
    row = await house.row((message.id, 1))
    assert (row.status, row.error_code) == ("queued", "rate_limited")
    assert row.error_message == f"{SOURCE} may send 0.5 segments a second"
    shown = (await house.seen(message.id)).targets[1]
    assert (shown.hold_reason, shown.error_code) == ("rate_limited", "")
    after = await house.row((message.id, 2))
    assert after.due_at is not None
    assert after.due_at - row.due_at == 2 * SECOND
    assert (await house.limits.use(used, clock.now())).used == 1


async def test_what_is_not_limited_does_not_wait_for_what_is(house: House) -> None:
    """On the same carrier, with a window of ten, behind thousands that may go once a second."""
    await limit(house, rate=1000)
    for n in range(3):
        await house.send(*numbers(1000, 442_079_100_000 + 1000 * n))
    begun = asyncio.get_running_loop().time()
    message = await house.acceptor.accept(house.customer.id, _given(OTHER, [ANNE]))
    await house.until((message.id, 0), "handed")
    assert asyncio.get_running_loop().time() - begun < 30
    assert len(sent(house)) <= 40


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize("scope", ["number", "customer", "carrier", "prefix"])
async def test_a_code_does_not_wait_for_a_campaign_that_waits_for_a_limit(house: House, scope: str) -> None:
    used = await limit(house, scope, rate=2000)
    await house.customers.change(house.customer.id, clock.now(), quiet_hours=QuietHours(enabled=False))
    await house.send(*numbers(600), class_="marketing")

    async def waits() -> bool:
        return (await house.limits.use(used, clock.now())).waiting >= 590

    await eventually_so(waits)
    begun = asyncio.get_running_loop().time()
    code = await house.send(*numbers(1, 442_079_900_000), class_="otp")
    await house.until((code.id, 0), "sent")
    assert asyncio.get_running_loop().time() - begun < 30  # half a second, where the machine has nothing else to do
    assert len(sent(house)) < 100


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize("scope", ["customer", "carrier", "prefix"])
async def test_what_a_slow_limit_holds_fills_no_other_limit_that_is_busy(house: House, scope: str) -> None:
    """Of a campaign one goes in a second, and of all together twenty: the next one of another number has room."""
    await limit(house, scope, rate=20_000)
    slow = await limit(house, "number", rate=1000)
    await house.acceptor.accept(house.customer.id, _given(OTHER, numbers(100)))
    await house.send(*numbers(900, 442_079_100_000))

    async def held() -> bool:
        return (await house.limits.use(slow, clock.now())).waiting >= 890

    await eventually_so(held)
    message = await house.acceptor.accept(house.customer.id, _given(OTHER, numbers(1, 442_079_900_000)))
    await house.until((message.id, 0), "sent")
    assert (await house.limits.use(slow, clock.now())).waiting > 880


async def test_what_waits_for_tomorrow_fills_no_limit_of_today(house: House) -> None:
    narrow, wide = await limit(house, per_day=1), await limit(house, "carrier", rate=500)
    await house.send(*numbers(60))
    await eventually_so(lambda: _waits(house, narrow, 59))
    message = await house.acceptor.accept(house.customer.id, _given(OTHER, [ANNE]))
    await house.until((message.id, 0), "handed")
    assert (await house.limits.use(wide, clock.now())).used == 2


@pytest.mark.usefixtures("answering")
async def test_a_day_is_counted_in_segments_and_survives_the_process(house: House, database_url: str) -> None:
    used = await limit(house, per_day=4)
    await house.send(ANNE, text="x" * 300)  # of two segments
    await eventually(lambda: sent(house) == [ANNE])
    later = await open_store(database_url) if "postgres" in database_url else house.store
    used_then = (await House(later).limits.use(used, clock.now())).used
    if later is not house.store:
        await later.close()
    assert used_then == 2
    message = await house.send(BERT, CARL, ANNE)
    await eventually(lambda: len(sent(house)) == 3)

    async def held() -> list[Any]:
        rows = await house.store.all("targets_of_message", message_id=message.id, first=0, end=3)
        return [row for row in rows if row.error_code]

    (row,) = await eventually_so(held)
    assert (row.status, row.error_code) == ("queued", "daily_limit")
    assert row.due_at >= midnight_after(clock.now(), "UTC")
    assert (await house.limits.use(used, clock.now())).used == 4


@pytest.mark.usefixtures("answering")
async def test_what_waits_goes_at_once_when_the_limit_is_gone_or_wider(house: House) -> None:
    narrow = await limit(house, per_day=1)
    for to in numbers(8):
        await house.send(to)
    await eventually(lambda: len(sent(house)) == 1)

    async def held() -> bool:
        return (await house.limits.use(narrow, clock.now())).waiting == 7

    await eventually_so(held)
    wider = await house.limits.change(narrow, clock.now(), per_day=3)
    await house.metering.bring_forward(wider)
    await eventually(lambda: len(sent(house)) == 3)
    await eventually_so(lambda: _waits(house, wider, 5))
    await house.limits.remove(wider)
    await house.metering.bring_forward(wider)
    await eventually(lambda: len(sent(house)) == 8)
    assert sent(house) == numbers(8)


async def _delete(house: House, message_id: str) -> None:
    await house.actor.delete(house.customer.id, message_id)


async def _cancel(house: House, message_id: str) -> None:
    await house.actor.cancel(house.customer.id, message_id)


async def _put_off(house: House, message_id: str) -> None:
    await house.actor.reschedule(house.customer.id, message_id, clock.plain(clock.now() + 3600 * SECOND))


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize("goes", [_cancel, _delete, _put_off])
async def test_slots_of_those_who_are_gone_are_given_to_those_behind_them(house: House, goes: Any) -> None:
    """Also while codes go all the time, which have slots of their own."""
    narrow = await limit(house, rate=1000)
    campaign = await house.send(*numbers(600))
    await eventually_so(lambda: _waits(house, narrow, 599))
    await goes(house, campaign.id)
    message = await house.send(ANNE)
    await eventually_so(lambda: _waits(house, narrow, 1))
    code = await house.send(BERT, class_="otp")
    await house.until((code.id, 0), "sent")
    assert (await house.row((message.id, 0))).due_at > clock.now() + 500 * SECOND
    await house.metering.move_up(clock.now())
    await house.until((message.id, 0), "sent")


async def test_who_waits_for_a_slot_that_comes_is_not_moved(house: House) -> None:
    """Whichever of its limits it waits for."""
    slow = await limit(house, rate=1000)
    await limit(house, "carrier", rate=2000)
    await limit(house, "customer", rate=500)
    campaign = await house.send(*numbers(600))
    await eventually_so(lambda: _waits(house, slow, 599))
    before = await _due(house, campaign.id)
    await house.metering.move_up(clock.now())
    after = await _due(house, campaign.id)
    assert after[20:] == before[20:]


async def _due(house: House, message_id: str) -> list[int]:
    rows = await house.store.all("targets_of_message", message_id=message_id, first=0, end=1000)
    return [row.due_at for row in rows]


async def test_two_limits_hold_both(house: House) -> None:
    await limit(house, "customer", rate=0, per_day=2)
    await limit(house, "number", rate=50_000)
    for source in (SOURCE, OTHER):
        await house.acceptor.accept(house.customer.id, _given(source, numbers(3)))
    await eventually(lambda: len(house.peer.handed) == 2)
    await asyncio.sleep(0.2)
    assert len(house.peer.handed) == 2


async def test_the_limit_of_another_customers_number_is_none_of_ours(house: House) -> None:
    await limit(house, customer_id=ids.new(), per_day=1)
    await house.send(*numbers(5))
    await eventually(lambda: len(sent(house)) == 5)


# --- accepting --------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["customer", "number"])
async def test_what_is_accepted_in_a_day_is_bounded_and_refusals_are_not_counted(house: House, scope: str) -> None:
    used = await limit(house, scope, applies=ACCEPTING, per_day=4, zone="Asia/Seoul")
    await house.send(ANNE, BERT)
    with pytest.raises(Refusal) as refused:
        await house.send(ANNE, text="x" * 400)
    assert refused.value.reason == "RATE_LIMIT_EXCEEDED"
    left = midnight_after(clock.now(), "Asia/Seoul") - clock.now()
    assert abs(refused.value.retry_after - left / SECOND) <= 2
    assert (await house.limits.use(used, clock.now())).used == 2
    await house.send(ANNE, text="x" * 300)
    with pytest.raises(Refusal, match="may be given 4 segments a day"):
        await house.send(ANNE)
    assert len(await house.told()) == 0
    assert len(await house.store.all("messages_page", **_all(house))) == 2


async def test_what_is_accepted_in_a_second_is_bounded_and_retry_after_is_exact(house: House) -> None:
    await limit(house, "customer", applies=ACCEPTING, rate=2000)
    await house.send(*numbers(10))  # more than a second's at once leaves a debt
    with pytest.raises(Refusal) as refused:
        await house.send(ANNE)
    assert refused.value.retry_after == 4
    assert refused.value.details[0]["limited_by"] == "customer"


async def test_accepting_holds_when_many_ask_at_once(house: House) -> None:
    await limit(house, "customer", applies=ACCEPTING, per_day=7)
    answers = await asyncio.gather(*(house.send(ANNE) for _ in range(30)), return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 7


def _all(house: House) -> dict[str, Any]:
    return {"customer_id": house.customer.id, "direction": "outbound", "before": "~", "after": "", "count": 100}


def _given(source: str, destinations: list[str]) -> MessageGiven:
    return MessageGiven(source=source, destinations=list(destinations), text="Hello")


async def _waits(house: House, narrow: Limit, count: int) -> bool:
    return (await house.limits.use(narrow, clock.now())).waiting == count
