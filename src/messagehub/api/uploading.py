"""A form with a file (RFC 7578), read in pieces: what comes goes to the disk, and nothing of it stays in memory.

The form has one part, `file`. Whatever else a form could hold is refused by its name as soon as it is seen.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive, Scope

from messagehub.api import bodies
from messagehub.api.connections import SLOWEST_READER
from messagehub.api.cycle import BODY
from messagehub.api.heads import said_length
from messagehub.blobs import Receiving
from messagehub.errors import Refusal

FORM = b"multipart/form-data"
FIELD = b"file"
AROUND = 64 * 1024
"""Octets that a form may have besides its file."""

MOST_HEADERS = 8

logging.getLogger("python_multipart").setLevel(logging.ERROR)  # what is wrong with a form is told its sender


class Pieces:
    """The body of a request, piece by piece. `timeout` in seconds; each 16 KiB that come give a second more."""

    def __init__(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], timeout: float) -> None:
        self.headers = headers
        self._whole: bytes | None = scope.get(BODY)
        self._receive, self._left = receive, timeout
        self._timeout = timeout
        self._is_over = False

    async def next(self) -> bytes:
        """Empty at the end. Refusal where it comes too slowly, Disconnected where its sender has gone."""
        if self._whole is not None:
            piece, self._whole, self._is_over = self._whole, None, True
            return piece
        while not self._is_over:
            begun = time.monotonic()
            message = await bodies.within(self._left, self._timeout, self._receive())
            piece = bodies.checked(message)
            self._left += len(piece) / SLOWEST_READER - (time.monotonic() - begun)
            self._is_over = not message.get("more_body")
            if piece:
                return piece
        return b""


class Form:
    """`file_type` and `file_name` are what the form says of the file, unchecked; both may be empty."""

    def __init__(self, content_type: bytes) -> None:
        self.file_type = self.file_name = ""
        self.is_whole = False
        self._parser = self._parser_of(content_type)
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._file: list[bytes] = []
        self._parts = 0

    def feed(self, octets: bytes) -> bytes:
        """What of the file is in these octets of the form. Refusal where they are wrong."""
        try:
            self._parser.write(octets)
        except FormParserError as error:
            raise Refusal("INVALID_UPLOAD", f"the form cannot be read: {error}") from None
        found, self._file = b"".join(self._file), []
        return found

    def check_whole(self) -> None:
        if not self._parts:
            raise Refusal("INVALID_UPLOAD", "file: there is no such part")
        if not self.is_whole:
            raise Refusal("INVALID_UPLOAD", "file: the form ends before its last boundary")

    def _parser_of(self, content_type: bytes) -> MultipartParser:
        kind, options = parse_options_header(content_type.decode("latin-1"))
        boundary = options.get(b"boundary", b"")
        if kind != FORM or not boundary:
            raise Refusal(
                "NOT_MULTIPART",
                f"Content-Type: {content_type.decode('latin-1')[:100]!r}; send multipart/form-data with a boundary",
            )
        takes: dict[str, Callable[..., Any]] = {
            "on_part_begin": self._begin,
            "on_header_field": self._add_name,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._know_part,
            "on_part_data": lambda data, start, end: self._file.append(data[start:end]),
            "on_end": self._end,
        }
        try:
            return MultipartParser(boundary, takes, max_header_count=MOST_HEADERS)  # type: ignore[arg-type]
        except FormParserError as error:
            raise Refusal("INVALID_UPLOAD", f"Content-Type: {error}") from None

    # --- what the parser finds ----------------------------------------------------------

    def _begin(self) -> None:
        self._headers = {}

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers.setdefault(self._name.lower(), self._value)
        self._name = self._value = b""

    def _know_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        name = options.get(b"name", b"")
        self._parts += 1
        if name != FIELD:
            raise Refusal(
                "INVALID_UPLOAD", f"{name.decode('latin-1')[:60] or 'a part without a name'}: send `file` only"
            )
        if self._parts > 1:
            raise Refusal("INVALID_UPLOAD", "file: one at a time")
        self.file_type = self._headers.get(b"content-type", b"").decode("latin-1")
        self.file_name = options.get(b"filename", b"").decode(errors="replace")

    def _end(self) -> None:
        self.is_whole = True


async def take(pieces: Pieces, receiving: Receiving, most: int) -> Form:
    """Writes the file of a form to its place. Refusal where the form is wrong, or the file has over `most` octets."""
    form = Form(pieces.headers.get(b"content-type", b""))
    _check(said_length(pieces.headers.get(b"content-length", b"")) or 0, most + AROUND, most)
    came = 0
    while piece := await pieces.next():
        came += len(piece)
        _check(came, most + AROUND, most)
        await receiving.write(form.feed(piece))
        _check(receiving.size, most, most)
    form.check_whole()
    return form


def _check(octets: int, bound: int, most: int) -> None:
    if octets > bound:
        raise Refusal("MEDIA_TOO_LARGE", f"file: it has more than {most} octets")
