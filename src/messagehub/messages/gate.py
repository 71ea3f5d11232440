"""The gate: whether a target may be handed over now; asked when a message is accepted, and again at each claim."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from messagehub.carriers.carrier import TargetKey
from messagehub.messages.target import Target
from messagehub.messages.telling import Told
from messagehub.store import Tx


class Stop(Struct, frozen=True):
    """Why a target may not go: not before `until`, or, where that is None, never."""

    code: str
    """The `hold_reason` of a target that waits, the `error_code` of one that never goes."""
    words: str = ""
    until: int | None = None
    carrier_id: str = ""
    """The carrier that is to have it instead."""


class Check(Protocol):
    async def stops(self, tx: Tx, targets: Sequence[Target], now: int) -> Mapping[TargetKey, Stop]:
        """Those of the targets that may not go now.

        `tx` may be the store itself: then a message is being accepted, or several of one customer, and nothing may be
        written. It is asked for all of them, so a check for which there is nothing to do has to know that without
        asking the store.
        """


class Barred(Protocol):
    async def bar(self, tx: Tx, targets: Sequence[Target], now: int) -> Told:
        """Their carrier says that the recipients have opted out: in the transaction that writes that down."""


class Meter(Protocol):
    """What counts how much may go. At claims it is asked last, of what all checks let through."""

    async def is_on(self, tx: Tx) -> bool:
        """Whether anything is counted at all."""

    async def take(self, tx: Tx, targets: Sequence[Target], now: int) -> Mapping[TargetKey, Stop]:
        """Counts the targets, as they go; and says which may not."""

    async def put_off(self, tx: Tx, targets: Sequence[Target], now: int) -> Mapping[TargetKey, Stop]:
        """Which of the targets may not go now; none is counted."""


class Gate:
    barred: Barred | None = None
    """Who is told of that, so that the next target is stopped here."""

    def __init__(
        self, checks: Sequence[Check] = (), at_claims: Sequence[Check] = (), meter: Meter | None = None
    ) -> None:
        """In their order: a target that one check stops is not shown to the next. `at_claims` come before them."""
        self.checks, self.at_claims, self.meter = checks, at_claims, meter

    def stops(self, tx: Tx, targets: Sequence[Target], now: int) -> Awaitable[dict[TargetKey, Stop]]:
        """As it is accepted, which may be long before it is due (`due_at`). The meter has no say in that."""
        return _stops(self.checks, tx, targets, now)

    async def stops_claimed(self, tx: Tx, targets: Sequence[Target], now: int) -> dict[TargetKey, Stop]:
        """As it is about to be handed over. The others go, and are counted."""
        stopped = await _stops((*self.at_claims, *self.checks), tx, targets, now)
        if self.meter:
            stopped.update(await self.meter.take(tx, _left(targets, stopped), now))
        return stopped

    async def put_off(self, tx: Tx, targets: Sequence[Target], now: int) -> Mapping[TargetKey, Stop]:
        """Of those that are due and not claimed yet, since there is no room: which have to wait in any case."""
        return await self.meter.put_off(tx, targets, now) if self.meter else {}

    async def gives_times(self, tx: Tx) -> bool:
        """Whether targets may have to wait for times that are to be kept exactly."""
        return self.meter is not None and await self.meter.is_on(tx)


async def _stops(checks: Sequence[Check], tx: Tx, targets: Sequence[Target], now: int) -> dict[TargetKey, Stop]:
    stopped: dict[TargetKey, Stop] = {}
    for check in checks:
        if found := await check.stops(tx, targets, now):
            stopped.update(found)
            targets = _left(targets, stopped)
    return stopped


def _left(targets: Sequence[Target], stopped: Mapping[TargetKey, Stop]) -> Sequence[Target]:
    return [target for target in targets if (target.message_id, target.n) not in stopped] if stopped else targets
