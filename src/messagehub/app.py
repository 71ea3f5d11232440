"""The only file that knows everything: opens store, carriers, workers and edges, and closes them in reverse."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import uvicorn

from messagehub.accounts.customers import Customers
from messagehub.accounts.keys import Keys
from messagehub.api.asgi import Application
from messagehub.api.services import Services
from messagehub.carriers import book
from messagehub.carriers.book import Carriers
from messagehub.carriers.carrier import Carrier
from messagehub.errors import SettingError
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
from messagehub.webhooks.deliver import Dispatcher
from messagehub.work.node import Node

log = logging.getLogger(__name__)

BACKLOG = 2048
FINISH_REQUESTS_S = 2
"""How long the requests under way may take when the server ends."""


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Services]:
    """Everything but the HTTP server, working."""
    async with AsyncExitStack() as stack:
        store = await open_store(settings.database_url)
        stack.push_async_callback(store.close)
        node = Node(store)
        alone = await node.open()
        stack.push_async_callback(node.close)
        client = Client(allow_private=settings.webhook_allow_private, timeout=settings.webhook_timeout)
        stack.push_async_callback(client.close)
        customers, numbers, routes = Customers(store), Numbers(store), Routes(store)
        dispatcher = Dispatcher(store, customers, client, settings.webhook_timeout)
        await dispatcher.open(alone)
        stack.push_async_callback(dispatcher.close)
        receiver = Receiver(customers, numbers, dispatcher, Policy(settings.unknown_destination == "refuse"))
        sweeper = Sweeper(store, customers, receiver, dispatcher)
        sweeper.start()
        stack.push_async_callback(sweeper.stop)
        carriers = Carriers(store)

        def exchange(carrier_id: str, carrier: Carrier) -> Exchange:
            return Exchange(carrier_id, carrier, store, customers, receiver, dispatcher, node.id)

        exchanges = Exchanges(store, carriers, book.make, exchange)
        await exchanges.open()
        stack.push_async_callback(exchanges.close, settings.drain_timeout)
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
    listener = _listener(settings.listen)
    host, port = listener.getsockname()[:2]
    async with opened(settings) as services:
        server = _Server(_config(Application(services)))
        with _ended_by_signal(server):
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await server.up.wait()
            ready(f"http://{host}:{port}", services.store)
            await serving
        log.info("no more requests; waiting for what is in flight")
    log.info("ended")


def _listener(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    try:
        return socket.create_server((host.strip("[]"), int(port)), backlog=BACKLOG, family=_family(host))
    except (OSError, ValueError, OverflowError) as error:
        raise SettingError(f"MESSAGEHUB_LISTEN: cannot listen on {listen!r}: {error}") from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=FINISH_REQUESTS_S,
    )


class _Server(uvicorn.Server):
    """Signals are ours: the server's own handling would end the process before it has drained."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _ended_by_signal(server: uvicorn.Server) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    yield
