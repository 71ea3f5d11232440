"""Flows at a number that goes from one customer to another."""

from messagehub import clock, ids
from messagehub.accounts import customers
from messagehub.accounts.customers import Customer
from messagehub.sealing import Sealer
from messagehub.store import Insert
from messagehub.webhooks.sign import new_secret
from tests.flows.works import Works, do, say
from tests.messages.house import ANNE, SOURCE, House


async def test_a_number_that_is_anothers_by_now_is_no_place_to_wait_at(works: Works, house: House) -> None:
    started = await works.start(say("x", source=SOURCE, destinations=[ANNE]), do("wait_reply"), say("never"))
    await works.at("wait_reply", started)
    await given_to_another(house)
    await works.hear("hello")
    assert (await works.seen(started)).status == "running"
    assert works.sent() == ["x"]


async def test_whoever_has_a_number_now_waits_there_undisturbed(works: Works, house: House) -> None:
    ask = say("ours?", source=SOURCE, destinations=[ANNE])
    waiting = await works.start(ask, do("wait_reply"), say("never"))
    await works.at("wait_reply", waiting)
    blocked = await works.start(ask, do("block"), do("wait_reply"), say("never"))
    await works.at("block", blocked)
    ours, house.customer = house.customer, await given_to_another(house)
    theirs = await works.start(say("theirs?", source=SOURCE, destinations=[ANNE]), do("wait_reply"), say("${reply}!"))
    await works.at("wait_reply", theirs)
    await works.activeflows.go_on(blocked, ours.id, clock.now())

    other, house.customer = house.customer, ours
    seen = await works.ended(blocked)
    assert (seen.end_reason, seen.executed_actions[-1].result) == ("action_failed", "failed")
    assert seen.end_detail.endswith(f"{SOURCE} is no number of yours any more")
    assert (await works.seen(waiting)).end_detail == ""

    house.customer = other
    assert (await works.at("wait_reply", theirs)).status == "running"
    await works.hear("yes")
    await works.says("ours?", "ours?", "theirs?", "yes!")


async def given_to_another(house: House) -> Customer:
    """The number, by the operator."""
    other = customers.new(name="other", now=clock.now(), webhook_secret=new_secret())
    await house.store.write([Insert("insert_customer", [other.as_row(Sealer())])])
    found = await house.numbers.find(house.store, SOURCE)
    assert found
    await house.numbers.remove(found, clock.now())
    await house.numbers.add(
        clock.now(), customer_id=other.id, number=SOURCE, name="", detail="", message_flow_id=ids.UNSET
    )
    return other
