"""One way of delivering webhooks, measured in a process of its own: `python -m bench.hooks WAY URL COUNT`.

Says one line of JSON. Every delivery is signed anew, of an id of its own, and must be answered by 2xx.
"""

import asyncio
import gc
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter, process_time, time

import aiohttp
import msgspec
import uvloop

from messagehub import clock, ids
from messagehub.accounts import customers
from messagehub.accounts.customers import Customers
from messagehub.clock import NEVER
from messagehub.events import Event
from messagehub.messages.telling import EVENT_QUERIES
from messagehub.sealing import Sealer
from messagehub.store import Insert, Store, open_store
from messagehub.web import Client
from messagehub.webhooks.deliver import MAX_HELD, Dispatcher
from messagehub.webhooks.sign import new_secret, signatures

IN_FLIGHT = 32
STORED_AT_ONCE = 1000
LOOK_S = 0.01
SECRET = new_secret()
BODY = b'{"type":"message_updated","data":%b}' % msgspec.json.encode({"id": "0", "text": "x" * 900})


class Measured(msgspec.Struct):
    per_s: float
    cpu_us: float
    """Of the whole process, for one delivery."""


Send = Callable[[str], Awaitable[int]]
"""Delivers the webhook of an id; the status of the answer."""


def headers(webhook_id: str) -> dict[str, str]:
    signed = signatures([SECRET], webhook_id, int(time()), BODY)
    return {**signed, "Content-Type": "application/json", "User-Agent": "messagehub"}


async def by_client(url: str, count: int) -> Measured:
    client = Client(allow_private=True, per_origin=IN_FLIGHT)

    async def send(webhook_id: str) -> int:
        return (await client.request("POST", url, headers(webhook_id), BODY)).status

    try:
        return await _in_flight(send, count)
    finally:
        await client.close()


async def by_aiohttp(url: str, count: int) -> Measured:
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=5)) as session:

        async def send(webhook_id: str) -> int:
            async with session.post(url, data=BODY, headers=headers(webhook_id), allow_redirects=False) as answer:
                await answer.read()
                return answer.status

        return await _in_flight(send, count)


async def _in_flight(send: Send, count: int) -> Measured:
    webhook_ids = iter([ids.new() for _ in range(count)])

    async def work() -> None:
        for webhook_id in webhook_ids:
            status = await send(webhook_id)
            assert 200 <= status < 300, status

    async def all_of_them() -> None:
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))

    return await _measured(all_of_them, count)


async def by_dispatcher(url: str, count: int) -> Measured:
    """A backlog in the store: claimed, signed, sent, written down."""
    with tempfile.TemporaryDirectory(prefix="messagehub-bench-") as folder:
        store = await open_store(f"sqlite:///{Path(folder) / 'hub.db'}")
        await _backlog(store, url, count)
        client = Client(allow_private=True, per_origin=MAX_HELD)
        dispatcher = Dispatcher(store, Customers(store, Sealer()), client, 5.0)

        async def until_delivered() -> None:
            await dispatcher.open(alone=True)
            waiting = True
            while waiting:
                await asyncio.sleep(LOOK_S)
                waiting = bool(await store.all("endpoints_due", now=NEVER))

        measured = await _measured(until_delivered, count)
        await dispatcher.close()
        await client.close()
        await store.close()
        return measured


async def _backlog(store: Store, url: str, count: int) -> None:
    now = clock.now()
    customer = customers.new(name="bench", now=now, webhook_secret=SECRET, webhook_uri=url)
    await store.write([Insert("insert_customer", [customer.as_row(Sealer())])])
    for first in range(0, count, STORED_AT_ONCE):
        some = range(min(STORED_AT_ONCE, count - first))
        events = [Event(ids.new(), customer.id, ids.new(), "message_updated", BODY, now, now, leased=0) for _ in some]
        await store.write([Insert(query, events) for query in EVENT_QUERIES])


async def _measured(work: Callable[[], Awaitable[None]], count: int) -> Measured:
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)  # as the program does when it serves
    begun, used = perf_counter(), process_time()
    await work()
    return Measured(count / (perf_counter() - begun), 1e6 * (process_time() - used) / count)


WAYS = {"messagehub.web.Client": by_client, "aiohttp.ClientSession": by_aiohttp, "the whole outbox": by_dispatcher}


def main() -> None:
    way, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(WAYS[way](url, count))) + b"\n")


if __name__ == "__main__":
    main()
