"""Media of many targets are made to fit once, from what is kept, and no failure stops others."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from messagehub.blobs import Blobs, Missing
from messagehub.carriers import fitting
from messagehub.carriers.carrier import Medium
from messagehub.carriers.fitting import Fitter
from messagehub.media import SAFE, TYPES, Limits, MediaError
from tests.media.samples import SAMPLES, noise, opened, saved

LARGE = saved(noise(900, 600), "JPEG", quality=95)
NARROW = Limits(60_000, 640, TYPES)


class Counted(Blobs):
    """Counts what is read, and how many are read at once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.reads = self.now = self.most = 0

    async def read(self, digest: str) -> bytes:
        self.reads += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.01)
            return await super().read(digest)
        finally:
            self.now -= 1


@pytest.fixture
def blobs(tmp_path: Path) -> Counted:
    return Counted(tmp_path)


async def kept(blobs: Blobs, octets: bytes, kind: str = "image/jpeg") -> Medium:
    return Medium(kind, await blobs.put(octets, 1), len(octets))


async def test_media_are_made_once_for_all_who_ask(blobs: Counted) -> None:
    fitter, medium = Fitter(blobs), await kept(blobs, LARGE)
    texts = ["", *(f"Hello number {n}" for n in range(20))]
    made = await asyncio.gather(*(fitter.fit([medium], NARROW, text) for text in texts))
    assert blobs.reads == 2  # with a text and without
    assert all(len(each[0].octets) <= NARROW.octets for each in made)
    assert max(opened(made[0][0].octets).size) <= NARROW.edge
    assert await fitter.fit([medium], NARROW, "Another") == made[1]
    assert blobs.reads == 2


async def test_what_is_kept_stays_as_it_is(blobs: Counted) -> None:
    medium = await kept(blobs, LARGE)
    await Fitter(blobs).fit([medium], NARROW)
    assert await blobs.read(medium.digest) == LARGE


async def test_limits_text_and_encoding_make_another(blobs: Counted) -> None:
    fitter, medium = Fitter(blobs), await kept(blobs, LARGE)
    for arguments in ((SAFE,), (NARROW,), (NARROW, "x" * 1000), (NARROW, "", True)):
        (made,) = await fitter.fit([medium], *arguments)
        assert len(made.octets) <= arguments[0].octets
    assert blobs.reads == 4


async def test_all_formats_keep_their_order(blobs: Counted) -> None:
    kinds = {"jpeg": "image/jpeg", "mp4": "video/mp4", "vcard": "text/vcard", "gif": "image/gif", "pdf": ""}
    media = [await kept(blobs, SAMPLES[name], kind) for name, kind in kinds.items()]
    made = await Fitter(blobs).fit(media, SAFE)
    assert [each.type for each in made] == ["image/jpeg", "video/mp4", "text/vcard", "image/gif", "application/pdf"]
    assert len({each.name for each in made}) == 5


async def test_few_are_worked_on_at_once(blobs: Counted) -> None:
    fitter = Fitter(blobs)
    media = [await kept(blobs, SAMPLES["jpeg"] + bytes([n])) for n in range(10)]
    await asyncio.gather(*(fitter.fit([medium], SAFE) for medium in media))
    assert (blobs.reads, blobs.most) == (10, fitting.AT_ONCE)


async def test_no_more_octets_are_remembered_than_may_be(blobs: Counted) -> None:
    media = [await kept(blobs, SAMPLES["jpeg"] + bytes([n])) for n in range(8)]
    one = len((await Fitter(blobs).fit([media[0]], SAFE))[0].octets) + 1024
    fitter, blobs.reads = Fitter(blobs, remembered=3 * one + 10), 0
    for n in (0, 1, 2, 0, 3, 4, 0):  # the one that is asked for again and again stays
        await fitter.fit([media[n]], SAFE)
    assert blobs.reads == 5
    await fitter.fit([media[1]], SAFE)
    assert blobs.reads == 6
    small = Fitter(blobs, remembered=100)
    assert await small.fit([media[0]], SAFE) == await small.fit([media[0]], SAFE)
    assert blobs.reads == 8


async def test_a_failure_is_told_to_all_and_is_not_tried_again(blobs: Counted) -> None:
    fitter, medium = Fitter(blobs), await kept(blobs, bytes(1000))
    told = await asyncio.gather(*(fitter.fit([medium], SAFE) for _ in range(3)), return_exceptions=True)
    assert [(type(each), getattr(each, "reason", "")) for each in told] == [(MediaError, "media_unsupported")] * 3
    assert "medias[0]" in str(told[0])
    with pytest.raises(MediaError, match=r"medias\[0\]"):
        await fitter.fit([medium], SAFE)
    assert blobs.reads == 1


async def test_what_is_missing_may_come_back(blobs: Counted) -> None:
    fitter, medium = Fitter(blobs), Medium("image/jpeg", "0" * 64, 1)
    with pytest.raises(Missing):
        await fitter.fit([medium], SAFE)
    there = await kept(blobs, SAMPLES["jpeg"])
    blobs.path(medium.digest).parent.mkdir(parents=True)
    blobs.path(there.digest).rename(blobs.path(medium.digest))
    assert await fitter.fit([medium], SAFE)


async def test_who_gives_up_does_not_stop_others(blobs: Counted) -> None:
    fitter, medium = Fitter(blobs), await kept(blobs, LARGE)
    waiting: list[asyncio.Task[Any]] = [asyncio.create_task(fitter.fit([medium], NARROW)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    assert len(await waiting[1]) == 1
    assert waiting[0].cancelled()
