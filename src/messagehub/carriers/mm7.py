"""MM7 (3GPP TS 23.140, release 5 and 6) as a dialect: targets to SubmitReq, what MMSCs answer, and what they ask of us.

Each SubmitReq has one recipient, so what is said of it is said of the target.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec.structs import replace

from messagehub.carriers import validity
from messagehub.carriers.answers import retry_after
from messagehub.carriers.callbacks import Callback
from messagehub.carriers.carrier import REASONS, Handover
from messagehub.carriers.credentials import Login
from messagehub.carriers.dialect import Declined, Heard, Ready, Request, Taken
from messagehub.carriers.mm7_config import GOOD, MM7Config
from messagehub.carriers.mm7_requests import Hearer
from messagehub.carriers.profile import OF_WORD
from messagehub.clock import NEVER, SECOND
from messagehub.mms import (
    NAMESPACES,
    PDU,
    SOAP_ACTION,
    Action,
    Address,
    Content,
    DecodeError,
    Medium,
    compose,
    read,
    refused,
    status,
    write,
)
from messagehub.mms.parts import Limits
from messagehub.mms.statuses import STATUSES
from messagehub.web import Answer

LONGEST_WORDS = 300
"""Characters of what an MMSC says that are kept."""
ANSWER_LIMITS = Limits(parts=4, octets=1 << 20, depth=2)

# --- what an answer means -----------------------------------------------------------------------------------------

OF_ACTION: Mapping[Action, str] = {
    Action.RETRY: OF_WORD["retry"],
    Action.REROUTE: OF_WORD["reroute"],
    Action.PERMANENT: OF_WORD["permanent"],
    Action.OURS: OF_WORD["ours"],
}
"""From an action of the table to a key of the contract's REASONS."""

BY_CODE: Mapping[int, str] = {
    2002: "invalid_number",
    2003: "invalid_number",
    2004: "media_refused",
    4001: "bad_credentials",
}
"""Where a StatusCode says more than its action."""

BY_HTTP: Mapping[int, str] = {  # RFC 9110, section 15; RFC 6585
    401: "bad_credentials",
    403: "refused_here",
    407: "bad_credentials",
    413: "media_too_large",
    429: "throttled",
    503: "unwell",
}
"""What counts whatever the body says."""

BY_HTTP_CLASS: Mapping[int, str] = {3: "unwritable", 4: "unwell", 5: "unwell"}
"""What a body without a PDU means. Of 4xx, 404 is what a server says while its MMSC is being started."""

_ANSWERS = frozenset({"SubmitRsp", "RSErrorRsp", "VASPErrorRsp"})


def reason_of(code: int, statuses: Mapping[str, str]) -> str:
    """A key of the contract's REASONS for a StatusCode that is no success; `statuses` as in the config."""
    if word := statuses.get(str(code)):
        return OF_WORD[word]
    return BY_CODE.get(code) or OF_ACTION[status(code).action]


class MM7:
    """Its state is what one MMSC said of how we are to log in."""

    media: Literal["none", "octets", "urls"] = "octets"

    def __init__(self, config: MM7Config, callback_url: str) -> None:
        self._config = config
        self.is_base64 = config.is_base64
        self._login = Login(config.username, config.password, config.authentication)
        self._hearer = Hearer(config)

    # --- out ----------------------------------------------------------------------------

    def request(self, handover: Handover, media: Sequence[Ready], now: int) -> Request:
        pdu = submission(self._config, handover, media, now)
        content_type, body = write(pdu, self._config.encoding)
        headers = {"content-type": content_type, "soapaction": SOAP_ACTION}
        return self._with_login(Request("POST", self._config.url, headers, body))

    def authorize(self, request: Request, answer: Answer) -> Request | None:
        if not self._login.asked(answer, request.headers.get("authorization", "")):
            return None
        return self._with_login(request)

    def _with_login(self, request: Request) -> Request:
        said = self._login.header(request.method, request.url, request.body)
        return replace(request, headers={**request.headers, "authorization": said}) if said else request

    def answered(self, handover: Handover, answer: Answer) -> Taken | Declined:
        self._login.told(answer)
        return judged(self._config, handover, answer)

    def fetch(self, url: str) -> Request:
        raise ValueError("MM7 brings media with the message")

    # --- in -----------------------------------------------------------------------------

    def hear(self, callback: Callback, now: int) -> Heard:
        return self._hearer.hear(callback)


def submission(config: MM7Config, handover: Handover, media: Sequence[Ready], now: int) -> PDU:
    """The SubmitReq for a target. ValueError where it cannot be written."""
    moment = datetime.fromtimestamp(now // SECOND, UTC)
    fields: dict[str, Any] = {
        "SenderIdentification": _identification(config, handover.source),
        "Recipients": {"To": [address(handover.destination, config.international_prefix)]},
        "ServiceCode": config.service_code,
        "MessageClass": config.message_class,
        "TimeStamp": moment,
        "ExpiryDate": _expiry(config, handover.expire_at, now),
        "DeliveryReport": config.delivery_report,
        "ReadReply": config.read_reply,
        "Priority": config.priority,
        "Subject": one_line(handover.subject),
        "ChargedParty": config.charged_party,
    }
    if config.adaptations is not None:
        fields["Content"] = {"allowAdaptations": config.adaptations}
    content = compose(Content(handover.text, tuple(Medium(each.type, each.octets, each.name) for each in media)))
    said = {name: value for name, value in fields.items() if value not in ("", None)}
    transaction = f"{transaction_of(handover)}{now:x}"
    return PDU("SubmitReq", transaction, said, content, NAMESPACES[config.namespace], config.version)


def transaction_of(handover: Handover) -> str:
    """How the TransactionID of every try of a target begins; behind it stands when it was tried."""
    message_id, place = handover.key
    return f"{message_id}.{place}."


def _identification(config: MM7Config, source: str) -> dict[str, Any]:
    named = {"VASPID": config.vasp_id, "VASID": config.vas_id}
    sender = address(source, config.international_prefix)
    return {**{name: value for name, value in named.items() if value}, "SenderAddress": sender}


def address(number: str, prefix: str) -> Address:
    """E.164 is a Number; what is shorter, or a name, a ShortCode."""
    if number.startswith("+"):
        return Address("Number", prefix + number[1:])
    return Address("ShortCode", number)


def _expiry(config: MM7Config, expire_at: int, now: int) -> datetime | timedelta | None:
    """The less of what the message asks for and the carrier's own, a second at least."""
    if not config.validity_period and expire_at >= NEVER:
        return None
    write = validity.span if config.validity_form == "relative" else validity.end
    return write(expire_at, now, config.validity_period)


def one_line(words: str) -> str:
    """A text in one line, without what cannot be shown: XML has no way to write most of that."""
    return " ".join("".join(each if each.isprintable() else " " for each in words).split())


# --- answers ----------------------------------------------------------------------------


def judged(config: MM7Config, handover: Handover, answer: Answer) -> Taken | Declined:
    """What came back for a SubmitReq: by the status of HTTP where that says all, else by the PDU."""
    after = retry_after(answer)
    try:
        pdu = read(answer.headers.get("content-type", ""), answer.body, ANSWER_LIMITS)
    except DecodeError as error:
        why = BY_HTTP.get(answer.status) or BY_HTTP_CLASS.get(answer.status // 100, "unreadable")
        return Declined(why, f"HTTP {answer.status}: {one_line(str(error))}"[:LONGEST_WORDS], retry_after=after)
    if pdu.name not in _ANSWERS:
        return Declined("unreadable", f"HTTP {answer.status}: {pdu.name[:60]} where a SubmitRsp was expected")
    if reason := BY_HTTP.get(answer.status):
        return Declined(reason, f"HTTP {answer.status}: {_words(pdu)}", _error_code(config, pdu), after)
    if pdu.transaction_id and not pdu.transaction_id.startswith(transaction_of(handover)):
        return Declined("unreadable", f"it answers another request: {one_line(pdu.transaction_id)[:80]!r}")
    return _outcome(config, handover, answer, pdu)


def _outcome(config: MM7Config, handover: Handover, answer: Answer, pdu: PDU) -> Taken | Declined:
    code = pdu.fields["Status"]["StatusCode"]
    words = _words(pdu)
    if status(code).action not in GOOD:
        reason = reason_of(code, config.statuses)
        return Declined(reason, words, _error_code(config, pdu), retry_after(answer))
    if pdu.name != "SubmitRsp":
        return Declined("unreadable", f"{pdu.name} with {words}")
    if answer.status >= 300:
        return Declined("unwell", f"HTTP {answer.status}: {words}")
    if refused(pdu, [address(handover.destination, "")]):
        return Declined("rejected", words)
    return Taken(one_line(pdu.fields.get("MessageID", "")))


def _error_code(config: MM7Config, pdu: PDU) -> str:
    """The config's own for a StatusCode, or nothing."""
    return config.errors.get(str(pdu.fields["Status"]["StatusCode"]), "")


def _words(pdu: PDU) -> str:
    """Such as `2003 Address not found: no such subscriber`."""
    given = pdu.fields["Status"]
    code = given["StatusCode"]
    own = [one_line(given.get(name, "")) for name in ("StatusText", "Details")]
    said = [STATUSES[code].words if code in STATUSES else "", *own]
    return f"{code} {': '.join(dict.fromkeys(filter(None, said)))}".strip()[:LONGEST_WORDS]


# --- for the page of codes --------------------------------------------------------------


def as_markdown() -> str:
    """What is done at each StatusCode, and what the target is told."""
    rows = [
        f"| `{code}` | {row.words} | `{row.action}` | {_shown(code)} |"
        for code, row in STATUSES.items()
        if row.action not in GOOD
    ]
    http = [f"| {code} | `{REASONS[reason].error_code}` |" for code, reason in BY_HTTP.items()]
    return "\n".join([
        "| StatusCode | words | action | error_code of a target that fails by it |", "| --- | --- | --- | --- |", *rows,
        "", "| HTTP | error_code of a target that fails by it |", "| --- | --- |", *http,
    ])  # fmt: skip


def _shown(code: int) -> str:
    return f"`{REASONS[reason_of(code, {})].error_code}`"
