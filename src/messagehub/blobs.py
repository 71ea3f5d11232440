"""Contents on a disk, each under the SHA-256 of its octets, so the same octets are there once.

A file's time of modification says until when it is wanted at least: whoever uses a content keeps it longer. What is
wanted no more is removed by `media/` of the retention. Several processes may share a folder.
"""

import asyncio
import os
import secrets
from pathlib import Path

from messagehub.media import addresses

PARTS = "incoming"
"""The folder of what is not whole yet."""


class Missing(LookupError):
    """A content that is not kept, or not any more."""


class Blobs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, octets: bytes, keep_until: int) -> str:
        """The digest, once the octets are on disk. `keep_until` in microseconds."""
        return await asyncio.to_thread(self._put, octets, keep_until)

    async def read(self, digest: str) -> bytes:
        """Raises Missing."""
        return await asyncio.to_thread(self._read, digest)

    async def keep(self, digest: str, until: int) -> None:
        """It is wanted until then at least (microseconds). Raises Missing."""
        await asyncio.to_thread(self._keep, digest, until)

    def path(self, digest: str) -> Path:
        return self._folder / addresses.path(digest)

    def _put(self, octets: bytes, keep_until: int) -> str:
        digest = addresses.digest(octets)
        try:
            self._keep(digest, keep_until)
        except Missing:
            self._write(self.path(digest), octets)
            self._keep(digest, keep_until)
        return digest

    def _write(self, path: Path, octets: bytes) -> None:
        part = self._folder / PARTS / secrets.token_hex(8)
        for folder in (part.parent, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with part.open("xb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        folder_of = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder_of)
        finally:
            os.close(folder_of)

    def _read(self, digest: str) -> bytes:
        try:
            return self.path(digest).read_bytes()
        except FileNotFoundError:
            raise Missing(digest) from None

    def _keep(self, digest: str, until: int) -> None:
        path = self.path(digest)
        try:
            if path.stat().st_mtime_ns < until * 1000:
                os.utime(path, ns=(until * 1000, until * 1000))
        except FileNotFoundError:
            raise Missing(digest) from None
