"""What a message asks for besides its text. It is kept as JSON in one column, which most messages leave NULL."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from messagehub import shapes, text
from messagehub.accounts.customers import Customer
from messagehub.errors import Refusal
from messagehub.routing import Table
from messagehub.shapes import MessageGiven

MOST_TLVS = 4096
"""Characters of all values of a message together: many peers take no PDU of more than 16 KiB."""


class Options(Struct, omit_defaults=True):
    text: str = ""
    """What is sent, where it is not what was written."""
    replaced: tuple[tuple[str, str], ...] = ()
    """Each character that is sent otherwise, and what is sent for it."""
    message_class: int | None = None
    """3GPP TS 23.038, section 4."""
    tlvs: dict[str, int | str] = {}
    """By the names that carriers have for them."""
    pool: str = ""
    """The name of the pool that chose a source for each target."""


NONE = Options()

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Options).decode


def read(column: str | None) -> Options:
    return _decode(column) if column else NONE


def write(options: Options) -> str | None:
    return None if options is NONE else _encode(options).decode()


def asked(given: MessageGiven, customer: Customer) -> Options:
    """What is asked for by the message, or by its customer for all of them."""
    smart = customer.smart_encoding if given.smart_encoding is UNSET else given.smart_encoding
    if not (smart or given.tlvs or given.class_ is not UNSET):
        return NONE
    options = Options(message_class=None if given.class_ is UNSET else given.class_, tlvs=given.tlvs)
    if smart and (better := text.smart(given.text)).replaced:
        options.text = better.text
        options.replaced = tuple((one.character, one.replacement or "") for one in better.replaced)
    return NONE if options == NONE else options


def by_pool(options: Options, name: str) -> Options:
    return replace(options, pool=name)


def check_tlvs(tlvs: dict[str, int | str], table: Table, customer_id: str, destinations: Iterable[str]) -> None:
    """Refusal for a TLV that none of the carriers for a destination knows, or whose value does not fit one of them."""
    if (size := sum(len(str(value)) for value in tlvs.values())) > MOST_TLVS:
        raise Refusal("INVALID_TLV", f"tlvs: {size} characters in all, where {MOST_TLVS} are allowed")
    for destination in destinations:
        routes = table.choose(destination, customer_id, lambda: 0.0)
        known = [table.tlvs.get(route.carrier_id, {}) for route in routes]
        for name, value in tlvs.items() if routes else ():
            kinds = [tlvs_of_one[name] for tlvs_of_one in known if name in tlvs_of_one]
            if not kinds:
                raise Refusal("INVALID_TLV", f"tlvs.{name}: no carrier for {destination} has a TLV of this name")
            for kind in kinds:
                if why := kind.misfit(value):
                    raise Refusal("INVALID_TLV", f"tlvs.{name}: {why}")


def show(shape: shapes.Message, column: str) -> None:
    """Adds to a message what it asked for."""
    options = _decode(column)
    if options.text:
        shape.sent_text, shape.replaced = options.text, forcings(options.replaced)
    if options.message_class is not None:
        shape.class_ = options.message_class
    if options.tlvs:
        shape.tlvs = options.tlvs
    if options.pool:
        shape.source.type, shape.source.target = "pool", options.pool


def forcings(replaced: Iterable[tuple[str, str]]) -> list[shapes.Replaced]:
    return [shapes.Replaced(*pair) for pair in replaced]


def sent_text(row: Any) -> str:
    """The text of a message as it is sent."""
    words: str = row.text
    return (read(row.options).text or words) if row.options else words
