"""XML in the little that SOAP needs of it: elements, attributes, text; read with nothing in it that can do harm.

A document type declaration is refused, and with it every entity and all that is elsewhere (SOAP 1.1, section 3, has
none either). Sizes and depths are bounded. What is written is XML 1.0; every element is in the namespace of its parent
unless it says otherwise.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from messagehub.mms import charsets
from messagehub.mms.errors import DecodeError, EncodeError

MAX_OCTETS = 1 << 20
MAX_DEPTH = 32
MAX_ELEMENTS = 20_000
MAX_ATTRIBUTES = 64

_DECLARED = re.compile(rb"""^[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_IN_ATTRIBUTES = _ESCAPES | {ord('"'): "&quot;", ord("\t"): "&#9;", ord("\n"): "&#10;"}


class Element(Struct):
    """`name` is the local name, `namespace` may be empty. `attributes` are by their local names."""

    name: str
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    text: str = ""
    """What stands in it outside its children."""

    def child(self, name: str) -> "Element | None":
        return next((child for child in self.children if child.name == name), None)

    def texts(self) -> Iterator[str]:
        """All that stands in it and in its descendants, without the space around."""
        if text := self.text.strip():
            yield text
        for child in self.children:
            yield from child.texts()


# --- reading ----------------------------------------------------------------------------------------------------------


def read(octets: bytes, charset: str = "") -> Element:
    """The root element. `charset` is that of the content type, which counts before the document's own (RFC 7303, 3).

    Raises DecodeError for what is no XML, what declares a document type, and what is too large or too deep.
    """
    if len(octets) > MAX_OCTETS:
        raise DecodeError(f"XML of {len(octets)} octets; {MAX_OCTETS} are taken")
    from xml.parsers import expat  # with the first document: most servers see none

    builder = _Builder()
    text, encoding = _readable(octets, charset)
    parser = expat.ParserCreate(encoding, namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype  # before anything that it declares is looked at
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise DecodeError(f"no XML: {error}") from None
    return builder.root


def _readable(octets: bytes, charset: str) -> tuple[bytes | str, str]:
    """The document for the parser, and the charset that it must take it for: it has too many of its own."""
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        return octets, "utf-16"
    declared = _DECLARED.search(octets)
    name = charset or (declared[1].decode() if declared else charsets.DEFAULT)
    codec = charsets.codec_of(name)
    if codec is None:
        raise DecodeError(f"XML in the charset {name[:60]!r}, which is not taken")
    if codec in ("utf-8", "utf-16"):
        return octets, "utf-8"
    return octets.decode(codec, "replace"), "utf-8"


def _refuse_doctype(*_: object) -> None:
    raise DecodeError("XML with a document type declaration, which is not taken")


class _Builder:
    """Puts together what the parser tells of."""

    def __init__(self) -> None:
        self._open = [Element("")]
        self._texts: list[list[str]] = [[]]
        self._count = 0

    @property
    def root(self) -> Element:
        return self._open[0].children[0]

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._count += 1
        if len(self._open) > MAX_DEPTH or self._count > MAX_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
            raise DecodeError(
                f"XML of more than {MAX_DEPTH} levels, {MAX_ELEMENTS} elements, or {MAX_ATTRIBUTES} attributes of one"
            )
        namespace, _, local = name.rpartition(" ")
        own = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        element = Element(local, namespace, own)
        self._open[-1].children.append(element)
        self._open.append(element)
        self._texts.append([])

    def end(self, _name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def characters(self, text: str) -> None:
        self._texts[-1].append(text)


# --- writing ----------------------------------------------------------------------------------------------------------


def element(name: str, inner: str, attributes: Mapping[str, str] | None = None) -> str:
    """An element around what is XML already. `name` may have a prefix."""
    head = "".join(f' {key}="{_escaped(value, _IN_ATTRIBUTES)}"' for key, value in (attributes or {}).items())
    return f"<{name}{head}>{inner}</{name}>" if inner else f"<{name}{head}/>"


def text(value: str) -> str:
    """The XML of a text. Raises EncodeError for characters that XML cannot have."""
    return _escaped(value, _ESCAPES)


def _escaped(value: str, escapes: Mapping[int, str]) -> str:
    if strange := _FORBIDDEN.search(value):
        raise EncodeError(f"U+{ord(strange[0]):04X} cannot stand in XML")
    return value.translate(escapes)
