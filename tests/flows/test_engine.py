"""The engine on both stores: each step is stored with what it did."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from messagehub import clock, ids
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Refusal
from messagehub.flows import active, calls, engine, keywords
from messagehub.flows.actions import FINISH
from messagehub.flows.calls import Request
from messagehub.flows.state import Tell
from messagehub.messages.reading import LAST_ID, Filter
from messagehub.shapes import KeywordGiven
from messagehub.store import Store
from messagehub.store.recent import CHANGED
from messagehub.work.setback import Setback
from tests.flows.works import Works, do, say
from tests.messages.house import ANNE, BERT, SOURCE, House, eventually
from tests.support.sink import Sink, sink


@pytest.fixture(scope="module")
def webhooks() -> Any:
    with sink() as opened:
        yield opened


# --- who begins it ----------------------------------------------------------------------


async def test_the_numbers_flow_answers(works: Works) -> None:
    flow_id = await works.answer(say("You said ${voipbin.message.text}, ${voipbin.conversation.peer.target}"))
    await works.hear("hi ${voipbin.message.id}")
    await works.says(f"You said hi ${{voipbin.message.id}}, {ANNE}")
    seen = await works.ended()
    assert (seen.end_reason, seen.flow_id, seen.number, seen.person) == ("completed", flow_id, SOURCE, ANNE)
    assert seen.current_action.id == FINISH


async def test_a_keyword_goes_before_the_numbers_flow_and_a_reply_before_both(works: Works) -> None:
    menu = await works.flow(say("Menu: 1 or 2?"), do("wait_reply", variable="choice"), say("You chose ${choice}"))
    words = keywords.checked([KeywordGiven(flow_id=menu, word="menu"), KeywordGiven(flow_id=menu, pattern="order *")])
    await works.answer(say("Write MENU"), keywords=words)
    await works.hear("hello")
    await works.says("Write MENU")
    await works.hear("Menu!")
    await works.says("Write MENU", "Menu: 1 or 2?")
    await works.at("wait_reply")
    await works.hear("menu")
    await works.says("Write MENU", "Menu: 1 or 2?", "You chose menu")
    await works.hear("order now", source=BERT)
    await works.says("Menu: 1 or 2?", to=BERT)


async def test_what_a_flow_sends_may_be_marketing_and_good_for_a_while(works: Works, house: House) -> None:
    await house.change(require_consent=True)
    more: dict[str, Any] = {"source": SOURCE, "destinations": [BERT]}
    started = await works.start(say("offer", **more, **{"class": "marketing"}), say("news", **more, validity=60))
    await works.ended(started)
    await works.says("news", to=BERT)
    page = await house.reader.page(house.customer.id, Filter(), LAST_ID, 9)
    news, offer = sorted(page, key=lambda one: one.text)
    assert (offer.class_, offer.targets[0].error_code) == ("marketing", "no_consent")
    assert (news.class_, news.validity) == (UNSET, 60)


async def test_each_is_waited_for_alone(works: Works) -> None:
    await works.answer(say("Name?"), do("wait_reply", variable="name"), say("Hello ${name}"))
    await works.hear("hi")
    await works.hear("hi", source=BERT)
    await works.says("Name?")
    await works.says("Name?", to=BERT)
    for one in await works.all():
        await works.at("wait_reply", one.id)
    await works.hear("Bert", source=BERT)
    await works.says("Name?", "Hello Bert", to=BERT)
    assert works.sent() == ["Name?"]


async def test_started_by_the_api_it_waits_for_the_one_that_it_wrote_to(works: Works) -> None:
    ask = say("How was it, ${name}?", source=SOURCE, destinations=[ANNE])
    started = await works.start(ask, do("wait_reply", variable="said"), say("Thanks: ${said}"), variables={"name": "A"})
    await works.says("How was it, A?")
    assert (await works.at("wait_reply", started)).person == ANNE
    await works.hear("fine")
    await works.says("How was it, A?", "Thanks: fine")
    seen = await works.ended(started)
    assert (seen.reference_type, seen.variables["said"]) == ("api", "fine")


async def test_a_message_is_taken_whatever_is_wrong_with_the_flow_that_waits_for_it(works: Works) -> None:
    started = await works.start(say("x", source=SOURCE, destinations=[ANNE]), do("wait_reply"))
    await works.at("wait_reply", started)
    (broken,) = await works.all()
    broken.state = "{}["
    await works.store.many("update_activeflow", [broken])
    await works.hear("hello")
    assert (await works.ended(started)).end_reason == "internal"


# --- in time ----------------------------------------------------------------------------


async def test_it_sleeps_as_long_as_it_should(works: Works) -> None:
    await works.answer(say("one"), do("sleep", duration=600), say("two"))
    await works.hear("hi")
    await works.says("one")
    begun = asyncio.get_running_loop().time()
    seen = await works.at("sleep")
    assert seen.tm_wake < clock.plain(NEVER)
    await works.says("one", "two")
    assert 0.3 <= asyncio.get_running_loop().time() - begun <= 30


async def test_a_reply_that_does_not_come(works: Works) -> None:
    await works.answer(do("wait_reply", timeout=100, timeout_target_id="late"), do("stop"), say("Still there?", "late"))
    await works.hear("hi")
    await works.says("Still there?")
    assert (await works.ended()).executed_actions[0].result == "no reply"


async def test_whoever_waits_for_a_person_anew_waits_alone(works: Works) -> None:
    await works.answer(say("Name?"), do("wait_reply"), say("Hello ${reply}"))
    await works.hear("hi", "hi again")
    await works.says("Name?", "Name?")
    (newer, older) = await works.all()
    ends = [(await works.ended_or_waiting(one.id)).end_reason for one in (newer, older)]
    assert sorted(ends) == ["", "superseded"]
    await works.hear("Anne")
    await works.says("Name?", "Name?", "Hello Anne")
    reasons = sorted([(await works.ended(one.id)).end_reason for one in (newer, older)])
    assert reasons == ["completed", "superseded"]


async def test_it_is_stopped_while_it_sleeps_and_waits(works: Works, house: House) -> None:
    for action in (do("sleep", duration=60_000), do("wait_reply"), do("block")):
        started = await works.start(say("x", source=SOURCE, destinations=[BERT]), action, say("never"))
        await works.at(action.type, started)
        stopped = await works.activeflows.stop(started, house.customer.id, clock.now())
        assert (stopped.status, stopped.end_reason, stopped.due_at) == ("ended", "stopped", None)
    await works.hear("hi", source=BERT)
    await works.says("x", "x", "x", to=BERT)


async def test_a_block_goes_on_when_it_is_told(works: Works, house: House) -> None:
    started = await works.start(do("block"), say("go", source=SOURCE, destinations=[ANNE]))
    await works.at("block", started)
    await works.activeflows.go_on(started, house.customer.id, clock.now())
    await works.says("go")
    await works.ended(started)
    with pytest.raises(Refusal, match="STATE_INVALID"):
        await works.activeflows.go_on(started, house.customer.id, clock.now())


async def test_a_clock_that_is_set_back_holds_up_no_sleep(works: Works, store: Store) -> None:
    now = clock.now()
    hour = 3600 * SECOND
    sleeping = active.begin(customer_id="c", flow_id=ids.UNSET, linked={}, reference_type="api", own={})
    sleeping.due_at = now + hour + 60 * SECOND  # a minute, by the clock that was
    await store.many("insert_activeflow", [sleeping])
    times = iter([now + hour, now, now, now, now])
    setback = Setback(store, engine.SET_BACK, lambda _: None, wall=lambda: next(times, now), steady=lambda: 0.0)
    await setback.look()
    await setback.look()
    row = await store.one("activeflow_by_id", id=sleeping.id, customer_id="c")
    assert row
    assert row.due_at <= now + 60 * SECOND


async def test_many_who_sleep_cost_nothing(works: Works, house: House) -> None:
    """What is not due is not looked at."""
    linked = (await works.flows.get(await works.flow(do("stop")), house.customer.id)).linked
    sleeping = [
        active.begin(customer_id=house.customer.id, flow_id=ids.UNSET, linked=linked, reference_type="api", own={})
        for _ in range(2000)
    ]
    for one in sleeping:
        one.due_at = clock.now() + 3600 * SECOND
    await house.store.many("insert_activeflow", sleeping)
    assert await house.store.all("due_activeflows", now=clock.now(), count=50) == []
    started = await works.start(do("stop"))
    assert (await works.ended(started)).end_reason == "completed"


# --- what goes wrong --------------------------------------------------------------------


async def test_a_message_that_cannot_be_sent_ends_it(works: Works) -> None:
    started = await works.start(say("x", "hello", source="+15550009999", destinations=[ANNE]))
    seen = await works.ended(started)
    assert seen.end_reason == "action_failed"
    assert seen.end_detail.startswith("message_send (hello): INVALID_SOURCE: source: '+15550009999' is no number")


async def test_one_that_cannot_be_run_does_not_hold_up_the_others(works: Works, house: House) -> None:
    broken = active.begin(customer_id=house.customer.id, flow_id=ids.UNSET, linked={}, reference_type="api", own={})
    broken.state = "{}["
    await house.store.many("insert_activeflow", [broken])
    started = await works.start(say("x", source=SOURCE, destinations=[ANNE]))
    await works.says("x")
    assert (await works.ended(started)).end_reason == "completed"
    assert (await works.ended(broken.id)).end_reason == "internal"


async def test_flows_of_a_customer_that_is_gone_end(works: Works, house: House) -> None:
    started = await works.start(do("sleep", duration=300), say("x", source=SOURCE, destinations=[ANNE]))
    await house.store.run("delete_customer", id=house.customer.id, why="gone", now=clock.now())
    house.store.notify(CHANGED)
    assert (await works.ended(started)).end_reason == "customer_deleted"
    assert works.sent() == []


async def test_two_machines_do_not_answer_each_other_for_ever(works: Works, house: House) -> None:
    works.limit(3)
    await works.answer(say("beep"))
    for n in range(6):
        await works.hear(f"boop {n}")
    await works.says("beep", "beep", "beep")
    await asyncio.sleep(0.1)
    assert works.sent() == ["beep"] * 3
    reasons = [one.end_reason for one in await works.all()]
    assert reasons[0] == "too_many_answers"
    assert len(reasons) == 4  # the first that was too much can be seen, and no more of them
    await works.hear("hello", source=BERT)
    await works.says("beep", to=BERT)


async def test_nor_do_they_by_a_flow_that_waits(works: Works) -> None:
    works.limit(3)
    await works.answer(say("beep", "b"), do("wait_reply"), do("goto", target_id="b", loop_count=1000))
    for n in range(3):
        await works.hear(f"boop {n}")
        await works.says(*["beep"] * (n + 1))
        await works.at("wait_reply")
        await works.when(lambda seen: seen.tm_wake < clock.plain(NEVER))
    await works.hear("boop")
    assert (await works.ended()).end_reason == "too_many_answers"
    assert works.sent() == ["beep"] * 3


async def test_a_number_whose_flow_is_gone_answers_nothing(works: Works, house: House) -> None:
    await works.change_number(message_flow_id=ids.new())
    await works.hear("hi")
    assert await works.all() == []


async def test_a_flow_that_answers_a_number_is_not_deleted(works: Works, house: House) -> None:
    flow_id, word = await works.answer(do("stop")), await works.flow(do("stop"))
    await works.change_number(keywords=keywords.checked([KeywordGiven(flow_id=word, word="x")]))
    for each in (flow_id, word):
        with pytest.raises(Refusal, match=f"STATE_INVALID: \\{SOURCE} is answered by this flow"):
            await works.flows.remove(each, house.customer.id, clock.now())
    await works.change_number(message_flow_id="", keywords="")
    for each in (flow_id, word):
        assert (await works.flows.remove(each, house.customer.id, clock.now())).tm_delete < NEVER


# --- requests ---------------------------------------------------------------------------


async def test_webhooks_are_signed_and_their_answer_is_known(works: Works, webhooks: Sink) -> None:
    here = webhooks.endpoint()
    here.usual = 201
    data = '{"text": "${voipbin.message.text}"}'
    ask = do("webhook_send", uri=here.url, data=data, sync=True)
    await works.answer(ask, say("answered ${voipbin.webhook.status}"))
    await works.hear('a "quoted" word')
    await works.says("answered 201")
    [hit] = here.hits
    assert msgspec.json.decode(hit.body) == {"text": 'a "quoted" word'}
    assert hit.headers["webhook-signature"].startswith("v1,")
    assert (await works.ended()).executed_actions[0].result == "answered 201"


async def test_what_is_not_waited_for_holds_up_nothing(works: Works, webhooks: Sink) -> None:
    here = webhooks.endpoint()
    here.usual = 0  # it never answers
    await works.answer(do("webhook_send", uri=here.url), say("on"))
    await works.hear("hi")
    await works.says("on")
    await eventually(lambda: len(here.hits) == 1)


async def test_what_is_not_waited_for_has_its_turn_however_late(
    works: Works, webhooks: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(calls, "LEASE", int(1.5 * SECOND))
    here = webhooks.endpoint()
    here.usual = 0  # each takes its second
    await works.start(*(do("webhook_send", uri=here.url) for _ in range(3)))
    await eventually(lambda: len(here.hits) == 3)
    monkeypatch.setattr(calls, "MOST_HELD", 0)
    seen = await works.ended(await works.start(do("webhook_send", uri=here.url)))
    assert seen.executed_actions[0].result == "left out: too many requests wait for their turn"


async def test_a_request_that_fails_is_made_again(
    works: Works, webhooks: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "RETRY_AFTER", (0, 0, 0))
    here = webhooks.endpoint()
    here.answers = [500, 503]
    started = await works.start(do("webhook_send", uri=here.url, sync=True))
    seen = await works.ended(started)
    assert (len(here.hits), seen.end_reason) == (3, "completed")
    assert len({hit.headers["webhook-id"] for hit in here.hits}) == 1
    here.usual = 500
    seen = await works.ended(await works.start(do("webhook_send", uri=here.url, sync=True)))
    assert (len(here.hits), seen.end_reason) == (3 + 4, "completed")
    assert seen.variables["voipbin.webhook.status"] == "500"


async def test_a_server_that_does_not_answer_leaves_room_for_requests_of_others(
    works: Works, webhooks: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MOST_HELD", 8)
    here, made = webhooks.endpoint(), works.requests()
    here.usual = 0  # it never answers
    rooms = {"one": 4, "another": 2, "a third": 1}
    for customer_id, most in rooms.items():
        for _ in range(most):
            assert made.has_room(customer_id)
            asking = active.begin(customer_id=customer_id, flow_id=ids.UNSET, linked={}, reference_type="api", own={})
            made.make(Request(asking, Tell("POST", here.url, "text/plain", ""), "id"), _nobody)
        assert not made.has_room(customer_id)
    assert made.has_room("a fourth")
    await made.close()
    assert made.has_room("one")


async def _nobody(*_: object) -> None:
    return


async def test_a_request_that_cannot_be_made_is_not_tried_again(works: Works) -> None:
    """What somebody writes may make a URL too long for any server; the flow goes on at once."""
    ask = do("webhook_send", uri="http://127.0.0.1:1/?q=${voipbin.message.text}", sync=True)
    await works.answer(ask, say("answered: ${voipbin.webhook.status}."))
    await works.hear("?" * 800)
    await works.says("answered: .")
    assert (await works.ended()).executed_actions[0].result == "bad_url"


async def test_a_request_whose_answer_was_lost_is_made_again_when_its_lease_is_over(
    works: Works, webhooks: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = webhooks.endpoint()
    here.answers = [0]
    monkeypatch.setattr(calls, "LEASE", int(1.2 * SECOND))
    started = await works.start(do("webhook_send", uri=here.url, sync=True))
    await eventually(lambda: len(here.hits) == 1)
    await works.engines[0].stop()  # as if it had died
    works.engines = [works.engine()]
    await works.open()
    assert (await works.ended(started)).end_reason == "completed"
    assert len(here.hits) == 2


async def test_an_answer_that_comes_after_it_was_stopped_changes_nothing(
    works: Works, house: House, webhooks: Sink
) -> None:
    here = webhooks.endpoint()
    here.usual = 0
    started = await works.start(
        do("webhook_send", uri=here.url, sync=True), say("x", source=SOURCE, destinations=[ANNE])
    )
    await eventually(lambda: len(here.hits) == 1)
    await works.activeflows.stop(started, house.customer.id, clock.now())
    await asyncio.sleep(1.2)  # its time limit
    assert (await works.seen(started)).end_reason == "stopped"
    assert works.sent() == []


async def test_who_wants_to_be_told_of_the_end_is_told(works: Works, webhooks: Sink) -> None:
    here = webhooks.endpoint()
    started = await works.start(do("stop"), webhook_uri=here.url)
    await eventually(lambda: len(here.hits) == 1)
    body = msgspec.json.decode(here.hits[0].body)
    assert (body["type"], body["data"]["id"], body["data"]["status"]) == ("activeflow_ended", started, "ended")
    assert datetime.fromisoformat(body["data"]["tm_create"]).tzinfo == UTC
    sleeping = await works.start(do("block"), webhook_uri=here.url)
    await works.at("block", sleeping)
    await works.activeflows.stop(sleeping, works.house.customer.id, clock.now())
    await eventually(lambda: len(here.hits) == 2)
    assert msgspec.json.decode(here.hits[1].body)["data"]["end_reason"] == "stopped"
    await works.when(lambda seen: seen.end_reason == "stopped", sleeping)


async def test_a_flow_in_a_flow(works: Works) -> None:
    inner = await works.flow(say("inner"))
    await works.answer(say("before"), do("fetch_flow", flow_id=inner), say("after"))
    await works.hear("hi")
    await works.says("before", "inner", "after")


async def test_a_flow_that_follows(works: Works) -> None:
    last = await works.flow(say("last"))
    flow_id = await works.flow(say("first"), on_complete=last)
    await works.change_number(message_flow_id=flow_id)
    await works.hear("hi")
    await works.says("first", "last")


# --- conversations ----------------------------------------------------------------------


async def test_what_is_sent_in_a_conversation_goes_to_its_peer(works: Works, house: House) -> None:
    thread = await works.conversations.open(house.customer.id, SOURCE, BERT, clock.now())
    said = "${voipbin.message.text} says ${voipbin.message.source.target}"
    await works.answer(
        do("conversation_send", conversation_id=thread.id.upper(), text=said),
        do("conversation_send", conversation_id="${voipbin.conversation.id}", text="told"),
        do("conversation_send", text="x"),
    )
    await works.hear("hi")
    await works.says(f"hi says {ANNE}", to=BERT)
    await works.says("told", "x")
    seen = await works.ended()
    assert [one.result[:7] for one in seen.executed_actions] == ["message"] * 3
    (newest, _), _ = await works.conversations.page(house.customer.id, "", "", "~", 9)
    assert (newest.peer, newest.id) == (ANNE, seen.variables["voipbin.conversation.id"])


async def test_a_conversation_that_is_not_there(works: Works) -> None:
    seen = await works.ended(await works.start(do("conversation_send", "c", conversation_id=ids.new(), text="x")))
    assert seen.end_detail.startswith("conversation_send (c): RESOURCE_NOT_FOUND: there is no conversation")
    seen = await works.ended(await works.start(do("conversation_send", "c", text="x")))
    assert "option.conversation_id: nobody has written yet" in seen.end_detail


# --- several nodes ----------------------------------------------------------------------


async def test_two_engines_do_everything_once(works: Works) -> None:
    works.engines.append(works.engine())
    await works.engines[1].start(alone=False)
    people = [f"+44207946{n:04d}" for n in range(40)]
    await works.answer(say("one"), do("sleep", duration=50), say("two"), do("wait_reply"), say("three ${reply}"))
    for person in people:
        works.house.peer.window = 1000
        await works.hear("hi", source=person)
    for person in people:
        await works.says("one", "two", to=person)
    for one in await works.all():
        await works.at("wait_reply", one.id)
    for person in people:
        await works.hear("x", source=person)
    for person in people:
        await works.says("one", "two", "three x", to=person)


async def test_long_ones_let_others_have_their_turn(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MOST_AT_ONCE", 2)
    await works.answer(*(say(f"{n}") for n in range(7)))
    await works.hear("hi")
    await works.says(*(f"{n}" for n in range(7)))
    assert (await works.ended()).executed_count == 7


async def test_one_that_writes_to_many_lets_others_write_in_between(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_TARGETS", 2)
    started = await works.start(*(say(f"{n}", source=SOURCE, destinations=[ANNE, BERT]) for n in range(4)))
    seen = await works.ended(started)
    await works.says("0", "1", "2", "3", to=BERT)
    assert len({one.tm_execute for one in seen.executed_actions}) == 4  # each in a commit of its own


async def test_replies_that_come_as_their_time_is_up_hold_up_nobody(works: Works) -> None:
    """What comes in and what is sent lock the same flows and threads."""
    works.limit(0)
    works.engines.append(works.engine())
    await works.engines[1].start(alone=False)
    works.house.peer.window = 10_000
    again = do("goto", target_id="wait", loop_count=1000)
    wait = do("wait_reply", "wait", timeout=25, timeout_target_id="late")
    await works.answer(wait, say("got ${reply}"), again, say("late", "late"), again)

    async def write(person: str) -> None:
        for n in range(12):
            await works.hear(f"{n}", source=person)
            await asyncio.sleep(0.02)

    await asyncio.gather(*(write(f"+44207946{n:04d}") for n in range(30)))
