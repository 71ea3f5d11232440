"""Twilio, and those who speak as it does (SignalWire's compatibility API): its requests, answers and callbacks.

Sources, of twilio.com/docs: messaging/api/message-resource (requests, answers, statuses), api/errors (codes),
messaging/guides/webhook-request (what comes in), messaging/guides/track-outbound-message-status (callbacks),
usage/security (signatures), usage/webhooks/webhooks-connection-overrides (retries); and the RequestValidator of
twilio-python for ports in signed addresses.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Meta

from messagehub.carriers import validity
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
    place,
    refusal,
    text_of,
    unreadable,
    words_of,
)
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import Arriving, Handover, Inbound, Receipt
from messagehub.carriers.config import doc
from messagehub.carriers.credentials import basic
from messagehub.carriers.dialect import Declined, Heard, Ready, Request, Taken
from messagehub.web import Answer

VERSION = "/2010-04-01"
LONGEST_VALIDITY = 36_000
"""Seconds that a message may wait at Twilio, which is also how long it does if nothing is said."""

MAX_MEDIA = 10

OUR_DOMAIN = "twilio.com"
CDN = "twiliocdn.com"
"""Where media are that Twilio's own addresses redirect to; they are signed, so nothing is said of who we are."""

RETRIES = "#rc=3&rp=5xx,ct,rt"
"""What Twilio shall do where we do not answer, or cannot write it down: without this a callback comes once."""

Sid = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,64}\Z")]


class TwilioConfig(AggregatorConfig, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Twilio, and who speaks as it does: its Messages resource, and what it calls back with."""

    secrets: ClassVar = AggregatorConfig.secrets | {"auth_token", "api_key_secret"}

    account_sid: Annotated[Sid, doc("the account, such as `AC…`", min_length=1)]
    auth_token: Annotated[Secret, doc("its primary token, which also signs its callbacks; never shown", min_length=1)]
    api_key_sid: Annotated[Sid, doc("a key to send with instead of the token, such as `SK…`; callbacks still use that")] = ""  # fmt: skip # noqa: E501
    api_key_secret: Annotated[Secret, doc("its secret; never shown")] = ""
    messaging_service_sid: Annotated[
        Sid, doc("the messaging service that a message goes by, such as `MG…`; the source is one of its senders")
    ] = ""
    validity_period: Annotated[  # type: ignore[misc]
        int,
        doc("seconds for which it tries; 0 or over 36000: ten hours; a message may ask for less", ge=0, le=172_800),
    ] = 0
    base_url: Annotated[
        str,
        doc("another region's, or who speaks as Twilio does: `https://you.signalwire.com/api/laml`", max_length=500),
    ] = "https://api.twilio.com"

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.api_key_sid) != bool(self.api_key_secret):
            raise ValueError("api_key_sid and api_key_secret: both, or none")


# --- what its codes mean ----------------------------------------------------------------

CODES: Codes = {
    11200: Code("HTTP retrieval failure: our media could not be fetched", "media_refused"),
    12300: Code("Invalid Content-Type", "media_refused"),
    14107: Code("Message rate exceeded", "throttled"),
    20003: Code("Authentication Error", "bad_credentials"),
    20005: Code("Account not active", "bad_credentials"),
    20404: Code("Not found: the account, or the base_url", "misconfigured"),
    20429: Code("Too many requests", "throttled"),
    20500: Code("Internal Server Error", "unwell"),
    20503: Code("Service unavailable", "unwell"),
    20504: Code("Gateway timeout", "unwell"),
    21211: Code("Invalid 'To' Phone Number", "invalid_number"),
    21212: Code("Invalid 'From' Number", "invalid_source"),
    21217: Code("Phone number does not appear to be valid", "invalid_number"),
    21219: Code("'To' phone number not verified", "refused_here"),
    21264: Code("Invalid 'From' Number", "invalid_source"),
    21265: Code("'To' number cannot be a Short Code", "refused_here"),
    21266: Code("'To' and 'From' numbers cannot be the same", "rejected"),
    21267: Code("Alphanumeric Sender ID cannot be used on trial accounts", "invalid_source"),
    21408: Code("Permission to send to the region has not been enabled", "refused_here"),
    21601: Code("Phone number is not a valid SMS-capable inbound phone number", "invalid_source"),
    21602: Code("Message body is required", "rejected"),
    21603: Code("'From' phone number is required", "invalid_source"),
    21604: Code("'To' phone number is required", "invalid_number"),
    21606: Code("The 'From' phone number is not valid for the account", "invalid_source"),
    21607: Code("'From' must be a Twilio number of trial accounts", "invalid_source"),
    21608: Code("The number is unverified for the trial account", "refused_here"),
    21609: Code("Invalid 'StatusCallback' URL", "misconfigured"),
    21610: Code("Attempt to send to unsubscribed recipient", "rejected", "opted_out"),
    21611: Code("The 'From' number has exceeded the maximum number of queued messages", "full"),
    21612: Code("The 'To' number is not reachable via this 'From'", "refused_here"),
    21614: Code("'To' number is not a valid mobile number", "invalid_number"),
    21617: Code("The concatenated message body exceeds the 1600 character limit", "too_long"),
    21618: Code("The message body cannot be sent", "rejected", "blocked"),
    21619: Code("A text message body or media urls must be specified", "rejected"),
    21620: Code("Invalid media URL(s)", "media_refused"),
    21621: Code("The 'From' number has not been enabled for MMS", "invalid_source"),
    21622: Code("MMS has not been enabled for the account", "invalid_source"),
    21623: Code("Number of media files exceeds the limit", "media_refused"),
    21624: Code("Invalid Alphanumeric Sender ID", "invalid_source"),
    21635: Code("'To' number cannot be a landline", "rejected", "not_supported"),
    21659: Code("'From' is not a Twilio phone number", "invalid_source"),
    21660: Code("'From' and the account do not match", "invalid_source"),
    21661: Code("'From' is not SMS-capable", "invalid_source"),
    21701: Code("The Messaging Service does not exist", "misconfigured"),
    21703: Code("The Messaging Service does not have a phone number available", "misconfigured"),
    21705: Code("The Messaging Service SID is invalid", "misconfigured"),
    21710: Code("'From' is in another Messaging Service", "invalid_source"),
    30001: Code("Queue overflow", "rejected", "carrier_busy"),
    30002: Code("Account suspended", "rejected", "carrier_misconfigured"),
    30003: Code("Unreachable destination handset", "rejected", "unreachable"),
    30004: Code("Message blocked", "rejected", "barred"),
    30005: Code("Unknown destination handset", "rejected", "invalid_number"),
    30006: Code("Landline or unreachable carrier", "rejected", "not_supported"),
    30007: Code("Message filtered", "rejected", "blocked"),
    30008: Code("Unknown error", "rejected", "undelivered"),
    30010: Code("Message price exceeds max price", "rejected", "carrier_rejected"),
    30011: Code("MMS not supported by the recipient's phone in this region", "rejected", "not_supported"),
    30012: Code("TTL too small", "rejected", "expired"),
    30013: Code("TTL too big", "rejected", "carrier_misconfigured"),
    30017: Code("Carrier network congestion", "rejected", "network_error"),
    30018: Code("Destination carrier requires sender ID pre-registration", "rejected", "invalid_source"),
    30019: Code("Content size exceeds carrier limit", "rejected", "carrier_rejected"),
    30022: Code("US A2P 10DLC: rate limits exceeded", "rejected", "carrier_busy"),
    30023: Code("US A2P 10DLC: daily message cap reached", "rejected", "carrier_busy"),
    30024: Code("Numeric sender ID not provisioned on carrier", "rejected", "invalid_source"),
    30027: Code("US A2P 10DLC: T-Mobile daily message limit reached", "rejected", "carrier_busy"),
    30032: Code("Toll-free number has not been verified", "rejected", "invalid_source"),
    30033: Code("US A2P 10DLC: campaign suspended", "rejected", "invalid_source"),
    30034: Code("US A2P 10DLC: message from an unregistered number", "rejected", "invalid_source"),
    30035: Code("US A2P 10DLC: campaign being processed", "rejected", "invalid_source"),
    30036: Code("Validity period expired", "rejected", "expired"),
    30037: Code("Outbound messaging disabled", "rejected", "barred"),
    30038: Code("OTP message body filtered", "rejected", "blocked"),
    30044: Code("Trial message length exceeded", "rejected", "carrier_rejected"),
    30410: Code("Provider timeout error", "rejected", "network_error"),
    30450: Code("Message delivery blocked: the protection from SMS pumping", "rejected", "blocked"),
    30500: Code("Twilio internal error", "rejected", "carrier_unavailable"),
    63038: Code("The account has exceeded its daily messages limit", "refused_here", "carrier_busy"),
}

STATES: Mapping[str, str] = {  # a MessageStatus, in the words of a Receipt; failures where ErrorCode says nothing
    "sent": "intermediate",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "carrier_rejected",
    "canceled": "deleted",
}
NOTHING_NEW = frozenset({"accepted", "scheduled", "queued", "sending", "receiving", "received", "partially_delivered"})
"""Statuses that say no more than the answer to the request did: nothing is written for them."""

NO_MORE = Reply(204)
SAYS_NOTHING = Reply(200, b"<Response/>", {"content-type": "text/xml"})
"""TwiML that does nothing more: the sender is answered by messages of their own."""


class Twilio:
    media: Literal["none", "octets", "urls"] = "urls"
    is_base64 = False

    def __init__(self, config: TwilioConfig, callback_url: str) -> None:
        self._config = config
        self._url = f"{config.base_url.rstrip('/')}{VERSION}/Accounts/{config.account_sid}/Messages.json"
        user, password = config.api_key_sid or config.account_sid, config.api_key_secret or config.auth_token
        self._authorization = basic(user, password)
        self._origin, _ = place(config.base_url)
        self._is_twilio = is_below(self._origin.host, [OUR_DOMAIN])
        self._callback_url = callback_url + RETRIES if callback_url and self._is_twilio else callback_url

    # --- out

    def request(self, handover: Handover, media: Sequence[Ready], now: int) -> Request:
        if len(media) > MAX_MEDIA:
            raise ValueError(f"Twilio takes {MAX_MEDIA} media at most")
        form = {
            "To": handover.destination,
            "From": handover.source,
            "MessagingServiceSid": self._config.messaging_service_sid,
            "Body": words_of(handover),
            "MediaUrl": [medium.url for medium in media],
            "StatusCallback": self._callback_url,
            "ValidityPeriod": self._validity(handover, now),
        }
        headers = {"authorization": self._authorization, "content-type": "application/x-www-form-urlencoded"}
        body = urlencode({name: value for name, value in form.items() if value}, doseq=True)
        return Request("POST", self._url, {**headers, "accept": "application/json"}, body.encode())

    def _validity(self, handover: Handover, now: int) -> int:
        """Seconds; 0 for as long as Twilio likes."""
        asked = self._config.validity_period or LONGEST_VALIDITY
        left = int(validity.span(handover.expire_at, now, asked).total_seconds())
        return left if left < LONGEST_VALIDITY else 0

    def answered(self, handover: Handover, answer: Answer) -> Taken | Declined:
        said = object_of(answer.body)
        if answer.status // 100 == 2:
            sid, parts = text_of(said.get("sid")), number_of(said.get("num_segments"))
            return Taken(sid, parts if handover.media is None else 0) if sid else by_status(answer)
        return refusal(CODES, answer, number_of(said.get("code")), text_of(said.get("message")), self._config.errors)

    def authorize(self, request: Request, answer: Answer) -> Request | None:
        return None

    # --- in

    def hear(self, callback: Callback, now: int) -> Heard:
        posted = _pairs(callback.body) if callback.method == "POST" else []
        self._verify(callback, posted)
        said = dict(posted or _pairs(urlsplit(callback.url).query.encode()))
        if "MessageStatus" in said:
            return self._status(said)
        if not said.get("MessageSid") or "From" not in said or "To" not in said:
            raise unreadable("neither a message nor the status of one")
        return Heard([self._message(said)], acknowledged(SAYS_NOTHING))

    def _verify(self, callback: Callback, posted: Sequence[tuple[str, str]]) -> None:
        given = callback.headers.get("x-twilio-signature", "").encode("ascii", "replace")
        key, told = self._config.auth_token.encode(), "".join(name + value for name, value in sorted(set(posted)))
        wanted = [hmac.digest(key, (url + told).encode(), "sha1") for url in _spelled(callback.url)]
        if not sum(hmac.compare_digest(b64encode(each), given) for each in wanted):
            raise forged("X-Twilio-Signature does not fit: it is not from Twilio, or auth_token or public_url is wrong")

    def _status(self, said: Mapping[str, str]) -> Heard:
        status, number = said["MessageStatus"], number_of(said.get("ErrorCode"))
        name = said.get("MessageSid") or said.get("SmsSid", "")
        if not name or (status not in STATES and status not in NOTHING_NEW):
            raise unreadable(f"a status that is not known: {status[:40]}")
        if status in NOTHING_NEW:
            return Heard([], acknowledged(NO_MORE))
        state = STATES[status]
        if number and state not in ("delivered", "intermediate"):
            state = failure(CODES, number, self._config.errors) or state
        words = " ".join(filter(None, (status, str(number or ""), said.get("ErrorMessage", ""))))
        return Heard([Receipt(name, state, words, said.get("To", ""))], acknowledged(NO_MORE))

    def _message(self, said: Mapping[str, str]) -> Inbound:
        count = min(number_of(said.get("NumMedia", "0")), MAX_MEDIA)
        named = [(said.get(f"MediaContentType{at}", ""), said.get(f"MediaUrl{at}", "")) for at in range(count)]
        return Inbound(
            source=said["From"],
            destination=said["To"],
            text=said.get("Body", ""),
            octets=None,
            fingerprint=fingerprint("twilio", said["MessageSid"]),
            media=[Arriving(kind, url=url) for kind, url in named if url] if count else None,
        )

    def fetch(self, url: str) -> Request:
        where, path = place(url)
        is_tls = where.scheme == "https"
        if where == self._origin or (self._is_twilio and is_tls and is_below(where.host, [OUR_DOMAIN])):
            return Request("GET", url, {"authorization": self._authorization})
        is_cdn = is_tls and (is_below(where.host, [CDN]) or _is_bucket(where.host, path))
        if is_cdn or where.host in self._config.media_hosts:
            return Request("GET", url)
        raise ValueError(f"{where.host} keeps no media of Twilio's")


def _is_bucket(host: str, path: str) -> bool:
    """Amazon's hosts serve anybody's files: by path these are Twilio's."""
    return is_below(host, ["amazonaws.com"]) and path.startswith(f"/media.{CDN}/")


def _pairs(octets: bytes) -> list[tuple[str, str]]:
    """A form. Unheard where it is none."""
    try:
        return parse_qsl(octets.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
    except ValueError:
        raise unreadable("more than 200 fields") from None


def _spelled(url: str) -> Iterator[str]:
    """An address with its port and without, and as we told it: which of them Twilio signs is not said."""
    scheme, _, rest = url.partition("://")
    host, port, path = _AUTHORITY.match(rest).groups()  # type: ignore[union-attr]
    for written in (f"{scheme}://{host}{path}", f"{scheme}://{host}{port or PORTS.get(scheme, '')}{path}"):
        yield written
        yield written + RETRIES


_AUTHORITY = re.compile(r"([^/?]*?)(:\d*)?((?:[/?].*)?)\Z", re.DOTALL)
PORTS = {"http": ":80", "https": ":443"}
