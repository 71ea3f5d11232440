"""The kinds of element that MM7 knows (3GPP TS 23.140, release 6, annex L). A kind reads and writes one value.

`read(element, odd)` gives the value, and appends to `odd` what it had to pass over; it raises ValueError. `write(name,
value)` gives XML or raises ValueError, which names what does not fit.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol, get_args

from msgspec import Struct

from messagehub.mms import documents, moments
from messagehub.mms.documents import Element

AddressKind = Literal["Number", "ShortCode", "RFC2822Address"]
_PLMN = "/TYPE=PLMN"  # how MM4 writes a number, which some MMSCs pass on
_LONGEST_SHORT_CODE = 6


class Address(Struct, frozen=True):
    """`Number` is E.164 or national, `ShortCode` a service's, `RFC2822Address` an e-mail address.

    `id`: by which the MMSC knows the address. `coding`: "encrypted" or "obfuscated" where it is not the address itself.
    """

    kind: AddressKind
    value: str
    display_only: bool = False
    coding: str = ""
    id: str = ""


class Kind(Protocol):
    """One type of element."""

    def read(self, element: Element, odd: list[str]) -> Any: ...
    def write(self, name: str, value: Any) -> str: ...


class Text(Struct, frozen=True):
    """A text, without the space around it."""

    def read(self, element: Element, odd: list[str]) -> str:
        return " ".join(element.texts())

    def write(self, name: str, value: str) -> str:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no text")
        return documents.element(name, documents.text(value))


class Integer(Struct, frozen=True):
    """An integer of nine digits at most, not negative."""

    def read(self, element: Element, odd: list[str]) -> int:
        text = " ".join(element.texts())
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise ValueError(f"{text[:60]!r} is no integer")
        return int(text)

    def write(self, name: str, value: int) -> str:
        if type(value) is not int or not 0 <= value < 10**9:
            raise ValueError(f"{value!r} is no integer of nine digits at most")
        return documents.element(name, str(value))


class Flag(Struct, frozen=True):
    """A boolean."""

    def read(self, element: Element, odd: list[str]) -> bool:
        return _flag(" ".join(element.texts()))

    def write(self, name: str, value: bool) -> str:
        return documents.element(name, _write_flag(value))


def _flag(text: str) -> bool:
    try:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.strip().lower()]
    except KeyError:
        raise ValueError(f"{text[:60]!r} is neither true nor false") from None


def _write_flag(value: bool) -> str:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither True nor False")
    return "true" if value else "false"


class Word(Struct, frozen=True):
    """One of some words, read in any case. Where it `is_open`, other words are kept as they are."""

    words: tuple[str, ...]
    is_open: bool = False

    def read(self, element: Element, odd: list[str]) -> str:
        text = " ".join(element.texts())
        for word in self.words:
            if word.lower() == text.lower():
                return word
        if not self.is_open or not text:
            raise ValueError(f"{text[:60]!r} is none of {', '.join(self.words)}")
        return text

    def write(self, name: str, value: str) -> str:
        if value not in self.words:
            raise ValueError(f"{value!r} is none of {', '.join(self.words)}")
        return documents.element(name, value)


class Moment(Struct, frozen=True):
    """A datetime with a zone, read as UTC; where it `may_be_span`, also a timedelta from now on."""

    may_be_span: bool = False

    def read(self, element: Element, odd: list[str]) -> Any:
        return self._checked(moments.read(" ".join(element.texts())))

    def write(self, name: str, value: Any) -> str:
        if not hasattr(value, "tzinfo") and not hasattr(value, "days"):
            raise ValueError(f"{value!r} is no time")
        return documents.element(name, moments.write(self._checked(value)))

    def _checked(self, value: Any) -> Any:
        if hasattr(value, "days") and not self.may_be_span:
            raise ValueError(f"{value} is a span where a moment is wanted")
        return value


class Attributes(Struct, frozen=True):
    """An element without content, as a dict of its attributes: `flags` are booleans, all others texts."""

    names: tuple[str, ...]
    flags: tuple[str, ...] = ()

    def read(self, element: Element, odd: list[str]) -> dict[str, Any]:
        values: dict[str, Any] = {name: element.attributes[name] for name in self.names if name in element.attributes}
        for name in self.flags:
            if name in element.attributes:
                values[name] = _flag(element.attributes[name])
        return values

    def write(self, name: str, value: Mapping[str, Any]) -> str:
        if strange := value.keys() - {*self.names, *self.flags}:
            raise ValueError(f"no such attribute: {', '.join(sorted(map(str, strange)))}")
        shown = {key: _write_flag(value[key]) if key in self.flags else value[key] for key in value}
        if wrong := [key for key in shown if not isinstance(shown[key], str)]:
            raise ValueError(f"{wrong[0]}: {shown[wrong[0]]!r} is no text")
        return documents.element(name, "", shown)


class OneAddress(Struct, frozen=True):
    """An Address. Several MMSCs write the bare number, without the element that says its kind."""

    def read(self, element: Element, odd: list[str]) -> Address:
        found = next(_addresses(element, odd), None)
        if found is None:
            raise ValueError("no address in it")
        return found

    def write(self, name: str, value: Address) -> str:
        return documents.element(name, _write_address(value))


class Addresses(Struct, frozen=True):
    """A list of Address. Where its element comes several times, it is one list."""

    def read(self, element: Element, odd: list[str]) -> list[Address]:
        found = list(_addresses(element, odd))
        if not found:
            raise ValueError("no address in it")
        return found

    def write(self, name: str, value: list[Address]) -> str:
        if not value:
            raise ValueError("no address in it")
        return documents.element(name, "".join([_write_address(each) for each in value]))


def _addresses(element: Element, odd: list[str]) -> Iterator[Address]:
    for child in element.children:
        kinds = [kind for kind in get_args(AddressKind) if kind.lower() == child.name.lower()]
        text = " ".join(child.texts())
        if kinds and text:
            yield _address(kinds[0], text, child, odd)
        else:
            odd.append(f"{element.name}: {child.name} {text[:60]!r} is no address")
    if text := element.text.strip():
        odd.append(f"{element.name}: {text[:60]!r} without the kind of address")
        yield _address(_kind_of(text), text, element, odd)


def _address(kind: AddressKind, text: str, element: Element, odd: list[str]) -> Address:
    if text.upper().endswith(_PLMN):
        odd.append(f"{element.name}: {text[:60]!r} is an address of MM4")
        text = text[: -len(_PLMN)]
    attributes = element.attributes
    try:
        display_only = _flag(attributes.get("displayOnly", "false"))
    except ValueError as error:
        odd.append(f"{element.name}: displayOnly: {error}")
        display_only = False
    return Address(kind, text, display_only, attributes.get("addressCoding", ""), attributes.get("id", ""))


def _kind_of(text: str) -> AddressKind:
    if "@" in text:
        return "RFC2822Address"
    return "ShortCode" if text.isdecimal() and len(text) <= _LONGEST_SHORT_CODE else "Number"


def _write_address(address: Address) -> str:
    if not isinstance(address, Address) or address.kind not in get_args(AddressKind) or not address.value:
        raise ValueError(f"{address!r} is no address")
    attributes = {"addressCoding": address.coding, "id": address.id}
    attributes = {name: value for name, value in attributes.items() if value}
    if address.display_only:
        attributes = {"displayOnly": "true", **attributes}
    return documents.element(address.kind, documents.text(address.value), attributes)


class Group(Struct, frozen=True):
    """Several elements as a dict; those that are not there are not in it."""

    fields: Mapping[str, Kind]

    def read(self, element: Element, odd: list[str]) -> dict[str, Any]:
        """Elements may be in any order, and of names in any case. Of one that comes again, the first counts."""
        values: dict[str, Any] = {}
        for child in element.children:
            name = _known(self.fields, child.name)
            if name is None:
                odd.append(f"{child.name} in {element.name} is not known")
                continue
            try:
                value = self.fields[name].read(child, odd)
            except ValueError as error:
                odd.append(f"{name}: {error}")
                continue
            if isinstance(value, list) and name in values:
                values[name] += value
            elif values.setdefault(name, value) is not value:
                odd.append(f"{name} comes again")
        return values

    def write(self, name: str, value: Mapping[str, Any]) -> str:
        return documents.element(name, self.inner(value))

    def inner(self, value: Mapping[str, Any]) -> str:
        """The elements in the order of the schema. Raises ValueError, which names the one that does not fit."""
        if strange := value.keys() - self.fields.keys():
            raise ValueError(f"no such element: {', '.join(sorted(map(str, strange)))}")
        pieces = []
        for name, kind in self.fields.items():
            if name in value:
                try:
                    pieces.append(kind.write(name, value[name]))
                except (TypeError, ValueError, AttributeError) as error:
                    raise ValueError(f"{name}: {error}") from error
        return "".join(pieces)


def _known(fields: Mapping[str, Kind], name: str) -> str | None:
    if name in fields:
        return name
    return next((known for known in fields if known.lower() == name.lower()), None)
