"""An endpoint that does as little as an endpoint can: `python -m bench.hook_sink` says its port, and answers 204."""

import asyncio
from typing import cast

import uvloop

from bench.wire import NO_CONTENT, end_of


class HookSink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's own are no subclass
        self._unread = b""

    def data_received(self, data: bytes) -> None:
        data = self._unread + data if self._unread else data
        start = 0
        while end := end_of(data, start):
            self._transport.write(NO_CONTENT)
            start = end
        self._unread = data[start:]


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(HookSink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
