"""Requests of one side that wait for their answers, and the numbers that they have.

Requests of one session have one response_timeout, so each dict is in the order of its deadlines: looking for the late
ones costs as much as there are late ones.
"""

from typing import Any

from messagehub.smpp.pdus import PDU

MAX_SEQUENCE = 0x7FFFFFFF  # section 3.2
REMEMBERED = 10_000  # unanswered requests that may still be answered late

Waiting = tuple[PDU, Any, float]  # request, context, until when


class Outstanding:
    """By sequence number: `messages` fill the window, `link` is about the session itself, `late` was given up."""

    __slots__ = ("last", "late", "link", "messages")

    def __init__(self) -> None:
        self.last = 0
        self.messages: dict[int, Waiting] = {}
        self.link: dict[int, Waiting] = {}
        self.late: dict[int, Waiting] = {}

    def next_sequence(self) -> int:
        """The next number that no request has; they begin anew behind MAX_SEQUENCE."""
        sequence = self.last % MAX_SEQUENCE + 1
        while sequence in self.messages or sequence in self.link or sequence in self.late:
            sequence = sequence % MAX_SEQUENCE + 1
        self.last = sequence
        return sequence

    @property
    def first_late(self) -> float:
        """When the first of the messages that wait has no more time."""
        return next(iter(self.messages.values()))[2]

    def give_up(self, now: float, late_answers: float) -> list[Waiting]:
        """The messages whose time has run out; an answer of the next `late_answers` seconds is still known."""
        given_up = []
        for sequence in _due(self.messages, now):
            waiting = request, context, _ = self.messages.pop(sequence)
            self.late[sequence] = (request, context, now + late_answers)
            given_up.append(waiting)
        return given_up

    def silent_link(self, now: float) -> list[Waiting]:
        """What the peer has left unanswered of the session itself."""
        return [self.link.pop(sequence) for sequence in _due(self.link, now)]

    def forget(self, now: float) -> None:
        """Late answers are known for a while only, and for so many only."""
        surplus = max(0, len(self.late) - REMEMBERED)
        for sequence in [*list(self.late)[:surplus], *_due(self.late, now)]:
            self.late.pop(sequence, None)


def _due(waiting: dict[int, Waiting], now: float) -> list[int]:
    due = []
    for sequence, (_, _, until) in waiting.items():
        if until > now:
            break
        due.append(sequence)
    return due
