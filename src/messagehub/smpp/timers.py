"""What time alone makes due in a session, as a table and a pure function of `now`: SMPP 3.4, section 7.2.

The fourth timer of the standard, for responses, runs for each request: see `messagehub.smpp.outstanding`.
"""

from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from messagehub.smpp.states import BOUND, OPEN, State, States


class Due(Enum):
    """What a timer that has run out asks for."""

    BREAK = "break"
    UNBIND = "unbind"
    PROBE = "probe"


class Timer(Struct, frozen=True):
    """In `states`, something is due when `name` seconds have passed since the mark `since`."""

    name: str
    states: States
    since: str
    due: Due


TIMERS: tuple[Timer, ...] = (  # the first that has run out counts
    Timer("session_init", OPEN, "opened", Due.BREAK),
    Timer("inactivity", BOUND, "busy", Due.UNBIND),
    Timer("enquire_link", BOUND, "heard", Due.PROBE),
)


def due(state: State, limits: Mapping[str, float], marks: Mapping[str, float], now: float) -> Timer | None:
    """The timer that has run out, or None. `limits` are seconds by name, 0 for never; `marks` are times by name."""
    for timer in TIMERS:
        limit = limits[timer.name]
        if limit and state in timer.states and now - marks[timer.since] >= limit:
            return timer
    return None
