"""What was read a moment ago, so that the hot path asks the store once in a while and not once per message."""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from messagehub.store.seam import Store, Tx

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

CHANGED = "changed"
"""The topic that is notified when rows change that others may remember."""


class Recent(Generic[K, V]):
    """Remembers `read(tx, key)` for `seconds`, for at most `size` keys; absence is remembered as None."""

    def __init__(
        self,
        read: Callable[[Tx, K], Awaitable[V | None]],
        *,
        seconds: float = 5.0,
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._seconds, self._size, self._clock = read, seconds, size, clock
        self._known: dict[K, tuple[float, V | None]] = {}

    async def get(self, tx: Tx, key: K) -> V | None:
        known = self._known.get(key)
        if known and known[0] > self._clock():
            return known[1]
        if len(self._known) >= self._size:
            self.clear()
        remembered = self._known  # what is read before a `clear` must not be remembered after it
        value = await self._read(tx, key)
        remembered[key] = (self._clock() + self._seconds, value)
        return value

    def clear(self) -> None:
        self._known = {}

    def follow(self, store: Store) -> None:
        """Forgets everything whenever CHANGED is notified."""
        store.listen(CHANGED, self.clear)
