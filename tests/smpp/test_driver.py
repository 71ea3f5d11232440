import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from messagehub.smpp import (
    PDU,
    Answered,
    Broken,
    Driver,
    Event,
    Received,
    Role,
    Session,
    State,
    Unbound,
    connect,
    encode,
    listen,
)


class End:
    """One end of a connection, with everything that it was told."""

    def __init__(
        self, role: Role, *, answers: bool = True, session: dict[str, Any] | None = None, **options: Any
    ) -> None:
        self.events: list[Event] = []
        self.reads: list[int] = []
        self.lost: list[Exception | None] = []
        self.answers = answers
        self.happened = asyncio.Event()
        self._role, self._session, self._options = role, session or {}, options
        self.driver: Driver

    def make(self) -> Driver:
        self.driver = Driver(
            lambda now: Session(self._role, now, **self._session), self._on_events, self._on_lost, **self._options
        )
        return self.driver

    def _on_events(self, driver: Driver, events: list[Event]) -> None:
        self.events += events
        self.reads.append(len(events))
        for event in events:
            if isinstance(event, Received) and (self.answers or event.request.name.startswith("bind")):
                driver.answer(event.request)
        self.happened.set()

    def _on_lost(self, driver: Driver, error: Exception | None) -> None:
        self.lost.append(error)
        self.happened.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                self.happened.clear()
                await self.happened.wait()

    def count(self, kind: type) -> int:
        return sum(isinstance(event, kind) for event in self.events)


@asynccontextmanager
async def joined(mc: End, esme: End, *, bind: bool = True) -> AsyncIterator[None]:
    server = await listen("127.0.0.1", 0, mc.make)
    try:
        await connect("127.0.0.1", server.sockets[0].getsockname()[1], esme.make)
        if bind:
            esme.driver.request("bind_transceiver", {"system_id": "me"})
            await esme.until(lambda: esme.driver.session.state is State.BOUND_TRX)
        yield
        esme.driver.close()
        mc_is_gone: Awaitable[None] = mc.driver.wait_lost()
        await asyncio.wait_for(mc_is_gone, 30)
    finally:
        server.close()


async def test_many_requests_are_answered_and_events_come_in_batches() -> None:
    mc, esme = End(Role.MC), End(Role.ESME)
    async with joined(mc, esme):
        for n in range(500):
            esme.driver.request("submit_sm", {"short_message": b"hi"}, context=n)
        await esme.until(lambda: esme.count(Answered) == 501)
        contexts = [event.context for event in esme.events if isinstance(event, Answered)]
        assert contexts == [None, *range(500)]
        assert max(mc.reads) > 100
        assert esme.driver.peer.startswith("127.0.0.1:")


async def test_unbinding_ends_well_on_both_ends() -> None:
    mc, esme = End(Role.MC), End(Role.ESME)
    async with joined(mc, esme):
        await asyncio.wait_for(esme.driver.unbind(), 5)
        await mc.until(lambda: bool(mc.lost))
        assert (mc.lost, esme.lost) == ([None], [None])
        assert (mc.count(Unbound), esme.count(Unbound)) == (1, 1)
        await esme.driver.unbind()


async def test_what_was_asked_before_an_unbind_is_answered_before_the_connection_closes() -> None:
    mc, esme = End(Role.MC), End(Role.ESME, answers=False, tick=60)
    async with joined(mc, esme):
        mc.driver.request("deliver_sm")
        leaving = asyncio.ensure_future(mc.driver.unbind())
        await esme.until(lambda: esme.count(Received) == 1)
        (request,) = (event.request for event in esme.events if isinstance(event, Received))
        esme.driver.answer(request)
        await asyncio.wait_for(leaving, 30)
        await esme.until(lambda: bool(esme.lost))
        assert (mc.count(Answered), esme.count(Unbound), esme.lost) == (1, 1, [None])


async def test_an_mc_may_ask_an_esme_to_bind() -> None:
    esme, mc = End(Role.ESME, answers=False), End(Role.MC)
    async with joined(esme, mc, bind=False):  # this once it is the ESME that listens
        mc.driver.request("outbind", {"system_id": "mc", "password": "secret"})
        await esme.until(lambda: esme.count(Received) == 1)
        esme.driver.request("bind_receiver", {"system_id": "me"})
        await mc.until(lambda: mc.driver.session.state is State.BOUND_RX)
        mc.driver.request("deliver_sm", {"short_message": b"hi"})
        await esme.until(lambda: esme.count(Received) == 2)


async def test_a_lost_connection_is_told_once_and_leaves_what_is_in_doubt() -> None:
    mc, esme = End(Role.MC, answers=False), End(Role.ESME)
    async with joined(mc, esme):
        esme.driver.request("submit_sm", context="in doubt")
        await mc.until(lambda: mc.count(Received) == 2)
        mc.driver.transport.abort()
        await esme.until(lambda: bool(esme.lost))
        assert len(esme.lost) == 1
        assert [context for _, context in esme.driver.session.pending] == ["in doubt"]
        assert not esme.driver.writable
        esme.driver.close()


async def test_a_broken_session_is_flushed_and_closed() -> None:
    mc, esme = End(Role.MC), End(Role.ESME)
    async with joined(mc, esme):
        esme.driver.transport.write(b"GET / HTTP/1.1\r\n\r\n")
        await mc.until(lambda: bool(mc.lost))
        assert mc.count(Broken) == 1
        assert isinstance(mc.lost[0], ConnectionError)
        await esme.until(lambda: bool(esme.lost))


async def test_the_clock_ticks_for_the_session() -> None:
    mc, esme = End(Role.MC, tick=0.01, session={"session_init": 0.02}), End(Role.ESME)
    async with joined(mc, esme, bind=False):
        await mc.until(lambda: bool(mc.lost))
        assert mc.events == [Broken("no bind within 0.02 s")]


async def test_reading_stops_while_too_much_is_unanswered_and_goes_on_after() -> None:
    mc, esme = End(Role.MC, answers=False, max_unanswered=10, tick=0.01), End(Role.ESME)
    async with joined(mc, esme):
        for _ in range(11):
            esme.driver.request("submit_sm")
        await mc.until(lambda: not mc.driver.reading)
        esme.driver.request("submit_sm")
        await asyncio.sleep(0.05)
        assert mc.count(Received) == 12
        waiting = [event.request for event in mc.events if isinstance(event, Received)][1:]
        for request in waiting[:5]:
            mc.driver.answer(request)
        readings = [mc.driver.reading]
        mc.driver.answer(waiting[5])
        assert [*readings, mc.driver.reading] == [False, True]
        await mc.until(lambda: mc.count(Received) == 13)


async def test_a_peer_that_does_not_read_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messagehub.smpp.driver.MAX_UNWRITTEN", 200_000)
    writable: list[Driver] = []
    mc, esme = End(Role.MC), End(Role.ESME, on_writable=writable.append)
    text = {0x0424: bytes(60_000)}
    async with joined(mc, esme):
        mc.driver.transport.pause_reading()
        while esme.driver.writable:
            esme.driver.request("submit_sm", tlvs=text)
            await asyncio.sleep(0)
        mc.driver.transport.resume_reading()
        await esme.until(lambda: esme.driver.session.in_flight == 0)
        assert writable == [esme.driver]
        mc.driver.transport.pause_reading()
        while not esme.lost:
            esme.driver.request("submit_sm", tlvs=text)
            await asyncio.sleep(0)
        assert str(esme.lost[0]) == "the peer does not read"
        mc.driver.transport.resume_reading()


async def test_nobody_listens() -> None:
    server = await listen("127.0.0.1", 0, End(Role.MC).make)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    with pytest.raises(OSError, match=r"111|refused"):
        await connect("127.0.0.1", port, End(Role.ESME).make)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run([*command.split(), "-keyout", path, "-out", f"{path}.cert"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.cert").read_bytes())
    return path


async def test_tls(certificate: Path) -> None:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    theirs = ssl.create_default_context(cafile=str(certificate))
    mc, esme = End(Role.MC), End(Role.ESME)
    server = await listen("127.0.0.1", 0, mc.make, ssl=ours)
    await connect("localhost", server.sockets[0].getsockname()[1], esme.make, ssl=theirs)
    esme.driver.request("bind_transmitter")
    await esme.until(lambda: esme.driver.session.state is State.BOUND_TX)
    await asyncio.wait_for(esme.driver.unbind(), 5)
    server.close()


async def test_octets_one_by_one_make_the_same_pdus() -> None:
    mc, esme = End(Role.MC), End(Role.ESME)
    async with joined(mc, esme):
        for octet in encode(PDU("submit_sm", 77)):
            esme.driver.transport.write(bytes([octet]))
            await asyncio.sleep(0)
        await mc.until(lambda: mc.count(Received) == 2)
