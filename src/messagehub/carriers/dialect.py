"""What is said to one kind of carrier over HTTP, and what its answers and its requests mean.

A dialect knows the words and nothing else: no socket, no clock, no store. `web.py` sends, waits, counts and retries for
all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct, field

from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import Handover, Inbound, Receipt, Verdict
from messagehub.web import Answer


class Request(Struct, frozen=True):
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Ready(Struct, frozen=True):
    """A medium that fits what the carrier takes. Of `octets` and `url` it has what the dialect asks for."""

    type: str
    name: str
    octets: bytes = b""
    url: str = ""


class Taken(Struct, frozen=True):
    """The carrier accepted it, and calls it so. `parts`: how many segments it makes of it, where it says that."""

    name: str
    parts: int = 0


class Declined(Struct, frozen=True):
    """As `Refused`: a key of REASONS, the carrier's words, and an error code other than the reason's.

    `retry_after`: seconds for which the carrier wants to be left alone; 0 where it does not say.
    """

    reason: str
    words: str = ""
    error_code: str = ""
    retry_after: float = 0


class Heard(Struct, frozen=True):
    """What a request of the carrier's tells, and how it is answered once that is settled, by the worst verdict.

    Media of inbound messages may be `Arriving`. `unread`: how many more things it tells that cannot be understood.
    """

    news: Sequence[Receipt | Inbound]
    reply: Callable[[Verdict], Reply]
    unread: int = 0


class Unheard(Exception):
    """A request that cannot be believed, or not be read: `reply` is its answer, and nothing comes of it."""

    def __init__(self, reply: Reply, words: str) -> None:
        super().__init__(words)
        self.reply = reply


class Dialect(Protocol):
    """Made anew whenever the config changes: `__init__(config, callback_url)`. Its state may be what one carrier told
    it, such as the nonce of an authentication."""

    media: Literal["none", "octets", "urls"]
    """How the carrier wants media."""
    is_base64: bool
    """Media are counted as base64 in what the carrier takes of octets."""

    def request(self, handover: Handover, media: Sequence[Ready], now: int) -> Request:
        """What is sent for a target. ValueError where it cannot be said to this carrier."""

    def answered(self, handover: Handover, answer: Answer) -> Taken | Declined:
        """Whatever came back. What cannot be understood is `Declined("unreadable")`."""

    def authorize(self, request: Request, answer: Answer) -> Request | None:
        """The request with what an answer of 401 asks for; None where there is nothing to add."""

    def hear(self, callback: Callback, now: int) -> Heard:
        """Raises Unheard."""

    def fetch(self, url: str) -> Request:
        """How a medium is fetched that the carrier has (`Arriving.url`). ValueError where it leads to somebody else."""
