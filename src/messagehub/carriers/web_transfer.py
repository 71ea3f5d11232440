"""A handover on its way to a carrier that is spoken to over HTTP."""

import asyncio

from messagehub.carriers.carrier import Handover, TargetKey
from messagehub.carriers.web_bind import WebBind
from messagehub.carriers.wire import Step


class Transfer:
    """A handover on its way."""

    __slots__ = ("bind", "ended", "given_up", "handover", "is_late", "left", "sent_at", "steps", "task", "timer", "url")

    def __init__(self, handover: Handover) -> None:
        self.handover, self.steps = handover, handover.steps
        self.bind: WebBind | None = None
        self.task: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.left = False
        """Something of its request may have reached the carrier."""
        self.sent_at = 0
        self.url = ""
        self.ended = False
        """Its outcome has been told."""
        self.given_up = False
        """It ended without an answer, which may still come."""
        self.is_late = False
        """The time was up before it could leave."""

    @property
    def key(self) -> TargetKey:
        return self.handover.key

    def take_steps(self) -> list[Step]:
        """What was seen of it since they were taken last."""
        steps, self.steps = self.steps, []
        return steps
