"""What handsets write, in parts where it is long; and the parts in whatever disorder a scenario asks for."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from messagehub.carriers.simulator import scenario
from messagehub.carriers.simulator.outbox import Delivery
from messagehub.carriers.translate import INTERNATIONAL_TON, with_segment
from messagehub.smpp import PDU, encode
from messagehub.text import Element, Profile, Segment, build_header, cut, parse_user_data

PORTS = Element(0x04, bytes((240, 240)))
"""An information element that says nothing to a person: ports that are reserved (TS 23.040, 9.2.3.24.3)."""

# type of number and numbering plan (5.2.5, 5.2.6) by the look of an address; the first that matches
_ADDRESSES: tuple[tuple[re.Pattern[str], int, int], ...] = (
    (re.compile(r"\+\d+", re.ASCII), 1, 1),  # international, E.164
    (re.compile(r"\d{1,6}", re.ASCII), 3, 0),  # short code
    (re.compile(r"\d+", re.ASCII), 0, 1),  # who knows
    (re.compile(r".*", re.DOTALL), 5, 0),  # alphanumeric
)


def written(given: scenario.Inbound, reference: int) -> list[Delivery]:
    """The parts, in the order in which they come. Raises ValueError where an address or the text cannot be."""
    source, destination = given.source, given.destination
    addresses = _address("source_addr", "source", source) | _address("destination_addr", "dest", destination)
    number = reference if given.reference is None else given.reference
    segments = cut(given.text, number, Profile(concatenation=given.concat))
    parts = [_part(addresses, segment, given.element_first) for segment in segments]
    encode(PDU("deliver_sm", fields=parts[0].fields))  # now, while whoever asked can be told
    return [parts[n - 1] for n in given.order] or parts


def addressed(given: scenario.Inbound, fields: Mapping[str, Any]) -> scenario.Inbound:
    """With the addresses of a submit, the other way round, where it has none of its own."""
    source = given.source or _shown(fields["dest_addr_ton"], fields["destination_addr"])
    destination = given.destination or _shown(fields["source_addr_ton"], fields["source_addr"])
    return replace(given, source=source, destination=destination)


def _shown(ton: int, address: str) -> str:
    return f"+{address}" if ton == INTERNATIONAL_TON and address.isdecimal() else address


def _address(field: str, side: str, address: str) -> dict[str, Any]:
    ton, npi = next((ton, npi) for form, ton, npi in _ADDRESSES if form.fullmatch(address))
    return {f"{side}_addr_ton": ton, f"{side}_addr_npi": npi, field: address.removeprefix("+")}


def _part(addresses: dict[str, Any], segment: Segment, element_first: bool) -> Delivery:
    if element_first:
        segment = _with_element(segment)
    fields, tlvs = with_segment(segment, addresses)
    return Delivery(fields, tlvs or {}, is_receipt=False)


def _with_element(segment: Segment) -> Segment:
    elements: tuple[Element, ...] = ()
    octets = segment.octets
    if segment.udhi:
        read = parse_user_data(octets)
        elements, octets = read.elements, read.payload
    header = build_header((PORTS, *elements))
    return replace(segment, udhi=True, octets=header + octets)
