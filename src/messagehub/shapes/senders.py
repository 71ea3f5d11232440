"""Limits, rules for senders, pools of numbers."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from messagehub.shapes.members import Request
from messagehub.shapes.numbers import CountryCode

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
