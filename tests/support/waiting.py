"""Waiting for what will be so in a moment."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

FIRST_PAUSE_S = 0.01

PATIENCE_S = 90.0
"""Bounded, yet long enough for a machine that others work on."""


def until(ask: Callable[[], T], what: str = "it", within: float = PATIENCE_S, every: float = 0.1) -> T:
    """What `ask` gives, soon after that is true. AssertionError with `what` after `within` seconds.

    It is asked often at first, and every `every` seconds in the end, since to ask takes time from what is waited for.
    """
    pause = min(FIRST_PAUSE_S, every)
    end = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < end, f"{what}: not within {within:g} s; last seen: {answer!r}"
        time.sleep(pause)
        pause = min(pause * 1.3, every)
    return answer
