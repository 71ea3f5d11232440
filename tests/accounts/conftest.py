import pytest

from messagehub.store import Store
from tests.accounts.house import House


@pytest.fixture
def house(store: Store) -> House:
    return House(store)
