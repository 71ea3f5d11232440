"""What front and engine say to each other. `id`s are the front's for requests, and the engine's for calls."""

from msgspec import Struct

from messagehub.messages.drafting import Draft

AT_ONCE = 32
"""Frames that go together: while the other side begins with these, this one goes on."""

Headers = list[tuple[bytes, bytes]]


class Frame(Struct, array_like=True, gc=False):
    """Several go over the link at once, as an array of msgpack."""


# --- from the front ---------------------------------------------------------------------


class Asked(Frame, tag=1):
    """A request, as ASGI describes it; `peer` is the address at the other end of its connection."""

    id: int
    method: str
    path: str
    query: bytes
    version: str
    headers: Headers
    peer: str
    body: bytes | None
    """None where it was not here in whole with the head: it is sent in pieces, as they are wanted."""


class Piece(Frame, tag=2):
    """More of a body. `is_gone`: there is nobody any more."""

    id: int
    body: bytes
    more: bool
    is_gone: bool


class Left(Frame, tag=3):
    """Nobody waits for the answer to this request."""

    id: int


class Called(Frame, tag=4):
    """How a call ended: a status and what is told of the headers, or a word for the error and its words."""

    id: int
    status: int
    retry_after: str
    code: str
    words: str


class Beat(Frame, tag=5):
    """The front lives. `cpu` in seconds since its start."""

    connections: int
    cpu: float


class Listens(Frame, tag=6):
    """Requests are taken from now on."""


class Drained(Frame, tag=7):
    """No more requests come, and all that were under way are answered."""


class Drafted(Frame, tag=8):
    """A request for a message, checked as far as its own words go."""

    id: int
    credential: str
    request_id: bytes
    draft: Draft


# --- from the engine --------------------------------------------------------------------


class Begin(Frame, tag=11):
    """The settings of a front; `bounds` of its server."""

    head_timeout: float
    answer_timeout: float
    connections_per_address: int
    max_connections: int
    trusted_proxies: str
    allow_private: bool
    webhook_timeout: float
    per_origin: int
    log_level: str
    log_format: str
    log_numbers: bool
    drafts_at: str
    """The path of messages; empty where the front is not to draft them."""
    max_segments: int


class Listen(Frame, tag=12):
    """Take requests."""


class Answered(Frame, tag=13):
    """A whole answer, as `messagehub.answer` has it (api/cycle.py)."""

    id: int
    status: int
    lines: bytes
    body: bytes
    closes: bool


class AnsweredFile(Frame, tag=17):
    """Likewise, where its body is some octets of a file, as `messagehub.file` has it."""

    id: int
    status: int
    lines: bytes
    path: str
    start: int
    length: int


class Taken(Frame, tag=18):
    """A draft is accepted. `body`: of the answer, where that says more than the draft does."""

    id: int
    customer_id: str
    body: bytes


class Returned(Frame, tag=19):
    """A draft is not accepted: its request is to be asked as it came, and will be told why."""

    id: int


class Want(Frame, tag=14):
    """More of the body of this request is asked for."""

    id: int


class Call(Frame, tag=15):
    """A request to the outside."""

    id: int
    method: str
    url: str
    headers: dict[str, str]
    body: bytes


class Drain(Frame, tag=16):
    """Take no more requests, and answer those under way."""


FromFront = Asked | Drafted | Piece | Left | Called | Beat | Listens | Drained
FromEngine = Begin | Listen | Answered | AnsweredFile | Taken | Returned | Want | Call | Drain
