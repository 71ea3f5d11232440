"""PURE. Failed logins, and how long whoever failed waits for the next try. Time is an argument.

Two counts go side by side: of an address, whatever names it tries, and of a name at an address. There is none of a
name alone: by it anybody could lock out the owner. So whoever guesses is slowed at each address that he has, the
owner gets in from any other, and a success clears what its own address has failed for this name, and nothing else:
an account of one's own is no way to try more of the others.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

from messagehub.clock import SECOND

FREE_PER_NAME, FREE_PER_ADDRESS = 5, 20
"""Failures before the pauses begin."""

FIRST_PAUSE, LONGEST_PAUSE = SECOND, 15 * 60 * SECOND
FORGOTTEN_AFTER = 3600 * SECOND
SIZE = 10_000


def pause(failures: int, free: int) -> int:
    """Microseconds from the last failure to the next try."""
    doublings = min(failures - free, 30)
    return 0 if doublings < 0 else min(FIRST_PAUSE << doublings, LONGEST_PAUSE)


class Count(NamedTuple):
    failures: int
    last: int


class Failures:
    """Failures per key, of which the first `free` cost nothing. At most `size` keys; the oldest are forgotten."""

    def __init__(self, free: int, size: int = SIZE) -> None:
        self._free, self._size = free, size
        self._counts: OrderedDict[Hashable, Count] = OrderedDict()

    def wait(self, key: Hashable, now: int) -> int:
        """Microseconds until the next try."""
        count = self._count(key, now)
        # A clock that was set back keeps nobody longer than his pause.
        return max(0, pause(count.failures, self._free) - max(0, now - count.last))

    def add(self, key: Hashable, now: int) -> None:
        self._counts[key] = Count(self._count(key, now).failures + 1, now)
        self._counts.move_to_end(key)
        if len(self._counts) > self._size:
            self._counts.popitem(last=False)

    def clear(self, key: Hashable) -> None:
        self._counts.pop(key, None)

    def __len__(self) -> int:
        return len(self._counts)

    def _count(self, key: Hashable, now: int) -> Count:
        count = self._counts.get(key)
        return count if count and now - count.last < FORGOTTEN_AFTER else Count(0, now)


class Attempts:
    """Who may try to log in now."""

    def __init__(self, size: int = SIZE) -> None:
        self._of_address = Failures(FREE_PER_ADDRESS, size)
        self._of_name = Failures(FREE_PER_NAME, size)

    def wait(self, address: str, username: str, now: int) -> int:
        """Microseconds until this address may try this name; 0 for now."""
        return max(self._of_address.wait(address, now), self._of_name.wait((address, username), now))

    def failed(self, address: str, username: str, now: int) -> None:
        self._of_address.add(address, now)
        self._of_name.add((address, username), now)

    def succeeded(self, address: str, username: str) -> None:
        self._of_name.clear((address, username))
