"""The parts that tell events, put together as the program does it, on a store of the test's own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from messagehub import clock, ids
from messagehub.accounts import customers
from messagehub.accounts.customers import ANEW, Customer, Customers
from messagehub.events import Event
from messagehub.messages.telling import EVENT_QUERIES
from messagehub.sealing import Sealer
from messagehub.store import Insert, Row, Store
from messagehub.store.postgres import PostgresStore
from messagehub.web import Client
from messagehub.webhooks.deliver import MAX_HELD, Dispatcher
from messagehub.webhooks.deliveries import Deliveries, Wanted
from messagehub.webhooks.sign import new_secret

T = TypeVar("T")

PATIENCE_S = 40.0


class Desk:
    """One node: what a process has of the parts."""

    def __init__(self, store: Store, *, timeout: float = 5.0, **settings: Any) -> None:
        self.store = store
        self.customers = Customers(store, Sealer())
        self.client = Client(**{"allow_private": True, "per_origin": MAX_HELD, "timeout": timeout, **settings})
        shared = isinstance(store, PostgresStore)
        self.dispatcher = Dispatcher(store, self.customers, self.client, timeout, shared)
        self.deliveries = Deliveries(store, self.dispatcher.wake)

    async def open(self, alone: bool = False) -> None:
        await self.dispatcher.open(alone)

    async def close(self) -> None:
        await self.dispatcher.close()
        await self.client.close()

    # --- who is told --------------------------------------------------------------------

    async def customer(self, webhook_uri: str, **more: Any) -> Customer:
        made = customers.new(name="c", now=1, webhook_secret=new_secret(), webhook_uri=webhook_uri, **more)
        await self.store.write([Insert("insert_customer", [made.as_row(Sealer())])])
        return made

    async def known(self, customer: Customer) -> Customer:
        """The customer as the store has it now."""
        row = await self.store.one("customer_by_id", id=customer.id)
        return customers.from_row(row, Sealer())

    # --- what happens -------------------------------------------------------------------

    async def happen(self, customer: Customer, count: int = 1, **more: Any) -> list[Event]:
        """Events of messages of their own, on the way that new ones take."""
        events = await self.stored(customer, count, **more)
        self.dispatcher.offer(events)
        return events

    async def stored(self, customer: Customer, count: int = 1, **more: Any) -> list[Event]:
        """Events that happened and were not offered yet."""
        events = [self._event(customer, **more) for _ in range(count)]
        await self.keep(events)
        return events

    async def wait_in_store(self, customer: Customer, count: int = 1, **more: Any) -> list[Event]:
        """Events that wait, as they do when nobody could take them."""
        events = [self._event(customer, due_at=1, **more) for _ in range(count)]
        await self.keep(events)
        return events

    async def keep(self, events: Sequence[Event]) -> None:
        for some in range(0, len(events), 1000):
            await self.store.write([Insert(query, events[some : some + 1000]) for query in EVENT_QUERIES])

    def _event(
        self,
        customer: Customer,
        due_at: int | None = None,
        message_id: str = "",
        type: str = "message_updated",
        body: bytes = b'{"type":"message_updated","data":{"id":"m"}}',
    ) -> Event:
        now = clock.now()
        message_id = message_id or ids.new()
        due_at = self.dispatcher.due_at(customer.id, message_id, now) if due_at is None else due_at
        event_id, tm_create = ids.new_with_time()
        return Event(event_id, customer.id, message_id, type, body, due_at, tm_create, int(due_at > now))

    # --- what became of it --------------------------------------------------------------

    async def row(self, event: Event) -> Row:
        row, _ = await self.deliveries.one(event.customer_id, event.id)
        return row

    async def until(self, event: Event, *statuses: str) -> Row:
        """The event, once it has one of these statuses."""

        async def ask() -> Row | None:
            row = await self.row(event)
            return row if row.status in statuses else None

        return await eventually(ask, f"{event.id} {statuses}")

    async def until_tried(self, event: Event, times: int = 1) -> Row:
        async def ask() -> Row | None:
            row = await self.row(event)
            return row if row.attempts >= times else None

        return await eventually(ask, f"{event.id} tried {times} times")

    async def count(self, customer: Customer, status: str) -> int:
        """How many of the newest thousand."""
        rows, _ = await self.deliveries.page(customer.id, Wanted(status=status), "~", 1000)
        return len(rows)

    async def standing(self, customer: Customer, status: str) -> Customer:
        """The customer, once its webhook is said to be so."""

        async def ask() -> Customer | None:
            now = await self.known(customer)
            return now if now.webhook_status == status else None

        return await eventually(ask, f"the webhook is {status}")


async def eventually(ask: Callable[[], Awaitable[T | None]], what: str = "it") -> T:
    """What `ask` gives, as soon as that is true."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    while not (answer := await ask()):
        assert loop.time() < end, f"{what}: not within {PATIENCE_S:g} s"
        await asyncio.sleep(0.005)
    return answer


async def mend(desk: Desk, customer: Customer, **changes: Any) -> None:
    """As PUT /customer with a `webhook_uri` does."""
    await desk.customers.change(customer.id, clock.now(), **ANEW, **changes)


async def happens(is_so: Callable[[], object]) -> None:
    async def ask() -> bool:
        return bool(is_so())

    await eventually(ask)
