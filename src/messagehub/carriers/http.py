"""The dialect of carriers that are described by their config: what they are sent, and what stands where in answers."""

import hmac
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b, sha256
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec

from messagehub.carriers.answers import charset_of, json_of, pairs_of, retry_after
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import Arriving, Handover, Inbound, Receipt, Verdict
from messagehub.carriers.credentials import basic, is_basic
from messagehub.carriers.dialect import Declined, Heard, Ready, Request, Taken, Unheard
from messagehub.carriers.http_config import HTTPConfig, InboundPlaces, ReceiptPlaces
from messagehub.carriers.places import HEADER, LONGEST, REGEX, at, filled, filled_all, text_at
from messagehub.carriers.translate import international
from messagehub.web import Answer

OF_STATUS = {
    **dict.fromkeys((301, 302, 303, 307, 308), "misconfigured"),
    401: "bad_credentials",
    403: "refused_here",
    404: "misconfigured",
    405: "misconfigured",
    408: "unwell",
    429: "throttled",
}
"""What an HTTP status means that the config's `reasons` do not have; any of 500 and above is `unwell`."""

OF_STATUS_WITH_MEDIA = {413: "media_too_large", 415: "media_refused"}
"""Likewise, of messages with media (RFC 9110, sections 15.5.14 and 15.5.16)."""

STATES = {
    **dict.fromkeys(("delivered", "delivrd", "read", "success"), "delivered"),
    **dict.fromkeys(("failed", "undelivered", "undeliv", "undeliverable", "error"), "undelivered"),
    **dict.fromkeys(("expired",), "expired"),
    **dict.fromkeys(("rejected", "rejectd"), "carrier_rejected"),
    **dict.fromkeys(("deleted", "canceled", "cancelled"), "deleted"),
}
"""What carriers call the states of messages, in lower case. Any other word is of one that is on its way."""

Places = ReceiptPlaces | InboundPlaces

WRITTEN = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
MOST_ITEMS = 1000
"""Of what one request tells."""
MOST_MEDIA = 100
"""Of a message that comes in."""

PLAIN = {"content-type": "text/plain"}
REPLIES = {
    Verdict.TAKEN: Reply(200, b"ok\n", PLAIN),
    Verdict.REFUSED: Reply(404, b"this number is nobody's here\n", PLAIN),
    Verdict.BROKEN: Reply(422, b"this, or some of it, cannot be kept\n", PLAIN),
    Verdict.LATER: Reply(503, b"this cannot be kept just now; send it again\n", PLAIN),
}


class HTTPDialect:
    media: Literal["none", "octets", "urls"] = "urls"
    is_base64 = False

    def __init__(self, config: HTTPConfig, callback_url: str) -> None:
        self._config, self._callback_url = config, callback_url
        self._states = STATES | {word.lower(): state for word, state in config.states.items()}

    # --- out ----------------------------------------------------------------------------

    def request(self, handover: Handover, media: Sequence[Ready], now: int) -> Request:
        config = self._config
        values = {
            "source": self._number(handover.source),
            "destination": self._number(handover.destination),
            "text": handover.text,
            "subject": handover.subject,
            "media": [each.url for each in media],
            "reference": "-".join(map(str, handover.key)),
            "callback": self._callback_url,
            "secret": config.secret,
        }
        url = filled(config.url, values, lambda value: quote(value, safe=""))
        if query := filled_all(config.query, values):
            url += f"{'&' if '?' in url else '?'}{urlencode(query, doseq=True)}"
        headers = {name: filled(value, values) for name, value in config.headers.items()}
        if config.username:
            headers["Authorization"] = basic(config.username, config.password)
        if config.method == "GET":
            return Request("GET", url, headers)
        headers["Content-Type"] = WRITTEN[config.format]
        return Request(config.method, url, headers, self._body(filled_all(config.body, values)))

    def _body(self, members: Mapping[str, Any]) -> bytes:
        if self._config.format == "json":
            return msgspec.json.encode(members)
        return urlencode(members, doseq=True, errors="replace").encode()

    def _number(self, number: str) -> str:
        return self._config.international_prefix + number[1:] if number.startswith("+") else number

    def answered(self, handover: Handover, answer: Answer) -> Taken | Declined:
        config, value = self._config, json_of(answer.body, answer.headers.get("content-type", ""))
        code = self._found(config.code, answer, value) or str(answer.status)
        if answer.status in config.success and (not config.good or code in config.good):
            name = self._found(config.id, answer, value)
            if config.id and not name:
                return Declined("unreadable", f"there is nothing at {config.id}: {_shown(answer)}")
            parts = self._found(config.parts, answer, value) if handover.media is None else ""
            return Taken(name, int(parts) if parts.isdecimal() and len(parts) < 4 else 0)
        own = config.reasons.get(code) or config.reasons.get(str(answer.status))
        reason = own or _usual(answer.status, bool(handover.media))
        words = self._found(config.words, answer, value) or _shown(answer)
        return Declined(reason, words, config.errors.get(code, ""), retry_after(answer))

    def _found(self, place: str, answer: Answer, value: Any) -> str:
        form, mark, rest = place.partition(":")
        if mark and form == HEADER:
            return answer.headers.get(rest.strip().lower(), "")
        if mark and form == REGEX:
            found = re.search(rest, answer.body.decode(errors="replace")[:LONGEST])
            return found[1] or "" if found else ""
        return text_at(value, place)

    def authorize(self, request: Request, answer: Answer) -> Request | None:
        return None

    # --- in -----------------------------------------------------------------------------

    def hear(self, callback: Callback, now: int) -> Heard:
        if not AUTHENTIC[self._config.callback_auth](self._config, callback):
            raise Unheard(Reply(403, b"this does not come from the carrier\n", PLAIN), "it does not know the secret")
        said = _said(callback)
        news: list[Receipt | Inbound] = []
        listed, understood, is_empty = set(), set(), False
        for places, read in self._kinds(callback.path):
            found = at(said, places.items)
            items = found if isinstance(found, list) else [found]
            if len(items) > MOST_ITEMS:
                raise _too_many(len(items))
            known = [(item, one) for item in items if (one := read(item))]
            news += [one for _, one in known]
            understood |= {id(item) for item, _ in known}
            listed |= {id(item) for item in items if items is found}
            is_empty = is_empty or not items
        if not news and (listed or not is_empty) and (self._config.receipt or self._config.inbound):
            raise Unheard(Reply(400, b"this is no receipt and no message\n", PLAIN), "it is no receipt and no message")
        return Heard(news, REPLIES.__getitem__, len(listed - understood))

    def _kinds(self, path: str) -> Iterator[tuple[Places, Callable[[Any], Receipt | Inbound | None]]]:
        """What a request to this path may tell, and how each thing is read."""
        receipt, inbound = self._config.receipt, self._config.inbound
        if receipt and path != "inbound":
            yield receipt, partial(self._receipt, receipt)
        if inbound and path != "receipt":
            yield inbound, partial(self._inbound, inbound)

    def _receipt(self, places: ReceiptPlaces, item: Any) -> Receipt | None:
        name, word = text_at(item, places.id), text_at(item, places.state)
        if not name or not word:
            return None
        destination = self._international(text_at(item, places.destination))
        return Receipt(name, self._state(word), text_at(item, places.words) or word, destination)

    def _state(self, word: str) -> str:
        return self._config.errors.get(word) or self._states.get(word.lower(), "intermediate")

    def _inbound(self, places: InboundPlaces, item: Any) -> Inbound | None:
        source, destination = text_at(item, places.source), text_at(item, places.destination)
        if not source or not destination:
            return None
        return Inbound(
            source=self._international(source),
            destination=self._international(destination),
            text=text_at(item, places.text),
            octets=None,
            fingerprint=_fingerprint(text_at(item, places.id)),
            subject=text_at(item, places.subject),
            media=_media(places, item),
        )

    def _international(self, number: str) -> str:
        return international(number, self._config.default_country)

    def fetch(self, url: str) -> Request:
        return Request("GET", url)


# --- whether it is the carrier's ----------------------------------------------------------


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _is_signed(config: HTTPConfig, callback: Callback) -> bool:
    """As hexadecimal digits or as base64, perhaps with the name of the algorithm before it."""
    given = callback.headers.get(config.callback_name.lower(), "").removeprefix("sha256=")
    digest = hmac.new(config.callback_secret.encode(), callback.body, sha256).digest()
    try:
        octets = bytes.fromhex(given) if len(given) == 2 * len(digest) else b64decode(given, validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(octets, digest)


AUTHENTIC: Mapping[str, Callable[[HTTPConfig, Callback], bool]] = {
    "none": lambda config, callback: True,
    "query": lambda config, callback: _equal(callback.query.get(config.callback_name, ""), config.callback_secret),
    "header": lambda config, callback: _equal(
        callback.headers.get(config.callback_name.lower(), ""), config.callback_secret
    ),
    "basic": lambda config, callback: is_basic(
        callback.headers.get("authorization", ""), config.callback_name, config.callback_secret
    ),
    "hmac_sha256": _is_signed,
}

# --- reading ------------------------------------------------------------------------------


def _said(callback: Callback) -> Any:
    """The body, be it JSON or a form, and the query beside it. Raises Unheard."""
    content_type = callback.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    said: Any = dict(callback.query)
    if kind == WRITTEN["form"]:
        said |= pairs_of(callback.body, charset_of(content_type))
    elif callback.body:
        value = json_of(callback.body, content_type)
        if not isinstance(value, dict | list):
            raise Unheard(Reply(400, b"the body is no JSON\n", PLAIN), "its body is no JSON and no form")
        said = said | value if isinstance(value, dict) else value
    return said


def _too_many(count: int) -> Unheard:
    words = f"it tells {count} things at once, and may tell {MOST_ITEMS}"
    return Unheard(Reply(413, f"{words}\n".encode(), PLAIN), words)


def _media(places: InboundPlaces, item: Any) -> list[Arriving] | None:
    given = at(item, places.media) if places.media else None
    if not given:
        return None
    each_of = given if isinstance(given, list) else [given]
    found = [(text_at(each, places.media_url) or text_at([each], "[0]"), each) for each in each_of[:MOST_MEDIA]]
    return [Arriving(text_at(each, places.media_type), url=url) for url, each in found if url]


def _usual(status: int, has_media: bool) -> str:
    if has_media and status in OF_STATUS_WITH_MEDIA:
        return OF_STATUS_WITH_MEDIA[status]
    return OF_STATUS.get(status, "unwell" if status >= 500 else "rejected")


def _shown(answer: Answer) -> str:
    return f"{answer.status} {answer.body[:300].decode(errors='replace')}".strip()


def _fingerprint(name: str) -> bytes:
    return blake2b(name.encode(errors="replace"), digest_size=16).digest() if name else b""
