"""Accepting a message: checks, routing, counting; then message, targets and event in one commit, then the answer."""

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from messagehub import clock, ids
from messagehub.accounts.customers import Customer, Customers
from messagehub.carriers.carrier import Handover
from messagehub.carriers.wire import Step
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.events import Event, Outbox
from messagehub.logs import about, known
from messagehub.messages import letting, mms, options, timing, tlvs, variables
from messagehub.messages.drafting import Draft, Drafting, destinations_of, lane_of, not_carried
from messagehub.messages.entering import Entering
from messagehub.messages.exchange import Exchange
from messagehub.messages.gate import Gate, Stop
from messagehub.messages.gathering import Gatherer
from messagehub.messages.limits import Limit
from messagehub.messages.live import Live
from messagehub.messages.media import PREPARATIONS
from messagehub.messages.metering import Metering
from messagehub.messages.options import Media, Options
from messagehub.messages.pooling import Pooling
from messagehub.messages.recorder import ACCEPTED, Recorder
from messagehub.messages.rows import SHOWN, MessageRow, detail_of, message_shape
from messagehub.messages.status import ERROR_CODES, Status
from messagehub.messages.target import Target, due_topic
from messagehub.messages.telling import EVENT_QUERIES, Teller
from messagehub.messages.variables import Own
from messagehub.messages.ways import NO_ROUTE
from messagehub.metrics import COUNTS
from messagehub.numbers import Number, Numbers
from messagehub.routing import Routes, Table
from messagehub.senders.rules import SenderRules
from messagehub.shapes import AddressGiven, Message, MessageGiven
from messagehub.shapes.members import MessageKind
from messagehub.store import Insert, Store, Tx

log = logging.getLogger(__name__)

SOON = 1
"""Microseconds after it was accepted: what is not handed over with the commit, and may go as soon as it is claimed."""
NONE: Sequence[str] = ()
QUEUED, FAILED = Status.QUEUED, Status.FAILED  # members of an enumeration are found slowly


class Accepted(Struct):
    """What is to be written for one request."""

    message: MessageRow
    targets: list[Target]
    events: list[Event]
    step: Step
    """For the traces of its targets."""
    now: int
    """When it was accepted; targets that may go at once are due then."""
    expire_at: int = NEVER
    """When the first of its targets may not go any more."""
    hands: list[tuple[Exchange, int, Handover]] = field(default_factory=list)
    """What is handed over at once: to whom, and how many segments' worth of room was kept for it."""
    handed: list[Target] = field(default_factory=list)
    """The targets of these."""
    waits: list[tuple[Entering, int, int]] = field(default_factory=list)
    """Where others are counted that wait their turn, how many segments of each, and in which lane."""
    more: list[Insert] = field(default_factory=list)
    """What else is written with it."""
    limits: list[Limit] = field(default_factory=list)
    """Those that it is counted in when it is entered."""
    waits_for_media: bool = False

    def shape(self) -> Message:
        return message_shape(self.message, self.targets[:SHOWN], clock.plain)


class Follower(Protocol):
    async def follow(self, tx: Tx, message: MessageRow, targets: Sequence[Target]) -> Iterable[Insert]:
        """What is written of the message elsewhere, in the commit that accepts it.

        `tx` may be the store itself, as for a check of the gate, and is asked as seldom.
        """


class Acceptor:
    followers: Sequence[Follower] = ()

    def __init__(
        self,
        store: Store,
        customers: Customers,
        owned: Numbers,
        routes: Routes,
        outbox: Outbox,
        recorder: Recorder,
        live: Live,
        exchange_with: Callable[[str], Exchange | None],
        gate: Gate,
        metering: Metering,
        senders: SenderRules,
        pooling: Pooling,
        gatherer: Gatherer,
        drafting: Drafting,
    ) -> None:
        self._store, self._customers, self._numbers, self._routes = store, customers, owned, routes
        self._outbox, self._recorder, self._live = outbox, recorder, live
        self._exchange_with, self._gate, self._metering = exchange_with, gate, metering
        self._senders, self._pooling, self._gatherer, self._drafting = senders, pooling, gatherer, drafting

    async def accept(self, customer_id: str, given: MessageGiven) -> Message:
        """The message as it was stored. Refusal names the field that is wrong; Unavailable: nothing was accepted,
        unless it is Unsettled."""
        accepted = await self.prepare(self._store, customer_id, given)
        await self.commit(accepted)
        return accepted.shape()

    async def commit(self, accepted: Accepted, also: Callable[[Accepted], Sequence[Insert]] | None = None) -> None:
        """Writes what was prepared, and makes it known. `also`: what is written with it, once its shape is settled."""
        if not accepted.limits:
            return await self.commit_all([accepted], also)
        try:
            self._hand(accepted, also)
            await self._store.transaction(partial(self._enter, accepted))
            self._make_all_known([accepted])
        finally:
            _release([accepted])

    async def commit_all(
        self, batch: Sequence[Accepted], also: Callable[[Accepted], Sequence[Insert]] | None = None
    ) -> None:
        """As `commit`, for several that are counted in no limit: all of them or none."""
        try:
            for accepted in batch:
                self._hand(accepted, also)
            await self._store.write([insert for accepted in batch for insert in self._inserts(accepted)])
            self._make_all_known(batch)
        finally:
            _release(batch)

    async def prepare_drafts(self, customer: Customer, drafts: Sequence[tuple[Draft, bytes]]) -> list[Accepted]:
        """As `prepare`, for drafts of one customer and one number of its own, each with the id of its request.

        None of them where a limit for accepting counts them: who is told no must be told by which.
        """
        now, table = clock.now(), (await self._routes.table(self._store)).of("sms")
        messages = [self._drafted(draft, customer.id, table, now) for draft, _ in drafts]
        targets = [target for _, targets_of_one in messages for target in targets_of_one]
        if await self._stop_some(self._store, customer.id, targets, now):
            return []
        return [
            await self._settled(self._store, customer, message, targets, table, now, request_id)
            for (message, targets), (_, request_id) in zip(messages, drafts, strict=True)
        ]

    async def prepare(self, tx: Tx, customer_id: str, given: MessageGiven, notice: str = "") -> Accepted:
        """All that is to be written for a message, checked, routed and counted. Refusal as with `accept`.

        Whoever has a transaction under way prepares and enters a message in it, and makes it known after the commit.
        `notice`: to what it is the answer, where no opt-out stops it, and no limit for accepting.
        """
        kind = mms.kind_of(given)
        source, number = await self._source(tx, given.source, customer_id)
        destinations, own_sources = destinations_of(given.destinations), NONE
        if number is None or number.number[0] != "+":
            source, own_sources = await self._sent_by(tx, customer_id, source, number, destinations)
        customer = await self._customers.get(tx, customer_id)
        smart = options.is_smart(given, customer)
        if kind == "mms":
            asked, parts, own_texts = await self._said_with_media(tx, customer_id, given, destinations, smart)
        else:
            asked, parts, own_texts = self._drafting.said(given, destinations, smart, notice)
        if own_sources:
            asked = options.by_pool(asked, source.target)
        table = (await self._routes.table(tx)).of(kind)
        if given.tlvs:
            tlvs.check(given.tlvs, table, customer_id, (to.target for to in destinations))
        message_id, tm_create = ids.new_with_time()
        now = min(tm_create, clock.now())  # ids go on growing where a clock is set back; nothing is to wait for it
        if now < tm_create and (asked.validity or asked.spread_over):
            asked = replace(asked, since=now)
        message = MessageRow(
            id=message_id, customer_id=customer_id, direction="outbound", source=source.target,
            source_detail=detail_of(source), text=given.text, options=options.write(asked), on_doubt=given.on_doubt,
            target_count=len(destinations), tm_create=tm_create,
        )  # fmt: skip
        lane = lane_of(given, asked)
        targets = [
            _target(message, n, to.target, detail_of(to), parts, lane, table, now) for n, to in enumerate(destinations)
        ]
        if own_texts:
            self._tell_apart(targets, destinations, own_texts, kind)
        if own_sources:
            for target, own_source in zip(targets, own_sources, strict=True):
                target.source = target.own_source = own_source
        if asked.schedule_at or asked.spread_over:
            _schedule(targets, asked, now)
        limits = await self._stop_some(tx, customer_id, targets, now)
        waits_for_media = kind == "mms" and _hold(targets, asked)
        accepted = await self._settled(tx, customer, message, targets, table, now, known("request_id"))
        accepted.waits_for_media = waits_for_media
        if asked.validity:
            accepted.expire_at = timing.expiry(asked, 0, len(targets), tm_create)
        if limits and not notice:  # whoever says STOP is told so, however much its customer has been given
            accepted.limits = limits
        return accepted

    def _drafted(self, draft: Draft, customer_id: str, table: Table, now: int) -> tuple[MessageRow, list[Target]]:
        message = draft.row(customer_id)
        return message, [
            _target(message, n, to, detail, draft.parts, draft.lane, table, now)
            for n, (to, detail) in enumerate(draft.destinations)
        ]

    async def _stop_some(self, tx: Tx, customer_id: str, targets: Sequence[Target], now: int) -> list[Limit]:
        """Those that may not go now wait, or never go. All have one source; the limits in which that is counted."""
        if stops := await self._gate.stops(tx, targets, now):
            for target in targets:
                if stop := stops.get((target.message_id, target.n)):
                    _stop(target, stop, now)
        counted, limits = await self._metering.asked(tx, customer_id, targets)
        for target, _ in counted:  # they may go when a claim has counted them
            _stop(target, Stop("", until=now), now)
        return limits

    async def _settled(
        self,
        tx: Tx,
        customer: Customer,
        message: MessageRow,
        targets: list[Target],
        table: Table,
        now: int,
        request_id: bytes | None,
    ) -> Accepted:
        """With all that is told of it, and written beside it."""
        failed = [target for target in targets if target.status is FAILED]
        message.waiting_count = len(targets) - len(failed)
        step = (now, ACCEPTED, request_id, targets, table, [target.carrier_id for target in targets])
        events = self._events(customer, message, targets, failed, now)
        accepted = Accepted(message, targets, events, step, now)
        if events and not all(event.leased for event in events):
            _be_told_elsewhere(targets)
        for follower in self.followers:
            accepted.more += await follower.follow(tx, message, targets)
        return accepted

    async def enter(self, tx: Tx, accepted: Accepted) -> None:
        """Writes what was prepared. Refusal where it is more than its customer may be given now."""
        if accepted.limits:
            await self._metering.accept(tx, accepted.limits, accepted.targets, accepted.now)
        for query, rows in self._inserts(accepted):
            await tx.many(query, rows)

    async def _enter(self, accepted: Accepted, tx: Tx) -> None:
        await self.enter(tx, accepted)

    def _hand(self, accepted: Accepted, also: Callable[[Accepted], Sequence[Insert]] | None) -> None:
        """What has nothing before it that waits, and a window with room, is stored as handed over."""
        for target in accepted.targets:
            exchange = self._exchange_with(target.carrier_id) if target.due_at == accepted.now else None
            if exchange and exchange.reserve(segments := target.parts, target.lane):
                accepted.hands.append((exchange, segments, _handover(exchange, segments, target, accepted.now)))
                accepted.handed.append(target)
            elif exchange:
                accepted.waits.append((exchange.entering, segments, target.lane))
        if also:
            accepted.more += also(accepted)

    def make_known(self, accepted: Accepted) -> None:
        """After the commit of whoever has entered it. Nothing of it was handed over."""
        self._recorder.begin(accepted.targets, accepted.step)
        self._tell(accepted)

    def _make_all_known(self, batch: Sequence[Accepted]) -> None:
        """After the commit. They are accepted, whatever goes wrong here: nobody may be told otherwise."""
        for accepted in batch:
            try:
                self._recorder.begin(accepted.targets, accepted.step)
                self._live.keep(accepted.handed)
            except Exception:
                _log_fault(accepted)
        _send(batch)
        for accepted in batch:
            try:
                self._tell(accepted)
            except Exception:
                _log_fault(accepted)

    def _tell(self, accepted: Accepted) -> None:
        message, targets = accepted.message, accepted.targets
        COUNTS.messages += 1
        if message.options and options.kind_of(message.options) == "mms":
            COUNTS.mms["outbound"] += 1
        COUNTS.targets += len(targets)
        COUNTS.reached[FAILED] += message.target_count - message.waiting_count
        if message.waiting_count > len(accepted.handed):
            self._say_what_is_due(targets, accepted.now)
        if accepted.waits_for_media:
            self._store.notify(PREPARATIONS)
        if accepted.events:
            self._outbox.offer(accepted.events)

    def _say_what_is_due(self, targets: Sequence[Target], now: int) -> None:
        soon = (now, now + SOON)
        waiting = [one for one in targets if one.status is QUEUED and one.due_at in soon]
        for carrier_id, lane in {(one.carrier_id, one.lane) for one in waiting}:
            self._store.notify(due_topic(carrier_id, lane))

    def _inserts(self, accepted: Accepted) -> list[Insert]:
        message, targets = accepted.message, accepted.targets
        inserts = [Insert("insert_message", [message]), Insert("insert_target", targets)]
        if accepted.events:
            inserts += [Insert(query, accepted.events) for query in EVENT_QUERIES]
        if accepted.expire_at < NEVER and message.waiting_count:
            inserts.append(Insert("insert_expiry", [{"message_id": message.id, "due_at": accepted.expire_at}]))
        if accepted.waits_for_media:
            waiting = {"message_id": message.id, "customer_id": message.customer_id, "due_at": accepted.now}
            inserts.append(Insert("insert_preparation", [waiting]))
        has_failed = message.waiting_count < message.target_count
        if has_failed and (rows := self._recorder.failed(targets, accepted.step)):
            inserts.append(Insert("insert_trace", rows))
        return inserts + accepted.more if accepted.more else inserts

    async def _source(self, tx: Tx, given: str | AddressGiven, customer_id: str) -> tuple[AddressGiven, Number | None]:
        """Without a number where it is a pool."""
        source = AddressGiven(target=given) if isinstance(given, str) else given
        if source.type == "pool":
            return source, None
        if source.type != "tel":
            raise not_carried(source, "source", "INVALID_SOURCE")
        number = await self._numbers.find(tx, source.target)
        if number is None or number.customer_id != customer_id:
            raise Refusal("INVALID_SOURCE", f"source: {source.target!r} is no number of yours; GET /numbers lists them")
        return source, number

    async def _sent_by(
        self, tx: Tx, customer_id: str, source: AddressGiven, number: Number | None, to: Sequence[AddressGiven]
    ) -> tuple[AddressGiven, Sequence[str]]:
        """The source of the message; and those of its targets, where a pool chose one for each of several."""
        destinations = [address.target for address in to]
        if number:
            await self._senders.check(tx, number, destinations)
            return source, NONE
        pool, numbers = await self._pooling.choose(tx, customer_id, source.target, destinations)
        if len(numbers) == 1:
            return replace(source, type="tel", target=numbers[0].number), NONE
        return replace(source, target=pool.name), [number.number for number in numbers]

    async def _said_with_media(
        self, tx: Tx, customer_id: str, given: MessageGiven, to: Sequence[AddressGiven], smart: bool
    ) -> tuple[Options, int, list[Own] | None]:
        """As `Drafting.said`, for an MMS. What is kept here already is looked at where that holds up no transaction."""
        self._gatherer.check(given.medias)
        mms.check_length(given.text)
        own = variables.own_texts(given.text, to, False, mms.check_length)
        medias = tuple(Media(one.url, one.type) for one in given.medias)
        asked = options.with_media(options.asked(given, False), given, smart, medias)
        if medias and not given.fallback and tx is self._store:
            until = timing.wanted_until(asked, len(to), clock.now())
            asked = options.with_found(asked, await self._gatherer.known(customer_id, medias, until) or medias)
        return asked, 1, own

    def _tell_apart(
        self, targets: Sequence[Target], to: Sequence[AddressGiven], own: Sequence[Own], kind: MessageKind
    ) -> None:
        """Each gets its own text."""
        for target, address, said in zip(targets, to, own, strict=True):
            if kind == "sms":
                target.parts = self._drafting.parts(said.sent_text or said.text, variables.field(target.n))
            elif not said.text:
                raise Refusal("INVALID_TEXT", f"{variables.field(target.n)} is empty")
            target.destination_detail = detail_of(address, said)

    def _events(
        self, customer: Customer, message: MessageRow, targets: Sequence[Target], failed: Sequence[Target], now: int
    ) -> list[Event]:
        events = []
        if customer.wants("message_created"):
            events.append(Teller(self._outbox, now).about("message_created", message, targets[:SHOWN]))
        if failed and customer.wants("message_updated", FAILED):
            teller = Teller(self._outbox, now)
            events.append(teller.updated(message, targets if len(targets) <= SHOWN else failed, failed, 0))
        return events


def _log_fault(accepted: Accepted) -> None:
    """What fails of one message, or at one carrier, is no reason to leave others undone."""
    fields = about(message_id=accepted.message.id, customer_id=accepted.message.customer_id)
    log.exception("a message was accepted, and not all of it could be made known", extra=fields)


def _release(batch: Sequence[Accepted]) -> None:
    for accepted in batch:
        for exchange, segments, _ in accepted.hands:
            exchange.release(segments)
        for entering, segments, lane in accepted.waits:
            entering.entered(segments, lane)


def _handover(exchange: Exchange, segments: int, target: Target, now: int) -> Handover:
    """What is handed over of a target for which room is kept; where that fails, the room is others' again."""
    try:
        return exchange.hand(target, now)
    except Exception:
        exchange.release(segments)
        raise


def _send(batch: Sequence[Accepted]) -> None:
    """To each carrier at once what is handed over to it, now that this is on disk."""
    handovers: dict[Exchange, list[Handover]] = {}
    for accepted in batch:
        for exchange, _, handover in accepted.hands:
            handovers.setdefault(exchange, []).append(handover)
    for exchange, some in handovers.items():
        try:
            exchange.send(some)
        except Exception:
            _log_fault(batch[0])


def _target(message: MessageRow, n: int, to: str, detail: str, parts: int, lane: int, table: Table, now: int) -> Target:
    target = Target(
        message.id, n, message.customer_id, to, detail, QUEUED, parts, "", lane, now, message.source,
        message.source_detail, message.text, message.on_doubt, message.target_count, message.tm_create,
    )  # fmt: skip
    target.options, target.told_elsewhere = message.options, False
    if route := table.first(to, message.customer_id, random.random):
        target.carrier_id = route.carrier_id
    elif options.kind_of(message.options) == "sms":
        _fail(target, now, "no_route")
    elif not options.read(message.options).fallback:
        _fail(target, now, "no_route", NO_ROUTE)
    return target


def _be_told_elsewhere(targets: Sequence[Target]) -> None:
    for target in targets:
        target.told_elsewhere = True


def _fail(target: Target, now: int, code: str, words: str = "") -> None:
    target.status, target.due_at, target.tm_update = FAILED, None, now
    target.error_code, target.error_message = code, words or ERROR_CODES[code]


def _schedule(targets: Sequence[Target], asked: Options, now: int) -> None:
    """They wait for their time, where that is still to come."""
    for target in targets:
        at = timing.start(asked, target.n, target.target_count, now)
        if at > now and target.status is QUEUED:
            target.due_at, target.error_code = at, timing.why_it_waits(asked, target.n)


def _hold(targets: Sequence[Target], asked: Options) -> bool:
    """Whether some wait until their media are here. By which carrier they go is found out then."""
    waiting = [target for target in targets if target.status is QUEUED] if asked.is_wanting else []
    for target in waiting:
        letting.hold(target)
    return bool(waiting)


def _stop(target: Target, stop: Stop, now: int) -> None:
    """Before it is stored: it waits, or never goes. Nothing stops what has no route, or only before it is due."""
    if target.status is not QUEUED:
        return
    if stop.until is None:
        _fail(target, now, stop.code, stop.words)
    elif target.due_at == now or stop.until > (target.due_at or now):
        target.due_at, target.error_code, target.error_message = max(stop.until, now + SOON), stop.code, stop.words
