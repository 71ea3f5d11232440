"""Numbers of ours."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from messagehub.shapes.accounts import Replies
from messagehub.shapes.members import Detail, Name, Request

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
