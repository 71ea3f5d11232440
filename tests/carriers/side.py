"""Our side of a carrier: what it tells us, taken as the exchange would take it."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from messagehub.carriers.carrier import Carrier, Inbound, News, Receipt, Verdict

T = TypeVar("T")
PATIENCE_S = 40.0


class Side:
    """The carrier, and the news of it."""

    carrier: Carrier

    def __init__(self) -> None:
        self.news: list[News] = []
        self.verdict: Verdict | None = Verdict.TAKEN
        """How receipts and messages are answered; None: not at all."""
        self._rung = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.carrier.open(self._rung.set)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.carrier.close()

    def take(self) -> None:
        for one in self.carrier.news():
            self.news.append(one)
            if isinstance(one, Receipt | Inbound) and self.verdict:
                self.carrier.answer(one.ticket, self.verdict)

    async def until(self, ask: Callable[[], T]) -> T:
        """What `ask` gives, as soon as that is true; news is taken meanwhile."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self._rung.clear()
                self.take()
                if answer := ask():
                    return answer
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(0.01):
                await self._rung.wait()
        except TimeoutError:
            return

    def of(self, kind: type[T]) -> list[T]:
        return [one for one in self.news if isinstance(one, kind)]

    async def heard(self, kind: type[T], times: int = 1) -> list[T]:
        return await self.until(lambda: found if len(found := self.of(kind)) >= times else [])
