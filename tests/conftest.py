import re
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from messagehub.store import Store, open_store
from tests.support import grouping, postgres
from tests.support.outage import Outage, outage_of

STORES = ("sqlite", "postgres")
WARNED = re.compile(r"\b(?:WARNING|ERROR|CRITICAL)\b")
MOST_WARNINGS = 20

# A suite that was started in the background ignores Ctrl-C, and so would the programs that it starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes to be made or run is the machine's doing.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    yield
    items.sort(key=grouping.order)
    if getattr(config.option, "loadgroup", False):  # so it is in the processes that run tests
        for item in items:
            if isinstance(item, pytest.Function):
                grouping.put_into_group(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if hasattr(report, "node"):  # it comes from a process that runs tests
        grouping.take_out_of_group(report)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Beside a failure stands what the processes of the test warned of."""
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if report.failed and folder:
        for log in sorted(folder.rglob("*.err")):
            lines = [line for line in log.read_text(errors="replace").splitlines() if WARNED.search(line)]
            report.sections.append((f"Warnings of {log.stem}", "\n".join(lines[:MOST_WARNINGS])))
    return report


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a database runs on each of these stores."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    """A fresh database."""
    if kind == "postgres":
        return postgres.new_database(request.getfixturevalue("postgres_server"))
    return f"sqlite:///{tmp_path}/hub.db"


@pytest.fixture
async def store(kind: str, database_url: str) -> AsyncIterator[Store]:
    opened = await open_store(database_url, beside=kind == "beside")
    yield opened
    await opened.close()


@pytest.fixture
def outage(database_url: str) -> Outage:
    return outage_of(database_url)
