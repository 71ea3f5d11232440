"""The `config` of a carrier whose HTTP interface is described by it: what is sent, and where in answers what stands."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct, field

from messagehub.carriers.config import doc
from messagehub.carriers.failures import FailureCode
from messagehub.carriers.places import HEADER, REGEX, filled, is_path, names_in
from messagehub.carriers.web_config import URL, HostNames, WebConfig, checked_url, host_of

PLACES = {
    "source": "who it is from",
    "destination": "who it is for",
    "text": "its text",
    "subject": "its subject",
    "media": "the URLs of its media: a list in JSON, repeated in a form",
    "reference": "our name for it: the message's id and the number of the target",
    "callback": "the address for the carrier's requests to us",
    "secret": "the config's `secret`",
}
"""What may stand in braces in `url`, `headers`, `query` and `body`."""

State = Literal["delivered", "intermediate"] | FailureCode
Declining = Literal[
    "throttled", "unwell", "not_ready", "refused_here", "invalid_number", "invalid_source", "rejected",
    "misconfigured", "bad_credentials", "media_refused", "media_too_large",
]  # fmt: skip
Place = Annotated[str, Meta(max_length=256)]
Takes = Literal["sms", "mms"]
Code = Annotated[str, Meta(min_length=1, max_length=64)]
HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}\Z")]


class ReceiptPlaces(Struct, forbid_unknown_fields=True, frozen=True):
    """Where in a request of the carrier's the parts of a receipt stand."""

    id: Annotated[str, Meta(min_length=1, max_length=256)]
    state: Annotated[str, Meta(min_length=1, max_length=256)]
    destination: Place = ""
    words: Place = ""
    items: Place = ""


class InboundPlaces(Struct, forbid_unknown_fields=True, frozen=True):
    """Likewise, of a message that comes in. `media` is a list, or one; `media_url` and `media_type` stand in each."""

    source: Annotated[str, Meta(min_length=1, max_length=256)]
    destination: Annotated[str, Meta(min_length=1, max_length=256)]
    text: Place = ""
    id: Place = ""
    subject: Place = ""
    media: Place = ""
    media_url: Place = ""
    media_type: Place = ""
    items: Place = ""


class HTTPConfig(WebConfig, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A carrier with an HTTP interface of its own, which is described here: what is sent, and what stands where."""

    secrets: ClassVar = WebConfig.secrets | {"callback_secret"}

    url: Annotated[URL, doc("where a message is sent to; places in it are written as a URL wants them")]
    method: Annotated[Literal["POST", "PUT", "GET"], doc("of the request")] = "POST"
    headers: Annotated[dict[HeaderName, Place], doc("of the request, besides Content-Type", max_length=32)] = field(
        default_factory=dict
    )
    query: Annotated[dict[Code, Place], doc("parameters that are added to `url`", max_length=64)] = field(
        default_factory=dict
    )
    body: Annotated[dict[str, Any], doc("members of the body; what is nothing but an empty place is left out")] = field(
        default_factory=dict
    )
    format: Annotated[Literal["json", "form"], doc("how the body is written")] = "json"
    username: Annotated[str, doc("for HTTP Basic; empty: none is said", max_length=255)] = ""
    password: Annotated[str, doc("likewise; never shown", max_length=255)] = ""
    secret: Annotated[str, doc("a key, for the place `{secret}`; never shown", max_length=4096)] = ""
    international_prefix: Annotated[Literal["", "+", "00"], doc("what stands before an international number")] = "+"
    takes: Annotated[tuple[Takes, ...], doc("which kinds of messages can be sent there", min_length=1)] = ("sms",)

    success: Annotated[
        tuple[Annotated[int, Meta(ge=100, le=599)], ...], doc("statuses of answers that mean: taken", max_length=20)
    ] = (200, 201, 202)
    id: Annotated[Place, doc("where in the answer its name for the message stands; empty: it has none")] = ""
    parts: Annotated[Place, doc("where it says how many segments it makes of it")] = ""
    code: Annotated[Place, doc("where a code of its own stands; empty: the status is the code")] = ""
    good: Annotated[tuple[Code, ...], doc("codes that mean: taken; empty: `success` is enough", max_length=64)] = ()
    words: Annotated[Place, doc("where it says in words why it refuses")] = ""
    reasons: Annotated[dict[Code, Declining], doc("what refusals mean, by code or status", max_length=1000)] = field(
        default_factory=dict
    )

    receipt: Annotated[ReceiptPlaces | None, doc("where the parts of a receipt stand; null: there are none")] = None
    inbound: Annotated[InboundPlaces | None, doc("likewise, of messages that come in")] = None
    media_hosts: Annotated[
        HostNames,
        doc("hosts inside that media which come in are fetched from, besides that of `url`; public ones need no name"),
    ] = ()
    states: Annotated[dict[Code, State], doc("what the words for states mean, besides the usual", max_length=256)] = (
        field(default_factory=dict)
    )
    callback_auth: Annotated[
        Literal["none", "query", "header", "basic", "hmac_sha256"],
        doc("how the carrier shows that a request is its own"),
    ] = "none"
    callback_name: Annotated[str, doc("the parameter, the header, or the user by which it does so", max_length=64)] = ""
    callback_secret: Annotated[str, doc("what stands there, or the key of the HMAC; never shown", max_length=4096)] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for member in ("url", "headers", "query", "body"):
            for where, text in _texts(getattr(self, member), member):
                _check_places(where, text)
        checked_url("url", self._example)
        self._check_request()
        self._check_answer()
        self._check_callbacks()

    def _check_request(self) -> None:
        if self.method == "GET" and self.body:
            raise ValueError("body: a GET has none; put it into `query`")
        if "Authorization" in {name.title() for name in self.headers} and self.username:
            raise ValueError("headers: Authorization is written by `username` and `password` already")
        for name, value in self.headers.items():
            if name.lower() in SAYS_WHO and "{secret}" not in value:
                raise ValueError(f"headers.{name}: write {{secret}} for what is secret, and put that into `secret`")
        given = [text for member in ("url", "headers", "query", "body") for _, text in _texts(getattr(self, member))]
        used = {name for text in given for name in names_in(text)}
        if "destination" not in used:
            raise ValueError("body: {destination} stands nowhere in what is sent")
        if "secret" in used and not self.secret:
            raise ValueError("secret: {secret} is used, and there is none")
        if "mms" in self.takes and "media" not in used:
            raise ValueError("takes: for mms {media} must stand in what is sent")

    def _check_answer(self) -> None:
        for member in ("id", "parts", "code", "words"):
            _check_place(member, getattr(self, member), {HEADER, REGEX})
        if self.good and not self.code:
            raise ValueError("good: say in `code` where the code stands")

    def _check_callbacks(self) -> None:
        for member in ("receipt", "inbound"):
            if places := getattr(self, member):
                for name in places.__struct_fields__:
                    _check_place(f"{member}.{name}", getattr(places, name), frozenset())
        if self.callback_auth != "none":
            for member in ("callback_name", "callback_secret"):
                if not getattr(self, member):
                    raise ValueError(f"{member}: it is needed for callback_auth {self.callback_auth}")

    @property
    def _example(self) -> str:
        return filled(self.url, dict.fromkeys(PLACES, "1"))

    @property
    def address(self) -> str:
        comes_here = self.receipt or self.inbound or "mms" in self.takes
        return self._example if comes_here else ""

    @property
    def hosts(self) -> Collection[str]:
        return {host_of(self._example), *self.media_hosts}

    def warnings(self) -> Sequence[str]:
        hears = self.receipt or self.inbound
        return [*super().warnings(), *([NOT_ASKED] if hears and self.callback_auth == "none" else [])]


NOT_ASKED = "callback_auth is none: whoever knows the address can make up receipts and messages"
SAYS_WHO = ("authorization", "x-api-key", "api-key", "apikey", "x-auth-token")


def _texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """All strings in it, each with the place where it stands."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, f"{where}.{name}")
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from _texts(each, f"{where}[{n}]")


def _check_places(where: str, text: str) -> None:
    for name in names_in(text):
        if name not in PLACES:
            raise ValueError(f"{where}: there is no {{{name}}}; there are {', '.join(PLACES)}")


def _check_place(member: str, place: str, forms: frozenset[str] | set[str]) -> None:
    form, mark, rest = place.partition(":")
    if mark and form in forms:
        if form == REGEX:
            _check_regex(member, rest)
    elif place and not is_path(place):
        raise ValueError(f"{member}: {place!r} is no place; write it as messages[0].id")


def _check_regex(member: str, pattern: str) -> None:
    try:
        if re.compile(pattern).groups != 1:
            raise ValueError(f"{member}: the expression needs one group, which is what is looked for")
    except re.error as error:
        raise ValueError(f"{member}: {error}") from None
