from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.outset import Lame, Outset
from tests.conftest import STORES
from tests.support import hub as hubs
from tests.support import postgres, simulator, sink
from tests.support.hub import Hub
from tests.support.simulator import Simulator
from tests.support.sink import STALL, Sink


@pytest.fixture(scope="session")
def webhooks() -> Iterator[Sink]:
    with sink.sink() as opened:
        yield opened


@pytest.fixture(scope="session", params=STORES)
def shared_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is asked for together with this runs on both stores; tests share the processes and not the customers."""
    return tmp_path_factory.mktemp(request.param)


@pytest.fixture(scope="module", params=STORES)
def module_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A fresh database for the tests of one module, and a folder."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        return f"sqlite:///{folder}/hub.db", folder
    return postgres.new_database(request.getfixturevalue("postgres_server")), folder


@pytest.fixture(scope="session")
def carrier_box(shared_folder: Path) -> Iterator[Simulator]:
    # The receipt of 0008 comes when the carrier's dlr_timeout of 2 s is over.
    with simulator.simulator(shared_folder, "simulator", "--slow-receipt", "5") as opened:
        yield opened


@pytest.fixture(scope="session")
def serving(request: pytest.FixtureRequest, shared_folder: Path, carrier_box: Simulator) -> Iterator[Hub]:
    if shared_folder.name.startswith("sqlite"):
        url = f"sqlite:///{shared_folder}/hub.db"
    else:
        url = postgres.new_database(request.getfixturevalue("postgres_server"))
    private = {"webhook_allow_private": "true", "media_allow_private": "true"}
    with hubs.hub(url, shared_folder, **private, log_level="info") as opened:
        opened.lead_to(carrier_box)
        yield opened


@pytest.fixture(scope="session")
def outset(serving: Hub, webhooks: Sink, carrier_box: Simulator) -> Outset:
    return Outset(serving, webhooks.endpoint(), carrier_box)


@pytest.fixture(scope="session")
def failing(serving: Hub, webhooks: Sink) -> Lame:
    return Lame(serving, webhooks.endpoint(), 500)


@pytest.fixture(scope="session")
def stalled(serving: Hub) -> Iterator[Lame]:
    with sink.sink() as elsewhere:
        yield Lame(serving, elsewhere.endpoint(), STALL)


@pytest.fixture(scope="session")
def hub(serving: Hub, outset: Outset, failing: Lame, stalled: Lame) -> Hub:
    """A serving hub whose messages go to `carrier_box`. What takes its time has been begun on it."""
    return serving
