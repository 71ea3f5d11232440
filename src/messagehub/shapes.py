"""The JSON of the API, once: what a request may hold and what an answer holds. Times and ids are strings here.

Requests forbid unknown members; answers always carry every member. The schemas of openapi.json come from here.
"""

import re
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

MessageStatus = Literal["sending", "sent", "delivered", "partially_delivered", "failed", "received"]
TargetStatus = Literal["queued", "sent", "delivered", "failed", "gw_timeout", "dlr_timeout", "received"]
Direction = Literal["outbound", "inbound"]
OnDoubt = Literal["resend", "hold"]
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


class DestinationGiven(AddressGiven):
    target: E164


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


class MessageGiven(Request):
    source: str | AddressGiven
    """A number of yours."""
    destinations: Annotated[list[E164 | DestinationGiven], Thousand]
    """None twice."""
    text: NotEmpty = ""
    medias: list[MediaGiven] = []
    subject: str = ""
    on_doubt: OnDoubt | Literal[""] = ""
    """What to do when it is not known whether the carrier has it; empty: as the customer says."""


class TextGiven(Request):
    text: str


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


class Forcing(Struct):
    character: str
    replacement: str | None
    """What could stand in its place to stay in GSM-7; null where nothing could."""


class Segments(Struct):
    encoding: Literal["GSM-7", "UCS-2"]
    parts: int
    """How many segments the text needs."""
    units: int
    """Septets of GSM-7, or 16-bit units of UCS-2."""
    units_per_part: int
    segments: list[str]
    forced_by: list[Forcing]
    """The characters for which UCS-2 is needed."""


# --- accounts ---------------------------------------------------------------------------


class CustomerGiven(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    username: Annotated[str, Meta(min_length=1, max_length=255)]
    password: Annotated[str, Meta(min_length=8, max_length=1024)]
    detail: Detail = ""
    email: Name = ""


class CustomerChange(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    email: Name | UnsetType = UNSET
    phone_number: Name | UnsetType = UNSET
    address: Name | UnsetType = UNSET
    webhook_uri: Annotated[str, Meta(max_length=2000)] | UnsetType = UNSET
    webhook_method: Literal["POST", "PUT", ""] | UnsetType = UNSET
    webhook_events: list[Literal["message_received", "message_updated", "message_created", "message_deleted"]] | UnsetType = UNSET  # fmt: skip # noqa: E501
    webhook_statuses: list[Literal["queued", "sent", "delivered", "failed", "gw_timeout", "dlr_timeout"]] | UnsetType = UNSET  # fmt: skip # noqa: E501
    on_doubt: OnDoubt | UnsetType = UNSET


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
    webhook_disabled: str
    """Why nothing is sent to the webhook any more; empty while it works. A PUT of `webhook_uri` starts it again."""
    on_doubt: OnDoubt
    accesskey: str | UnsetType = UNSET
    """Only in the answer to the POST that made the customer."""
    tm_create: str
    tm_update: str
    tm_delete: str


# --- numbers ----------------------------------------------------------------------------


class NumberGiven(Request):
    number: str
    customer_id: str
    name: Name = ""
    detail: Detail = ""
    message_flow_id: str = ""


class NumberChange(Request):
    name: Name | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET


class Number(Struct, kw_only=True):
    id: str
    customer_id: str
    number: str
    type: Literal["normal"] = "normal"
    call_flow_id: str
    message_flow_id: str
    name: str
    detail: str
    status: Literal["active"] = "active"
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


class CarrierChange(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    config: dict[str, Any] | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


class Bind(Struct, kw_only=True):
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
    status: Literal["connecting", "bound", "degraded", "down", "disabled"]
    binds: list[Bind]
    unknown_destinations: int
    """Inbound messages to numbers of nobody's, since the carrier was opened."""
    tm_create: str
    tm_update: str
    tm_delete: str


class RouteGiven(Request):
    carrier_id: str
    name: Name = ""
    prefix: Annotated[str, Meta(pattern=r"^(\+?[0-9]{1,15})?$")] = ""
    priority: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    weight: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    customer_id: str = ""


class RouteChange(Request):
    carrier_id: str | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    prefix: Annotated[str, Meta(pattern=r"^(\+?[0-9]{1,15})?$")] | UnsetType = UNSET
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

_ERROR = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?", re.DOTALL)
_MEMBER = re.compile(r"Object (?P<what>missing required|contains unknown) field `(?P<name>.*)`", re.DOTALL)
_MEMBER_WORDS = {"missing required": "it is required", "contains unknown": "there is no such member"}


def words(error: str, root: str = "") -> str:
    """The decoder's words for a wrong shape, with the member in front: `destinations[0].target: expected …`."""
    match = _ERROR.fullmatch(error)
    assert match
    what, path = match["what"], (match["path"] or "").replace("[...]", "[]")
    if member := _MEMBER.fullmatch(what):
        path, what = f"{path}.{member['name']}", _MEMBER_WORDS[member["what"]]
    place = f"{root}{path}".removeprefix(".")
    return f"{place or 'the body'}: {what[:1].lower()}{what[1:]}"
