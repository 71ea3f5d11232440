"""Targets that are under way here, as they stand in the store, so that news of them needs no reading.

Whoever changes a target takes it out, and puts it back after the commit. So a transaction that is rolled back, or runs
twice, finds nothing here and reads the store. And what somebody else has changed meanwhile is noticed in the writing,
since the UPDATE repeats what a target was when it was seen last.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from messagehub.carriers.carrier import TargetKey
from messagehub.messages.status import Status
from messagehub.messages.target import Target

MOST = 20_000
"""Targets, and names of segments. Beyond it the oldest are forgotten, and read from the store when news comes."""

UNDER_WAY = frozenset({Status.HANDED, Status.SENT})

Segment = tuple[TargetKey, int, int, str]
"""The target, the part, of which of the target's tries it is, and the destination."""


class Live:
    """Read and taken from in transactions; added to after commits."""

    def __init__(self) -> None:
        self._targets: dict[TargetKey, Target] = {}
        self._names: dict[tuple[str, str], Segment] = {}
        """By the carrier and what it calls the segment."""

    def take(self, key: TargetKey) -> Target | None:
        return self._targets.pop(key, None)

    def find(self, carrier_id: str, name: str) -> Segment | None:
        return self._names.get((carrier_id, name))

    def keep(self, targets: Iterable[Target]) -> None:
        """As they were just committed."""
        known, names = self._targets, self._names
        for target in targets:
            key = (target.message_id, target.n)
            if target.status in UNDER_WAY:
                target.see()
                known[key] = target
                for part, name in enumerate(target.names):
                    if name:
                        names[target.carrier_id, name] = (key, part, target.retries, target.destination)
            else:
                known.pop(key, None)
                for name in target.names:
                    names.pop((target.carrier_id, name), None)
        if len(known) > MOST:
            _drop_oldest(known)
        if len(names) > MOST:
            _drop_oldest(names)


def _drop_oldest(what: dict[Any, Any]) -> None:
    """An eighth at once, as taking the first of a dict again and again is slow."""
    for key in list(islice(what, len(what) // 8)):
        what.pop(key, None)
