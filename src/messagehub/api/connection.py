"""One connection of the HTTP server: it has limits, and our words for what is no proper request.

A connection reads the head of a request, then its body while the application answers, and waits for the next one.
Requests that come before their forerunners are answered wait in `pipeline`; when too many wait, the octets do.
What cannot be understood is answered after all that was understood before it, and ends the connection.

One task answers all requests of a connection, as making a task costs as much as reading a request.
"""

import asyncio
import logging
import math
from collections import deque
from contextvars import Context
from typing import Any, cast

import httptools
from starlette.types import ASGIApp

from messagehub.api import heads, replies
from messagehub.api.callers import Peer
from messagehub.api.connections import Connections
from messagehub.api.cycle import LAST_END, STATUS_LINES, Cycle
from messagehub.api.flow import Flow
from messagehub.api.representation import Header
from messagehub.errors import Refusal

log = logging.getLogger(__name__)

MAX_PIPELINED = 16
SLICE = 4096
"""Octets that are parsed at a time, so that not thousands of small requests are begun at once."""

KEEP_ALIVE_S = 75
FINISH_REQUESTS_S = 2
"""How long the requests under way may take when the server ends."""
LAST_CALL_S = 0.1
"""How long a connection on which nothing is asked still stands when the server ends: a request may be on its way."""
LINGER_S = 1
"""How long octets are still taken after the last answer; closing at once could destroy it (RFC 9112, 9.6)."""


class Connection(asyncio.Protocol):
    def __init__(self, application: ASGIApp, connections: Connections) -> None:
        self._app, self._connections = application, connections
        self._loop = asyncio.get_running_loop()
        self._parser = self._new_parser()
        self.transport: asyncio.Transport
        self.flow: Flow
        self.peer: Peer
        self.due = math.inf
        self._told: list[Header] = []
        """The headers of the request that came last."""
        self._headers = self._told
        """Where headers go as they come: once the head is whole, they are trailers."""
        self._target = heads.Target(b"", "", b"", b"")
        """That of the request before, which most ask for again."""
        self._fed = 0
        """Octets since the last head, body or end of a request: those of a head that is not whole, or of trailers."""
        self._later = bytearray()
        self._is_whole = True
        """The request that came last is here with all of its body."""
        self._in_head = False
        self._task: asyncio.Task[None] | None = None
        self._bell: asyncio.Future[None] | None = None
        """Rung when there is a request to answer."""
        self._pipeline: deque[Cycle] = deque()
        self._asked: Cycle | None = None
        """The request that is being answered."""
        self._cycle: Cycle | None = None
        """The one that came last."""
        self._failure: Refusal | None = None
        self._is_deaf = False
        """Nothing more is understood."""
        self._has_heard_all = False
        """The peer has said that it sends nothing more."""

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser

    # --- coming and going ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own are no subclass
        self.flow = Flow(self.transport)
        host, port = _place(self.transport)
        self.peer = self._connections.peer_at(host)
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "client": (host, port),
            "scheme": "http",
            "root_path": "",
        }
        too_many = self._connections.enter(self)
        self.due = self._connections.now + self._connections.bounds.head_timeout
        if self._connections.is_crowded:
            self.abort()
        elif too_many:
            self._say_last(Refusal("SERVICE_UNAVAILABLE", too_many))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.leave(self)
        for cycle in (self._asked, self._cycle):
            if cycle and not cycle.response_complete:
                cycle.disconnected = True
                cycle.ring()
        self.flow.resume_writing()
        self._is_deaf = True
        self._ring()
        del self._parser  # it holds us as we hold it

    def eof_received(self) -> bool:
        """Whoever has said all may still listen to the answers."""
        self._has_heard_all = True
        if not (self.is_busy and self._is_whole):
            self.hang_up()
        return True

    def shutdown(self) -> None:
        self.due = self._connections.now + FINISH_REQUESTS_S
        if self._cycle and self.is_busy:
            self._cycle.keep_alive = False
        else:
            self._loop.call_later(LAST_CALL_S, self._hang_up_unless_asked)

    def _hang_up_unless_asked(self) -> None:
        if not (self.is_busy or self._in_head):
            self.hang_up()

    def abort(self) -> None:
        self.transport.abort()

    @property
    def is_busy(self) -> bool:
        return self._cycle is not None and not self._cycle.response_complete

    def overdue(self) -> None:
        if self._is_deaf or self.transport.is_closing():
            self.abort()
        elif self._task and self.is_busy:  # only when the server ends
            self._task.cancel()
        elif self._in_head and not self._connections.are_ending:
            seconds = self._connections.bounds.head_timeout
            self._say_last(Refusal("REQUEST_TIMEOUT", f"the head of the request did not arrive within {seconds:g} s"))
        else:
            self.hang_up()

    def pause_writing(self) -> None:
        self.flow.pause_writing()
        self._connections.unread(self, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self.flow.resume_writing()
        self._connections.read(self)

    # --- octets -------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        if len(data) <= SLICE and not self._later:
            self._feed(data)
        else:
            self._later += data
            self._feed_later()

    def _feed_later(self) -> None:
        while self._later and len(self._pipeline) < MAX_PIPELINED and not self._is_deaf:
            octets = bytes(self._later[:SLICE])
            del self._later[:SLICE]
            self._feed(octets)
        if self._later:
            self.flow.pause_reading()

    def _feed(self, octets: bytes) -> None:
        self._fed += len(octets)
        try:
            self._parser.feed_data(octets)
        except httptools.HttpParserUpgrade as upgrade:
            self._pass_over_upgrade(octets[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._fail(_refusal(error))
        else:
            if self._fed > heads.MAX_HEAD:
                self._fail(heads.too_large())

    def _pass_over_upgrade(self, rest: bytes) -> None:
        """The same head again without the offer of another protocol, which nobody has to take (RFC 9110, 7.8).

        The parser takes all that follows such a head for the other protocol, bodies too.
        """
        kept = [b"%s: %s" % header for header in self._headers if header[0] != b"upgrade"]
        line = b"%s %s HTTP/%s" % (self._parser.get_method(), self._url, self._parser.get_http_version().encode())
        self._parser = self._new_parser()
        self._fed = 0
        self._feed(b"\r\n".join([line, *kept, b"", rest]))

    # --- what the parser finds ----------------------------------------------------------

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers = self._told = []
        self._in_head = True
        if not self.is_busy:
            self.due = self._connections.now + self._connections.bounds.head_timeout

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser, headers = self._parser, self._headers
        version, method = parser.get_http_version(), parser.get_method().decode()
        fields = dict(headers)
        heads.check(self._url, headers, fields, version, self._fed)
        if parser.should_upgrade():
            if method == "CONNECT":
                raise Refusal("METHOD_NOT_ALLOWED", "CONNECT: this is no proxy")
            return
        is_ending = self._connections.are_ending
        keep_alive = version == "1.1" and parser.should_keep_alive() and not is_ending
        expects_continue = version == "1.1" and b"expect" in fields and fields[b"expect"].lower() == b"100-continue"
        cycle = Cycle(self, self._described(version, method), keep_alive, expects_continue)
        self._headers = []  # what comes now are trailers, which may not pass for headers (RFC 9110, 6.5.1)
        self._fed, self._in_head, self._is_whole = 0, False, False
        self.due = self._connections.now + FINISH_REQUESTS_S if is_ending else math.inf
        self._begin(cycle)

    def _described(self, version: str, method: str) -> dict[str, Any]:
        """The request, as the application is told of it."""
        if self._url[:1] != b"/":
            self._url = heads.origin_form(self._url, method)
        if self._url != self._target.url:
            self._target = heads.target(self._url)
        return {
            **self._scope,
            "http_version": version,
            "method": method,
            "path": self._target.path,
            "raw_path": self._target.raw_path,
            "query_string": self._target.query,
            "headers": self._headers,
            "state": {"peer": self.peer},
        }

    def _begin(self, cycle: Cycle) -> None:
        """Has the request answered, in its turn."""
        if self.is_busy:
            self.flow.pause_reading()
        self._cycle = cycle
        self._pipeline.append(cycle)
        if self._task:
            self._ring()
        else:
            self._task = self._loop.create_task(self._work(), context=Context())
            self._connections.answering(self._task)

    def on_body(self, body: bytes) -> None:
        self._fed = 0
        cycle = self._cycle
        if cycle and not cycle.response_complete:
            cycle.feed(body)

    def on_message_complete(self) -> None:
        self._fed = 0
        if self._in_head:  # an upgrade; see _feed
            return
        self._is_whole = True
        cycle = self._cycle
        # The parser heeds a trailer that closes the connection, and so passes over all that comes from now on.
        keeps_on = self._parser.should_keep_alive()
        if cycle and not cycle.response_complete:
            cycle.keep_alive = cycle.keep_alive and keeps_on
            cycle.is_whole = True
            cycle.ring()
        elif keeps_on:
            self.wait()
        else:
            self.hang_up()

    # --- answering ----------------------------------------------------------------------

    def _ring(self) -> None:
        if self._bell and not self._bell.done():
            self._bell.set_result(None)

    async def _work(self) -> None:
        """Answers what is asked, one after the other."""
        try:
            while not self._is_over:
                if not self._pipeline:
                    self._bell = self._loop.create_future()
                    await self._bell
                    continue
                cycle = self._asked = self._pipeline.popleft()
                try:
                    if not cycle.is_whole:
                        await asyncio.sleep(0)  # many send the body right behind the head
                    cycle.show_body()
                    await self._app(cycle.scope, cycle.receive, cycle.send)
                    cycle.check_complete()
                except asyncio.CancelledError:
                    self._cut_off(cycle)
                except Exception as error:
                    self._break_off(cycle, _failure(error))
                if self._pipeline:  # others have their turn, too
                    await asyncio.sleep(0)
        except asyncio.CancelledError:
            if self._pipeline:
                self._break_off(self._pipeline[0], _ending())
            else:
                self.abort()
        finally:
            self._asked = self._cycle = None  # they lead back here, and would be left to the garbage collector

    @property
    def _is_over(self) -> bool:
        """Nothing more is answered but a failure."""
        return self.transport.is_closing() or (self._is_deaf and not self._failure)

    def _cut_off(self, cycle: Cycle) -> None:
        """The server ends. What is under way may yet be done; who is told that it was not would ask for it again."""
        if cycle.is_whole and cycle.scope["method"] not in replies.READS:
            self.transport.close()
        else:
            self._break_off(cycle, _ending())

    def _break_off(self, cycle: Cycle, refusal: Refusal) -> None:
        if cycle.response_started:
            self.abort()
        elif not cycle.disconnected:
            self._say_last(refusal)

    def answered(self) -> None:
        """A whole answer is out."""
        if self._is_over:
            return
        self.flow.resume_reading()
        if self._pipeline:
            pass
        elif self._failure:
            self._say_last(self._failure)
        elif self._has_heard_all and not self._later:
            self.hang_up()
        else:
            self.wait()
        if self._later:
            self._feed_later()

    def wait(self) -> None:
        """For the next request; or for the rest of the body of one that is answered already."""
        seconds = KEEP_ALIVE_S if self._is_whole and not self._in_head else self._connections.bounds.head_timeout
        self.due = self._connections.now + seconds
        if self._connections.heir:
            self._loop.call_soon(self.move)  # once the answer is out

    def move(self) -> None:
        """To the heir of all connections, if this one waits for its next request, and nothing of that is here."""
        heir, transport = self._connections.heir, self.transport
        if heir is None or self._is_over or not self._is_between or transport.get_write_buffer_size():
            return
        self.flow.pause_reading()  # what comes from now on is for the heir
        if heir(transport.get_extra_info("socket").fileno()):
            self.abort()
        else:
            self.flow.resume_reading()

    @property
    def _is_between(self) -> bool:
        """It has had an answer, and waits for another request."""
        is_idle = self._cycle is not None and self._cycle.response_complete and not self._pipeline
        return is_idle and self._is_whole and not (self._in_head or self._fed or self._later or self._has_heard_all)

    def _fail(self, refusal: Refusal) -> None:
        """Nothing that follows can be understood. What was asked before is answered first."""
        self._is_deaf = True
        self._later.clear()
        if not self._is_whole:
            self._forget_last()
        if self.is_busy:
            self._failure = refusal
            self.flow.pause_reading()
        else:
            self._say_last(refusal)

    def _forget_last(self) -> None:
        """The last request is cut off in its body: it gets the failure as its answer, unless it has one."""
        if self._pipeline:
            self._pipeline.pop()
            self._cycle = self._pipeline[-1] if self._pipeline else self._asked
        elif self._cycle and not self._cycle.response_started:
            self._cycle.disconnected = self._cycle.response_complete = True
            self._cycle.ring()

    def _say_last(self, refusal: Refusal) -> None:
        is_of_a_request = self._in_head or not self._is_whole
        request_id = replies.request_id_of(dict(self._told) if is_of_a_request else {})
        log.debug("%s: %s", request_id.decode(), refusal)
        self.transport.write(_octets(refusal, request_id, self.date()))
        self._linger()

    def date(self) -> bytes:
        return self._connections.date

    def hang_up(self) -> None:
        """Closes when all is said; not with octets still to come, as that would destroy the answer."""
        if self._is_whole or self._is_deaf or self._has_heard_all or self.transport.is_closing():
            self.transport.close()
        else:
            self._linger()

    def _linger(self) -> None:
        self._is_deaf, self._failure = True, None
        self._later.clear()
        if not self.transport.is_closing():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.due = self._connections.now + LINGER_S
        self._ring()


def _place(transport: asyncio.Transport) -> tuple[str, int]:
    """Where the peer is; nowhere, if it has gone already."""
    try:
        host, port, *_ = transport.get_extra_info("peername") or ("", 0)
    except OSError:
        return "", 0
    return host, port


def _ending() -> Refusal:
    return Refusal("SERVICE_UNAVAILABLE", "the server is ending; nothing was accepted")


def _failure(error: Exception) -> Refusal:
    """Why a request is not answered."""
    if isinstance(error, FileNotFoundError):  # it was removed in this very moment
        return Refusal("RESOURCE_NOT_FOUND", "it is not kept any more")
    log.error("the answer to a request failed", exc_info=error)
    return Refusal("INTERNAL", "the program failed; the log says how")


def _refusal(error: httptools.HttpParserError) -> Refusal:
    if isinstance(error.__context__, Refusal):
        return error.__context__
    return Refusal("MALFORMED_REQUEST", f"the request cannot be read as HTTP/1.1: {error.__context__ or error}")


def _octets(refusal: Refusal, request_id: bytes, date: bytes) -> bytes:
    """A refusal as it stands on the wire, for requests that never reach the application."""
    status, body, more = replies.envelope(refusal, request_id, allow="GET, HEAD, POST, PUT, DELETE, OPTIONS")
    head = replies.head(replies.JSON, request_id, more, body)
    return b"".join((STATUS_LINES[status], date, head, LAST_END, body))
