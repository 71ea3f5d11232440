"""The gate: what may not go waits or fails, when it is accepted and when it is claimed."""

from collections.abc import Mapping, Sequence

import pytest

from messagehub import clock
from messagehub.carriers.carrier import TargetKey
from messagehub.clock import SECOND
from messagehub.messages.gate import Stop
from messagehub.messages.target import Target
from messagehub.store import Tx
from tests.messages.house import ANNE, BERT, CARL, House, eventually
from tests.messages.queued import queue


class Closed:
    """Stops those for some destinations."""

    def __init__(self, **stops: Stop) -> None:
        self.by_destination = stops
        self.asked = 0

    async def stops(self, tx: Tx, targets: Sequence[Target], now: int) -> Mapping[TargetKey, Stop]:
        self.asked += len(targets)
        found = [(target, self.by_destination.get(target.destination)) for target in targets]
        return {(target.message_id, target.n): stop for target, stop in found if stop}


@pytest.fixture
def closed(house: House) -> Closed:
    check = Closed()
    house.gate.checks = (check,)
    return check


async def test_what_may_not_go_never_goes_and_the_rest_does(house: House, closed: Closed) -> None:
    closed.by_destination = {ANNE: Stop("expired", "too late")}
    message = await house.send(ANNE, BERT)
    first, second = message.targets
    assert (first.status, first.error_code, first.error_message) == ("failed", "expired", "too late")
    assert second.status == "queued"
    await eventually(lambda: house.peer.handed)
    assert [handover.destination for handover in house.peer.handed] == [BERT]


async def test_what_may_go_later_goes_then(house: House, closed: Closed) -> None:
    closed.by_destination = {ANNE: Stop("quiet_hours", until=clock.now() + SECOND // 5)}
    message = await house.send(ANNE)
    (target,) = message.targets
    assert (target.status, target.hold_reason, target.error_code) == ("queued", "quiet_hours", "")
    closed.by_destination = {}
    await house.until((message.id, 0), "handed")
    assert (await house.row((message.id, 0))).error_code == ""
    assert closed.asked == 2


async def test_it_is_asked_again_when_a_target_is_claimed(house: House, closed: Closed) -> None:
    later = clock.now() + 3600 * SECOND
    closed.by_destination = {ANNE: Stop("expired", "too late"), BERT: Stop("quiet_hours", until=later)}
    await house.open()
    anne, bert, carl = [await queue(house, destination=to) for to in (ANNE, BERT, CARL)]
    await house.until(anne, "failed")
    await house.until(carl, "handed")
    row = await house.row(bert)
    assert (row.status, row.error_code, row.due_at) == ("queued", "quiet_hours", later)
    (told,) = [told for told in await house.told() if told["status"] == "failed"]
    assert told["changed"][0]["error_code"] == "expired"


async def test_what_one_check_stops_the_next_does_not_see(house: House, closed: Closed) -> None:
    second = Closed(**{BERT: Stop("expired", "too late")})
    house.gate.checks = (closed, second)
    closed.by_destination = {ANNE: Stop("no_route", "nowhere")}
    message = await house.send(ANNE, BERT)
    assert [target.error_code for target in message.targets] == ["no_route", "expired"]
    assert (closed.asked, second.asked) == (2, 1)
