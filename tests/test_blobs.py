"""Contents on a disk: whole or not at all, once, and for as long as somebody wants them."""

import asyncio
import os
import stat
import time
from pathlib import Path

import pytest

from messagehub.blobs import FOLDERS, PARTS, PIECE, Blobs, Missing, opened
from messagehub.clock import SECOND
from messagehub.errors import Unavailable
from messagehub.media import addresses

NOW = 1_800_000_000 * SECOND
OLD = NOW - 1


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "media")


def files(blobs: Blobs) -> list[Path]:
    return [path for path in blobs.path("0" * 64).parent.parent.rglob("*") if path.is_file()]


def test_where_nothing_can_be_kept_is_known_beforehand(tmp_path: Path) -> None:
    assert Blobs(tmp_path / "a" / "b").unusable() == ""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        for place in (tmp_path / name, tmp_path / name / "media"):
            assert Blobs(place).unusable() == f"{tmp_path}/{name} is no folder"


async def test_the_same_octets_are_there_once_however_they_came(blobs: Blobs) -> None:
    octets = os.urandom(3 * PIECE + 17)
    digest = await blobs.put(octets, NOW)
    assert digest == addresses.digest(octets)
    async with blobs.receiving() as receiving:
        for at in range(0, len(octets), 1000):
            await receiving.write(octets[at : at + 1000])
        assert receiving.size == len(octets)
        assert await receiving.keep(NOW) == digest
    assert files(blobs) == [blobs.path(digest)]
    assert await blobs.read(digest) == octets
    assert await blobs.look(digest, 10) == (len(octets), octets[:10])


async def test_only_we_may_read_it(blobs: Blobs) -> None:
    path = blobs.path(await blobs.put(b"x", NOW))
    modes = [stat.S_IMODE(place.stat().st_mode) for place in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


async def test_what_is_not_whole_leaves_nothing(blobs: Blobs) -> None:
    async with blobs.receiving() as receiving:
        await receiving.write(b"x" * PIECE * 2)
        assert len(files(blobs)) == 1
    assert not files(blobs)


async def test_many_at_once_with_the_same_octets_are_one(blobs: Blobs) -> None:
    digests = await asyncio.gather(*(blobs.put(b"the same", NOW) for _ in range(50)))
    assert files(blobs) == [blobs.path(digests[0])]


async def test_what_is_kept_for_longer_stays_so(blobs: Blobs) -> None:
    digest = await blobs.put(b"x", NOW)
    await blobs.keep(digest, OLD)
    assert await blobs.discard(digest[:2], NOW) == 0
    await blobs.keep(digest, NOW + SECOND)
    assert await blobs.discard(digest[:2], NOW + SECOND) == 0
    assert await blobs.discard(digest[:2], NOW + SECOND + 1) == 1
    for lost in (blobs.read(digest), blobs.keep(digest, NOW), blobs.look(digest, 1)):
        with pytest.raises(Missing):
            await lost


async def test_what_is_wanted_again_while_it_is_removed_is_there(blobs: Blobs) -> None:
    """Whoever puts it believes that it is there from then on."""

    async def remove() -> None:
        while not done:
            await asyncio.gather(*(blobs.discard(folder, NOW) for folder in {name[:2] for name in names}))

    contents = [str(n).encode() for n in range(10)]
    names = [addresses.digest(octets) for octets in contents]
    done = False
    removing = asyncio.create_task(remove())
    for _ in range(20):
        for octets in contents:
            await blobs.put(octets, OLD)
        for digest, octets in zip(names, contents, strict=True):
            assert await blobs.put(octets, NOW + SECOND) == digest
            assert await blobs.read(digest) == octets
            os.utime(blobs.path(digest), ns=(OLD * 1000, OLD * 1000))
    done = True
    await removing


async def test_what_nobody_went_on_with_goes_after_a_day(blobs: Blobs) -> None:
    await blobs.put(b"x", NOW)
    part = blobs.path("0" * 64).parent.parent / PARTS / "0123"
    part.write_bytes(b"half")
    assert await blobs.abandon() == 0
    os.utime(part, (time.time() - 25 * 3600,) * 2)
    assert await blobs.abandon() == 1
    assert len(files(blobs)) == 1


async def test_uploads_that_end_meanwhile_hold_up_nothing(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go between the look into the folder and the look at each file."""
    await blobs.put(b"x", NOW)
    parts = blobs.path("0" * 64).parent.parent / PARTS
    (parts / "old").write_bytes(b"half")
    os.utime(parts / "old", (time.time() - 25 * 3600,) * 2)
    monkeypatch.setattr("messagehub.blobs._within", lambda folder: [folder / "ended", folder / "old", folder / "too"])
    assert await blobs.abandon() == 1
    assert not list(parts.iterdir())


async def test_a_full_disk_is_said_to_be_one_and_leaves_nothing(tmp_path: Path) -> None:
    """Of a quota of this process, as nothing else fills a disk without rights."""
    import resource
    import signal

    blobs = Blobs(tmp_path / "media")
    await blobs.put(b"x", NOW)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PIECE, before[1]))
    try:
        with pytest.raises(Unavailable):
            await blobs.put(b"y" * PIECE * 2, NOW)
        async with blobs.receiving() as receiving:
            await receiving.write(b"z" * PIECE)
            with pytest.raises(Unavailable):
                await receiving.write(b"z" * PIECE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(files(blobs)) == 1


async def test_links_lead_nowhere(blobs: Blobs, tmp_path: Path) -> None:
    digest = await blobs.put(b"x", NOW)
    path, secret = blobs.path(digest), tmp_path / "secret"
    secret.write_text("secret")
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(Missing):
        await blobs.read(digest)
    with pytest.raises(FileNotFoundError):
        opened(path)
    await blobs.keep(digest, NOW)
    assert secret.stat().st_mtime_ns // 1000 < NOW


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 65, "a" * 63 + "/", "٠" * 64])
def test_what_is_no_digest_is_no_path(blobs: Blobs, name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        blobs.path(name)


def test_every_digest_has_its_folder() -> None:
    assert len(set(FOLDERS)) == 256
    assert addresses.path("f" * 64)[:2] in FOLDERS
