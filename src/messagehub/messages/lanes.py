"""The two lanes to a carrier: what is urgent goes first, and of the rest never less than one segment in ten. Pure."""

from collections.abc import Mapping

NORMAL, HIGH = 0, 1
LANES = (NORMAL, HIGH)
"""The values of a target's `lane`."""

OF_PRIORITY = {"high": HIGH, "normal": NORMAL}

URGENT_PER_OTHER = 9
"""Segments of what is urgent for each of what is not, where both wait."""

PATIENCE = 10
"""Segments that the lane of what is not urgent may be ahead at most."""


class Share:
    """What the urgent lane owes to the other."""

    def __init__(self) -> None:
        self._owed = 0.0

    @property
    def owed(self) -> int:
        """Segments of what is not urgent that go first now."""
        return max(0, int(self._owed))

    def settle(self, segments: Mapping[int, int], normal_waits: bool) -> None:
        """So many `segments` of each lane have gone; `normal_waits`: there may be more of what is not urgent."""
        owed = self._owed + segments[HIGH] / URGENT_PER_OTHER - segments[NORMAL]
        self._owed = max(owed, -PATIENCE) if normal_waits else 0.0
