"""Threads from within: what others write in the same transaction, what nodes know, and what a page looks at."""

from functools import partial
from typing import Any

import pytest
from msgspec import UNSET

from messagehub import clock, conversations, ids
from messagehub.carriers.carrier import Inbound, Medium
from messagehub.conversations import Conversation, Conversations, conversation_id
from messagehub.messages.reading import LAST_ID
from messagehub.messages.receive import Heard
from messagehub.messages.rows import MessageRow
from messagehub.shapes import ConversationMessageGiven, MessageGiven, SourceGiven
from messagehub.store import Store, Tx
from tests.messages.house import ANNE, BERT, SOURCE, House
from tests.messages.test_receive import arrive
from tests.support import numbering


async def threads(house: House, talks: Conversations, **asked: str) -> list[Conversation]:
    found, _ = await talks.page(house.customer.id, asked.get("own", ""), asked.get("peer", ""), LAST_ID, 100)
    return found


async def texts(talks: Conversations, thread: Conversation, count: int = 100) -> list[str]:
    """Of all pages."""
    found, before = list[str](), LAST_ID
    while before:
        page, before = await talks.messages(thread, before, count)
        found += [row.text for row in page]
    return found


def inbound(words: str, source: str = ANNE) -> Inbound:
    return Inbound(source, SOURCE, words, None)


class Robot:
    """Answers whatever comes in, in the transaction that stores it, as a flow does."""

    def __init__(self, talks: Conversations, house: House, fails: bool = False) -> None:
        self._talks, self._house, self.fails = talks, house, fails

    async def hear(self, tx: Tx, messages: Any, now: int) -> Heard:
        heard = Heard()
        for message in messages:
            found = conversation_id(message.customer_id, message.destination, message.source)
            thread = await self._talks.get(tx, message.customer_id, found)
            given = ConversationMessageGiven(text=f"You said {message.text}")
            accepted = await self._talks.prepare(tx, thread, given)
            await self._house.acceptor.enter(tx, accepted)
            heard.told.after.append(partial(self._house.acceptor.make_known, accepted))
        return heard


async def test_whoever_hears_a_message_can_answer_in_its_thread(house: House, talks: Conversations) -> None:
    house.receiver.listeners = (talks, Robot(talks, house))
    await arrive(house, inbound("Hi"), inbound("Ho"))
    [thread] = await threads(house, talks)
    said = ["You said Ho", "Ho", "You said Hi", "Hi"]
    assert await texts(talks, thread) == said
    assert thread.unread_count == 2
    rows, _ = await talks.messages(thread, LAST_ID, 1)
    assert (thread.last_id, thread.tm_last_message) == (rows[0].id, rows[0].tm_create)
    key = (thread.last_id, 0)
    await house.until(key, "handed")


async def test_messages_that_come_together_count_each(house: House, talks: Conversations) -> None:
    house.peer.tell(*(Inbound(one, SOURCE, "Hi", None, None, f"{n}{one}") for n in range(3) for one in (ANNE, BERT)))
    await arrive(house, inbound("last"))
    anne, bert = await threads(house, talks)
    assert (anne.peer, anne.unread_count, bert.peer, bert.unread_count) == (ANNE, 4, BERT, 3)


async def test_a_transaction_that_fails_leaves_no_thread(house: House, talks: Conversations) -> None:
    now = clock.now()
    message = MessageRow(
        id=ids.new(), customer_id=house.customer.id, direction="inbound", source=ANNE, destination=SOURCE, text="Hi",
        target_count=1, tm_create=now,
    )  # fmt: skip

    async def unit(tx: Tx) -> None:
        await talks.hear(tx, [message], now)
        raise LookupError

    with pytest.raises(LookupError):
        await house.store.transaction(unit)
    assert await threads(house, talks) == []


async def test_another_node_knows_of_a_first_thread_when_it_is_told(house: House, talks: Conversations) -> None:
    """What it knew before, that there are none, it does not rely on any more."""
    elsewhere = Conversations(house.store, house.numbers, house.acceptor, house.published)
    house.acceptor.followers = (elsewhere,)
    await house.send(ANNE)
    await arrive(house, inbound("Hi"))
    message = await house.send(ANNE)
    [thread] = await threads(house, talks)
    assert thread.last_id == message.id


async def test_who_has_no_threads_writes_nothing_more(house: House, talks: Conversations) -> None:
    given = MessageRow(
        id=ids.new(), customer_id=house.customer.id, direction="outbound", source=SOURCE, text="Hi", target_count=1,
        tm_create=1,
    )  # fmt: skip
    assert list(await talks.follow(house.store, given, [await target(house)])) == []
    await arrive(house, inbound("Hi"))
    assert [insert.query for insert in await talks.follow(house.store, given, [await target(house)])] == [
        "join_conversation"
    ]
    assert list(await talks.follow(house.store, given, [await target(house)] * 2)) == []


async def target(house: House) -> Any:
    message = await house.send(ANNE)
    return await house.row((message.id, 0))


async def test_an_older_message_does_not_move_a_thread_back(house: House, talks: Conversations, store: Store) -> None:
    await arrive(house, inbound("Hi"))
    [before] = await threads(house, talks)
    older = {"id": before.id, "last_id": ids.first_of(before.tm_last_message - 1_000_000), "tm_last_message": 1}
    await store.many("join_conversation", [older])
    assert await threads(house, talks) == [before]


async def test_a_thread_whose_newest_messages_are_deleted_goes_back_to_where_it_was(
    house: House, talks: Conversations
) -> None:
    house.actor.forgetters = (talks,)
    await arrive(house, inbound("one"))
    [first] = await threads(house, talks)
    sent = await house.send(ANNE, text="two")
    [second] = await threads(house, talks)
    await arrive(house, inbound("Hi", BERT))
    many = MessageGiven(source=SOURCE, destinations=[ANNE, BERT], text="To all")
    await house.acceptor.accept(house.customer.id, many)
    await arrive(house, inbound("three"))
    anne, bert = await threads(house, talks)
    assert (anne.peer, bert.peer) == (ANNE, BERT)

    await house.actor.delete(house.customer.id, anne.last_id)
    bert, anne = await threads(house, talks)
    assert (bert.peer, anne.last_id, anne.tm_last_message) == (BERT, second.last_id, second.tm_last_message)
    await house.actor.delete(house.customer.id, sent.id)
    assert (await threads(house, talks))[1] == first


async def test_a_page_looks_at_so_many_messages_and_the_next_goes_on(
    house: House, talks: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anne has many messages with another number, and few with this one, the oldest and the newest."""
    monkeypatch.setattr(conversations, "SEEN_AT_ONCE", 5)
    other = numbering.own()
    number = {"customer_id": house.customer.id, "number": other, "name": "", "detail": "", "message_flow_id": ids.UNSET}
    await house.numbers.add(clock.now(), **number)
    await arrive(house, inbound("in 1"))
    await house.send(ANNE, text="out 1")
    for n in range(12):
        await arrive(house, Inbound(ANNE, other, f"other {n}", None))
    await house.send(ANNE, text="out 2")
    await arrive(house, inbound("in 2"))
    [thread] = await threads(house, talks, own=SOURCE)
    for count in (1, 2, 100):
        assert await texts(talks, thread, count) == ["in 2", "out 2", "out 1", "in 1"]
    [of_other] = await threads(house, talks, own=other)
    assert await texts(talks, of_other, 5) == [f"other {n}" for n in range(11, -1, -1)]


async def test_threads_of_a_number_are_found_behind_many_of_another(
    house: House, talks: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "SEEN_AT_ONCE", 3)
    other = numbering.own()
    number = {"customer_id": house.customer.id, "number": other, "name": "", "detail": "", "message_flow_id": ids.UNSET}
    await house.numbers.add(clock.now(), **number)
    await arrive(house, inbound("Hi"))
    for n in range(8):
        await arrive(house, Inbound(numbering.somebody(), other, f"{n}", None))
    found, before = list[str](), LAST_ID
    while before:
        page, before = await talks.page(house.customer.id, SOURCE, "", before, 2)
        found += [thread.peer for thread in page]
    assert found == [ANNE]


async def test_what_a_pool_has_sent_to_many_is_said_by_its_numbers(house: House, talks: Conversations) -> None:
    number = await house.numbers.find(house.store, SOURCE)
    assert number
    await house.pools.add(clock.now(), house.customer.id, [number.id], name="p", sticky=True, prefer_country=True)
    thread = await talks.open(house.customer.id, SOURCE, ANNE, clock.now())
    given = MessageGiven(source=SourceGiven(type="pool", target="p"), destinations=[ANNE, BERT], text="To all")
    sent = await house.acceptor.accept(house.customer.id, given)
    [row], _ = await talks.messages(thread, LAST_ID, 9)
    assert (row.id, row.source, row.text) == (sent.id, SOURCE, "To all")


async def test_an_mms_is_in_its_thread_with_its_media(house: House, talks: Conversations) -> None:
    cat = Medium("image/jpeg", "ab" * 32, 4711, "cat.jpg")
    await arrive(house, Inbound(ANNE, SOURCE, "Look", None, subject="A cat", media=[cat]), inbound("Hm?"))
    [thread] = await threads(house, talks)
    assert thread.unread_count == 2
    house.published.public_url = "https://new.test"
    sms, mms = [talks.shown(thread, row, row) for row in (await talks.messages(thread, LAST_ID, 9))[0]]
    assert (sms.text, sms.medias, sms.subject) == ("Hm?", [], UNSET)
    [media] = mms.medias
    assert (mms.text, mms.subject, media.type, media.size, media.name) == (
        "Look", "A cat", "image/jpeg", 4711, "cat.jpg",
    )  # fmt: skip
    assert house.published.digest_of(media.url) == cat.digest
