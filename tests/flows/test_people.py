"""Flows beside opt-outs, limits and conversations: who answers what comes in, and what may be sent then."""

from typing import Any

import pytest

from messagehub import clock
from messagehub.clock import NEVER, SECOND
from messagehub.flows import engine, keywords
from messagehub.flows.state import Executed, State
from messagehub.messages.limits import ACCEPTING, OPERATOR, Limit
from messagehub.messages.reading import LAST_ID, Filter
from messagehub.shapes import KeywordGiven, MessageGiven
from tests.flows.works import Works, do, say
from tests.messages.house import ANNE, BERT, SOURCE, House

NOW = 1_790_000_000 * SECOND
OUT = "c: You are unsubscribed and will receive no more messages. Reply START to resubscribe."


async def accepting(house: House, **given: Any) -> Limit:
    usual = {"customer_id": house.customer.id, "subject": SOURCE, "scope": "number", "set_by": OPERATOR, "zone": "UTC"}
    return await house.limits.add(clock.now(), applies=ACCEPTING, **usual, **{"rate": 0, "per_day": 0, **given})


async def test_stop_goes_before_whoever_waits_and_before_keywords(works: Works, house: House) -> None:
    stopped = await works.flow(say("a keyword"))
    kept = keywords.checked([KeywordGiven(flow_id=stopped, word="stop")])
    await works.answer(do("wait_reply"), say("you said ${reply}"), keywords=kept)
    await works.hear("hi")
    await works.at("wait_reply")
    await works.hear("STOP")
    await works.says(OUT)
    assert (await works.seen()).current_action.type == "wait_reply"
    await works.hear("and now?")
    assert (await works.ended()).end_reason == "completed"
    asked = Filter(direction="outbound", destination=ANNE)
    [message] = await house.reader.page(house.customer.id, asked, LAST_ID, 1)
    assert (message.text, message.targets[0].error_code) == ("you said and now?", "opted_out")
    assert works.sent() == [OUT]


async def test_yes_is_a_reply_of_who_is_not_out(works: Works) -> None:
    await works.answer(say("Coming?"), do("wait_reply"), say("you said ${reply}"))
    await works.hear("hi")
    await works.at("wait_reply")
    await works.hear("YES")
    await works.says("Coming?", "you said YES")


async def test_yes_is_a_reply_of_who_is_only_to_be_reviewed(works: Works, house: House) -> None:
    await house.change(probable_opt_outs="review")
    await works.hear("please stop texting me")
    await works.answer(say("Coming?"), do("wait_reply"), say("you said ${reply}"))
    await works.hear("hi")
    await works.at("wait_reply")
    await works.hear("Yes")
    await works.says("Coming?", "you said Yes")


async def test_a_flow_waits_until_its_customer_may_be_given_more(works: Works, house: House) -> None:
    await accepting(house, rate=1000)
    await works.answer(say("one"), say("two"), say("three"))
    await works.hear("hi")
    await works.says("one", "two", "three")
    assert (await works.ended()).end_reason == "completed"


async def test_a_flow_that_waits_for_a_limit_says_so_and_goes_on_when_it_is_lifted(
    works: Works, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOOK_AGAIN", SECOND)
    limit = await accepting(house, per_day=1)
    await works.answer(say("one"), say("two"))
    await works.hear("hi")
    await works.says("one")
    seen = await works.when(lambda seen: seen.executed_count == 2 and seen.tm_wake < clock.plain(NEVER))
    assert seen.executed_actions[-1].result.startswith("waits: RATE_LIMIT_EXCEEDED: ")
    assert seen.tm_wake < clock.plain(clock.now() + 60 * SECOND)
    await house.limits.remove(limit)
    await works.says("one", "two")
    assert [one.result[:7] for one in (await works.ended()).executed_actions] == ["message"] * 2


def test_who_has_waited_long_for_a_limit_asks_less_often() -> None:
    """Many who wait for one would be a load for all, if each asked every second."""
    waits = State(executed=[Executed("a", "message_send", {}, tm_execute=NOW)])
    assert engine.patience(waits, NOW) == 0
    for seconds, least, most in ((10, 5, 10), (3600, 30, 60)):
        found = max(engine.patience(waits, NOW + seconds * SECOND) for _ in range(200))
        assert least * SECOND < found <= most * SECOND


async def test_stop_counts_and_is_confirmed_though_its_customer_may_be_given_nothing(
    works: Works, house: House
) -> None:
    await accepting(house, per_day=1)
    await house.acceptor.accept(house.customer.id, MessageGiven(SOURCE, [BERT], "x"))
    await works.hear("STOP")
    await works.says(OUT)
    assert (await house.send(ANNE)).targets[0].error_code == "opted_out"


async def test_who_is_written_to_in_a_conversation_is_waited_for(works: Works, house: House) -> None:
    thread = await works.conversations.open(house.customer.id, SOURCE, ANNE, clock.now())
    await works.start(
        do("conversation_send", conversation_id=thread.id, text="Coming?"), do("wait_reply"), say("you said ${reply}")
    )
    await works.says("Coming?")
    await works.at("wait_reply")
    await works.hear("perhaps")
    await works.says("Coming?", "you said perhaps")


@pytest.mark.parametrize("text", ["{{name}} ${x}", "\N{GRINNING FACE}${voipbin.message.id}{"])
async def test_whatever_somebody_writes_is_said_back_as_it_is(works: Works, text: str) -> None:
    await works.answer(say("${voipbin.message.text}|"))
    await works.hear(text)
    assert (await works.ended()).end_detail == ""
    await works.says(text + "|")
