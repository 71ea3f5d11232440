"""Waiting for what will be so in a moment."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 90.0
"""Bounded, yet long enough for a machine that others work on."""


def until(ask: Callable[[], T], what: str = "it", within: float = PATIENCE_S, every: float = 0.02) -> T:
    """What `ask` gives, as soon as that is true. AssertionError with `what` after `within` seconds."""
    end = time.monotonic() + within
    while not (answer := ask()):
        assert time.monotonic() < end, f"{what}: not within {within:g} s; last seen: {answer!r}"
        time.sleep(every)
    return answer
