"""The front as the engine sees it: a child that is started, watched, started again when it dies, and drained."""

import asyncio
import logging
import socket
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp

from messagehub.api.callers import Proxies
from messagehub.child import ended, spawned
from messagehub.errors import HubError
from messagehub.front.calls import Calls
from messagehub.front.frames import (
    AT_ONCE,
    Asked,
    Beat,
    Begin,
    Called,
    Drafted,
    Drain,
    Drained,
    FromFront,
    Left,
    Listen,
    Listens,
    Piece,
)
from messagehub.front.requests import Requests
from messagehub.front.taking import Taker
from messagehub.link import Link
from messagehub.logs import about
from messagehub.metrics import COUNTS
from messagehub.web import Requester

log = logging.getLogger(__name__)

SILENT_S = 10
"""For how long a front may say nothing, though it has a beat every second."""

STEADY_S = 10.0
"""Whoever has lived so long is started again at once."""

PAUSES = (0.0, 0.1, 0.5, 2.0, 5.0)
"""Seconds before the next is started, by how many in a row have died young."""


class Front:
    """An `Edge` in a process of its own. `begin` is said to each front first."""

    def __init__(self, sock: socket.socket, begin: Begin) -> None:
        self._sock, self._begin = sock, begin
        self._loop = asyncio.get_running_loop()
        self._calls = Calls()
        self.client: Requester = self._calls
        self._up, self._drained = asyncio.Event(), asyncio.Event()
        self._lost = asyncio.Event()
        """Of the front that was started last."""
        self._application: ASGIApp | None = None
        self._taker: Taker | None = None
        self._process: subprocess.Popen[bytes]
        self._link: Link | None = None
        self._door: socket.socket | None = None
        self._requests: Requests | None = None
        self._silent = 0
        self._is_ending = False
        self._keeping: asyncio.Task[None]
        self._takes: dict[type, Callable[[Any], None]] = {
            Called: self._calls.take,
            Beat: self._note,
            Listens: lambda _: self._up.set(),
            Drained: lambda _: self._drained.set(),
        }

    # --- its life -----------------------------------------------------------------------

    async def open(self) -> None:
        """Starts it. It takes requests from `serve` on."""
        await self._start()
        self._keeping = self._loop.create_task(self._keep())

    async def serve(self, application: ASGIApp, taker: Taker, up: Callable[[], Awaitable[None]]) -> None:
        """HubError where no front can live."""
        self._application, self._taker = application, taker
        self._listen()
        await self._until(self._up)
        await up()
        await self._until(self._drained)

    async def _until(self, event: asyncio.Event) -> None:
        happened = self._loop.create_task(event.wait())
        await asyncio.wait((self._keeping, happened), return_when=asyncio.FIRST_COMPLETED)
        if not happened.done():
            happened.cancel()
            self._keeping.result()

    def end(self) -> None:
        self._is_ending = True
        self._sock.close()  # or who connects from now on would wait for us to end
        if self._link:
            self._link.send(Drain())
        else:
            self._drained.set()

    async def close(self) -> None:
        self._is_ending = True
        self._keeping.cancel()
        if self._link:
            self._link.close()
        if self._door:
            self._door.close()
        await self._loop.run_in_executor(None, ended, self._process)

    async def _keep(self) -> None:
        """Starts the next when one has died. One that never listened will not do so the next time."""
        young, begun = 0, self._loop.time()
        while True:
            code = await self._watch()
            if not self._up.is_set():
                raise HubError(f"the front ends as soon as it is started, with code {code}")
            if self._is_ending:
                self._drained.set()
                return await self.client.close()
            young = 0 if self._loop.time() - begun > STEADY_S else young + 1
            pause = PAUSES[min(young, len(PAUSES) - 1)]
            log.warning("the front has died and is started again", extra=about(code=code, pause=pause))
            await asyncio.sleep(pause)
            begun = self._loop.time()
            await self._start_again()

    async def _start_again(self) -> None:
        if self._is_ending:  # since it died; there is no socket any more on which another could listen
            return
        try:
            await self._start()
        except OSError as error:
            log.error("no front can be started: %s", error)
            self._lost.set()

    async def _start(self) -> None:
        ours, its = socket.socketpair()
        self._door, door = socket.socketpair()
        self._door.setblocking(False)
        with its, door:
            self._process = spawned("messagehub.front", (its.fileno(), self._sock.fileno(), door.fileno()))
        COUNTS.front_starts += 1
        self._lost, self._silent = asyncio.Event(), 0
        link = Link(FromFront, self._take, self._lost.set, yields=True, at_once=AT_ONCE)
        await self._loop.create_connection(lambda: link, sock=ours)
        self._link = link
        link.send(self._begin)
        self._calls.begin(link)
        self._listen()

    async def _watch(self) -> int:
        """Until it is dead, or silent and killed; its exit code. Who was stopped with us has had no time to speak."""
        while self._silent < SILENT_S and not self._lost.is_set():
            self._silent += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._lost.wait()
        if not self._lost.is_set():
            log.error("the front does not answer any more")
        self._forget()
        self._process.kill()
        return await self._loop.run_in_executor(None, self._process.wait)

    def _forget(self) -> None:
        COUNTS.connections = ()
        self._calls.pause()
        if self._link:
            self._link.close()
        if self._door:
            self._door.close()
        if self._requests:
            self._requests.close()
        self._link = self._door = self._requests = None

    def _listen(self) -> None:
        if self._application and self._taker and self._link:
            trusted = Proxies(self._begin.trusted_proxies)
            self._requests = Requests(self._application, self._taker, trusted, self._link)
            self._takes |= {
                Asked: self._requests.take,
                Drafted: self._requests.take_draft,
                Piece: self._requests.take_piece,
                Left: self._requests.leave,
            }
            self._link.send(Listen())

    def adopt(self, file: int) -> bool:
        """Has it go on with an open connection, which is to be closed here. False where it cannot do so now."""
        if self._door is None:
            return False
        try:
            socket.send_fds(self._door, [b"."], [file])
        except OSError:  # it has not taken those before, or it is dead
            return False
        return True

    # --- what it says -------------------------------------------------------------------

    def _take(self, frames: list[Any]) -> None:
        self._silent = 0
        for frame in frames:
            self._takes[type(frame)](frame)
        if self._requests:
            self._requests.take_together()

    def _note(self, beat: Beat) -> None:
        COUNTS.connections, COUNTS.front_cpu = range(beat.connections), beat.cpu
