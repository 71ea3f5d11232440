"""A house with a carrier that takes MMS, and a server of media."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from msgspec import Struct

from messagehub import clock, ids
from messagehub.accounts import customers
from messagehub.carriers import kinds
from messagehub.carriers.book import Carriers
from messagehub.carriers.carrier import Inbound
from messagehub.clock import NEVER, SECOND
from messagehub.media import Limits
from messagehub.messages import media
from messagehub.sealing import Sealer
from messagehub.shapes import MediaGiven, Message, MessageGiven
from messagehub.store import Insert, Store
from messagehub.webhooks.sign import new_secret
from tests.messages.gallery import Gallery, gallery
from tests.messages.house import ANNE, SOURCE, House, eventually
from tests.messages.peer import Peer

OTHER = "+15557654321"


class MMSConfig(Struct, kw_only=True, frozen=True):
    """A carrier that takes MMS only."""

    takes: ClassVar = frozenset({"mms"})
    is_base64: ClassVar = False
    secrets: ClassVar = frozenset[str]()
    tlvs: ClassVar[dict[str, Any]] = {}
    receipt_id: ClassVar = "as_is"
    retry_temporary: ClassVar = ()
    validity_period: ClassVar = 0
    octets: int = 300_000

    def limits(self, source: str) -> Limits:
        return Limits(self.octets)

    def check(self) -> None:
        return


class MMSHouse(House):
    """With a carrier that takes MMS beside the one that takes SMS, and a server of media."""

    gallery: Gallery
    mms_id: str
    mms: Peer

    async def add(self, octets: int = 300_000, priority: int = 1) -> str:
        now = clock.now()
        carrier = await Carriers(self.store, Sealer()).add("mms", "mms", {"octets": octets}, False, now)
        await self.routes.add(now, carrier_id=carrier.id, priority=priority)
        return carrier.id

    async def send_media(self, *medias: str, to: tuple[str, ...] = (ANNE,), **more: Any) -> Message:
        return await self.send(*to, medias=[MediaGiven(url=one) for one in medias], **more)

    async def waiting(self) -> int:
        rows = await self.store.all("claim_preparations", now=NEVER, count=5000, holder="", share=1)
        return len(rows)

    async def nothing_waits(self) -> bool:
        return not await self.waiting()

    async def holds(self, message: Message, reason: str) -> bool:
        return all(one.hold_reason == reason for one in (await self.seen(message.id)).targets)

    async def remove_mms(self) -> None:
        carriers = Carriers(self.store, Sealer())
        await carriers.remove(await carriers.get(self.mms_id), clock.now())

    async def stop(self, person: str) -> None:
        """It says STOP."""
        ticket = object()
        self.peer.tell(Inbound(person, SOURCE, "STOP", None, ticket=ticket))
        await eventually(lambda: ticket in self.peer.answers)

    def given(self, url: str, source: str = SOURCE, **more: Any) -> MessageGiven:
        return MessageGiven(source=source, destinations=[ANNE], medias=[MediaGiven(url=url)], **more)

    async def keep(self, octets: bytes) -> str:
        now = clock.now()
        return self.published.url(await self.blobs.put(octets, now + 24 * 3600 * SECOND), now)

    async def another_customer(self) -> str:
        now = clock.now()
        other = customers.new(name="d", now=now, webhook_secret=new_secret())
        await self.store.write([Insert("insert_customer", [other.as_row(Sealer())])])
        number = {"customer_id": other.id, "number": OTHER, "name": "", "detail": ""}
        await self.numbers.add(now, **number, message_flow_id=ids.UNSET)
        return other.id

    async def failed(self, message: Message) -> tuple[str, str]:
        """How its first target failed."""
        row = await self.until((message.id, 0), "failed")
        return row.error_code, row.error_message


@asynccontextmanager
async def mms_house(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MMSHouse]:
    monkeypatch.setitem(kinds.CONFIGS, "mms", MMSConfig)
    monkeypatch.setattr(media, "RETRY_AFTER", (0.05, 0.05))
    async with gallery() as shown:
        opened = MMSHouse(store)
        opened.gallery = shown
        await opened.furnish()
        opened.mms_id, opened.mms = await opened.add(), Peer()
        await opened.open()
        await opened.open(opened.mms, carrier_id=opened.mms_id)
        opened.preparer.start()
        yield opened
        await opened.close()
