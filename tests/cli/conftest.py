from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.cli.standin import StandIn
from tests.support import hub as hubs
from tests.support import simulator as simulators
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulators.simulator(tmp_path_factory.mktemp("simulator")) as opened:
        yield opened


@pytest.fixture(scope="session")
def cli_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="session")
def carrier_box(cli_folder: Path) -> Iterator[Simulator]:
    with simulators.simulator(cli_folder, "simulator", "--slow-receipt", "2") as opened:
        yield opened


@pytest.fixture(scope="session")
def hub(cli_folder: Path, carrier_box: Simulator) -> Iterator[Hub]:
    """One server for all; the tests make their own customers."""
    with hubs.hub(f"sqlite:///{cli_folder}/hub.db", cli_folder, webhook_allow_private="true") as opened:
        opened.lead_to(carrier_box, dlr_timeout=60)
        yield opened


@pytest.fixture
def account(hub: Hub) -> Account:
    """A customer that no other test knows."""
    return hub.customer()


@pytest.fixture
def mine(hub: Hub, account: Account, tmp_path: Path) -> Shell:
    """The customer's shell."""
    return Shell(tmp_path, url=hub.address, accesskey=account.api.key)


@pytest.fixture
def operator(hub: Hub, tmp_path: Path) -> Shell:
    return Shell(tmp_path, url=hub.address, accesskey=hub.admin.key)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as opened:
        yield opened


@pytest.fixture
def elsewhere(standin: StandIn, tmp_path: Path) -> Shell:
    """A shell whose server is the stand-in."""
    return Shell(tmp_path, url=standin.url, accesskey="vb_nobodys")
