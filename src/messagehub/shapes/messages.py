"""Messages, their targets and segments."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from messagehub.shapes.addresses import Address, DestinationGiven, SourceGiven
from messagehub.shapes.members import (
    E164,
    Direction,
    MessageKind,
    MessageStatus,
    OnDoubt,
    Priority,
    Request,
    TargetStatus,
    Thousand,
    TrafficClass,
)


class MediaGiven(Request):
    url: Annotated[str, Meta(max_length=2048)]
    """Where it is fetched from: http or https, of the open internet; or an address of ours."""
    type: Annotated[str, Meta(max_length=255)] = ""
    """Its media type, such as image/jpeg; left out: what its content shows."""


TLVs = Annotated[
    dict[
        Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")],
        Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] | Annotated[str, Meta(max_length=1000)],
    ],
    Meta(max_length=32),
]
MessageClass = Annotated[int, Meta(ge=0, le=3)]
MediasGiven = Annotated[list[MediaGiven], Meta(max_length=10)]
SubjectGiven = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Fallback = Literal["", "link"]


class MessageGiven(Request):
    source: str | SourceGiven
    """A number of yours, or a pool of them."""
    destinations: Annotated[list[E164 | DestinationGiven], Thousand]
    """None twice."""
    text: str = ""
    """May be empty where there are medias."""
    medias: MediasGiven = []
    """With any of these, or with a subject, it is an MMS."""
    subject: SubjectGiven = ""
    """One line."""
    fallback: Fallback = ""
    """`link`: who cannot get the medias as an MMS gets an SMS that says where they are."""
    on_doubt: OnDoubt | Literal[""] = ""
    """What to do when it is not known whether the carrier has it; empty: as the customer says."""
    priority: Priority = "normal"
    smart_encoding: bool | UnsetType = UNSET
    """Whether typographic characters that would cost more segments are replaced; left out: as the customer says."""
    class_: TrafficClass | MessageClass | UnsetType = field(default=UNSET, name="class")
    """What kind of traffic it is (left out: transactional), by which it gets its lane. A number is a message_class."""
    message_class: MessageClass | UnsetType = UNSET
    """Of the message on the handset: 0 is flash, shown at once and not kept."""
    schedule_at: str = ""
    """When it is to go: RFC 3339, or as resources have it, up to 365 days ahead; empty: at once."""
    spread_over: Annotated[int, Meta(ge=1, le=2_592_000)] | UnsetType = UNSET
    """Seconds over which its destinations are spread evenly; the first goes at once, or at schedule_at."""
    validity: Annotated[int, Meta(ge=1, le=2_592_000)] | UnsetType = UNSET
    """Seconds for which it is good, from when it is to go: what could not be sent by then has expired."""
    tlvs: TLVs = {}
    """TLVs of the carrier's own, by the names in its config."""


class MessageChange(Request):
    schedule_at: str | UnsetType = UNSET
    """When what still waits of it is to go; a time that is just over is now."""


class TextGiven(Request):
    text: Annotated[str, Meta(max_length=40_800)]
    """As long as 255 segments can be."""
    smart_encoding: bool | UnsetType = UNSET
    """Left out: as the customer says."""


class Target(Struct):
    destination: Address
    status: TargetStatus
    parts: int
    """How many segments it has; inbound: how many came."""
    error_code: str
    """Why it failed, in one word; empty where it did not."""
    error_message: str
    """The same in words: the carrier's, or ours."""
    possible_duplicate: bool
    """It was in doubt and has been sent again: the recipient may have it twice."""
    tm_update: str
    """When its status changed last."""
    text: str | UnsetType = UNSET
    """Only where it was given variables: its own text."""
    sent_text: str | UnsetType = UNSET
    """Only where smart encoding changed its own text: what is sent."""
    hold_reason: str | UnsetType = UNSET
    """Only while it waits for more than its turn: for what, in one word; `error_message` may say more."""
    source: Address | UnsetType = UNSET
    """Only where a pool chose one for each of several targets."""


class Replaced(Struct):
    character: str
    replacement: str


class Media(Struct, kw_only=True):
    """A medium of a message."""

    type: str
    """Its media type, such as image/jpeg; empty while that is not known."""
    url: str
    """Where it can be fetched: as it was given, or an address of ours, which is good for some days."""
    size: int | UnsetType = UNSET
    """Its octets, where it is kept here."""
    name: str | UnsetType = UNSET
    """That of its file, where it has one."""


class Message(Struct, kw_only=True):
    id: str
    customer_id: str
    type: MessageKind
    status: MessageStatus
    """Of the message as a whole, from its targets."""
    source: Address
    destination: Address | UnsetType = UNSET
    """Only inbound: the number that the message came to."""
    targets: list[Target]
    """The first 100 of them."""
    target_count: int
    """How many there are; `GET /messages/{id}/targets` has all."""
    text: str
    """As it was written; with places for variables where it has any."""
    sent_text: str | UnsetType = UNSET
    """Only where smart encoding changed something: what is sent."""
    replaced: list[Replaced] | UnsetType = UNSET
    """Only where smart encoding changed something: what."""
    class_: TrafficClass | MessageClass | UnsetType = field(default=UNSET, name="class")
    """Only where it was given."""
    message_class: MessageClass | UnsetType = UNSET
    """Only where it was given by this name."""
    schedule_at: str | UnsetType = UNSET
    """Only where it was given: when it goes."""
    spread_over: int | UnsetType = UNSET
    """Only where it was given: seconds."""
    validity: int | UnsetType = UNSET
    """Only where it was given: seconds."""
    tlvs: TLVs | UnsetType = UNSET
    """Only where they were given."""
    subject: str = ""
    medias: list[Media] = []
    """Only of an MMS: in their order."""
    fallback: Literal["link"] | UnsetType = UNSET
    """Only where it was given."""
    direction: Direction
    tm_create: str
    """When it was accepted, or came."""
    tm_update: str
    """When it changed last; the year 9999 is never."""
    tm_delete: str
    """When it was deleted; the year 9999 is never."""
    changed: list[Target] | UnsetType = UNSET
    """Only in webhooks of type message_updated: the targets whose status changed."""
    sequence: int | UnsetType = UNSET
    """Only in webhooks of type message_updated: grows with each change of the message."""


class MessageEvent(Struct):
    """The body of a webhook."""

    type: str
    data: Message


class TracePDU(Struct, kw_only=True):
    """A PDU as it was on the wire. Where the caller may not see texts, or none are kept, asterisks stand for them."""

    name: str
    direction: Literal["sent", "received"]
    part: int
    """Of the segments of the target, from 1."""
    connection: str
    """Our socket and the carrier's."""
    sequence: int
    command_status: str
    fields: dict[str, Any]
    """The mandatory parameters; octets are in hexadecimal digits."""
    tlvs: dict[str, str]
    text: str
    """What its octets say in their alphabet."""
    note: str
    """What is wrong with it."""
    hex: str


TraceStepName = Literal[
    "accepted", "claimed", "submit", "response", "no_answer", "paused", "again", "lost", "unsent", "refused", "moved",
    "routed", "receipt", "query", "query_response", "request", "answer", "gap",
]  # fmt: skip


class TraceStep(Struct, kw_only=True):
    tm: str
    elapsed_us: int
    """Microseconds since the step before."""
    step: TraceStepName
    words: str
    pdu: TracePDU | None
    detail: dict[str, Any]


class Trace(Struct, kw_only=True):
    """What was seen of one target, in the order of time."""

    n: int
    """The number of the target in its message, from 0."""
    destination: Address
    status: TargetStatus
    is_traced: bool
    """False: nothing was kept, as it did not fail and is not of the sample, or is too old; or, while it is under way,
    nothing is known of it here."""
    is_redacted: bool
    steps: list[TraceStep]


class Forcing(Struct):
    character: str
    replacement: str | None
    """What could stand in its place to stay in GSM-7; null where nothing could."""


class Segments(Struct):
    encoding: Literal["GSM-7", "Latin-1", "ASCII", "UCS-2"]
    parts: int
    """How many segments the text needs."""
    units: int
    """Septets of GSM-7, or 16-bit units of UCS-2."""
    units_per_part: int
    segments: list[str]
    forced_by: list[Forcing]
    """The characters for which UCS-2 is needed."""
    replaced: list[Replaced] | UnsetType = UNSET
    """Only where smart encoding changed something: what."""
