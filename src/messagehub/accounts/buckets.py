"""PURE. Token buckets: how much somebody may still ask for, and when more. Time is an argument.

A bucket is kept as one number, the moment at which it is full again (the GCRA of ITU-T I.371). One that is full
needs no memory, so only callers of the last moments are remembered, and at most SIZE of them.
"""

import heapq
from collections.abc import Hashable

from messagehub.clock import SECOND

SIZE = 10_000


class Buckets:
    """A bucket per key, of `burst` tokens, filled by `rate` tokens a second. `now` in microseconds."""

    def __init__(self, rate: float, burst: int, size: int = SIZE) -> None:
        self._interval, self._burst, self._size = SECOND / rate, burst, size
        self._full_at: dict[Hashable, float] = {}

    def take(self, key: Hashable, now: int) -> float:
        """Takes a token, and gives 0; or takes none, and gives the microseconds until there is one."""
        # A clock that was set back must not keep anybody waiting longer than an empty bucket does.
        full_at = min(max(self._full_at.get(key, now), now), now + self._burst * self._interval)
        wait = full_at - now - (self._burst - 1) * self._interval
        if wait > 0:
            return wait
        if key not in self._full_at and len(self._full_at) >= self._size:
            self._forget(now)
        self._full_at[key] = full_at + self._interval
        return 0

    def __len__(self) -> int:
        return len(self._full_at)

    def _forget(self, now: int) -> None:
        """The full ones; and, where too few are, the fuller half: those lose least by it."""
        kept = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        if len(kept) > self._size // 2:
            kept = dict(heapq.nlargest(self._size // 2, kept.items(), key=lambda item: item[1]))
        self._full_at = kept
