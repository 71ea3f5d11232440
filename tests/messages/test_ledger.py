"""What is told of changes: one event per message and commit, in the order of what happened."""

from messagehub.carriers.carrier import Accepted, Receipt, Refused, Verdict
from messagehub.clock import iso
from messagehub.messages.status import Tally, of_message
from tests.messages.house import ANNE, BERT, CARL, SOURCE, House, Json, eventually


async def test_from_queued_to_delivered(house: House) -> None:
    message = await house.send(text="Grüße")
    assert (message.status, message.targets[0].status) == ("sending", "queued")
    (handover,) = await eventually(lambda: house.peer.handed)
    assert (handover.source, handover.destination) == (SOURCE, ANNE)
    assert [segment.text for segment in handover.segments] == ["Grüße"]
    assert (await house.seen(message.id)).status == "sending"
    assert await house.told() == []
    house.peer.tell(Accepted(handover.key, ["n1"]))
    await house.until(handover.key, "sent")
    await house.receipt("n1", "delivered")
    seen = await house.seen(message.id)
    assert (seen.status, seen.targets[0].status, seen.targets[0].error_code) == ("delivered", "delivered", "")
    first, second = await house.told()
    assert [(data["event"], data["status"], data["sequence"]) for data in (first, second)] == [
        ("message_updated", "sent", 1),
        ("message_updated", "delivered", 2),
    ]
    assert first["id"] == message.id
    assert first["text"] == "Grüße"
    assert first["changed"] == first["targets"]
    assert first["tm_update"] <= second["tm_update"]
    row = await house.row(handover.key)
    assert second["changed"][0]["tm_update"] == second["tm_update"] == iso(row.tm_update)


async def test_a_receipt_that_came_first_tells_sent_and_then_delivered(house: House) -> None:
    ((message_id, n),) = await house.handed()
    await house.receipt("early", "delivered")
    assert await house.statuses(message_id) == ["handed"]
    house.peer.tell(Accepted((message_id, n), ["early"]))
    await house.until((message_id, n), "delivered")
    assert await house.steps(message_id) == [(1, ["sent"]), (2, ["delivered"])]
    assert [data["status"] for data in await house.told()] == ["sent", "delivered"]
    assert await house.store.all("parked_due", now=2**62, count=9) == []


async def test_both_in_one_commit_tell_the_same(house: House) -> None:
    (key,) = await house.handed()
    house.peer.tell(Receipt("n", "expired", "", ANNE, "t"), Accepted(key, ["n"]))
    await house.until(key, "failed")
    assert await house.steps(key[0]) == [(1, ["sent"]), (2, ["failed"])]
    assert house.peer.answers == {"t": Verdict.TAKEN}


async def test_one_event_for_all_targets_of_a_message_and_one_for_each_message(house: House) -> None:
    many, other = await house.handed(ANNE, BERT, CARL), await house.handed(ANNE)
    house.peer.tell(*(Accepted(key, [f"n{key[1]}"]) for key in many), Refused(other[0], "rejected", "no"))
    await house.until(other[0], "failed")
    assert await house.steps(many[0][0]) == [(1, ["sent", "sent", "sent"])]
    assert await house.steps(other[0][0]) == [(1, ["failed"])]
    await house.receipt("n1", "delivered", BERT)
    await house.receipt("n0", "undelivered", ANNE)
    await house.receipt("n2", "delivered", CARL)
    steps = await house.steps(many[0][0])
    assert steps[1:] == [(2, ["delivered"]), (3, ["failed"]), (4, ["delivered"])]
    told = await house.told(many[0][0])
    assert [data["status"] for data in told] == ["sent", "sent", "sent", "partially_delivered"]
    assert [target["status"] for target in told[-1]["targets"]] == ["failed", "delivered", "delivered"]
    seen = await house.seen(many[0][0])
    assert (seen.status, seen.target_count) == ("partially_delivered", 3)


def agrees(data: Json) -> bool:
    """Whether the status that an event tells of a message is that of the targets that it shows."""
    statuses = [target["status"] for target in data["targets"]]
    counted = Tally(len(statuses), *(statuses.count(status) for status in ("queued", "sent", "delivered")))
    return bool(data["status"] == of_message(counted))


async def test_each_of_several_steps_in_one_commit_tells_how_the_message_stood_then(house: House) -> None:
    anne, bert = await house.handed(ANNE, BERT)
    house.peer.tell(Accepted(bert, ["b"]))
    await house.until(bert, "sent")
    await house.receipt("b", "delivered", BERT)
    await house.receipt("a", "delivered", ANNE)
    house.peer.tell(Accepted(anne, ["a"]))
    await house.until(anne, "delivered")
    assert await house.steps(anne[0]) == [
        (1, ["sent"]),
        (2, ["delivered"]),
        (3, ["sent"]),
        (4, ["delivered"]),
    ]
    assert [agrees(data) for data in await house.told()] == [True] * 4


async def test_only_the_statuses_that_a_customer_wants_are_told(house: House) -> None:
    await house.change(webhook_statuses=("delivered",))
    key = await house.accepted(names=["n"])
    await house.receipt("n", "delivered")
    assert await house.steps(key[0]) == [(2, ["delivered"])]
    await house.change(webhook_uri="")
    other = await house.accepted(names=["m"])
    await house.receipt("m", "delivered")
    assert (await house.seen(other[0])).status == "delivered"
    assert len(await house.told()) == 1


async def test_nothing_is_told_of_a_message_that_was_deleted(house: House) -> None:
    await house.change(webhook_events=("message_updated", "message_deleted"))
    key = await house.accepted(names=["n"])
    gone = await house.actor.delete(house.customer.id, key[0])
    assert gone.tm_delete < "9999"
    assert [data["event"] for data in await house.told()] == ["message_updated", "message_deleted"]
    await house.receipt("n", "delivered")
    assert (await house.row(key)).status == "delivered"
    assert len(await house.told()) == 2
