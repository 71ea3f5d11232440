"""A deliver_sm that a carrier repeats makes one message; a person who writes twice makes two."""

import itertools

import pytest

from messagehub import clock
from messagehub.carriers.carrier import Inbound, Verdict
from messagehub.clock import NEVER
from messagehub.messages.reading import LAST_ID, Filter
from messagehub.messages.repeats import LATE, REMEMBERED, REMEMBERED_BY_NAME
from messagehub.text import Concatenation
from tests.messages.house import ANNE, SOURCE, House, eventually
from tests.messages.peer import Peer

_tickets = itertools.count()


async def arrive(peer: Peer, session: str, mark: bytes = b"yes", words: str = "YES", late: int = 0) -> None:
    ticket = next(_tickets)
    peer.tell(Inbound(ANNE, SOURCE, words, None, None, ticket, mark, session, clock.now() - late))
    await eventually(lambda: ticket in peer.answers)
    assert peer.answers[ticket] is Verdict.TAKEN


async def inbox(house: House) -> list[str]:
    page = await house.reader.page(house.customer.id, Filter(direction="inbound"), LAST_ID, 100)
    return [message.text for message in page]


async def test_a_person_may_write_the_same_twice(house: House) -> None:
    for _ in range(2):
        await arrive(house.peer, "a")
    assert await inbox(house) == ["YES", "YES"]


async def test_what_comes_again_after_its_session_was_lost_is_a_repetition(house: House) -> None:
    await arrive(house.peer, "a")
    house.peer.lost_sessions.add("a")
    for _ in range(2):
        await arrive(house.peer, "b")
    assert await inbox(house) == ["YES"]
    assert len(await house.told()) == 1
    await arrive(house.peer, "b", b"no", "NO")
    assert await inbox(house) == ["NO", "YES"]


async def test_what_was_answered_late_may_come_again(house: House) -> None:
    await arrive(house.peer, "a", late=LATE + 1)
    await arrive(house.peer, "a")
    assert await inbox(house) == ["YES"]


async def test_after_ten_minutes_it_is_another_message(house: House) -> None:
    await arrive(house.peer, "a")
    house.peer.lost_sessions.add("a")
    rows = await house.store.all("inbound_seen", carrier_id=house.carrier_id, fingerprint=b"yes", now=0)
    old = rows[0]._replace(tm_create=rows[0].tm_create - REMEMBERED)._asdict()
    await house.store.many("keep_inbound_seen", [{**old, "carrier_id": house.carrier_id}])
    await arrive(house.peer, "b")
    assert await inbox(house) == ["YES", "YES"]


@pytest.mark.parametrize(("lives", "messages"), [(True, 2), (False, 1)])
async def test_what_another_node_had_counts_once_that_node_is_gone(house: House, lives: bool, messages: int) -> None:
    there = Peer()
    await house.open(there, node="there")
    await arrive(there, "a")
    await house.store.run("keep_lease", id="there", name="", works=1, tm_lease=NEVER if lives else 0)
    await arrive(house.peer, "b")
    assert len(await inbox(house)) == messages


async def test_what_was_parted_from_in_order_leaves_nothing_open(house: House) -> None:
    await arrive(house.peer, "a")
    house.peer.lost_sessions.add("a")
    (exchange,) = house.take_open()
    await exchange.close(0)
    again = Peer()
    await house.open(again, node="restarted")
    await arrive(again, "b")
    assert len(await inbox(house)) == 2


async def test_a_last_part_that_is_repeated_begins_no_other_message(house: House) -> None:
    for part in (1, 2, 2):
        ticket = next(_tickets)
        whole = Concatenation(7, 2, part, 8)
        mark = b"part %d" % part
        house.peer.tell(Inbound(ANNE, SOURCE, f"part {part} ", None, whole, ticket, mark, "a", clock.now()))
        await eventually(lambda ticket=ticket: ticket in house.peer.answers)  # type: ignore[misc]
        house.peer.lost_sessions.add("a")
    assert await inbox(house) == ["part 1 part 2 "]
    assert await house.store.all("stale_inbound_parts", tm_before=NEVER, count=9) == []


async def test_what_is_remembered_is_forgotten(house: House) -> None:
    await arrive(house.peer, "a")
    await house.store.many("remove_inbound_seen", await house.store.all("old_inbound_seen", tm_before=NEVER, count=9))
    assert await house.store.all("inbound_seen", carrier_id=house.carrier_id, fingerprint=b"yes", now=0) == []


async def named(peer: Peer, mark: bytes, words: str = "YES", times: int = 1) -> None:
    """The carrier tells a message by an id of its own, so often at once."""
    tickets = [next(_tickets) for _ in range(times)]
    peer.tell(*(Inbound(ANNE, SOURCE, words, None, None, ticket, mark, is_named=True) for ticket in tickets))
    await eventually(lambda: set(tickets) <= peer.answers.keys())
    assert {peer.answers[ticket] for ticket in tickets} == {Verdict.TAKEN}


async def test_what_has_an_id_is_one_message_however_often_it_is_told(house: House) -> None:
    await named(house.peer, b"one", times=3)
    await named(house.peer, b"one")
    await named(house.peer, b"two", "NO")
    assert await inbox(house) == ["NO", "YES"]
    assert len(await house.told()) == 2


async def test_an_id_is_known_to_all_nodes_and_after_a_restart_for_days(house: House) -> None:
    await named(house.peer, b"one")
    other = Peer()
    await house.open(other, node="there")
    await named(other, b"one")
    for exchange in house.take_open():
        await exchange.close(0)
    again = Peer()
    await house.open(again)
    await named(again, b"one")
    assert await inbox(house) == ["YES"]
    (row,) = await house.store.all("inbound_seen", carrier_id=house.carrier_id, fingerprint=b"one", now=0)
    aged = row._replace(tm_create=row.tm_create - REMEMBERED_BY_NAME - 1)._asdict()
    await house.store.many("keep_inbound_seen", [{**aged, "carrier_id": house.carrier_id}])
    await named(again, b"one", "AGAIN")
    assert await inbox(house) == ["AGAIN", "YES"]
