"""Inbound messages: what somebody wrote to a number of ours. Parts wait on disk until all of them are there."""

import logging
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any, Protocol

from msgspec import Struct, field

from messagehub import ids, text
from messagehub.accounts.customers import Customers
from messagehub.carriers.carrier import Arriving, Inbound, Medium, Verdict
from messagehub.events import Event, Outbox
from messagehub.logs import Seldom, about
from messagehub.messages import options
from messagehub.messages.options import Media, Options
from messagehub.messages.rows import MessageRow, TargetRow
from messagehub.messages.status import Status
from messagehub.messages.telling import Teller, Told, store_events
from messagehub.metrics import COUNTS
from messagehub.numbers import Number, Numbers
from messagehub.published import Published
from messagehub.store import Row, Tx
from messagehub.text import Piece
from messagehub.text.keepable import keepable

log = logging.getLogger(__name__)

UNKNOWN_TOLD_S = 10.0
"""How often there is a line for messages to numbers of nobody's; all of them are counted."""

MISSING = "\N{HORIZONTAL ELLIPSIS}"
"""Stands for the parts that never came."""

MOST_TEXT, MOST_SUBJECT, MOST_NAME, MOST_URL, MOST_MEDIAS = 100_000, 1000, 255, 8000, 100
"""Of an MMS that came in: what is more than any phone writes is cut off."""


class Policy(Struct, frozen=True):
    """What is done with a message to a number of nobody's."""

    refuse_unknown: bool

    @property
    def verdict(self) -> Verdict:
        return Verdict.REFUSED if self.refuse_unknown else Verdict.TAKEN


class Whole(Struct):
    """A message all of whose parts are there, or will be no more."""

    message: MessageRow
    target: TargetRow


class Received(Struct):
    """What one transaction took in."""

    verdicts: list[tuple[Any, Verdict]] = field(default_factory=list)
    told: Told = field(default_factory=Told)
    unknown: int = 0


class Heard(Struct):
    """What a listener did about messages that came in."""

    answered: set[str] = field(default_factory=set)
    """The ids of those that nobody after it is to answer."""
    told: Told = field(default_factory=Told)


class Listener(Protocol):
    async def hear(self, tx: Tx, messages: Sequence[MessageRow], now: int) -> Heard:
        """In the transaction that stores the messages, after they are stored; so what it writes is there with them."""


class Receiver:
    def __init__(
        self,
        customers: Customers,
        numbers: Numbers,
        outbox: Outbox,
        policy: Policy,
        published: Published,
    ) -> None:
        self._customers, self._numbers, self._outbox, self._policy = customers, numbers, outbox, policy
        self._published = published
        self.listeners: Sequence[Listener] = ()
        """In the order in which they hear of a message; one that answers it is the last to."""
        self.witnesses: Sequence[Listener] = ()
        """Who hear of all messages in the end, whoever has answered them. What they write is locked last, as it is
        where messages are sent; otherwise the two would wait for each other in a shared store."""
        self._unknown_told = Seldom(UNKNOWN_TOLD_S)

    async def receive(self, tx: Tx, carrier_id: str, arrivals: Sequence[Inbound], now: int) -> Received:
        """Stores the messages that are whole, and the parts of those that are not yet."""
        received = Received()
        wholes: list[Whole] = []
        await _lock(tx, {(carrier_id, each.source, each.destination) for each in arrivals if each.concatenation})
        for arrival in arrivals:
            number = await self._numbers.find(tx, arrival.destination)
            if number is None:
                if self._unknown_told.due():
                    fields = about(carrier_id=carrier_id, number=arrival.destination)
                    log.warning("a message came for a number of nobody's", extra=fields)
                received.unknown += 1
                received.verdicts.append((arrival.ticket, self._policy.verdict))
                continue
            if arrival.media is None:
                wholes += await _wholes(tx, carrier_id, arrival, number, now)
            else:
                wholes.append(self._mms(arrival, arrival.media, number, now))
            received.verdicts.append((arrival.ticket, Verdict.TAKEN))
        received.told = await self._store(tx, wholes, now)
        return received

    async def _store(self, tx: Tx, wholes: Sequence[Whole], now: int) -> Told:
        await tx.many("insert_message", [whole.message for whole in wholes])
        await tx.many("insert_target", [whole.target for whole in wholes])
        events = [event for whole in wholes for event in await self._events(tx, whole, now)]
        await store_events(tx, events)
        told = Told(events, [Status.RECEIVED] * len(wholes))
        unanswered = [whole.message for whole in wholes]
        if mms := sum(options.kind_of(whole.message.options) == "mms" for whole in wholes):
            told.after.append(lambda: COUNTS.mms.update(inbound=mms))
        for listener in self.listeners if wholes else ():
            heard = await listener.hear(tx, unanswered, now)
            told.add(heard.told)
            unanswered = [message for message in unanswered if message.id not in heard.answered]
        for witness in self.witnesses if wholes else ():
            told.add((await witness.hear(tx, [whole.message for whole in wholes], now)).told)
        return told

    def _mms(self, arrival: Inbound, media: Sequence[Medium | Arriving], number: Number, now: int) -> Whole:
        """Its carrier keeps the media, for as long as their addresses are good, before it tells of them."""
        asked = Options(
            mms=True,
            subject=keepable(arrival.subject, MOST_SUBJECT),
            medias=tuple(self._media(one, now) for one in media[:MOST_MEDIAS] if isinstance(one, Medium)),
        )
        words = keepable(arrival.text, MOST_TEXT)
        return _made(number, arrival.source, words, arrival.octets, 1, options.write(asked))

    def _media(self, medium: Medium, now: int) -> Media:
        """What could not be fetched stays where its carrier has it."""
        url = self._published.url(medium.digest, now) if medium.digest else medium.url
        type, name = keepable(medium.type, MOST_NAME), keepable(medium.name, MOST_NAME)
        return Media(url=keepable(url, MOST_URL), type=type, digest=medium.digest, size=medium.size, name=name)

    async def _events(self, tx: Tx, whole: Whole, now: int) -> list[Event]:
        teller = Teller(self._outbox, now)
        customer = await self._customers.get(tx, whole.message.customer_id)
        kinds = [kind for kind in ("message_created", "message_received") if customer.wants(kind)]
        return [teller.about(kind, whole.message, [whole.target]) for kind in kinds]

    async def give_up_waiting(self, tx: Tx, before: int, now: int, count: int) -> Told:
        """Stores messages some of whose parts came before `before` and whose others never did.

        Another node may be told the last part at this moment: what is there is read again when it has committed.
        """
        places = {_place(row) for row in await tx.all("stale_inbound_parts", tm_before=before, count=count)}
        await _lock(tx, places)
        wholes = []
        for row in await tx.all("stale_inbound_parts", tm_before=before, count=count) if places else ():
            if _place(row) not in places:
                continue
            key = row._asdict()
            parts = await tx.all("inbound_parts_of", **key)
            await tx.run("delete_inbound_parts", **key)
            number = await self._numbers.find(tx, row.destination)
            if number and parts:
                wholes.append(_joined(number, row.source, parts, row.total))
        return await self._store(tx, wholes, now)


Place = tuple[str, str, str]
"""A carrier, a source and a destination: between them the parts of messages are locked."""


def _place(row: Row) -> Place:
    return row.carrier_id, row.source, row.destination


async def _lock(tx: Tx, places: Collection[Place]) -> None:
    for carrier_id, source, destination in sorted(places):  # in the order in which every node locks them
        await tx.run("lock_inbound_parts", carrier_id=carrier_id, source=source, destination=destination)


async def _wholes(tx: Tx, carrier_id: str, arrival: Inbound, number: Number, now: int) -> list[Whole]:
    """The message, if this arrival is all of it or its last part.

    Handsets use a reference again: where the same part is there with another text, what is there is an older message
    that will not become whole any more.
    """
    concatenation = arrival.concatenation
    if concatenation is None or concatenation.total == 1:
        return [_made(number, arrival.source, arrival.text, arrival.octets, 1)]
    key = {
        "carrier_id": carrier_id,
        "source": arrival.source,
        "destination": arrival.destination,
        "reference": concatenation.reference,
        "width": concatenation.width,
        "total": concatenation.total,
    }
    wholes = []
    there = await tx.all("inbound_parts_of", **key)
    if any(part.part == concatenation.sequence and part.text != arrival.text for part in there):
        await tx.run("delete_inbound_parts", **key)
        wholes.append(_joined(number, arrival.source, there, concatenation.total))
    await tx.run("insert_inbound_part", **key, **_part(arrival, concatenation.sequence), tm_create=now)
    parts = await tx.all("inbound_parts_of", **key)
    if len(parts) == concatenation.total:
        await tx.run("delete_inbound_parts", **key)
        wholes.append(_joined(number, arrival.source, parts, concatenation.total))
    return wholes


def _part(arrival: Inbound, sequence: int) -> dict[str, Any]:
    """`alphabet` is empty where there are no octets to read again."""
    row = {"part": sequence, "text": arrival.text, "octets": arrival.octets}
    if not arrival.piece:
        return {**row, "data_coding": 0, "udhi": 0, "alphabet": ""}
    coding, octets, udhi = arrival.piece
    return {**row, "octets": octets, "data_coding": coding, "udhi": int(udhi), "alphabet": arrival.alphabet}


def _joined(number: Number, source: str, parts: Sequence[Row], total: int) -> Whole:
    """What came of a message in parts; where they could not be read, their octets are kept, too."""
    there = {part.part: part for part in parts}
    runs = groupby(range(1, total + 1), key=lambda number: number in there)
    read = [
        _read([there[each] for each in run]) if is_there else (MISSING * len(list(run)), True) for is_there, run in runs
    ]
    is_clean = all(clean for _, clean in read)
    octets = None if is_clean else b"".join(part.octets or b"" for part in parts) or None
    return _made(number, source, "".join(words for words, _ in read), octets, len(parts))


def _read(parts: Sequence[Row]) -> tuple[str, bool]:
    """The text of parts that follow each other, and whether it is all that was said."""
    if all(part.alphabet for part in parts):
        pieces = [Piece(part.data_coding, part.octets, bool(part.udhi)) for part in parts]
        read = text.join(pieces, parts[0].alphabet)
        return read.text, read.clean
    return "".join(part.text for part in parts), not any(part.octets for part in parts)


def _made(number: Number, source: str, words: str, octets: bytes | None, parts: int, asked: str | None = None) -> Whole:
    """`asked`: the column of its options."""
    message_id, now = ids.new_with_time()
    message = MessageRow(
        id=message_id,
        customer_id=number.customer_id,
        direction="inbound",
        source=source,
        destination=number.number,
        text=words,
        octets=octets,
        options=asked,
        target_count=1,
        tm_create=now,
    )
    target = TargetRow(
        message_id=message.id,
        n=0,
        customer_id=message.customer_id,
        destination=message.destination,
        status=Status.RECEIVED,
        parts=parts,
        tm_update=now,
    )
    return Whole(message, target)
