"""What became of attempts is written down, whatever becomes of the node or of one of them."""

import asyncio

from messagehub import clock
from messagehub.webhooks.conclude import Conclusions, Failure, Result
from messagehub.webhooks.endpoint import Pending
from tests.support.outage import Outage
from tests.support.sink import Endpoint
from tests.webhooks.desk import Desk, happens


async def test_what_ended_is_told_by_nobody_else_where_the_node_ends_while_it_is_written(
    desk: Desk, endpoint: Endpoint, outage: Outage
) -> None:
    customer = await desk.customer(endpoint.url)
    (first,) = await desk.happen(customer)
    await desk.until(first, "delivered")
    last = await desk.stored(customer)
    async with outage():
        desk.dispatcher.offer(last)
        await happens(lambda: len(endpoint.hits) == 2)
    writing = asyncio.create_task(desk.dispatcher._conclude())
    await asyncio.sleep(0)
    writing.cancel()
    await desk.dispatcher.close()
    assert (await desk.row(last[0])).status == "delivered"


async def test_a_result_that_cannot_be_stored_keeps_back_no_other(desk: Desk, endpoint: Endpoint) -> None:
    customer = await desk.customer(endpoint.url)
    events = await desk.stored(customer, 3)
    attempts, now = (1, 2**80, 1), clock.now()
    desk.dispatcher._unwritten.results += [
        Result(customer.id, event.id, "delivered", count, None, 200, "", now)
        for event, count in zip(events, attempts, strict=True)
    ]
    await desk.dispatcher._conclude()
    assert [(await desk.row(event)).status for event in events] == ["delivered", "pending", "delivered"]


async def test_what_is_taken_apart_is_the_same_when_put_together(desk: Desk, endpoint: Endpoint) -> None:
    first, second = [await desk.customer(endpoint.url) for _ in range(2)]
    *events, last = await desk.stored(first, 3)
    now = clock.now()
    whole = Conclusions(
        [Result(first.id, event.id, "delivered", 1, None, 200, "", now) for event in events],
        [Pending(last.id, first.id, last.message_id, last.body, 0, 0, last.due_at, last.tm_create)],
        {first.id: Failure(first, "refused", now, is_first=True)},
        {second.id: second},
        {first.id: first, second.id: second},
    )
    assert Conclusions.of(whole.pieces()) == whole
    assert len(list(whole.pieces())) == 7
