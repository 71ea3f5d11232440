"""Requests to the outside, which the front makes for the engine."""

import asyncio
from collections.abc import Mapping
from itertools import count

from messagehub.front.frames import Call, Called
from messagehub.link import Link
from messagehub.web import Answer, Closed, failure

PATIENCE_S = 5.0
"""How long a front may be missing before nobody waits for the next one."""


class Calls:
    """A `web.Requester`. Of an answer it gives the status and Retry-After; its body is nobody's.

    What was under way when a front died is asked for once more by the next: an endpoint may hear an event twice, as it
    may in any case.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._link: Link | None = None
        self._why = ""
        """Why nothing can be asked; empty where something can."""
        self._giving_up: asyncio.TimerHandle | None = None
        self._ids = count()
        self._calls: dict[int, tuple[Call, asyncio.Future[Answer]]] = {}

    def begin(self, link: Link) -> None:
        """A front is there."""
        self._link, self._why = link, ""
        self._stop_giving_up()
        for call, _ in self._calls.values():
            link.send(call, len(call.body))

    def pause(self) -> None:
        """There is none, for now."""
        self._link = None
        self._stop_giving_up()
        self._giving_up = self._loop.call_later(PATIENCE_S, self._end, "no front can be started")

    def _stop_giving_up(self) -> None:
        if self._giving_up:
            self._giving_up.cancel()

    async def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if self._link and self._link.is_full:
            await self._link.room()
        if self._why:
            raise Closed(self._why)
        call = Call(next(self._ids), method, url, dict(headers), body)
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._calls[call.id] = call, answer
        if self._link:
            self._link.send(call, len(body))
        try:
            return await answer
        finally:
            del self._calls[call.id]

    def take(self, called: Called) -> None:
        _, answer = self._calls.get(called.id, (None, None))
        if answer is None or answer.done():
            return
        if called.status:
            headers = {"retry-after": called.retry_after} if called.retry_after else {}
            answer.set_result(Answer(called.status, headers, b""))
        elif called.code:
            answer.set_exception(failure(called.code, called.words))
        else:
            answer.set_exception(RuntimeError(f"the front failed: {called.words}"))

    async def close(self) -> None:
        self._end("the server is ending")

    def _end(self, why: str) -> None:
        self._why = why
        for _, answer in self._calls.values():
            if not answer.done():
                answer.set_exception(Closed(why))
