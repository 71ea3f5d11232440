"""Contents on a disk, each under the SHA-256 of its octets, so the same octets are there once.

A file's time of modification says until when it is wanted at least: whoever uses a content keeps it longer. What is
wanted no more is removed by `discarding.py`. Several processes may share a folder. A content has its name only once it
is whole and on the disk, so a crash leaves nothing half but in the folder of what is not whole yet.
"""

import asyncio
import errno
import hashlib
import os
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from messagehub.errors import NoRoom
from messagehub.media import addresses

PARTS = "incoming"
"""The folder of what is not whole yet."""

FOLDERS = tuple(f"{number:02x}" for number in range(256))
PIECE = 128 * 1024
"""Octets that are written at once; a content that comes has no more of itself in memory than two of them."""

ABANDONED_S = 24 * 3600
"""After which nobody goes on with what is not whole."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG, errno.EMFILE, errno.ENFILE})


class Missing(LookupError):
    """A content that is not kept, or not any more."""


class Receiving:
    """A content that comes in pieces."""

    def __init__(self, blobs: "Blobs", part: Path, file: FileIO) -> None:
        self._blobs, self._file = blobs, file
        self.path = part
        """Where it is until it is kept."""
        self.size = 0
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._in_use = threading.Lock()
        """Who is canceled leaves a thread behind that writes: its file is not closed under it, as another may be opened
        with the same number."""

    async def write(self, octets: bytes) -> None:
        """Raises NoRoom where the disk is full."""
        self._waiting += octets
        self.size += len(octets)
        if len(self._waiting) >= PIECE:
            await self.flush()

    async def flush(self) -> None:
        """All that has come so far is in the file."""
        if self._waiting:
            octets, self._waiting = bytes(self._waiting), bytearray()
            await asyncio.to_thread(self._write, octets)

    async def keep(self, until: int) -> str:
        """It is whole: the digest, once it is on disk. `until` in microseconds."""
        await self.flush()
        return await asyncio.to_thread(self._keep, until)

    def forget(self) -> None:
        """What was not kept is removed."""
        with self._in_use:
            self._file.close()
            self.path.unlink(missing_ok=True)

    def _write(self, octets: bytes) -> None:
        with self._in_use, _room():
            _write(self._file, octets)
            self._hash.update(octets)

    def _keep(self, until: int) -> str:
        digest = self._hash.hexdigest()
        with self._in_use, _room():
            self._blobs.settle(self._file, self.path, digest, until)
        return digest


class Blobs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    async def put(self, octets: bytes, keep_until: int) -> str:
        """The digest, once the octets are on disk. `keep_until` in microseconds. Raises NoRoom where the disk is
        full."""
        return await asyncio.to_thread(self._put, octets, keep_until)

    @asynccontextmanager
    async def receiving(self) -> AsyncIterator[Receiving]:
        """A content that comes in pieces. What is not kept at the end of the block is forgotten."""
        receiving = Receiving(self, *await asyncio.to_thread(self._part))
        try:
            yield receiving
        finally:
            await asyncio.to_thread(receiving.forget)

    async def read(self, digest: str) -> bytes:
        """Raises Missing."""
        return await asyncio.to_thread(self._read, digest)

    async def look(self, digest: str, octets: int) -> tuple[int, bytes]:
        """Its size, and so many of its first octets. Raises Missing."""
        return await asyncio.to_thread(self._look, digest, octets)

    async def keep(self, digest: str, until: int) -> None:
        """It is wanted until then at least (microseconds). Raises Missing."""
        await asyncio.to_thread(self._keep, digest, until)

    async def keep_what_is_there(self, digests: Iterable[str], until: int) -> list[str]:
        """They are wanted until then at least. Those that are kept no more."""
        return await asyncio.to_thread(self._keep_all, list(digests), until)

    async def missing(self, digests: Iterable[str]) -> list[str]:
        """Those that are kept no more."""
        asked = list(digests)
        return await asyncio.to_thread(lambda: [digest for digest in asked if not self.path(digest).exists()])

    def path(self, digest: str) -> Path:
        return self._folder / addresses.path(digest)

    def unusable(self) -> str:
        """Why nothing can be kept here, as far as that is seen without writing; empty where it can. A folder that is
        not there is made with the first content."""
        there = next((one for one in (self._folder, *self._folder.parents) if os.path.lexists(one)), Path())
        if not there.is_dir():
            return f"{there} is no folder"
        return "" if os.access(there, os.R_OK | os.W_OK | os.X_OK) else f"{there} cannot be read and written"

    # --- writing ------------------------------------------------------------------------

    def _put(self, octets: bytes, keep_until: int) -> str:
        digest = addresses.digest(octets)
        with suppress(Missing):
            self._keep(digest, keep_until)
            return digest
        part, file = self._part()
        try:
            with _room():
                _write(file, octets)
                self.settle(file, part, digest, keep_until)
        finally:
            file.close()
            part.unlink(missing_ok=True)
        return digest

    def _part(self) -> tuple[Path, FileIO]:
        part = self._folder / PARTS / secrets.token_hex(8)
        with _room():
            _make(self._folder)
            _make(part.parent)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        return part, FileIO(descriptor, "wb")

    def settle(self, file: FileIO, part: Path, digest: str, until: int) -> None:
        """What is whole gets its name, unless it is there already. It is young from the first, so nobody removes it."""
        with suppress(Missing):
            return self._keep(digest, until)
        path = self.path(digest)
        _make(path.parent)
        os.fsync(file.fileno())
        _want(part, until)
        part.replace(path)
        _sync(path.parent)
        return None

    # --- reading ------------------------------------------------------------------------

    def _read(self, digest: str) -> bytes:
        with self._opened(digest) as file:
            return file.read()

    def _look(self, digest: str, octets: int) -> tuple[int, bytes]:
        with self._opened(digest) as file:
            return os.fstat(file.fileno()).st_size, file.read(octets)

    @contextmanager
    def _opened(self, digest: str) -> Iterator[BinaryIO]:
        try:
            file = opened(self.path(digest))
        except FileNotFoundError:
            raise Missing(digest) from None
        with file:
            yield file

    # --- how long -----------------------------------------------------------------------

    def _keep(self, digest: str, until: int) -> None:
        path = self.path(digest)
        try:
            if path.lstat().st_mtime_ns < until * 1000:
                _want(path, until)
        except FileNotFoundError:
            raise Missing(digest) from None

    def _keep_all(self, digests: list[str], until: int) -> list[str]:
        missing = []
        for digest in digests:
            try:
                self._keep(digest, until)
            except Missing:
                missing.append(digest)
        return missing

    # --- removing -----------------------------------------------------------------------

    async def discard(self, folder: str, before: int) -> int:
        """Removes what one of FOLDERS has that was wanted until `before` (microseconds) at the longest; how many."""
        return await asyncio.to_thread(self._discard, folder, before)

    async def abandon(self) -> int:
        """Removes what nobody has gone on with for a day; how many."""
        return await asyncio.to_thread(self._abandon, time.time() - ABANDONED_S)

    def _discard(self, folder: str, before: int) -> int:
        names = [path for path in _within(self._folder / folder) if addresses.is_digest(path.name)]
        return sum(self._is_discarded(path, before) for path in names)

    def _is_discarded(self, path: Path, before: int) -> bool:
        """Somebody may keep it in this very moment: so it is moved aside, looked at again, and put back if need be."""
        aside = self._folder / PARTS / secrets.token_hex(8)
        try:
            if _wanted_until(path) >= before:
                return False
            _make(aside.parent)
            path.rename(aside)
            if _wanted_until(aside) < before:
                aside.unlink()
                return True
            _put_back(aside, path)
        except FileNotFoundError:  # somebody else was quicker
            pass
        return False

    def _abandon(self, before: float) -> int:
        return sum(_is_abandoned(path, before) for path in _within(self._folder / PARTS))


def _is_abandoned(path: Path, before: float) -> bool:
    """Removed, where it was left so long ago. What ends in this very moment is gone, and was not."""
    try:
        if path.lstat().st_mtime >= before:
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def opened(path: Path) -> BinaryIO:
    """A content to read from, never through a link that leads elsewhere. FileNotFoundError where it is gone."""
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileNotFoundError(path) from None
        raise


def _put_back(aside: Path, path: Path) -> None:
    """Unless it has come anew meanwhile, and may be wanted for longer."""
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    except OSError:  # of a file system without links
        aside.rename(path)
    aside.unlink(missing_ok=True)


def _write(file: FileIO, octets: bytes) -> None:
    """All of it: a disk that is nearly full takes a part, and says so with the next one."""
    rest = memoryview(octets)
    while rest:
        rest = rest[file.write(rest) :]


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    """What is in a folder is on the disk only once the folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _want(path: Path, until: int) -> None:
    os.utime(path, ns=(until * 1000, until * 1000), follow_symlinks=False)


def _wanted_until(path: Path) -> int:
    return path.lstat().st_mtime_ns // 1000


def _within(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


@contextmanager
def _room() -> Iterator[None]:
    """A disk that takes nothing more is no fault of ours, and passes."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise NoRoom(f"media cannot be written: {error.strerror}") from error
        raise
