"""Every request is counted and timed here, and has its line in the log where that is wished."""

import logging
import time
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from messagehub.logs import about
from messagehub.metrics import COUNTS, METHODS, OTHER

log = logging.getLogger(__name__)

KNOWN = {method: method for method in METHODS}
CALLER = "messagehub.customer_id"
"""The member of a request's scope that says whose it is, once that is known."""

FAILED = frozenset({401, 429})
"""Statuses below 500 by which an operator sees that somebody is at the wrong door, or at the right one too often."""

LEAST = {"none": 1000, "failed": 400, "all": 0}
"""From which status on it is asked whether a request has a line."""

FAILED_PER_S = 10
LONGEST_PATH = 200


class Watch:
    """Over all requests of a process. `lines`: `none`, `failed` or `all`."""

    def __init__(self, lines: str) -> None:
        self._least = LEAST[lines]
        self._is_told: Callable[[int], bool] = Few(FAILED_PER_S) if lines == "failed" else lambda _: True

    def count(self, method: str, status: int, seconds: float, times: int = 1) -> bool:
        """Whether it has a line in the log, too."""
        COUNTS.requests[KNOWN.get(method, OTHER), status // 100] += times
        COUNTS.request_seconds.observe(seconds, times)
        return status >= self._least and self._is_told(status)

    def tell(self, method: str, path: str, status: int, seconds: float, customer_id: str, request_id: bytes) -> None:
        fields = about(
            method=method,
            path=path[:LONGEST_PATH],
            status=status,
            milliseconds=round(seconds * 1000, 1),
            customer_id=customer_id,
            request_id=request_id,
        )
        log.log(logging.WARNING if status >= 500 else logging.INFO, "request", extra=fields)


class Watched:
    """An ASGI application as it is, watched."""

    def __init__(self, application: ASGIApp, watch: Watch) -> None:
        self._application, self._watch = application, watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun = time.perf_counter()
        answer = _Answer(send)
        try:
            await self._application(scope, receive, answer)
        finally:
            seconds = time.perf_counter() - begun
            if self._watch.count(scope["method"], answer.status, seconds):
                who = scope.get(CALLER, ""), answer.request_id
                self._watch.tell(scope["method"], scope["path"], answer.status, seconds, *who)


class _Answer:
    """The `send` of a request, which remembers how the answer began."""

    __slots__ = ("_send", "_start", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self.status = 0
        """0 until something is answered."""

    def __call__(self, message: Message) -> Any:
        if "status" in message:
            self._start, self.status = message, message["status"]
        return self._send(message)

    @property
    def request_id(self) -> bytes:
        request_id: bytes = self._start.get("request_id", b"")
        return request_id


class Few:
    """Says which failures have a line: so many in a second at most, so that nobody fills the disk by knocking."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._second, self._told, self._untold = 0, 0, 0

    def __call__(self, status: int) -> bool:
        if status < 500 and status not in FAILED:
            return False
        second = int(time.monotonic())
        if second != self._second:
            self._say_untold()
            self._second, self._told = second, 0
        self._told += 1
        if self._told > self._per_s:
            self._untold += 1
        return self._told <= self._per_s

    def _say_untold(self) -> None:
        if self._untold:
            log.warning("requests failed that have no line of their own", extra=about(count=self._untold))
            self._untold = 0
