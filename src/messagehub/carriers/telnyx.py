"""Telnyx: the requests and answers of its messaging API, version 2, and the webhooks that it sends.

Sources, of developers.telnyx.com: api-reference (send a message; the callbacks deliveryUpdate and inboundMessage),
docs/messaging/messages/error-codes and development/api-fundamentals/api-errors (codes), docs/messaging/messages/
receiving-webhooks (signatures, retries), docs/development/api-fundamentals/idempotency; and the webhook_verification
of telnyx-python for the tolerance of times.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec

from messagehub.carriers.aggregators import (
    AggregatorConfig,
    Code,
    Codes,
    Secret,
    acknowledged,
    by_status,
    failure,
    fingerprint,
    forged,
    is_below,
    number_of,
    object_of,
    objects,
    place,
    refusal,
    text_of,
    unreadable,
    words_of,
)
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import Arriving, Handover, Inbound, Receipt
from messagehub.carriers.config import doc
from messagehub.carriers.dialect import Declined, Heard, Ready, Request, Taken
from messagehub.clock import SECOND
from messagehub.web import Answer

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_MEDIA = 10
TOLERANCE = 300 * SECOND
"""How far the time of a webhook's signature may be from ours."""

DOMAINS = ("telnyx.com", "telnyxcloudstorage.com", "amazonaws.com")
"""Where media are that came in; their addresses are signed, so nothing is said of who we are."""


class TelnyxConfig(AggregatorConfig, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Telnyx: its messaging API, version 2, and its webhooks."""

    secrets: ClassVar = AggregatorConfig.secrets | {"api_key"}

    api_key: Annotated[Secret, doc("an API key of version 2, such as `KEY…`; never shown", min_length=1)]
    public_key: Annotated[
        str, doc("the account's public key, base64, by which its webhooks are verified", min_length=1, max_length=64)
    ]
    messaging_profile_id: Annotated[
        str, doc("the messaging profile, needed for names as senders", pattern=r"^[0-9a-fA-F-]{0,36}\Z")
    ] = ""
    base_url: Annotated[str, doc("where the API is", max_length=500)] = "https://api.telnyx.com/v2"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.verifier()

    def verifier(self) -> "Ed25519PublicKey":
        """ValueError where the key is none."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # 5 MB, for this carrier alone

        try:
            return Ed25519PublicKey.from_public_bytes(b64decode(self.public_key, validate=True))
        except ValueError:
            raise ValueError("public_key: 32 octets as base64, as the portal shows them") from None


# --- what its codes mean ----------------------------------------------------------------

CODES: Codes = {
    10001: Code("Inactive phone number", "invalid_source"),
    10002: Code("Invalid phone number", "invalid_number"),
    10003: Code("Invalid URL", "misconfigured"),
    10004: Code("Missing required parameter", "misconfigured"),
    10005: Code("Resource not found", "misconfigured"),
    10006: Code("Invalid ID", "misconfigured"),
    10007: Code("Unexpected error", "unwell"),
    10008: Code("Request timeout", "unwell"),
    10009: Code("Authentication failed", "bad_credentials"),
    10010: Code("Authorization failed", "refused_here"),
    10011: Code("Too many requests", "throttled"),
    10015: Code("Bad request", "rejected"),
    10016: Code("Phone number must be in +E.164 format", "invalid_number"),
    20002: Code("API key revoked", "bad_credentials"),
    20006: Code("Expired access token", "bad_credentials"),
    20012: Code("Account inactive", "bad_credentials"),
    20013: Code("Account blocked", "bad_credentials"),
    20014: Code("Account unverified", "bad_credentials"),
    20015: Code("Feature not enabled", "refused_here"),
    20016: Code("Account not level 1 verified", "refused_here"),
    20017: Code("Account not level 2 verified", "refused_here"),
    20100: Code("Insufficient funds", "bad_credentials"),
    40001: Code("Not routable: a landline, or a wireless number that takes none", "rejected", "not_supported"),
    40002: Code("Blocked as spam, temporary", "rejected", "blocked"),
    40003: Code("Blocked as spam, permanent", "rejected", "blocked"),
    40004: Code("Rejected by destination", "rejected", "carrier_rejected"),
    40005: Code("Message expired during transmission", "rejected", "expired"),
    40006: Code("Recipient server unavailable", "rejected", "network_error"),
    40008: Code("Undeliverable", "rejected", "undelivered"),
    40009: Code("Invalid message body", "rejected", "carrier_rejected"),
    40010: Code("Unregistered 10DLC message", "rejected", "invalid_source"),
    40011: Code("Too many requests: the upstream rate limit", "rejected", "carrier_busy"),
    40012: Code("Invalid messaging destination number", "rejected", "invalid_number"),
    40013: Code("Invalid messaging source number", "rejected", "invalid_source"),
    40014: Code("Message expired in queue", "rejected", "expired"),
    40015: Code("Blocked as spam, internal", "rejected", "blocked"),
    40016: Code("T-Mobile 10DLC sending limit reached", "rejected", "carrier_busy"),
    40017: Code("AT&T 10DLC spam message rejected", "rejected", "blocked"),
    40018: Code("AT&T 10DLC sending limit reached", "rejected", "carrier_busy"),
    40100: Code("Number not messaging enabled", "invalid_source"),
    40150: Code("Toll-free number not in the registry", "invalid_source"),
    40151: Code("Messaging enablement pending with another provider", "invalid_source"),
    40300: Code("Blocked due to STOP message", "rejected", "opted_out"),
    40301: Code("Unsupported message type for the 'to' address", "refused_here", "not_supported"),
    40302: Code("Message too large", "media_too_large"),
    40304: Code("Invalid combination of message content", "rejected"),
    40305: Code("Invalid 'from' address", "invalid_source"),
    40306: Code("Alpha sender not configured", "invalid_source"),
    40308: Code("Invalid 'from' address for MMS", "invalid_source"),
    40309: Code("Invalid destination region: not on the profile's list", "refused_here"),
    40310: Code("Invalid 'to' address", "invalid_number"),
    40311: Code("Invalid messaging profile secret", "misconfigured"),
    40312: Code("Messaging profile is disabled", "refused_here"),
    40313: Code("Missing messaging profile secret", "misconfigured"),
    40314: Code("Messaging disabled on account", "bad_credentials"),
    40315: Code("Unhealthy 'from' address", "invalid_source"),
    40316: Code("No content provided", "rejected"),
    40317: Code("Invalid MMS content", "media_refused"),
    40318: Code("Message queue full", "throttled"),
    40319: Code("Incompatible message type for the 'to' address", "refused_here", "not_supported"),
    40320: Code("Temporarily unusable 'from' address", "invalid_source"),
    40321: Code("No usable numbers on messaging profile", "misconfigured"),
    40322: Code("Blocked due to content", "rejected", "blocked"),
    40328: Code("SMS exceeds recommended size", "too_long"),
    40329: Code("Toll-free number not yet verified", "invalid_source"),
}

STATES: Mapping[str, str] = {  # a status of a recipient, in the words of a Receipt; failures where `errors` say nothing
    "sent": "intermediate",
    "delivered": "delivered",
    "read": "delivered",
    "expired": "expired",
    "sending_failed": "carrier_rejected",
    "delivery_failed": "undelivered",
    "delivery_unconfirmed": "intermediate",  # no receipt will come: it ends as `dlr_timeout`, which says just that
}
NOTHING_NEW = frozenset({"queued", "sending"})
"""Statuses that say no more than the answer to the request did: nothing is written for them."""

EVENTS = frozenset({"message.sent", "message.finalized", "message.read"})
TYPES = frozenset({"SMS", "MMS"})

SMIL = "application/smil"
"""How the handset would show the others."""

THANKS = Reply(200)


class Telnyx:
    media: Literal["none", "octets", "urls"] = "urls"
    is_base64 = False

    def __init__(self, config: TelnyxConfig, callback_url: str) -> None:
        self._config, self._callback_url, self._verifier = config, callback_url, config.verifier()
        self._url = f"{config.base_url.rstrip('/')}/messages"
        self._origin, _ = place(config.base_url)
        self._headers = {
            "authorization": f"Bearer {config.api_key}",
            "content-type": "application/json",
            "accept": "application/json",
        }

    # --- out

    def request(self, handover: Handover, media: Sequence[Ready], now: int) -> Request:
        if len(media) > MAX_MEDIA:
            raise ValueError(f"Telnyx takes {MAX_MEDIA} media at most")
        content = {
            "type": "MMS" if media else "SMS",  # an MMS without media is none to Telnyx
            "subject": handover.subject if media else "",
            "text": handover.text if media else words_of(handover),
            "media_urls": [medium.url for medium in media],
            "messaging_profile_id": self._config.messaging_profile_id,
            "webhook_url": self._callback_url,
        }
        given = {name: value for name, value in content.items() if value}
        to = {"from": handover.source, "to": handover.destination, "use_profile_webhooks": not self._callback_url}
        body = msgspec.json.encode(to | given)
        return Request("POST", self._url, {**self._headers, "idempotency-key": _key(handover, body)}, body)

    def answered(self, handover: Handover, answer: Answer) -> Taken | Declined:
        said = object_of(answer.body)
        if answer.status // 100 == 2:
            data = said.get("data")
            data = data if isinstance(data, dict) else {}
            name, parts = text_of(data.get("id")), number_of(data.get("parts"))
            return Taken(name, parts if handover.media is None else 0) if name else by_status(answer)
        return refusal(CODES, answer, *_first(said.get("errors")), self._config.errors)

    def authorize(self, request: Request, answer: Answer) -> Request | None:
        return None

    # --- in

    def hear(self, callback: Callback, now: int) -> Heard:
        self._verify(callback, now)
        event = object_of(callback.body).get("data")
        payload = event.get("payload") if isinstance(event, dict) else None
        if not isinstance(event, dict) or not isinstance(payload, dict):
            raise unreadable("no event of Telnyx's")
        kind, is_ours = event.get("event_type"), payload.get("type", "SMS") in TYPES
        if kind == "message.received" and is_ours:
            return Heard([_message(payload)], acknowledged(THANKS))
        if kind in EVENTS and is_ours:
            return Heard(self._receipts(payload), acknowledged(THANKS))
        return Heard([], acknowledged(THANKS))

    def _verify(self, callback: Callback, now: int) -> None:
        from cryptography.exceptions import InvalidSignature

        time = callback.headers.get("telnyx-timestamp", "")
        if not (time.isascii() and time.isdecimal() and len(time) < 12):
            raise forged("telnyx-timestamp is missing: it is not from Telnyx")
        try:
            signature = b64decode(callback.headers.get("telnyx-signature-ed25519", ""))
            self._verifier.verify(signature, f"{time}|".encode() + callback.body)
        except (ValueError, InvalidSignature):
            raise forged("telnyx-signature-ed25519 does not fit: not from Telnyx, or public_key is wrong") from None
        if abs(now - int(time) * SECOND) > TOLERANCE:
            raise forged("telnyx-timestamp is not of now: told again by somebody else, or a clock is wrong")

    def _receipts(self, payload: Mapping[str, Any]) -> list[Receipt]:
        name = text_of(payload.get("id"))
        recipients = objects(payload.get("to"))
        if not name or not recipients:
            raise unreadable("a status without an id or a recipient")
        status = text_of(recipients[0].get("status"))
        if status in NOTHING_NEW:
            return []
        if status not in STATES:
            raise unreadable(f"a status that is not known: {status[:40]}")
        state, (number, words) = STATES[status], _first(payload.get("errors"))
        if number and state not in ("delivered", "intermediate"):
            state = failure(CODES, number, self._config.errors) or state
        told = " ".join(filter(None, (status, str(number or ""), words)))
        return [Receipt(name, state, told, text_of(recipients[0].get("phone_number")))]

    def fetch(self, url: str) -> Request:
        where, _ = place(url)
        if where == self._origin:
            return Request("GET", url, {"authorization": self._headers["authorization"]})
        is_theirs = where.scheme == "https" and is_below(where.host, DOMAINS)
        if is_theirs or where.host in self._config.media_hosts:
            return Request("GET", url)
        raise ValueError(f"{where.host} keeps no media of Telnyx's")


def _key(handover: Handover, body: bytes) -> str:
    """By which Telnyx knows a request that it has answered before: what was in doubt is not sent twice.

    The body is in it, since the same key with another body is refused, and addresses of media are signed anew.
    """
    message_id, n = handover.key
    return f"{message_id}:{n}:{handover.retry}:{fingerprint(body.decode()).hex()}"


def _message(payload: Mapping[str, Any]) -> Inbound:
    sender, recipients = payload.get("from"), objects(payload.get("to"))
    # Of a group all members are named: ours is the one that a webhook is for.
    ours = [each for each in recipients if each.get("status") == "webhook_delivered"] or recipients
    name, source = text_of(payload.get("id")), text_of(sender.get("phone_number")) if isinstance(sender, dict) else ""
    destination = text_of(ours[0].get("phone_number")) if ours else ""
    if not (name and source and destination):
        raise unreadable("a message without an id, a sender or a recipient")
    return Inbound(
        source=source,
        destination=destination,
        text=text_of(payload.get("text")),
        octets=None,
        fingerprint=fingerprint("telnyx", name, destination),
        subject=text_of(payload.get("subject")),
        media=_media(payload) if payload.get("type") == "MMS" else None,
    )


def _media(payload: Mapping[str, Any]) -> list[Arriving]:
    named = [(text_of(each.get("content_type")), text_of(each.get("url"))) for each in objects(payload.get("media"))]
    return [Arriving(kind, url=url) for kind, url in named[:MAX_MEDIA] if url and kind != SMIL]


def _first(errors: Any) -> tuple[int, str]:
    """The code and the words of the first error; 0 where there is none."""
    for error in objects(errors)[:1]:
        return number_of(error.get("code")), text_of(error.get("detail")) or text_of(error.get("title"))
    return 0, ""
