"""One request and its answer, as an application of ASGI sees them.

Besides the messages of ASGI there are two of our own, by which an answer is said at once: its head is octets already.
"""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

from starlette.types import Message, Scope

from messagehub.api.flow import Flow
from messagehub.api.representation import Header
from messagehub.blobs import PIECE, opened

BODY = "messagehub.body"
"""The member of a request's scope that is its body, if all of it is here at once: most bodies are."""

ANSWER = "messagehub.answer"
"""A message that is a whole answer: `status`; `lines`, those of the head but for the Date, the framing and the state
of the connection; `body`; `request_id`; `closes`, whether the connection ends with it."""

FILE = "messagehub.file"
"""As ANSWER, but for its body: `path`, `start` and `length` say which octets of which file it is. They are read as they
are sent, by the process that has the connection."""

STATUS_LINES = {status.value: b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE = b"connection: close\r\n"
END = b"\r\n"
LAST_END = CLOSE + END
CHUNKED = b"transfer-encoding: chunked\r\n"
BODILESS = (204, 304)
MOST_UNREAD = 64 * 1024
"""Octets of a body that wait for the application before no more are read."""

GONE: Message = {"type": "http.disconnect"}

_NAME = re.compile(rb"[\w!#$%&'*+.^`|~-]+", re.ASCII)  # RFC 9110, 5.6.2
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class Line(Protocol):
    """The connection of a request."""

    transport: asyncio.Transport
    flow: Flow

    def date(self) -> bytes: ...
    def hang_up(self) -> None: ...
    def answered(self) -> None: ...


def lines(headers: list[Header]) -> bytes:
    """Headers as they stand on the wire. ValueError for one that would not stay one line."""
    for name, value in headers:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"{name!r}: {value!r} is no header")
    return b"".join([b"%s: %s\r\n" % header for header in headers])


class Cycle:
    __slots__ = (
        "_bell",
        "_head",
        "_is_chunked",
        "_is_read",
        "_left",
        "_line",
        "_owes_continue",
        "_pieces",
        "_size",
        "disconnected",
        "is_whole",
        "keep_alive",
        "response_complete",
        "response_started",
        "scope",
    )

    def __init__(self, line: Line, scope: Scope, keep_alive: bool, expects_continue: bool) -> None:
        self._line, self.scope, self.keep_alive = line, scope, keep_alive
        self._owes_continue = expects_continue
        self._pieces: list[bytes] = []
        self._size = 0
        self._bell: asyncio.Future[None] | None = None
        self.is_whole = self.disconnected = self.response_started = self.response_complete = False
        self._is_read = self._is_chunked = False
        self._head = b""
        self._left = 0

    # --- the request --------------------------------------------------------------------

    def feed(self, body: bytes) -> None:
        self._pieces.append(body)
        self._size += len(body)
        if self._size > MOST_UNREAD:
            self._line.flow.pause_reading()
        if self._bell:
            self.ring()

    def ring(self) -> None:
        """There is something to `receive`."""
        if self._bell and not self._bell.done():
            self._bell.set_result(None)

    def show_body(self) -> None:
        """Shows the body without a wait where all of it has come with the head."""
        if self.is_whole and not self.disconnected:
            self.scope[BODY] = b"".join(self._pieces)

    def _taken(self) -> bytes:
        pieces, self._pieces, self._size = self._pieces, [], 0
        self._is_read = self.is_whole
        return b"".join(pieces)

    async def receive(self) -> Message:
        line = self._line
        if self._owes_continue and not line.transport.is_closing():
            line.transport.write(CONTINUE)
            self._owes_continue = False
        while not (self._is_over or self._pieces or self.is_whole > self._is_read):
            await self._news()
        if self._is_over:
            return GONE
        return {"type": "http.request", "body": self._taken(), "more_body": not self.is_whole}

    @property
    def _is_over(self) -> bool:
        return self.disconnected or self.response_complete

    async def _news(self) -> None:
        self._line.flow.resume_reading()
        self._bell = asyncio.get_running_loop().create_future()
        await self._bell

    # --- its answer ---------------------------------------------------------------------

    async def send(self, message: Message) -> None:
        if self._line.flow.is_full and not self.disconnected:
            await self._line.flow.room()
        if not self.disconnected:
            if self.response_complete:
                raise RuntimeError(f"{message['type']} after the whole answer")
            rest = _SENDS[message["type"]](self, message)
            if rest:
                await rest

    def _answer(self, message: Message) -> None:
        self.keep_alive = self.keep_alive and not message["closes"]
        body = b"" if self.scope["method"] == "HEAD" else message["body"]
        self._end(self._head_of(message["status"], message["lines"], body))

    async def _file(self, message: Message) -> None:
        """Raises FileNotFoundError, with nothing sent, where the file is gone."""
        head = self._head_of(message["status"], message["lines"])
        if self.scope["method"] == "HEAD":
            return self._end(head)
        file = await asyncio.to_thread(opened, Path(message["path"]))
        with file:
            await asyncio.to_thread(file.seek, message["start"])
            left: int = message["length"]
            self._write(head)
            while left and not self.disconnected:
                piece = await asyncio.to_thread(file.read, min(left, PIECE))
                if not piece:
                    raise RuntimeError(f"{message['path']} is shorter than it was")
                left -= len(piece)
                self._write(piece)
                if self._line.flow.is_full:
                    await self._line.flow.room()
        if not self.disconnected:
            self._end(b"")
        return None

    def _head_of(self, status: int, given: bytes, body: bytes = b"") -> bytes:
        """With the body behind it."""
        end = END if self.keep_alive else LAST_END
        return b"".join((STATUS_LINES[status], self._line.date(), given, end, body))

    def _start(self, message: Message) -> None:
        """Nothing leaves before the body does: a head and a short body are one packet."""
        headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        given = dict(headers)
        if b"close" in given.get(b"connection", b"").lower():
            self.keep_alive = False
        has_body = self.scope["method"] != "HEAD" and message["status"] not in BODILESS
        self._is_chunked = has_body and b"content-length" not in given
        self._left = int(given.get(b"content-length", b"0")) if has_body else 0
        told = lines([header for header in headers if header[0] not in (b"connection", b"transfer-encoding")])
        self._head = self._head_of(message["status"], told + CHUNKED if self._is_chunked else told)

    def _body(self, message: Message) -> None:
        if not (self._head or self.response_started):
            raise RuntimeError("a body without a head")
        body, is_last = message.get("body", b""), not message.get("more_body", False)
        if self.scope["method"] == "HEAD":
            body = b""
        elif self._is_chunked:
            body = (b"%x\r\n%s\r\n" % (len(body), body) if body else b"") + (b"0\r\n\r\n" if is_last else b"")
        else:
            self._left -= len(body)
            if self._left < 0 or (is_last and self._left):
                raise RuntimeError("the body is not as long as its Content-Length")
        octets, self._head = self._head + body, b""
        if is_last:
            self._end(octets)
        elif octets:
            self._write(octets)

    def check_complete(self) -> None:
        if not (self.response_complete or self.disconnected):
            raise RuntimeError("the application has returned without a whole answer")

    def _write(self, octets: bytes) -> None:
        self.response_started = True
        self._line.transport.write(octets)

    def _end(self, octets: bytes) -> None:
        self.response_started = True
        self._line.transport.write(octets)
        self.response_complete = True
        if self._bell:
            self.ring()
        if not self.keep_alive:
            self._line.hang_up()
        self._line.answered()


_SENDS: dict[str, Callable[[Cycle, Message], Any]] = {
    ANSWER: Cycle._answer,
    FILE: Cycle._file,
    "http.response.start": Cycle._start,
    "http.response.body": Cycle._body,
}
