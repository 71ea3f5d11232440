"""What dialects of aggregators share: answers by their HTTP status, JSON that may be anything, replies, and hosts."""

from collections.abc import Callable, Collection, Mapping
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, NamedTuple

from msgspec import Meta
from msgspec.structs import replace

from messagehub.carriers.answers import json_of, retry_after
from messagehub.carriers.callbacks import Reply
from messagehub.carriers.carrier import REASONS, Handover, Verdict
from messagehub.carriers.config import doc
from messagehub.carriers.dialect import Declined, Unheard
from messagehub.carriers.failures import FAILURES, FailureCode
from messagehub.carriers.web_config import HostNames, WebConfig, checked_url, host_of
from messagehub.web import Answer, BadURL
from messagehub.web.urls import Place, parse

Secret = Annotated[str, Meta(max_length=200, pattern=r"^[\x21-\x7e]*\Z")]


class AggregatorConfig(WebConfig, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """An aggregator that fetches media from us, and has an API at one address."""

    takes: ClassVar = frozenset({"sms", "mms"})

    base_url: Annotated[str, doc("where the API is", max_length=500)]
    media_hosts: Annotated[
        HostNames,
        doc("further hosts that media which come in are fetched from, besides the carrier's own; these may be inside"),
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if "?" in checked_url("base_url", self.base_url):
            raise ValueError("base_url: without a query")

    @property
    def address(self) -> str:
        return self.base_url

    @property
    def hosts(self) -> Collection[str]:
        return {host_of(self.base_url), *self.media_hosts}


BY_STATUS: Mapping[int, str] = {  # RFC 9110, section 15; RFC 6585 for 429
    401: "bad_credentials",
    402: "bad_credentials",
    403: "refused_here",
    404: "misconfigured",
    405: "misconfigured",
    408: "unwell",
    409: "unwell",
    429: "throttled",
}
BY_CLASS: Mapping[int, str] = {2: "unreadable", 3: "misconfigured", 4: "rejected", 5: "unwell"}


def by_status(answer: Answer, words: str = "") -> Declined:
    """What an answer means of which nothing else is known."""
    reason = BY_STATUS.get(answer.status) or BY_CLASS.get(answer.status // 100, "unreadable")
    return declined(answer, reason, words or f"HTTP {answer.status}")


def declined(answer: Answer, reason: str, words: str, error_code: str = "") -> Declined:
    return Declined(reason, words, error_code, retry_after(answer))


class Code(NamedTuple):
    """What a number of an aggregator's means: its own words; why it refuses a message, a key of the contract's REASONS;
    and the error code of a target that fails by it, where that is not the reason's."""

    words: str
    reason: str
    error_code: FailureCode | None = None


Codes = Mapping[int, Code]
Errors = Mapping[str, FailureCode]
"""Error codes by numbers, as the config of a carrier has them: they overrule the usual ones."""


def refusal(codes: Codes, answer: Answer, number: int, words: str, errors: Errors) -> Declined:
    """By the number, or by the status of the answer where that is in no table."""
    said, code = f"{number}: {words}" if number else words, errors.get(str(number), "")
    if not (known := codes.get(number)):
        return replace(by_status(answer, said), error_code=code)
    return declined(answer, known.reason, said, code or known.error_code or "")


def failure(codes: Codes, number: int, errors: Errors) -> str:
    """The error code of a message that could not be delivered; empty where nobody knows the number."""
    known = codes.get(number)
    usual = (known.error_code or REASONS[known.reason].error_code) if known else ""
    return errors.get(str(number)) or (usual if usual in FAILURES else "")


def as_markdown(codes: Codes) -> str:
    rows = [
        f"| {number} | {words} | `{code or REASONS[reason].error_code}` | {_done(reason)} |"
        for number, (words, reason, code) in sorted(codes.items())
    ]
    return "\n".join(["| code | its words | error_code | what is done where a message is refused by it |",
                      "| --- | --- | --- | --- |", *rows])  # fmt: skip


def _done(reason: str) -> str:
    meaning = REASONS[reason]
    done = {"tried again": meaning.retry, "another route": meaning.reroute, "the operator is told": meaning.ours}
    return ", ".join(words for words, is_so in done.items() if is_so)


# --- what they write --------------------------------------------------------------------


def object_of(octets: bytes) -> dict[str, Any]:
    """A JSON object; empty where it is anything else."""
    read = json_of(octets)
    return read if isinstance(read, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list that may be anything."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """A text that may be anything; numbers are taken as they would be written."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def number_of(value: Any) -> int:
    """A number that may be written as a text; 0 where it is none, or one that nobody would write."""
    said = str(value)
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 7 else 0


def fingerprint(*parts: str) -> bytes:
    return blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


# --- what they are answered -------------------------------------------------------------

LATER = Reply(503, b"cannot be kept just now\n", {"content-type": "text/plain", "retry-after": "10"})


def acknowledged(reply: Reply) -> Callable[[Verdict], Reply]:
    """The same answer whatever became of it, but where it shall be told again: what is not for us, or cannot be kept,
    would be told again and again."""
    return lambda verdict: LATER if verdict is Verdict.LATER else reply


def forged(words: str) -> Unheard:
    """A request that whoever signs for this carrier has not signed."""
    return Unheard(Reply(403, b"the signature is not valid\n", {"content-type": "text/plain"}), words)


def unreadable(words: str) -> Unheard:
    return Unheard(Reply(400, b"the request cannot be read\n", {"content-type": "text/plain"}), words)


# --- where they are ---------------------------------------------------------------------


def place(url: str) -> tuple[Place, str]:
    """Where a URL leads, and its path with its query. ValueError where it is none that could be asked."""
    try:
        where, _, target = parse(url)
    except BadURL as error:
        raise ValueError(str(error)) from None
    return where, target


def is_below(host: str, domains: Collection[str]) -> bool:
    """Whether it is one of these domains, or in one."""
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def words_of(handover: Handover) -> str:
    """The text of a message whose carrier has no place for a subject: it is the first line."""
    return "\n".join(filter(None, (handover.subject, handover.text)))
