"""The front: an HTTP server whose application is the engine, and the client for what the engine asks outside."""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from starlette.types import Receive, Scope, Send

from messagehub import logs
from messagehub.api.cycle import ANSWER, BODY, FILE
from messagehub.api.server import Server
from messagehub.child import live_with
from messagehub.front.begin import bounds_of, client_of
from messagehub.front.drafts import Drafts, answer_to
from messagehub.front.frames import (
    AT_ONCE,
    Answered,
    AnsweredFile,
    Asked,
    Beat,
    Begin,
    Call,
    Called,
    Drafted,
    Drain,
    Drained,
    FromEngine,
    Left,
    Listen,
    Listens,
    Piece,
    Returned,
    Taken,
    Want,
)
from messagehub.front.workers import Workers
from messagehub.link import Link
from messagehub.serving import spare_the_collector
from messagehub.web import Client, WebError

log = logging.getLogger(__name__)

BEAT_S = 1.0


class Engine:
    """An ASGI application that is elsewhere."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._drafts = Drafts("", 0)
        self._loop = asyncio.get_running_loop()
        self._ids = count()
        self._waiting: dict[int, tuple[asyncio.Future[Any], Receive]] = {}
        self._reading: dict[int, asyncio.Task[None]] = {}
        """Those whose body comes in pieces."""

    def draft_at(self, path: str, max_segments: int) -> None:
        """Drafts messages that are posted there."""
        self._drafts = Drafts(path, max_segments)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._link.is_full:
            await self._link.room()
        number, body = next(self._ids), scope.get(BODY)
        size, drafted, answer = len(body or b""), self._drafts.of(number, scope), None
        if drafted:
            answer = await self._answer(drafted, receive, size)
            if type(answer) is Taken:
                return await send(answer_to(drafted, answer))
            if type(answer) is Returned:
                self._drafts.avoid(drafted)
                answer = None
        answer = answer or await self._answer(_asked(number, scope, body), receive, size)
        if answer is None:
            return None
        if type(answer) is AnsweredFile:
            place = {"path": answer.path, "start": answer.start, "length": answer.length}
            return await send({"type": FILE, "status": answer.status, "lines": answer.lines, **place})
        said = {"status": answer.status, "lines": answer.lines, "body": answer.body, "closes": answer.closes}
        return await send({"type": ANSWER, **said})

    async def _answer(self, asked: Asked | Drafted, receive: Receive, size: int) -> Any:
        """None where its caller has gone before its body was whole: the engine says nothing to that."""
        answered: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[asked.id] = answered, receive
        self._link.send(asked, size)
        try:
            return await answered
        except asyncio.CancelledError:
            self._link.send(Left(asked.id))
            raise
        finally:
            del self._waiting[asked.id]
            if self._reading and (reading := self._reading.pop(asked.id, None)):
                reading.cancel()

    def take(self, answer: Answered | AnsweredFile | Taken | Returned) -> None:
        answered, _ = self._waiting.get(answer.id, (None, None))
        if answered and not answered.done():
            answered.set_result(answer)

    def want(self, want: Want) -> None:
        if want.id in self._waiting:
            _, receive = self._waiting[want.id]
            self._reading[want.id] = self._loop.create_task(self._read(want.id, receive))

    async def _read(self, number: int, receive: Receive) -> None:
        message = await receive()
        is_gone = message["type"] == "http.disconnect"
        body: bytes = message.get("body", b"")
        self._link.send(Piece(number, body, message.get("more_body", False), is_gone), len(body))
        answered, _ = self._waiting[number]
        if is_gone and not answered.done():
            answered.set_result(None)


def _asked(number: int, scope: Scope, body: bytes | None) -> Asked:
    return Asked(
        number,
        scope["method"],
        scope["path"],
        scope["query_string"],
        scope["http_version"],
        scope["headers"],
        scope["client"][0],
        body,
    )


class Front:
    """Does what the engine says, until there is none."""

    def __init__(self, sock: socket.socket, door: socket.socket) -> None:
        """`door`: through it come open connections."""
        self._sock, self._door = sock, door
        door.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._takes: dict[type, Callable[[Any], object]] = {
            Begin: self._begin,
            Listen: self._listen,
            Drain: self._drain,
        }
        self.link = Link(FromEngine, self._take, _end, yields=False, at_once=AT_ONCE)
        self._engine = Engine(self.link)
        self._takes |= {
            Answered: self._engine.take,
            AnsweredFile: self._engine.take,
            Taken: self._engine.take,
            Returned: self._engine.take,
            Want: self._engine.want,
            Call: self._call,
        }
        self._client: Client
        self._workers = Workers(self._ask)
        self._serving: asyncio.Task[None] | None = None
        self._adopting: set[asyncio.Task[None]] = set()

    def _take(self, frames: list[Any]) -> None:
        for frame in frames:
            self._takes[type(frame)](frame)

    # --- requests -----------------------------------------------------------------------

    def _begin(self, given: Begin) -> None:
        logs.set_up(given.log_level, given.log_format, given.log_numbers)
        self._client = client_of(given)
        self._engine.draft_at(given.drafts_at, given.max_segments)
        self._http = Server(self._engine, bounds_of(given))
        spare_the_collector()
        self._beat()

    def _beat(self) -> None:
        self.link.send(Beat(len(self._http.connections), time.process_time()))
        self._loop.call_later(BEAT_S, self._beat)

    def _listen(self, _: Listen) -> None:
        self._serving = self._loop.create_task(self._serve())
        self._serving.add_done_callback(_end_if_failed)

    async def _serve(self) -> None:
        serving = self._loop.create_task(self._http.serve(self._sock))
        await self._http.until_up(serving)
        self.link.send(Listens())
        self._loop.add_reader(self._door, self._adopt)
        await serving
        self.link.send(Drained())

    def _adopt(self) -> None:
        """Goes on with connections that the engine has begun."""
        with suppress(BlockingIOError):
            while True:
                octets, files, _, _ = socket.recv_fds(self._door, 1, 1)
                if not octets:
                    self._loop.remove_reader(self._door)
                    return
                for file in files:
                    adopting = self._loop.create_task(self._http.adopt(socket.socket(fileno=file)))
                    self._adopting.add(adopting)
                    adopting.add_done_callback(self._adopting.discard)

    def _drain(self, _: Drain) -> None:
        self._http.end()

    # --- calls --------------------------------------------------------------------------

    def _call(self, call: Call) -> None:
        self._workers.give(call)

    async def _ask(self, call: Call) -> None:
        try:
            answer = await self._client.request(call.method, call.url, call.headers, call.body)
        except WebError as error:
            called = Called(call.id, 0, "", error.code, str(error))
        except Exception as error:
            log.exception("a request to the outside failed")
            called = Called(call.id, 0, "", "", type(error).__name__)
        else:
            called = Called(call.id, answer.status, answer.headers.get("retry-after", ""), "", "")
        self.link.send(called)


def _end() -> None:
    """There is no engine any more. Whoever waits for an answer sees what he sees of any server that dies."""
    logging.shutdown()
    os._exit(0)


def _end_if_failed(serving: asyncio.Task[None]) -> None:
    """A front that cannot serve must not go on beating: its engine would take it for one that works."""
    if not serving.cancelled() and (error := serving.exception()):
        log.critical("the front cannot serve, so it ends", exc_info=error)
        logging.shutdown()
        os._exit(1)


async def main(link: int, listener: int, door: int, parent: int) -> None:
    """`link`, `listener` and `door` are open files, `parent` the process that is the engine."""
    live_with(parent)
    front = Front(socket.socket(fileno=listener), socket.socket(fileno=door))
    await asyncio.get_running_loop().create_connection(lambda: front.link, sock=socket.socket(fileno=link))
    await asyncio.Event().wait()
