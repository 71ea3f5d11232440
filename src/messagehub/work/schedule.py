"""When to try again: a schedule is a list of pauses in seconds; its end is the end."""

from collections.abc import Sequence

from messagehub.clock import SECOND

JITTER = 0.1
"""The share of a pause by which it varies, so that what failed together does not come back together."""


def next_attempt(pauses: Sequence[float], attempts: int, now: int, chance: float) -> int | None:
    """When to try again after `attempts` (1 or more) have failed, or None: enough is enough.

    `now` and the answer are microseconds; `chance` is a number in [0, 1).
    """
    if attempts > len(pauses):
        return None
    return now + int(pauses[attempts - 1] * (1 + JITTER * (2 * chance - 1)) * SECOND)
