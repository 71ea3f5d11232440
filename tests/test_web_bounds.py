"""What the outgoing client shares among all whom it asks: threads that look up names, connections, files."""

import asyncio
import os
import resource
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from messagehub.web import Busy, Closed, TimedOut, Unreachable, client
from tests.test_web import OK, Peer, answering, calling, post, serving

HANGING = 2


@pytest.fixture
def silent_name_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Names that begin with `black` are not answered for until this is set; two are asked for at once."""
    answered, ask = threading.Event(), socket.getaddrinfo

    def asked(host: str, *args: Any, **more: Any) -> Any:
        if host.startswith("black"):
            answered.wait(20)
            raise socket.gaierror("no answer")
        return ask(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    monkeypatch.setattr(client, "LOOKUPS_AT_ONCE", HANGING)
    yield answered
    answered.set()


async def test_a_name_that_nobody_could_be_asked_for_is_not_said_to_have_taken_too_long(
    silent_name_servers: threading.Event,
) -> None:
    async with serving(answering(OK)) as server, calling(timeout=0.2) as calls:
        url = f"http://localhost:{server.port}/hook"
        black = [post(calls, f"http://black{n}.test/") for n in range(HANGING)]
        *timed_out, busy = await asyncio.gather(*black, post(calls, url), return_exceptions=True)
        assert [type(error) for error in timed_out] == [TimedOut] * HANGING
        assert isinstance(busy, Busy)
        silent_name_servers.set()
        assert (await post(calls, url)).status == 200


def test_some_silent_name_servers_leave_threads_for_the_others() -> None:
    assert client.LOOKUPS_AT_ONCE > 100


async def test_there_is_a_most_of_connections_and_those_that_rest_make_room() -> None:
    arrived, may_answer = asyncio.Semaphore(0), asyncio.Event()

    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            arrived.release()
            await may_answer.wait()
            await peer.say(OK)

    async with serving(serve) as server, serving(answering(OK)) as other, calling(most=2) as calls:
        under_way = [asyncio.create_task(post(calls, server.url)) for _ in range(2)]
        for _ in under_way:
            await arrived.acquire()
        with pytest.raises(Busy):
            await post(calls, other.url)
        may_answer.set()
        await asyncio.gather(*under_way)
        assert (await post(calls, other.url)).status == 200
        assert (server.connections, other.connections) == (2, 1)


async def test_names_that_are_looked_up_take_no_place_of_a_connection(silent_name_servers: threading.Event) -> None:
    async with serving(answering(OK)) as server, calling(most=HANGING) as calls:
        black = [asyncio.create_task(post(calls, f"http://black{n}.test/")) for n in range(HANGING)]
        await asyncio.sleep(0)
        assert (await post(calls, server.url)).status == 200
        silent_name_servers.set()
        failed = await asyncio.gather(*black, return_exceptions=True)
        assert [type(error) for error in failed] == [Unreachable] * HANGING


async def test_who_waits_for_a_lookup_when_all_is_closed_is_told_so(silent_name_servers: threading.Event) -> None:
    async with calling() as calls:
        black = [asyncio.create_task(post(calls, f"http://black{n}.test/")) for n in range(HANGING + 1)]
        await asyncio.sleep(0.01)
        await calls.close()
        with pytest.raises(Closed):
            await black[-1]
        silent_name_servers.set()
        await asyncio.gather(*black, return_exceptions=True)


async def test_without_a_thread_to_look_it_up_the_endpoint_is_not_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async with serving(answering(OK)) as server, calling() as calls:
        url = f"http://localhost:{server.port}/hook"
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            with pytest.raises(Busy):
                await post(calls, url)
        assert (await post(calls, url)).status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_without_a_file_for_it_the_endpoint_is_not_to_blame(host: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with serving(answering(OK)) as server, calling() as calls:
        url = f"http://{host}:{server.port}/hook"
        os.close(next_file := os.dup(0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (next_file, hard))
        try:
            with pytest.raises(Busy):
                await post(calls, url)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert (await post(calls, url)).status == 200
