"""One connection of the client, and its answers read within limits."""

import asyncio
from collections.abc import Mapping
from math import inf
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from msgspec import Struct

from messagehub.web.errors import BadAnswer, Dropped, TimedOut, WebError

FRAMING = 8  # octets on the wire for an octet of body: the worst of chunks of one octet, and some room for extensions

REMEMBERED = 1024
"""Octets of an answer that is remembered at most."""

LISTS = frozenset({"www-authenticate"})
"""Header fields all of whose lines count (RFC 9110, section 5.2): a server may write each challenge in its own."""


class Answer(Struct, frozen=True):
    """What a server said: `headers` by lower-case names, of repeated ones the first, or all of LISTS; `body` cut at the
    limit."""

    status: int
    headers: Mapping[str, str]  # the same for several where a server repeats itself, so nobody may change them
    body: bytes


NONE = Answer(0, {}, b"")


class Limits(NamedTuple):
    timeout: float
    head: int
    body: int
    per_origin: int
    idle: float


class Connection(asyncio.Protocol):
    """One connection, with at most one request on it at a time: a second answer can belong to nobody."""

    def __init__(self, idle: dict["Connection", None], siblings: set["Connection"], limits: Limits) -> None:
        self._idle = idle
        self._siblings = siblings
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._waiter: asyncio.Future[Answer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rings = self._deadline = inf
        self._body = bytearray()  # one piece, as a body may come in chunks of an octet
        self._last_octets, self._last_answer = b"", NONE
        """The last answer that came in one piece and left the connection open, as it came and as it was read."""

    def exchange(self, octets: bytes, deadline: float, *, bodyless: bool) -> asyncio.Future[Answer]:
        """Sends a request. Its answer comes until `deadline`, a time of the loop's clock.

        Who waits no longer cancels that, and says so by `leave`.
        """
        if self._transport.is_closing():
            raise Dropped("closed before the request", unheard=True)
        waiter: asyncio.Future[Answer] = self._loop.create_future()
        self._waiter = waiter
        self._bodyless = bodyless
        self._room = self._limits.head
        self._complete = self._until_eof = False
        self._status = 0
        self._deadline = deadline
        if deadline < self._rings:
            self._watch()
        self._transport.write(octets)
        return waiter

    def leave(self) -> None:
        """Ends it if an answer is still to come for which nobody waits; else it may be another's already."""
        if self._waiter and self._waiter.cancelled():
            self.end()

    def rest(self) -> None:
        """Nobody uses it for now."""
        self._idle[self] = None
        self._deadline = self._loop.time() + self._limits.idle
        if self._deadline < self._rings:
            self._watch()

    @property
    def rests(self) -> bool:
        return self in self._idle

    def end(self, why: WebError | None = None) -> None:
        """Closes at once; who is waiting for an answer is told why."""
        self._idle.pop(self, None)
        self._transport.abort()
        waiter, self._waiter = self._waiter, None
        if why and waiter and not waiter.done():
            why.left = True
            waiter.set_exception(why)

    def _watch(self) -> None:
        """One timer, which is moved only where it would ring too late: a limit costs a request next to nothing."""
        if self._timer:
            self._timer.cancel()
        self._rings, self._timer = self._deadline, self._loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._rings = inf
        if self._loop.time() < self._deadline:
            self._watch()
        else:
            self.end(TimedOut("no whole answer in time"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._parser = HttpResponseParser(self)
        self._siblings.add(self)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            return self.end()  # nobody has asked
        is_first = self._room == self._limits.head and not self._status
        if is_first and data == self._last_octets and not self._bodyless:  # as most answers of one server are
            return self._answer(self._last_answer, keep=True)
        if is_first:
            self._start_message()
        self._room -= len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._reusable = False
            if not self._complete:
                return self.end(BadAnswer(f"not HTTP: {error.__context__ or error}"))
        if self._complete or (self._status and (len(self._body) > self._limits.body or self._room < 0)):
            answer, keep = self._read(), self._complete and self._reusable
            if keep and is_first and len(data) <= REMEMBERED:
                self._last_octets, self._last_answer = data, answer
            self._answer(answer, keep=keep)
        elif self._room < 0:
            self.end(BadAnswer("too long a head"))
        return None

    def connection_lost(self, error: Exception | None) -> None:
        self._idle.pop(self, None)
        self._siblings.discard(self)
        if self._timer:
            self._timer.cancel()
        if self._waiter and self._until_eof and not error:
            self._answer(self._read(), keep=False)
        else:
            unheard = self._waiter is not None and self._room == self._limits.head
            self.end(Dropped(f"closed before the whole answer: {error or 'end of stream'}", unheard=unheard))
        del self._parser  # it holds us as we hold it
        self.lost.set_result(None)

    def _read(self) -> Answer:
        return Answer(self._status, self._headers, bytes(self._body[: self._limits.body]))

    def _answer(self, answer: Answer, *, keep: bool) -> None:
        waiter, self._waiter = self._waiter, None
        if keep:
            self.rest()
        else:
            self.end()
        if waiter and not waiter.done():
            waiter.set_result(answer)

    def _start_message(self) -> None:
        self._headers: dict[str, str] = {}
        self._body.clear()

    def on_message_begin(self) -> None:
        self._reusable = not self._complete  # a second answer, and nobody has asked

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status:
            return  # a trailer: it could contradict what the head has said
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if self._headers.setdefault(key, text) is not text and key in LISTS:
            self._headers[key] += f", {text}"

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._complete or 100 <= status < 200:
            return
        if status < 100:
            raise ValueError(f"the status {status:03}")
        self._status = status
        self._room += self._limits.body * FRAMING
        self._until_eof = "content-length" not in self._headers and "transfer-encoding" not in self._headers
        if self._bodyless:
            self._complete, self._reusable = True, False  # the parser would wait for the body that HEAD has not

    def on_body(self, piece: bytes) -> None:
        if not self._complete:
            self._body += piece

    def on_message_complete(self) -> None:
        if not self._status:
            self._start_message()  # 1xx: the answer itself is still to come
        elif not self._complete:
            self._complete = True
            self._reusable = self._parser.should_keep_alive()
