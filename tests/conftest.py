from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from messagehub.store import Store, open_store
from tests.support import postgres

STORES = ("sqlite", "postgres")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with postgres.server() as url:
        yield url


@pytest.fixture(params=STORES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database; every test that asks for it runs on both stores."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    return postgres.new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await open_store(database_url)
    yield opened
    await opened.close()
