"""What members of several shapes are."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

MessageStatus = Literal["sending", "sent", "delivered", "partially_delivered", "failed", "received"]
TargetStatus = Literal["queued", "sent", "delivered", "failed", "gw_timeout", "dlr_timeout", "received"]
Direction = Literal["outbound", "inbound"]
OnDoubt = Literal["resend", "hold"]
Priority = Literal["high", "normal"]
MessageKind = Literal["sms", "mms"]
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
Thousand = Meta(extra_json_schema={"minItems": 1, "maxItems": 1000, "uniqueItems": True})


class Request(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is common to all bodies that callers send."""
