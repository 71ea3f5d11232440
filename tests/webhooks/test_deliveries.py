"""What was told: found by any filter, with every attempt; and told again, octet for octet."""

import asyncio
from typing import Any

import pytest

from messagehub import clock, ids
from messagehub.accounts.customers import Customer
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.events import Event
from messagehub.store import Row
from messagehub.webhooks import deliveries
from messagehub.webhooks.deliveries import LAST, Wanted
from tests.support.sink import Endpoint
from tests.webhooks.desk import Desk, eventually


async def found(desk: Desk, customer: Customer, size: int = 100, **wanted: Any) -> list[str]:
    """The ids of all that is found, page by page."""
    rows: list[Row] = []
    before = LAST
    while before:
        some, before = await desk.deliveries.page(customer.id, Wanted(**wanted), before, size)
        assert len(some) <= size
        rows += some
    return [row.id for row in rows]


def newest_first(events: list[Event]) -> list[str]:
    return sorted((event.id for event in events), reverse=True)


# --- looking


async def test_each_filter_finds_its_own_and_no_more(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.answers = [200, 500, 410]
    customer, other = [await desk.customer(endpoint.url) for _ in range(2)]
    (good,) = await desk.happen(customer)
    await desk.until(good, "delivered")
    (bad,) = await desk.happen(customer, type="message_received")
    await desk.until_tried(bad)
    (gone,) = await desk.happen(customer, message_id=good.message_id)
    await desk.until(gone, "failed")
    (others,) = await desk.happen(other, message_id=good.message_id)

    async def settled() -> bool:
        return await found(desk, customer, status="failed") == newest_first([bad, gone])

    await eventually(settled)
    assert await found(desk, customer) == newest_first([good, bad, gone])
    assert await found(desk, customer, status="delivered") == [good.id]
    assert await found(desk, customer, status="pending") == []
    assert await found(desk, customer, type="message_received") == [bad.id]
    assert await found(desk, customer, type="message_received", status="delivered") == []
    assert await found(desk, customer, message_id=good.message_id) == newest_first([good, gone])
    assert await found(desk, customer, message_id=good.message_id, status="failed") == [gone.id]
    assert await found(desk, customer, message_id=others.message_id, type="message_received") == []
    assert await found(desk, customer, since=bad.tm_create) == newest_first([bad, gone])
    assert await found(desk, customer, until=bad.tm_create) == [good.id]
    assert await found(desk, customer, since=good.tm_create, until=good.tm_create + 1) == [good.id]
    assert await found(desk, customer, since=gone.tm_create + 1) == []
    assert await found(desk, other) == [others.id]


@pytest.mark.parametrize("wanted", [{}, {"type": "message_received"}, {"status": "pending"}, {"status": "failed"}])
async def test_pages_skip_and_repeat_nothing_however_little_is_looked_at(
    desk: Desk, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str]
) -> None:
    monkeypatch.setattr(deliveries, "SEEN_AT_ONCE", 7)
    await desk.dispatcher.close()  # nothing is to move while we look
    customer = await desk.customer(endpoint.url)
    events = []
    for kind in ["message_updated"] * 20 + ["message_received"] * 3 + ["message_updated"] * 20 + ["message_received"]:
        events += await desk.wait_in_store(customer, type=kind)
    expected = [event for event in events if wanted.get("type") in (None, event.type)]
    if wanted.get("status") == "failed":
        expected = []
    for size in (1, 2, 5, 100):
        assert await found(desk, customer, size, **wanted) == newest_first(expected)


async def test_an_event_lies_in_the_millisecond_of_its_id(desk: Desk, endpoint: Endpoint) -> None:
    """On which the filters by time rely."""
    customer = await desk.customer(endpoint.url)
    for event in await desk.happen(customer, 50):
        assert ids.first_of(event.tm_create) <= event.id < ids.first_of(event.tm_create + 1000)


async def test_of_others_nothing_is_found(desk: Desk, endpoint: Endpoint) -> None:
    customer, other = [await desk.customer(endpoint.url) for _ in range(2)]
    (event,) = await desk.happen(customer)
    for ask in (desk.deliveries.one(other.id, event.id), desk.deliveries.replay(other, event.id, clock.now())):
        with pytest.raises(Refusal, match="RESOURCE_NOT_FOUND"):
            await ask
    counted, _ = await desk.deliveries.replay_some(other, Wanted(message_id=event.message_id), "", clock.now())
    assert counted == 0


# --- every attempt


async def tries(desk: Desk, event: Event) -> list[tuple[int, int, str]]:
    _, made = await desk.deliveries.one(event.customer_id, event.id)
    moments = [each.tm_create for each in made]
    assert moments == sorted(moments)
    return [(each.attempt, each.response_status, each.error) for each in made]


async def test_a_first_success_is_an_attempt(desk: Desk, endpoint: Endpoint) -> None:
    (event,) = await desk.happen(await desk.customer(endpoint.url))
    row = await desk.until(event, "delivered")
    assert (row.attempts, row.response_status, row.error) == (1, 200, "")
    assert await tries(desk, event) == [(1, 200, "")]


async def test_every_attempt_is_shown_and_counted_on_over_replays(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.answers = [503, 301, 200, 204, 500]
    customer = await desk.customer(endpoint.url)
    (event,) = await desk.happen(customer)
    expected = [(1, 503, "status"), (2, 301, "status"), (3, 200, ""), (4, 204, ""), (5, 500, "status"), (6, 200, "")]
    for n, attempt in enumerate(expected, 1):
        row = await desk.until_tried(event, n)
        assert (row.response_status, row.error) == attempt[1:]
        assert await tries(desk, event) == expected[:n]
        if n < len(expected):
            await desk.deliveries.replay(customer, event.id, clock.now())
    assert len({hit.body for hit in endpoint.hits}) == len({hit.headers["webhook-id"] for hit in endpoint.hits}) == 1


async def test_what_was_never_sent_is_no_attempt(desk: Desk, endpoint: Endpoint) -> None:
    customer = await desk.customer(endpoint.url, webhook_disabled="it answered 410")
    (event,) = await desk.wait_in_store(customer)
    desk.dispatcher.wake()
    row = await desk.until(event, "failed")
    assert (row.attempts, row.error) == (0, "disabled")
    assert await tries(desk, event) == []
    assert endpoint.hits == []


# --- telling again


async def test_a_replay_begins_the_retries_anew(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.usual = 500
    customer = await desk.customer(endpoint.url)
    (event,) = await desk.happen(customer)
    for n in range(1, 4):
        row = await desk.until_tried(event, n)
        assert row.status == "pending"
        assert 4 * SECOND < row.due_at - row.tm_update < 6 * SECOND
        await desk.deliveries.replay(customer, event.id, clock.now())
    row = await desk.until_tried(event, 4)
    assert row.attempts == 4


async def test_what_is_under_way_is_not_replayed(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.usual = 0  # it does not answer
    customer = await desk.customer(endpoint.url)
    (event,) = await desk.happen(customer)
    await eventually(lambda: asyncio.sleep(0, endpoint.hits))
    with pytest.raises(Refusal, match="STATE_INVALID"):
        await desk.deliveries.replay(customer, event.id, clock.now())
    assert await desk.deliveries.replay_some(customer, Wanted(status="pending"), "", clock.now()) == (0, "")
    assert len(endpoint.hits) == 1


async def test_replays_at_the_same_moment_are_one(desk: Desk, endpoint: Endpoint) -> None:
    customer = await desk.customer(endpoint.url)
    (event,) = await desk.happen(customer)
    await desk.until(event, "delivered")
    endpoint.usual = 0
    asked = [desk.deliveries.replay(customer, event.id, clock.now()) for _ in range(5)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert len(refused) < len(answers)
    assert all(isinstance(answer, Refusal) for answer in refused)
    await eventually(lambda: asyncio.sleep(0, len(endpoint.hits) > 1))
    assert len(endpoint.hits) == 2


@pytest.mark.parametrize("state", [{"webhook_uri": ""}, {"webhook_disabled": "it answered 410"}])
async def test_nothing_is_replayed_to_nowhere(desk: Desk, endpoint: Endpoint, state: dict[str, str]) -> None:
    customer = await desk.customer(endpoint.url)
    (event,) = await desk.happen(customer)
    await desk.until(event, "delivered")
    customer = await desk.customers.change(customer.id, clock.now(), **state)
    for ask in (
        desk.deliveries.replay(customer, event.id, clock.now()),
        desk.deliveries.replay_some(customer, Wanted(), "", clock.now()),
    ):
        with pytest.raises(Refusal, match="STATE_INVALID"):
            await ask


async def replay_all(desk: Desk, customer: Customer, **wanted: Any) -> list[int]:
    counts: list[int] = []
    behind, now = "", clock.now()
    while behind or not counts:
        count, behind = await desk.deliveries.replay_some(customer, Wanted(until=now, **wanted), behind, now)
        counts.append(count)
    return counts


async def test_many_are_replayed_in_pieces_and_in_order(
    desk: Desk, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "REPLAYED_AT_ONCE", 10)
    endpoint.usual = 410
    customer = await desk.customer(endpoint.url)
    events = await desk.wait_in_store(customer, 35, message_id=ids.new())  # one lane, so that the order shows
    desk.dispatcher.wake()
    for event in events:
        await desk.until(event, "failed")
    await desk.customers.change(customer.id, clock.now(), webhook_disabled="")
    endpoint.usual = 200
    del endpoint.hits[:]
    assert await replay_all(desk, customer, status="failed") == [10, 10, 10, 5]
    for event in events:
        await desk.until(event, "delivered")
    assert [hit.headers["webhook-id"] for hit in endpoint.hits] == [event.id for event in events]


async def test_only_what_is_wanted_is_replayed(desk: Desk, endpoint: Endpoint) -> None:
    customer = await desk.customer(endpoint.url)
    first, second, third = [
        (await desk.happen(customer, type=kind))[0]
        for kind in ("message_updated", "message_received", "message_updated")
    ]
    for event in (first, second, third):
        await desk.until(event, "delivered")
    del endpoint.hits[:]
    assert await replay_all(desk, customer, status="failed") == [0]
    assert await replay_all(desk, customer, status="delivered", type="message_received") == [1]
    assert await replay_all(desk, customer, status="delivered", message_id=first.message_id) == [1]
    assert await replay_all(desk, customer, status="delivered", since=third.tm_create) == [1]
    await eventually(lambda: asyncio.sleep(0, len(endpoint.hits) == 3))
    assert {hit.headers["webhook-id"] for hit in endpoint.hits} == {first.id, second.id, third.id}
