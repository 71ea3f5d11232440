"""Sending: claim what is due for a carrier, cut it, and mark it handed, in one transaction."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from messagehub import text
from messagehub.carriers.carrier import Handover
from messagehub.carriers.wire import Step
from messagehub.errors import StoreError
from messagehub.messages import options
from messagehub.messages.lanes import HIGH, LANES, NORMAL
from messagehub.messages.recorder import CLAIMED
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
    normal_waits: bool = True
    """There may be more of what is not urgent."""


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
    claimed = Claim()
    for lane, most in ((NORMAL, owed), (HIGH, room)) if owed else ((HIGH, room), (NORMAL, room)):
        count = min(room, most)
        rows = await tx.all("claim_targets", carrier_id=carrier_id, lane=lane, now=now, count=count)
        taken = list(_that_fit(rows, room, most, alone and not claimed.handovers))
        if lane == NORMAL:
            claimed.normal_waits = len(taken) < len(rows) or len(rows) == count
        segments = claimed.segments[lane] = sum(row.parts for row in taken)
        steps = [(now, CLAIMED, holder, carrier_id, row.attempts + 1) for row in taken]
        claimed.handovers += [_handover(row, texts, step) for row, step in zip(taken, steps, strict=True)]
        room -= segments
        if room <= 0 or (len(taken) < len(rows) and segments < most):  # its next one waits for more room than there is
            break
    await _hand(tx, claimed.handovers, now, holder)
    return claimed


def _that_fit(rows: Sequence[Row], room: int, most: int, alone: bool) -> Iterator[Row]:
    """Those that there is room for, in their order, until they have `most` segments or more."""
    for row in rows:
        if most <= 0 or (row.parts > room and not alone):
            return
        room, most, alone = room - row.parts, most - row.parts, False
        yield row


async def _hand(tx: Tx, handovers: Sequence[Handover], now: int, holder: str) -> None:
    hands = [
        {"message_id": h.key[0], "n": h.key[1], "due_at": now, "holder": holder, "parts": _parts(h)} for h in handovers
    ]
    if await tx.change("hand_target", hands) != len(hands):
        raise StoreError("a target was claimed by somebody else in the middle of a transaction")


def _parts(handover: Handover) -> int:
    """Of a message_payload, what the message centre will make of it."""
    segments = handover.segments
    return segments[0].payload or len(segments) if segments else 0


def _handover(row: Row, texts: Profile, step: Step) -> Handover:
    words, asked = row.text, options.NONE
    if row.options:
        asked = options.read(row.options)
        words, texts = asked.text or words, text.with_class(texts, asked.message_class)
    try:
        segments = text.cut(words, next(_references), texts)
    except TooManyParts:
        segments = []
    return Handover((row.message_id, row.n), row.source, row.destination, segments, [step], asked.tlvs)
