"""Conversations and what was said in them."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from messagehub import ids
from messagehub.shapes.addresses import Address, AddressGiven, DestinationGiven
from messagehub.shapes.members import E164, Detail, Name, Request
from messagehub.shapes.messages import Fallback, Media, MediasGiven, SubjectGiven

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
    text: str = ""
    """May be empty where there are medias."""
    medias: MediasGiven = []
    subject: SubjectGiven = ""
    fallback: Fallback = ""


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
    subject: str | UnsetType = UNSET
    """Only of an MMS that has one."""
    medias: list[Media] = []
    """Only of an MMS: in their order."""
    tm_create: str
    tm_update: str
    tm_delete: str
