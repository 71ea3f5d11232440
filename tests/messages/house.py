"""The parts that messages go through, put together as the program does it, around a carrier of the tests' own."""

import asyncio
import weakref
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, TypeVar

import msgspec

from messagehub import clock, ids
from messagehub.accounts import customers
from messagehub.accounts.customers import Customer, Customers
from messagehub.blobs import Blobs
from messagehub.carriers.book import CarrierRow, Carriers
from messagehub.carriers.carrier import Accepted, Receipt, TargetKey, Verdict
from messagehub.carriers.fitting import Fitter
from messagehub.carriers.wire import Step
from messagehub.clock import NEVER, SECOND
from messagehub.events import EVENT_TYPES, Event
from messagehub.messages.accept import Acceptor
from messagehub.messages.acts import Actor
from messagehub.messages.drafting import Drafting
from messagehub.messages.exchange import Exchange
from messagehub.messages.gate import Gate
from messagehub.messages.gathering import Gatherer
from messagehub.messages.habits import Habits
from messagehub.messages.leaving import Leaving
from messagehub.messages.letting import Linking
from messagehub.messages.limits import Limits
from messagehub.messages.live import Live
from messagehub.messages.marketing import Marketing
from messagehub.messages.media import Preparer
from messagehub.messages.metering import Metering
from messagehub.messages.optouts import OptedOut, OptOutWords
from messagehub.messages.pooling import Pooling
from messagehub.messages.reading import Reader
from messagehub.messages.receive import Policy, Receiver
from messagehub.messages.recorder import Keeping, Recorder
from messagehub.messages.settling import Means, Settling
from messagehub.messages.sweep import Sweeper
from messagehub.numbers import Numbers
from messagehub.people.mirror import Mirror
from messagehub.people.opt_outs import OptOuts
from messagehub.published import Links, Published
from messagehub.routing import Routes
from messagehub.sealing import Sealer
from messagehub.senders.pools import Pools
from messagehub.senders.rules import SenderRules
from messagehub.shapes import Message, MessageGiven
from messagehub.store import Insert, Row, Store
from messagehub.web import Fetcher
from messagehub.webhooks.sign import new_secret
from tests.messages.peer import Peer

T = TypeVar("T")
Json = dict[str, Any]

SOURCE = "+15551234567"
ALL = Keeping("all")
HERE = "https://hub.test"
WEEK = 7 * 24 * 3600 * SECOND
ANNE, BERT, CARL = "+442079460001", "+442079460002", "+442079460003"
PATIENCE_S = 40.0


class Outbox:
    """Events stay in the store, as they do for an outbox that is full."""

    shared = False

    def due_at(self, customer_id: str, message_id: str, now: int) -> int:
        return now

    def offer(self, events: Sequence[Event]) -> None:
        return


class House:
    def __init__(self, store: Store, keeping: Keeping = ALL) -> None:
        self.store, self.outbox = store, Outbox()
        self.customers, self.numbers, self.routes = Customers(store, Sealer()), Numbers(store), Routes(store)
        self.recorder = Recorder(store, keeping)
        self.mirror, self.limits, self.sender_rules = Mirror(store), Limits(store), SenderRules(store)
        self.metering, self.pools = Metering(store, self.limits), Pools(store)
        self.gate = Gate(
            [OptedOut(store, self.customers, self.numbers, self.mirror), Marketing(self.customers, self.numbers)],
            at_claims=[Leaving(self.numbers, self.routes)],
            meter=self.metering,
        )
        self.media = Path(mkdtemp())
        self._remove_media = weakref.finalize(self, rmtree, self.media, ignore_errors=True)
        self.blobs, self.published = Blobs(self.media), Published(HERE, [b"key"], WEEK)
        self.links = Links(store, HERE, [b"key"])
        self.linking = Linking(self.links, 10)
        self.fetcher = Fetcher(most=1_000_000, timeout=2.0, allow_private=True)
        self.gatherer = Gatherer(self.fetcher, self.blobs, self.published)
        self.reader, self.opt_outs = Reader(store, self.published), OptOuts(store, self.mirror.make_known)
        self.lives: defaultdict[str, Live] = defaultdict(Live)
        here = self.lives["here"]
        self.actor = Actor(store, self.customers, self.outbox, self.reader, self.recorder, here, self.blobs)
        self.acceptor = Acceptor(
            store,
            self.customers,
            self.numbers,
            self.routes,
            self.outbox,
            self.recorder,
            here,
            self.exchange_with,
            self.gate,
            self.metering,
            self.sender_rules,
            Pooling(store, self.pools, self.sender_rules, self.limits),
            self.gatherer,
            Drafting(10),
        )
        self.receiver = self.receiver_of(Policy(False))
        self.opt_out_words = OptOutWords(self.customers, self.numbers, self.acceptor, self.outbox, self.mirror)
        self.receiver.listeners, self.gate.barred = [self.opt_out_words], self.opt_out_words
        self.habits = Habits(store)
        self.sweeper = Sweeper(store, self.means("sweeper", Live()), self.knows)
        self.preparer = self.preparer_of("here")
        self.peer = Peer()
        self.customer: Customer
        self.carrier_id = ""
        self._open: list[Exchange] = []

    def exchange_with(self, carrier_id: str) -> Exchange | None:
        return next((exchange for exchange in self._open if exchange.carrier_id == carrier_id), None)

    def knows(self, carrier_id: str, key: TargetKey) -> bool:
        return any(exchange.knows(key) for exchange in self._open if exchange.carrier_id == carrier_id)

    def on_its_way(self, carrier_id: str, key: TargetKey) -> list[Step]:
        return [step for one in self._open if one.carrier_id == carrier_id for step in one.carrier.steps(key)]

    def receiver_of(self, policy: Policy) -> Receiver:
        return Receiver(self.customers, self.numbers, self.outbox, policy, self.published)

    def preparer_of(self, node: str) -> Preparer:
        """Who brings the media of messages, on a node."""
        know = (self.store, self.customers, self.routes, self.outbox, self.recorder, self.lives[node])
        return Preparer(*know, node, self.gatherer, Fitter(self.blobs), self.linking)

    async def furnish(self) -> None:
        """A customer with a number, and a carrier to which everything goes."""
        now = clock.now()
        self.customer = customers.new(
            name="c",
            now=now,
            webhook_secret=new_secret(),
            webhook_uri="http://hook.test/",
            webhook_events=EVENT_TYPES[:2],
        )
        await self.store.write([Insert("insert_customer", [self.customer.as_row(Sealer())])])
        number = {"customer_id": self.customer.id, "number": SOURCE, "name": "", "detail": ""}
        await self.numbers.add(now, **number, message_flow_id=ids.UNSET)
        config = {"host": "carrier.test", "port": 2775, "system_id": "me", "password": ""}
        self.carrier_id = (await Carriers(self.store, Sealer()).add("carrier", "smpp", config, False, now)).id
        await self.routes.add(now, carrier_id=self.carrier_id)

    async def change(self, **changes: Any) -> None:
        self.customer = await self.customers.change(self.customer.id, clock.now(), **changes)

    async def configure(self, **config: Any) -> CarrierRow:
        """Changes the config of the carrier."""
        return await Carriers(self.store, Sealer()).change(self.carrier_id, clock.now(), settings=config)

    async def failover(self, name: str = "second", priority: int = 2, prefix: str = "") -> str:
        """Another carrier, to which a route of a later priority leads."""
        now = clock.now()
        config = {"host": f"{name}.test", "port": 2775, "system_id": "me", "password": ""}
        carrier = await Carriers(self.store, Sealer()).add(name, "smpp", config, False, now)
        await self.routes.add(now, carrier_id=carrier.id, priority=priority, prefix=prefix)
        return carrier.id

    def means(self, node: str, live: Live) -> Means:
        return Means(
            self.customers,
            self.routes,
            self.receiver,
            self.outbox,
            self.recorder,
            self.habits,
            live,
            node,
            self.linking,
        )

    async def open(self, peer: Peer | None = None, node: str = "here", carrier_id: str = "") -> Exchange:
        """An exchange with a peer, on a node that lives."""
        await self.store.run("keep_lease", id=node, name="", works=1, tm_lease=NEVER)
        means = self.means(node, self.lives[node])
        settling = Settling(carrier_id or self.carrier_id, peer or self.peer, means, self.gate)
        exchange = Exchange(self.store, settling)
        exchange.open()
        self._open.append(exchange)
        return exchange

    def take_open(self) -> list[Exchange]:
        """The exchanges that are open, which are the caller's to close from now on."""
        taken, self._open = self._open, []
        return taken

    async def close(self) -> None:
        while self._open:
            await self._open.pop().close(0)
        await self.preparer.stop()
        await self.fetcher.close()
        self._remove_media()

    # --- doing --------------------------------------------------------------------------

    async def send(self, *to: str, text: str = "Hello", **more: Any) -> Message:
        given = MessageGiven(source=SOURCE, destinations=list(to) or [ANNE], text=text, **more)
        return await self.acceptor.accept(self.customer.id, given)

    async def handed(self, *to: str, text: str = "Hello", **more: Any) -> list[TargetKey]:
        """The keys of a message's targets, once the peer has them."""
        message = await self.send(*to, text=text, **more)
        keys = [(message.id, n) for n in range(message.target_count)]
        await eventually(lambda: set(keys) <= {handover.key for handover in self.peer.handed})
        return keys

    async def accepted(self, *to: str, names: Sequence[str], text: str = "Hello", **more: Any) -> TargetKey:
        """The key of a message's only target, once it is sent."""
        (key,) = await self.handed(*to, text=text, **more)
        self.peer.tell(Accepted(key, list(names)))
        await self.until(key, "sent")
        return key

    async def receipt(
        self, name: str, state: str, destination: str = ANNE, words: str = "", is_by_shape: bool = False
    ) -> None:
        """The peer tells a receipt, which is answered."""
        ticket = object()
        self.peer.tell(Receipt(name, state, words, destination, ticket, is_by_shape=is_by_shape))
        await eventually(lambda: ticket in self.peer.answers)
        assert self.peer.answers[ticket] is Verdict.TAKEN

    async def receipt_from(self, peer: Peer, name: str, state: str = "delivered", destination: str = ANNE) -> None:
        """Likewise, where there are several."""
        ticket = object()
        peer.tell(Receipt(name, state, "", destination, ticket))
        await eventually(lambda: ticket in peer.answers)

    # --- seeing -------------------------------------------------------------------------

    async def row(self, key: TargetKey) -> Row:
        (row,) = await self.store.all("targets_of_message", message_id=key[0], first=key[1], end=key[1] + 1)
        return row

    async def until(self, key: TargetKey, *statuses: str) -> Row:
        """The target, as soon as it has one of these statuses, and what follows its commit in memory is done."""

        async def ask() -> Row | None:
            row = await self.row(key)
            return row if row.status in statuses else None

        row = await eventually_so(ask, f"{key} {statuses}")
        with suppress(TimeoutError):
            await self._end_of_turns(1)
        return row

    async def fill(self, places: int = 0) -> None:
        """The window of the peer has so many places from now on."""
        self.peer.window = places
        await self._end_of_turns(PATIENCE_S)

    async def _end_of_turns(self, within: float) -> None:
        """Those that are under way may claim, or make known."""
        async with asyncio.timeout(within):
            for exchange in self._open:
                async with exchange._turning:
                    pass

    async def statuses(self, message_id: str) -> list[str]:
        rows = await self.store.all("targets_of_message", message_id=message_id, first=0, end=1000)
        return [row.status for row in rows]

    async def seen(self, message_id: str) -> Message:
        """The message as its customer sees it."""
        return await self.reader.one(self.customer.id, message_id)

    async def told(self, message_id: str = "") -> list[Json]:
        """The `data` of the events that were stored, in the order of their making."""
        span = {"customer_id": self.customer.id, "behind": "", "before": "~", "count": 1000}
        found = [
            {"customer_id": row.customer_id, "id": row.id} for row in await self.store.all("deliveries_from", **span)
        ]
        rows = await self.store.many("delivery_by_id", found)
        bodies = [msgspec.json.decode(row.body) for row in sorted(rows, key=lambda row: row.id)]
        shown = [{**body["data"], "event": body["type"]} for body in bodies]
        return [data for data in shown if message_id in ("", data["id"])]

    async def steps(self, message_id: str) -> list[tuple[int, list[str]]]:
        """What the events of a message told: the sequence and the new statuses of each."""
        told = await self.told(message_id)
        return [(data["sequence"], [target["status"] for target in data["changed"]]) for data in told]


async def eventually(ask: Callable[[], T], what: str = "it") -> T:
    async def answer() -> T:
        return ask()

    return await eventually_so(answer, what)


async def eventually_so(ask: Callable[[], Awaitable[T | None]], what: str = "it") -> T:
    """What `ask` gives, as soon as that is true."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    while not (answer := await ask()):
        assert loop.time() < end, f"{what}: not within {PATIENCE_S:g} s"
        await asyncio.sleep(0.002)
    return answer
