"""The only file that knows everything: opens store, carriers, workers and edges, and closes them in reverse."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from messagehub.accounts.customers import Customers
from messagehub.accounts.keys import Keys
from messagehub.api.asgi import Application
from messagehub.api.callers import Proxies
from messagehub.api.connections import Bounds
from messagehub.api.server import listener, server
from messagehub.api.services import Services
from messagehub.carriers import book
from messagehub.carriers.book import Carriers
from messagehub.carriers.carrier import Carrier
from messagehub.messages.accept import Acceptor
from messagehub.messages.acts import Actor
from messagehub.messages.exchange import Exchange
from messagehub.messages.exchanges import Exchanges
from messagehub.messages.reading import Reader
from messagehub.messages.receive import Policy, Receiver
from messagehub.messages.sweep import Sweeper
from messagehub.numbers import Numbers
from messagehub.routing import Routes
from messagehub.settings import Settings
from messagehub.store import Store, open_store
from messagehub.web import Client
from messagehub.webhooks.deliver import MAX_HELD, Dispatcher
from messagehub.work.node import Node

log = logging.getLogger(__name__)

END_S = 9.0
"""How long an orderly end may take."""


def _spare_the_collector() -> None:
    """What is there by now stays for ever, and a message leaves no cycles: looking for them can wait for more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _end_now() -> None:
    """Somebody takes too long to part. All that counts is on disk, as after any crash."""
    log.warning("not everything was settled within %s s; what is in doubt is settled at the next start", END_S)
    logging.shutdown()
    os._exit(0)


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        head_timeout=settings.head_timeout,
        answer_timeout=settings.answer_timeout,
        connections_per_address=settings.connections_per_address,
        max_connections=settings.max_connections,
        trusted=Proxies(settings.trusted_proxies),
    )


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Services]:
    """Everything but the HTTP server, working."""
    async with AsyncExitStack() as stack:
        store = await open_store(settings.database_url)
        stack.push_async_callback(store.close)
        node = Node(store)
        alone = await node.open()
        stack.push_async_callback(node.close)
        # How many requests one endpoint may have is the dispatcher's to say: customers may share an origin.
        client = Client(
            allow_private=settings.webhook_allow_private, timeout=settings.webhook_timeout, per_origin=MAX_HELD
        )
        stack.push_async_callback(client.close)
        customers, numbers, routes = Customers(store), Numbers(store), Routes(store)
        dispatcher = Dispatcher(store, customers, client, settings.webhook_timeout)
        await dispatcher.open(alone)
        stack.push_async_callback(dispatcher.close)
        receiver = Receiver(customers, numbers, dispatcher, Policy(settings.unknown_destination == "refuse"))
        carriers = Carriers(store)

        def exchange(carrier_id: str, carrier: Carrier) -> Exchange:
            return Exchange(carrier_id, carrier, store, customers, receiver, dispatcher, node.id)

        exchanges = Exchanges(store, carriers, book.make, exchange)
        await exchanges.open()
        stack.push_async_callback(exchanges.close, settings.drain_timeout)
        sweeper = Sweeper(store, customers, routes, receiver, dispatcher, node.id, exchanges.knows)
        sweeper.start()
        stack.push_async_callback(sweeper.stop)
        reader = Reader(store)
        yield Services(
            store=store,
            node=node,
            customers=customers,
            keys=Keys(store),
            numbers=numbers,
            routes=routes,
            carriers=carriers,
            exchanges=exchanges,
            acceptor=Acceptor(store, customers, numbers, routes, dispatcher, settings.max_segments),
            reader=reader,
            actor=Actor(store, customers, dispatcher, reader),
            webhook_allow_private=settings.webhook_allow_private,
            body_timeout=settings.body_timeout,
        )


async def serve(settings: Settings, ready: Callable[[str, Store], None]) -> None:
    """Serves until SIGTERM or SIGINT, then drains. `ready` gets the address once requests are answered.

    SettingError for settings that cannot work; Unavailable where the store cannot be opened.
    """
    bounds, sock = _bounds(settings), listener(settings.listen)
    host, port = sock.getsockname()[:2]
    async with opened(settings) as services:
        http = server(Application(services), bounds)
        loop = asyncio.get_running_loop()

        def end() -> None:
            http.should_exit = True
            loop.call_later(END_S, _end_now)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        serving = asyncio.create_task(http.serve(sockets=[sock]))
        await http.up.wait()
        _spare_the_collector()
        ready(f"http://{host}:{port}", services.store)
        await serving
        log.info("no more requests; waiting for what is in flight")
    log.info("ended")
