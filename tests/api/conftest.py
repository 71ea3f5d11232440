from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import hub as hubs
from tests.support import simulator
from tests.support.api import Api
from tests.support.documented import Documentation
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator

BODY_TIMEOUT_S = 1


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("api")


@pytest.fixture(scope="session")
def box(folder: Path) -> Iterator[Simulator]:
    with simulator.simulator(folder) as opened:
        yield opened


@pytest.fixture(scope="session")
def hub(folder: Path, box: Simulator) -> Iterator[Hub]:
    """One server for all; the tests make their own customers."""
    with held(folder, box, front="inline") as opened:
        yield opened


@contextmanager
def held(folder: Path, box: Simulator, **more: Any) -> Iterator[Hub]:
    """A server whose answers are held against the documentation. Whatever is done to it, it lives and is well."""
    settings: dict[str, Any] = {"body_timeout": BODY_TIMEOUT_S, "log_level": "debug", "login_burst": 10_000}
    with hubs.hub(f"sqlite:///{folder}/hub.db", folder, **settings, **more) as opened:
        opened.lead_to(box)
        opened.on_answer = Documentation(httpx.get(f"{opened.address}/openapi.json").json()).check
        yield opened
        assert opened.alive
        assert "Traceback" not in opened.log
        assert [key for key in opened.keys if key in opened.log] == []
        assert opened.end() == 0


@pytest.fixture(scope="session")
def account(hub: Hub) -> Account:
    return hub.customer()


@pytest.fixture(scope="session")
def admin(hub: Hub, account: Account) -> Api:
    """The operator, whose answers are held against the documentation as well."""
    return hub.caller(hub.admin.key)
