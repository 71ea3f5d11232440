from collections.abc import AsyncIterator

import pytest

from messagehub.conversations import Conversations
from messagehub.store import Store
from tests.messages.house import House


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    opened = House(store)
    await opened.furnish()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def talks(house: House) -> Conversations:
    made = Conversations(house.store, house.numbers, house.acceptor, house.published)
    house.receiver.listeners, house.acceptor.followers = (made,), (made,)
    return made
