"""Events: what customers are told of their messages. Their bodies are made here, in the commit of the change."""

from collections.abc import Callable, Container, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field

from messagehub import ids, shapes
from messagehub.clock import iso
from messagehub.events import Event, Outbox
from messagehub.messages.rows import message_shape, target_shape
from messagehub.metrics import COUNTS
from messagehub.store import Tx

_encoder = msgspec.json.Encoder()

EVENT_QUERIES = ("insert_event", "insert_event_body")
"""The inserts that an event needs."""


async def store_events(tx: Tx, events: Sequence[Event]) -> None:
    for query in EVENT_QUERIES:
        await tx.many(query, events)


async def untried(tx: Tx, messages: Sequence[dict[str, str]]) -> set[str]:
    """Those among messages (`customer_id`, `message_id`) with an event whose first attempt is still to come."""
    return {row.message_id for row in await tx.many("events_untried", messages)}


class Told(Struct):
    """What a transaction has to make known once it is committed."""

    events: list[Event] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)
    """The statuses that targets came to, one for each move."""
    after: list[Callable[[], None]] = field(default_factory=list)
    """What else is to be done then."""

    def add(self, more: "Told") -> None:
        self.events += more.events
        self.reached += more.reached
        self.after += more.after

    def make_known(self, outbox: Outbox) -> None:
        COUNTS.reached.update(self.reached)
        outbox.offer(self.events)
        for do in self.after:
            do()


class Teller:
    """Makes the events of one transaction. `behind`: those of these messages wait in the store for one before them."""

    def __init__(self, outbox: Outbox, now: int, behind: Container[str] = ()) -> None:
        self._outbox, self._now, self._behind = outbox, now, behind

    def about(self, event_type: str, message: Any, targets: Sequence[Any]) -> Event:
        """An event about the message as a whole."""
        shape = message_shape(message, targets, iso)
        return self._made(shapes.MessageEvent(event_type, shape), shape.customer_id, shape.id)

    def updated(self, message: Any, targets: Sequence[Any], changed: Sequence[Any], sequence: int) -> Event:
        shape = message_shape(message, targets, iso)
        if shape.target_count == 1:
            shape.changed = shape.targets
        else:
            shape.changed = [target_shape(target, iso) for target in changed]
        shape.sequence = sequence
        return self._made(shapes.MessageEvent("message_updated", shape), shape.customer_id, shape.id)

    def of_opt_out(self, event_type: shapes.EventType, data: shapes.OptOutTold) -> Event:
        """An event about what a message said of opting out, or in."""
        return self._made(shapes.OptOutNews(event_type, data), data.customer_id, data.message_id)

    def _made(self, news: shapes.MessageEvent | shapes.OptOutNews, customer_id: str, message_id: str) -> Event:
        body, now = _encoder.encode(news), self._now
        due_at = now if message_id in self._behind else self._outbox.due_at(customer_id, message_id, now)
        event_id, tm_create = ids.new_with_time()  # lists of deliveries go by one or the other
        return Event(event_id, customer_id, message_id, news.type, body, due_at, tm_create, int(due_at > now))
