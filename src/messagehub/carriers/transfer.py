"""A handover on its way to the carrier, segment by segment."""

from dataclasses import dataclass
from typing import Any

from messagehub.carriers.carrier import Handover
from messagehub.carriers.wire import Step
from messagehub.text import Segment

Why = tuple[str, str, str]
"""Why a segment was refused: as `Refused` has it, reason, words and error_code."""

MAX_AGAIN = 5
"""How often throttled segments go again by themselves, before the whole handover is given back."""


class Transfer:
    """What its segments are called so far, and how many of them left and were answered."""

    __slots__ = (
        "accepted", "again", "answered", "ended", "expire_at", "fields", "given_up", "key", "names", "refusal", "retry",
        "steps", "submitted", "throttled", "times_again", "tlvs",
    )  # fmt: skip

    def __init__(self, handover: Handover, fields: dict[str, Any], tlvs: dict[int, bytes] | None) -> None:
        self.key = handover.key
        self.steps = handover.steps
        self.retry = handover.retry
        self.expire_at = handover.expire_at
        self.fields, self.tlvs = fields, tlvs
        self.names = [""] * len(handover.segments)
        self.submitted = self.answered = self.accepted = 0
        self.refusal: Why | None = None
        """Why a segment was refused. No more of them leave, and what left already is waited for."""
        self.throttled: Why | None = None
        """Why segments have to go again."""
        self.again: list[Part] = []
        """Those that have to: the carrier throttled them, and has taken others of the same handover."""
        self.times_again = 0
        self.ended = False
        """Its outcome has been told, and no more of it is sent."""
        self.given_up = False
        """It ended without an answer, which may still come."""

    @property
    def is_answered(self) -> bool:
        """All that left of it is answered."""
        return self.answered == self.submitted

    def take_steps(self) -> list[Step]:
        """What was seen of it since they were taken last."""
        steps, self.steps = self.steps, []
        return steps

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


@dataclass(frozen=True, slots=True)
class Part:
    """A segment of a transfer: the context of its submit_sm."""

    transfer: Transfer
    number: int
    segment: Segment
