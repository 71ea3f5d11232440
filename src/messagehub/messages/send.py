"""Sending: claim what is due for a carrier, cut it, and mark it handed, in one transaction."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from messagehub import text
from messagehub.carriers.carrier import Handover
from messagehub.messages import options
from messagehub.messages.lanes import HIGH, LANES, NORMAL
from messagehub.messages.recorder import CLAIMED
from messagehub.messages.status import Status
from messagehub.messages.target import Target, from_row
from messagehub.store import Row, Tx
from messagehub.text import STANDARD, Profile, TooManyParts

RETRY_AFTER = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
"""Seconds between the tries of a target that the carrier refuses for now: two hours in all."""

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
    normal_waits: bool = True
    """There may be more of what is not urgent."""
    more: bool = False
    """There may be more that is due, of either lane."""


async def claim(
    tx: Tx,
    carrier_id: str,
    holder: str,
    room: int,
    now: int,
    alone: bool = False,
    owed: int = 0,
    texts: Profile = STANDARD,
) -> Claim:
    """Up to `room` segments' worth of due targets, each of them handed once the transaction is committed.

    What is urgent goes first, but for the `owed` segments of what is not. A target with more segments than a whole
    window is taken when it goes `alone`. `texts` is how the carrier takes them.
    """
    claimed, lanes_left = Claim(), set(LANES)
    due = await _due(tx, carrier_id, now, room)
    for lane, most in ((NORMAL, owed), (HIGH, room)) if owed else ((HIGH, room), (NORMAL, room)):
        count = min(room, most)
        rows = due[lane][:count]
        taken = list(_that_fit(rows, room, most, alone and not claimed.handovers))
        if len(taken) == len(rows) < count:
            lanes_left.discard(lane)
        segments = claimed.segments[lane] = sum(row.parts for row in taken)
        for row in taken:
            target = from_row(row)
            claimed.targets.append(target)
            claimed.handovers.append(hand(target, carrier_id, holder, now, texts))
        room -= segments
        if room <= 0 or (len(taken) < len(rows) and segments < most):  # its next one waits for more room than there is
            break
    await tx.expect("hand_target", claimed.targets)
    claimed.normal_waits, claimed.more = NORMAL in lanes_left, bool(lanes_left)
    return claimed


async def _due(tx: Tx, carrier_id: str, now: int, count: int) -> dict[int, list[Row]]:
    """Up to `count` of each lane, the oldest first."""
    due: dict[int, list[Row]] = {lane: [] for lane in LANES}
    asked = [{"carrier_id": carrier_id, "lane": lane, "now": now, "count": count} for lane in LANES]
    for row in sorted(await tx.many("claim_targets", asked), key=attrgetter("due_at")):
        due[row.lane].append(row)
    return due


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
    # Of a message_payload, what the message centre will make of it.
    target.parts = segments[0].payload or len(segments) if segments else 0
    step = (now, CLAIMED, holder, carrier_id, target.attempts)
    key = (target.message_id, target.n)
    return Handover(key, target.source, target.destination, segments, [step], tlvs=asked.tlvs, retry=target.retries)
