"""Messages that go later, one after the other, or not after a while."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import clock
from messagehub.carriers.carrier import Accepted, Receipt, Refused, TargetKey
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.messages import timing
from messagehub.messages.options import Options, read
from messagehub.shapes import Message
from messagehub.store import Store
from tests.messages.house import ANNE, BERT, CARL, SOURCE, House, eventually, eventually_so

HOUR, DAY = 3600 * SECOND, 24 * 3600 * SECOND


@pytest.fixture
async def quiet(store: Store) -> AsyncIterator[House]:
    """A house whose carrier takes nothing by itself."""
    opened = House(store)
    await opened.furnish()
    yield opened
    await opened.close()


def ahead(microseconds: int) -> str:
    return clock.iso(clock.now() + microseconds)


async def scheduled(house: House, lead: int = SECOND // 3) -> Message:
    """A message whose time is still to come when it is accepted, however slow that is just now."""
    sent = await house.send(schedule_at=ahead(lead))
    return sent if sent.targets[0].hold_reason else await scheduled(house, 2 * lead)


async def lose_source(house: House) -> None:
    """The number is its customer's no more."""
    number = await house.numbers.find(house.store, SOURCE)
    assert number
    await house.numbers.remove(number, clock.now())


async def refusal(house: House, **more: Any) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        await house.send(**more)
    return refused.value.reason, refused.value.message


async def expiry(house: House, key: TargetKey) -> int:
    """After which it may not go any more."""
    message = await house.reader.row(house.store, house.customer.id, key[0])
    return timing.expiry(read(message.options), key[1], message.target_count, message.tm_create)


async def swept(house: House, key: TargetKey, status: str) -> Any:
    """The target, once the sweeps have brought it there."""

    async def ask() -> Any:
        await house.sweeper.sweep()
        row = await house.row(key)
        return row if row.status == status else None

    return await eventually_so(ask, status)


# --- schedule_at


async def test_a_scheduled_message_waits_for_its_time_and_goes_then(house: House) -> None:
    sent = await scheduled(house)
    assert [(one.status, one.hold_reason, one.error_code) for one in sent.targets] == [("queued", "scheduled", "")]
    await house.until((sent.id, 0), "handed")
    assert clock.now() >= clock.parse(str(sent.schedule_at))
    (target,) = (await house.seen(sent.id)).targets
    assert target.error_code == ""


async def test_a_time_that_is_just_over_is_now(house: House) -> None:
    sent = await house.send(schedule_at=ahead(-30 * SECOND))
    await house.until((sent.id, 0), "handed")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("tomorrow", "schedule_at: 'tomorrow' is no time"),
        ("2026-01-31T10:30:00Z", "is over"),
        ("2126-01-31T10:30:00Z", "more than 365 days ahead"),
        ("9999-12-31T23:59:59-23:00", "schedule_at: "),
    ],
)
async def test_a_time_that_cannot_be_is_refused_by_name(quiet: House, at: str, words: str) -> None:
    reason, message = await refusal(quiet, schedule_at=at)
    assert reason == "INVALID_SCHEDULE"
    assert words in message


async def test_what_is_scheduled_can_be_canceled(house: House) -> None:
    sent = await house.send(ANNE, BERT, schedule_at=ahead(HOUR))
    canceled = await house.actor.cancel(house.customer.id, sent.id)
    assert [one.error_code for one in canceled.targets] == ["canceled", "canceled"]


async def test_what_is_scheduled_for_a_carrier_that_is_gone_goes_to_another(house: House) -> None:
    await house.fill()
    sent = await scheduled(house)
    other = await house.failover()
    (route,) = [one for one in await house.routes.page("g", 10) if one.carrier_id == house.carrier_id]
    await house.routes.remove(route.id, clock.now())
    house.peer.window = 100
    await eventually_so(lambda: _carrier(house, (sent.id, 0), other))
    assert not house.peer.handed


async def _carrier(house: House, key: TargetKey, carrier_id: str) -> bool:
    return bool((await house.row(key)).carrier_id == carrier_id)


async def test_what_is_scheduled_from_a_number_that_is_lost_meanwhile_does_not_go(house: House) -> None:
    await house.fill()
    sent = await scheduled(house)
    await lose_source(house)
    house.peer.window = 100
    row = await house.until((sent.id, 0), "failed")
    assert row.error_code == "invalid_source"
    assert not house.peer.handed


# --- another time


async def test_what_waits_is_given_another_time(house: House) -> None:
    sent = await house.send(schedule_at=ahead(HOUR))
    later = await house.actor.reschedule(house.customer.id, sent.id, ahead(2 * HOUR))
    assert later.schedule_at != sent.schedule_at
    assert later.targets[0].hold_reason == "scheduled"
    assert (await house.row((sent.id, 0))).due_at == clock.parse(str(later.schedule_at))
    now = await house.actor.reschedule(house.customer.id, sent.id, ahead(0))
    assert now.targets[0].status == "queued"
    await house.until((sent.id, 0), "handed")


async def test_what_is_to_go_now_after_all_does_not_go_from_a_number_that_is_lost_meanwhile(house: House) -> None:
    sent = await house.send(schedule_at=ahead(HOUR))
    await lose_source(house)
    await house.actor.reschedule(house.customer.id, sent.id, ahead(0))
    row = await house.until((sent.id, 0), "failed")
    assert row.error_code == "invalid_source"
    assert not house.peer.handed


async def test_only_those_move_that_still_wait(house: House) -> None:
    sent = await house.send(ANNE, BERT, CARL, spread_over=3600)
    await house.until((sent.id, 0), "handed")
    moved = await house.actor.reschedule(house.customer.id, sent.id, at := ahead(2 * HOUR))
    assert [one.hold_reason for one in moved.targets[1:]] == ["scheduled", "spread"]
    rows = [await house.row((sent.id, n)) for n in range(3)]
    assert rows[0].status == "handed"
    assert [row.due_at - clock.parse(at) for row in rows[1:]] == [0, 1200 * SECOND]


async def test_what_is_gone_is_given_no_other_time(house: House) -> None:
    key = await house.accepted(names=["a"])
    with pytest.raises(Refusal, match="STATE_INVALID"):
        await house.actor.reschedule(house.customer.id, key[0], ahead(HOUR))
    with pytest.raises(Refusal, match="INVALID_SCHEDULE"):
        await house.actor.reschedule(house.customer.id, key[0], ahead(-HOUR))


async def test_what_was_tried_before_keeps_its_time(house: House) -> None:
    (key,) = await house.handed()
    house.peer.tell(Refused(key, "unwell"))
    await house.until(key, "queued")
    with pytest.raises(Refusal, match="STATE_INVALID"):
        await house.actor.reschedule(house.customer.id, key[0], ahead(HOUR))


# --- spread


async def test_destinations_are_spread_evenly_and_the_first_goes_at_once(house: House) -> None:
    sent = await house.send(ANNE, BERT, CARL, spread_over=3600)
    assert [one.hold_reason for one in sent.targets[1:]] == ["spread", "spread"]
    await house.until((sent.id, 0), "handed")
    rows = [await house.row((sent.id, n)) for n in range(3)]
    assert rows[2].due_at - rows[1].due_at == 1200 * SECOND
    canceled = await house.actor.cancel(house.customer.id, sent.id)
    assert [one.error_code for one in canceled.targets] == ["", "canceled", "canceled"]


async def test_they_are_spread_from_their_time_on(quiet: House) -> None:
    at = ahead(HOUR)
    sent = await quiet.send(ANNE, BERT, spread_over=60, schedule_at=at)
    assert [one.hold_reason for one in sent.targets] == ["scheduled", "spread"]
    rows = [await quiet.row((sent.id, n)) for n in range(2)]
    assert [row.due_at - clock.parse(at) for row in rows] == [0, 30 * SECOND]


@given(
    count=st.integers(1, 1000),
    spread=st.integers(0, 2_592_000),
    at=st.integers(0, 2 * DAY),
    first=st.integers(0, 999),
    validity=st.integers(1, 2_592_000),
)
def test_nobody_goes_before_the_first_or_after_the_span(
    count: int, spread: int, at: int, first: int, validity: int
) -> None:
    asked = Options(schedule_at=at, spread_over=spread, first=min(first, count - 1), validity=validity)
    starts = [timing.start(asked, n, count, DAY) for n in range(count)]
    assert starts == sorted(starts)
    assert starts[0] == starts[asked.first] == (at or DAY)
    assert starts[-1] <= (at or DAY) + spread * SECOND
    looked, now = 0, timing.expiry(asked, 0, count, DAY)
    while (following := timing.next_expiry(asked, count, DAY, now)) and looked < 5:
        assert now < following <= timing.expiry(asked, count - 1, count, DAY)
        looked, now = looked + 1, following


@given(
    count=st.integers(1, 40),
    moves=st.lists(st.tuples(st.sets(st.integers(0, 39), min_size=1), st.integers(1, 5).map(lambda n: n * DAY))),
)
def test_who_has_left_keeps_the_time_he_had(count: int, moves: list[tuple[set[int], int]]) -> None:
    """However often the others are given another. Who has left once does not wait again."""
    asked, waiting = Options(spread_over=count), set(range(count))
    starts = [DAY + n * SECOND for n in range(count)]
    for still, at in moves:
        waiting &= still
        if waiting:
            asked = timing.move(asked, count, waiting, at)
            for n in waiting:
                starts[n] = at + (n - min(waiting)) * SECOND
        assert [timing.start(asked, n, count, DAY) for n in range(count)] == starts
    assert len(asked.before) <= count - len(waiting)


@given(
    moves=st.lists(st.tuples(st.sets(st.integers(0, 9), min_size=1), st.integers(1, 5).map(lambda n: n * DAY))),
    spread=st.integers(0, 600),
)
def test_media_are_wanted_until_the_last_has_gone(moves: list[tuple[set[int], int]], spread: int) -> None:
    """Which need not be the last in their order, where that has left and others were given another time."""
    asked, waiting = Options(spread_over=spread), set(range(10))
    for still, at in moves:
        waiting &= still
        if waiting:
            asked = timing.move(asked, 10, waiting, at)
    last = max(timing.start(asked, n, 10, DAY) for n in range(10))
    assert timing.wanted_until(asked, 10, DAY) == last + timing.SENT_BY


# --- validity


async def test_another_time_for_the_others_gives_no_longer_life_to_what_was_tried(house: House) -> None:
    sent = await house.send(ANNE, BERT, spread_over=3600, validity=60)
    key = (sent.id, 0)
    await house.until(key, "handed")
    house.peer.tell(Refused(key, "unwell"))
    await house.until(key, "queued")
    before = await expiry(house, key)
    await house.actor.reschedule(house.customer.id, sent.id, ahead(DAY))
    assert await expiry(house, key) == before
    assert await expiry(house, (sent.id, 1)) > clock.now() + DAY


async def test_another_time_that_is_just_over_is_now(quiet: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the message is older, so that its validity counts from now on."""
    sent, now = await quiet.send(ANNE, schedule_at=ahead(HOUR), validity=30), clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + 100 * SECOND)
    await quiet.actor.reschedule(quiet.customer.id, sent.id, ahead(-45 * SECOND))
    assert await expiry(quiet, (sent.id, 0)) > clock.now() + 20 * SECOND


async def test_validity_counts_from_now_where_the_clock_was_set_back(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids go on growing, and the moment of a message with them."""
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() - 2 * HOUR)
    sent = await quiet.send(ANNE, BERT, validity=60, spread_over=60)
    for n, begin in enumerate((0, 30 * SECOND)):
        left = await expiry(quiet, (sent.id, n)) - clock.now()
        assert begin < left <= begin + 60 * SECOND


async def test_what_no_carrier_claims_expires_by_itself(quiet: House) -> None:
    sent = await quiet.send(ANNE, validity=1)
    good = await quiet.send(BERT, validity=3600)
    row = await swept(quiet, (sent.id, 0), "failed")
    assert (row.error_code, row.error_message) == ("expired", timing.TOO_LATE)
    assert await quiet.steps(sent.id) == [(1, ["failed"])]
    assert await quiet.statuses(good.id) == ["queued"]
    assert not await quiet.store.all("expiries_due", now=clock.now(), count=9)


async def test_what_is_late_is_not_claimed(quiet: House) -> None:
    sent = await quiet.send(ANNE, validity=1)
    await eventually(lambda: clock.now() > clock.parse(sent.tm_create) + SECOND)
    await quiet.open()
    row = await quiet.until((sent.id, 0), "failed")
    assert row.error_code == "expired"
    assert not quiet.peer.handed


async def test_of_those_that_are_spread_each_has_its_own_time(quiet: House) -> None:
    sent = await quiet.send(ANNE, BERT, spread_over=7200, validity=1)
    await swept(quiet, (sent.id, 0), "failed")
    assert await quiet.statuses(sent.id) == ["failed", "queued"]
    later = clock.now() + DAY
    assert [row.message_id for row in await quiet.store.all("expiries_due", now=later, count=9)] == [sent.id]


async def test_the_carrier_is_told_how_long_it_is_good(house: House) -> None:
    (key,) = await house.handed(validity=60)
    left = house.peer.handover(key).expire_at - clock.now()
    assert 50 * SECOND < left <= 60 * SECOND
    (other,) = await house.handed()
    assert house.peer.handover(other).expire_at == clock.NEVER


async def test_it_is_not_tried_again_when_it_would_be_late(house: House) -> None:
    (key,) = await house.handed(validity=1)
    house.peer.tell(Refused(key, "unwell"))
    row = await house.until(key, "failed")
    assert row.error_code in ("carrier_unavailable", "expired")  # by how long after the refusal it would be tried again
    assert len(house.peer.handed) == 1


async def test_nor_after_a_receipt(house: House) -> None:
    await house.configure(retry_temporary=[30])
    key = await house.accepted(names=["a"], validity=5)
    await house.receipt("a", "unreachable")
    assert (await house.until(key, "failed")).error_code == "unreachable"


async def test_what_waited_for_its_hour_is_sent_again_after_a_receipt_as_any_other(house: House) -> None:
    await house.configure(retry_temporary=[30], validity_period=60)
    sent = await scheduled(house)
    key = (sent.id, 0)
    await house.until(key, "handed")
    house.peer.tell(Accepted(key, ["a"]))
    await house.until(key, "sent")
    await house.receipt("a", "unreachable")
    assert (await house.until(key, "queued")).retries == 1


async def test_a_receipt_that_comes_late_corrects_what_expired_with_the_carrier(house: House) -> None:
    key = await house.accepted(names=["a"], validity=60)
    await house.receipt("a", "expired")
    await house.until(key, "failed")
    house.peer.tell(Receipt("a", "delivered", "", ANNE, "late"))
    await house.until(key, "delivered")


# --- class


async def test_class_says_which_traffic_it_is_or_how_the_handset_shows_it(quiet: House) -> None:
    code = await quiet.send(class_="otp", message_class=0)
    flash = await quiet.send(class_=0)
    usual = await quiet.send(message_class=1)
    assert [(one.class_, one.message_class) for one in (code, flash, usual)] == [
        ("otp", 0),
        (0, flash.message_class),
        (usual.class_, 1),
    ]
    assert not flash.message_class
    assert not usual.class_
    assert await refusal(quiet, class_=0, message_class=1) == (
        "INVALID_ARGUMENT",
        "class: a number says the same as message_class; give one of them",
    )
