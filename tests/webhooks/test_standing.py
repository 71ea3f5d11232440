"""How an endpoint fares, as its customer sees it: over failures, recoveries, restarts, and several nodes."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from messagehub import clock
from messagehub.accounts.customers import Customer
from messagehub.clock import NEVER, SECOND
from messagehub.store import Store, Tx, open_store
from messagehub.webhooks import claim, deliver
from messagehub.webhooks import endpoint as breaker
from messagehub.webhooks.claim import LOOKED_AT
from messagehub.webhooks.conclude import Conclusions
from messagehub.webhooks.deliver import CLAIM_OCTETS
from messagehub.webhooks.deliveries import Wanted
from messagehub.webhooks.endpoint import FAILURES_TO_OPEN, MAX_AT_ONCE
from messagehub.work import loop
from tests.support.sink import STALL, Endpoint, Sink
from tests.webhooks.desk import Desk, happens, mend


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The breaker as it is, but that a test need not wait for its probes."""
    monkeypatch.setattr(breaker, "PAUSES_S", (0.3, 0.6))


@asynccontextmanager
async def node(store: Store, timeout: float = 1.0, alone: bool = False) -> AsyncIterator[Desk]:
    opened = Desk(store, timeout=timeout)
    await opened.open(alone)
    try:
        yield opened
    finally:
        await opened.close()


async def test_who_has_none_is_off_and_who_was_never_told_works(desk: Desk, endpoint: Endpoint) -> None:
    assert (await desk.customer("")).webhook_status == "off"
    assert (await desk.customer(endpoint.url)).webhook_status == "working"


async def test_failing_is_told_with_its_reason_and_recovery_with_its_moment(
    desk: Desk, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    endpoint.usual = 503
    customer = await desk.customer(endpoint.url)
    begun = clock.now()
    await desk.happen(customer, FAILURES_TO_OPEN)
    failing = await desk.standing(customer, "failing")
    assert failing.webhook_error == "status: it answered 503"
    assert begun < failing.tm_webhook_failing < clock.now()
    assert failing.tm_webhook_recovered == NEVER
    await desk.happen(customer)
    await happens(lambda: len(endpoint.hits) > FAILURES_TO_OPEN)  # a probe has failed
    still = await desk.known(customer)
    assert still.tm_webhook_failing == failing.tm_webhook_failing
    endpoint.usual = 200
    await desk.happen(customer)
    working = await desk.standing(customer, "working")
    assert failing.tm_webhook_failing < working.tm_webhook_recovered < clock.now()
    assert (working.tm_webhook_failing, working.webhook_error) == (NEVER, failing.webhook_error)

    def told() -> list[logging.LogRecord]:
        return [one for one in caplog.records if getattr(one, "about", {}).get("customer_id") == customer.id]

    await happens(lambda: len(told()) == 2)  # it is told once it is written
    mine = told()
    assert [record.getMessage() for record in mine] == ["an endpoint fails", "an endpoint answers again"]
    assert vars(mine[0])["about"]["error"] == "status: it answered 503"


async def test_a_recovery_that_is_found_twice_is_told_once(
    desk: Desk, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    """As where a claim, made while the first was being written, has still read of the failure."""
    caplog.set_level(logging.INFO)
    endpoint.usual = 503
    customer = await desk.customer(endpoint.url)
    await desk.happen(customer, FAILURES_TO_OPEN)
    failing = await desk.standing(customer, "failing")
    for _ in range(2):
        found = Conclusions(recovered={customer.id: failing})
        await desk.store.transaction(found.write)
        found.log()
    mine = [record for record in caplog.records if getattr(record, "about", {}).get("customer_id") == customer.id]
    assert [record.getMessage() for record in mine] == ["an endpoint fails", "an endpoint answers again"]


async def test_a_few_failures_are_not_failing(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.answers = [500] * (FAILURES_TO_OPEN - 1)
    customer = await desk.customer(endpoint.url)
    for event in await desk.happen(customer, FAILURES_TO_OPEN - 1):
        await desk.until_tried(event)
    (good,) = await desk.happen(customer)
    await desk.until(good, "delivered")
    now = await desk.known(customer)
    assert (now.webhook_status, now.webhook_error, now.tm_webhook_recovered) == ("working", "", NEVER)


async def test_what_waits_goes_out_in_order_when_it_works_again(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.usual = 500
    customer = await desk.customer(endpoint.url)
    await desk.happen(customer, FAILURES_TO_OPEN)
    await desk.standing(customer, "failing")
    lane = [(await desk.happen(customer, message_id="m"))[0] for _ in range(20)]
    endpoint.usual = 200
    for event in lane:
        await desk.until(event, "delivered")
    told = [hit.headers["webhook-id"] for hit in endpoint.hits]
    assert [id for id in dict.fromkeys(told) if id in {event.id for event in lane}] == [event.id for event in lane]


async def settled(endpoint: Endpoint) -> int:
    """How often it was asked, once those requests have come that were under way."""
    seen = -1
    while seen != len(endpoint.hits):
        seen = len(endpoint.hits)
        await asyncio.sleep(0.1)
    return seen


async def test_one_event_probes_a_dead_endpoint(desk: Desk, endpoint: Endpoint) -> None:
    endpoint.usual = 500
    customer = await desk.customer(endpoint.url)
    await desk.wait_in_store(customer, 200)
    desk.dispatcher.wake()
    await desk.standing(customer, "failing")
    first = await settled(endpoint)
    assert first <= MAX_AT_ONCE + FAILURES_TO_OPEN
    await happens(lambda: len(endpoint.hits) > first)
    await asyncio.sleep(0.2)  # nothing more is to come, which no condition can tell
    assert len(endpoint.hits) == first + 1


async def test_large_events_are_leased_few_at_a_time_and_all_arrive(store: Store, webhooks: Sink) -> None:
    """One that tells of a hundred recipients with texts of their own has some hundred thousand octets."""
    stalls, answers = webhooks.endpoint(), webhooks.endpoint()
    stalls.usual = STALL
    large = {"body": b'{"type":"message_updated","data":{"id":"m","text":"' + b"x" * (CLAIM_OCTETS // 3) + b'"}}'}
    async with node(store, timeout=3) as desk:  # all that is looked at is to be seen before they are given up
        for endpoint in (stalls, answers):
            customer = await desk.customer(endpoint.url)
            await desk.wait_in_store(customer, 7, **large)
            desk.dispatcher.wake()
            if endpoint is stalls:
                await happens(lambda: len(stalls.hits) == 2)
                rows, _ = await desk.deliveries.page(customer.id, Wanted(), "~", 10)
                assert sum(row.leased for row in rows) == 2
        await happens(lambda: len(answers.hits) == 7)


async def test_a_new_address_is_tried_at_once_and_all_is_forgotten(
    desk: Desk, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "PAUSES_S", (3600,))
    endpoint.usual = 500
    customer = await desk.customer(endpoint.url)
    await desk.happen(customer, FAILURES_TO_OPEN)
    await desk.standing(customer, "failing")
    (waiting,) = await desk.happen(customer)
    endpoint.usual = 200
    await mend(desk, customer, webhook_uri=endpoint.url)
    now = await desk.known(customer)
    assert (now.webhook_status, now.webhook_error, now.tm_webhook_failing) == ("working", "", NEVER)
    await desk.until(waiting, "delivered")


# --- over restarts, and on several nodes


async def test_a_node_that_starts_probes_what_is_known_to_fail_with_one_event(
    store: Store, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "PAUSES_S", (3600,))
    endpoint.usual = 500
    async with node(store) as before:
        customer = await before.customer(endpoint.url)
        await before.wait_in_store(customer, 100)
        before.dispatcher.wake()
        await before.standing(customer, "failing")
    tried = len(endpoint.hits)
    async with node(store) as after:
        await happens(lambda: len(endpoint.hits) > tried)
        await asyncio.sleep(0.1)  # nothing more is to come, which no condition can tell
        assert len(endpoint.hits) == tried + 1
        assert (await after.known(customer)).webhook_status == "failing"


async def test_a_success_on_one_node_ends_what_another_found(
    database_url: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two nodes of one store, as PostgreSQL has them; on SQLite they share the process."""
    monkeypatch.setattr(breaker, "PAUSES_S", (3600,))
    async with AsyncExitStack() as stack:
        stores = [await open_store(database_url) for _ in range(2 if database_url.startswith("postgres") else 1)]
        for store in stores:
            stack.push_async_callback(store.close)
        here, there = (
            await stack.enter_async_context(node(stores[0])),
            await stack.enter_async_context(node(stores[-1])),
        )
        customer = await here.customer(endpoint.url)
        (warm,) = await there.happen(customer)
        await there.until(warm, "delivered")
        endpoint.usual = 500
        await here.happen(customer, FAILURES_TO_OPEN)
        await here.standing(customer, "failing")
        endpoint.usual = 200
        (good,) = await there.happen(customer)
        await there.until(good, "delivered")
        await here.standing(customer, "working")
        (again,) = await here.happen(customer)
        await here.until(again, "delivered")


async def test_a_node_that_ends_leaves_what_it_had_leased_to_others_at_once(store: Store, endpoint: Endpoint) -> None:
    endpoint.usual = 0
    async with node(store) as before:
        customer = await before.customer(endpoint.url)
        await before.wait_in_store(customer, 3 * MAX_AT_ONCE)
        before.dispatcher.wake()
        await happens(lambda: len(endpoint.hits) == MAX_AT_ONCE)
        endpoint.usual = 200
    rows, _ = await before.deliveries.page(customer.id, Wanted(), "~", 1000)
    assert [row for row in rows if row.leased] == []


# --- a message with many recipients


async def test_what_waits_of_one_message_comes_in_its_order_and_holds_up_nobody(
    desk: Desk, endpoint: Endpoint, webhooks: Sink
) -> None:
    customer, (other, elsewhere) = await desk.customer(endpoint.url), [webhooks.endpoint() for _ in range(2)]
    neighbours = [await desk.customer(each.url) for each in (other, elsewhere)]
    events = await desk.wait_in_store(customer, 1000, message_id="m")
    for neighbour in neighbours:
        await desk.wait_in_store(neighbour)
    desk.dispatcher.wake()
    await happens(lambda: other.hits and elsewhere.hits)
    await happens(lambda: len(endpoint.hits) == len(events))
    assert [hit.headers["webhook-id"] for hit in endpoint.hits] == [event.id for event in events]


async def test_what_a_node_had_leased_when_it_was_killed_is_told_before_what_waited_behind_it(
    store: Store, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "TIMES", 1)  # as if thousands waited
    killed = Desk(store)
    customer = await killed.customer(endpoint.url)
    events = await killed.stored(customer, 2 * LOOKED_AT, message_id="m")
    leased = {"customer_id": customer.id, "id": events[0].id, "due_at": events[0].due_at}
    await store.expect("lease_event", [{**leased, "lease": clock.now() + SECOND}])
    await killed.close()
    async with node(store, alone=not killed.dispatcher.shared):
        await happens(lambda: len(endpoint.hits) == len(events))
    assert [hit.headers["webhook-id"] for hit in endpoint.hits] == [event.id for event in events]


# --- a customer that something is wrong with


async def test_whose_events_cannot_be_claimed_holds_up_nobody(
    store: Store, webhooks: Sink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop, "PAUSE_S", 60.0)  # of a turn that fails
    monkeypatch.setattr(deliver, "ASIDE_S", 60.0)
    endpoint = webhooks.endpoint()
    async with node(store) as desk:
        broken, neighbour = await desk.customer(webhooks.endpoint().url), await desk.customer(endpoint.url)
        known = desk.customers.get

        async def get(tx: Tx, customer_id: str) -> Customer:
            if customer_id == broken.id:
                raise ValueError("bad luck")
            return await known(tx, customer_id)

        monkeypatch.setattr(desk.customers, "get", get)
        await desk.wait_in_store(broken)
        desk.dispatcher.wake()
        await happens(lambda: "bad luck" in caplog.text)
        await desk.wait_in_store(neighbour)
        desk.dispatcher.wake()
        await happens(lambda: endpoint.hits)
    assert caplog.text.count("cannot be claimed") == 1


# --- one that gets slow


class Slowing:
    """An endpoint that takes its time, and counts how many requests it has at once."""

    def __init__(self) -> None:
        self.takes_s = 0.0
        self.here = self.most = self.answered = 0
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
                self.here += 1
                self.most = max(self.most, self.here)
                await asyncio.sleep(self.takes_s)
                self.here -= 1
                self.answered += 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async def close(self) -> None:
        for writer in self.writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_one_that_was_fast_and_gets_slow_gets_fewer_requests_at_once(store: Store) -> None:
    endpoint = Slowing()
    opening = asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    async with node(store, timeout=20) as desk, await opening as server:
        port = server.sockets[0].getsockname()[1]
        customer = await desk.customer(f"http://127.0.0.1:{port}/hook")
        await desk.happen(customer, 200)
        await happens(lambda: endpoint.answered == 200)
        endpoint.takes_s = 0.2
        await desk.happen(customer, 300)
        await happens(lambda: endpoint.answered > 400)
        endpoint.most = 0
        await happens(lambda: endpoint.answered == 500)
        assert 0 < endpoint.most <= MAX_AT_ONCE
        await endpoint.close()


async def test_what_came_before_it_was_known_to_be_fast_gets_more_at_once_as_well(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FAST", 10 * breaker.AHEAD)  # however busy the machine is
    endpoint = Slowing()
    endpoint.takes_s = 0.05
    opening = asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    async with node(store, timeout=20) as desk, await opening as server:
        port = server.sockets[0].getsockname()[1]
        customer = await desk.customer(f"http://127.0.0.1:{port}/hook")
        await desk.happen(customer)
        await happens(lambda: not desk.dispatcher._endpoints[customer.id].backlog and endpoint.answered == 1)
        await desk.happen(customer, 300)  # all of them before the first answer
        await happens(lambda: endpoint.answered == 301)
        assert endpoint.most > MAX_AT_ONCE
        await endpoint.close()


# --- one that asks to be left alone


async def test_an_address_that_is_given_again_is_tried_at_once_though_it_had_asked_for_an_hour(
    desk: Desk, endpoint: Endpoint
) -> None:
    endpoint.answers, endpoint.headers = [503], {"Retry-After": "3600"}
    customer = await desk.customer(endpoint.url)
    (refused,) = await desk.happen(customer)
    await desk.until_tried(refused)
    (waits,) = await desk.wait_in_store(customer)
    desk.dispatcher.wake()
    await asyncio.sleep(0.2)
    assert len(endpoint.hits) == 1
    await mend(desk, customer, webhook_uri=endpoint.url)
    await desk.until(waits, "delivered")


async def test_what_it_asks_for_stands_though_its_customer_was_changed_before(desk: Desk, endpoint: Endpoint) -> None:
    customer = await desk.customer(endpoint.url)
    (taken,) = await desk.happen(customer)
    await desk.until(taken, "delivered")
    await desk.customers.change(customer.id, clock.now(), name="another")
    endpoint.answers, endpoint.headers = [503], {"Retry-After": "3600"}
    (refused,) = await desk.happen(customer)
    await desk.until_tried(refused)
    await desk.happen(customer, 3)
    desk.dispatcher.wake()
    await asyncio.sleep(0.2)
    assert len(endpoint.hits) == 2


async def test_what_is_new_does_not_wait_for_the_claims_of_thousands_of_others(desk: Desk, endpoint: Endpoint) -> None:
    claims: list[str] = []
    claim, go = desk.dispatcher._claim_for, asyncio.Event()

    async def noted(customer_id: str, now: int) -> None:
        claims.append(customer_id)
        await go.wait()
        await claim(customer_id, now)

    desk.dispatcher._claim_for = noted  # type: ignore[method-assign]
    customer = await desk.customer(endpoint.url)
    for _ in range(200):
        await desk.wait_in_store(await desk.customer("http://127.0.0.1:9/"))
    desk.dispatcher.wake()
    await happens(lambda: claims)
    (event,) = await desk.happen(customer)
    go.set()
    await desk.until(event, "delivered")
    assert claims.index(customer.id) < 20
