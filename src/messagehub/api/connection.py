"""One connection of the HTTP server: uvicorn's, with limits, and with our words for what is no proper request.

A connection reads the head of a request, then its body while the application answers, and waits for the next one.
Requests that come before their forerunners are answered wait in `pipeline`; when too many wait, the octets do.
What cannot be understood is answered after all that was understood before it, and ends the connection.
"""

import asyncio
import http
import logging
import math
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from messagehub.api import answers, heads
from messagehub.api.callers import Peer
from messagehub.api.connections import Connections
from messagehub.api.outlet import Outlet
from messagehub.api.representation import Header
from messagehub.errors import Refusal

log = logging.getLogger(__name__)

MAX_PIPELINED = 16
SLICE = 4096
"""Octets that are parsed at a time, so that not thousands of small requests are begun at once."""

KEEP_ALIVE_S = 75
FINISH_REQUESTS_S = 2
"""How long the requests under way may take when the server ends."""
LINGER_S = 1
"""How long octets are still taken after the last answer; closing at once could destroy it (RFC 9112, 9.6)."""


class Connection(HttpToolsProtocol):
    def __init__(self, connections: Connections, **given: Any) -> None:
        super().__init__(**given)
        self._connections = connections
        self.peer: Peer
        self.due = math.inf
        self._fed = 0
        """Octets since the last head, body or end of a request: those of a head that is not whole, or of trailers."""
        self._later = bytearray()
        self._is_whole = True
        """The request that came last is here with all of its body."""
        self._in_head = False
        self._task: asyncio.Task[None] | None = None
        self._asked: RequestResponseCycle | None = None
        """The request that is being answered; `cycle` is the one that came last."""
        self._failure: Refusal | None = None
        self._is_deaf = False
        """Nothing more is understood."""
        self._has_heard_all = False
        """The peer has said that it sends nothing more."""

    # --- coming and going ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(Any, Outlet(cast(asyncio.Transport, transport), self.loop, self._hang_up)))
        self.peer = self._connections.peer_at(self.client[0] if self.client else "")
        self.app_state = {"peer": self.peer}
        too_many = self._connections.enter(self)
        self.due = self._connections.now + self._connections.bounds.head_timeout
        if self._connections.is_crowded:
            self.abort()
        elif too_many:
            self._say_last(Refusal("SERVICE_UNAVAILABLE", too_many))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.leave(self)
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whoever has said all may still listen to the answers."""
        self._has_heard_all = True
        if not (self._is_busy and self._is_whole):
            self.transport.close()
        return True

    def shutdown(self) -> None:
        self.due = self._connections.now + FINISH_REQUESTS_S
        if self._is_busy:
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    def abort(self) -> None:
        self.transport.abort()

    @property
    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def overdue(self) -> None:
        if self._is_deaf or self.transport.is_closing():
            self.abort()
        elif self._task and self._is_busy:  # only when the server ends
            self._task.cancel()
        elif self._in_head:
            seconds = self._connections.bounds.head_timeout
            self._say_last(Refusal("REQUEST_TIMEOUT", f"the head of the request did not arrive within {seconds:g} s"))
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._connections.unread(self, self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
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
        while self._later and len(self.pipeline) < MAX_PIPELINED and not self._is_deaf:
            octets = bytes(self._later[:SLICE])
            del self._later[:SLICE]
            self._feed(octets)
        if self._later:
            self.flow.pause_reading()

    def _feed(self, octets: bytes) -> None:
        self._fed += len(octets)
        try:
            self.parser.feed_data(octets)
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
        kept = [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        line = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._fed = 0
        self._feed(b"\r\n".join([line, *kept, b"", rest]))

    # --- what the parser finds ----------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        if not self._is_busy:
            self.due = self._connections.now + self._connections.bounds.head_timeout

    def on_headers_complete(self) -> None:
        version, method = self.parser.get_http_version(), self.parser.get_method().decode()
        heads.check(self.url, self.headers, version, self._fed)
        if self.parser.should_upgrade():
            if method == "CONNECT":
                raise Refusal("METHOD_NOT_ALLOWED", "CONNECT: this is no proxy")
            return
        self._describe(version, method)
        self.headers = []  # what comes now are trailers, which may not pass for headers (RFC 9110, 6.5.1)
        self._fed, self._in_head, self._is_whole = 0, False, False
        self.due = math.inf
        self._begin(version)

    def _describe(self, version: str, method: str) -> None:
        """The request, as the application is told of it."""
        if self.url[:1] != b"/":
            self.url = heads.origin_form(self.url, method)
        target = httptools.parse_url(self.url)
        path = target.path.decode("ascii")
        self.scope["http_version"], self.scope["method"] = version, method
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"], self.scope["query_string"] = target.path, target.query or b""

    def _begin(self, version: str) -> None:
        """Has the request answered, in its turn."""
        is_free = not self._is_busy
        self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version == "1.1" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if is_free:
            self._start(self.cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        self._fed = 0
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._fed = 0
        if self._in_head:  # an upgrade; see _feed
            return
        self._is_whole = True
        if self.cycle.response_complete:
            self._wait()
        else:
            self.cycle.more_body = False
            self.cycle.message_event.set()

    # --- answering ----------------------------------------------------------------------

    def _start(self, cycle: RequestResponseCycle) -> None:
        self._asked = cycle
        self._task = self.loop.create_task(self._answer(cycle))
        self.tasks.add(self._task)
        self._task.add_done_callback(self.tasks.discard)

    async def _answer(self, cycle: RequestResponseCycle) -> None:
        try:
            await self.app(cast(Any, cycle.scope), cast(Any, cycle.receive), cast(Any, cycle.send))
        except asyncio.CancelledError:
            self._break_off(cycle, Refusal("SERVICE_UNAVAILABLE", "the server is ending; nothing was accepted"))
        except Exception:
            log.exception("the answer to a request failed")
            self._break_off(cycle, Refusal("INTERNAL", "the program failed; the log says how"))
        finally:
            cycle.on_response = _nothing  # it leads back here, and cycles are left to the garbage collector

    def _break_off(self, cycle: RequestResponseCycle, refusal: Refusal) -> None:
        if cycle.response_started:
            self.abort()
        elif not cycle.disconnected:
            self._say_last(refusal)

    def on_response_complete(self) -> None:
        if self.transport.is_closing() or (self._is_deaf and not self._failure):
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start(self.pipeline.pop()[0])
        elif self._failure:
            self._say_last(self._failure)
        elif self._has_heard_all and not self._later:
            self.transport.close()
        else:
            self._wait()
        if self._later:
            self._feed_later()

    def _wait(self) -> None:
        """For the next request; or for the rest of the body of one that is answered already."""
        seconds = KEEP_ALIVE_S if self._is_whole and not self._in_head else self._connections.bounds.head_timeout
        self.due = self._connections.now + seconds

    def _fail(self, refusal: Refusal) -> None:
        """Nothing that follows can be understood. What was asked before is answered first."""
        self._is_deaf = True
        self._later.clear()
        if not self._is_whole:
            self._forget_last()
        if self._is_busy:
            self._failure = refusal
            self.flow.pause_reading()
        else:
            self._say_last(refusal)

    def _forget_last(self) -> None:
        """The last request is cut off in its body: it gets the failure as its answer, unless it has one."""
        if self.pipeline:
            self.pipeline.popleft()
            self.cycle = self.pipeline[0][0] if self.pipeline else cast(RequestResponseCycle, self._asked)
        elif not self.cycle.response_started:
            self.cycle.disconnected = True
            self.cycle.response_complete = True
            self.cycle.message_event.set()

    def _say_last(self, refusal: Refusal) -> None:
        is_of_a_request = self._in_head or not self._is_whole
        request_id = answers.request_id_of(dict(self.scope["headers"]) if is_of_a_request else {})
        log.debug("%s: %s", request_id.decode(), refusal)
        self.transport.write(_octets(refusal, request_id, self.server_state.default_headers))
        self._linger()

    def _hang_up(self) -> bool:
        """Whether the transport may close now: with octets still to come, that would destroy the answer."""
        if self._is_whole or self._is_deaf or self._has_heard_all or self.transport.is_closing():
            return True
        self._linger()
        return False

    def _linger(self) -> None:
        self._is_deaf, self._failure = True, None
        self._later.clear()
        self.transport.write_eof()
        self.flow.resume_reading()
        self.due = self._connections.now + LINGER_S


def _nothing() -> None:
    """What is to be done after an answer that is over."""


def _refusal(error: httptools.HttpParserError) -> Refusal:
    if isinstance(error.__context__, Refusal):
        return error.__context__
    return Refusal("MALFORMED_REQUEST", f"the request cannot be read as HTTP/1.1: {error.__context__ or error}")


def _octets(refusal: Refusal, request_id: bytes, more: list[Header]) -> bytes:
    """A refusal as it stands on the wire, for requests that never reach the application."""
    status, body, own = answers.envelope(refusal, request_id, allow="GET, HEAD, POST, PUT, DELETE, OPTIONS")
    headers = dict([*more, *answers.JSON, *own, (b"connection", b"close"), (b"x-request-id", request_id)])
    lines = [b"%s: %s" % header for header in headers.items()]
    first = b"HTTP/1.1 %d %s" % (status, http.HTTPStatus(status).phrase.encode())
    return b"\r\n".join([first, *lines, b"content-length: %d" % len(body), b"", body])
