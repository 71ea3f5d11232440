import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from messagehub.store import Store
from tests.messages.house import House
from tests.support import postgres

EMPTY = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration' LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def shared_database(postgres_server: str) -> str:
    return postgres.new_database(postgres_server)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    """An empty database. On PostgreSQL it is the last test's, emptied: to make one takes longer than most tests."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    url: str = request.getfixturevalue("shared_database")
    subprocess.run([postgres.binaries() / "psql", "-q", "-d", url, "-c", EMPTY], check=True)
    return url


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    opened = House(store)
    await opened.furnish()
    await opened.open()
    yield opened
    await opened.close()
