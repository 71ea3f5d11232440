"""Rows of messages that a test needs in a state that takes long to reach."""

from typing import Any

from messagehub import ids
from messagehub.carriers.carrier import TargetKey
from messagehub.messages.rows import MessageRow, TargetRow
from messagehub.messages.status import Status
from messagehub.messages.target import due_topic
from messagehub.store import Insert
from tests.messages.house import ANNE, SOURCE, House


async def queue(house: House, text: str = "Hello", parts: int = 1, age: int = 0, **target: Any) -> TargetKey:
    """A message with one target that is due, made `age` microseconds ago; `target` says what is different about it."""
    message_id, now = ids.new_with_time()
    owner: dict[str, Any] = {"customer_id": house.customer.id}
    message = MessageRow(
        id=message_id, **owner, direction="outbound", source=SOURCE, text=text, target_count=1, waiting_count=1,
        tm_create=now - age,
    )  # fmt: skip
    usual: dict[str, Any] = {
        "destination": ANNE,
        "status": Status.QUEUED,
        "carrier_id": house.carrier_id,
        "due_at": now,
    }
    row = TargetRow(message_id=message_id, n=0, parts=parts, **{**owner, **usual, **target})
    await house.store.write([Insert("insert_message", [message]), Insert("insert_target", [row])])
    house.store.notify(due_topic(house.carrier_id, row.lane))
    return message_id, 0
