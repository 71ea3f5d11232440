"""The outgoing client and TLS."""

import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import uvloop

from messagehub.web import Unreachable
from tests.test_web import OK, Peer, answering, calling, expect_timeout, post, serving


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=hook.test"
    names = ["-addext", "subjectAltName=DNS:hook.test"]
    subprocess.run([*command.split(), *names, "-out", cert, "-keyout", key], check=True, capture_output=True)
    return cert, key


def server_context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


async def loopback(_: str) -> Sequence[str]:
    return ["127.0.0.1"]


async def test_https(certificate: tuple[Path, Path]) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    asked: list[str] = []
    context = server_context(certificate)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    async with serving(answering(OK), context) as server, calling(resolve=loopback, tls=trust) as client:
        for _ in range(3):
            assert (await post(client, f"https://hook.test:{server.port}/")).body == b"ok"
        assert server.connections == 1
    assert asked == ["hook.test"]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_certificate_that_does_not_hold(certificate: tuple[Path, Path], trusted: bool) -> None:
    trust = ssl.create_default_context(cafile=str(certificate[0])) if trusted else None
    host = "other.test" if trusted else "hook.test"
    served: list[bytes] = []

    async def serve(peer: Peer) -> None:
        served.append(await peer.request())

    async with (
        serving(serve, server_context(certificate)) as server,
        calling(resolve=loopback, tls=trust) as client,
    ):
        with pytest.raises(Unreachable) as caught:
            await post(client, f"https://{host}:{server.port}/")
    assert (caught.value.code, served) == ("tls", [])


async def test_a_server_without_tls() -> None:
    async def plain(peer: Peer) -> None:
        await peer.say(OK)

    async with serving(plain) as server, calling() as client:
        with pytest.raises(Unreachable) as caught:
            await post(client, server.url.replace("http:", "https:"))
    assert caught.value.code == "tls"


async def test_a_server_that_hangs_up_within_the_handshake() -> None:
    async def hang_up(peer: Peer) -> None:
        await peer.reader.read(1)

    async with serving(hang_up) as server, calling() as client:
        with pytest.raises(Unreachable) as caught:
            await post(client, server.url.replace("http:", "https:"))
    assert caught.value.code == "tls"


async def test_a_handshake_that_stalls() -> None:
    async def stall(peer: Peer) -> None:
        await peer.reader.read()

    async with serving(stall) as server, calling(timeout=0.05) as client:
        await expect_timeout(client, server.url.replace("http:", "https:"))


def test_https_on_uvloop(certificate: tuple[Path, Path]) -> None:
    uvloop.run(test_https(certificate))
    uvloop.run(test_a_server_that_hangs_up_within_the_handshake())
