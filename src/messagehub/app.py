"""The only file that knows everything: opens store, carriers, workers and edges, and closes them in reverse."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from typing import Any

from msgspec import Struct

from messagehub import __version__, clock
from messagehub.accounts import setup
from messagehub.accounts.attempts import Attempts
from messagehub.accounts.callers import Callers
from messagehub.accounts.customers import Customers
from messagehub.accounts.keys import AccessKeys
from messagehub.accounts.lastuse import LastUses
from messagehub.accounts.logins import Logins
from messagehub.accounts.tokens import Tokens
from messagehub.api.asgi import Application
from messagehub.api.limits import Limits, limit
from messagehub.api.server import listener
from messagehub.api.services import Services
from messagehub.api.watching import Watch, Watched
from messagehub.blobs import Blobs
from messagehub.carriers import book
from messagehub.carriers.book import Carriers
from messagehub.carriers.fitting import Fitter
from messagehub.carriers.outbind import Outbinds
from messagehub.carriers.slots import Slots
from messagehub.conversations import Conversations
from messagehub.discarding import Discarding
from messagehub.errors import SettingError
from messagehub.flows.active import Activeflows
from messagehub.flows.answers import Answers
from messagehub.flows.calls import Calls
from messagehub.flows.engine import SET_BACK as FLOWS_SET_BACK
from messagehub.flows.engine import Engine
from messagehub.flows.flow import Flows
from messagehub.flows.inbound import Answering
from messagehub.front.edge import edge
from messagehub.front.taking import Taker
from messagehub.logs import about
from messagehub.messages.accept import Acceptor
from messagehub.messages.acts import Actor
from messagehub.messages.departure import Departure
from messagehub.messages.drafting import Drafting
from messagehub.messages.exchange import Exchange
from messagehub.messages.exchanges import Exchanges
from messagehub.messages.gate import Gate
from messagehub.messages.gathering import Gatherer
from messagehub.messages.habits import Habits
from messagehub.messages.health import Health
from messagehub.messages.leaving import Leaving
from messagehub.messages.letting import Linking
from messagehub.messages.limits import Limits as SegmentLimits
from messagehub.messages.live import Live
from messagehub.messages.marketing import Marketing
from messagehub.messages.media import SET_BACK as MEDIA_SET_BACK
from messagehub.messages.media import Preparer
from messagehub.messages.metering import Metering
from messagehub.messages.once import Once
from messagehub.messages.optouts import OptedOut, OptOutWords
from messagehub.messages.pooling import Pooling
from messagehub.messages.reading import Reader
from messagehub.messages.receive import Policy, Receiver
from messagehub.messages.recorder import Keeping, Recorder
from messagehub.messages.retention import Policy as Kept
from messagehub.messages.retention import Retention
from messagehub.messages.settling import Means, Settling
from messagehub.messages.standing import Standing
from messagehub.messages.sweep import SET_BACK as QUEUED_SET_BACK
from messagehub.messages.sweep import Sweeper
from messagehub.messages.traces import Traces
from messagehub.metrics import MOST_COUNTED
from messagehub.numbers import Numbers
from messagehub.people.consents import Consents
from messagehub.people.contacts import Contacts
from messagehub.people.mirror import Mirror
from messagehub.people.opt_outs import OptOuts
from messagehub.published import DAY, Keyring, Links, Published
from messagehub.routing import Routes
from messagehub.sealing import Sealer
from messagehub.senders.pools import Pools
from messagehub.senders.rules import SenderRules
from messagehub.serving import make_room, spare_the_collector
from messagehub.settings import Settings
from messagehub.store import Store, open_store, shown
from messagehub.uploads import Uploads
from messagehub.web import MOST_CONNECTIONS, Client, Fetcher, Requester
from messagehub.webhooks.conclude import drop_waiting
from messagehub.webhooks.deliver import MAX_HELD, Dispatcher
from messagehub.webhooks.deliver import SET_BACK as EVENTS_SET_BACK
from messagehub.webhooks.deliveries import Deliveries
from messagehub.webhooks.trial import Trial
from messagehub.work import lag
from messagehub.work.node import Duty, Node
from messagehub.work.setback import Setback

log = logging.getLogger(__name__)

Mine = Callable[[], Awaitable[bool]]
"""Whether it is this node that does something for all."""

END_S = 9.0
"""How long an orderly end may take."""


def _end_now() -> None:
    """Somebody takes too long to part. All that counts is on disk, as after any crash."""
    log.warning("not everything was settled within %g s; what is in doubt is settled at the next start", END_S)
    logging.shutdown()
    os._exit(0)


async def _in_doubt(store: Store) -> int:
    found = await store.one("targets_in_doubt", now=clock.now(), count=MOST_COUNTED)
    return found.count if found else 0


def _described(settings: Settings, listen: str, in_doubt: int) -> dict[str, Any]:
    return about(version=__version__, listen=listen, store=shown(settings.database_url), in_doubt=in_doubt)


def _limits(settings: Settings) -> Limits:
    return Limits(
        logins=limit("ip", settings.login_rate, settings.login_burst),
        address=limit("ip", settings.rate_per_address, settings.burst_per_address),
        customer=limit("customer", settings.rate_per_customer, settings.burst_per_customer),
    )


def _kept(settings: Settings) -> Kept:
    return Kept(settings.retention_messages, settings.retention_events, settings.trace_retention)


async def _seal(keys: Sealer, *keepers: Customers | Carriers | Tokens | Keyring) -> None:
    """What is not sealed under the key in use is sealed now. SettingError where an older key is missing."""
    if not keys:
        log.warning("MESSAGEHUB_SECRET_KEY is not set: the secrets in the store are kept in the clear")
    for keeper in keepers:
        await keeper.seal()


def _warn_of_addresses(settings: Settings, host: str) -> None:
    if not settings.public_url and not ip_address(host).is_loopback:
        log.warning(
            "MESSAGEHUB_PUBLIC_URL is not set: media and links have addresses that begin with %s",
            settings.public_address,
        )


def _check_role(role: str, alone: bool) -> None:
    if alone and role != "all":
        raise SettingError(
            f"MESSAGEHUB_ROLE: {role!r} is for several processes, and SQLite takes one; they share a PostgreSQL "
            "(MESSAGEHUB_DATABASE_URL=postgresql://…)"
        )


def _blobs(settings: Settings) -> Blobs:
    blobs = Blobs(settings.media_folder)
    if why := blobs.unusable():
        if settings.media_dir:
            raise SettingError(f"MESSAGEHUB_MEDIA_DIR: no media can be kept in {settings.media_dir!r}: {why}")
        log.warning("no media can be kept: %s; MESSAGEHUB_MEDIA_DIR says where", why)  # who sends SMS only needs none
    return blobs


def _told(settings: Settings) -> dict[str, Any]:
    """What the edges are told of the settings."""
    names = ("webhook_allow_private", "body_timeout", "role", "metrics")
    return {"limits": _limits(settings), **{name: getattr(settings, name) for name in names}}


class Ground(Struct):
    """What all else stands on."""

    store: Store
    node: Node
    alone: bool
    """There can be no other process."""
    in_doubt: int
    """Targets, before anybody settles them."""
    keys: Sealer
    customers: Customers
    numbers: Numbers
    routes: Routes
    carriers: Carriers
    tokens: Tokens
    blobs: Blobs
    fitter: Fitter
    published: Published
    links: Links
    gatherer: Gatherer


async def _ground(stack: AsyncExitStack, settings: Settings, works: bool) -> Ground:
    blobs = _blobs(settings)
    store = await open_store(settings.database_url, beside=settings.writer == "process")
    stack.push_async_callback(store.close)
    node = Node(store, works, settings.node_lease)
    alone = await node.open()
    stack.push_async_callback(node.close)
    _check_role(settings.role, alone)
    in_doubt = await _in_doubt(store)
    keys = await setup.sealer_of(store, settings.secret_key, settings.database_url)
    customers, carriers, tokens = (
        Customers(store, keys),
        Carriers(store, keys),
        Tokens(store, keys, settings.token_lifetime),
    )
    lifetime = int(settings.media_url_lifetime * DAY)
    signing = Keyring(store, keys, lifetime)
    await _seal(keys, customers, carriers, tokens, signing)
    await signing.open()
    stack.push_async_callback(signing.close)
    published = Published(settings.public_address, signing.keys, lifetime)
    fetcher = Fetcher(
        most=settings.media_max, timeout=settings.media_timeout, allow_private=settings.media_allow_private
    )
    stack.push_async_callback(fetcher.close)
    return Ground(
        store, node, alone, in_doubt, keys, customers, Numbers(store), Routes(store), carriers, tokens, blobs,
        Fitter(blobs), published, Links(store, settings.public_address, signing.keys),
        Gatherer(fetcher, blobs, published),
    )  # fmt: skip


class Messaging(Struct):
    """What moves messages, and what it asks before it does."""

    recorder: Recorder
    habits: Habits
    mirror: Mirror
    limits: SegmentLimits
    sender_rules: SenderRules
    metering: Metering
    pools: Pools
    pooling: Pooling
    exchanges: Exchanges
    acceptor: Acceptor
    actor: Actor
    conversations: Conversations
    preparer: Preparer
    sweeper: Sweeper


def _messaging(ground: Ground, settings: Settings, outbox: Dispatcher, outbinds: Outbinds, duty: Mine) -> Messaging:
    store, customers, numbers, routes = ground.store, ground.customers, ground.numbers, ground.routes
    recorder = Recorder(store, Keeping(settings.trace, settings.trace_sample, settings.trace_text))
    live, habits, mirror = Live(), Habits(store), Mirror(store, ground.alone)
    limits, sender_rules = SegmentLimits(store), SenderRules(store, settings.sender_rules == "enforce")
    metering, pools = Metering(store, limits, duty), Pools(store)
    pooling = Pooling(store, pools, sender_rules, limits)
    gate = Gate(
        [OptedOut(store, customers, numbers, mirror), Marketing(customers, numbers)],
        at_claims=[Leaving(numbers, routes)],
        meter=metering,
    )
    policy = Policy(settings.unknown_destination == "refuse")
    receiver = Receiver(customers, numbers, outbox, policy, ground.published)
    means = book.Means(
        taped=settings.trace != "off", outbinds=outbinds, lease=ground.node.lease, blobs=ground.blobs,
        fitter=ground.fitter, published=ground.published,
    )  # fmt: skip
    linking = Linking(ground.links, settings.max_segments)
    settles = Means(customers, routes, receiver, outbox, recorder, habits, live, ground.node.id, linking)
    exchanges = Exchanges(
        store,
        ground.carriers,
        partial(book.make, means=means),
        lambda id, carrier: Exchange(store, Settling(id, carrier, settles, gate)),
        ground.alone,
    )
    acceptor = Acceptor(
        store, customers, numbers, routes, outbox, recorder, live, exchanges.get, gate, metering, sender_rules, pooling,
        ground.gatherer, Drafting(settings.max_segments),
    )  # fmt: skip
    conversations = Conversations(store, numbers, acceptor, ground.published)
    actor = Actor(store, customers, outbox, Reader(store, ground.published), recorder, live, ground.blobs)
    opt_out_words = OptOutWords(customers, numbers, acceptor, outbox, mirror)
    answering = Answering(store, numbers, Answers(settings.flow_answers))
    receiver.listeners, receiver.witnesses = (opt_out_words, answering), (conversations,)
    acceptor.followers = actor.forgetters = (conversations,)
    gate.barred = opt_out_words
    return Messaging(
        recorder,
        habits,
        mirror,
        limits,
        sender_rules,
        metering,
        pools,
        pooling,
        exchanges,
        acceptor,
        actor,
        conversations,
        Preparer(
            store, customers, routes, outbox, recorder, live, ground.node.id, ground.gatherer, ground.fitter, linking,
        ),
        Sweeper(store, settles, exchanges.knows, duty),
    )  # fmt: skip


async def _outbinds(stack: AsyncExitStack, listen: str) -> Outbinds:
    outbinds = Outbinds()
    if listen:
        await outbinds.open(listen)
        stack.push_async_callback(outbinds.close)
    return outbinds


async def _work(
    stack: AsyncExitStack, settings: Settings, ground: Ground, messaging: Messaging, health: Health, calls: Calls
) -> None:
    """Flows go on, and binds are opened: the last thing that is begun, and the first that ends."""
    engine = Engine(ground.store, ground.customers, ground.numbers, messaging.acceptor, messaging.conversations, calls)
    await engine.start(ground.alone)
    stack.push_async_callback(engine.stop)
    exchanges = messaging.exchanges
    await exchanges.open()
    stack.push_async_callback(exchanges.close, settings.drain_timeout)
    slots = Slots(ground.store, ground.node, exchanges.carriers, exchanges.closing, exchanges.context_of)
    exchanges.on_change = slots.ring
    await slots.open()
    stack.push_async_callback(slots.close)
    ground.node.on_part.append(health.tell_anew)


@asynccontextmanager
async def opened(settings: Settings, client: Requester) -> AsyncIterator[tuple[Services, int]]:
    """Everything but what speaks HTTP, working; and how many targets were in doubt before it was."""
    async with AsyncExitStack() as stack:
        works = settings.role != "api"
        ground = await _ground(stack, settings, works)
        store, customers = ground.store, ground.customers
        stack.push_async_callback(client.close)
        dispatcher = Dispatcher(store, customers, client, settings.webhook_timeout, shared=not ground.alone)
        if works:
            await dispatcher.open(ground.alone)
            stack.push_async_callback(dispatcher.close)
        duty = Duty(store, ground.node, "sweeps").is_mine
        outbinds = await _outbinds(stack, settings.outbind_listen if works else "")
        messaging = _messaging(ground, settings, dispatcher, outbinds, duty)
        exchanges = messaging.exchanges
        health, standing = Health(store, ground.node.id, exchanges.states), Standing(store, ground.node, exchanges)
        if works:
            # Of their answers the bodies are read; and what they look up is not to hold up a webhook.
            asking = Client(allow_private=settings.webhook_allow_private, timeout=settings.webhook_timeout)
            stack.push_async_callback(asking.close)
            calls = Calls(store, customers, asking, settings.webhook_timeout)
            await _work(stack, settings, ground, messaging, health, calls)
        last_uses, retention = LastUses(store), Retention(store, _kept(settings), duty)
        discarding = Discarding(store, ground.blobs, settings.retention_media, duty)
        setback = Setback(
            store, (*QUEUED_SET_BACK, *MEDIA_SET_BACK, *EVENTS_SET_BACK, *FLOWS_SET_BACK), dispatcher.set_back
        )
        removing = (retention, discarding)
        moving = (health, standing, messaging.sweeper, messaging.metering, messaging.preparer)
        working = (*moving, *removing, setback) if works else ()
        for part in (messaging.mirror, last_uses, *working):
            part.start()
            stack.push_async_callback(part.stop)
        stack.callback(asyncio.create_task(lag.measure()).cancel)
        services = _services(settings, ground, messaging, dispatcher, standing, last_uses, Trial(store, client))
        yield services, ground.in_doubt


def _services(
    settings: Settings,
    ground: Ground,
    messaging: Messaging,
    dispatcher: Dispatcher,
    standing: Standing,
    last_uses: LastUses,
    trial: Trial,
) -> Services:
    """What the API calls."""
    store, flows = ground.store, Flows(ground.store)
    uploads = Uploads(store, ground.blobs, ground.published, settings.media_max)
    return Services(
        store=store,
        sealer=ground.keys,
        node=ground.node,
        customers=ground.customers,
        callers=Callers(store, ground.tokens, last_uses.noted),
        accesskeys=AccessKeys(store, last_uses.noted),
        logins=Logins(store, ground.tokens, Attempts()),
        numbers=ground.numbers,
        opt_outs=OptOuts(store, messaging.mirror.make_known),
        consents=Consents(store),
        contacts=Contacts(store),
        routes=ground.routes,
        carriers=ground.carriers,
        exchanges=messaging.exchanges,
        published=ground.published,
        habits=messaging.habits,
        standing=standing,
        acceptor=messaging.acceptor,
        conversations=messaging.conversations,
        once=Once(store),
        reader=Reader(store, ground.published),
        actor=messaging.actor,
        segment_limits=messaging.limits,
        sender_rules=messaging.sender_rules,
        pools=messaging.pools,
        pooling=messaging.pooling,
        metering=messaging.metering,
        traces=Traces(store, messaging.recorder, messaging.exchanges.steps),
        dispatcher=dispatcher,
        deliveries=Deliveries(store, dispatcher.wake),
        trial=trial,
        flows=flows,
        activeflows=Activeflows(store, flows),
        departure=_departure(ground, messaging, uploads),
        blobs=ground.blobs,
        links=ground.links,
        uploads=uploads,
        **_told(settings),
    )


def _departure(ground: Ground, messaging: Messaging, uploads: Uploads) -> Departure:
    keepers = (messaging.limits, messaging.sender_rules, messaging.pools)
    drop_some = (partial(drop_waiting, ground.store), uploads.drop_all)
    return Departure(ground.store, ground.customers, ground.numbers, keepers, messaging.actor, *drop_some)


def _taker(services: Services, watch: Watch) -> Taker:
    return Taker(
        services.store, services.callers, services.customers, services.numbers, services.acceptor,
        services.limits.customer, watch,
    )  # fmt: skip


async def serve(settings: Settings, ready: Callable[[str, Store], None]) -> None:
    """Serves until SIGTERM, SIGINT or SIGHUP, then drains. `ready` gets the address once requests are answered.

    SettingError for settings that cannot work; Unavailable where the store cannot be opened.
    """
    make_room(settings.max_connections, 2 * MOST_CONNECTIONS)  # for webhooks, and for flows
    sock = listener(settings.listen)
    host, port = sock.getsockname()[:2]
    settings = replace(settings, listen=f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    async with edge(settings, sock, MAX_HELD) as http, opened(settings, http.client) as (services, in_doubt):
        loop = asyncio.get_running_loop()

        def end() -> None:
            http.end()
            loop.call_later(END_S, _end_now)

        async def up() -> None:
            spare_the_collector()
            _warn_of_addresses(settings, host)
            log.info("started", extra=_described(settings, f"{host}:{port}", in_doubt))
            ready(f"http://{host}:{port}", services.store)

        loop.add_signal_handler(signal.SIGTERM, end)
        loop.add_signal_handler(signal.SIGINT, end)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
            loop.add_signal_handler(signal.SIGHUP, end)
        watch = Watch(settings.log_requests)
        await http.serve(Watched(Application(services), watch), _taker(services, watch), up)
        log.info("no more requests; waiting for what is in flight")
    log.info("ended")
