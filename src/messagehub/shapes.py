"""The JSON of the API, once: what a request may hold and what an answer holds. Times and ids are strings here.

Requests forbid unknown members; answers always carry every member. The schemas of openapi.json come from here.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field, to_builtins

from messagehub import ids
from messagehub.errors import Refusal

MessageStatus = Literal["sending", "sent", "delivered", "partially_delivered", "failed", "received"]
TargetStatus = Literal["queued", "sent", "delivered", "failed", "gw_timeout", "dlr_timeout", "received"]
Direction = Literal["outbound", "inbound"]
OnDoubt = Literal["resend", "hold"]
Priority = Literal["high", "normal"]
TrafficClass = Literal["otp", "transactional", "marketing"]
WebhookStatus = Literal["off", "working", "failing", "disabled"]
DeliveryStatus = Literal["pending", "delivered", "failed"]
Tracing = Literal["default", "all"]
"""Whose messages are traced: those that fail and a sample, or all."""

EventType = Literal[
    "message_received", "message_updated", "message_created", "message_deleted", "opt_out_created", "opt_out_removed",
]  # fmt: skip
"""What a webhook can tell of."""

OptOutScope = Literal["customer", "group", "number"]
ProbableOptOuts = Literal["honour", "review"]
NoticeKind = Literal["opt_out", "opt_in", "help"]
"""What people are answered: that they get no more messages, that they get them again, or who writes."""

Name = Annotated[str, Meta(max_length=255)]
Detail = Annotated[str, Meta(max_length=1000)]

# Whoever reads the schema is told of these; the verbs check them, and have better words for what is wrong.
Tel = Annotated[str, Meta(extra_json_schema={"enum": ["tel"]})]
E164 = Annotated[str, Meta(extra_json_schema={"pattern": r"^\+[1-9][0-9]{1,14}$", "examples": ["+15559876543"]})]
NotEmpty = Annotated[str, Meta(extra_json_schema={"minLength": 1})]
Thousand = Meta(extra_json_schema={"minItems": 1, "maxItems": 1000, "uniqueItems": True})


class Request(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is common to all bodies that callers send."""


# --- addresses --------------------------------------------------------------------------


class AddressGiven(Request):
    """An address as a caller may write it; a plain string stands for `{"type": "tel", "target": …}`."""

    target: str
    type: Tel = "tel"
    target_name: Name = ""
    name: Name = ""
    detail: Detail = ""


Variables = Annotated[
    dict[
        Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}\Z")],
        Annotated[str, Meta(max_length=1000)]
        | Annotated[int, Meta(ge=-(10**18), le=10**18)]
        | Annotated[float, Meta(ge=-1e18, le=1e18)],
    ],
    Meta(max_length=50),
]


class DestinationGiven(AddressGiven):
    target: E164
    variables: Variables | UnsetType = UNSET
    """What stands for `{{name}}` in the text of this recipient."""


class SourceGiven(AddressGiven):
    type: Annotated[str, Meta(extra_json_schema={"enum": ["tel", "pool"]})] = "tel"
    """Of a pool, `target` is its name or its id."""


class Address(Struct):
    type: str
    target: str
    target_name: str = ""
    name: str = ""
    detail: str = ""


# --- messages ---------------------------------------------------------------------------


class MediaGiven(Request):
    url: str
    type: str = ""


TLVs = Annotated[
    dict[
        Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")],
        Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] | Annotated[str, Meta(max_length=1000)],
    ],
    Meta(max_length=32),
]
MessageClass = Annotated[int, Meta(ge=0, le=3)]


class MessageGiven(Request):
    source: str | SourceGiven
    """A number of yours, or a pool of them."""
    destinations: Annotated[list[E164 | DestinationGiven], Thousand]
    """None twice."""
    text: NotEmpty = ""
    medias: list[MediaGiven] = []
    subject: str = ""
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


class Message(Struct, kw_only=True):
    id: str
    customer_id: str
    type: Literal["sms", "mms"]
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
    medias: list[dict[str, str]] = []
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
    "routed", "receipt", "query", "query_response", "gap",
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


# --- accounts ---------------------------------------------------------------------------


USERNAME = r"^[A-Za-z0-9._%+@-]+$(?!\n)"
"""Nothing that looks like something else, or like nothing."""

EMAIL = r"^([^@\s]{1,64}@[^@\s]{1,253})?$(?!\n)"
Username = Annotated[str, Meta(min_length=1, max_length=255, pattern=USERNAME)]

Password = Annotated[str, Meta(min_length=8, max_length=1024)]
Email = Annotated[str, Meta(max_length=254, pattern=EMAIL)]


class LoginGiven(Request):
    username: Annotated[str, Meta(max_length=255)]
    password: Annotated[str, Meta(max_length=1024)]


class Token(Struct):
    username: str
    token: str


class PasswordChange(Request):
    password: Annotated[str, Meta(max_length=1024)]
    """The one that the login has."""
    new_password: Password


class Me(Struct, kw_only=True):
    """The access key or the login that asks."""

    type: Literal["accesskey", "login"]
    id: str
    customer_id: str
    role: Literal["operator", "customer"]
    username: str
    """Of a login."""
    name: str
    """Of the access key; of a login its customer's."""
    detail: str
    token_prefix: str
    """Of an access key."""
    tm_expire: str
    """When the access key, or the token that asks, is good no more."""
    tm_last_use: str
    tm_create: str
    tm_update: str


class AccessKeyGiven(Request):
    name: Name = ""
    detail: Detail = ""
    expire: Annotated[int, Meta(ge=86_400, le=315_360_000)] = 31_536_000
    """Seconds from now: a day to ten years."""
    customer_id: str = ""
    """Whose it is to be; for the operator."""


class AccessKeyChange(Request):
    name: Name | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    expire: Annotated[int, Meta(ge=86_400, le=315_360_000)] | UnsetType = UNSET


class AccessKey(Struct, kw_only=True):
    id: str
    customer_id: str
    name: str
    detail: str
    token_prefix: str
    token: str | UnsetType = UNSET
    """The key itself; only in the answer to the POST that made it."""
    tm_expire: str
    tm_last_use: str
    """To the minute."""
    tm_create: str
    tm_update: str
    tm_delete: str


class CustomerGiven(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    username: Username
    password: Password
    detail: Detail = ""
    email: Email = ""


class CustomerChangeByOperator(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    """For the customer's login; its tokens end."""
    trace: Tracing | UnsetType = UNSET
    smart_encoding: bool | UnsetType = UNSET


CLOCK_TIME = r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$(?!\n)"
ClockTime = Annotated[str, Meta(pattern=CLOCK_TIME)]
Replies = dict[
    NoticeKind, dict[Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)")], Annotated[str, Meta(max_length=320)]]
]
"""By what they answer and by language; `{brand}` and `{contact}` stand for the customer's name, and where help is."""


class QuietHours(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """When nobody is written to for marketing, by the clock of whoever is."""

    enabled: bool = True
    from_: ClockTime = ""
    """Empty, as `to`: as is usual in the country of the number."""
    to: ClockTime = ""


class CustomerChange(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    phone_number: Name | UnsetType = UNSET
    address: Name | UnsetType = UNSET
    webhook_uri: Annotated[str, Meta(max_length=2000)] | UnsetType = UNSET
    webhook_method: Literal["POST", "PUT", ""] | UnsetType = UNSET
    webhook_events: list[EventType] | UnsetType = UNSET
    webhook_statuses: list[Literal["queued", "sent", "delivered", "failed", "gw_timeout", "dlr_timeout"]] | UnsetType = UNSET  # fmt: skip # noqa: E501
    on_doubt: OnDoubt | UnsetType = UNSET
    trace: Tracing | UnsetType = UNSET
    smart_encoding: bool | UnsetType = UNSET
    """For messages that do not say."""
    opt_out_scope: OptOutScope | UnsetType = UNSET
    probable_opt_outs: ProbableOptOuts | UnsetType = UNSET
    opt_out_replies: Replies | UnsetType = UNSET
    """All of them: what is not among them is answered in our words."""
    require_consent: bool | UnsetType = UNSET
    quiet_hours: QuietHours | UnsetType = UNSET


class Customer(Struct, kw_only=True):
    id: str
    name: str
    detail: str
    email: str
    phone_number: str
    address: str
    webhook_method: str
    webhook_uri: str
    webhook_events: list[str]
    webhook_statuses: list[str]
    webhook_secret: str | UnsetType = UNSET
    """Only in the answer to its owner."""
    tm_webhook_secret_old: str
    """Until when the secret before this one signs as well."""
    webhook_status: WebhookStatus
    webhook_error: str
    """How the webhook failed last."""
    tm_webhook_failing: str
    """Since when the webhook fails."""
    tm_webhook_recovered: str
    """When it last worked again after it had failed."""
    webhook_disabled: str
    """Why nothing is sent to the webhook any more; empty while it works. A PUT of `webhook_uri` starts it again."""
    on_doubt: OnDoubt
    trace: Tracing
    smart_encoding: bool
    """Typographic characters of its messages that would cost more segments are replaced."""
    opt_out_scope: OptOutScope
    """What a STOP in answer to a number ends: all messages, those of the number's group, or those of the number."""
    probable_opt_outs: ProbableOptOuts
    """Whether a sentence that is probably an opt-out ends messages at once, or is only listed."""
    opt_out_replies: Replies
    require_consent: bool
    """What is of the class marketing goes only to those who have agreed."""
    quiet_hours: QuietHours
    accesskey: str | UnsetType = UNSET
    """Only in the answer to the POST that made the customer."""
    tm_create: str
    tm_update: str
    tm_delete: str


# --- webhooks ---------------------------------------------------------------------------


class Delivery(Struct, kw_only=True):
    """One event and how its delivery went."""

    id: str
    """The `webhook-id` of each attempt."""
    type: str
    message_id: str
    """Empty where the event is not about a message."""
    status: DeliveryStatus
    attempts: int
    response_status: int
    """Of the last attempt; 0 where there was no answer."""
    error: str
    """How the last attempt failed, in a word; empty where it did not."""
    tm_next_attempt: str
    tm_create: str
    tm_update: str


class Try(Struct, kw_only=True):
    attempt: int
    response_status: int
    error: str
    tm_create: str


class DeliveryInFull(Delivery, kw_only=True):
    body: str
    """What is sent, octet for octet."""
    tries: list[Try]


class ReplayGiven(Request):
    tm_create_from: str
    tm_create_to: str = ""
    """Without it, up to now."""
    type: EventType | Literal["", "webhook_test"] = ""
    status: DeliveryStatus = "failed"
    message_id: str = ""
    page_token: str = ""


class Replayed(Struct):
    replayed: int
    next_page_token: str
    """Empty when all have been looked at."""


class WebhookTest(Struct, kw_only=True):
    delivered: bool
    webhook_id: str
    response_status: int
    error: str
    milliseconds: int


class TrialData(Struct):
    id: str
    customer_id: str
    text: str
    tm_create: str


class TrialEvent(Struct):
    """The body of a webhook that was asked for as a test."""

    type: str
    data: TrialData


# --- numbers ----------------------------------------------------------------------------


SenderGroup = Annotated[str, Meta(pattern=r"^([A-Za-z0-9._-]{1,64})?$(?!\n)")]
IgnoredKeywords = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=100)]
CountryCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)")]
Registered = Annotated[list[CountryCode], Meta(max_length=300)]


class KeywordGiven(Request):
    """A word, or a pattern whose `*` stand for anything; and the flow that answers messages that are so."""

    flow_id: str
    word: Annotated[str, Meta(max_length=255)] = ""
    pattern: Annotated[str, Meta(max_length=255)] = ""


Keywords = Annotated[list[KeywordGiven], Meta(extra_json_schema={"maxItems": 100})]


class Keyword(Struct):
    flow_id: str
    word: str = ""
    pattern: str = ""


class NumberGiven(Request):
    number: str
    customer_id: str
    type: Literal["normal"] = "normal"
    name: Name = ""
    detail: Detail = ""
    call_flow_id: str = ""
    message_flow_id: str = ""
    """The flow that answers what comes to it."""
    sender_group: SenderGroup = ""
    ignored_keywords: IgnoredKeywords = []
    opt_out_replies: Replies = {}
    registered_in: Registered = []
    """Where a name is registered as a sender, or a short code is at home: ISO 3166-1."""
    keywords: Keywords = []
    """Other flows, for messages that are a word or like a pattern. The first that fits counts."""


class NumberFlows(Request):
    call_flow_id: str | UnsetType = UNSET
    message_flow_id: str | UnsetType = UNSET


class NumberChange(NumberFlows):
    name: Name | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    sender_group: SenderGroup | UnsetType = UNSET
    ignored_keywords: IgnoredKeywords | UnsetType = UNSET
    opt_out_replies: Replies | UnsetType = UNSET
    registered_in: Registered | UnsetType = UNSET
    """The operator's to say."""
    keywords: Keywords | UnsetType = UNSET


class Number(Struct, kw_only=True):
    id: str
    customer_id: str
    number: str
    type: Literal["normal"] = "normal"
    call_flow_id: str
    message_flow_id: str
    registered_in: list[str]
    """Where a name is registered as a sender, or a short code is at home: ISO 3166-1."""
    keywords: list[Keyword]
    name: str
    detail: str
    sender_group: str
    """Numbers with the same group share their opt-outs; empty: this one stands alone."""
    ignored_keywords: list[str]
    """Words that mean something else in answer to this number: CANCEL, say, or END."""
    opt_out_replies: Replies
    """Instead of the customer's."""
    status: Literal["active", "deleted"] = "active"
    t38_enabled: bool = False
    emergency_enabled: bool = False
    tm_purchase: str
    tm_renew: str
    tm_create: str
    tm_update: str
    tm_delete: str


# --- carriers and routes ----------------------------------------------------------------


class CarrierGiven(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    type: Literal["smpp"]
    config: dict[str, Any]
    disabled: bool = False
    trace: Tracing = "default"


class CarrierChange(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    trace: Tracing | UnsetType = UNSET


class Bind(Struct, kw_only=True):
    node: str
    """The process that has it: its machine and number."""
    role: Literal["transceiver", "transmitter", "receiver"]
    state: Literal["connecting", "bound", "down"]
    since: str
    in_flight: int
    sent: int
    refused: int
    received: int
    last_error: str


class Carrier(Struct, kw_only=True):
    id: str
    name: str
    type: Literal["smpp"]
    config: dict[str, Any]
    disabled: bool
    trace: Tracing
    status: Literal["connecting", "bound", "degraded", "down", "disabled"]
    last_error: str
    """Why a bind is not bound, and what is to be done; empty where all are."""
    warnings: list[str]
    """What works, and should not be left so."""
    binds: list[Bind]
    pace: float
    """PDUs per second that may leave now: `rate`, or less while the carrier throttles; 0 is no limit."""
    throttled: int
    """How often it said that this is too much, since it was opened."""
    throttled_until: str
    """When PDUs leave again; empty where they do."""
    unknown_destinations: int
    """Inbound messages to numbers of nobody's, since the carrier was opened."""
    receipt_id_learnt: str
    """What it makes of ids between response and receipt, as its receipts taught; empty while that is not known."""
    tm_create: str
    tm_update: str
    tm_delete: str


class UnmatchedReceipt(Struct, kw_only=True):
    """A receipt whose segment is not known: it came too early, or is of a message that is no longer there."""

    id: str
    carrier_message_id: str
    state: str
    """`delivered`, `intermediate`, or the `error_code` that it would have been."""
    words: str
    destination: str
    rule: str
    """What the carrier is taken to make of ids: its `receipt_id`, or what was learnt."""
    looked_for: list[str]
    """The ids that a response would have had, of which none is known."""
    is_given_up: bool
    """It is no longer looked for, and is kept for three days."""
    tm_create: str


class RouteGiven(Request):
    carrier_id: str
    name: Name = ""
    prefix: Annotated[str, Meta(pattern=r"^(\+?[0-9]{1,15})?$(?!\n)")] = ""
    priority: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    weight: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    customer_id: str = ""


class RouteChange(Request):
    carrier_id: str | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    prefix: Annotated[str, Meta(pattern=r"^(\+?[0-9]{1,15})?$(?!\n)")] | UnsetType = UNSET
    priority: Annotated[int, Meta(ge=0, le=1_000_000)] | UnsetType = UNSET
    weight: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    customer_id: str | UnsetType = UNSET


class Route(Struct, kw_only=True):
    id: str
    name: str
    prefix: str
    carrier_id: str
    priority: int
    weight: int
    customer_id: str
    tm_create: str
    tm_update: str
    tm_delete: str


class Choice(Struct, kw_only=True):
    """One route in the order in which it would be tried, and why it stands there."""

    route_id: str
    carrier_id: str
    carrier_name: str
    why: str


class Choices(Struct):
    destination: str
    result: list[Choice]
    passed_over: list[Choice]
    """Routes that match, and whose carrier takes nothing: it is disabled, or was removed."""


# --- flows ------------------------------------------------------------------------------

ActionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{0,64}\Z")]


class ActionGiven(Request):
    type: str
    id: ActionId = ""
    """By which other actions go on here; left out, it gets one."""
    next_id: ActionId = ""
    """Where it goes on; left out: at the next in the list."""
    option: dict[str, Any] = {}
    """Of its type: docs/actions.md."""
    tm_execute: str = ""
    """Passed over: flows that were read can be written back as they are."""


class FlowGiven(Request):
    actions: Annotated[list[ActionGiven], Meta(extra_json_schema={"minItems": 1, "maxItems": 100})]
    name: Name = ""
    detail: Detail = ""
    on_complete_flow_id: str = ""
    """The flow that follows when this one has come to its end."""


class FlowChange(Request):
    actions: Annotated[list[ActionGiven], Meta(extra_json_schema={"minItems": 1, "maxItems": 100})] | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    on_complete_flow_id: str | UnsetType = UNSET


class Action(Struct):
    id: ActionId
    next_id: ActionId
    type: str
    option: dict[str, Any]
    tm_execute: str
    """When it was done; in a flow, never."""


class Flow(Struct, kw_only=True):
    id: str
    customer_id: str
    type: Literal["flow"] = "flow"
    name: str
    detail: str
    actions: list[Action]
    on_complete_flow_id: str
    tm_create: str
    tm_update: str
    tm_delete: str


class ActiveflowGiven(Request):
    flow_id: str = ""
    """One of your flows; without one, `actions` are needed."""
    actions: list[ActionGiven] = []
    variables: dict[str, str] = {}
    """At most 100, and 64 KiB in all; names that begin with `voipbin.` are the program's."""
    on_complete_flow_id: str = ""
    webhook_uri: str = ""
    """Is told when it has ended."""
    webhook_method: Literal["", "POST", "GET", "PUT", "DELETE"] = ""


class ExecutedAction(Action):
    """An action that was done; its options are as they were then, with variables in their places."""

    result: str


class Activeflow(Struct, kw_only=True):
    id: str
    customer_id: str
    flow_id: str
    status: Literal["running", "ended"]
    reference_type: Literal["message", "api"]
    """What began it."""
    reference_id: str
    """The message that began it."""
    number: str
    """The number of yours, and the person, between whom it speaks; empty while there are none."""
    person: str
    current_action: Action
    executed_actions: list[ExecutedAction]
    """The last 100 of them."""
    executed_count: int
    forward_action_id: ActionId
    on_complete_flow_id: str
    variables: dict[str, str]
    end_reason: str
    """Why it has ended, in one word; empty while it runs."""
    end_detail: str
    """The same in words."""
    tm_wake: str
    """When it goes on by itself: after a sleep, or when a reply is waited for no longer."""
    tm_create: str
    tm_update: str
    tm_delete: str


class ActiveflowEvent(Struct):
    """What its `webhook_uri` is told."""

    type: str
    data: Activeflow


# --- conversations ----------------------------------------------------------------------


ConversationDirection = Literal["incoming", "outgoing"]
ConversationStatus = Literal["progressing", "done", "failed"]


class ConversationGiven(Request):
    self_: str | AddressGiven = field(name="self")
    """A number of yours."""
    peer: E164 | DestinationGiven


class ConversationChange(Request):
    owner_type: Name | UnsetType = UNSET
    owner_id: str | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET


class ConversationRead(Request):
    message_id: str = ""
    """The last one that was read; empty: all were."""


class ConversationMessageGiven(Request):
    text: NotEmpty = ""
    medias: list[MediaGiven] = []


class Conversation(Struct, kw_only=True):
    id: str
    """Always the same for the same two addresses."""
    customer_id: str
    owner_type: str
    """Who of yours looks after it, in words of your own."""
    owner_id: str
    account_id: str = ids.UNSET
    name: str
    detail: str
    type: Literal["message"] = "message"
    dialog_id: str = ids.UNSET
    self_: Address = field(name="self")
    """The number of yours."""
    peer: Address
    """Who is at the other end."""
    unread_count: int
    """Messages that came in since it was read."""
    tm_last_message: str
    tm_create: str
    tm_update: str
    """When you changed it last."""
    tm_delete: str


class ConversationMessage(Struct, kw_only=True):
    id: str
    """That of the message."""
    customer_id: str
    conversation_id: str
    direction: ConversationDirection
    status: ConversationStatus
    reference_type: Literal["message"] = "message"
    reference_id: str
    source: Address
    destination: Address
    text: str
    medias: list[dict[str, str]] = []
    tm_create: str
    tm_update: str
    tm_delete: str


# --- limits and senders -----------------------------------------------------------------


LimitScope = Literal["number", "customer", "carrier", "prefix"]
PerSecond = Annotated[float, Meta(ge=0, le=1_000_000)]
PerDay = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
Zone = Annotated[str, Meta(max_length=64, extra_json_schema={"examples": ["UTC", "America/Los_Angeles"]})]


class LimitGiven(Request):
    scope: LimitScope
    key: Annotated[str, Meta(min_length=1, max_length=64)]
    """The number; the id of the customer or of the carrier; or how destinations begin, such as +44."""
    when: Literal["sending", "accepting"] = "sending"
    """What is too much waits when it is sent, or is refused when it is given."""
    segments_per_second: PerSecond = 0
    """To the thousandth; 0 is no limit, and likewise per day. One of both is needed."""
    segments_per_day: PerDay = 0
    day_starts_in: Zone = "UTC"
    """The time zone at whose midnight the day begins."""


class LimitChange(Request):
    segments_per_second: PerSecond | UnsetType = UNSET
    segments_per_day: PerDay | UnsetType = UNSET
    day_starts_in: Zone | UnsetType = UNSET


class Limit(Struct, kw_only=True):
    id: str
    scope: LimitScope
    key: str
    customer_id: str
    """Whose messages are meant; empty for those of all."""
    when: Literal["sending", "accepting"]
    set_by: Literal["operator", "customer"]
    segments_per_second: float
    segments_per_day: int
    day_starts_in: str
    used_today: int
    """Segments since the day began."""
    tm_next_day: str
    """When the next day begins."""
    waiting: int | UnsetType = UNSET
    """Only where one limit is asked for: targets that wait for their turn and are of this limit, up to 10,000."""
    tm_create: str
    tm_update: str
    tm_delete: str


SenderClass = Literal["alphanumeric", "short_code", "long"]
Names = Literal["yes", "registered", "no"]
"""Whether names may be senders: any, those that are registered, or none."""


class SenderRuleGiven(Request):
    country: CountryCode
    alphanumeric: Names | Literal["default"]
    """Whether names may be senders there: any, those registered, none; or as the table says."""
    customer_id: str = ""
    """For whom this is so; empty: for all."""


class SenderRule(Struct, kw_only=True):
    """What a country asks of senders."""

    country: str
    name: str
    prefixes: list[str]
    """How its numbers begin."""
    alphanumeric: Names
    """Whether names may be senders there: any, those registered, none."""
    best: SenderClass
    """What of a pool is taken there before all else."""
    is_overruled: bool
    """The operator says so, and not the table."""


PoolName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$(?!\n)")]
PoolNumbers = Annotated[list[str], Meta(min_length=1, max_length=500)]


class SenderPoolGiven(Request):
    name: PoolName
    numbers: PoolNumbers
    """The ids of numbers of yours, of which one is chosen for each recipient."""
    sticky: bool = True
    """Who was written to by a number is written to by the same again, and by the one that he answered to."""
    prefer_country: bool = True
    """Numbers of the recipient's country come first, and of the kind that is best there."""


class SenderPoolChange(Request):
    name: PoolName | UnsetType = UNSET
    numbers: PoolNumbers | UnsetType = UNSET
    sticky: bool | UnsetType = UNSET
    prefer_country: bool | UnsetType = UNSET


class PoolNumber(Struct, kw_only=True):
    id: str
    number: str
    state: Literal["good", "limited", "failing"]
    """Numbers that are limited or failing are passed over while there are others."""


class SenderPool(Struct, kw_only=True):
    id: str
    customer_id: str
    name: str
    numbers: list[PoolNumber]
    sticky: bool
    prefer_country: bool
    tm_create: str
    tm_update: str
    tm_delete: str


# --- people -----------------------------------------------------------------------------

OptOutStatus = Literal["opted_out", "probable", "opted_in"]
OptOutSource = Literal["keyword", "probable", "api", "import", "carrier"]
Scope = Annotated[str, Meta(max_length=80)]
"""`customer`, `group:NAME` or `number:+15551234567`."""
Evidence = Annotated[str, Meta(max_length=2000)]


class OptOutGiven(Request):
    address: E164
    scope: Scope = "customer"
    words: Evidence = ""
    """What the person said, or why it is entered."""
    customer_id: str = ""
    """Whose; for the operator."""


class OptOut(Struct, kw_only=True):
    """How things stand with a person."""

    id: str
    customer_id: str
    address: str
    scope: str
    """What it is about: `customer` (all messages), `group:NAME` or `number:+15551234567`."""
    status: OptOutStatus
    """`probable`: a sentence that looks like an opt-out; whether it counts is the customer's `probable_opt_outs`."""
    source: OptOutSource
    """Of what was said last."""
    tm_said: str
    """When that was."""
    tm_create: str
    tm_update: str


class OptOutEvent(Struct, kw_only=True):
    """What was said of it once. It stays as it is."""

    id: str
    status: OptOutStatus
    source: OptOutSource
    message_id: str
    """The message that said it; empty where none did."""
    words: str
    actor: str
    """Who entered it: the id of an access key's or login's customer; empty where a person wrote it."""
    tm_said: str
    tm_create: str


class OptOutTold(Struct, kw_only=True):
    """The `data` of a webhook about an opt-out: what somebody has said."""

    id: str
    customer_id: str
    address: str
    scope: str
    status: OptOutStatus
    source: OptOutSource
    message_id: str
    words: str
    tm_said: str


class OptOutNews(Struct):
    """The body of that webhook."""

    type: EventType
    data: OptOutTold


class OptOutInFull(OptOut, kw_only=True):
    history: list[OptOutEvent]
    """The newest first, a hundred at most."""


class RefusedLine(Struct):
    line: int
    """From 1, the header counted."""
    message: str


class Imported(Struct, kw_only=True):
    lines: int
    """Without the header and empty ones."""
    opted_out: int
    """Who is newly out."""
    unchanged: int
    """Who was out already, or has come back since."""
    refused: int
    errors: list[RefusedLine]
    """The first hundred of what was refused; all else was imported."""


class ConsentGiven(Request):
    address: E164
    method: Annotated[str, Meta(min_length=1, max_length=64)]
    """How: web_form, keyword, paper, call, …"""
    scope: Scope = "customer"
    words: Evidence = ""
    """What was agreed to, as the person read it."""
    evidence: Evidence = ""
    """Where that can be seen: a URL, the number of a form."""
    ip: Annotated[str, Meta(max_length=45)] = ""
    tm_given: str = ""
    """Empty: now."""
    customer_id: str = ""
    """Whose; for the operator."""


class WithdrawalGiven(Request):
    words: Evidence = ""


class Consent(Struct, kw_only=True):
    id: str
    customer_id: str
    address: str
    scope: str
    method: str
    words: str
    evidence: str
    ip: str
    actor: str
    """The customer that entered it."""
    tm_given: str
    tm_withdraw: str
    """When it was withdrawn; the year 9999 is never."""
    withdrawn_by: str
    withdrawn_words: str
    tm_create: str


class ContactGiven(Request):
    address: E164
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)]
    """A name of the IANA database, such as America/Chicago."""
    customer_id: str = ""
    """Whose; for the operator."""


class Contact(Struct, kw_only=True):
    """What you know of a person besides the number."""

    id: str
    customer_id: str
    address: str
    time_zone: str
    tm_create: str
    tm_update: str


# --- the rest ---------------------------------------------------------------------------


class ErrorBody(Struct, kw_only=True):
    status: str
    reason: str
    message: str
    request_id: str
    details: list[dict[str, Any]] = []


class Error(Struct):
    error: ErrorBody


class Health(Struct):
    status: Literal["ok"]


# --- what is wrong with a shape ---------------------------------------------------------

_ERROR = re.compile(r"(?P<what>.*?)(?: - at `(?:key` in `)?\$(?P<path>.*)`)?", re.DOTALL)
_MEMBER = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_PATTERNS = {
    f"expected `str` matching regex {USERNAME!r}": "use letters from A to Z, digits, and . _ % + @ -",
    f"expected `str` matching regex {CLOCK_TIME!r}": "write a time of day such as 21:00, or nothing",
    f"expected `str` matching regex {EMAIL!r}": "write an address such as somebody@example.com, or nothing",
}
_MEMBER_WORDS = {"missing required": "it is required", "contains unknown": "there is no such member"}


def words(error: str, root: str = "") -> str:
    """The decoder's words for a wrong shape, with the member in front: `destinations[0].target: expected …`."""
    match = _ERROR.fullmatch(error)
    assert match
    what, path = match["what"], (match["path"] or "").replace("[...]", "[]")
    if member := _MEMBER.fullmatch(what):
        path, what = f"{path}.{member['name']}", _MEMBER_WORDS[member["what"]]
    place = f"{root}{path}".removeprefix(".")
    what = f"{what[:1].lower()}{what[1:]}"
    return f"{place or 'the body'}: {_PATTERNS.get(what, what)}"


def check_nul(body: bytes, value: Any) -> None:
    """Refusal for a string with a NUL in what was read of a body, since stores cannot keep it."""
    if b"\\u0000" in body:
        for path in _with_nul(to_builtins(value)):
            why = "it holds a NUL character, which cannot be kept"
            raise Refusal("INVALID_ARGUMENT", f"{path.removeprefix('.')}: {why}")


def _with_nul(value: Any, path: str = "") -> Iterator[str]:
    """The places of the strings with a NUL, keys included."""
    if isinstance(value, str) and "\0" in value:
        yield path
    elif isinstance(value, list):
        for n, item in enumerate(value):
            yield from _with_nul(item, f"{path}[{n}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _with_nul(key, path)
            yield from _with_nul(item, f"{path}.{key}")
