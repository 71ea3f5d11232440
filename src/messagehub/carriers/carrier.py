"""What a carrier is to the rest of the program. Each kind of carrier is one file beside this one.

Handovers go in; news comes out: outcomes of handovers, receipts, inbound messages. A carrier never sees a message or
the store. News waits in the carrier until it is taken, and what the peer asked is answered when the taker says so,
which it does after its commit.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct, field

from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.wire import Sight, Step
from messagehub.clock import NEVER
from messagehub.text import Concatenation, DefaultAlphabet, Piece, Profile, Segment

TargetKey = tuple[str, int]
"""The id of a message and the number of a target in it."""

LONGEST_NAME = LONGEST_ADDRESS = 250
"""Characters of what a carrier calls a segment, and of whom a message is from or for; more is cut off. Both are in
indexes, and PostgreSQL's take entries of 2,704 octets."""


class Medium(Struct, frozen=True):
    """A medium that is kept under the digest of its octets (blobs.py)."""

    type: str
    digest: str
    size: int
    name: str = ""
    url: str = ""
    """Where the carrier has it, if it could not be fetched and is not kept here: then it has no digest."""


class Arriving(Struct, frozen=True):
    """A medium that came with a message: its octets, or where the carrier has them. `type` is what the carrier says."""

    type: str
    octets: bytes = b""
    url: str = ""
    name: str = ""


class Handover(Struct):
    """One target for the carrier to take: all its segments, in order."""

    key: TargetKey
    source: str
    destination: str
    segments: list[Segment]
    """None where the text cannot be cut for this carrier."""
    steps: list[Step] = msgspec.field(default_factory=list)
    """What was seen of it so far, which the carrier adds to."""
    tlvs: Mapping[str, int | str] = msgspec.field(default_factory=dict)
    """By the carrier's names for them; those that it has none for are left out."""
    retry: int = 0
    """Told back where it is accepted: how often the target was sent again after a receipt."""
    expire_at: int = NEVER
    """When it is to be given up (microseconds)."""
    text: str = ""
    """The whole text, of which the segments are cut."""
    subject: str = ""
    media: Sequence[Medium] | None = None
    """None: it is an SMS. Of an MMS in their order, as the customer gave them; the carrier makes them fit."""
    lane: int = 0
    """How urgent it is; what is more so has a larger number."""


# --- news of a handover -----------------------------------------------------------------


class Accepted(Struct):
    """The carrier took every segment. `names`: what it calls them, by which its receipts will name them.

    `late`: the answer came after the carrier had been given up (an `Unanswered` was told before).
    """

    key: TargetKey
    names: list[str]
    late: bool = False
    retry: int = 0
    steps: list[Step] = field(default_factory=list)
    """What was seen of the handover on its way; those of other outcomes are the same."""
    parts: int = 0
    """How many segments the carrier makes of it, where it says that."""


class Refused(Struct):
    """The carrier did not take it. `reason` is a key of REASONS, `words` the carrier's own.

    `error_code` is what the target is told if it fails by this; empty: the reason's.
    `partly`: it took some of the segments before it refused another, or it may have taken all.
    """

    key: TargetKey
    reason: str
    words: str = ""
    error_code: str = ""
    partly: bool = False
    steps: list[Step] = field(default_factory=list)


class Unanswered(Struct):
    """The carrier did not answer in time on a live connection."""

    key: TargetKey
    steps: list[Step] = field(default_factory=list)


class Lost(Struct):
    """The connection was lost before the carrier answered: it may have taken the target, or not."""

    key: TargetKey
    steps: list[Step] = field(default_factory=list)


# --- news from outside ------------------------------------------------------------------


class Receipt(Struct):
    """What the carrier tells later of a segment. `state`: `delivered`, `intermediate`, or an error code of ours."""

    name: str
    state: str
    words: str
    destination: str
    ticket: Any = None
    sight: Sight | None = None
    """Its PDU, where traces are kept."""
    is_by_shape: bool = False
    """Nothing but its text says that it is one, and anybody could have written that."""
    is_parked: bool = False
    """It came before the response that names its segment, and waited in the store."""


class Inbound(Struct):
    """A message, or a part of one, that somebody wrote to a number of ours."""

    source: str
    destination: str
    text: str
    octets: bytes | None
    """The octets on the wire, where they could not be read as text."""
    concatenation: Concatenation | None = None
    ticket: Any = None
    fingerprint: bytes = b""
    """Of its addresses and octets, by which a repetition is known."""
    session: str = ""
    """The connection that it came by, and when (microseconds)."""
    tm_arrive: int = 0
    piece: Piece | None = None
    """What `text` was read from, so that the parts of one message can be read together."""
    alphabet: DefaultAlphabet = "gsm7"
    """The default alphabet of whom it came from."""
    subject: str = ""
    media: Sequence[Medium | Arriving] | None = None
    """None: it is an SMS. What the exchange gets is kept already, as long as addresses of media are good at least."""
    is_named: bool = False
    """The fingerprint is of an id that the carrier gave it: what is told again under it is the same, days later too."""


class Question(Struct):
    """What became of segments that the carrier accepted: part and name of each. `source` as in their handover."""

    key: TargetKey
    source: str
    names: list[tuple[int, str]]
    retry: int = 0
    """Of which of the target's tries they are; told back with the answer."""


class Queried(Struct):
    """What the carrier says to a question: part, state and words, as of a receipt, where it said anything.

    `is_lost`: the connection ended before it could.
    """

    key: TargetKey
    states: list[tuple[int, str, str]]
    is_lost: bool = False
    steps: list[Step] = field(default_factory=list)
    retry: int = 0


Outcome = Accepted | Refused | Unanswered | Lost
News = Outcome | Receipt | Inbound | Queried


class Verdict(StrEnum):
    """How to answer what the peer told."""

    TAKEN = "it is on disk"
    REFUSED = "it is not for us"
    BROKEN = "it cannot be kept; do not send it again"
    LATER = "it cannot be kept just now; send it again"


# --- why a carrier refuses --------------------------------------------------------------


class Reason(Struct, frozen=True):
    """What a refusal means and what is to be done about it."""

    error_code: str
    meaning: str
    retry: bool = False
    """The same handover may do better later."""
    blameless: bool = False
    """It is the bind's trouble and not the message's: none of its tries is used up."""
    reroute: bool = False
    """Another carrier may take it, once this one is not tried any more."""
    ours: bool = False
    """It is for the operator to repair."""
    of_media: bool = False
    """The same message may do as an SMS that says where its media are."""


REASONS = {
    "throttled": Reason(
        "carrier_busy", "The carrier takes no more just now.", retry=True, blameless=True, reroute=True
    ),
    "unwell": Reason("carrier_unavailable", "The carrier has a fault that may pass.", retry=True, reroute=True),
    "full": Reason("carrier_busy", "The carrier takes no more for this recipient just now.", retry=True, reroute=True),
    "unbound": Reason(
        "carrier_unavailable", "The carrier knows nothing of the bind.", retry=True, blameless=True, reroute=True
    ),
    "not_ready": Reason("carrier_unavailable", "The bind cannot take it.", retry=True, reroute=True),
    "refused_here": Reason("carrier_rejected", "This carrier refuses the message.", reroute=True),
    "invalid_number": Reason("invalid_number", "There is no such number."),
    "invalid_source": Reason("invalid_source", "The carrier does not let this sender through.", reroute=True),
    "rejected": Reason("carrier_rejected", "The carrier refuses the message."),
    "too_late": Reason("expired", "Its validity was over before it could be sent."),
    "too_long": Reason("carrier_rejected", "In its alphabet the text needs more than 255 parts.", reroute=True),
    "misconfigured": Reason("carrier_misconfigured", "The carrier does not understand our parameters.", ours=True),
    "unreadable": Reason("carrier_unavailable", "The carrier's answer made no sense.", reroute=True, ours=True),
    "bad_credentials": Reason(
        "carrier_misconfigured", "The carrier does not know us.", retry=True, blameless=True, reroute=True, ours=True
    ),
    "unreachable": Reason("carrier_unavailable", "The carrier cannot be reached.", retry=True, reroute=True),
    "media_too_large": Reason("media_too_large", "Its media cannot be made small enough.", reroute=True, of_media=True),
    "media_refused": Reason("media_refused", "The carrier takes no media of this kind.", reroute=True, of_media=True),
    "media_gone": Reason("media_gone", "Its media are not kept any more."),
    "media_not_ready": Reason(
        "carrier_unavailable", "Its media cannot be read or written here just now.", retry=True, blameless=True
    ),
    "unwritable": Reason(
        "carrier_misconfigured", "The carrier's config leaves no way to write it.", reroute=True, ours=True
    ),
}


# --- the contract -----------------------------------------------------------------------


BindRole = Literal["transceiver", "transmitter", "receiver", "client"]
"""Of SMPP; and `client` for a carrier that is sent requests over HTTP."""

BindState = Literal["connecting", "bound", "down"]
CarrierState = Literal["connecting", "bound", "degraded", "down", "disabled"]


class BindStatus(Struct):
    role: BindRole
    state: BindState = "down"
    since: int = 0
    in_flight: int = 0
    sent: int = 0
    accepted: int = 0
    refused: int = 0
    unanswered: int = 0
    received: int = 0
    last_error: str = ""
    node: str = ""
    """Which node has it."""


class CarrierStatus(Struct):
    status: CarrierState
    binds: list[BindStatus] = field(default_factory=list)
    last_error: str = ""
    """Why a bind of it is not bound."""
    warnings: Sequence[str] = ()
    """What works, and should not be left so."""
    pace: float = 0
    """PDUs per second that may leave now; 0 is no limit."""
    throttled: int = 0
    """How often it said that this is too much, since it was opened."""
    throttled_until: int = 0
    """When PDUs leave again; 0 where they do."""


def whole(binds: Sequence[BindStatus], wanted: int) -> CarrierState:
    """How a carrier does whose binds do so, when there should be so many."""
    states = {bind.state for bind in binds}
    if len(states) == 1 and len(binds) >= wanted:
        return states.pop()
    if "bound" in states:
        return "degraded"
    return "down" if "down" in states else "connecting"


class Carrier(Protocol):
    """One carrier, connected. All verbs are called on the event loop; none but open and close waits."""

    dlr_timeout: float
    """Seconds after which a receipt is no longer expected."""

    texts: Profile
    """How it takes texts."""

    asks: bool
    """It can be asked what became of what it accepted."""

    callback_max: int
    """Octets of a request that it may make of us over HTTP; 0: it makes none."""

    kinds: Sequence[str]
    """What each of its binds is, of those that its config names: a bind's place among them is its slot."""

    def open(self, ring: Callable[[], None], slots: Collection[int] | None = None) -> None:
        """Starts connecting, with all its binds or those at `slots`.

        `ring` is called whenever there is news, or room where there was none.
        """

    def hold(self, slots: Collection[int]) -> None:
        """These binds are this process's from now on; it connects those that it had not. Others are closed."""

    async def part(self, slot: int, seconds: float) -> None:
        """Sends nothing more on a bind, waits so long for what is in flight on it, and unbinds."""

    async def let_go(self) -> None:
        """Sends nothing more at all, and closes all binds."""

    def room(self) -> int:
        """How many segments may be sent now."""

    @property
    def takes_long(self) -> bool:
        """Whether even a target with more segments than there is room for may be sent: they go in turns.

        So it is where nothing is on its way, and where there is a pace and nothing waits here for it: that alone
        leaves less room than most of them need.
        """

    def holds(self, key: TargetKey) -> bool:
        """Whether a target is on its way, or its news were not taken yet."""

    def steps(self, key: TargetKey) -> list[Step]:
        """What was seen of a target that is on its way."""

    def send(self, handovers: Sequence[Handover]) -> None:
        """Takes them all; each comes back as news exactly once (besides a later `Accepted(late=True)`)."""

    def ask(self, questions: Sequence[Question]) -> None:
        """Each comes back as `Queried` in the news."""

    def news(self) -> list[News]:
        """What came since the last call. Its taker is the only one who knows of it from now on."""

    def answer(self, ticket: Any, verdict: Verdict) -> None:
        """Answers a receipt or an inbound message."""

    async def called(self, callback: Callback) -> Reply:
        """What is answered to a request of the carrier's over HTTP, once what it tells is on disk."""

    def heard(self, session: str, moment: int) -> bool:
        """Whether what was answered in a session at a moment (microseconds) has surely reached the peer.

        It is asked from other threads, too.
        """

    def status(self) -> CarrierStatus: ...

    async def drain(self, seconds: float) -> None:
        """Takes no more, and waits until what is in flight is answered, but not longer than `seconds`."""

    async def close(self) -> None:
        """Parts from the peer. What is still in flight comes back as `Lost`, in `news`."""
