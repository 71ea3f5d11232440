"""Tasks that stay, as making a task costs as much as reading a request."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

MAX_IDLE = 128
"""Workers that stay for what comes next."""

Job = TypeVar("Job")


class Workers(Generic[Job]):
    """Has each job done at once, by a worker that has nothing to do or by a new one."""

    def __init__(self, do: Callable[[Job], Awaitable[None]]) -> None:
        self._do = do
        self._loop = asyncio.get_running_loop()
        self._idle: list[asyncio.Future[Job | None]] = []
        """The one that has worked last is warmest."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = True

    def give(self, job: Job) -> None:
        if self._idle:
            self._idle.pop().set_result(job)
            return
        task = self._loop.create_task(self._work(job), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Nothing more is given; what is being done is ended."""
        self._is_open = False
        while self._idle:
            self._idle.pop().set_result(None)

    async def _work(self, job: Job | None) -> None:
        while job is not None:
            try:
                await self._do(job)
            except Exception:
                log.exception("what a worker did failed")
            if not self._is_open or len(self._idle) >= MAX_IDLE:
                return
            idle: asyncio.Future[Job | None] = self._loop.create_future()
            self._idle.append(idle)
            job = await idle
