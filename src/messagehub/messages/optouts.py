"""Opt-outs on the way of messages: who is out gets none, and who says STOP is out before the carrier is answered."""

import logging
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field

from messagehub.accounts.customers import Customer, Customers
from messagehub.carriers.carrier import TargetKey
from messagehub.clock import SECOND, iso
from messagehub.errors import Refusal
from messagehub.events import Outbox
from messagehub.logs import about
from messagehub.messages import options
from messagehub.messages.accept import Acceptor
from messagehub.messages.gate import Stop
from messagehub.messages.receive import Heard
from messagehub.messages.rows import MessageRow
from messagehub.messages.target import Target
from messagehub.messages.telling import Teller, Told, store_events
from messagehub.numbers import Number, Numbers, is_e164, is_toll_free
from messagehub.people import opt_outs, phrases, replies, scopes, words
from messagehub.people.mirror import NOBODY, Mirror, Outs
from messagehub.people.opt_outs import Change, Entry
from messagehub.people.words import Said
from messagehub.shapes import EventType, MessageGiven, OptOutSource, OptOutStatus, OptOutTold
from messagehub.store import Row, Store, Tx

log = logging.getLogger(__name__)

OUT = Stop("opted_out")
LATER = Stop("", until=0)
"""It is not known here whether the person is out: the claim will see. Not to be handed over at once."""

NONE: dict[TargetKey, Stop] = {}

Person = tuple[str, str]
"""The ids of a customer, and an address."""

NOTICE_AGAIN = 8 * 3600 * SECOND
"""How often a person is told the same at most, after three times: two robots do not answer each other for ever."""

NOTICE_VALIDITY_S = 300
"""A confirmation that comes later than within five minutes is none: 47 CFR 64.1200(a)(12)."""

NETWORK = "NETWORK MSG:"
"""How what a network itself answers to a STOP begins, on toll-free numbers of the USA."""

OF_NETWORK = ("STOP", "UNSTOP", "START")
"""What it answers so there."""


class OptedOut:
    """The check. Accepting asks memory; a transaction asks the store, which is what counts."""

    def __init__(self, store: Store, customers: Customers, numbers: Numbers, mirror: Mirror) -> None:
        self._store, self._customers, self._numbers, self._mirror = store, customers, numbers, mirror

    async def stops(self, tx: Tx, targets: Sequence[Target], now: int) -> Mapping[TargetKey, Stop]:
        if not targets:
            return NONE
        if tx is self._store:
            outs = self._mirror.of(targets[0].customer_id)
            return NONE if outs == NOBODY else await self._by_memory(targets, outs)
        people = {(one.customer_id, one.destination) for one in targets}
        keys = [{"customer_id": customer_id, "address": address} for customer_id, address in sorted(people)]
        if not (stands := _stands(await opt_outs.in_force(tx, keys))):
            return NONE
        return await self._of(tx, [(one, stands.get((one.customer_id, one.destination))) for one in targets])

    async def _by_memory(self, targets: Sequence[Target], outs: Outs | None) -> Mapping[TargetKey, Stop]:
        """All are of one customer. `outs`: those of it, where they are known."""
        if outs is None and (outs := await self._mirror.load(targets[0].customer_id)) is None:
            return {(one.message_id, one.n): LATER for one in targets}
        if not outs:
            return NONE
        return await self._of(self._store, [(one, outs.get(one.destination)) for one in targets])

    async def _of(self, tx: Tx, stands: Sequence[tuple[Target, Mapping[str, str] | None]]) -> dict[TargetKey, Stop]:
        return {
            (target.message_id, target.n): OUT
            for target, stand in stands
            if stand and await self._is_out(tx, target, stand)
        }

    async def _is_out(self, tx: Tx, target: Target, stand: Mapping[str, str]) -> bool:
        if not await _is_stopped(tx, self._customers, self._numbers, target, stand):
            return False
        return not options.read(target.options).notice


async def _is_stopped(tx: Tx, customers: Customers, numbers: Numbers, target: Target, stand: Mapping[str, str]) -> bool:
    """Whether one of the scopes that the target is in stops it. `stand`: how things stand with its person in each."""
    number = await numbers.find(tx, target.source)
    said = {stand[scope] for scope in scopes.around(target.source, number) if scope in stand}
    return bool(said) and _in_force(said, await customers.get(tx, target.customer_id))


def _stands(found: Mapping[Person, Sequence[Row]]) -> dict[Person, dict[str, str]]:
    """By scope."""
    return {key: {row.scope: row.status for row in rows} for key, rows in found.items()}


def _in_force(said: Collection[str], customer: Customer) -> bool:
    """Whether somebody of whom this is written down is out."""
    return "opted_out" in said or ("probable" in said and customer.manners.probable_opt_outs == "honour")


class _Word(Struct):
    """One inbound message that says something of this kind."""

    message: MessageRow
    customer: Customer
    number: Number
    said: Said
    source: OptOutSource
    now: int
    stand: Mapping[str, str] = field(default_factory=dict)
    """How things stand with the person in all scopes of the number, before it."""

    def entries(self) -> list[Entry]:
        """What is written down: an opt-out in the scope that the customer has, an opt-in wherever one was out."""
        if self.said.kind == "help":
            return []
        if self.said.kind == "opt_in":
            return [self._entry(scope) for scope in self.stand]
        return [self._entry(scopes.of(self.number, self.customer.manners.opt_out_scope))]

    def _entry(self, scope: str) -> Entry:
        status: OptOutStatus = "probable" if self.source == "probable" else "opted_out"
        if self.said.kind == "opt_in":
            status = "opted_in"
        return Entry(
            customer_id=self.customer.id,
            address=self.message.source,
            scope=scope,
            status=status,
            source=self.source,
            tm_said=self.now,
            message_id=self.message.id,
            words=options.said(self.message),
        )

    @property
    def is_answered(self) -> bool:
        """The network has done so."""
        written = options.said(self.message).strip().upper()
        return self.source == "carrier" or (is_toll_free(self.number.number) and written in OF_NETWORK)

    @property
    def counts(self) -> bool:
        """An opt-in of somebody who is not out is a word like any other; and so is what is only to be reviewed, which
        puts nobody out."""
        if self.source == "probable":
            return self.customer.manners.probable_opt_outs == "honour"
        return self.said.kind != "opt_in" or _in_force(self.stand.values(), self.customer)


class OptOutWords:
    """The listener."""

    def __init__(
        self, customers: Customers, numbers: Numbers, acceptor: Acceptor, outbox: Outbox, mirror: Mirror
    ) -> None:
        self._customers, self._numbers, self._acceptor = customers, numbers, acceptor
        self._outbox, self._mirror = outbox, mirror

    async def hear(self, tx: Tx, messages: Sequence[MessageRow], now: int) -> Heard:
        heard = Heard()
        for message in messages:
            if word := await self._word(tx, message, now):
                await self._take(tx, word, heard)
        return heard

    async def bar(self, tx: Tx, targets: Sequence[Target], now: int) -> Told:
        """What a carrier knows of people who have told it, and not us, that they want nothing from a number."""
        people = [{"customer_id": one.customer_id, "address": one.destination} for one in targets]
        stands = _stands(await opt_outs.in_force(tx, people))
        entries = []
        for one in targets:
            stand = stands.get((one.customer_id, one.destination))
            if not (stand and await _is_stopped(tx, self._customers, self._numbers, one, stand)):
                entries.append(_barred(one, now))
        _, told = await self._enter(tx, entries, now)
        return told

    async def _enter(self, tx: Tx, entries: Sequence[Entry], now: int) -> tuple[list[Change], Told]:
        changes, told = await opt_outs.enter(tx, entries, now), Told()
        if not changes:
            return changes, told
        told.after.append(lambda: self._mirror.make_known(changes))
        said = {(entry.customer_id, entry.address, entry.scope): entry for entry in entries}
        teller = Teller(self._outbox, now)
        for change in changes:
            kind: EventType = "opt_out_removed" if change.status == "opted_in" else "opt_out_created"
            customer = await self._customers.get(tx, change.customer_id)
            if customer.wants(kind):
                entry = said[change.customer_id, change.address, change.scope]
                told.events.append(teller.of_opt_out(kind, _told(change, entry)))
        await store_events(tx, told.events)
        return changes, told

    async def _word(self, tx: Tx, message: MessageRow, now: int) -> _Word | None:
        """What a message says of this kind, if it does, and if somebody wrote it who can be written to."""
        if not is_e164(message.source) or (number := await self._numbers.find(tx, message.destination)) is None:
            return None
        if not (understood := _understood(options.said(message), message.source, number.ignored_keywords)):
            return None
        customer = await self._customers.get(tx, message.customer_id)
        word = _Word(message, customer, number, *understood, now)
        person = {"customer_id": customer.id, "address": message.source}
        around = scopes.around(number.number, number)
        rows = (await opt_outs.in_force(tx, [person])).get((customer.id, message.source), ())
        word.stand = {row.scope: row.status for row in rows if row.scope in around}
        return word

    async def _take(self, tx: Tx, word: _Word, heard: Heard) -> None:
        changes: list[Change] = []
        is_known = word.source == "probable" and bool(word.stand)  # who is out already has not to be reviewed
        if not is_known and (word.counts or word.source == "probable"):
            changes, told = await self._enter(tx, word.entries(), word.now)
            heard.told.add(told)
        if not word.counts:
            return
        heard.answered.add(word.message.id)
        if not word.is_answered and (word.said.kind == "help" or changes):
            await self._answer(tx, word, heard)

    async def _answer(self, tx: Tx, word: _Word, heard: Heard) -> None:
        """One message, of this kind to this person from this number some times a day."""
        kind, number, person = word.said.kind, word.number, word.message.source
        again = {"kind": kind, "now": word.now, "tm_again": word.now + NOTICE_AGAIN}
        place = {"customer_id": word.customer.id, "number": number.number, "address": person}
        if await tx.one("note_notice", **place, **again) is None:
            return
        given = MessageGiven(
            source=number.number,
            destinations=[person],
            text=_text(word),
            class_="otp",
            validity=NOTICE_VALIDITY_S,
        )
        try:
            accepted = await self._acceptor.prepare(tx, word.customer.id, given, notice=kind)
        except Refusal as refusal:
            log.warning("a person cannot be answered: %s", refusal, extra=about(message_id=word.message.id, kind=kind))
            return
        await self._acceptor.enter(tx, accepted)
        heard.told.after.append(lambda: self._acceptor.make_known(accepted))


def _told(change: Change, entry: Entry) -> OptOutTold:
    return OptOutTold(
        id=change.id,
        customer_id=change.customer_id,
        address=change.address,
        scope=change.scope,
        status=change.status,
        source=entry.source,
        message_id=entry.message_id,
        words=entry.words,
        tm_said=iso(entry.tm_said),
    )


def _barred(target: Target, now: int) -> Entry:
    return Entry(
        customer_id=target.customer_id,
        address=target.destination,
        scope=scopes.of_number(target.source),
        status="opted_out",
        source="carrier",
        tm_said=now,
        message_id=target.message_id,
        words=target.error_message,
    )


def _text(word: _Word) -> str:
    customer, said = word.customer, word.said
    own = (word.number.opt_out_replies, customer.manners.opt_out_replies)
    languages = [language for language in (said.spoken, said.language) if language]
    return replies.rendered(said.kind, languages, customer.name, customer.phone_number or customer.email, own)


def _understood(text: str, source: str, ignored: tuple[str, ...]) -> tuple[Said, OptOutSource] | None:
    """What a text says of this kind, and how that is known."""
    if text[: len(NETWORK)].upper() == NETWORK:
        return (said, "carrier") if (said := _of_network(text[len(NETWORK) :])) else None
    if said := words.read(text, source, ignored):
        return said, "keyword"
    if said := phrases.read(text, ignored):
        return said, "probable"
    return None


def _of_network(text: str) -> Said | None:
    """`You replied with the word "stop" which blocks …`: the first word in quotes is what the person wrote."""
    quoted = text.replace("“", '"').replace("”", '"').split('"')[1:2]
    return words.read(quoted[0]) if quoted else None
