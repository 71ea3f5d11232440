"""Sending: claim what is due for a carrier, cut it, and mark it handed, in one transaction."""

import itertools
import random
from collections.abc import Iterator, Sequence

from messagehub import text
from messagehub.carriers.carrier import Handover
from messagehub.errors import StoreError
from messagehub.store import Row, Tx

RETRY_AFTER = (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
"""Seconds between the tries of a target that the carrier refuses for now: two hours in all."""

_references = itertools.count(random.randrange(256))
"""For the concatenation header. Handsets join parts by it, so two long messages to one person should differ."""


async def claim(tx: Tx, carrier_id: str, holder: str, room: int, now: int, alone: bool = False) -> list[Handover]:
    """Up to `room` segments' worth of due targets, each of them handed once the transaction is committed.

    A target with more segments than a whole window is taken when it goes `alone`.
    """
    rows = await tx.all("claim_targets", carrier_id=carrier_id, now=now, count=room)
    handovers = [_handover(row) for row in _that_fit(rows, room, alone)]
    hands = [
        {"message_id": h.key[0], "n": h.key[1], "due_at": now, "holder": holder, "parts": len(h.segments)}
        for h in handovers
    ]
    if await tx.change("hand_target", hands) != len(hands):
        raise StoreError("a target was claimed by somebody else in the middle of a transaction")
    return handovers


def _that_fit(rows: Sequence[Row], room: int, alone: bool) -> Iterator[Row]:
    for row in rows:
        room -= row.parts
        if room < 0 and not alone:
            return
        alone = False
        yield row


def _handover(row: Row) -> Handover:
    segments = text.cut(row.text, next(_references))
    return Handover((row.message_id, row.n), row.source, row.destination, segments)
