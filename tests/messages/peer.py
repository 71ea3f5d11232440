"""A carrier of the tests' own: it keeps what it is handed, and tells what a test lets it tell."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from messagehub.carriers.callbacks import NOTHING_HERE, Callback, Reply
from messagehub.carriers.carrier import (
    CarrierStatus,
    Handover,
    Inbound,
    Lost,
    News,
    Question,
    Receipt,
    TargetKey,
    Verdict,
)
from messagehub.carriers.wire import Step
from messagehub.text import STANDARD


class Peer:
    def __init__(self, window: int = 100, dlr_timeout: float = 60) -> None:
        self.window, self.dlr_timeout = window, dlr_timeout
        self.texts = STANDARD
        self.kinds: Sequence[str] = ["transceiver"]
        self.asks, self.callback_max = False, 0
        self.asked: list[Question] = []
        self.handed: list[Handover] = []
        self.answers: dict[Any, Verdict] = {}
        """How receipts and inbound messages were answered, by their tickets."""
        self.lost_sessions: set[str] = set()
        """Those that ended before their answers were heard."""
        self._in_flight: dict[TargetKey, int] = {}
        self._news: list[News] = []
        self._ring: Callable[[], None] = lambda: None

    def tell(self, *news: News) -> None:
        for one in news:
            if not isinstance(one, Receipt | Inbound):
                self._in_flight.pop(one.key, None)
        self._news += news
        self._ring()

    def handover(self, key: TargetKey) -> Handover:
        """The last one of that target."""
        return next(handover for handover in reversed(self.handed) if handover.key == key)

    # --- the contract -------------------------------------------------------------------

    def open(self, ring: Callable[[], None], slots: Collection[int] | None = None) -> None:
        self._ring = ring

    def hold(self, slots: Collection[int]) -> None:
        return

    async def part(self, slot: int, seconds: float) -> None:
        return

    async def let_go(self) -> None:
        self.window = 0

    def room(self) -> int:
        return self.window - sum(self._in_flight.values())

    @property
    def takes_long(self) -> bool:
        return not self._in_flight

    def holds(self, key: TargetKey) -> bool:
        return key in self._in_flight

    def steps(self, key: TargetKey) -> list[Step]:
        return list(self.handover(key).steps) if key in self._in_flight else []

    def send(self, handovers: Sequence[Handover]) -> None:
        self.handed += handovers
        self._in_flight.update({handover.key: len(handover.segments) for handover in handovers})

    def ask(self, questions: Sequence[Question]) -> None:
        self.asked += questions

    def news(self) -> list[News]:
        news, self._news = self._news, []
        return news

    def answer(self, ticket: Any, verdict: Verdict) -> None:
        assert ticket not in self.answers, "it was answered before"
        self.answers[ticket] = verdict

    async def called(self, callback: Callback) -> Reply:
        return NOTHING_HERE

    def heard(self, session: str, moment: int) -> bool:
        return session not in self.lost_sessions

    def status(self) -> CarrierStatus:
        return CarrierStatus("bound")

    async def drain(self, seconds: float) -> None:
        return

    async def close(self) -> None:
        self.tell(*map(Lost, list(self._in_flight)))
