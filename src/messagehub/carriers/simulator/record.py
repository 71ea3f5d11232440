"""What the simulator remembers of what it was sent: counts, and the last submits."""

from collections import deque
from itertools import islice
from typing import Any

from msgspec import Struct

from messagehub.carriers.simulator.mms_record import KeptMMS
from messagehub.smpp import Driver
from messagehub.text import decode

KEPT = 100_000  # submits that can be asked for
MEDIA_KEPT = 128 << 20  # octets of requests that brought MMS; beyond that the oldest are forgotten
TOLD_APART = 2_000_000  # texts by which duplicates are known; then it begins anew

UDHI = 0x40  # esm_class: SMPP 3.4, section 5.2.12
EN_ROUTE = 1  # message_state: 5.2.28

States = tuple[tuple[float, int], ...]
"""What becomes of a submit: so many seconds after it, a message_state."""


class Counts(Struct):
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


class Submit(Struct):
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


def as_dict(kept: Kept | KeptMMS) -> dict[str, Any]:
    """For people and tests to read."""
    if isinstance(kept, KeptMMS):
        return kept.shown
    n, source, destination, octets, esm_class, data_coding, registered_delivery, message_id, *_ = kept
    return {
        "n": n,
        "kind": "sms",
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
        self._submits: deque[Kept | KeptMMS] = deque(maxlen=KEPT)
        self._with_media: deque[KeptMMS] = deque()
        self._media = 0
        self._seen: set[int] = set()

    def add(self, submit: Submit) -> None:
        """Keep an accepted submit; they come in the order of `n`."""
        self._submits.append(_kept(submit))
        self._mark(_mark(submit))

    def add_mms(self, mms: KeptMMS) -> None:
        """Keep an accepted MMS; they come in the order of `n`, too."""
        self._submits.append(mms)
        self._mark(mms.mark)
        self._with_media.append(mms)
        self._media += mms.octets
        while self._media > MEDIA_KEPT:
            oldest = self._with_media.popleft()
            self._media -= oldest.octets
            oldest.raw = None

    def _mark(self, mark: int) -> None:
        if mark in self._seen:
            self.counts.duplicates += 1
            return
        self.counts.unique += 1
        if len(self._seen) >= TOLD_APART:
            self._seen.clear()
        self._seen.add(mark)

    def state(self, message_id: str, source: str, now: float) -> int | None:
        """What became of a submit by now, where it is kept: a message_state."""
        for kept in reversed(self._submits):
            if isinstance(kept, KeptMMS):
                continue
            _, kept_source, _, _, _, _, _, kept_id, accepted_at, states = kept
            if kept_id == message_id and kept_source == source:
                return [EN_ROUTE, *(state for delay, state in states if delay <= now - accepted_at)][-1]
        return None

    def mms(self, n: int) -> KeptMMS | None:
        """The MMS with this number, where it is one and is kept."""
        found = self.after(n - 1)[:1] if n > 0 else []
        return found[0] if found and isinstance(found[0], KeptMMS) and found[0].n == n else None

    def after(self, n: int) -> list[Kept | KeptMMS]:
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
