"""Who wants no messages, who has agreed to get some, and where people live."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from messagehub.shapes.members import E164, EventType, Request

OptOutStatus = Literal["opted_out", "probable", "opted_in"]
OptOutSource = Literal["keyword", "probable", "api", "import", "carrier"]
Scope = Annotated[str, Meta(max_length=80)]
"""`customer`, `group:NAME` or `number:+15551234567`."""
Evidence = Annotated[str, Meta(max_length=2000)]


class OptOutGiven(Request):
    address: E164
    scope: Scope = "customer"
    words: Evidence = ""
    """What the person said, or why it is entered."""
    customer_id: str = ""
    """Whose; for the operator."""


class OptOut(Struct, kw_only=True):
    """How things stand with a person."""

    id: str
    customer_id: str
    address: str
    scope: str
    """What it is about: `customer` (all messages), `group:NAME` or `number:+15551234567`."""
    status: OptOutStatus
    """`probable`: a sentence that looks like an opt-out; whether it counts is the customer's `probable_opt_outs`."""
    source: OptOutSource
    """Of what was said last."""
    tm_said: str
    """When that was."""
    tm_create: str
    tm_update: str


class OptOutEvent(Struct, kw_only=True):
    """What was said of it once. It stays as it is."""

    id: str
    status: OptOutStatus
    source: OptOutSource
    message_id: str
    """The message that said it; empty where none did."""
    words: str
    actor: str
    """Who entered it: the id of an access key's or login's customer; empty where a person wrote it."""
    tm_said: str
    tm_create: str


class OptOutTold(Struct, kw_only=True):
    """The `data` of a webhook about an opt-out: what somebody has said."""

    id: str
    customer_id: str
    address: str
    scope: str
    status: OptOutStatus
    source: OptOutSource
    message_id: str
    words: str
    tm_said: str


class OptOutNews(Struct):
    """The body of that webhook."""

    type: EventType
    data: OptOutTold


class OptOutInFull(OptOut, kw_only=True):
    history: list[OptOutEvent]
    """The newest first, a hundred at most."""


class RefusedLine(Struct):
    line: int
    """From 1, the header counted."""
    message: str


class Imported(Struct, kw_only=True):
    lines: int
    """Without the header and empty ones."""
    opted_out: int
    """Who is newly out."""
    probable: int
    """Who is newly `probable`, by the `status` of the line."""
    unchanged: int
    """Who was out already, or has come back since."""
    refused: int
    errors: list[RefusedLine]
    """The first hundred of what was refused; all else was imported."""


class ConsentGiven(Request):
    address: E164
    method: Annotated[str, Meta(min_length=1, max_length=64)]
    """How: web_form, keyword, paper, call, …"""
    scope: Scope = "customer"
    words: Evidence = ""
    """What was agreed to, as the person read it."""
    evidence: Evidence = ""
    """Where that can be seen: a URL, the number of a form."""
    ip: Annotated[str, Meta(max_length=45)] = ""
    tm_given: str = ""
    """Empty: now."""
    customer_id: str = ""
    """Whose; for the operator."""


class WithdrawalGiven(Request):
    words: Evidence = ""


class Consent(Struct, kw_only=True):
    id: str
    customer_id: str
    address: str
    scope: str
    method: str
    words: str
    evidence: str
    ip: str
    actor: str
    """The customer that entered it."""
    tm_given: str
    tm_withdraw: str
    """When it was withdrawn; the year 9999 is never."""
    withdrawn_by: str
    withdrawn_words: str
    tm_create: str


class ContactGiven(Request):
    address: E164
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)]
    """A name of the IANA database, such as America/Chicago."""
    customer_id: str = ""
    """Whose; for the operator."""


class Contact(Struct, kw_only=True):
    """What you know of a person besides the number."""

    id: str
    customer_id: str
    address: str
    time_zone: str
    tm_create: str
    tm_update: str
