"""What a customer does with a message that is there."""

import pytest

from messagehub.carriers.carrier import Accepted, Lost, Unanswered
from messagehub.errors import Refusal
from tests.messages.house import ANNE, BERT, House, eventually

STRANGER = "00000000-0000-7000-8000-000000000000"


async def test_what_was_not_handed_over_is_canceled_and_the_rest_goes_its_way(house: House) -> None:
    await house.fill(1)
    message = await house.send(ANNE, BERT)
    (handover,) = await eventually(lambda: house.peer.handed)
    first, second = handover.key, (message.id, 1 - handover.key[1])
    canceled = await house.actor.cancel(house.customer.id, message.id)
    assert canceled.status == "sending"
    row = await house.row(second)
    assert (row.status, row.error_code) == ("failed", "canceled")
    house.peer.tell(Accepted(first, ["n"]))
    await house.until(first, "sent")
    again = await house.actor.cancel(house.customer.id, message.id)
    assert again.status == "sent"
    assert await house.steps(message.id) == [(1, ["failed"]), (2, ["sent"])]
    assert len(house.peer.handed) == 1


async def test_what_is_held_is_sent_again_by_hand(house: House) -> None:
    await house.change(on_doubt="hold")
    (key,) = await house.handed()
    with pytest.raises(Refusal, match="STATE_INVALID: no target of this message is held"):
        await house.actor.resend(house.customer.id, key[0])
    house.peer.tell(Lost(key))
    await house.until(key, "gw_timeout")
    again = await house.actor.resend(house.customer.id, key[0])
    assert (again.status, again.targets[0].status, again.targets[0].possible_duplicate) == ("sending", "queued", True)
    await eventually(lambda: len(house.peer.handed) == 2)
    house.peer.tell(Accepted(key, ["n"]))
    await house.until(key, "sent")
    assert await house.steps(key[0]) == [(1, ["gw_timeout"]), (2, ["queued"]), (3, ["sent"])]


async def test_what_the_carrier_never_answered_is_not_held(house: House) -> None:
    (key,) = await house.handed()
    house.peer.tell(Unanswered(key))
    await house.until(key, "gw_timeout")
    with pytest.raises(Refusal, match="STATE_INVALID"):
        await house.actor.resend(house.customer.id, key[0])


async def test_a_deleted_message_is_canceled_and_out_of_sight(house: House) -> None:
    await house.fill()
    await house.change(webhook_events=("message_updated", "message_deleted"))
    message = await house.send(ANNE, BERT)
    gone = await house.actor.delete(house.customer.id, message.id)
    assert (gone.status, gone.tm_delete, gone.tm_update) == ("failed", gone.tm_update, gone.tm_delete)
    assert [target.error_code for target in gone.targets] == ["canceled", "canceled"]
    assert [told["event"] for told in await house.told()] == ["message_updated", "message_deleted"]
    for act in (house.actor.cancel, house.actor.resend, house.actor.delete, house.reader.one):
        with pytest.raises(Refusal, match="MESSAGE_NOT_FOUND"):
            await act(house.customer.id, message.id)
    house.peer.window = 9
    await house.receipt("nobody's", "delivered")
    assert house.peer.handed == []


async def test_anothers_message_is_not_there(house: House) -> None:
    message = await house.send()
    for act in (house.actor.cancel, house.actor.resend, house.actor.delete, house.reader.one):
        with pytest.raises(Refusal, match="MESSAGE_NOT_FOUND"):
            await act(STRANGER, message.id)
    assert (await house.seen(message.id)).status == "sending"
