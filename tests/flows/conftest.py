from collections.abc import AsyncIterator

import pytest

from tests.flows.works import Works
from tests.messages.conftest import database_url, house, shared_database
from tests.messages.house import House

__all__ = ["database_url", "house", "shared_database"]


@pytest.fixture
async def works(house: House) -> AsyncIterator[Works]:
    opened = Works(house)
    await opened.open()
    yield opened
    await opened.close()
