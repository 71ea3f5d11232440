"""Something that happened, to be told to the outside: a row, stored in the commit of the change it tells of."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct


class Event(Struct, gc=False):
    """One call of a customer's webhook. `body` is fixed when stored, so that a retry is equal octet for octet."""

    id: str
    customer_id: str
    message_id: str
    type: str
    body: bytes
    due_at: int
    tm_create: int
    leased: int
    """Whether it is stored with a lease: 0 or 1, as stores keep it."""


class Outbox(Protocol):
    """Where a committed event goes. Whoever stores one asks `due_at` before and calls `offer` after the commit."""

    shared: bool
    """Other nodes tell events, too. Then an event that was made elsewhere, and is not tried yet, goes before."""

    def due_at(self, customer_id: str, message_id: str, now: int) -> int:
        """The `due_at` to store: in the future (a lease) if the outbox will take the event by `offer`, or `now`."""

    def offer(self, events: Sequence[Event]) -> None:
        """Committed events. Those stored with a lease are sent from here; the others are found in the store."""


# What a customer can ask to be told of, and what it is told of unless it asks.
EVENT_TYPES = (
    "message_received", "message_updated", "message_created", "message_deleted", "opt_out_created", "opt_out_removed",
)  # fmt: skip
DEFAULT_EVENT_TYPES = ("message_received", "message_updated")

WEBHOOK_TEST = "webhook_test"
"""The type of an event that a customer asks for to see whether its endpoint works."""
