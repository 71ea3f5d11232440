from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import carrier_box, failing, module_database, outset, stalled, webhooks
from tests.acceptance.outset import Lame, Outset
from tests.api.conftest import held
from tests.support.api import Api
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator

__all__ = ["carrier_box", "failing", "module_database", "outset", "stalled", "webhooks"]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("front")


@pytest.fixture(scope="session")
def serving(shared_folder: Path, carrier_box: Simulator) -> Iterator[Hub]:
    """As the tests of the API and of the whole have it, but for HTTP in a process of its own."""
    with held(shared_folder, carrier_box, webhook_allow_private="true", front="process") as opened:
        yield opened


@pytest.fixture(scope="session")
def hub(serving: Hub, outset: Outset, failing: Lame, stalled: Lame) -> Hub:
    return serving


@pytest.fixture(scope="session")
def account(hub: Hub) -> Account:
    return hub.customer()


@pytest.fixture(scope="session")
def admin(hub: Hub, account: Account) -> Api:
    return hub.caller(hub.admin.key)
