"""How often a person is answered is counted by minutes and by the day, on both stores."""

from functools import partial

from messagehub import clock
from messagehub.clock import SECOND
from messagehub.flows import answers
from messagehub.flows.answers import COUNTED, DAY, Answers
from messagehub.store import Store

MOST = 2


async def excesses(store: Store, first: int, step: int, count: int, person: str = "p") -> list[int]:
    """What comes of so many messages at such distances."""
    known = Answers(MOST)
    times = (first + n * step for n in range(count))
    return [await store.transaction(partial(known.excess, number="n", person=person, now=now)) for now in times]


async def test_after_too_many_there_has_to_be_silence(store: Store) -> None:
    now = clock.now()
    assert await excesses(store, now, SECOND, 4) == [0, 0, 1, 2]
    assert await excesses(store, now + COUNTED, SECOND, 1) == [3]
    assert await excesses(store, now + 2 * COUNTED + 2 * SECOND, SECOND, 2) == [0, 0]


async def test_machines_that_take_their_time_are_told_by_the_day(store: Store) -> None:
    now, slowly = clock.now(), COUNTED + SECOND
    most = MOST * answers.IN_A_DAY
    assert await excesses(store, now, slowly, most + 3) == [0] * most + [1, 2, 3]
    assert await excesses(store, now, slowly, 1, person="other") == [0]
    assert await excesses(store, now + DAY + SECOND, slowly, most + 1) == [0] * most + [1]


async def test_what_counts_no_more_is_forgotten(store: Store) -> None:
    now = clock.now()
    await excesses(store, now, SECOND, 1)
    await excesses(store, now + DAY, SECOND, 1, person="other")
    for at, left in ((now + DAY, {"p", "other"}), (now + DAY + SECOND, {"other"})):
        await answers.prune(store, at)
        rows = await store.all("old_flow_answers", since=now + 2 * DAY, count=9)
        assert {row.person for row in rows} == left
