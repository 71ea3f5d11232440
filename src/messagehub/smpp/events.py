"""What a session tells its owner, in the order in which it happened."""

from typing import Any

from msgspec import Struct

from messagehub.smpp.pdus import PDU


class Received(Struct):
    """The peer asks something of us: `Session.answer` it (outbind and alert_notification want no answer)."""

    request: PDU
    octets: bytes
    """Its frame."""


class Answered(Struct):
    """The peer answered a request of ours; `response.status` tells how, and may be a generic_nack's."""

    request: PDU
    response: PDU
    context: Any
    octets: bytes
    """The frame of the response."""


class Unanswered(Struct):
    """A request of ours had no answer within response_timeout: what became of it is in doubt."""

    request: PDU
    context: Any


class AnsweredLate(Struct):
    """The answer to a request that was reported as Unanswered before."""

    request: PDU
    response: PDU
    context: Any
    octets: bytes
    """The frame of the response."""


class Stray(Struct):
    """An answer to nothing that waits for one: never asked, answered before, given up long ago, or of another kind."""

    response: PDU


class Unbound(Struct):
    """The session ended in good order. What is still in `Session.pending` will not be answered any more."""


class Broken(Struct):
    """The session ended by a fault: write out what is outgoing, then close the connection."""

    reason: str


Event = Received | Answered | Unanswered | AnsweredLate | Stray | Unbound | Broken
