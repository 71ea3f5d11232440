"""An inquiry on its way to the carrier: a query_sm for each segment of a target (SMPP 3.4, section 4.8)."""

from typing import Any

from msgspec import Struct

from messagehub.carriers.carrier import Queried, Question
from messagehub.carriers.wire import Step


class Inquiry:
    """What was answered so far, and how many answers are still to come."""

    __slots__ = ("fields", "is_lost", "key", "left", "retry", "states", "steps")

    def __init__(self, question: Question, fields: dict[str, Any]) -> None:
        self.key, self.retry, self.fields = question.key, question.retry, fields
        self.left = len(question.names)
        self.states: list[tuple[int, str, str]] = []
        self.steps: list[Step] = []
        self.is_lost = False

    def settle(self) -> list[Queried]:
        """One answer less is to come: what it came to, if it was the last."""
        self.left -= 1
        return [] if self.left else [Queried(self.key, self.states, self.is_lost, self.steps, self.retry)]

    def lose(self, step: Step) -> list[Queried]:
        """As `settle`, for an answer that cannot come any more."""
        self.is_lost = True
        self.steps.append(step)
        return self.settle()


TRIES = 3
"""How often a carrier that throttles is asked the same; by then the answer is hardly waited for any more."""


class Query(Struct, frozen=True):
    """A segment that is asked about: the context of its query_sm."""

    inquiry: Inquiry
    part: int
    name: str
    tries: int = 1
