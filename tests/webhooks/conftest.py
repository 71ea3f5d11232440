from collections.abc import AsyncIterator, Iterator

import pytest

from messagehub.store import Store
from tests.support import sink
from tests.support.sink import Endpoint, Sink
from tests.webhooks.desk import Desk


@pytest.fixture(scope="session")
def webhooks() -> Iterator[Sink]:
    with sink.sink() as opened:
        yield opened


@pytest.fixture
def endpoint(webhooks: Sink) -> Endpoint:
    return webhooks.endpoint()


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    opened = Desk(store, timeout=1.0)
    await opened.open()
    yield opened
    await opened.close()
