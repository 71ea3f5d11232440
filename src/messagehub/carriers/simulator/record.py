"""What the simulator remembers of what it was sent: counts, and the last submits."""

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any

from messagehub.smpp import Driver
from messagehub.text import decode

KEPT = 100_000  # submits that can be asked for
TOLD_APART = 2_000_000  # texts by which duplicates are known; then it begins anew

UDHI = 0x40  # esm_class: SMPP 3.4, section 5.2.12
EN_ROUTE = 1  # message_state: 5.2.28

States = tuple[tuple[float, int], ...]
"""What becomes of a submit: so many seconds after it, a message_state."""


@dataclass(slots=True)
class Counts:
    """Since the simulator began. A submit that was never answered on purpose is `ignored`."""

    submits: int = 0
    accepted: int = 0
    refused: int = 0
    ignored: int = 0
    unique: int = 0
    duplicates: int = 0
    receipts_sent: int = 0
    receipts_acknowledged: int = 0
    messages_sent: int = 0
    messages_acknowledged: int = 0


@dataclass(slots=True)
class Submit:
    """A submit that was accepted as number `n` (from 1), `at` this second since 1970, by `driver`.

    `previous` is the id of the one before it.
    """

    n: int
    message_id: str
    fields: dict[str, Any]
    octets: bytes
    at: int
    driver: Driver
    previous: str
    accepted_at: float
    """Seconds of the loop's clock."""
    states: States


# What is kept of a submit: a plain tuple of plain values, which the garbage collector need not look at.
Kept = tuple[int, str, str, bytes, int, int, int, str, float, States]


def as_dict(kept: Kept) -> dict[str, Any]:
    """For people and tests to read."""
    n, source, destination, octets, esm_class, data_coding, registered_delivery, message_id, *_ = kept
    return {
        "n": n,
        "source": source,
        "destination": destination,
        "text": decode(data_coding, octets, bool(esm_class & UDHI)).text,
        "esm_class": esm_class,
        "data_coding": data_coding,
        "registered_delivery": registered_delivery,
        "message_id": message_id,
    }


class Record:
    """Counts, and the last KEPT submits."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._submits: deque[Kept] = deque(maxlen=KEPT)
        self._seen: set[int] = set()

    def add(self, submit: Submit) -> None:
        """Keep an accepted submit; they come in the order of `n`."""
        self._submits.append(_kept(submit))
        mark = _mark(submit)
        if mark in self._seen:
            self.counts.duplicates += 1
            return
        self.counts.unique += 1
        if len(self._seen) >= TOLD_APART:
            self._seen.clear()
        self._seen.add(mark)

    def state(self, message_id: str, source: str, now: float) -> int | None:
        """What became of a submit by now, where it is kept: a message_state."""
        for _, kept_source, _, _, _, _, _, kept_id, accepted_at, states in reversed(self._submits):
            if kept_id == message_id and kept_source == source:
                return [EN_ROUTE, *(state for delay, state in states if delay <= now - accepted_at)][-1]
        return None

    def after(self, n: int) -> list[Kept]:
        """Those that are kept and came after number `n`."""
        newer = min(self.counts.accepted - n, len(self._submits)) if n < self.counts.accepted else 0
        return list(islice(reversed(self._submits), newer))[::-1]


def _kept(submit: Submit) -> Kept:
    fields = submit.fields
    return (
        submit.n,
        fields["source_addr"],
        fields["destination_addr"],
        submit.octets,
        fields["esm_class"],
        fields["data_coding"],
        fields["registered_delivery"],
        submit.message_id,
        submit.accepted_at,
        submit.states,
    )


def _mark(submit: Submit) -> int:
    """Equal for the same text to the same number; a part sent again has a new reference, which does not count."""
    fields, octets = submit.fields, submit.octets
    if fields["esm_class"] & UDHI:
        part = decode(fields["data_coding"], octets, True)
        place = part.concatenation and (part.concatenation.total, part.concatenation.sequence)
        return hash((fields["destination_addr"], part.text, place))
    return hash((fields["destination_addr"], octets))
