"""The recorder: what was seen of each target, kept in memory until it is settled, and then written or forgotten.

Nobody knows beforehand which target will fail, so the steps of all are kept, as references to what is there anyway.
When a target comes to an end its trace is written in the transaction of that, in one row: if it failed, if it is of
the sample, or if its customer or its carrier is traced. All others are forgotten. What comes later is a row of its own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct, field

from messagehub import clock, ids
from messagehub.accounts.customers import Customer
from messagehub.carriers.carrier import TargetKey
from messagehub.carriers.masking import masked
from messagehub.carriers.wire import NOWHERE, QUERY, QUERY_RESPONSE, RESPONSE_TO, SUBMIT, Step
from messagehub.messages.status import FINAL, Happening, Status
from messagehub.messages.target import Target
from messagehub.routing import Table, why
from messagehub.store import Store, Tx
from messagehub.store.recent import Recent

ACCEPTED = "accepted"
"""moment, ACCEPTED, request id, targets, table of routes, the carrier of each.

In a row: …, request id, carrier, [carrier, why] for each route."""
CLAIMED = "claimed"
"""moment, CLAIMED, node, carrier, attempt: taken for a carrier."""
REFUSED = "refused"
"""moment, REFUSED, reason, words: what the carrier's refusal means."""
MOVED = "moved"
"""moment, MOVED, before, after, Happening, error code, error message, when it is due again."""
ROUTED = "routed"
"""moment, ROUTED, carrier: which one is to have it now."""
RECEIPT = "receipt"
"""moment, RECEIPT, Match. In a row: …, part, link, octets, name, state, words, rule, whether it was parked."""

ELSEWHERE, DROPPED = "elsewhere", "dropped"
"""Why a trace has no beginning: another process saw it, or this one had to forget it."""

WITH_OCTETS = frozenset({SUBMIT, RESPONSE_TO, RECEIPT, QUERY, QUERY_RESPONSE})
OCTETS = 4
"""Where they stand in such a step."""

MOST_TARGETS = 20_000
MOST_OCTETS = 32 * 1024 * 1024
"""Of all steps in memory; beyond either, the oldest targets are forgotten."""
MOST_STEPS = 200
"""Of one target; its oldest go first, but for the very first."""
STEP_OCTETS = 150
"""What a step takes besides the PDU."""
MOST_LATER = 20
"""Rows for news after the end of a target: a carrier could tell the same for ever."""
LATER_KNOWN = 10_000

FAILURES = FINAL - {Status.DELIVERED, Status.RECEIVED}

_pack = msgspec.msgpack.Encoder().encode


class Recording(msgspec.Struct):
    steps: list[Step]
    octets: int = 0
    dropped: int = 0
    is_kept: bool = False
    """A row of it was written already, so that all that follows is, too."""


class Keeping(Struct, frozen=True):
    """Which traces are kept. `mode` is `default`, `all` or `off`; `sample` a share of 1."""

    mode: str = "default"
    sample: float = 0.01
    keeps_text: bool = True


class Settled(Struct):
    """What a transaction did to traces: `rows` are written in it, the rest is done after its commit."""

    recorder: "Recorder"
    rows: list[dict[str, Any]] = field(default_factory=list)
    ongoing: list[tuple[TargetKey, list[Step]]] = field(default_factory=list)
    done: list[TargetKey] = field(default_factory=list)
    later: list[TargetKey] = field(default_factory=list)
    """Those that had come to an end before."""

    def make_known(self) -> None:
        self.recorder.add(self.ongoing)
        self.recorder.forget(self.done)
        for key in self.later:
            self.recorder.note_later(key)


class Recorder:
    """Changed after commits; read in transactions."""

    def __init__(self, store: Store, keeping: Keeping) -> None:
        self._keeping = keeping
        self._is_on = keeping.mode != "off"
        self._sampled = f"{int(keeping.sample * 0x10000):05x}"
        self._accepted: dict[TargetKey, Step] = {}
        """The beginnings of those of which nothing else was seen yet."""
        self._open: dict[TargetKey, Recording] = {}
        self._octets = 0
        self._later: dict[TargetKey, int] = {}
        self._since = ids.first_of(clock.now())
        self._dropped_to = ""
        """The id of the youngest message that was forgotten for want of room."""
        self._carriers: Recent[str, frozenset[str]] = Recent(_traced_carriers)
        self._carriers.follow(store)

    async def carriers(self, tx: Tx) -> frozenset[str]:
        """Those whose targets are traced all of them."""
        return await self._carriers.get(tx, "") or frozenset()

    # --- in memory ----------------------------------------------------------------------

    def begin(self, targets: Iterable[Target], step: Step) -> None:
        """Those that wait, of the targets of a message that was accepted."""
        if self._is_on:
            for target in targets:
                if target.due_at is not None:
                    self._accepted[target.message_id, target.n] = step
            if len(self._accepted) > MOST_TARGETS:
                self._drop(self._accepted)

    def add(self, seen: Iterable[tuple[TargetKey, list[Step]]]) -> None:
        for key, steps in seen:
            recording = self._open.get(key)
            if recording is None:
                first = self._accepted.pop(key, None)
                recording = self._open[key] = Recording([first] if first else [])
            recording.steps += steps
            size = _octets(steps)
            recording.octets += size
            self._octets += size
            if len(recording.steps) > MOST_STEPS:
                self._shorten(recording)
        while self._open and (len(self._open) > MOST_TARGETS or self._octets > MOST_OCTETS):
            self._drop(self._open)

    def forget(self, keys: Iterable[TargetKey]) -> None:
        for key in keys:
            self._accepted.pop(key, None)
            if recording := self._open.pop(key, None):
                self._octets -= recording.octets

    def note_later(self, key: TargetKey) -> None:
        """A row was written of a target that had come to an end before."""
        if len(self._later) >= LATER_KNOWN:
            self._later.clear()
        self._later[key] = self._later.get(key, 0) + 1
        self._open.setdefault(key, Recording([])).is_kept = True

    def steps(self, key: TargetKey) -> list[Step]:
        """What is known of a target that has not come to an end."""
        if recording := self._open.get(key):
            return list(recording.steps)
        return [self._accepted[key]] if key in self._accepted else []

    def under_way(self, key: TargetKey, on_its_way: Sequence[Step]) -> bytes:
        """What is known of a target that has not come to an end, packed as it would be written; empty for nothing."""
        steps = [*self.steps(key), *on_its_way]
        if not (self._is_on and steps):
            return b""
        recording = self._open.get(key) or Recording([])
        return self._body(key, steps, recording, is_first=not recording.is_kept)

    def _shorten(self, recording: Recording) -> None:
        surplus = len(recording.steps) - MOST_STEPS
        gone = recording.steps[1 : 1 + surplus]
        del recording.steps[1 : 1 + surplus]
        size = _octets(gone)
        recording.octets -= size
        self._octets -= size
        recording.dropped += surplus

    def _drop(self, what: Collection[TargetKey]) -> None:
        """The oldest eighth at once, as taking the first of a dict again and again is slow."""
        oldest = list(islice(what, max(1, len(what) // 8)))
        self.forget(oldest)
        self._dropped_to = max(self._dropped_to, *(message_id for message_id, _ in oldest))

    # --- in a transaction ---------------------------------------------------------------

    def settle(
        self, targets: Mapping[TargetKey, Target], owners: Mapping[str, Customer], carriers: Collection[str]
    ) -> Settled:
        """What is to be written of targets to which something happened. Changes nothing."""
        settled = Settled(self)
        if not self._is_on:
            return settled
        for key, target in targets.items():
            if not target.steps:
                continue
            is_later = target.before in FINAL
            if not is_later and target.status not in FINAL:
                settled.ongoing.append((key, target.steps))
                continue
            settled.done.append(key)
            if self._is_wanted(target, owners[target.customer_id], carriers, key) and self._may_write(key, is_later):
                settled.rows.append(self._row(key, target, is_later))
                settled.later += [key] * is_later
        return settled

    def failed(self, targets: Iterable[Target], step: Step) -> list[dict[str, Any]]:
        """The rows of those that failed when they were accepted."""
        failed = [target for target in targets if self._is_on and target.status is Status.FAILED]
        keys = [(one.message_id, one.n) for one in failed]
        nothing = Recording([])
        return [
            _row_of(key, self._body(key, [step, _failure(one)], nothing, is_first=True))
            for key, one in zip(keys, failed, strict=True)
        ]

    def _is_wanted(self, target: Target, owner: Customer, carriers: Collection[str], key: TargetKey) -> bool:
        if target.status in FAILURES or target.before in FAILURES:
            return True
        if self._keeping.mode == "all" or owner.trace == "all" or target.carrier_id in carriers:
            return True
        recording = self._open.get(key)
        # The last digits of an id are random, and the same on all nodes.
        return "0" + target.message_id[-4:] < self._sampled or (recording is not None and recording.is_kept)

    def _may_write(self, key: TargetKey, is_later: bool) -> bool:
        return not is_later or self._later.get(key, 0) < MOST_LATER

    def _row(self, key: TargetKey, target: Target, is_later: bool) -> dict[str, Any]:
        recording = self._open.get(key) or Recording(self.steps(key))
        is_first = not is_later and not recording.is_kept
        return _row_of(key, self._body(key, [*recording.steps, *target.steps], recording, is_first))

    def _gap(self, key: TargetKey) -> str:
        return DROPPED if self._since <= key[0] <= self._dropped_to else ELSEWHERE

    def _body(self, key: TargetKey, steps: Sequence[Step], recording: Recording, is_first: bool) -> bytes:
        gap = self._gap(key) if is_first and steps[0][1] != ACCEPTED else ""
        return _pack((gap, recording.dropped, [self._kept(step, key) for step in steps]))

    def _kept(self, step: Step, key: TargetKey) -> Step:
        if step[1] == ACCEPTED:
            moment, _, request_id, targets, table, chosen = step
            routes = _routes(table, targets[key[1]])
            return moment, ACCEPTED, (request_id or b"").decode(), chosen[key[1]], routes
        if step[1] == RECEIPT:
            step = _of_receipt(step)
        if step[1] in WITH_OCTETS and not self._keeping.keeps_text:
            return (*step[:OCTETS], masked(step[OCTETS]), *step[OCTETS + 1 :])
        return step


def _row_of(key: TargetKey, body: bytes) -> dict[str, Any]:
    return {"id": ids.new(), "message_id": key[0], "n": key[1], "body": body}


def _routes(table: Table, target: Target) -> list[list[str]]:
    """Each route for the destination: its carrier, and why it stands where it stands."""
    routes = table.choose(target.destination, target.customer_id, lambda: 0.0)
    return [[route.carrier_id, why(route, table.down)] for route in routes]


def _of_receipt(step: Step) -> Step:
    moment, _, found = step
    receipt = found.receipt
    came, link, octets = receipt.sight or (moment, NOWHERE, b"")
    said = (receipt.name, receipt.state, receipt.words, found.rule, receipt.is_parked)
    return (came, RECEIPT, found.part, link, octets, *said)


def _octets(steps: Sequence[Step]) -> int:
    """What steps take in memory, roughly; of their PDUs exactly."""
    size = STEP_OCTETS * len(steps)
    for step in steps:
        kind = step[1]
        if kind == RECEIPT:
            sight = step[2].receipt.sight
            size += len(sight[2]) if sight else 0
        elif kind in WITH_OCTETS:
            size += len(step[OCTETS])
    return size


def _failure(target: Target) -> Step:
    status, code = str(target.status), target.error_code
    return target.tm_update, MOVED, str(Status.QUEUED), status, Happening.REFUSE, code, target.error_message, None


async def _traced_carriers(tx: Tx, _: str) -> frozenset[str] | None:
    return frozenset(row.id for row in await tx.all("carriers_traced"))
