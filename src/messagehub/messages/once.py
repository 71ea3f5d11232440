"""Doing what is asked once, however often it is asked: for requests with a key of their caller's (Idempotency-Key).

The answer is kept by the commit that does what was asked, under the customer and the key, for a day. So there is no
moment at which the one is on disk and the other is not, and of two nodes that do the same at once only one can commit.
What is refused, or fails, keeps nothing: the key can be used again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from msgspec import Struct

from messagehub import clock
from messagehub.clock import SECOND
from messagehub.errors import Conflict, Refusal
from messagehub.store import Insert, Store

KEPT_FOR = 24 * 3600 * SECOND


class Asking(Struct, frozen=True):
    """A request with a key. `fingerprint`: the same for the same request only."""

    customer_id: str
    key: str
    fingerprint: bytes


class Answer(NamedTuple):
    body: bytes
    is_replayed: bool
    """It was answered so before, and nothing was done now."""


Keep = Callable[[bytes], Insert]
"""What has to be written in the commit that does what was asked, for the answer that is given here."""

Do = Callable[[Keep], Awaitable[bytes]]
"""Does what was asked, and returns the answer that it kept."""


class Once:
    def __init__(self, store: Store, now: Callable[[], int] = clock.now) -> None:
        self._store, self._now = store, now
        self._under_way: dict[tuple[str, str], asyncio.Event] = {}

    async def answer(self, asking: Asking, do: Do) -> Answer:
        """What `do` answers, now or when it was asked first. Refusal for a key that was used for another request.

        Whoever asks while the same is under way waits for its answer.
        """
        whose = (asking.customer_id, asking.key)
        while under_way := self._under_way.get(whose):
            await under_way.wait()
        self._under_way[whose] = asyncio.Event()
        try:
            return await self._answer(asking, do)
        finally:
            self._under_way.pop(whose).set()

    async def _answer(self, asking: Asking, do: Do) -> Answer:
        if (kept := await self._kept(asking)) is not None:
            return Answer(kept, True)

        def keep(body: bytes) -> Insert:
            row = {"customer_id": asking.customer_id, "key": asking.key, "fingerprint": asking.fingerprint}
            return Insert("insert_idempotency_key", [{**row, "body": body, "tm_create": self._now()}])

        try:
            return Answer(await do(keep), False)
        except Conflict:  # another node was quicker
            if (kept := await self._kept(asking)) is None:
                raise
            return Answer(kept, True)

    async def _kept(self, asking: Asking) -> bytes | None:
        whose = {"customer_id": asking.customer_id, "key": asking.key}
        row = await self._store.one("idempotency_key", **whose)
        if row is None:
            return None
        if row.tm_create <= self._now() - KEPT_FOR:
            await self._store.run("remove_idempotency_key", **whose, tm_create=row.tm_create)
            return None
        if row.fingerprint != asking.fingerprint:
            raise Refusal(
                "IDEMPOTENCY_KEY_REUSED",
                "Idempotency-Key: it was used for another request within 24 hours; the same one is for the same octets",
            )
        body: bytes = row.body
        return body
