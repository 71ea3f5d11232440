from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop import centres
from interop.centres import Centre
from interop.peer import Peer, peer
from tests.carriers.authority import Authority
from tests.support import hub as hubs
from tests.support import simulator as simulators
from tests.support.hub import Hub
from tests.support.simulator import Simulator


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("interop")


@pytest.fixture(scope="session")
def hub(folder: Path) -> Iterator[Hub]:
    with hubs.hub(f"sqlite:///{folder}/hub.db", folder) as opened:
        yield opened


@pytest.fixture(scope="session", params=["node-smpp", "node-smpp over TLS", "jsmpp"])
def centre(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[Centre]:
    library, _, tls = request.param.partition(" over ")
    with centres.centre(library, tmp_path_factory.mktemp("centre"), authority if tls else None) as opened:
        yield opened


@dataclass(frozen=True)
class Silent:
    """Clients that are bound to a simulator of their own, and say nothing."""

    box: Simulator
    clients: list[Peer]


@pytest.fixture(scope="session", autouse=True)
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Silent]:
    """From the beginning, since silence has to last half a minute before it is noticed."""
    folder = tmp_path_factory.mktemp("silent")
    with ExitStack() as stack:
        box = stack.enter_context(simulators.simulator(folder))
        opened = [stack.enter_context(peer(library, folder, "esme")) for library in ("node-smpp", "jsmpp")]
        for one in opened:
            one.tell("bind", box.port, "bind_transceiver", "silent", "", "")
            one.wait("bind_resp", status=0)
        yield Silent(box, opened)
