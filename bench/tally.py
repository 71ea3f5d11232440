"""What happened to each number at the customer's two ends, and what is said of it."""

from array import array
from collections import Counter
from collections.abc import Sequence

import msgspec

from bench.wire import NO_CONTENT

OK = 200


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one run is to send, and how a gateway answers and calls back; by default, as we do.

    `rate` in messages per second; 0 is as fast as the connections allow.
    """

    host: str
    port: int
    request: str
    """Whole, with a %d for the number, twice."""
    first: int
    count: int
    connections: int
    rate: float = 0.0
    good: int = OK
    """The status of what is accepted."""
    mark: str = '"text":"'
    """What stands before the number in a callback."""
    delivered: str = '"status":"delivered"'
    """What stands in the callback of a message that was delivered."""
    reply: str = NO_CONTENT.decode()
    """What the endpoint says to a callback."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer saw. Numbers count from the plan's first; in `called_back` they repeat as they came."""

    accepted: list[int]
    called_back: list[int]
    refused: dict[str, int]
    undelivered: int
    accept_per_s: float
    end_to_end_per_s: float
    post_ms: tuple[float, float]
    webhook_ms: tuple[float, float]


class Tally:
    """Plain arrays: nothing here costs the measured process's core more than it must."""

    def __init__(self, plan: Plan) -> None:
        count = plan.count
        self.first, self.count, self.good = plan.first, count, plan.good
        self.mark, self.delivered, self.reply = (text.encode() for text in (plan.mark, plan.delivered, plan.reply))
        self.sent_at, self.answered_at, self.called_at = (array("d", bytes(8 * count)) for _ in range(3))
        self.status = array("H", bytes(2 * count))
        self.calls: list[int] = []
        self.answers = self.accepted = self.called = self.undelivered = 0

    def sent(self, n: int, at: float) -> None:
        self.sent_at[n] = at

    def answered(self, n: int, status: int, at: float) -> None:
        """Status 0: the connection was lost before an answer came."""
        self.status[n], self.answered_at[n] = status, at
        self.answers += 1
        self.accepted += status == self.good

    def called_back(self, number: int, delivered: bool, at: float) -> None:
        n = number - self.first
        self.calls.append(n)
        if 0 <= n < self.count and not self.called_at[n]:
            self.called_at[n] = at
            self.called += 1
            self.undelivered += not delivered

    def seen(self) -> Seen:
        accepted = [n for n in range(self.count) if self.status[n] == self.good]
        called = [n for n in range(self.count) if self.called_at[n]]
        return Seen(
            accepted=accepted,
            called_back=self.calls,
            refused=self._refused(),
            undelivered=self.undelivered,
            accept_per_s=self._per_second(accepted, self.answered_at),
            end_to_end_per_s=self._per_second(called, self.called_at),
            post_ms=self._latencies(accepted, self.answered_at),
            webhook_ms=self._latencies(called, self.called_at),
        )

    def _refused(self) -> dict[str, int]:
        counts = Counter(status for status in self.status if status != self.good)
        return {str(status or "no answer"): count for status, count in counts.items()}

    def _per_second(self, numbers: Sequence[int], ended_at: "array[float]") -> float:
        """From the first request to the last end."""
        if not numbers:
            return 0.0
        return len(numbers) / (max(ended_at[n] for n in numbers) - self.sent_at[0])

    def _latencies(self, numbers: Sequence[int], ended_at: "array[float]") -> tuple[float, float]:
        """The 50th and the 99th percentile in milliseconds."""
        spans = sorted(ended_at[n] - self.sent_at[n] for n in numbers) or [0.0]
        half, most = (spans[min(int(share * len(spans)), len(spans) - 1)] for share in (0.5, 0.99))
        return half * 1000, most * 1000
