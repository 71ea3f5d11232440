"""Changes of targets in one transaction: loaded once, moved in memory by the table, written once, told once."""

import copy
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from msgspec import Struct

from messagehub.accounts.customers import Customer, Customers
from messagehub.carriers.carrier import TargetKey
from messagehub.events import Event, Outbox
from messagehub.messages import status
from messagehub.messages.live import Live
from messagehub.messages.recorder import MOVED, Recorder
from messagehub.messages.rows import SHOWN
from messagehub.messages.status import ERROR_CODES, GROUPS, PUBLIC, Happening, Status
from messagehub.messages.target import Target, from_row
from messagehub.messages.telling import Teller, Told, store_events, untried
from messagehub.store import Row, Tx

OPTED_OUT = "opted_out"


class Message(Struct):
    """A message as an event tells of it."""

    id: str
    customer_id: str
    source: str
    source_detail: str
    text: str
    options: str | None
    target_count: int
    tm_create: int
    tm_update: int
    tm_delete: int
    waiting_count: int = 0
    sent_count: int = 0
    delivered_count: int = 0
    direction: str = "outbound"


class Ledger:
    """Load the targets, say what happened to each, write."""

    def __init__(self, tx: Tx, customers: Customers, outbox: Outbox, recorder: Recorder, live: Live, now: int) -> None:
        self.now = now
        self._tx, self._customers, self._outbox, self._recorder, self._live = tx, customers, outbox, recorder, live
        self._traced_carriers: frozenset[str] = frozenset()
        self._targets: dict[TargetKey, Target] = {}
        self.get: Callable[[TargetKey], Target | None] = self._targets.get
        """The target of a key, where it was loaded."""
        self._owners: dict[str, Customer] = {}
        self._touched: dict[TargetKey, Target] = {}
        self.rerouted: set[tuple[str, int]] = set()
        """Carriers that got a target of another's, and in which lane."""
        self.opted_out: list[Target] = []
        """Those that failed since their carrier says that the recipient wants nothing from their source."""
        self.besides: list[Callable[[Tx], Awaitable[None]]] = []
        """What else is to be written once the targets are."""
        self._reached: list[str] = []
        self._steps: dict[str, dict[TargetKey, list[Target]]] = defaultdict(dict)
        """Of each message that is told of its targets, each as it was after each of its moves."""

    async def load(self, keys: Iterable[TargetKey]) -> None:
        """In the order of the keys, which is the order in which a shared store locks the rows."""
        self._traced_carriers = await self._recorder.carriers(self._tx)
        wanted = []
        for key in sorted(set(keys)):
            if target := self._live.take(key):
                self._targets[key] = target
            else:
                wanted.append({"message_id": key[0], "n": key[1]})
        for row in await self._tx.many("target_for_change", wanted):
            self._targets[row.message_id, row.n] = from_row(row)
        await self._load_owners()

    async def hold(self, targets: Iterable[Target]) -> None:
        """As `load`, for targets that this transaction has read already."""
        self._traced_carriers = await self._recorder.carriers(self._tx)
        self._targets.update({(target.message_id, target.n): target for target in targets})
        await self._load_owners()

    async def _load_owners(self) -> None:
        for customer_id in {target.customer_id for target in self._targets.values()}:
            self._owners[customer_id] = await self._customers.get(self._tx, customer_id)

    def owner(self, target: Target) -> Customer:
        return self._owners[target.customer_id]

    def reroute(self, target: Target, carrier_id: str) -> bool:
        """Another carrier gets the target, and all its tries anew. False where the table has no such move."""
        if not self.happen(target, Happening.REROUTE, due_at=self.now):
            return False
        target.tried = f"{target.tried} {target.carrier_id}".lstrip()
        target.carrier_id, target.attempts = carrier_id, 0
        self.rerouted.add((carrier_id, target.lane))
        return True

    @property
    def has_changes(self) -> bool:
        return bool(self._touched)

    def touch(self, target: Target) -> None:
        """The target is to be written though its status stays."""
        self._touched[target.message_id, target.n] = target

    def happen(
        self,
        target: Target,
        what: Happening,
        *,
        error_code: str = "",
        error_message: str = "",
        due_at: int | None = None,
    ) -> bool:
        """Moves the target, or does nothing (False) where the table has no such move.

        `due_at` is meant for the statuses in which something is still to be done; `error_message` is the meaning of the
        code where nobody says more.
        """
        before = target.status
        after = status.move(before, what, target.error_code)
        if after is None:
            return False
        reached, key = PUBLIC[after], (target.message_id, target.n)
        told = reached != PUBLIC[before]
        if told and target.sequence != target.seen_sequence:
            self._keep_last_step(target)
        if error_code and not error_message:
            error_message = ERROR_CODES.get(error_code, "")
        target.status, target.due_at = after, due_at
        target.error_code, target.error_message = error_code, error_message
        if error_code == OPTED_OUT:
            self.opted_out.append(target)
        target.steps.append((self.now, MOVED, before, after, what, error_code, error_message, due_at))
        self._touched[key] = target
        if told:
            target.sequence += 1
            target.tm_update = self.now
            self._reached.append(reached)
            # A deleted message is no longer spoken of.
            if target.tm_delete > self.now and self._owners[target.customer_id].wants("message_updated", after):
                self._steps[target.message_id].setdefault(key, []).append(target)
        return True

    def _keep_last_step(self, target: Target) -> None:
        """A target that moves again is told of twice, so that its first step must keep the status it had."""
        made = self._steps.get(target.message_id, {}).get((target.message_id, target.n))
        if made:
            made[-1] = copy.copy(target)

    async def write(self) -> Told:
        """Writes what happened, and its events. Returns what is to be made known after the commit."""
        touched = list(self._touched.values())
        await self._tx.expect("move_target", touched)
        for write in self.besides:
            await write(self._tx)
        counted = await self._count(touched)
        teller = Teller(self._outbox, self.now, await self._behind())
        events: list[Event] = []
        for steps in self._steps.values():
            if self._targets[next(iter(steps))].target_count == 1:
                events += self._tell_only(teller, steps)
            else:
                events += await self._tell(teller, steps, counted)
        await store_events(self._tx, events)
        settled = self._recorder.settle(self._targets, self._owners, self._traced_carriers)
        await self._tx.many("insert_trace", settled.rows)
        return Told(events, self._reached, [settled.make_known, partial(self._live.keep, self._targets.values())])

    async def _count(self, touched: list[Target]) -> dict[str, Row]:
        """Messages with several targets keep a count per group of statuses; their new counts."""
        changes: dict[str, dict[str, Any]] = {}
        for target in touched:
            if target.target_count > 1 and target.status is not target.before:
                change = changes.setdefault(target.message_id, self._no_change(target.message_id))
                _add(change, target.before, -1)
                _add(change, target.status, 1)
        in_order = [changes[message_id] for message_id in sorted(changes)]
        return {row.id: row for row in await self._tx.many("count_message", in_order)}

    def _no_change(self, message_id: str) -> dict[str, Any]:
        steps = _rounds(self._steps[message_id]) if message_id in self._steps else 1
        return {"id": message_id, "waiting": 0, "sent": 0, "delivered": 0, "steps": steps, "now": self.now}

    async def _behind(self) -> set[str]:
        """Messages with an event that another node may still be about to tell.

        It is asked when the rows are ours, so that what others made before is seen.
        """
        if not self._outbox.shared:
            return set()
        asked = [target for steps in self._steps.values() if (target := self._told_elsewhere(steps))]
        keys = [{"customer_id": target.customer_id, "message_id": target.message_id} for target in asked]
        return await untried(self._tx, keys)

    def _told_elsewhere(self, steps: dict[TargetKey, list[Target]]) -> Target | None:
        target = self._targets[next(iter(steps))]
        if target.target_count > 1:
            return target
        is_first = target.sequence == len(steps[target.message_id, target.n])
        if is_first and not self._owners[target.customer_id].wants("message_created"):
            return None
        return target if target.told_elsewhere else None

    def _tell_only(self, teller: Teller, steps: dict[TargetKey, list[Target]]) -> list[Event]:
        """One event for each move of a message's only target, which says all that there is of the message."""
        ((key, made),) = steps.items()
        events = [teller.updated(target, only := (target,), only, target.sequence) for target in made]
        self._targets[key].told_elsewhere = not events[-1].leased
        return events

    async def _tell(self, teller: Teller, steps: dict[TargetKey, list[Target]], counted: dict[str, Row]) -> list[Event]:
        """One event per message and commit, or several where a target made several moves in it."""
        rounds = _rounds(steps)
        events = []
        for step in range(rounds):
            changed = [made[step] for made in steps.values() if len(made) > step]
            if not (row := counted.get(changed[0].message_id)):
                events.append(teller.updated(_message(changed[0]), changed, changed, changed[0].sequence))
                continue
            targets = await self._all_targets(changed) if row.target_count <= SHOWN else changed
            sequence = row.sequence - rounds + 1 + step
            message = _message(changed[0], self._counts_after(row, steps, step))
            events.append(teller.updated(message, targets, changed, sequence))
        for key in steps:
            self._targets[key].told_elsewhere = not events[-1].leased
        return events

    def _counts_after(self, row: Row, steps: dict[TargetKey, list[Target]], step: int) -> dict[str, int]:
        """How a message with several targets stood after one step of this commit, from how it stands at its end."""
        counts = {"waiting": row.waiting_count, "sent": row.sent_count, "delivered": row.delivered_count}
        for key, made in steps.items():
            _add(counts, self._targets[key].status, -1)
            _add(counts, made[step].status if step < len(made) else self._targets[key].status, 1)
        return counts

    async def _all_targets(self, changed: list[Target]) -> list[Any]:
        rows = await self._tx.all("targets_of_message", message_id=changed[0].message_id, first=0, end=SHOWN)
        newer = {target.n: target for target in changed}
        return [newer.get(row.n, row) for row in rows]


def _rounds(steps: dict[TargetKey, list[Target]]) -> int:
    return max(map(len, steps.values()))


def _add(change: dict[str, Any], of: Status, amount: int) -> None:
    if group := GROUPS.get(of):
        change[group] += amount


def _message(target: Target, counts: dict[str, int] | None = None) -> Message:
    message = Message(
        target.message_id, target.customer_id, target.source, target.source_detail, target.text, target.options,
        target.target_count, target.tm_create, target.tm_update, target.tm_delete,
    )  # fmt: skip
    if counts:
        message.waiting_count, message.sent_count = counts["waiting"], counts["sent"]
        message.delivered_count = counts["delivered"]
    return message
