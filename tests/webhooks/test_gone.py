"""An endpoint that answers 410, and is gone until its customer says something else."""

import asyncio

from messagehub import clock
from messagehub.webhooks.deliveries import Wanted
from messagehub.webhooks.endpoint import MAX_AT_ONCE
from tests.support.outage import Outage
from tests.support.sink import Endpoint, Sink
from tests.webhooks.desk import Desk, eventually, happens, mend


async def test_410_drops_what_waits_and_a_put_and_a_replay_bring_it_back(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.usual = 410
    customer = await desk.customer(endpoint.url)
    events = await desk.wait_in_store(customer, 3000)
    desk.dispatcher.wake()
    disabled = await desk.standing(customer, "disabled")
    assert "410" in disabled.webhook_disabled
    await desk.until(events[-1], "failed")

    async def all_dropped() -> bool:
        return await desk.count(customer, "pending") == 0

    await eventually(all_dropped)
    assert len(endpoint.hits) <= MAX_AT_ONCE
    assert (await desk.row(events[-1])).error in ("gone", "disabled")
    endpoint.usual = 200
    await mend(desk, customer)
    mended = await desk.known(customer)
    behind, replayed, now = "", 0, clock.now()
    while behind or not replayed:
        count, behind = await desk.deliveries.replay_some(mended, Wanted(status="failed", until=now), behind, now)
        replayed += count
    assert replayed == 3000
    for event in events:
        await desk.until(event, "delivered")
    assert {hit.headers["webhook-id"] for hit in endpoint.hits} == {event.id for event in events}


async def test_a_410_of_the_address_before_does_not_disable_the_new_one(desk: Desk, endpoint: Endpoint) -> None:
    customer = await desk.customer(endpoint.url)
    await desk.customers.get(desk.store, customer.id)
    before = {"webhook_uri": "http://before.test/", "tm_seen": customer.tm_update}
    await desk.store.run("disable_webhook", id=customer.id, **before, why="it answered 410", now=1)
    assert (await desk.known(customer)).webhook_status == "working"


async def test_after_a_410_nothing_more_is_told_though_the_store_does_not_have_it_yet(
    desk: Desk, endpoint: Endpoint, outage: Outage
) -> None:
    def comes_straight() -> bool:
        now = clock.now()
        return desk.dispatcher.due_at(customer.id, "another", now) > now

    customer = await desk.customer(endpoint.url)
    (first,) = await desk.happen(customer)
    await desk.until(first, "delivered")
    await happens(comes_straight)
    endpoint.usual = 410
    last = await desk.stored(customer)
    async with outage():
        desk.dispatcher.offer(last)
        await happens(lambda: not comes_straight())
    await desk.standing(customer, "disabled")
    endpoint.usual = 200
    await mend(desk, customer)
    (again,) = await desk.happen(customer)
    await desk.until(again, "delivered")


async def test_a_410_of_the_address_before_drops_nothing_of_the_new_one(desk: Desk, webhooks: Sink) -> None:
    # The old endpoint answers 410 late: meanwhile its owner has given another address, and events wait for that.
    told = asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await told.wait()
        writer.write(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(late, "127.0.0.1", 0) as server:
        customer = await desk.customer(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await desk.happen(customer)
        await asyncio.sleep(0.2)
        new = webhooks.endpoint()
        waiting = await desk.wait_in_store(customer, 200)
        await desk.customers.change(customer.id, clock.now(), webhook_uri=new.url)
        told.set()
        for event in waiting:
            row = await desk.until(event, "delivered", "failed")
            assert row.status == "delivered", row
        assert (await desk.known(customer)).webhook_status == "working"


async def test_a_410_to_what_was_asked_before_a_put_does_not_disable_the_same_address_again(desk: Desk) -> None:
    told, asked = asyncio.Event(), 0

    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        if asked > 1:
            await told.wait()
        writer.write(b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(gone, "127.0.0.1", 0) as server:
        customer = await desk.customer(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        events = await desk.happen(customer, 2)
        await desk.standing(customer, "disabled")
        await happens(lambda: asked == 2)
        await mend(desk, customer, webhook_uri=customer.webhook_uri)
        told.set()
        for event in events:
            await desk.until(event, "failed")
        assert (await desk.known(customer)).webhook_status == "working"
