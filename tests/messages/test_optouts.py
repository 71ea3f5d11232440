"""STOP, START and HELP: who is out gets nothing more, whoever sends it, and is told so once."""

import asyncio
from itertools import count
from typing import Any

import pytest

from messagehub import clock, ids
from messagehub.carriers.carrier import Inbound, Refused
from messagehub.clock import SECOND
from messagehub.messages.optouts import NOTICE_AGAIN
from messagehub.messages.reading import LAST_ID, Filter
from messagehub.people import mirror as mirrors
from messagehub.people import opt_outs
from messagehub.people.mirror import Mirror
from messagehub.people.opt_outs import Entry
from messagehub.shapes import Message, MessageGiven, OptOutStatus
from messagehub.store import Row, Tx
from tests.messages.house import ANNE, BERT, CARL, SOURCE, House, eventually, eventually_so

HOUR = 3600 * SECOND
OTHER, TOLL_FREE = "+15550001112", "+18885550100"
_tickets = count()


async def hears(house: House, text: str, person: str = ANNE, to: str = SOURCE) -> None:
    """Somebody writes, and the carrier is answered."""
    ticket = ("optout", next(_tickets))
    house.peer.tell(Inbound(person, to, text, None, None, ticket))
    await eventually(lambda: ticket in house.peer.answers)


async def answered(house: House, *begins: str, person: str = ANNE) -> list[str]:
    """The answers that the person has got, as soon as there are so many."""
    said = await eventually_so(lambda: _enough(house, person, len(begins)), f"{len(begins)} answers")
    assert [words[: len(begin)] for words, begin in zip(said, begins, strict=True)] == list(begins)
    return said


async def _enough(house: House, person: str, number: int) -> list[str] | None:
    texts = await sent_to(house, person)
    return texts if len(texts) >= number else None


async def sent_to(house: House, person: str) -> list[str]:
    """The texts of what was stored for the person and did not fail, the oldest first."""
    found = await house.reader.page(house.customer.id, Filter(direction="outbound", destination=person), LAST_ID, 100)
    targets = [(message.text, target) for message in reversed(found) for target in message.targets]
    return [text for text, target in targets if target.destination.target == person and target.status != "failed"]


async def number(house: House, given: str = OTHER, **more: Any) -> None:
    fields = {"customer_id": house.customer.id, "number": given, "name": "", "detail": "", "message_flow_id": ids.UNSET}
    await house.numbers.add(clock.now(), **fields, **more)


async def change_number(house: House, **changes: Any) -> None:
    found = await house.numbers.find(house.store, SOURCE)
    assert found is not None
    await house.numbers.change(found.id, None, clock.now(), **changes)


async def listed(house: House, status: str = "", address: str = "") -> list[Row]:
    return await house.opt_outs.page(house.customer.id, status, (), address, LAST_ID, 100)


def outcome(message: Message) -> tuple[str, str]:
    return message.targets[0].status, message.targets[0].error_code


OUT = ("failed", "opted_out")


async def test_who_says_stop_gets_one_confirmation_and_nothing_more(house: House) -> None:
    await hears(house, " Stop! 🛑")
    await answered(house, "c: You are unsubscribed and will receive no more messages. Reply START")
    message = await house.send(ANNE, BERT)
    assert [(one.status, one.error_code) for one in message.targets] == [OUT, ("queued", "")]
    for text in ("STOP", "unsubscribe", "please stop texting me"):
        await hears(house, text)
    assert len(await sent_to(house, ANNE)) == 1
    (row,) = await listed(house)
    assert (row.address, row.scope, row.status, row.source) == (ANNE, "customer", "opted_out", "keyword")


async def test_the_ledger_says_who_said_what_and_when(house: House) -> None:
    await hears(house, "Stop")
    await hears(house, "start")
    await hears(house, "STOP ALL")
    (row,) = await listed(house)
    history = await house.opt_outs.history(row.id)
    assert [(event.status, event.source, event.words) for event in history] == [
        ("opted_out", "keyword", "STOP ALL"),
        ("opted_in", "keyword", "start"),
        ("opted_out", "keyword", "Stop"),
    ]
    message = await house.seen(history[0].message_id)
    assert (message.text, message.direction, message.source.target) == ("STOP ALL", "inbound", ANNE)


async def test_start_brings_back_and_is_confirmed(house: House) -> None:
    await hears(house, "STOP")
    assert outcome(await house.send(ANNE)) == OUT
    await hears(house, "Unstop.")
    await answered(house, "c: You are unsubscribed", "c: You are subscribed again")
    assert outcome(await house.send(ANNE)) == ("queued", "")


async def test_a_confirmation_waits_for_no_limit(house: House) -> None:
    limit = {"scope": "number", "subject": SOURCE, "customer_id": house.customer.id, "set_by": "operator"}
    await house.limits.add(clock.now(), **limit, applies="sending", rate=0, per_day=1, zone="UTC")
    first, second = await house.send(BERT), await house.send(CARL)
    await house.until((first.id, 0), "handed")
    await hears(house, "STOP")
    await eventually(lambda: [handover.destination for handover in house.peer.handed] == [BERT, ANNE])
    assert (await house.seen(second.id)).targets[0].hold_reason == "daily_limit"


async def test_start_of_somebody_who_is_not_out_is_left_to_others(house: House) -> None:
    await hears(house, "YES")
    assert await listed(house) == []
    assert await sent_to(house, ANNE) == []


async def test_help_is_answered_even_to_who_is_out(house: House) -> None:
    await house.change(email="help@example.com")
    await hears(house, "STOP")
    await hears(house, "Help?")
    await answered(house, "c: You are unsubscribed", "c: Help at help@example.com. Msg&data rates may apply.")
    await eventually(lambda: [handover.destination for handover in house.peer.handed] == [ANNE, ANNE])


async def test_two_robots_do_not_answer_each_other_for_ever(house: House) -> None:
    for text in ("HELP", "STOP", "START") * 5:
        await hears(house, text)
    assert len(await sent_to(house, ANNE)) == 9
    await hears(house, "STOP")
    assert outcome(await house.send(ANNE)) == OUT


async def test_each_of_the_three_is_answered_three_times_and_then_once_in_eight_hours(house: House) -> None:
    place = {"customer_id": house.customer.id, "number": SOURCE, "address": ANNE, "kind": "help"}

    async def may_be_told(now: int) -> bool:
        return await house.store.one("note_notice", **place, now=now, tm_again=now + NOTICE_AGAIN) is not None

    asked = [(0, True), (0, True), (0, True), (0, False), (7, False), (8, True), (9, False), (15, False), (16, True)]
    for hour, answer in [*asked, (100, True), (100, True), (100, True), (101, False)]:
        assert await may_be_told(hour * HOUR) is answer


async def test_who_changes_his_mind_is_told_so_each_time(house: House) -> None:
    for text in ("STOP", "START", "STOP"):
        await hears(house, text)
    await answered(house, "c: You are unsubscribed", "c: You are subscribed again", "c: You are unsubscribed")


async def test_the_answer_is_in_the_language_of_the_word(house: House) -> None:
    await hears(house, "arrêt", ANNE)
    await hears(house, "Стоп", BERT)
    await answered(house, "c: Désabonnement effectué", person=ANNE)
    await answered(house, "c: Вы отписаны", person=BERT)


async def test_who_writes_stop_is_answered_in_the_language_of_the_country(house: House) -> None:
    french = "+33612345678"
    await hears(house, "STOP", french)
    await hears(house, "START", french)
    await answered(house, "c: Désabonnement effectué", "c: Abonnement repris", person=french)


async def test_answers_of_the_customers_own(house: House) -> None:
    await house.change(opt_out_replies={"opt_out": {"en": "{brand} says goodbye"}})
    await hears(house, "stop", ANNE)
    await change_number(house, opt_out_replies={"opt_out": {"en": "Bye from the desk"}})
    await hears(house, "stop", BERT)
    await answered(house, "c says goodbye", person=ANNE)
    await answered(house, "Bye from the desk", person=BERT)


async def test_a_word_that_means_something_else_to_this_number(house: House) -> None:
    await change_number(house, ignored_keywords=("end", "cancel"))
    await hears(house, "END")
    await hears(house, "Cancel")
    assert await listed(house) == []
    await hears(house, "QUIT")
    assert outcome(await house.send(ANNE)) == OUT


async def test_what_a_network_says_is_written_down_and_never_answered(house: House) -> None:
    blocked = 'NETWORK MSG: You replied with the word "stop" which blocks all texts sent from this number. '
    await hears(house, blocked + 'Text back "unstop" to receive messages again.')
    (row,) = await listed(house)
    assert (row.status, row.source) == ("opted_out", "carrier")
    assert outcome(await house.send(ANNE)) == OUT
    await hears(house, 'NETWORK MSG: You have replied "unstop" and will begin receiving messages again.')
    assert outcome(await house.send(ANNE)) == ("queued", "")
    assert await sent_to(house, ANNE) == ["Hello"]


async def test_what_the_network_answers_itself_is_not_answered_twice(house: House) -> None:
    await number(house, TOLL_FREE)
    for person, text in ((ANNE, "Stop"), (BERT, "cancel")):
        await hears(house, text, person, TOLL_FREE)
        assert outcome(await house.send(person)) == OUT
    await answered(house, "c: You are unsubscribed", person=BERT)  # the network does not know that word
    await hears(house, "UNSTOP", ANNE, TOLL_FREE)
    assert outcome(await house.send(ANNE)) == ("queued", "")
    assert await sent_to(house, ANNE) == ["Hello"]


async def test_what_a_carrier_knows_of_is_written_down_for_that_number(house: House) -> None:
    await number(house, OTHER)
    (key,) = await house.handed(ANNE)
    house.peer.tell(Refused(key, "rejected", "STOP is in force", error_code="opted_out"))
    await house.until(key, "failed")
    await eventually(lambda: house.peer.room() == 100)
    (row,) = await listed(house)
    assert (row.address, row.scope, row.source) == (ANNE, f"number:{SOURCE}", "carrier")
    (event,) = await house.opt_outs.history(row.id)
    assert (event.message_id, event.words) == (key[0], "STOP is in force")
    assert outcome(await house.send(ANNE)) == OUT
    assert outcome(await send_from(house, OTHER, ANNE)) == ("queued", "")
    await hears(house, "START")
    assert outcome(await house.send(ANNE)) == ("queued", "")


@pytest.mark.parametrize("elsewhere", ["another number", "to be reviewed"])
async def test_what_a_carrier_knows_is_written_down_of_who_is_out_elsewhere(house: House, elsewhere: str) -> None:
    await number(house, OTHER)
    if elsewhere == "another number":
        await house.change(opt_out_scope="number")
        await hears(house, "STOP", to=OTHER)
    else:
        await house.change(probable_opt_outs="review")
        await hears(house, "please stop texting me")
    (key,) = await house.handed(ANNE)
    house.peer.tell(Refused(key, "rejected", "STOP is in force", error_code="opted_out"))
    await house.until(key, "failed")
    assert {row.scope: row.source for row in await listed(house, "opted_out")}[f"number:{SOURCE}"] == "carrier"
    assert outcome(await house.send(ANNE)) == OUT


async def test_what_is_known_here_already_is_not_written_down_again(house: House) -> None:
    (key,) = await house.handed(ANNE)
    await hears(house, "please stop texting me")
    house.peer.tell(Refused(key, "rejected", "STOP is in force", error_code="opted_out"))
    await house.until(key, "failed")
    assert [(row.scope, row.status) for row in await listed(house)] == [("customer", "probable")]


async def test_short_codes_and_names_are_no_persons(house: House) -> None:
    for source in ("12345", "ACME"):
        await hears(house, "STOP", source)
    assert await listed(house) == []


async def test_a_webhook_hears_of_it_where_that_is_wished(house: House) -> None:
    await hears(house, "STOP", BERT)
    assert [told["event"] for told in await house.told()] == ["message_received"]
    await house.change(webhook_events=("opt_out_created", "opt_out_removed"))
    for text in ("Stop!", "STOP", "start"):
        await hears(house, text)
    created, removed = (await house.told())[1:]
    (row,) = await listed(house, address=ANNE)
    assert (created["event"], removed["event"]) == ("opt_out_created", "opt_out_removed")
    assert (created["id"], created["address"], created["words"]) == (row.id, ANNE, "Stop!")
    assert (created["status"], created["source"], created["scope"]) == ("opted_out", "keyword", "customer")
    assert (removed["id"], removed["status"]) == (row.id, "opted_in")
    assert (await house.seen(created["message_id"])).text == "Stop!"
    assert created["tm_said"].endswith("Z")


# --- probably ---------------------------------------------------------------------------


async def test_a_sentence_counts_and_can_be_undone(house: House) -> None:
    await hears(house, "Please stop texting me")
    assert outcome(await house.send(ANNE)) == OUT
    (row,) = await listed(house, "probable")
    assert row.source == "probable"
    await answered(house, "c: You are unsubscribed")
    await house.opt_outs.undo(row.id, house.customer.id, house.customer.id, clock.now())
    assert outcome(await house.send(ANNE)) == ("queued", "")
    assert await listed(house, "probable") == []


async def test_a_sentence_is_only_listed_where_the_customer_reviews(house: House) -> None:
    await house.change(probable_opt_outs="review")
    await hears(house, "take me off your list")
    assert len(await listed(house, "probable")) == 1
    assert outcome(await house.send(ANNE)) == ("queued", "")
    assert await sent_to(house, ANNE) == ["Hello"]
    await house.change(probable_opt_outs="honour")
    assert outcome(await house.send(ANNE)) == OUT


async def test_who_is_only_to_be_reviewed_is_not_out_and_needs_no_start(house: House) -> None:
    await house.change(probable_opt_outs="review")
    await hears(house, "please stop texting me")
    await hears(house, "Yes")
    assert [row.status for row in await listed(house)] == ["probable"]
    assert await sent_to(house, ANNE) == []
    await house.change(probable_opt_outs="honour")
    await hears(house, "Yes")
    await answered(house, "c: You are subscribed again")
    assert [row.status for row in await listed(house)] == ["opted_in"]


async def test_start_ends_what_is_to_be_reviewed_with_what_is_in_force(house: House) -> None:
    await house.change(probable_opt_outs="review")
    await hears(house, "please stop texting me")
    await house.change(opt_out_scope="number")
    for text in ("STOP", "START"):
        await hears(house, text)
    assert {row.scope: row.status for row in await listed(house)} == {
        "customer": "opted_in",
        f"number:{SOURCE}": "opted_in",
    }


# --- scopes -----------------------------------------------------------------------------


async def test_what_a_stop_ends_is_the_customers_choice(house: House) -> None:
    await number(house, OTHER)
    for scope, expected in (("number", ("queued", "")), ("customer", OUT)):
        await house.change(opt_out_scope=scope)
        await hears(house, "stop")
        assert outcome(await house.send(ANNE)) == OUT
        assert outcome(await send_from(house, OTHER, ANNE)) == expected
        await hears(house, "start")
        assert outcome(await send_from(house, OTHER, ANNE)) == ("queued", "")


async def test_numbers_of_a_group_share_their_opt_outs(house: House) -> None:
    alone = "+15550001113"
    await house.change(opt_out_scope="group")
    await change_number(house, sender_group="shop")
    await number(house, OTHER, sender_group="shop")
    await number(house, alone)
    await hears(house, "stop")
    assert outcome(await send_from(house, OTHER, ANNE)) == OUT
    assert outcome(await send_from(house, alone, ANNE)) == ("queued", "")
    await hears(house, "start", to=OTHER)
    assert outcome(await house.send(ANNE)) == ("queued", "")
    await hears(house, "stop", BERT, to=alone)
    assert [row.scope for row in await listed(house, "opted_out")] == [f"number:{alone}"]


async def send_from(house: House, source: str, to: str) -> Message:
    given = MessageGiven(source=source, destinations=[to], text="Hello")
    return await house.acceptor.accept(house.customer.id, given)


# --- when it is checked -----------------------------------------------------------------


async def test_what_waited_when_the_person_said_stop_is_not_sent(house: House) -> None:
    """It is asked in the transaction of the claim: memory is not believed there."""
    await house.fill()
    waiting = await house.send(ANNE, BERT)
    await write(house, ANNE)
    house.peer.window = 50
    row = await house.until((waiting.id, 0), "failed")
    assert row.error_code == "opted_out"
    await house.until((waiting.id, 1), "handed")
    await eventually(lambda: [handover.destination for handover in house.peer.handed] == [BERT])


async def write(house: House, person: str, customer_id: str = "", status: OptOutStatus = "opted_out") -> None:
    """As another node does: this one's memory is not told."""
    now = clock.now()
    entry = Entry(
        customer_id=customer_id or house.customer.id,
        address=person,
        scope="customer",
        status=status,
        source="api",
        tm_said=now,
    )

    async def unit(tx: Tx) -> None:
        await opt_outs.enter(tx, [entry], now)

    await house.store.transaction(unit)


async def test_somebody_elses_opt_outs_are_nobody_elses(house: House) -> None:
    await write(house, ANNE, ids.new())
    assert outcome(await house.send(ANNE)) == ("queued", "")
    assert await listed(house) == []


async def test_with_more_than_fit_into_memory_the_claim_decides(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "MOST_OF_ONE", 1)
    for person in (ANNE, BERT):
        await write(house, person)
    message = await house.send(ANNE, CARL)
    assert [target.status for target in message.targets] == ["queued", "queued"]
    assert [target.hold_reason for target in message.targets if target.hold_reason] == []
    assert (await house.until((message.id, 0), "failed")).error_code == "opted_out"
    await house.until((message.id, 1), "handed")


async def test_many_who_ask_at_once_have_it_read_once(house: House) -> None:
    await write(house, ANNE)
    mirror = Mirror(house.store)
    first, *others = await asyncio.gather(*(mirror.load(house.customer.id) for _ in range(5)))
    assert first == mirror.of(house.customer.id) == {ANNE: {"customer": "opted_out"}}
    assert others == [None] * 4


async def test_another_nodes_opt_outs_are_heard_of(house: House) -> None:
    mirror = Mirror(house.store, alone=False)
    mirror.start()
    assert await mirror.load(house.customer.id) == {}
    await write(house, ANNE)
    await eventually(lambda: mirror.of(house.customer.id))
    await write(house, ANNE, status="opted_in")
    await eventually(lambda: mirror.of(house.customer.id) == {})
    await mirror.stop()


async def test_memory_that_was_not_looked_after_is_not_believed(house: House) -> None:
    now = [100.0]
    mirror = Mirror(house.store, alone=False, clock=lambda: now[0])
    assert await mirror.load(house.customer.id) == {}
    now[0] += mirrors.TRUSTED_S + 0.1
    assert mirror.of(house.customer.id) is None


async def test_memory_that_is_full_begins_anew(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirrors, "MOST", 2)
    for person in (ANNE, BERT, CARL):
        await write(house, person)
    for _ in range(3):
        assert outcome(await house.send(CARL)) == OUT
        await write(house, CARL)
        await house.mirror.load(ids.new())


async def test_what_was_accepted_before_is_told_to_the_webhook_as_it_ends(house: House) -> None:
    await hears(house, "stop")
    message = await house.send(ANNE)
    (told,) = await house.told(message.id)
    assert (told["status"], told["changed"][0]["error_code"]) == ("failed", "opted_out")
