"""A handover on its way to the carrier, segment by segment."""

from typing import Any

from msgspec import Struct, field

from messagehub.carriers.carrier import TargetKey
from messagehub.carriers.wire import Step
from messagehub.text import Segment

Why = tuple[str, str, str]
"""Why a segment was refused: as `Refused` has it, reason, words and error_code."""

MAX_AGAIN = 5
"""How often throttled segments go again by themselves, before the whole handover is given back."""


class Transfer(Struct, eq=False):
    key: TargetKey
    steps: list[Step]
    retry: int
    expire_at: int
    fields: dict[str, Any]
    tlvs: dict[int, bytes] | None
    names: list[str]
    """What its segments are called, as far as they are accepted."""
    submitted: int = 0
    answered: int = 0
    accepted: int = 0
    refusal: Why | None = None
    """Why a segment was refused. No more of them leave, and what left already is waited for."""
    throttled: Why | None = None
    """Why segments have to go again."""
    again: list["Part"] = field(default_factory=list)
    """Those that have to: the carrier throttled them, and has taken others of the same handover."""
    times_again: int = 0
    ended: bool = False
    """Its outcome has been told, and no more of it is sent."""
    given_up: bool = False
    """It ended without an answer, which may still come."""

    @property
    def is_answered(self) -> bool:
        """All that left of it is answered."""
        return self.answered == self.submitted

    def take_steps(self) -> list[Step]:
        """What was seen of it since they were taken last."""
        steps, self.steps = self.steps, []
        return steps

    def called(self) -> tuple[list[str], int]:
        """The names of its segments, and how many these are where a message centre calls all of them the same.

        Then no receipt can tell of which it is: it is as with a message_payload, which has one name.
        """
        names = self.names
        alike = len(names) > 1 and names[0] and names.count(names[0]) == len(names)
        return (names[:1], len(names)) if alike else (names, 0)

    def put_off(self, part: "Part", why: Why) -> None:
        self.again.append(part)
        self.throttled = why

    def settle_throttled(self) -> list["Part"]:
        """The segments that go again; none, and a refusal, where the whole is better given back."""
        if not self.accepted or self.times_again == MAX_AGAIN:
            self.refusal = self.throttled
            return []
        parts, self.again = self.again, []
        self.submitted -= len(parts)
        self.answered -= len(parts)
        self.times_again += 1
        return parts


class Part(Struct, eq=False, frozen=True):
    """A segment of a transfer: the context of its submit_sm."""

    transfer: Transfer
    number: int
    segment: Segment
