import asyncio
from collections.abc import Callable

import pytest
import uvloop

from messagehub.carriers.simulator.later import Later

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]


async def in_order_of_their_time() -> list[str]:
    done: list[str] = []
    ended = asyncio.Event()
    later = Later(lambda: done.append("|"))
    for delay, name in ((0.05, "last"), (0.0, "first"), (0.0, "second"), (0.02, "third")):
        later.put(delay, lambda name=name: done.append(name))  # type: ignore[misc]
    later.put(0.05, ended.set)
    await asyncio.wait_for(ended.wait(), 5)
    later.close()
    return done


@pytest.mark.parametrize("new_loop", LOOPS)
def test_things_are_done_in_order_of_their_time(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        done = runner.run(in_order_of_their_time())
    assert [name for name in done if name != "|"] == ["first", "second", "third", "last"]
    assert done[:3] == ["first", "second", "|"]


@pytest.mark.parametrize("new_loop", LOOPS)
def test_something_that_is_due_already_does_not_hold_up_what_follows(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def later_than_due() -> None:
        ended = asyncio.Event()
        later = Later(lambda: None)
        later.put(-1.0, lambda: None)
        later.put(0.0, ended.set)
        await asyncio.wait_for(ended.wait(), 5)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(later_than_due())
