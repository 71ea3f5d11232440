"""User data headers: 3GPP TS 23.040, section 9.2.3.24.

A header is a list of information elements in any order; nothing here looks for one at a fixed place.
"""

from collections.abc import Iterable

from msgspec import Struct

# Identifiers of concatenation, with the octets that their reference takes (9.2.3.24.1 and 9.2.3.24.8).
REFERENCE_OCTETS = {0x00: 1, 0x08: 2}
# Identifiers of application ports, with the octets that each of the two takes (9.2.3.24.3 and 9.2.3.24.4).
PORT_OCTETS = {0x04: 1, 0x05: 2}
# Identifiers of national language tables (9.2.3.24.15 and 9.2.3.24.16): one octet, the language.
SINGLE_SHIFT, LOCKING_SHIFT = 0x24, 0x25


class Element(Struct, frozen=True):
    """One information element: its identifier (0..255) and the octets that it carries."""

    identifier: int
    data: bytes


class Concatenation(Struct, frozen=True):
    """Part `sequence` (from 1) of `total`; `reference` is a number of `width` bits, 8 or 16, that the parts share."""

    reference: int
    total: int
    sequence: int
    width: int

    @property
    def element(self) -> Element:
        """OverflowError unless the reference fits its width; ValueError unless the others fit an octet."""
        identifier = 0x00 if self.width == 8 else 0x08
        reference = self.reference.to_bytes(REFERENCE_OCTETS[identifier])
        return Element(identifier, reference + bytes((self.total, self.sequence)))


class Ports(Struct, frozen=True):
    """The applications that a message is from and for; numbers of `width` bits, 8 or 16."""

    destination: int
    source: int
    width: int


class UserData(Struct, frozen=True):
    """User data taken apart. Where `intact` is False no header could be read, and `payload` is all there was."""

    elements: tuple[Element, ...]
    payload: bytes
    intact: bool = True

    def element(self, identifier: int) -> bytes | None:
        """The data of an element; where it is there twice, the last counts (9.2.3.24). None if there is none."""
        found = (element.data for element in reversed(self.elements) if element.identifier == identifier)
        return next(found, None)

    @property
    def concatenation(self) -> Concatenation | None:
        """Which part of which message this is; the last element that says so counts, be it of 8 or of 16 bits."""
        return next(filter(None, map(_concatenation, reversed(self.elements))), None)

    @property
    def ports(self) -> Ports | None:
        """None for a message that is for a person. The last element that says so counts."""
        return next(filter(None, map(_ports, reversed(self.elements))), None)


def parse_user_data(octets: bytes) -> UserData:
    """Take apart user data that begins with a header (UDHI set). Never raises.

    Some peers set UDHI where there is no header, on receipts for one. So what does not add up as a header stays in the
    payload, and nothing is lost.
    """
    start = 1 + int.from_bytes(octets[:1])
    elements = _elements(octets[1:start]) if start <= len(octets) else None
    if elements is None:
        return UserData((), octets, intact=False)
    return UserData(elements, octets[start:])


def build_header(elements: Iterable[Element]) -> bytes:
    """A user data header with its length in front. ValueError where an element, or all of them, exceed 255 octets."""
    fields = b"".join(bytes((element.identifier, len(element.data))) + element.data for element in elements)
    return bytes((len(fields),)) + fields


def concatenation_header(reference: int, total: int, sequence: int) -> bytes:
    """The six octets `05 00 03 rr tt ss` (9.2.3.24.1). ValueError unless each argument fits an octet."""
    return bytes((5, 0x00, 3, reference, total, sequence))


def _elements(header: bytes) -> tuple[Element, ...] | None:
    elements, at = [], 0
    while at < len(header):
        start = at + 2
        end = start + int.from_bytes(header[at + 1 : start])
        if end > len(header):
            return None
        elements.append(Element(header[at], header[start:end]))
        at = end
    return tuple(elements)


def _concatenation(element: Element) -> Concatenation | None:
    size = REFERENCE_OCTETS.get(element.identifier)
    if size is None or len(element.data) != size + 2:
        return None
    total, sequence = element.data[size:]
    if not 1 <= sequence <= total:  # such an element is to be ignored as a whole (9.2.3.24.1)
        return None
    return Concatenation(int.from_bytes(element.data[:size]), total, sequence, 8 * size)


def _ports(element: Element) -> Ports | None:
    size = PORT_OCTETS.get(element.identifier)
    if size is None or len(element.data) != 2 * size:
        return None
    return Ports(int.from_bytes(element.data[:size]), int.from_bytes(element.data[size:]), 8 * size)
