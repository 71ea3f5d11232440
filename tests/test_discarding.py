"""Media that nobody wants any more go, with what leads to them; nothing else does."""

import os
import time
from pathlib import Path

import pytest

from messagehub import ids
from messagehub.blobs import FOLDERS, PARTS, Blobs, Missing
from messagehub.clock import SECOND
from messagehub.discarding import BATCH, LINKS_KEPT, Discarding
from messagehub.published import DAY, Published
from messagehub.store import Insert, Store
from messagehub.uploads import Upload, Uploads

NOW = 1_800_000_000 * SECOND
DAYS = 30
LIFETIME = 7 * DAY


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "media")


async def upload(store: Store, blobs: Blobs, octets: bytes, at: int = NOW) -> Upload:
    digest = await blobs.put(octets, at + LIFETIME)
    made = Upload(ids.first_of(at)[:-8] + f"{len(octets):08x}", "c", digest, "image/gif", len(octets), "", at)
    await store.write([Insert("insert_upload", [made])])
    return made


async def turns(discarding: Discarding, count: int = len(FOLDERS)) -> None:
    for _ in range(count):
        await discarding.turn()


async def test_a_content_goes_with_its_uploads_when_its_days_are_over(store: Store, blobs: Blobs) -> None:
    clock = Clock()
    discarding = Discarding(store, blobs, DAYS, now=clock)
    uploads = Uploads(store, blobs, Published("http://hub", [b"k"], LIFETIME), 1000)
    old, read = await upload(store, blobs, b"old"), await upload(store, blobs, b"read later")
    clock.now += LIFETIME + DAYS * DAY
    await uploads.get(read.id, "c", clock.now - DAY)
    await turns(discarding)
    assert await blobs.read(old.digest) == b"old"
    clock.now += SECOND
    await turns(discarding, len(FOLDERS) + 1)
    with pytest.raises(Missing):
        await blobs.read(old.digest)
    assert [row.id for row in await store.all("uploads_page", customer_id="c", before="g", count=9)] == [read.id]
    assert await blobs.read(read.digest) == b"read later"


async def test_it_may_be_kept_for_ever_and_another_node_removes_nothing(store: Store, blobs: Blobs) -> None:
    made = await upload(store, blobs, b"x")
    clock = Clock()
    clock.now += 10_000 * DAY

    async def others() -> bool:
        return False

    for discarding in (Discarding(store, blobs, 0, now=clock), Discarding(store, blobs, 1, others, clock)):
        await turns(discarding)
    assert await blobs.read(made.digest) == b"x"


async def test_uploads_are_walked_from_end_to_end(store: Store, blobs: Blobs) -> None:
    kept = await upload(store, blobs, b"x" * 3)
    rows = [
        Upload(f"{ids.first_of(NOW)[:-8]}1{n:07x}", "c", f"{n:064x}", "image/gif", 1, "", NOW)
        for n in range(BATCH + 10)
    ]
    await store.write([Insert("insert_upload", rows)])
    await blobs.keep(kept.digest, NOW + 100 * DAY)
    clock = Clock()
    clock.now += 50 * DAY
    discarding = Discarding(store, blobs, DAYS, now=clock)
    await turns(discarding, 3)
    assert [row.id for row in await store.all("uploads_page", customer_id="c", before="g", count=9)] == [kept.id]


async def test_links_go_long_after_their_time(store: Store, blobs: Blobs) -> None:
    links = [{"code": str(n), "digest": "d", "tm_expire": NOW + n} for n in range(3)]
    await store.write([Insert("insert_media_link", links)])
    clock = Clock()
    clock.now += LINKS_KEPT + 2
    await Discarding(store, blobs, 0, now=clock).turn()
    assert [await store.one("media_link", code=str(n)) is None for n in range(3)] == [True, True, False]


async def test_what_nobody_went_on_with_goes(store: Store, blobs: Blobs, tmp_path: Path) -> None:
    await blobs.put(b"x", NOW)
    part = tmp_path / "media" / PARTS / "half"
    part.write_bytes(b"half")
    os.utime(part, (time.time() - 25 * 3600,) * 2)
    await Discarding(store, blobs, 0).turn()
    assert not part.exists()
