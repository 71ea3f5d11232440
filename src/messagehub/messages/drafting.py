"""Drafts: messages as far as their own words tell. Pure, but for the clock and the chance that an id is made of.

Most messages ask for nothing but a text, at once. What such a one says can be checked and counted by whoever has it,
without a store: it becomes a draft, which is accepted, or is not, by who knows its customer.
"""

from collections.abc import Sequence

from msgspec import UNSET, Struct

from messagehub import ids, numbers, text
from messagehub.accounts.customers import Customer
from messagehub.errors import Refusal
from messagehub.messages import options, variables
from messagehub.messages.lanes import OF_CLASS, OF_PRIORITY, TRANSACTIONAL
from messagehub.messages.options import Options
from messagehub.messages.rows import MessageRow, detail_of
from messagehub.messages.variables import Own
from messagehub.shapes import AddressGiven, MessageGiven

MAX_DESTINATIONS = 1000
SEPTETS = 160
"""Characters that one segment has at most."""

Destination = tuple[str, str]
"""A number, and what is told of it besides, as rows have it."""


class Draft(Struct, array_like=True, gc=False):
    """`parts`: segments of its text. `asks_customer`: whether its text is to be written better is left to whose it is.
    It was drafted as for one who does not want that."""

    id: str
    tm_create: int
    source: str
    source_detail: str
    destinations: list[Destination]
    text: str
    parts: int
    options: str | None
    on_doubt: str
    lane: int
    asks_customer: bool

    def row(self, customer_id: str) -> MessageRow:
        return MessageRow(
            id=self.id, customer_id=customer_id, direction="outbound", source=self.source,
            source_detail=self.source_detail, text=self.text, options=self.options, on_doubt=self.on_doubt,
            target_count=len(self.destinations), tm_create=self.tm_create,
        )  # fmt: skip

    def suits(self, customer: Customer) -> bool:
        """Whether it says what its customer would have it say."""
        return not (self.asks_customer and customer.smart_encoding)


class Drafting:
    def __init__(self, max_segments: int) -> None:
        self._max_segments = max_segments

    def draft(self, given: MessageGiven) -> Draft | None:
        """None for what needs more than its own words. Refusal names the member that is wrong."""
        if not _is_plain(given):
            return None
        source = AddressGiven(target=given.source) if isinstance(given.source, str) else given.source
        to = destinations_of(given.destinations)
        asks_customer = given.smart_encoding is UNSET
        asked, parts, own_texts = self.said(given, to, smart=given.smart_encoding is True)
        if source.type != "tel" or own_texts:
            return None
        id, tm_create = ids.new_with_time()
        return Draft(
            id, tm_create, source.target, detail_of(source), [(one.target, detail_of(one)) for one in to],
            given.text, parts, options.write(asked), given.on_doubt, lane_of(given, asked), asks_customer,
        )  # fmt: skip

    def said(
        self, given: MessageGiven, to: Sequence[AddressGiven], smart: bool, notice: str = ""
    ) -> tuple[Options, int, list[Own] | None]:
        """What is asked for, and how many segments that has; or the text of each, where these are not the same."""
        if variables.OPEN in given.text and (own := variables.own_texts(given.text, to, smart, self._check_length)):
            return options.asked(given, False, notice), 0, own
        self._check_length(given.text)
        asked = options.asked(given, smart, notice)
        return asked, self.parts(asked.text or given.text), None

    def parts(self, words: str, field: str = "text: it") -> int:
        if not words:
            raise Refusal("INVALID_TEXT", f"{field} is empty; a message needs a text")
        parts = text.count_parts(words)
        if parts > self._max_segments:
            raise self._too_many(f"{field} needs {parts} segments")
        return parts

    def _check_length(self, words: str, field: str = "text: it") -> None:
        """What is far too long is not worth the counting."""
        if len(words) > self._max_segments * SEPTETS:
            raise self._too_many(f"{field} has {len(words)} characters, which need more segments")

    def _too_many(self, needed: str) -> Refusal:
        most = self._max_segments
        return Refusal(
            "TOO_MANY_SEGMENTS", f"{needed}, where {most} are allowed; POST /messages/segments shows how it is cut"
        )


def _is_plain(given: MessageGiven) -> bool:
    """One text, that goes at once, to carriers of which nothing has to be known."""
    asks_for_time = given.schedule_at or given.spread_over is not UNSET or given.validity is not UNSET
    return not (asks_for_time or given.tlvs or given.medias or given.subject or given.fallback)


def lane_of(given: MessageGiven, asked: Options) -> int:
    return OF_CLASS.get(asked.traffic_class, TRANSACTIONAL) + OF_PRIORITY[given.priority]


def destinations_of(given: Sequence[str | AddressGiven]) -> list[AddressGiven]:
    if not 1 <= len(given) <= MAX_DESTINATIONS:
        raise Refusal(
            "TOO_MANY_DESTINATIONS", f"destinations: {len(given)} are given; a message has 1 to {MAX_DESTINATIONS}"
        )
    seen: dict[str, AddressGiven] = {}
    for n, one in enumerate(given):
        address = AddressGiven(target=one) if isinstance(one, str) else one
        if address.type != "tel":
            raise not_carried(address, f"destinations[{n}]", "INVALID_DESTINATION")
        if not numbers.is_e164(address.target):
            raise Refusal(
                "INVALID_DESTINATION",
                f"destinations[{n}].target: {address.target!r} is not E.164; "
                "a plus, then country code and number without spaces, such as +15559876543",
            )
        if address.target in seen:
            raise Refusal("DUPLICATE_DESTINATION", f"destinations[{n}].target: {address.target} stands twice")
        seen[address.target] = address
    return list(seen.values())


def not_carried(address: AddressGiven, field: str, reason: str) -> Refusal:
    return Refusal(reason, f"{field}.type: {address.type!r} is not carried here; only 'tel' is")
