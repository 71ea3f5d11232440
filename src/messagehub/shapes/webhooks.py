"""What was told to webhooks."""

from typing import Literal

from msgspec import Struct

from messagehub.shapes.members import DeliveryStatus, EventType, Request


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
