import pytest

from messagehub.messages import entering
from messagehub.messages.entering import Entering
from messagehub.messages.lanes import HIGH, NORMAL


async def test_what_is_there_is_not_waited_for() -> None:
    some = Entering()
    some.add(2, NORMAL)
    some.add(1, HIGH)
    some.entered(2, NORMAL)
    assert some.lanes == {HIGH: 1}
    some.entered(1, HIGH)
    assert await some.end(Entering()) == 0


async def test_what_is_not_waited_for_any_more_is_counted_in_what_came_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entering, "WAIT_S", 0)
    first, second, third = Entering(), Entering(), Entering()
    first.add(3, NORMAL)
    assert await first.end(second) == 3
    second.add(1, NORMAL)
    first.entered(1, NORMAL)
    assert await second.end(third) == 3
    first.entered(2, NORMAL)
    assert third.lanes == {NORMAL: 1}
    second.entered(1, NORMAL)
    assert not third.lanes
