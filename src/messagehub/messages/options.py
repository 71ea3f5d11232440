"""What a message asks for besides its text. It is kept as JSON in one column, which most messages leave NULL."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from messagehub import clock, shapes, text
from messagehub.accounts.customers import Customer
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.published import Published
from messagehub.shapes import MessageGiven
from messagehub.shapes.members import MessageKind

LATE = 60 * SECOND
"""How long ago a time may be that is taken for now."""

AHEAD_DAYS = 365


class Media(Struct, omit_defaults=True, array_like=True):
    """A medium of a message: as its customer gave it, and under which digest it is kept; empty until it is fetched."""

    url: str
    type: str = ""
    digest: str = ""
    size: int = 0
    name: str = ""


Times = tuple[int, int, tuple[int, ...]]
"""`schedule_at`, `first` and `kept`."""


class Options(Struct, omit_defaults=True):
    mms: bool = False
    """It is an MMS. The first member, so that rows can be told by how this begins."""
    text: str = ""
    """What is sent, where it is not what was written."""
    replaced: tuple[tuple[str, str], ...] = ()
    """Each character that is sent otherwise, and what is sent for it."""
    message_class: int | None = None
    """3GPP TS 23.038, section 4."""
    names_it: bool = False
    """It was asked for as `message_class`, and not as `class`."""
    tlvs: dict[str, int | str] = {}
    """By the names that carriers have for them."""
    traffic_class: str = ""
    schedule_at: int = 0
    """When the first is to go, in microseconds; see timing.py for this and what follows."""
    spread_over: int = 0
    """Seconds over which they go."""
    first: int = 0
    """The target that goes at `schedule_at`; those behind it follow, but for `kept`."""
    kept: tuple[int, ...] = ()
    before: tuple[Times, ...] = ()
    """The times it had, the newest first: those that had left when it was given another keep theirs."""
    since: int = 0
    """When it was accepted, where the clock had been set back, so that its id and `tm_create` say a later time."""
    validity: int = 0
    """Seconds for which each of them is good."""
    notice: str = ""
    """It answers a STOP, START or HELP, which must get through whoever is out."""
    pool: str = ""
    """The name of the pool that chose a source for each target."""
    smart: bool = False
    """Of an MMS: its text is to be written better where it goes as an SMS."""
    subject: str = ""
    medias: tuple[Media, ...] = ()
    fallback: str = ""
    """`link`: who cannot get the media gets an SMS that says where they are."""

    @property
    def is_wanting(self) -> bool:
        """Its media are not here yet."""
        return not all(one.digest for one in self.medias)


NONE = Options()

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Options).decode


def read(column: str | None) -> Options:
    return _decode(column) if column else NONE


def write(options: Options) -> str | None:
    return None if options is NONE else _encode(options).decode()


MARK = '{"mms":true'


def kind_of(column: str | None) -> MessageKind:
    """Without reading all of it."""
    return "mms" if column is not None and column.startswith(MARK) else "sms"


def is_smart(given: MessageGiven, customer: Customer) -> bool:
    """With smart encoding."""
    return customer.smart_encoding if given.smart_encoding is UNSET else given.smart_encoding


def asked(given: MessageGiven, smart: bool, notice: str = "") -> Options:
    """What is asked for. `smart`: its text is to be written better."""
    is_usual = given.class_ is UNSET and given.message_class is UNSET
    if is_usual and not (smart or given.tlvs or given.schedule_at or given.validity or given.spread_over or notice):
        return NONE
    options = Options(
        tlvs=given.tlvs,
        schedule_at=moment(given.schedule_at, clock.now()) if given.schedule_at else 0,
        spread_over=given.spread_over or 0,
        validity=given.validity or 0,
        notice=notice,
    )
    if not is_usual:
        _classify(options, given)
    if smart and (better := text.smart(given.text)).replaced:
        options.text = better.text
        options.replaced = tuple((one.character, one.replacement or "") for one in better.replaced)
    return NONE if options == NONE else options


def with_media(options: Options, given: MessageGiven, smart: bool, medias: tuple[Media, ...]) -> Options:
    """Of an MMS."""
    return replace(options, mms=True, subject=given.subject, medias=medias, fallback=given.fallback, smart=smart)


def with_found(options: Options, medias: Sequence[Media]) -> Options:
    """What its media turned out to be."""
    return replace(options, medias=tuple(medias))


def moment(given: str, now: int) -> int:
    """The time that was given, or now, in microseconds. Refusal where that is no time, is over, or too far ahead."""
    try:
        at = clock.parse(given)
    except (ValueError, OverflowError):
        raise _unfit(f"{given!r} is no time; write RFC 3339, such as 2026-01-31T10:30:00Z") from None
    if at < now - LATE:
        raise _unfit(f"{given!r} is over; now it is {clock.iso(now)}")
    if at > now + AHEAD_DAYS * 24 * 3600 * SECOND:
        raise _unfit(f"{given!r} is more than {AHEAD_DAYS} days ahead")
    return max(at, now)


def _unfit(words: str) -> Refusal:
    return Refusal("INVALID_SCHEDULE", f"schedule_at: {words}")


def _classify(options: Options, given: MessageGiven) -> None:
    """`class` says one of two things, and which of them its type tells."""
    if isinstance(given.class_, str):
        options.traffic_class = given.class_
    elif given.class_ is not UNSET:
        options.message_class = given.class_
    if given.message_class is not UNSET:
        if options.message_class is not None:
            raise Refusal("INVALID_ARGUMENT", "class: a number says the same as message_class; give one of them")
        options.message_class, options.names_it = given.message_class, True


def by_pool(options: Options, name: str) -> Options:
    return replace(options, pool=name)


def show(shape: shapes.Message, column: str, write_time: Callable[[int], str]) -> None:
    """Adds to a message what it asked for."""
    options = _decode(column)
    if options.mms:
        shape.type, shape.subject, shape.medias = "mms", options.subject, media_shapes(options)
    if options.fallback:
        shape.fallback = "link"
    if options.text:
        shape.sent_text, shape.replaced = options.text, forcings(options.replaced)
    if options.traffic_class:
        shape.class_ = cast(shapes.TrafficClass, options.traffic_class)
    if options.message_class is not None:
        setattr(shape, "message_class" if options.names_it else "class_", options.message_class)
    if options.schedule_at:
        shape.schedule_at = write_time(options.schedule_at)
    if options.spread_over:
        shape.spread_over = options.spread_over
    if options.validity:
        shape.validity = options.validity
    if options.tlvs:
        shape.tlvs = options.tlvs
    if options.pool:
        shape.source.type, shape.source.target = "pool", options.pool


def media_shapes(options: Options) -> list[shapes.Media]:
    return [
        shapes.Media(type=each.type, url=each.url, size=each.size or UNSET, name=each.name or UNSET)
        for each in options.medias
    ]


def renew(shown: Sequence[shapes.Media], row: Any, published: Published, now: int) -> None:
    """Gives what is kept here addresses that can be used for a while again. `shown` is of the message of this row."""
    for shape, media in zip(shown, _decode(row.options).medias, strict=True):
        if row.direction == "outbound":
            shape.url = published.renewed(media.url, now)
        elif media.digest:  # any other address is the carrier's, whatever it looks like
            shape.url = published.url(media.digest, now)


def said(row: Any) -> str:
    """What somebody says with a message: its text, or where an MMS has none, its subject."""
    words: str = row.text
    return words if words or not row.options else read(row.options).subject


def forcings(replaced: Iterable[tuple[str, str]]) -> list[shapes.Replaced]:
    return [shapes.Replaced(*pair) for pair in replaced]


def sent_text(row: Any) -> str:
    """The text of a message as it is sent."""
    words: str = row.text
    return (read(row.options).text or words) if row.options else words
