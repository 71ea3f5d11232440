import asyncio
import socket
import sys

import pytest

from messagehub.carriers.simulator import Options, run

CHILD = """
import asyncio
from messagehub.carriers.simulator import Options, run
asyncio.run(run(Options(until_eof=True, ready=lambda ports: print(ports.smpp, ports.http, ports.mm7, flush=True))))
"""


async def test_it_ends_with_its_standard_input() -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdin
    assert child.stdout
    async with asyncio.timeout(30):
        ports = (await child.stdout.readline()).split()
        for port in ports:
            _, writer = await asyncio.open_connection("127.0.0.1", int(port))
            writer.close()
        child.stdin.close()
        assert await child.wait() == 0


@pytest.mark.parametrize("which", ["smpp_port", "http_port", "mm7_port"])
async def test_a_port_that_is_taken_is_an_error(which: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match=r"98|in use"):
        await run(Options(**{which: taken.getsockname()[1]}))
