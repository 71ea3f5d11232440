"""A scenario: what a carrier does, rule by rule, as a TOML file says it (docs/simulator.md).

The first rule that fits a submit, or a bind, is played. The shapes here are the format: their members, bounds and
meanings; the page of the docs is printed from them.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Struct

from messagehub.carriers.config import doc, members
from messagehub.carriers.simulator.ids import Form
from messagehub.errors import HubError
from messagehub.shapes import words
from messagehub.smpp.receipts import NUMBERS as STATES
from messagehub.smpp.statuses import NUMBERS
from messagehub.text import Way, cut

DAY = 86_400
MOST_RULES = 1000

Seconds = Annotated[float, msgspec.Meta(ge=0, le=DAY)]
Address = Annotated[str, msgspec.Meta(max_length=20, pattern=r"^\+?[\x20-\x7e]*\Z")]
Key = Literal["id", "sub", "dlvrd", "submit date", "done date", "stat", "err", "text"]
"""What the text of a receipt is made of: SMPP 3.4, appendix B."""

Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]
Octets2 = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class ScenarioError(HubError):
    """A scenario cannot be read. The message names the file, the rule and the member, and says what would be right."""


class When(
    Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True, rename={"source": "from"}
):
    """What the rule is for. All that is given must be so."""

    to: Annotated[Address, doc("the whole destination, with or without its `+`")] = ""
    to_prefix: Annotated[Address, doc("how the destination begins, likewise")] = ""
    to_suffix: Annotated[Address, doc("how the destination ends")] = ""
    source: Annotated[Address, doc("the whole source, with or without its `+`")] = ""
    system_id: Annotated[str, doc("who is bound, or binds; of an MMS its VASPID", max_length=15)] = ""
    part: Annotated[int, doc("the part of a long message, from 1; by its header or its `sar_` TLVs", ge=0, le=255)] = 0
    faster_than: Annotated[
        float, doc("submits per second; the rule is for those that are too many", ge=0, le=1_000_000)
    ] = 0
    nth: Annotated[int, doc("only the so manyth of those that all else fits, from 1", ge=0)] = 0
    first: Annotated[int, doc("only so many of them", ge=0)] = 0
    every: Annotated[int, doc("each so manyth of them", ge=0)] = 0
    per: Annotated[Literal["all", "destination", "bind"], doc("what is counted by itself, for the members above")] = (
        "all"
    )


class Response(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """The answer: a submit_sm_resp, or that of the bind. Other than `status`, `after` and `none`, all is of submits."""

    status: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)] | str,
        doc('a command_status: a name, such as `"ESME_RTHROTTLED"`, or a number; 0 accepts'),
    ] = 0
    after: Annotated[Seconds, doc("seconds until it is given")] = 0
    none: Annotated[bool, doc("it is never given")] = False
    id: Annotated[Form, doc("how the message's id is written")] = "usual"
    body: Annotated[
        Literal["usual", "none", "empty", "id", "unterminated"],
        doc(
            "`usual`: the id where it accepts, none where it refuses; `none`: nothing but the header; `empty`: one "
            "NUL; `id`: the id in any case; `unterminated`: the id without its NUL"
        ),
    ] = "usual"
    congestion: Annotated[Octet | None, doc("the TLV congestion_state, in percent (SMPP 5.0)")] = None
    times: Annotated[int, doc("how often it is given", ge=1, le=100)] = 1

    def __post_init__(self) -> None:
        if isinstance(self.status, str) and self.status not in NUMBERS:
            raise ValueError(f"status: there is no {self.status!r}; docs/smpp-statuses.md has all names")
        if self.none and (self.number or self.times > 1 or self.congestion is not None):
            raise ValueError("none: an answer that is never given has no other members")

    @property
    def number(self) -> int:
        """The command_status (SMPP 3.4, 5.1.3)."""
        return NUMBERS[self.status] if isinstance(self.status, str) else self.status


class Receipt(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """A receipt of what was accepted; it is sent if the submit asks for one."""

    stat: Annotated[str, doc("`stat` of the text, and message_state", min_length=1, max_length=20)] = "DELIVRD"
    err: Annotated[str, doc("`err` of the text: anything", max_length=20)] = "000"
    after: Annotated[Seconds | None, doc("seconds from the submit; by default those of `--receipt-delay`")] = None
    times: Annotated[int, doc("how often it is sent", ge=1, le=100)] = 1
    bind: Annotated[
        Literal["any", "same", "another"],
        doc("by which bind of the account it comes, seen from the submit; it waits until there is one"),
    ] = "any"
    pdu: Annotated[Literal["deliver_sm", "data_sm"], doc("what carries it; a data_sm has its text in the payload")] = (
        "deliver_sm"
    )
    esm_class: Annotated[
        Octet, doc("4 is a receipt; some carriers leave it 0; 68 claims a header that is not there")
    ] = 4
    by: Annotated[Literal["both", "text", "tlvs"], doc("what says it: the text, the TLVs, or both")] = "both"
    payload: Annotated[bool, doc("the text stands in message_payload")] = False
    keys: Annotated[tuple[Key, ...], doc("of the text, in this order; others are left out")] = get_args(Key)
    case: Annotated[Literal["usual", "upper", "lower", "title"], doc("how the keys are written")] = "usual"
    dates: Annotated[Literal[10, 12, 14], doc("digits of a date: without seconds, with them, and with the century")] = (
        10
    )
    alphabet: Annotated[
        Literal["ascii", "ucs2", "mislabelled"],
        doc("of the text; `mislabelled` is ASCII whose data_coding says UCS-2"),
    ] = "ascii"
    id: Annotated[
        Literal["as_is", Form, "previous", "unknown"],
        doc("the id as in the response, or another writing of it; or that of the submit before it, or of none"),
    ] = "as_is"
    swapped: Annotated[bool, doc("the recipient stands as the destination")] = False
    network_error: Annotated[Octets2 | None, doc("network_error_code of GSM, as a TLV")] = None

    def __post_init__(self) -> None:
        if self.by != "text" and self.stat not in STATES:
            raise ValueError(f'stat: {self.stat!r} is no message_state; with by = "text" any word will do')


class Inbound(
    Struct,
    forbid_unknown_fields=True,
    kw_only=True,
    frozen=True,
    omit_defaults=True,
    rename={"source": "from", "destination": "to"},
):
    """What a handset writes, as deliver_sm."""

    text: Annotated[str, doc("what it writes", max_length=30_000)]
    source: Annotated[Address, doc("the handset; by default the destination of the submit")] = ""
    destination: Annotated[Address, doc("to whom it writes; by default the source of the submit")] = ""
    after: Annotated[Seconds, doc("seconds until it does")] = 0
    concat: Annotated[Way, doc("how its parts are told to belong together")] = "udh8"
    reference: Annotated[Octets2 | None, doc("the number that the parts share; by default one after the other")] = None
    order: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=255)], ...],
        doc(
            "the parts that come, in this order; one may be missing, or come twice; by default each once",
            max_length=1000,
        ),
    ] = ()
    element_first: Annotated[bool, doc("another information element stands before that of concatenation")] = False
    drop: Annotated[bool, doc("the connection is dropped before the answer: it all comes again by the next bind")] = (
        False
    )

    def __post_init__(self) -> None:
        try:
            parts = len(cut(self.text, 0))
        except ValueError as error:
            raise ValueError(f"text: {error}") from None
        if beyond := [n for n in self.order if n > parts]:
            raise ValueError(f"order: there is no part {beyond[0]}, the text has {parts}")


class Say(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """Octets that no message centre should send."""

    what: Annotated[
        Literal[
            "garbage",
            "length_too_small",
            "length_too_large",
            "half_pdu",
            "cut_tlv",
            "unknown_command",
            "unknown_response",
            "stray_response",
            "octets",
        ],
        doc("`cut_tlv` is a message of the submit's destination with a TLV cut short; `octets` are those of `hex`"),
    ]
    hex: Annotated[str, doc("the octets", max_length=131_072)] = ""
    after: Annotated[Seconds, doc("seconds until they are sent")] = 0

    def __post_init__(self) -> None:
        try:
            given = bytes.fromhex(self.hex)
        except ValueError:
            raise ValueError("hex: expected an even number of hexadecimal digits") from None
        if bool(given) != (self.what == "octets"):
            raise ValueError('hex: it goes with what = "octets", and with nothing else')


class Connection(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """What becomes of the connection."""

    act: Annotated[
        Literal["drop", "reset", "unbind", "half_open"],
        doc(
            "`drop` closes it without an unbind, once all is written; `reset` at once; `half_open` keeps it, and "
            "neither hears nor says anything more"
        ),
    ]
    after: Annotated[Seconds, doc("seconds until then")] = 0


class Answer(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """The answer to an MMS: MM7's SubmitRsp."""

    status: Annotated[int, doc("the StatusCode; what is below 2000 accepts", ge=1000, le=9999)] = 1000
    text: Annotated[str, doc("the StatusText; by default the standard's", max_length=1000)] = ""
    details: Annotated[str, doc("the Details", max_length=1000)] = ""
    fault: Annotated[bool, doc("it is a SOAP fault with an RSErrorRsp")] = False
    http: Annotated[
        Annotated[int, msgspec.Meta(ge=200, le=599)] | None,
        doc("the HTTP status; from 400 it refuses. By default 200, and 500 with a fault"),
    ] = None
    retry_after: Annotated[int, doc("seconds in a Retry-After; 0: there is none", ge=0, le=DAY)] = 0
    after: Annotated[Seconds, doc("seconds until it is given")] = 0
    none: Annotated[bool, doc("it is never given")] = False
    id: Annotated[Form, doc("how the MessageID is written")] = "usual"
    body: Annotated[
        Literal["usual", "empty", "garbage", "half"],
        doc("`empty`: no octet; `garbage`: no XML; `half`: the connection ends in the middle of it"),
    ] = "usual"

    @property
    def refuses(self) -> bool:
        return self.status >= 2000 or (self.http or 200) >= 400


class Report(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """A delivery report of an MMS; it is sent if the MMS asks for one."""

    status: Annotated[str, doc("the MMStatus", min_length=1, max_length=40)] = "Retrieved"
    text: Annotated[str, doc("the StatusText", max_length=1000)] = ""
    after: Annotated[Seconds | None, doc("seconds from the submit; by default those of `--receipt-delay`")] = None
    times: Annotated[int, doc("how often it is sent", ge=1, le=100)] = 1
    id: Annotated[Literal["as_is", "unknown"], doc("the MessageID as in the answer, or one that nobody gave")] = "as_is"
    recipient: Annotated[
        Literal["usual", "plmn"], doc("`plmn`: with `/TYPE=PLMN` behind the number, as some write it")
    ] = "usual"


class Rule(Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """For whom it is, and what happens then."""

    name: Annotated[
        str, doc("by which it is counted in the control's `/stats`; by default `rule N`", max_length=100)
    ] = ""
    on: Annotated[
        Literal["submit", "bind", "mms"], doc("whether it is about a submit_sm (or data_sm), a bind, or an MMS")
    ] = "submit"
    when: Annotated[When, doc("which of them; by default all")] = When()
    response: Annotated[Response, doc("how it is answered; by default it is accepted at once")] = Response()
    receipts: Annotated[
        Annotated[tuple[Receipt, ...], msgspec.Meta(max_length=100)] | None,
        doc("by default one DELIVRD, and none where the answer refuses or is never given"),
    ] = None
    unsaid: Annotated[
        str, doc("message_state, such as `DELIVRD`, that query_sm is told though no receipt says it", max_length=20)
    ] = ""
    inbound: Annotated[tuple[Inbound, ...], doc("what handsets write then", max_length=100)] = ()
    say: Annotated[tuple[Say, ...], doc("what is said besides", max_length=100)] = ()
    connection: Annotated[Connection | None, doc("what becomes of the connection; by default nothing")] = None
    answer: Annotated[Answer, doc("how an MMS is answered; by default it is accepted at once")] = Answer()
    reports: Annotated[
        Annotated[tuple[Report, ...], msgspec.Meta(max_length=100)] | None,
        doc("of an MMS; by default one Retrieved, and none where the answer refuses or is never given"),
    ] = None

    def __post_init__(self) -> None:
        if self.receipts and self.response.number:
            raise ValueError("receipts: what is refused has none")
        if self.unsaid and self.unsaid not in STATES:
            raise ValueError(f"unsaid: {self.unsaid!r} is no message_state; {', '.join(STATES)} are")
        if self.on == "bind":
            self._check_bind()
        if self.on == "mms":
            self._check_mms()
        elif self.answer != Answer() or self.reports is not None:
            raise ValueError('answer, reports: they are of MMS, on = "mms"')

    def _check_bind(self) -> None:
        """Of a bind there is no message of which to speak."""
        for name, given, usual in (
            ("receipts", self.receipts, None),
            ("unsaid", self.unsaid, ""),
            ("when", self.when, When(**{name: getattr(self.when, name) for name in OF_BINDS})),
            (
                "response",
                self.response,
                Response(status=self.response.status, after=self.response.after, none=self.response.none),
            ),
        ):
            if given != usual:
                raise ValueError(f"{name}: of a bind there are only {ONLY[name]}")
        if any(not (one.source and one.destination) for one in self.inbound):
            raise ValueError("inbound: on a bind, `from` and `to` are required")
        if any(one.what == "cut_tlv" for one in self.say):
            raise ValueError("say: cut_tlv needs the addresses of a submit")
        if self.inbound and (self.response.number or self.response.none):
            raise ValueError("inbound: who is not let in hears nothing")

    def _check_mms(self) -> None:
        """It has an answer and reports of its own kind."""
        usual = Rule()
        for name in (*OF_SUBMITS, "response", "receipts"):
            if getattr(self, name) != getattr(usual, name):
                raise ValueError(f"{name}: of an MMS there are only answer and reports")
        if self.when.part or self.when.per == "bind":
            raise ValueError("when: an MMS has no parts, and comes by no bind")


OF_SUBMITS = ("unsaid", "inbound", "say", "connection")
OF_BINDS = ("system_id", "nth", "first", "every")
ONLY = {
    "receipts": "response, inbound, say and connection",
    "unsaid": "response, inbound, say and connection",
    "when": ", ".join(OF_BINDS),
    "response": "status, after and none",
}

SHAPES: tuple[tuple[str, type[Struct]], ...] = (
    ("[[rule]]", Rule),
    ("when", When),
    ("response", Response),
    ("receipts", Receipt),
    ("inbound", Inbound),
    ("say", Say),
    ("connection", Connection),
    ("answer", Answer),
    ("reports", Report),
)


def load(path: Path) -> tuple[Rule, ...]:
    """The rules of a file. Raises ScenarioError."""
    try:
        return read(tomllib.loads(path.read_text()), str(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from None


def read(table: Mapping[str, Any], name: str = "scenario") -> tuple[Rule, ...]:
    """The rules of what a file has said. Raises ScenarioError, which begins with `name`."""
    if strange := sorted(table.keys() - {"rule"}):
        raise ScenarioError(
            f"{name}: {strange[0]}: there is no such member; a scenario has rules, each begins with [[rule]]"
        )
    given = table.get("rule")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_RULES:
        raise ScenarioError(f"{name}: rule: expected 1 to {MOST_RULES} rules, each begins with [[rule]]")
    rules = tuple(_rule(one, f"{name}: {_called(one, n)}") for n, one in enumerate(given, start=1))
    names = [rule.name for rule in rules if rule.name]
    for n, rule in enumerate(rules, start=1):
        if names.count(rule.name) > 1:
            raise ScenarioError(f"{name}: rule {n}: name: another rule is called {rule.name!r}, too")
    return rules


def _called(rule: Any, n: int) -> str:
    called = rule.get("name") if isinstance(rule, dict) else None
    return f"rule {n} ({called})" if isinstance(called, str) and called else f"rule {n}"


def _rule(given: Any, place: str) -> Rule:
    try:
        return msgspec.convert(given, Rule)
    except msgspec.ValidationError as error:
        said = words(str(error), kind=Rule).removeprefix("the body: ")
        raise ScenarioError(f"{place}: {said}") from None


def as_markdown() -> str:
    """All tables of the format, as docs/scenarios.md shows them."""
    return "\n\n".join(_section(title, shape) for title, shape in SHAPES)


def _section(title: str, shape: type[Struct]) -> str:
    return f"## `{title}`\n\n{shape.__doc__}\n\n{members(shape)}"
