"""Inbound messages: whole ones, parts in any order, and those for numbers of nobody's."""

import asyncio
from collections.abc import Sequence
from itertools import count, permutations

import asyncpg
import pytest

from messagehub import clock, text
from messagehub.carriers.carrier import Inbound, Verdict
from messagehub.messages.reading import LAST_ID, Filter
from messagehub.messages.receive import Policy
from messagehub.messages.sweep import PARTS_WAIT
from messagehub.shapes import Message
from messagehub.store import Tx
from messagehub.text import Concatenation
from tests.messages.house import ANNE, BERT, SOURCE, House, Json, eventually, eventually_so
from tests.messages.peer import Peer

_tickets = count()


async def arrive(house: House, *arrivals: Inbound) -> list[Verdict]:
    """They come one after the other; how each was answered."""
    tickets = [next(_tickets) for _ in arrivals]
    for ticket, arrival in zip(tickets, arrivals, strict=True):
        arrival.ticket = ticket
        house.peer.tell(arrival)
        await eventually(lambda ticket=ticket: ticket in house.peer.answers)  # type: ignore[misc]
    return [house.peer.answers[ticket] for ticket in tickets]


def part(words: str, reference: int, number: int, total: int = 3, source: str = ANNE, width: int = 8) -> Inbound:
    return Inbound(source, SOURCE, words, None, Concatenation(reference, total, number, width))


async def inbox(house: House) -> list[Message]:
    """The newest last."""
    page = await house.reader.page(house.customer.id, Filter(direction="inbound"), LAST_ID, 100)
    return page[::-1]


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.text for message in messages]


async def test_a_message_is_stored_and_told_before_it_is_answered(house: House) -> None:
    ticket = next(_tickets)
    house.peer.tell(Inbound("ACME", SOURCE, "Hi ✓", None, None, ticket))
    await eventually(lambda: house.peer.answers.get(ticket) is Verdict.TAKEN)
    (message,) = await inbox(house)
    assert (message.status, message.source.target, message.text) == ("received", "ACME", "Hi ✓")
    (told,) = await house.told()
    assert (told["event"], told["id"], told["status"]) == ("message_received", message.id, "received")
    assert told["destination"]["target"] == SOURCE
    assert told["direction"] == "inbound"
    assert [(target["status"], target["parts"]) for target in told["targets"]] == [("received", 1)]


async def test_parts_are_joined_in_whatever_order_they_come(house: House) -> None:
    pieces = {1: "one ", 2: "two ", 3: "three"}
    for reference, order in enumerate(permutations(pieces)):
        before = len(await inbox(house))
        verdicts = await arrive(house, *(part(pieces[number], reference, number) for number in order))
        assert verdicts == [Verdict.TAKEN] * 3
        assert texts(await inbox(house))[before:] == ["one two three"]
    assert len(await house.told()) == 6
    house.peer.tell(*(part(pieces[number], 200, number) for number in (2, 3, 1)))
    (told,) = (await told_all(house, 7))[6:]
    assert (told["text"], told["targets"][0]["parts"]) == ("one two three", 3)


async def told_all(house: House, events: int) -> list[Json]:
    async def ask() -> list[Json] | None:
        told = await house.told()
        return told if len(told) == events else None

    return await eventually_so(ask)


async def test_parts_are_told_apart_by_sender_reference_width_and_total(house: House) -> None:
    await arrive(
        house,
        part("a1", 7, 1, 2),
        part("b1", 7, 1, 2, BERT),
        part("c1", 8, 1, 2),
        part("d1", 7, 1, 2, width=16),
        part("e1", 7, 1, 3),
    )
    assert await inbox(house) == []
    await arrive(
        house,
        part("d2", 7, 2, 2, width=16),
        part("c2", 8, 2, 2),
        part("b2", 7, 2, 2, BERT),
        part("a2", 7, 2, 2),
    )
    assert texts(await inbox(house)) == ["d1d2", "c1c2", "b1b2", "a1a2"]


async def test_a_part_that_comes_twice_counts_once(house: House) -> None:
    verdicts = await arrive(house, part("one ", 7, 1), part("one ", 7, 1), part("two ", 7, 2), part("one ", 7, 1))
    assert verdicts == [Verdict.TAKEN] * 4
    assert await inbox(house) == []
    await arrive(house, part("three", 7, 3))
    assert texts(await inbox(house)) == ["one two three"]
    await arrive(house, part("next ", 7, 3), part("is ", 7, 2), part("This ", 7, 1))
    assert texts(await inbox(house))[1:] == ["This is next "]


@pytest.mark.parametrize("kind", ["postgres"], indirect=True)  # a file has one writer
async def test_parts_that_two_nodes_are_told_at_the_same_moment_are_joined(house: House) -> None:
    is_stored = asyncio.Event()

    async def first(tx: Tx) -> None:
        await house.receiver.receive(tx, house.carrier_id, [part("one ", 1, 1, 2)], clock.now())
        is_stored.set()
        await asyncio.sleep(0.1)  # not committed yet

    async def second(tx: Tx) -> None:
        await house.receiver.receive(tx, house.carrier_id, [part("two", 1, 2, 2)], clock.now())

    async with asyncio.TaskGroup() as nodes:
        nodes.create_task(house.store.transaction(first))
        await is_stored.wait()
        nodes.create_task(house.store.transaction(second))
    assert texts(await inbox(house)) == ["one two"]


LOCKED = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def in_the_last_moment(house: House, url: str, arrival: Inbound) -> None:
    """A node is told it when another has just begun to give up waiting for the parts of old."""
    watcher, is_stored = await asyncpg.connect(url), asyncio.Event()

    async def last(tx: Tx) -> None:
        await house.receiver.receive(tx, house.carrier_id, [arrival], clock.now())
        is_stored.set()
        await eventually_so(lambda: watcher.fetchval(LOCKED), "the other waits")

    async def give_up(tx: Tx) -> None:
        await house.receiver.give_up_waiting(tx, clock.now() - PARTS_WAIT, clock.now(), 100)

    try:
        async with asyncio.TaskGroup() as nodes:
            nodes.create_task(house.store.transaction(last))
            await is_stored.wait()
            nodes.create_task(house.store.transaction(give_up))
    finally:
        await watcher.close()


async def long_ago(house: House, *arrivals: Inbound) -> None:
    then = clock.now() - PARTS_WAIT - clock.SECOND

    async def receive(tx: Tx) -> None:
        await house.receiver.receive(tx, house.carrier_id, arrivals, then)

    await house.store.transaction(receive)


@pytest.mark.parametrize("kind", ["postgres"], indirect=True)  # a file has one writer
async def test_a_message_that_becomes_whole_as_it_is_given_up_is_stored_once(house: House, database_url: str) -> None:
    await long_ago(house, part("one ", 1, 1, 3), part("two ", 1, 2, 3), part("lone ", 2, 1, 2))
    await in_the_last_moment(house, database_url, part("three", 1, 3, 3))
    assert sorted(texts(await inbox(house))) == ["lone …", "one two three"]
    assert len(await house.told()) == 2


@pytest.mark.parametrize("kind", ["postgres"], indirect=True)
async def test_a_message_that_begins_as_an_older_one_is_given_up_is_waited_for(house: House, database_url: str) -> None:
    """The same handset uses the reference again."""
    await long_ago(house, part("old ", 1, 1, 2))
    await in_the_last_moment(house, database_url, part("new ", 1, 1, 2))
    assert texts(await inbox(house)) == ["old …"]
    await arrive(house, part("one", 1, 2, 2))
    assert texts(await inbox(house)) == ["old …", "new one"]


async def test_a_part_of_one_is_a_message(house: House) -> None:
    await arrive(house, part("all of it", 7, 1, 1))
    assert texts(await inbox(house)) == ["all of it"]


async def test_octets_that_could_not_be_read_are_kept(house: House) -> None:
    await arrive(house, Inbound(ANNE, SOURCE, "a\ufffd", b"a\xff", None))
    (message,) = await inbox(house)
    row = await house.store.one("message_by_id", id=message.id, customer_id=house.customer.id)
    assert row
    assert (row.text, bytes(row.octets)) == ("a\ufffd", b"a\xff")


async def test_a_number_of_nobodys_is_answered_as_the_operator_wishes(house: House) -> None:
    accepting = await house.open(house.peer)
    assert await arrive(house, Inbound(ANNE, "+15550000000", "Hi", None)) == [Verdict.TAKEN]
    house.receiver = house.receiver_of(Policy(refuse_unknown=True))
    house.peer = Peer()
    refusing = await house.open(house.peer)
    assert await arrive(house, Inbound(ANNE, "+15550000000", "Hi", None)) == [Verdict.REFUSED]
    assert await arrive(house, Inbound(ANNE, SOURCE, "Hi", None)) == [Verdict.TAKEN]
    assert (accepting.counts.unknown, refusing.counts.unknown) == (1, 1)
    assert texts(await inbox(house)) == ["Hi"]


async def test_only_what_a_customer_wants_is_told(house: House) -> None:
    await house.change(webhook_events=("message_created",))
    await arrive(house, Inbound(ANNE, SOURCE, "Hi", None))
    assert [told["event"] for told in await house.told()] == ["message_created"]
    await house.change(webhook_events=())
    await arrive(house, Inbound(ANNE, SOURCE, "Ho", None))
    assert len(await house.told()) == 1
    assert texts(await inbox(house)) == ["Hi", "Ho"]


async def test_a_reference_that_is_used_again_does_not_mix_two_messages(house: House) -> None:
    """The second part of the old message never came; the same handset writes again with the same reference."""
    await arrive(house, part("old 1 ", 9, 1, total=2), part("new 1 ", 9, 1, total=2), part("new 2", 9, 2, total=2))
    assert texts(await inbox(house)) == ["old 1 …", "new 1 new 2"]


async def test_the_octets_of_a_part_that_cannot_be_read_are_kept(house: House) -> None:
    unreadable = part("\ufffd", 10, 1, total=2)
    unreadable.octets = b"\xff"
    await arrive(house, unreadable, part("b", 10, 2, total=2))
    (message,) = await inbox(house)
    row = await house.store.one("message_by_id", id=message.id, customer_id=house.customer.id)
    assert row is not None
    assert (row.text, row.octets) == ("\ufffdb", b"\xff")


def pieces(words: bytes, at: int, reference: int) -> list[Inbound]:
    """Two parts of a message in UCS-2, cut by a peer that minds no characters."""
    cut = [words[:at], words[at:]]
    return [
        Inbound(
            ANNE, SOURCE, text.decode(8, octets, False).text, octets, Concatenation(reference, 2, n, 8),
            piece=text.Piece(8, octets, False),
        )
        for n, octets in enumerate(cut, 1)
    ]  # fmt: skip


async def test_a_character_that_was_cut_in_two_comes_out_whole(house: House) -> None:
    words = "Ж 😀!"
    octets = words.encode("utf-16-be")
    for at in range(1, len(octets)):
        await arrive(house, *pieces(octets, at, at)[:: -1 if at % 2 else 1])
    assert texts(await inbox(house)) == [words] * (len(octets) - 1)
    rows = await house.store.all("messages_page", **PAGE, customer_id=house.customer.id)
    assert {row.octets for row in rows} == {None}


PAGE = {"direction": "inbound", "before": LAST_ID, "after": "", "count": 100}
