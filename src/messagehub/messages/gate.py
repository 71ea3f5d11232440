"""The gate: whether a target may be handed over now; asked when a message is accepted, and again at each claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from messagehub.carriers.carrier import TargetKey
from messagehub.messages.target import Target
from messagehub.store import Tx


@dataclass(frozen=True, slots=True)
class Stop:
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

        `tx` may be the store itself: then a message is being accepted, and nothing may be written. It is asked for
        each message, so a check for which there is nothing to do has to know that without asking the store.
        """


class Gate:
    def __init__(self, checks: Sequence[Check] = (), at_claims: Sequence[Check] = ()) -> None:
        """In their order: a target that one check stops is not shown to the next. `at_claims` come before them."""
        self.checks, self.at_claims = checks, at_claims

    async def stops(self, tx: Tx, targets: Sequence[Target], now: int) -> dict[TargetKey, Stop]:
        """As it is accepted, which may be long before it is due (`due_at`)."""
        return await _stops(self.checks, tx, targets, now)

    async def stops_claimed(self, tx: Tx, targets: Sequence[Target], now: int) -> dict[TargetKey, Stop]:
        """As it is about to be handed over."""
        return await _stops((*self.at_claims, *self.checks), tx, targets, now)


async def _stops(checks: Sequence[Check], tx: Tx, targets: Sequence[Target], now: int) -> dict[TargetKey, Stop]:
    stopped: dict[TargetKey, Stop] = {}
    for check in checks:
        left = [target for target in targets if (target.message_id, target.n) not in stopped] if stopped else targets
        stopped.update(await check.stops(tx, left, now))
    return stopped
