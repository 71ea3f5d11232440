"""Uploads: media that customers have given us, to be sent by their addresses.

The content is on the disk (blobs.py), where the same octets are once; an upload is a row that says whose it is and what
it is called. It goes when its content does, or when its customer deletes it; the content is kept for all who use it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from messagehub import ids
from messagehub.blobs import Blobs, Receiving
from messagehub.errors import Refusal
from messagehub.media import Kind, MediaError, check
from messagehub.media.names import safe_name
from messagehub.media.pictures import MAX_PIXELS
from messagehub.published import Published
from messagehub.store import Insert, Row, Store, Tx

MOST_AT_ONCE, MOST_OF_A_CUSTOMER = 200, 100
REMOVED_AT_ONCE = 1000
BEHIND_ALL = "g"
"""Ids are hexadecimal."""

LOOKED_AT_AT_ONCE = 2
"""Contents that are read into memory to be looked at."""


class Upload(Struct, frozen=True):
    """`url` is where it can be fetched for a while; empty where the content is kept no more."""

    id: str
    customer_id: str
    digest: str
    type: str
    size: int
    name: str
    tm_create: int
    url: str = ""


class Uploads:
    """`most`: octets of one."""

    def __init__(self, store: Store, blobs: Blobs, published: Published, most: int) -> None:
        self._store, self._blobs, self._published, self.most = store, blobs, published, most
        self._under_way: Counter[str] = Counter()
        self._looks = asyncio.Semaphore(LOOKED_AT_AT_ONCE)

    @asynccontextmanager
    async def receiving(self, customer_id: str) -> AsyncIterator[Receiving]:
        """The place of a content that comes. Refusal where too many come at once."""
        if self._under_way[customer_id] >= MOST_OF_A_CUSTOMER or self._under_way.total() >= MOST_AT_ONCE:
            raise Refusal("RATE_LIMIT_EXCEEDED", f"too many uploads at once; {MOST_OF_A_CUSTOMER} at most are taken")
        self._under_way[customer_id] += 1
        try:
            async with self._blobs.receiving() as receiving:
                yield receiving
        finally:
            self._under_way[customer_id] -= 1
            if not self._under_way[customer_id]:
                del self._under_way[customer_id]

    async def add(self, customer_id: str, receiving: Receiving, declared: str, name: str, now: int) -> Upload:
        """What has come whole, once it is stored. `declared` is the media type that its sender gave it; `name` what it
        calls it. Refusal where it is none of the formats, or broken, or not what its type says."""
        await receiving.flush()
        async with self._looks:
            kind = await asyncio.to_thread(_looked_at, receiving.path, declared)
        digest = await receiving.keep(now + self._published.lifetime)
        upload = Upload(
            ids.new(), customer_id, digest, kind.type, receiving.size, safe_name(name), now,
            self._published.url(digest, now),
        )  # fmt: skip
        await self._store.write([Insert("insert_upload", [upload])])
        return upload

    async def get(self, upload_id: str, owner_id: str | None, now: int) -> Upload:
        """Refusal when there is none, or it is not the owner's (None: whoever's)."""
        row = await self._store.one("upload_by_id", id=upload_id)
        if row is None or owner_id not in (None, row.customer_id):
            raise Refusal("RESOURCE_NOT_FOUND", f"there is no upload {upload_id}")
        (upload,) = await self._with_addresses([row], now)
        return upload

    async def page(self, customer_id: str, now: int, before: str, count: int) -> list[Upload]:
        """The newest `count` of a customer whose id is smaller than `before`."""
        rows = await self._store.all("uploads_page", customer_id=customer_id, before=before, count=count)
        return await self._with_addresses(rows, now)

    async def remove(self, upload_id: str) -> None:
        """The content stays for as long as somebody wants it."""
        await self._store.run("remove_upload", id=upload_id)

    async def drop_all(self, owner_id: str) -> None:
        """All of a customer, in pieces, so that nobody waits long for the writer.

        What a crash leaves of it goes when its time is over, as any other.
        """
        page = {"customer_id": owner_id, "before": BEHIND_ALL, "count": REMOVED_AT_ONCE}
        while await self._store.transaction(partial(_drop_some, page)):
            pass

    async def _with_addresses(self, rows: Sequence[Row], now: int) -> list[Upload]:
        """Whoever is told an address can use it for its time, so the content is kept as long."""
        until = now + self._published.lifetime
        missing = set(await self._blobs.keep_what_is_there((row.digest for row in rows), until))
        urls = ["" if row.digest in missing else self._published.url(row.digest, now) for row in rows]
        return [Upload(**row._asdict(), url=url) for row, url in zip(rows, urls, strict=True)]


def _looked_at(path: Path, declared: str) -> Kind:
    try:
        kind, shape = check(path.read_bytes(), declared)
        if shape.pixels > (most := MAX_PIXELS.get(kind.name, shape.pixels)):
            raise MediaError("media_too_large", f"{shape.width} x {shape.height} pixels; {most} in all are worked on")
    except MediaError as error:
        raise Refusal(error.reason.upper(), f"file: {error.message}") from None
    return kind


async def _drop_some(page: dict[str, Any], tx: Tx) -> bool:
    rows = await tx.all("uploads_page", **page)
    await tx.many("remove_upload", rows)
    return bool(rows)
