"""Bandwidth: the requests and answers of its messaging API, version 2, and its callbacks.

Sources, of dev.bandwidth.com: docs/messaging/createMessage (requests, answers), docs/messaging/errors (statuses and
codes), docs/messaging/webhooks (what it calls us with), apis/messaging (`expiration`, which is for texts alone).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from messagehub.carriers.aggregators import (
    AggregatorConfig,
    Code,
    Codes,
    Secret,
    acknowledged,
    by_status,
    declined,
    failure,
    fingerprint,
    number_of,
    object_of,
    objects,
    place,
    text_of,
    unreadable,
    words_of,
)
from messagehub.carriers.answers import json_of
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import Arriving, Handover, Inbound, Receipt
from messagehub.carriers.config import doc
from messagehub.carriers.credentials import basic, is_basic
from messagehub.carriers.dialect import Declined, Heard, Ready, Request, Taken, Unheard
from messagehub.clock import NEVER, SECOND
from messagehub.web import Answer

MAX_MEDIA = 10

UserName = Annotated[str, Meta(max_length=200, pattern=r"^[\x21-\x39\x3b-\x7e]*\Z")]
"""Whom Basic can name: without a colon (RFC 7617, section 2)."""


class BandwidthConfig(AggregatorConfig, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Bandwidth: its messaging API, version 2, and its callbacks."""

    secrets: ClassVar = AggregatorConfig.secrets | {"callback_password"}

    account_id: Annotated[str, doc("the account's number", pattern=r"^[0-9A-Za-z-]{1,64}\Z")]
    username: Annotated[UserName, doc("of the API's credentials", min_length=1)]
    password: Annotated[Secret, doc("of the API's credentials; never shown", min_length=1)]
    application_id: Annotated[
        str, doc("the messaging application that the numbers belong to", pattern=r"^[0-9A-Za-z-]{1,64}\Z")
    ]
    callback_username: Annotated[UserName, doc("as the application has it for its callbacks", min_length=1)]
    callback_password: Annotated[Secret, doc("likewise; never shown", min_length=1)]
    base_url: Annotated[str, doc("where the API is", max_length=500)] = "https://messaging.bandwidth.com/api/v2"


# --- what its codes mean ----------------------------------------------------------------

CODES: Codes = {
    4001: Code("Service not allowed", "rejected"),
    4301: Code("Malformed message encoding", "rejected"),
    4302: Code("Malformed From number", "invalid_source"),
    4303: Code("Malformed To number", "invalid_number"),
    4350: Code("Malformed for the destination, which is likely no number", "invalid_number"),
    4360: Code("Message expired", "too_late"),
    4401: Code("Unable to route the message", "refused_here"),
    4403: Code("Messaging forbidden on From number", "invalid_source"),
    4404: Code("Messaging forbidden on To number", "rejected", "not_supported"),
    4405: Code("Unallocated From number", "invalid_source"),
    4406: Code("Unallocated To number", "invalid_number"),
    4407: Code("From number not associated with account", "invalid_source"),
    4408: Code("To number not associated with account", "invalid_number"),
    4409: Code("Invalid destination profile: mostly, it takes no MMS", "rejected", "not_supported"),
    4410: Code("Could not download media", "rejected"),
    4411: Code("Combined size of media too large", "rejected"),
    4412: Code("Failed to parse Content-Type for media", "rejected"),
    4420: Code("No route to destination carrier", "refused_here"),
    4421: Code("No permission for this destination", "refused_here"),
    4431: Code("Messaging on short code forbidden", "invalid_source"),
    4432: Code("Messaging to country forbidden", "refused_here"),
    4433: Code("Messaging on toll-free number forbidden", "invalid_source"),
    4434: Code("Messaging to toll-free number forbidden", "rejected", "not_supported"),
    4451: Code("Invalid user id", "misconfigured"),
    4452: Code("Invalid application id", "misconfigured"),
    4470: Code("Rejected as spam", "rejected", "blocked"),
    4481: Code("From number in black list", "invalid_source"),
    4482: Code("To number in black list", "rejected", "barred"),
    4492: Code("Message to emergency number forbidden", "rejected"),
    4493: Code("Unauthorized", "misconfigured"),
    4700: Code("Carrier rejected as invalid service type", "rejected", "not_supported"),
    4701: Code("Destination is not reachable, or has no SMS", "rejected", "unreachable"),
    4702: Code("Destination subscriber is unavailable", "rejected", "unreachable"),
    4711: Code("Media size too large for the carrier", "rejected"),
    4712: Code("Media content type not supported by the carrier", "rejected"),
    4720: Code("Carrier rejected as invalid destination address", "invalid_number"),
    4721: Code("Number on deactivation list", "invalid_number"),
    4730: Code("No route to destination carrier, or no roaming route", "rejected", "unreachable"),
    4740: Code("Carrier rejected as invalid source address", "invalid_source"),
    4750: Code("Carrier rejected message", "rejected"),
    4751: Code("Message length is invalid for the carrier", "rejected"),
    4752: Code("Message is malformed for the carrier", "rejected"),
    4770: Code("Carrier rejected as spam", "rejected", "blocked"),
    4771: Code("Rejected due to shortened URL", "rejected", "blocked"),
    4772: Code("Blocked sender or receiver", "rejected", "barred"),
    4773: Code("Campaign inactive for destination", "invalid_source"),
    4774: Code("Number not provisioned in industry database", "invalid_source"),
    4775: Code("Carrier rejected due to user opt out", "rejected", "opted_out"),
    4780: Code("T-Mobile rejected due to volumetric violation", "throttled"),
    4781: Code("AT&T rejected due to volumetric violation", "throttled"),
    4785: Code("Carrier rejected due to volumetric violation", "throttled"),
    4790: Code("Carrier rejected due to short code restriction", "rejected", "barred"),
    4791: Code("Carrier rejected: short code campaign not allowed", "invalid_source"),
    4792: Code("Carrier rejected: short code not provisioned", "invalid_source"),
    4793: Code("Carrier rejected: short code expired", "invalid_source"),
    4795: Code("Toll-free number is not verified", "invalid_source"),
    5100: Code("Application error", "unwell"),
    5101: Code("Application going down", "unwell"),
    5106: Code("Impossible to route, or retries have failed", "rejected", "undelivered"),
    5111: Code("Connection closed", "unwell"),
    5201: Code("Retries exceeded", "rejected", "undelivered"),
    5211: Code("Application busy", "unwell"),
    5220: Code("Cannot save message", "unwell"),
    5231: Code("Not all parts of the message came", "unwell"),
    5500: Code("General message send failure", "rejected", "network_error"),
    5501: Code("No destination is available", "rejected", "network_error"),
    5600: Code("Carrier service unavailable", "rejected", "network_error"),
    5610: Code("Carrier service failure", "rejected", "network_error"),
    5620: Code("Carrier application error", "rejected", "network_error"),
    5630: Code("No acknowledgement from the carrier", "rejected", "network_error"),
    5650: Code("Carrier reports a failure to send", "rejected", "undelivered"),
    5999: Code("Unknown error of Bandwidth", "rejected", "undelivered"),
    9999: Code("Unknown error of the carrier", "rejected", "undelivered"),
}
NO_RECEIPT = 9902
"""Bandwidth had no receipt in time: it ends as `dlr_timeout`, which says just that."""

FIELDS: Mapping[str, str] = {  # why, by the member of our request that it names first
    "to": "invalid_number",
    "from": "invalid_source",
    "media": "media_refused",
    "applicationId": "misconfigured",
}
KINDS: Mapping[str, str] = {  # of errors that no member is named with
    "forbidden": "bad_credentials",
    "unsupported-content-type": "misconfigured",
}

STATES: Mapping[str, str] = {  # a type of callback, in the words of a Receipt; failures where `errorCode` says nothing
    "message-delivered": "delivered",
    "message-read": "delivered",
    "message-failed": "undelivered",
}
RECEIVED = "message-received"

THANKS = Reply(200)
WHO = {"content-type": "text/plain", "www-authenticate": 'Basic realm="messagehub", charset="UTF-8"'}
UNKNOWN = Reply(401, b"not the name and password of this carrier's callbacks\n", WHO)


class Bandwidth:
    media: Literal["none", "octets", "urls"] = "urls"
    is_base64 = False

    def __init__(self, config: BandwidthConfig, callback_url: str) -> None:
        self._config = config
        self._url = f"{config.base_url.rstrip('/')}/users/{config.account_id}/messages"
        self._origin, _ = place(config.base_url)
        self._who = {"authorization": basic(config.username, config.password)}

    # --- out

    def request(self, handover: Handover, media: Sequence[Ready], now: int) -> Request:
        if len(media) > MAX_MEDIA:
            raise ValueError(f"Bandwidth takes {MAX_MEDIA} media at most")
        content = {
            "applicationId": self._config.application_id,
            "to": [handover.destination],
            "from": handover.source,
            "text": words_of(handover),
            "media": [medium.url for medium in media],
            "expiration": "" if media else _expiration(handover, now),
        }
        body = msgspec.json.encode({name: value for name, value in content.items() if value})
        return Request("POST", self._url, {**self._who, "content-type": "application/json; charset=utf-8"}, body)

    def answered(self, handover: Handover, answer: Answer) -> Taken | Declined:
        said = object_of(answer.body)
        if answer.status // 100 == 2:
            name, parts = text_of(said.get("id")), number_of(said.get("segmentCount"))
            return Taken(name, parts if handover.media is None else 0) if name else by_status(answer)
        kind, named = text_of(said.get("type")), objects(said.get("fieldErrors"))[:1]
        field = text_of(named[0].get("fieldName")) if named else ""
        told = [kind, field, text_of((named[0] if named else said).get("description"))]
        words = ": ".join(filter(None, told)) or f"HTTP {answer.status}"
        reason = FIELDS.get(field.partition("[")[0]) or KINDS.get(kind) or by_status(answer).reason
        return declined(answer, reason, words, self._config.errors.get(kind, ""))

    def authorize(self, request: Request, answer: Answer) -> Request | None:
        return None

    # --- in

    def hear(self, callback: Callback, now: int) -> Heard:
        config = self._config
        if not is_basic(callback.headers.get("authorization", ""), config.callback_username, config.callback_password):
            raise Unheard(UNKNOWN, "not the callback_username and callback_password of the messaging application")
        if not (events := objects(json_of(callback.body))):
            raise unreadable("no list of events")
        return Heard([one for event in events if (one := self._news(event))], acknowledged(THANKS))

    def _news(self, event: Mapping[str, Any]) -> Receipt | Inbound | None:
        kind, message = text_of(event.get("type")), event.get("message")
        if kind != RECEIVED and kind not in STATES:
            return None
        if not isinstance(message, dict) or not text_of(message.get("id")):
            raise unreadable("an event without the id of a message")
        return _inbound(event, message) if kind == RECEIVED else self._receipt(kind, event, message)

    def _receipt(self, kind: str, event: Mapping[str, Any], message: Mapping[str, Any]) -> Receipt:
        state, number = STATES[kind], number_of(event.get("errorCode"))
        if number and state != "delivered":
            state = failure(CODES, number, self._config.errors) or state
            state = "intermediate" if number == NO_RECEIPT else state
        told = [kind.removeprefix("message-"), str(number or ""), text_of(event.get("description"))]
        return Receipt(text_of(message["id"]), state, " ".join(filter(None, told)), text_of(event.get("to")))

    def fetch(self, url: str) -> Request:
        where, _ = place(url)
        if where == self._origin:
            return Request("GET", url, self._who)
        if where.host in self._config.media_hosts:
            return Request("GET", url)
        raise ValueError(f"{where.host} keeps no media of Bandwidth's")


def _inbound(event: Mapping[str, Any], message: Mapping[str, Any]) -> Inbound:
    source, destination = text_of(message.get("from")), text_of(event.get("to")) or text_of(message.get("owner"))
    if not (source and destination):
        raise unreadable("a message without a sender or a recipient")
    given = message.get("media")
    urls = [text_of(url) for url in given[: MAX_MEDIA + 1]] if isinstance(given, list) else []
    return Inbound(
        source=source,
        destination=destination,
        text=text_of(message.get("text")),
        octets=None,
        fingerprint=fingerprint("bandwidth", text_of(message["id"]), destination),
        # Among them is how a handset would show the others.
        media=[Arriving("", url=url) for url in urls if url and not url.endswith(".smil")] if urls else None,
    )


def _expiration(handover: Handover, now: int) -> str:
    """RFC 3339, and in the future in any case; empty for as long as Bandwidth likes."""
    if handover.expire_at == NEVER:
        return ""
    moment = datetime.fromtimestamp(max(handover.expire_at, now + SECOND) // SECOND, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
