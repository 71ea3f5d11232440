"""What an MMSC asks of us by MM7: delivery reports, read reports and messages, and how each is answered.

3GPP TS 23.140, release 6, sections 8.7.2, 8.7.4 and 8.7.5. A peer takes any answer but 200 for a reason to come again:
so what is not to come again is refused in the PDU, and only what is to come again in HTTP too.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from ipaddress import ip_address

from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import Arriving, Inbound, Receipt, Verdict
from messagehub.carriers.credentials import is_basic
from messagehub.carriers.dialect import Heard, Unheard
from messagehub.carriers.mm7_config import MM7Config
from messagehub.carriers.translate import international
from messagehub.mms import (
    PDU,
    Address,
    Content,
    DecodeError,
    EncodeError,
    Fate,
    answer,
    fault,
    mm_status,
    read,
    status,
    take_apart,
    write,
)
from messagehub.mms.mm7 import RESPONSES
from messagehub.mms.statuses import MM_STATUSES
from messagehub.text.keepable import keepable

LONGEST_TEXT = 20_000
"""Characters of a message's text."""
MOST_RECIPIENTS = 100
LONGEST = 250
"""Characters of names, ids and words that are kept."""

ANSWERS: Mapping[Verdict, tuple[int, int]] = {  # the status of HTTP, and the StatusCode
    Verdict.TAKEN: (200, 1000),
    Verdict.REFUSED: (200, 2002),
    Verdict.BROKEN: (200, 3002),
    Verdict.LATER: (503, 4006),
}
UNSUPPORTED, REFUSED_CONTENT, INVALID = 4003, 2004, 4004
RETRY_AFTER_S = 10

STATES: Mapping[str, str] = {  # of an MMStatus that means failure: our error code
    "Expired": "expired",
    "Rejected": "carrier_rejected",
    "Unreachable": "unreachable",
    "Unrecognised": "not_supported",
}
OF_FATE: Mapping[Fate, str] = {
    Fate.DELIVERED: "delivered",
    Fate.FAILED: "undelivered",
    Fate.UNDER_WAY: "intermediate",
    Fate.UNKNOWN: "intermediate",  # it may have been delivered; what nobody knows ends as dlr_timeout
}

PLAIN = {"content-type": "text/plain"}
WHO_ARE_YOU = Reply(401, b"who are you?\n", {**PLAIN, "www-authenticate": 'Basic realm="messagehub", charset="UTF-8"'})
NOT_FROM_HERE = Reply(403, b"not from this address\n", PLAIN)
ONLY_POST = Reply(405, b"MM7 is spoken by POST\n", {**PLAIN, "allow": "POST"})


class Hearer:
    """Reads what one MMSC asks."""

    def __init__(self, config: MM7Config) -> None:
        self._config = config
        self._callers = config.callers()
        self._errors = {mm_status(name).name: code for name, code in config.errors.items()}

    def hear(self, callback: Callback) -> Heard:
        """Raises Unheard."""
        self._believe(callback)
        if callback.method != "POST":
            raise Unheard(ONLY_POST, f"{callback.method} where POST is expected")
        try:
            request = read(callback.headers.get("content-type", ""), callback.body)
        except DecodeError as error:
            raise _refusal(error, error.status, str(error)) from None
        if (tell := _TELL.get(request.name)) is None:
            raise _refusal(request, UNSUPPORTED, f"{request.name} is not for us to answer")
        return Heard(tell(self, request), lambda verdict: _reply(request, verdict))

    def _believe(self, callback: Callback) -> None:
        config = self._config
        if self._callers and not self._comes_from_there(callback.origin):
            raise Unheard(NOT_FROM_HERE, f"it comes from {callback.origin[:60]}, which callback_from does not have")
        said = callback.headers.get("authorization", "")
        if config.callback_username and not is_basic(said, config.callback_username, config.callback_password):
            raise Unheard(WHO_ARE_YOU, "other credentials than ours" if said else "no credentials")

    def _comes_from_there(self, origin: str) -> bool:
        try:
            address = ip_address(origin)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._callers)

    # --- reports ------------------------------------------------------------------------

    def _report(self, pdu: PDU) -> list[Receipt | Inbound]:
        said = mm_status(pdu.fields["MMStatus"])
        state = self._errors.get(said.name) or STATES.get(said.name) or OF_FATE[said.fate]
        names = ("MMStatusExtension", "StatusText")
        words = ": ".join(dict.fromkeys(filter(None, [said.name, *(pdu.fields.get(name, "") for name in names)])))
        return [self._receipt(pdu, state, words)]

    def _read_report(self, pdu: PDU) -> list[Receipt | Inbound]:
        """It says no more of the target than that it was delivered, and that it says late and not for sure."""
        return [self._receipt(pdu, "intermediate", pdu.fields.get("MMStatus", "Read"))]

    def _receipt(self, pdu: PDU, state: str, words: str) -> Receipt:
        recipient = pdu.fields.get("Recipient")
        destination = self._number(recipient) if recipient else ""
        return Receipt(keepable(pdu.fields["MessageID"], LONGEST), state, keepable(words, LONGEST), destination)

    # --- messages -----------------------------------------------------------------------

    def _messages(self, pdu: PDU) -> list[Receipt | Inbound]:
        """One for each number of ours that it is to, as far as that can be seen."""
        content = take_apart(pdu.content) if pdu.content else Content()
        text, subject = keepable(content.text), keepable(pdu.fields.get("Subject", ""), LONGEST)
        if len(text) > LONGEST_TEXT:
            raise _refusal(pdu, REFUSED_CONTENT, f"a text of {len(text)} characters; {LONGEST_TEXT} are taken")
        media = [Arriving(each.type, each.body, name=keepable(each.name, LONGEST)) for each in content.media]
        source, destinations = self._number(pdu.fields["Sender"]), self._recipients(pdu)
        return [
            Inbound(
                source, destination, text, None, subject=subject, media=media,
                fingerprint=_fingerprint(pdu, source, destination, content),
            )
            for destination in destinations
        ]  # fmt: skip

    def _recipients(self, pdu: PDU) -> list[str]:
        """`displayOnly`: somebody else gets it, too (annex L)."""
        groups = pdu.fields.get("Recipients", {}).values()
        found = [self._number(each) for group in groups for each in group if not each.display_only]
        if not found and not self._config.recipient:
            raise _refusal(pdu, INVALID, "Recipients is missing, and the carrier's config has no recipient")
        if len(found) > MOST_RECIPIENTS:
            raise _refusal(pdu, INVALID, f"{len(found)} recipients; {MOST_RECIPIENTS} are taken")
        return list(dict.fromkeys(found or [self._config.recipient]))

    def _number(self, address: Address) -> str:
        """E.164 where it is a number, also one that is written as an address of MM4 (TS 23.140, section 8.4.5.1)."""
        value, _, kind = keepable(address.value).strip().partition("/TYPE=")
        if address.kind == "ShortCode":
            return value[:LONGEST]
        digits = value.translate(_PUNCTUATION) if address.kind == "Number" or kind.upper().startswith("PLMN") else value
        return international(digits, self._config.default_country)[:LONGEST]


_PUNCTUATION = str.maketrans("", "", " ()-.")


def _fingerprint(pdu: PDU, source: str, destination: str, content: Content) -> bytes:
    """Of all that a repetition has again. Its TransactionID may be another, so that counts only where no time tells
    two messages apart that say the same."""
    own = [pdu.fields.get("LinkedID", ""), str(pdu.fields.get("TimeStamp") or pdu.transaction_id)]
    marks = [(medium.type, blake2b(medium.body, digest_size=16).digest()) for medium in content.media]
    told = repr([source, destination, *own, pdu.fields.get("Subject", ""), content.text, marks])
    return blake2b(told.encode(errors="replace"), digest_size=16).digest()


_TELL: Mapping[str, Callable[[Hearer, PDU], list[Receipt | Inbound]]] = {
    "DeliveryReportReq": Hearer._report,
    "ReadReplyReq": Hearer._read_report,
    "DeliverReq": Hearer._messages,
}

# --- answers --------------------------------------------------------------------------------------------------------


def _reply(request: PDU, verdict: Verdict) -> Reply:
    http, code = ANSWERS[verdict]
    more = {"retry-after": str(RETRY_AFTER_S)} if verdict is Verdict.LATER else {}
    return written(answer(request, code, status(code).words), http, more)


def _refusal(cause: DecodeError | PDU, code: int, words: str) -> Unheard:
    """In the response of the request, where it is known which that would be; else as a fault."""
    short = keepable(words, LONGEST)
    if isinstance(cause, PDU) and cause.name in RESPONSES:
        return Unheard(written(answer(cause, code, f"{status(code).words}: {short}"), 200), short)
    known = bool(cause.name or cause.transaction_id)
    return Unheard(written(fault(cause, code, f"{status(code).words}: {short}"), 200 if known else 400), short)


def written(pdu: PDU, http: int, more: Mapping[str, str] | None = None) -> Reply:
    """An answer over HTTP. Where it would say what XML cannot, it says less."""
    try:
        content_type, body = write(pdu)
    except EncodeError:
        code = pdu.fields["Status"]["StatusCode"]
        bare = PDU(pdu.name, "", {"Status": {"StatusCode": code, "StatusText": status(code).words}})
        content_type, body = write(bare)
    return Reply(http, body, {"content-type": content_type, **(more or {})})


def as_markdown() -> str:
    """What each MMStatus says of a target."""
    rows = [f"| `{name}` | {row.words} | {_meaning(name, row.fate)} |" for name, row in MM_STATUSES.items()]
    return "\n".join(["| MMStatus | meaning | the target |", "| --- | --- | --- |", *rows])


def _meaning(name: str, fate: Fate) -> str:
    state = STATES.get(name) or OF_FATE[fate]
    return {"delivered": "`delivered`", "intermediate": "stays `sent`"}.get(state, f"`failed`: `{state}`")
