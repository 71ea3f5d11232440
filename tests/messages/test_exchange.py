"""The exchange with a carrier when things go wrong: a store that cannot write, news that cannot be kept, the end."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from messagehub.carriers.carrier import Accepted, Inbound, Receipt, Refused, Verdict
from messagehub.store import open_store
from tests.messages.house import ANNE, BERT, SOURCE, House, eventually
from tests.support import postgres
from tests.support.outage import Outage

UNREADABLE = "\ud800"
"""Half a surrogate pair: no store can keep it."""


async def test_a_store_that_cannot_write_loses_nothing(house: House, outage: Outage) -> None:
    anne, bert = await house.handed(ANNE, BERT)
    async with outage():
        house.peer.tell(
            Receipt("a", "delivered", "", ANNE, "receipt"),
            Accepted(anne, ["a"]),
            Inbound(ANNE, SOURCE, "Hi", None, None, "message"),
        )
        later = {"receipt": Verdict.LATER, "message": Verdict.LATER}
        await eventually(lambda: house.peer.answers == later, "answers")
        house.peer.tell(Refused(bert, "rejected"))
        assert await house.statuses(anne[0]) == ["handed", "handed"]
    house.peer.tell(Receipt("a", "delivered", "", ANNE, "receipt again"))
    await house.until(anne, "delivered")
    await house.until(bert, "failed")
    await eventually(lambda: house.peer.answers.get("receipt again") is Verdict.TAKEN, "answer")
    assert await house.steps(anne[0]) in (
        [(1, ["sent", "failed"]), (2, ["delivered"])],
        [(1, ["sent"]), (2, ["failed"]), (3, ["delivered"])],
        [(1, ["sent"]), (2, ["failed", "delivered"])],
    )
    assert len(house.peer.handed) == 2


async def test_news_that_cannot_be_kept_do_not_keep_back_what_came_with_them(house: House) -> None:
    anne, bert = await house.handed(ANNE, BERT)
    house.peer.tell(
        Receipt(UNREADABLE, "delivered", "", ANNE, "bad receipt"),
        Accepted(anne, ["a"]),
        Inbound(ANNE, SOURCE, UNREADABLE, None, None, "bad message"),
        Receipt("b", "delivered", "", BERT, "receipt"),
        Accepted(bert, ["b"]),
        Inbound(ANNE, SOURCE, "Hi", None, None, "message"),
    )
    await house.until(anne, "sent")
    await house.until(bert, "delivered")
    await eventually(lambda: len(house.peer.answers) == 4)
    assert {ticket: verdict.name for ticket, verdict in house.peer.answers.items()} == {
        "bad receipt": "BROKEN",
        "bad message": "BROKEN",
        "receipt": "TAKEN",
        "message": "TAKEN",
    }
    house.peer.tell(Receipt(UNREADABLE, "delivered", "", ANNE, "alone"))
    await eventually(lambda: house.peer.answers.get("alone") is Verdict.BROKEN)
    await house.receipt("a", "delivered")
    assert await house.statuses(anne[0]) == ["delivered", "delivered"]


FILLS_THE_DISK = """
CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER fill BEFORE INSERT ON parked_receipts FOR EACH ROW
    WHEN (NEW.carrier_message_id = 'fills the disk') EXECUTE FUNCTION fill();
"""


@pytest.fixture
async def house_on_a_small_disk(postgres_server: str) -> AsyncIterator[House]:
    url = postgres.new_database(postgres_server)
    store = await open_store(url)
    connection = await asyncpg.connect(url)
    await connection.execute(FILLS_THE_DISK)
    await connection.close()
    house = House(store)
    await house.furnish()
    await house.open()
    yield house
    await house.close()
    await store.close()


async def test_a_store_that_fails_while_news_are_tried_one_by_one_loses_nothing(house_on_a_small_disk: House) -> None:
    house = house_on_a_small_disk
    (key,) = await house.handed()
    house.peer.tell(
        Receipt(UNREADABLE, "delivered", "", ANNE, "bad"),
        Receipt("fills the disk", "delivered", "", ANNE, "full"),
        Receipt("a", "delivered", "", ANNE, "receipt"),
        Accepted(key, ["a"]),
    )
    await eventually(lambda: house.peer.answers.get("full"))
    house.peer.tell(Receipt("a", "delivered", "", ANNE, "receipt again"))
    await eventually(lambda: "receipt again" in house.peer.answers)
    assert house.peer.answers["full"] is Verdict.LATER
    assert house.peer.answers.get("receipt") in (Verdict.TAKEN, Verdict.LATER)
    assert await house.statuses(key[0]) == ["delivered"]


async def test_what_could_not_be_handed_over_keeps_no_room_from_what_comes_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.fill(1)
    with monkeypatch.context() as broken:
        broken.setattr(house.peer, "texts", None)
        with pytest.raises(AttributeError):
            await house.send(ANNE)
    await house.handed(BERT)


async def test_the_end_does_not_fail_where_the_last_news_cannot_be_stored(house: House, outage: Outage) -> None:
    (key,) = await house.handed()
    async with outage():
        await house.close()
    assert not house.peer.holds(key)
    assert await house.statuses(key[0]) == ["handed"]


async def test_what_is_in_flight_at_the_end_is_in_doubt_and_nothing_more_is_handed(house: House) -> None:
    await house.change(on_doubt="hold")
    await house.fill(1)
    (key,) = await house.handed()
    waiting = await house.send(BERT)
    await house.close()
    row = await house.row(key)
    assert (row.status, row.error_code) == ("gw_timeout", "in_doubt")
    assert await house.statuses(waiting.id) == ["queued"]
    assert len(house.peer.handed) == 1
