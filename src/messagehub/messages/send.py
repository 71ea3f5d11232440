"""Sending: claim what is due for a carrier, cut it, and mark it handed, in one transaction."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from messagehub import text
from messagehub.carriers.carrier import Handover
from messagehub.errors import StoreError
from messagehub.messages import options
from messagehub.messages.gate import Gate, Stop
from messagehub.messages.lanes import HIGH, LANES, NORMAL
from messagehub.messages.recorder import CLAIMED
from messagehub.messages.status import Status
from messagehub.messages.target import Target, from_row
from messagehub.store import Row, Tx
from messagehub.text import STANDARD, Profile, TooManyParts

RETRY_AFTER = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
"""Seconds between the tries of a target that the carrier refuses for now: two hours in all."""

LOOK_BEHIND = 500
"""Targets for which there is no room yet, and which are put off together with those before them."""

_references = itertools.count(random.randrange(256))
"""For the concatenation header. Handsets join parts by it, so two long messages to one person should differ."""


@dataclass(slots=True)
class Claim:
    """What one transaction took for a carrier."""

    handovers: list[Handover] = field(default_factory=list)
    segments: dict[int, int] = field(default_factory=lambda: dict.fromkeys(LANES, 0))
    """How many of each lane."""
    targets: list[Target] = field(default_factory=list)
    """As they are handed."""
    stopped: list[tuple[Target, Stop]] = field(default_factory=list)
    """Those that were due and may not go."""
    normal_waits: bool = True
    """There may be more of what is not urgent."""
    more: bool = False
    """There may be more that is due, of either lane."""
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
    owed: int = 0,
    texts: Profile = STANDARD,
) -> Claim:
    """Up to `room` segments' worth of due targets, each of them handed once the transaction is committed.

    What is urgent goes first, but for the `owed` segments of what is not. A target with more segments than a whole
    window is taken when it goes `alone`. `texts` is how the carrier takes them.
    """
    claimed, lanes_left = Claim(), set(LANES)
    for lane, most in ((NORMAL, owed), (HIGH, room)) if owed else ((HIGH, room), (NORMAL, room)):
        count = min(room, most)
        rows = await tx.all("claim_targets", carrier_id=carrier_id, lane=lane, now=now, count=count)
        taken = list(_that_fit(rows, room, most, alone and not claimed.handovers))
        if len(taken) == len(rows) < count:
            lanes_left.discard(lane)
        claimed.stopped += (stopped := await _stopped(tx, gate, targets := [from_row(row) for row in taken], now))
        if stopped and len(rows) == count:
            claimed.stopped += await _stopped_behind(tx, gate, carrier_id, lane, count, now)
        held = {id(target) for target, _ in stopped}
        going = [target for target in targets if id(target) not in held] if held else targets
        claimed.segments[lane] = sum(target.parts for target in going)
        claimed.targets += going
        claimed.handovers += [hand(target, carrier_id, holder, now, texts) for target in going]
        room -= claimed.segments[lane]
        if room <= 0 or (
            len(taken) < len(rows) and claimed.segments[lane] < most
        ):  # its next one waits for more room than there is
            break
    if await tx.change("hand_target", claimed.targets) != len(claimed.targets):
        raise StoreError("a target was claimed by somebody else in the middle of a transaction")
    claimed.normal_waits, claimed.more = NORMAL in lanes_left, bool(lanes_left)
    if not claimed.more and await gate.gives_times(tx):
        claimed.next_due = await _next_due(tx, carrier_id, now)
    return claimed


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
    found = [await tx.one("next_due", carrier_id=carrier_id, lane=lane, now=now) for lane in LANES]
    return min((row.due_at for row in found if row and row.due_at), default=None)


def _that_fit(rows: Sequence[Row], room: int, most: int, alone: bool) -> Iterator[Row]:
    """Those that there is room for, in their order, until they have `most` segments or more."""
    for row in rows:
        if most <= 0 or (row.parts > room and not alone):
            return
        room, most, alone = room - row.parts, most - row.parts, False
        yield row


def hand(target: Target, carrier_id: str, holder: str, now: int, texts: Profile) -> Handover:
    """Turns a target into one that this process has handed over, and says what the carrier gets."""
    words, asked = target.text, options.NONE
    if target.options:
        asked = options.read(target.options)
        words, texts = asked.text or words, text.with_class(texts, asked.message_class)
    try:
        segments = text.cut(words, next(_references), texts)
    except TooManyParts:
        segments = []
    target.status, target.holder, target.due_at = Status.HANDED, holder, now
    target.receipts, target.attempts = "", target.attempts + 1
    target.error_code = target.error_message = ""
    # Of a message_payload, what the message centre will make of it.
    target.parts = segments[0].payload or len(segments) if segments else 0
    step = (now, CLAIMED, holder, carrier_id, target.attempts)
    key = (target.message_id, target.n)
    return Handover(key, target.source, target.destination, segments, [step], tlvs=asked.tlvs, retry=target.retries)
