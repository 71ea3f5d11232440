"""A line between two programs that can be cut, can go dead without a word, and can be slow."""

import asyncio
import threading
from typing import Any

CHUNK = 65536


class Proxy:
    """Passes on what comes to `port` (both ways) to `target` on this machine, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, 0
        self.delay = 0.0
        """Seconds that each piece is held back, in each direction."""
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._refuses = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def open(self) -> None:
        up = threading.Event()
        self._loop.call_soon(up.set)
        self._thread.start()
        assert up.wait(10)
        self._call(self._listen())

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # --- what breaks ------------------------------------------------------------------------

    def cut(self) -> None:
        """Connections are reset, and new ones are refused until `mend`."""
        self._refuses = True
        self._call(self._abort())

    def reset(self) -> None:
        """Connections are reset; new ones are let through."""
        self._call(self._abort())

    def freeze(self) -> None:
        """Connections stay, and nothing passes any more: a half-open line, as where a machine lost its power."""
        self._call(self._set(False))

    def mend(self) -> None:
        """All is well, but for connections that were dead: those are reset."""
        self._refuses, self.delay = False, 0.0
        self._call(self._set(True))

    # --- in the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._flows.set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _set(self, flows: bool) -> None:
        if flows:
            if not self._flows.is_set():
                await self._abort()
            self._flows.set()
        else:
            self._flows.clear()

    async def _abort(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = {writer}
        try:
            if self._refuses:
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            ends.add(far_writer)
            self._writers |= ends
            ways = [self._pass(reader, far_writer), self._pass(far_reader, writer)]
            await asyncio.wait(map(asyncio.ensure_future, ways), return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            return
        finally:
            for end in ends:
                end.transport.abort()
            self._writers -= ends

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while octets := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._flows.wait()
                writer.write(octets)
                await writer.drain()
        except OSError:
            return
