"""MIME multipart bodies (RFC 2046, section 5.1) as values, read and written exactly: no octet of a part is changed.

The reader takes what peers send: lines that end in LF alone, a last boundary that is missing, header fields in any case
and form, Content-ID with its angle brackets and without. What it had to pass over it tells. The writer says everything
in the strictest form, and takes its boundaries from the content, so that the same message is always the same octets.
"""

import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Literal, get_args
from urllib.parse import unquote

from msgspec import Struct, field

from messagehub.mms import charsets, headers
from messagehub.mms.errors import DecodeError, EncodeError

Encoding = Literal["binary", "base64"]
"""How the parts are written. HTTP carries octets as they are; some peers want base64, which is a third more."""


class Limits(Struct, frozen=True):
    """How much is read: parts in all, octets in all, multiparts within each other."""

    parts: int = 100
    octets: int = 16 << 20
    depth: int = 5


LIMITS = Limits()


class Part(Struct, frozen=True):
    """One part; with `parts`, a multipart, and then it has no body.

    `type` is such as image/jpeg, in lower case. `parameters` are those of the content type but boundary and name.
    `id` is the Content-ID without its angle brackets, `name` the file's.
    """

    type: str
    body: bytes = b""
    parts: tuple["Part", ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    location: str = ""
    name: str = ""

    @property
    def text(self) -> str:
        """The body as text, by its charset."""
        return charsets.decode(self.body, self.parameters.get("charset", ""))

    def leaves(self) -> Iterator["Part"]:
        """All that are no multiparts, in order."""
        if not self.type.startswith("multipart/"):
            yield self
        for part in self.parts:
            yield from part.leaves()

    def root(self) -> "Part | None":
        """Of multipart/related, the part that `start` names, else the first (RFC 2387, section 3.2)."""
        start = bare(self.parameters.get("start", ""))
        named = (part for part in self.parts if start and part.id == start)
        return next(named, self.parts[0] if self.parts else None)

    def find(self, reference: str) -> "Part | None":
        """The part, at any depth, that a reference names: `cid:` and an id, or a location or a name."""
        return next(iter(self.find_all([reference])), None)

    def find_all(self, references: Iterable[str]) -> "list[Part]":
        """As `find`, those of many references that name one, in their order; all parts are gone through once."""
        known: dict[str, tuple[int, Part]] = {}
        for place, part in enumerate(_all(self)):
            for word in (part.id, part.location, part.name):
                known.setdefault(word, (place, part))
        known.pop("", None)
        found = ([known[word] for word in _words(reference) if word in known] for reference in references)
        return [min(each, key=itemgetter(0))[1] for each in found if each]


def _words(reference: str) -> set[str]:
    """In an URL the id is in percent signs (RFC 2392, section 2), which not everybody knows."""
    word = bare(reference)
    return {word, unquote(word)}


def _all(part: Part) -> Iterator[Part]:
    for each in part.parts:
        yield each
        yield from _all(each)


def bare(reference: str) -> str:
    """An id as it is written anywhere, without `cid:` and angle brackets; some peers write `<cid:x>` or `cid:<x>`."""
    text = reference.strip()
    for _ in range(2):
        text = text.removeprefix("<").removesuffix(">").strip()
        text = text[4:].strip() if text[:4].lower() == "cid:" else text
    return text


# --- reading ----------------------------------------------------------------------------------------------------------

_DELIMITER_END = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\Z)")
_MOST_ALIKE = 10_000
"""Lines that begin as a delimiter and are none, such as those of a multipart within, whose boundary is a longer one."""
_BLANK = re.compile(rb"(?:\A|\n)\r?\n")


def read(content_type: str, body: bytes, limits: Limits = LIMITS) -> tuple[Part, tuple[str, ...]]:
    """The body of a message with such a Content-Type, and what was passed over in it.

    Raises DecodeError, which names the part (`part 2.1`), for what makes no sense and what is over a limit.
    """
    if len(body) > limits.octets:
        raise DecodeError(f"a body of {len(body)} octets; {limits.octets} are taken")
    reader = _Reader(limits)
    return reader.part({"content-type": content_type}, body, ""), tuple(reader.oddities)


class _Reader:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parts = 0
        self.oddities: list[str] = []

    def part(self, fields: Mapping[str, str], body: bytes, place: str) -> Part:
        kind, parameters = headers.parse(fields.get("content-type", "") or "text/plain")
        disposition = headers.parse(fields.get("content-disposition", ""))[1]
        boundary = parameters.pop("boundary", "")
        name = parameters.pop("name", "")
        name = disposition.get("filename", "") or name
        identity = bare(fields.get("content-id", ""))
        location = headers.unworded(fields.get("content-location", ""))
        if kind.startswith("multipart/"):
            inner = self._multipart(body, boundary, place)
            return Part(kind, b"", inner, parameters, identity, location, name)
        encoding = fields.get("content-transfer-encoding", "").strip().lower()
        return Part(kind, self._decoded(encoding, body, place), (), parameters, identity, location, name)

    def _multipart(self, body: bytes, boundary: str, place: str) -> tuple[Part, ...]:
        if not boundary:
            raise DecodeError(f"{_named(place)}: a multipart whose content type has no boundary")
        if place.count(".") + 1 > self._limits.depth:
            raise DecodeError(f"{_named(place)}: multiparts {self._limits.depth} deep at most")
        found = self._divided(body, boundary.encode(errors="replace"), place)
        return tuple(self._read_one(block, f"{place}{number}") for number, block in enumerate(found, 1))

    def _divided(self, body: bytes, boundary: bytes, place: str) -> list[bytes]:
        """The octets of each part. What stands before the first boundary and behind the last is nobody's."""
        blocks: list[bytes] = []
        start = None
        for begin, end, is_last in _delimiters(body, b"--" + boundary):
            if start is not None:
                self._parts += 1
                if self._parts > self._limits.parts:
                    raise DecodeError(f"more than {self._limits.parts} parts")
                blocks.append(_without_newline(body, start, begin))
            start = end
            if is_last:
                return blocks
        if start is None:
            raise DecodeError(f"{_named(place)}: the boundary {boundary.decode()!r} is nowhere in it")
        self._parts += 1
        self.oddities.append(f"{_named(place)}: the last boundary is missing")
        return [*blocks, body[start:]]

    def _read_one(self, block: bytes, place: str) -> Part:
        blank = _BLANK.search(block)
        if blank is None and block:
            self.oddities.append(f"part {place}: no blank line behind its header fields")
        head, rest = (block[: blank.start()], block[blank.end() :]) if blank else (block, b"")
        return self.part(headers.split(head), rest, f"{place}.")

    def _decoded(self, encoding: str, body: bytes, place: str) -> bytes:
        if encoding not in _DECODERS:
            self.oddities.append(f"{_named(place)}: Content-Transfer-Encoding {encoding!r} is taken for binary")
        try:
            return _DECODERS.get(encoding, bytes)(body)
        except binascii.Error as error:
            raise DecodeError(f"{_named(place)}: {encoding}: {error}") from None


_DECODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "base64": headers.a2b_base64,
    "quoted-printable": binascii.a2b_qp,
    **dict.fromkeys(("", "7bit", "8bit", "binary"), bytes),
}


def _named(place: str) -> str:
    return f"part {place.rstrip('.')}" if place else "the body"


def _without_newline(body: bytes, start: int, end: int) -> bytes:
    """The newline before a delimiter belongs to the delimiter (RFC 2046, section 5.1.1)."""
    if end > start and body[end - 1] == 0x0A:
        end -= 2 if end - 1 > start and body[end - 2] == 0x0D else 1
    return body[start:end]


def _delimiters(body: bytes, mark: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where each delimiter line begins and ends, and whether it is the last one.

    It begins a line, so it is looked for with the end of the line before, which the first octets do not have.
    """
    begin = 0 if body.startswith(mark) else _next(body, mark, 0)
    alike = 0
    while begin is not None:
        at = begin + len(mark)
        if line := _DELIMITER_END.match(body, at):
            at = line.end()
            yield begin, at, line[1] is not None
        else:
            alike += 1
            if alike > _MOST_ALIKE:
                raise DecodeError(
                    f"more than {_MOST_ALIKE} lines that begin as the boundary {mark[2:].decode()!r} does"
                )
        begin = _next(body, mark, at)


def _next(body: bytes, mark: bytes, at: int) -> int | None:
    """Where the next line begins so; the end of a delimiter may be that of the line before."""
    found = body.find(b"\n" + mark, max(at - 1, 0))
    return found + 1 if found >= 0 else None


# --- writing ----------------------------------------------------------------------------------------------------------

_LINE = b"\r\n"
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")  # RFC 6838, section 4.2


def write(part: Part, encoding: Encoding = "binary") -> tuple[str, bytes]:
    """The Content-Type and the body. Raises EncodeError, which names what does not fit."""
    if encoding not in get_args(Encoding):
        raise EncodeError(f"encoding: {encoding!r} is none of {', '.join(get_args(Encoding))}")
    if not part.type.startswith("multipart/"):
        return _content_type(part, ""), part.body
    blocks = [_block(inner, encoding) for inner in part.parts]
    boundary = _boundary(blocks)
    line = b"--" + boundary.encode()
    pieces = [piece for block in blocks for piece in (line, _LINE, block, _LINE)]
    return _content_type(part, boundary), b"".join([*pieces, line, b"--", _LINE])


def _block(part: Part, encoding: Encoding) -> bytes:
    """A part with its header fields. The name stands in the content type: a disposition would make it a download."""
    content_type, body = write(part, encoding)
    fields = [f"Content-Type: {content_type}"]
    if not part.type.startswith("multipart/"):
        fields.append(f"Content-Transfer-Encoding: {encoding}")
        body = binascii.b2a_base64(body, newline=False) if encoding == "base64" else body
        body = _lines(body) if encoding == "base64" else body
    if part.id:
        fields.append(f"Content-ID: <{_checked_id(part.id)}>")
    if part.location:
        fields.append(f"Content-Location: {headers.checked(part.location, 'location')}")
    return "\r\n".join([*fields, "", ""]).encode() + body


def _checked_id(text: str) -> str:
    if bare(text) != text:
        raise EncodeError(f"id: {text!r} is no bare Content-ID")
    return headers.checked(text, "id")


def _content_type(part: Part, boundary: str) -> str:
    if not _TYPE.fullmatch(part.type):
        raise EncodeError(f"type: {part.type!r} is no media type in lower case")
    parameters = {key: value for key, value in part.parameters.items() if key not in ("boundary", "name")}
    named = {"name": part.name} if part.name else {}
    return headers.format_value(part.type, parameters | named | ({"boundary": boundary} if boundary else {}))


def _lines(octets: bytes) -> bytes:
    """Base64 in lines of 76 characters (RFC 2045, section 6.8)."""
    return _LINE.join(octets[at : at + 76] for at in range(0, len(octets), 76))


def _boundary(blocks: list[bytes]) -> str:
    """What no part can have in it: a digest of them all."""
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return f"mh-{digest.hexdigest()[:40]}"
