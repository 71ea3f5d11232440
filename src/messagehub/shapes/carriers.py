"""Carriers and routes."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from messagehub.shapes.members import Name, Request, Tracing

CarrierType = Literal[
    "smpp",
    "http",
    "mm7",
    "bandwidth",
    "telnyx",
    "twilio",
]


class CarrierGiven(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    type: CarrierType
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
    role: Literal["transceiver", "transmitter", "receiver", "client"]
    """Of SMPP; and `client` of a carrier that is sent requests over HTTP."""
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
    type: CarrierType
    config: dict[str, Any]
    callback_url: str
    """Where a carrier that speaks HTTP makes its requests of us; empty for one that makes none."""
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
