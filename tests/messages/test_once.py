"""What is asked with a key is done once, here and on several nodes, and again after a day."""

import asyncio

import pytest

from messagehub import clock
from messagehub.errors import Refusal, Unavailable
from messagehub.messages.once import KEPT_FOR, Answer, Asking, Keep, Once
from messagehub.store import Insert, Store
from tests.store.test_conformance import route

ASKING = Asking("c", "key", b"same")


class Doing:
    """Makes a route each time that it is done."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.times = 0

    async def __call__(self, keep: Keep) -> bytes:
        self.times += 1
        body = b"%d" % self.times
        await self._store.write([Insert("insert_route", [route(f"r{self.times}")]), keep(body)])
        return body


@pytest.fixture
def do(store: Store) -> Doing:
    return Doing(store)


async def routes(store: Store) -> int:
    return len(await store.all("live_routes"))


async def test_it_is_done_once(store: Store, do: Doing) -> None:
    once = Once(store)
    answers = [await once.answer(ASKING, do) for _ in range(3)]
    assert answers == [Answer(b"1", False), Answer(b"1", True), Answer(b"1", True)]
    assert await routes(store) == 1


async def test_those_who_ask_meanwhile_wait_for_the_answer(store: Store, do: Doing) -> None:
    once = Once(store)
    answers = await asyncio.gather(*(once.answer(ASKING, do) for _ in range(20)))
    assert sorted(answers) == [Answer(b"1", False)] + [Answer(b"1", True)] * 19
    assert do.times == 1


async def test_of_two_nodes_one_does_it(store: Store) -> None:
    """Both have looked before either has written."""
    both = asyncio.Barrier(2)

    async def answer(name: str) -> Answer:
        async def do(keep: Keep) -> bytes:
            await both.wait()
            await store.write([Insert("insert_route", [route(name)]), keep(name.encode())])
            return name.encode()

        return await Once(store).answer(ASKING, do)

    first, second = await asyncio.gather(answer("a"), answer("b"))
    assert first.body == second.body
    assert {first.is_replayed, second.is_replayed} == {True, False}
    assert await routes(store) == 1


async def test_another_request_is_refused_and_changes_nothing(store: Store, do: Doing) -> None:
    once = Once(store)
    await once.answer(ASKING, do)
    with pytest.raises(Refusal, match="Idempotency-Key: it was used for another request"):
        await once.answer(Asking("c", "key", b"other"), do)
    assert (await once.answer(Asking("d", "key", b"other"), do)).is_replayed is False
    assert await once.answer(ASKING, do) == Answer(b"1", True)


async def test_what_failed_is_done_when_it_is_asked_again(store: Store, do: Doing) -> None:
    once = Once(store)

    async def fail(keep: Keep) -> bytes:
        raise Unavailable("full")

    asked = [once.answer(ASKING, fail), once.answer(ASKING, do), once.answer(ASKING, do)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(answers[0], Unavailable)
    assert answers[1:] == [Answer(b"1", False), Answer(b"1", True)]


async def test_who_goes_away_holds_nobody_up(store: Store, do: Doing) -> None:
    once, begun = Once(store), asyncio.Event()

    async def hang(keep: Keep) -> bytes:
        begun.set()
        await asyncio.Event().wait()
        return b""

    first = asyncio.create_task(once.answer(ASKING, hang))
    await begun.wait()
    waiting = [asyncio.create_task(once.answer(ASKING, do)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    first.cancel()
    assert await asyncio.gather(*waiting[1:]) == [Answer(b"1", False), Answer(b"1", True)]


async def test_a_key_is_free_again_after_a_day(store: Store, do: Doing) -> None:
    now = clock.now()
    other = Asking("c", "key", b"other")
    await Once(store, lambda: now).answer(ASKING, do)
    assert await Once(store, lambda: now + KEPT_FOR - 1).answer(ASKING, do) == Answer(b"1", True)
    later = Once(store, lambda: now + KEPT_FOR)
    assert await later.answer(other, do) == Answer(b"2", False)
    assert await later.answer(other, do) == Answer(b"2", True)
    assert await routes(store) == 2
