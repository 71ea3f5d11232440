"""Uploads: how many there may be at once, and what goes with a customer."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from messagehub import ids, uploads
from messagehub.blobs import Blobs
from messagehub.errors import Refusal
from messagehub.published import DAY, Published
from messagehub.store import Insert, Store
from messagehub.uploads import MOST_AT_ONCE, MOST_OF_A_CUSTOMER, Upload, Uploads


async def test_a_customer_has_so_many_at_once_and_leaves_room_for_others(store: Store, tmp_path: Path) -> None:
    of = Uploads(store, Blobs(tmp_path), Published("http://hub", [b"k"], DAY), 1000)
    async with AsyncExitStack() as under_way:
        for customer in range(MOST_AT_ONCE // MOST_OF_A_CUSTOMER):
            for _ in range(MOST_OF_A_CUSTOMER):
                await under_way.enter_async_context(of.receiving(str(customer)))
            with pytest.raises(Refusal, match="RATE_LIMIT_EXCEEDED"):
                await under_way.enter_async_context(of.receiving(str(customer)))
        with pytest.raises(Refusal, match="RATE_LIMIT_EXCEEDED"):
            await under_way.enter_async_context(of.receiving("somebody else"))
    async with of.receiving("0"):
        pass
    assert not list((tmp_path / "incoming").iterdir())


async def test_all_of_a_customer_go_and_nothing_of_others(store: Store, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(uploads, "REMOVED_AT_ONCE", 3)
    of = Uploads(store, Blobs(tmp_path), Published("http://hub", [b"k"], DAY), 1000)
    made = [Upload(ids.new(), whose, "d" * 64, "image/gif", 1, "", 1) for whose in "aaaaaaab"]
    await store.write([Insert("insert_upload", made)])
    await of.drop_all("a")
    left = [row.id for whose in "ab" for row in await store.all("uploads_page", customer_id=whose, before="g", count=9)]
    assert left == [made[-1].id]
