"""Sending: claim what is due for a carrier, cut it, and mark it handed, in one transaction."""

import itertools
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import attrgetter
from types import MappingProxyType

from msgspec import Struct, field

from messagehub import text
from messagehub.carriers.carrier import Handover, Medium
from messagehub.clock import NEVER
from messagehub.messages import options, timing
from messagehub.messages.gate import Gate, Stop
from messagehub.messages.lanes import LANES
from messagehub.messages.options import Options
from messagehub.messages.recorder import CLAIMED
from messagehub.messages.rows import kind_of, own_of
from messagehub.messages.status import Status
from messagehub.messages.target import Target, from_row
from messagehub.store import Row, Tx
from messagehub.text import STANDARD, Profile, TooManyParts

RETRY_AFTER = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
"""Seconds between the tries of a target that the carrier refuses for now: two hours in all."""

LOOK_BEHIND = 150
"""Targets for which there is no room yet, and which are put off together with those before them. Codes wait for the end
of that transaction, so it is short."""

_references = itertools.count(random.randrange(256))
"""For the concatenation header. Handsets join parts by it, so two long messages to one person should differ."""


class Claim(Struct):
    """What one transaction took for a carrier."""

    handovers: list[Handover] = field(default_factory=list)
    segments: dict[int, int] = field(default_factory=dict)
    """How many of each lane."""
    targets: list[Target] = field(default_factory=list)
    """As they are handed."""
    stopped: list[tuple[Target, Stop]] = field(default_factory=list)
    """Those that were due and may not go."""
    more: set[int] = field(default_factory=set)
    """The lanes in which there may be more that is due, of those that were asked."""
    next_due: int | None = None
    """When the next one is due, where this is to be kept exactly."""


async def claim(
    tx: Tx,
    carrier_id: str,
    holder: str,
    room: int,
    now: int,
    gate: Gate,
    alone: bool = False,
    owed: Mapping[int, int] = MappingProxyType({}),
    lanes: Collection[int] = LANES,
    texts: Profile = STANDARD,
) -> Claim:
    """Up to `room` segments' worth of due targets, each of them handed once the transaction is committed.

    Of the `lanes` what is `owed` to some goes first, and then what is urgent. A target with more segments than a whole
    window is taken when it goes `alone`. `texts` is how the carrier takes them.
    """
    claimed = Claim(more=set(lanes))
    due = await _due(tx, carrier_id, lanes, now, room)
    for lane, most in _in_order(lanes, owed, room):
        count = min(room, most)
        rows = due[lane][:count]
        taken = list(_that_fit(rows, room, most, alone and not claimed.handovers))
        if len(taken) == len(rows) < count:
            claimed.more.discard(lane)
        claimed.stopped += (stopped := await _stopped(tx, gate, targets := [from_row(row) for row in taken], now))
        if stopped and len(rows) == count:
            claimed.stopped += await _stopped_behind(tx, gate, carrier_id, lane, count, now)
        held = {id(target) for target, _ in stopped}
        going = [target for target in targets if id(target) not in held] if held else targets
        claimed.segments[lane] = sum(target.parts for target in going)
        claimed.targets += going
        claimed.handovers += [hand(target, carrier_id, holder, now, texts) for target in going]
        room -= claimed.segments[lane]
        waits_for_more_room = len(taken) < len(rows) and claimed.segments[lane] < most
        if room <= 0 or waits_for_more_room:
            break
    await tx.expect("hand_target", claimed.targets)
    if not claimed.more and await gate.gives_times(tx):
        claimed.next_due = await _next_due(tx, carrier_id, now)
    return claimed


async def _due(tx: Tx, carrier_id: str, lanes: Collection[int], now: int, count: int) -> dict[int, list[Row]]:
    """Up to `count` of each lane, the oldest first."""
    due: dict[int, list[Row]] = {lane: [] for lane in lanes}
    asked = [{"carrier_id": carrier_id, "lane": lane, "now": now, "count": count} for lane in sorted(lanes)]
    for row in sorted(await tx.many("claim_targets", asked), key=attrgetter("due_at")):
        due[row.lane].append(row)
    return due


async def due_lanes(tx: Tx, carrier_id: str, now: int) -> set[int]:
    """The lanes in which something is due for a carrier."""
    asked = [{"carrier_id": carrier_id, "lane": lane, "now": now} for lane in LANES]
    return {row.lane for row in await tx.many("lane_due", asked)}


def _in_order(lanes: Collection[int], owed: Mapping[int, int], room: int) -> list[tuple[int, int]]:
    """The lanes as they get their turn, and how many segments of each there may be."""
    urgent = sorted(lanes, reverse=True)
    first = [(lane, owed[lane]) for lane in urgent if lane in owed] if owed else []
    return first + [(lane, room) for lane in urgent if lane not in owed]


async def _stopped(tx: Tx, gate: Gate, targets: Sequence[Target], now: int) -> list[tuple[Target, Stop]]:
    stops = await gate.stops_claimed(tx, targets, now)
    return [(target, stop) for target in targets if (stop := stops.get((target.message_id, target.n)))]


async def _stopped_behind(
    tx: Tx, gate: Gate, carrier_id: str, lane: int, count: int, now: int
) -> list[tuple[Target, Stop]]:
    """Where some of the first `count` may not go, many behind them may not either: they stand in nobody's way."""
    rows = await tx.all("claim_targets", carrier_id=carrier_id, lane=lane, now=now, count=count + LOOK_BEHIND)
    targets = [from_row(row) for row in rows[count:]]
    stops = await gate.put_off(tx, targets, now)
    return [(target, stop) for target in targets if (stop := stops.get((target.message_id, target.n)))]


async def _next_due(tx: Tx, carrier_id: str, now: int) -> int | None:
    asked = [{"carrier_id": carrier_id, "lane": lane, "now": now} for lane in LANES]
    return min((row.due_at for row in await tx.many("next_due", asked)), default=None)


def _that_fit(rows: Sequence[Row], room: int, most: int, alone: bool) -> Iterator[Row]:
    """Those that there is room for, in their order, until they have `most` segments or more."""
    for row in rows:
        if most <= 0 or (row.parts > room and not alone):
            return
        room, most, alone = room - row.parts, most - row.parts, False
        yield row


def hand(target: Target, carrier_id: str, holder: str, now: int, texts: Profile) -> Handover:
    """Turns a target into one that this process has handed over, and says what the carrier gets."""
    words, asked, expire_at = target.text, options.NONE, NEVER
    if target.options:
        asked = options.read(target.options)
        words, texts = asked.text or words, text.with_class(texts, asked.message_class)
        expire_at = timing.expiry(asked, target.n, target.target_count, target.tm_create)
    if target.destination_detail:
        own = own_of(target.destination_detail)
        words = own.sent_text or own.text or words
    media = _media(asked) if asked.mms and kind_of(target) == "mms" else None
    try:
        segments = text.cut(words, next(_references), texts) if media is None else []
    except TooManyParts:
        segments = []
    target.status, target.holder, target.due_at = Status.HANDED, holder, now
    target.receipts, target.attempts = "", target.attempts + 1
    target.error_code = target.error_message = ""
    # Of a message_payload, what the message centre will make of it.
    target.parts = segments[0].payload or len(segments) if segments else int(media is not None)
    step = (now, CLAIMED, holder, carrier_id, target.attempts)
    key = (target.message_id, target.n)
    subject = "" if media is None else asked.subject
    return Handover(
        key, target.source, target.destination, segments, [step], asked.tlvs, target.retries, expire_at, words,
        subject, media, target.lane,
    )  # fmt: skip


def _media(asked: Options) -> list[Medium]:
    return [Medium(one.type, one.digest, one.size, one.name) for one in asked.medias]
