"""When each access key was used last: noted in memory, where it costs next to nothing, and written once a minute."""

import logging

from messagehub.errors import Unavailable
from messagehub.store import Store
from messagehub.work.loop import Loop

log = logging.getLogger(__name__)

EVERY_S = 60.0


class LastUses:
    """`noted`: the id of a key, and when it was used."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loop = Loop("last uses", self.write, EVERY_S)
        self.noted: dict[str, int] = {}

    def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()
        try:
            await self.write()
        except Unavailable as error:
            log.warning("when access keys were used last is not written down: %s", error)

    async def write(self) -> None:
        """What cannot be written now is noted still, unless there is later news."""
        if not self.noted:
            return
        written = dict(self.noted)
        self.noted.clear()
        try:
            # In one order, so that nodes that write the same keys do not wait for each other.
            await self._store.many("note_last_use", [{"id": id, "now": now} for id, now in sorted(written.items())])
        except BaseException:
            for id, now in written.items():
                self.noted.setdefault(id, now)
            raise
