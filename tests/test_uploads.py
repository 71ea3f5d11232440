"""Uploads under way: how many there may be at once."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from messagehub.blobs import Blobs
from messagehub.errors import Refusal
from messagehub.published import DAY, Published
from messagehub.store import Store
from messagehub.uploads import MOST_AT_ONCE, MOST_OF_A_CUSTOMER, Uploads


async def test_a_customer_has_so_many_at_once_and_leaves_room_for_others(store: Store, tmp_path: Path) -> None:
    uploads = Uploads(store, Blobs(tmp_path), Published("http://hub", [b"k"], DAY), 1000)
    async with AsyncExitStack() as under_way:
        for customer in range(MOST_AT_ONCE // MOST_OF_A_CUSTOMER):
            for _ in range(MOST_OF_A_CUSTOMER):
                await under_way.enter_async_context(uploads.receiving(str(customer)))
            with pytest.raises(Refusal, match="RATE_LIMIT_EXCEEDED"):
                await under_way.enter_async_context(uploads.receiving(str(customer)))
        with pytest.raises(Refusal, match="RATE_LIMIT_EXCEEDED"):
            await under_way.enter_async_context(uploads.receiving("somebody else"))
    async with uploads.receiving("0"):
        pass
    assert not list((tmp_path / "incoming").iterdir())
