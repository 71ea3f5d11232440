"""The requests of one front, as the engine answers them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from starlette.types import ASGIApp, Message

from messagehub.api.callers import Peer, Proxies, peer_at
from messagehub.api.cycle import BODY, FILE, GONE
from messagehub.api.replies import refusal_of, refuse, request_id_of
from messagehub.errors import Refusal
from messagehub.front.frames import Answered, AnsweredFile, Asked, Drafted, Left, Piece, Want
from messagehub.front.taking import Said, Taker, refused
from messagehub.front.workers import Workers, log
from messagehub.link import Link

PEERS_REMEMBERED = 4096


class Requests:
    """How many there may be at once is bounded by the front: one for each of its connections."""

    def __init__(self, application: ASGIApp, taker: Taker, trusted: Proxies, link: Link) -> None:
        self._application, self._taker, self._link = application, taker, link
        self._peer_at: Callable[[str], Peer] = lru_cache(PEERS_REMEMBERED)(lambda host: peer_at(host, trusted))
        self._under_way: dict[int, Request] = {}
        self._workers = Workers(self._answer)
        self._drafts: dict[tuple[str, str], list[Drafted]] = {}
        """Those that came together, by credential and source."""
        self._takers = Workers(self._accept)

    def take(self, asked: Asked) -> None:
        request = self._under_way[asked.id] = Request(asked, self._link)
        self._workers.give(request)

    def take_draft(self, drafted: Drafted) -> None:
        self._drafts.setdefault((drafted.credential, drafted.draft.source), []).append(drafted)

    def take_together(self) -> None:
        """Accepts the drafts that have come."""
        if self._drafts:
            drafts, self._drafts = self._drafts, {}
            for some in drafts.values():
                self._takers.give(some)

    async def _accept(self, drafts: Sequence[Drafted]) -> None:
        try:
            said: Sequence[Said] = await self._taker.take(drafts)
        except Exception as error:
            refusal = refusal_of(error)
            said = [refused(one, refusal) for one in drafts]
        for one in said:
            self._link.send(one)

    def take_piece(self, piece: Piece) -> None:
        if request := self._under_way.get(piece.id):
            request.take(piece)

    def leave(self, left: Left) -> None:
        if (request := self._under_way.get(left.id)) and request.task:
            request.task.cancel()

    def close(self) -> None:
        """The front has gone. What is under way comes to its end, for nobody; whose body is not whole is over."""
        self._workers.close()
        self._takers.close()
        for request in self._under_way.values():
            request.take(Piece(request.asked.id, b"", False, True))

    async def _answer(self, request: "Request") -> None:
        request.task = asyncio.current_task()
        try:
            scope = _scope(request.asked, self._peer_at(request.asked.peer))
            await self._application(scope, request.receive, request.send)
            if not request.is_over:
                raise RuntimeError("the application has returned without a whole answer")
        except Exception:
            log.exception("the answer to a request failed")
            refusal = Refusal("INTERNAL", "the program failed; the log says how")
            await refuse(request.send, refusal, request_id_of(dict(request.asked.headers)))
        finally:
            del self._under_way[request.asked.id]


def _scope(asked: Asked, peer: Peer) -> dict[str, Any]:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "scheme": "http",
        "root_path": "",
        "http_version": asked.version,
        "method": asked.method,
        "path": asked.path,
        "query_string": asked.query,
        "headers": asked.headers,
        "state": {"peer": peer},
    }
    if asked.body is not None:
        scope[BODY] = asked.body
    return scope


class Request:
    """What the application receives and sends."""

    __slots__ = ("_link", "_wanted", "asked", "is_over", "task")

    def __init__(self, asked: Asked, link: Link) -> None:
        self.asked, self._link = asked, link
        self.task: asyncio.Task[None] | None = None
        self._wanted: asyncio.Future[Piece] | None = None
        self.is_over = False
        """It is answered, or there is nobody to answer."""

    def take(self, piece: Piece) -> None:
        self.is_over = self.is_over or piece.is_gone
        if self._wanted and not self._wanted.done():
            self._wanted.set_result(piece)

    async def receive(self) -> Message:
        if self.is_over:
            return GONE
        self._wanted = asyncio.get_running_loop().create_future()
        self._link.send(Want(self.asked.id))
        piece = await self._wanted
        return GONE if piece.is_gone else {"type": "http.request", "body": piece.body, "more_body": piece.more}

    async def send(self, message: Message) -> None:
        """The one message that is a whole answer."""
        self.is_over = True
        if message["type"] is FILE:
            place = message["path"], message["start"], message["length"]
            return self._link.send(AnsweredFile(self.asked.id, message["status"], message["lines"], *place))
        body: bytes = message["body"]
        answer = Answered(self.asked.id, message["status"], message["lines"], body, message["closes"])
        return self._link.send(answer, len(body))
