"""What each action wants to know: the shapes of their options. docs/flows.md is printed from here."""

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct, field

from messagehub import ids, numbers
from messagehub.flows.variables import has_variables, misfit, stood_in
from messagehub.messages import mms
from messagehub.people import zones
from messagehub.shapes import AddressGiven, Fallback, MediaGiven, TrafficClass

Comparison = Literal["==", "!=", ">", ">=", "<", "<="]
Method = Literal["POST", "GET", "PUT", "PATCH", "DELETE"]

YEAR_MS = 366 * 24 * 3600 * 1000
DAY_MS = 24 * 3600 * 1000
MOST_LOOPS = 1000


def doc(meaning: str, **bounds: Any) -> Meta:
    return Meta(description=meaning, **bounds)


Milliseconds = Annotated[int, Meta(ge=0, le=YEAR_MS)]
OtherwiseAt = Annotated[str, doc("Where it goes on when it is not so; when it is, at the next action.", min_length=1)]
Address = str | AddressGiven
Wrong = Iterator[tuple[str, str]]
"""Members, and what is wrong with them."""


class Option(Struct, forbid_unknown_fields=True):
    """The options of one kind of action."""

    def wrong(self) -> Wrong:
        """What a shape cannot say. What has variables is looked at when they have values."""
        yield from ()


class Said(Option):
    """What a message says."""

    text: Annotated[str, doc("What is sent; may be empty where there are medias.", max_length=40_800)] = ""
    medias: Annotated[
        list[MediaGiven],
        doc("As of `POST /messages`: each a `url` and its `type`; with any of them it is an MMS.", max_length=10),
    ] = []
    subject: Annotated[str, doc("Of an MMS: one line.", max_length=200)] = ""
    fallback: Annotated[
        Fallback, doc("For whom the medias cannot be got to: `link` sends an SMS that says where they are.")
    ] = ""

    def wrong(self) -> Wrong:
        if not (self.text or self.medias):
            yield "text", "a message needs a text, or medias"
        if self.fallback and not self.medias:
            yield "fallback", "it is for messages with medias"
        for n, media in enumerate(self.medias):
            if why := _wrong_url(media.url):
                yield f"medias[{n}].url", why
            if not has_variables(media.type) and (why := mms.wrong_type(media.type)):
                yield f"medias[{n}].type", why


class MessageSend(Said):
    source: Annotated[
        Address,
        doc("One of your numbers, as a string or an Address, or a pool; left out: the number that was written to."),
    ] = ""
    destinations: Annotated[
        list[Address], doc("E.164 numbers, as strings or Addresses; left out: the person who wrote.", max_length=1000)
    ] = []
    class_: Annotated[TrafficClass, doc("Of the message: marketing needs consent, and keeps to quiet hours.")] = field(
        default="transactional", name="class"
    )
    validity: Annotated[int, doc("Seconds after which it is not sent any more; 0: none.", ge=0, le=2_592_000)] = 0

    def wrong(self) -> Wrong:
        yield from Said.wrong(self)
        yield from self._wrong_source()
        seen = set[str]()
        for n, address in enumerate(self.destinations):
            target = target_of(address)
            if type_of(address) != "tel":
                yield f"destinations[{n}].type", f"{type_of(address)!r} is not carried here; only 'tel' is"
            if has_variables(target):
                continue
            if not numbers.is_e164(target):
                yield f"destinations[{n}]", f"{target!r} is not E.164, such as +15559876543"
            if target in seen:
                yield f"destinations[{n}]", f"{target} stands twice"
            seen.add(target)

    def _wrong_source(self) -> Wrong:
        kind, target = type_of(self.source), target_of(self.source)
        if kind not in ("tel", "pool"):
            yield "source.type", f"{kind!r} is not carried here; only 'tel' and 'pool' are"
        if kind == "tel" and target and not (has_variables(target) or numbers.can_be_owned(target)):
            yield "source", f"{target!r} can be nobody's number; GET /numbers lists yours"


class ConversationSend(Said):
    conversation_id: Annotated[
        str, doc("One of your conversations; left out: the one between the number and the person.")
    ] = ""
    sync: Annotated[bool, doc("Means nothing: a message is stored before the next action either way.")] = False

    def wrong(self) -> Wrong:
        yield from Said.wrong(self)
        given = self.conversation_id
        if given not in ("", ids.UNSET) and not has_variables(given) and not ids.is_id(given.lower()):
            yield "conversation_id", f"{given!r} is no UUID"


class VariableSet(Option):
    key: Annotated[str, doc("Its name; those that begin with `voipbin.` are set by the program.", max_length=255)]
    value: Annotated[str, doc("Its value.")] = ""

    def wrong(self) -> Wrong:
        if not has_variables(self.key) and (why := misfit(self.key)):
            yield "key", why


class ConditionVariable(Option, kw_only=True):
    condition: Annotated[Comparison, doc("How the variable is compared.")]
    variable: Annotated[str, doc("A variable: its name, or `${name}`; or any text with variables.", min_length=1)]
    value_type: Annotated[
        Literal["string", "number", "length"],
        doc("As what it is compared: a text, a number, or by its length in characters."),
    ] = "string"
    value_string: Annotated[str, doc("With what, for `string`.")] = ""
    value_number: Annotated[float, doc("With what, for `number`. What is no number fulfils `!=` only.")] = 0
    value_length: Annotated[int, doc("With what, for `length`.", ge=0)] = 0
    false_target_id: OtherwiseAt


class ConditionDatetime(Option, kw_only=True):
    condition: Annotated[
        Comparison, doc("How the time is compared with the members given, from month to minute, as one moment.")
    ]
    minute: Annotated[int, doc("-1 is any.", ge=-1, le=59)] = -1
    hour: Annotated[int, doc("-1 is any.", ge=-1, le=23)] = -1
    day: Annotated[int, doc("Of the month; 0 or -1 is any.", ge=-1, le=31)] = -1
    month: Annotated[int, doc("0 or -1 is any.", ge=-1, le=12)] = -1
    weekdays: Annotated[
        list[Annotated[int, Meta(ge=0, le=6)]], doc("It must be one of these as well; 0 is Sunday. None is any.")
    ] = []
    timezone: Annotated[str, doc("Whose time it is, such as `Europe/Berlin`.", max_length=64)] = "UTC"
    false_target_id: OtherwiseAt

    def wrong(self) -> Wrong:
        if not has_variables(self.timezone) and zone(self.timezone) is None:
            yield "timezone", f"{self.timezone!r} is no time zone of the IANA database, such as Europe/Berlin"


class Branch(Option):
    variable: Annotated[str, doc("A variable: its name, or `${name}`.", min_length=1)]
    target_ids: Annotated[dict[str, str], doc("By its value: where it goes on.", min_length=1, max_length=100)]
    default_target_id: Annotated[str, doc("Where for any other value; left out: at the next action.")] = ""


class Goto(Option):
    target_id: Annotated[str, doc("Where it goes on.", min_length=1)]
    loop_count: Annotated[
        int, doc("How often it does so, before it goes on at the next action.", ge=0, le=MOST_LOOPS)
    ] = 1


class WaitReply(Option):
    timeout: Annotated[Milliseconds, doc("Milliseconds for which a reply is waited for, up to a year.")] = DAY_MS
    variable: Annotated[str, doc("The variable that gets the text of the reply.", max_length=255)] = "reply"
    timeout_target_id: Annotated[
        str, doc("Where it goes on when none came; left out: the flow ends, as `no_reply`.")
    ] = ""

    def wrong(self) -> Wrong:
        if not has_variables(self.variable) and (why := misfit(self.variable)):
            yield "variable", why


class Sleep(Option):
    duration: Annotated[Milliseconds, doc("Milliseconds, up to a year.")]


class WebhookSend(Option):
    uri: Annotated[
        str,
        doc(
            "Where to. What a variable puts into it is percent-encoded, but for one that it begins with.",
            min_length=1,
            max_length=2000,
        ),
    ]
    method: Annotated[Method, doc("")] = "POST"
    data_type: Annotated[str, doc("The Content-Type.", max_length=100)] = "application/json"
    data: Annotated[str, doc("The body. What is JSON before variables have values stays JSON with any values.")] = ""
    sync: Annotated[
        bool,
        doc(
            "Whether the flow waits for the answer, and asks up to four times; its status is then in "
            "`voipbin.webhook.status`, which is empty where there was none. Otherwise it is sent once and forgotten."
        ),
    ] = False

    def wrong(self) -> Wrong:
        if why := _wrong_url(self.uri):
            yield "uri", why
        if not has_variables(self.data_type) and not (self.data_type.isascii() and self.data_type.isprintable()):
            yield "data_type", f"{self.data_type!r} is no media type"


class Fetch(Option):
    event_url: Annotated[
        str, doc('Where to. It is sent `{"activeflow_id", "reference_id"}`.', min_length=1, max_length=2000)
    ]
    event_method: Annotated[Method, doc("")] = "POST"

    def wrong(self) -> Wrong:
        if why := _wrong_url(self.event_url):
            yield "event_url", why


class FetchFlow(Option):
    flow_id: Annotated[str, doc("One of your flows.")]

    def wrong(self) -> Wrong:
        if not has_variables(self.flow_id) and not ids.is_id(self.flow_id.lower()):
            yield "flow_id", f"{self.flow_id!r} is no UUID"


class Nothing(Option):
    """Actions without options."""


def target_of(address: Address) -> str:
    return address if isinstance(address, str) else address.target


def type_of(address: Address) -> str:
    return "tel" if isinstance(address, str) else address.type


def _wrong_url(url: str) -> str:
    """What is wrong with it whatever its variables hold. One that it begins with may be all of it."""
    return mms.wrong_url(given) if (given := stood_in(url)) else ""


def zone(name: str) -> tzinfo | None:
    try:
        return UTC if name == "UTC" else ZoneInfo(name) if zones.is_zone(name) else None
    except (KeyError, ValueError, OSError):
        return None


def members(option: type[Option]) -> dict[str, dict[str, Any]]:
    """The members by name, each as JSON Schema has it."""
    (schema,), shapes = msgspec.json.schema_components([option])
    found: dict[str, dict[str, Any]] = shapes[schema["$ref"].rpartition("/")[2]]["properties"]
    return found
