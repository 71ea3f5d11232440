"""What of media is wanted no more is removed, by one node for all: contents, uploads whose content is gone, links.

A content is wanted until its file says (blobs.py), and kept for some days more. One of the 256 folders is looked into
each minute, so all of them five times a day.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from messagehub import clock, ids
from messagehub.blobs import FOLDERS, Blobs
from messagehub.clock import SECOND
from messagehub.logs import about
from messagehub.metrics import COUNTS
from messagehub.store import Store
from messagehub.work.loop import Loop
from messagehub.work.node import always

log = logging.getLogger(__name__)

DAY = 24 * 3600 * SECOND
EVERY_S = 60.0
BATCH = 500
"""Rows, of each table, in one turn."""

LINKS_KEPT = 30 * DAY
"""How long after its time a link is still known to be one."""


class Discarding:
    """`days` for which a content is kept after it was wanted; 0 is for ever. `duty`: whether it is this node that
    removes for all."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        days: float,
        duty: Callable[[], Awaitable[bool]] = always,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._store, self._blobs, self._duty, self._now = store, blobs, duty, now
        self._kept_for = int(days * DAY)
        self._folder = 0
        self._behind = ""
        """The last upload that was looked at."""
        self._loop = Loop("discarding", self.turn, EVERY_S)

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def turn(self) -> None:
        if not await self._duty():
            return
        removed = Counter(media_links=await self._links(self._now() - LINKS_KEPT))
        abandoned = await self._blobs.abandon()
        if self._kept_for:
            removed["media"] = await self._contents(self._now() - self._kept_for)
            removed["uploads"] = await self._uploads(ids.first_of(self._now() - self._kept_for))
        COUNTS.removed.update(removed)
        if abandoned or removed.total():
            log.info("media that nobody wants are removed", extra=about(**+removed, abandoned=abandoned))

    async def _contents(self, before: int) -> int:
        self._folder = (self._folder + 1) % len(FOLDERS)
        return await self._blobs.discard(FOLDERS[self._folder], before)

    async def _uploads(self, before: str) -> int:
        """Those whose content is gone. They are walked from end to end, some in each turn."""
        rows = await self._store.all("old_uploads", behind=self._behind, before=before, count=BATCH)
        self._behind = rows[-1].id if len(rows) == BATCH else ""
        missing = set(await self._blobs.missing(row.digest for row in rows))
        gone = [row for row in rows if row.digest in missing]
        await self._store.many("remove_upload", gone)
        return len(gone)

    async def _links(self, before: int) -> int:
        rows = await self._store.all("old_media_links", tm_before=before, count=BATCH)
        await self._store.many("remove_media_link", rows)
        return len(rows)
