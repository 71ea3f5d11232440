"""Claiming: what is due, in its order, and never more than the carrier has room for."""

from collections.abc import AsyncIterator

import pytest

from messagehub import clock
from messagehub.carriers.carrier import Accepted, Handover, TargetKey
from messagehub.clock import SECOND
from messagehub.messages import send
from messagehub.store import Store, Tx
from tests.messages.house import ANNE, House
from tests.messages.queued import queue

TWO, THREE = "x" * 200, "x" * 400
"""Texts of so many parts."""


@pytest.fixture
async def quiet(store: Store) -> AsyncIterator[House]:
    """A house whose carrier takes nothing by itself."""
    opened = House(store)
    await opened.furnish()
    yield opened
    await opened.close()


async def claim(house: House, room: int, carrier_id: str = "") -> list[Handover]:
    async def unit(tx: Tx) -> list[Handover]:
        return (await send.claim(tx, carrier_id or house.carrier_id, "me", room, clock.now(), house.gate)).handovers

    return await house.store.transaction(unit)


def keys(handovers: list[Handover]) -> list[TargetKey]:
    return [handover.key for handover in handovers]


async def test_what_is_due_first_goes_first_and_what_is_not_due_stays(quiet: House) -> None:
    now = clock.now()
    late = await queue(quiet, due_at=now - 1 * SECOND)
    early = await queue(quiet, due_at=now - 2 * SECOND)
    not_yet = await queue(quiet, due_at=now + 3600 * SECOND)
    elsewhere = await queue(quiet, carrier_id="another")
    assert keys(await claim(quiet, 10)) == [early, late]
    assert keys(await claim(quiet, 10)) == []
    assert keys(await claim(quiet, 10, "another")) == [elsewhere]
    row = await quiet.row(early)
    assert (row.status, row.holder, row.attempts) == ("handed", "me", 1)
    assert (await quiet.row(not_yet)).status == "queued"


async def test_a_claim_counts_segments(quiet: House) -> None:
    now = clock.now()
    queued = [
        await queue(quiet, text, parts, due_at=now - (9 - n) * SECOND)
        for n, (text, parts) in enumerate([(TWO, 2), ("x", 1), (TWO, 2), ("x", 1)])
    ]
    first = await claim(quiet, 4)
    assert keys(first) == queued[:2]
    assert [len(handover.segments) for handover in first] == [2, 1]
    assert keys(await claim(quiet, 3)) == queued[2:]


async def test_the_parts_of_a_message_share_a_reference_that_the_next_has_not(quiet: House) -> None:
    for _ in range(2):
        await queue(quiet, TWO, 2)
    handovers = await claim(quiet, 4)
    references = [{segment.octets[3] for segment in handover.segments} for handover in handovers]
    assert [len(of_one) for of_one in references] == [1, 1]
    assert references[0] != references[1]


async def has_had_a_turn(house: House) -> None:
    """After this the exchange has seen what is due."""
    await house.receipt("nobody's", "intermediate")


async def test_what_does_not_fit_the_window_waits_until_it_does(house: House) -> None:
    await house.fill(4)
    (first,) = await house.handed(text=THREE)
    second = await house.send(text=TWO)
    await has_had_a_turn(house)
    assert await house.statuses(second.id) == ["queued"]
    house.peer.tell(Accepted(first, ["0", "1", "2"]))
    await house.until((second.id, 0), "handed")


async def test_what_is_bigger_than_the_window_goes_when_nothing_else_is_on_its_way(house: House) -> None:
    await house.fill(2)
    (small,) = await house.handed(text="x")
    big = await house.send(text=THREE)
    await has_had_a_turn(house)
    assert await house.statuses(big.id) == ["queued"]
    house.peer.tell(Accepted(small, ["s"]))
    await house.until((big.id, 0), "handed")
    last = await house.send(ANNE)
    await has_had_a_turn(house)
    assert await house.statuses(last.id) == ["queued"]
    house.peer.tell(Accepted((big.id, 0), ["0", "1", "2"]))
    await house.until((last.id, 0), "handed")


async def test_what_is_accepted_after_the_clock_was_set_back_is_due_at_once(
    quiet: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids go on growing, so a message may be younger than it is now."""
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() - 3600 * SECOND)
    message = await quiet.send()
    assert keys(await claim(quiet, 10)) == [(message.id, 0)]
