"""The lanes to a carrier: what is urgent goes first, and each lane gets a share while something waits in it. Pure.

A lane is a traffic class and a priority: codes before what a business has to tell, and that before advertising; within
a class what is of high priority first. The larger number goes before the smaller.
"""

from collections.abc import Collection, Mapping

NORMAL, HIGH = 0, 1
OF_PRIORITY = {"normal": NORMAL, "high": HIGH}

OTP, TRANSACTIONAL, MARKETING = 2, 0, -2
OF_CLASS = {"otp": OTP, "transactional": TRANSACTIONAL, "marketing": MARKETING}
CLASSES = {lane + priority: name for name, lane in OF_CLASS.items() for priority in OF_PRIORITY.values()}
"""The traffic class of each lane."""

LANES = tuple(sorted(CLASSES, reverse=True))
"""The values of a target's `lane`, the most urgent first."""

SHARE = 10
"""In how many segments there is one of each lane that waits behind others."""

PATIENCE = 10
"""Segments that a lane may be ahead of its share at most."""


class Share:
    """What is owed to the lanes that others go before."""

    def __init__(self) -> None:
        self._owed = dict.fromkeys(LANES, 0)
        """In parts of a segment, of which SHARE are a whole."""

    def owed(self) -> dict[int, int]:
        """Segments of a lane that go before all others now."""
        return {lane: owed // SHARE for lane, owed in self._owed.items() if owed >= SHARE}

    def settle(self, segments: Mapping[int, int], waiting: Collection[int]) -> None:
        """So many `segments` of each lane have gone; in the lanes of `waiting` there may be more."""
        gone = sum(segments.values())
        for lane, owed in self._owed.items():
            left = max(owed + gone - SHARE * segments.get(lane, 0), -PATIENCE * SHARE)
            self._owed[lane] = left if lane in waiting else 0
