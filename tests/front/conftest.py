from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import carrier_box, failing, outset, stalled, webhooks
from tests.acceptance.outset import Lame, Outset
from tests.api.conftest import BODY_TIMEOUT_S
from tests.support import hub as hubs
from tests.support.api import Api
from tests.support.documented import Documentation
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator

__all__ = ["carrier_box", "failing", "outset", "stalled", "webhooks"]


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("front")


@pytest.fixture(scope="session")
def serving(shared_folder: Path, carrier_box: Simulator) -> Iterator[Hub]:
    """As the tests of the API and of the whole have it, but for HTTP in a process of its own."""
    settings: dict[str, Any] = {"body_timeout": BODY_TIMEOUT_S, "log_level": "debug", "login_burst": 10_000}
    url = f"sqlite:///{shared_folder}/hub.db"
    with hubs.hub(url, shared_folder, webhook_allow_private="true", front="process", **settings) as opened:
        opened.lead_to(carrier_box)
        opened.on_answer = Documentation(httpx.get(f"{opened.address}/openapi.json").json()).check
        yield opened
        assert opened.alive
        assert "Traceback" not in opened.log
        assert [key for key in opened.keys if key in opened.log] == []
        assert opened.end() == 0


@pytest.fixture(scope="session")
def hub(serving: Hub, outset: Outset, failing: Lame, stalled: Lame) -> Hub:
    return serving


@pytest.fixture(scope="session")
def account(hub: Hub) -> Account:
    return hub.customer()


@pytest.fixture(scope="session")
def admin(hub: Hub, account: Account) -> Api:
    return hub.caller(hub.admin.key)
