"""A target of an outbound message, with what is needed of its message to send it and to tell of it."""

from collections.abc import Sequence
from typing import ClassVar

from msgspec import Struct, field

from messagehub.carriers.wire import Step
from messagehub.clock import NEVER
from messagehub.messages.status import Status
from messagehub.store import Row

STATUSES = {status.value: status for status in Status}


def due_topic(carrier_id: str, lane: int) -> str:
    """The topic that is notified when targets are due for a carrier in one of its lanes."""
    return f"due:{carrier_id}:{lane}"


class Target(Struct):
    """The columns of `target_for_change` and of `claim_targets`, in their order, and what a process knows besides.

    It has all that is told of a message whose only one it is.
    """

    direction: ClassVar[str] = "outbound"

    message_id: str
    n: int
    customer_id: str
    destination: str
    destination_detail: str
    status: Status
    parts: int
    carrier_id: str
    lane: int
    due_at: int | None
    source: str
    source_detail: str
    text: str
    on_doubt: str
    target_count: int
    tm_create: int
    error_code: str = ""
    error_message: str = ""
    receipts: str = ""
    holder: str = ""
    attempts: int = 0
    doubts: int = 0
    retries: int = 0
    """How often it was sent again since a receipt said that it was not delivered."""
    possible_duplicate: int = 0
    sequence: int = 0
    tm_update: int = NEVER
    tried: str = ""
    """The carriers that had it before, with spaces between them."""
    tm_delete: int = NEVER
    options: str | None = None
    """See options.py."""
    own_source: str | None = None
    """The number that a pool chose for it; None where `source` is the message's."""
    before: Status = Status.QUEUED
    """The status that the row has in the store; likewise the next three."""
    seen_holder: str = ""
    seen_sequence: int = 0
    seen_receipts: str = ""
    steps: list[Step] = field(default_factory=list)
    """What happened to it in this transaction, for its trace."""
    names: Sequence[str] = ()
    """What its carrier calls its segments, where this process heard it."""
    told_elsewhere: bool = True
    """The last event of its message may be another node's to tell."""

    @property
    def id(self) -> str:
        return self.message_id

    def see(self) -> None:
        """It stands in the store as it is now."""
        self.before, self.seen_holder = self.status, self.holder
        self.seen_sequence, self.seen_receipts = self.sequence, self.receipts
        self.steps = []


def from_row(row: Row) -> Target:
    target = Target(*row)
    target.status = STATUSES[row.status]
    target.see()
    return target
