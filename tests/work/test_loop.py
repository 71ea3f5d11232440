"""A loop works when it is rung or when time is up, and lives on whatever its turns do."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from messagehub.errors import Unavailable
from messagehub.work import loop as loops
from messagehub.work.loop import Loop

LONG_S = 60.0


class Work:
    """Counts its turns. `each` is called with the number of the turn, and may wait or fail."""

    def __init__(self, each: Callable[[int], object] = lambda n: None) -> None:
        self.turns = 0
        self._each = each
        self._turned = asyncio.Event()

    async def turn(self) -> None:
        self.turns += 1
        self._turned.set()
        if asyncio.iscoroutine(waiting := self._each(self.turns)):
            await waiting

    async def until(self, turns: int) -> None:
        async with asyncio.timeout(30):
            while self.turns < turns:
                self._turned.clear()
                await self._turned.wait()


@asynccontextmanager
async def running(work: Work, every: float = LONG_S) -> AsyncIterator[Loop]:
    loop = Loop("work", work.turn, every)
    loop.start()
    yield loop
    await loop.stop()


async def test_it_begins_at_once_and_turns_whenever_it_is_rung() -> None:
    work = Work()
    async with running(work) as loop:
        for turns in (1, 2, 3):
            await work.until(turns)
            loop.ring()
        await work.until(4)


async def test_it_turns_when_time_is_up() -> None:
    work = Work()
    async with running(work, every=0.005):
        await work.until(4)


async def test_rings_during_a_turn_are_one_more_turn() -> None:
    go = asyncio.Event()
    work = Work(lambda n: go.wait() if n == 1 else None)
    async with running(work) as loop:
        await work.until(1)
        for _ in range(5):
            loop.ring()
        go.set()
        await work.until(2)
        await asyncio.sleep(0.01)
        assert work.turns == 2


FAILURES = [(ValueError("bad luck"), "ERROR", "bad luck"), (Unavailable("the disk is full"), "WARNING", "disk is full")]


@pytest.mark.parametrize(("error", "level", "words"), FAILURES)
async def test_it_outlives_its_failures_and_says_so(
    error: Exception, level: str, words: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(n: int) -> None:
        if n <= 2:
            raise error

    monkeypatch.setattr(loops, "PAUSE_S", 0.005)
    work = Work(fail)
    with caplog.at_level(logging.WARNING):
        async with running(work):
            await work.until(3)
    assert [record.levelname for record in caplog.records] == [level, level]
    assert "work" in caplog.records[0].getMessage()
    assert words in caplog.text


async def test_after_a_failure_no_ring_cuts_its_pause_short_and_an_end_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(loops, "PAUSE_S", LONG_S)
    work = Work(fail)
    async with asyncio.timeout(LONG_S / 2), running(work) as loop:
        await work.until(1)
        for _ in range(10):
            loop.ring()
            await asyncio.sleep(0)
    assert work.turns == 1


async def test_what_must_not_wait_long_has_a_bound_of_its_own_for_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise Unavailable("the disk is full")

    monkeypatch.setattr(loops, "PAUSE_S", 0.005)
    work = Work(fail)
    loop = Loop("work", work.turn, LONG_S, longest_pause=0.005)
    loop.start()
    begun = asyncio.get_running_loop().time()
    await work.until(11)
    assert asyncio.get_running_loop().time() - begun < 0.005 * 2**10
    await loop.stop()


async def test_stopping_lets_the_turn_under_way_end() -> None:
    ended = []

    async def slow() -> None:
        await asyncio.sleep(0.02)
        ended.append(True)

    work = Work(lambda n: slow())
    async with running(work):
        await work.until(1)
    assert ended == [True]
    assert work.turns == 1


async def test_a_turn_that_does_not_end_is_ended() -> None:
    work = Work(lambda n: asyncio.sleep(LONG_S))
    loop = Loop("work", work.turn, LONG_S)
    await loop.stop()
    loop.start()
    await work.until(1)
    begun = asyncio.get_running_loop().time()
    await loop.stop(within=0.02)
    assert asyncio.get_running_loop().time() - begun < 15
