"""Inbound MMS by the engine of carriers that speak HTTP: their requests, their media, and what we answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from messagehub import clock
from messagehub.blobs import PARTS
from messagehub.carriers.book import Means
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.http import HTTPDialect
from messagehub.carriers.http_config import HTTPConfig, InboundPlaces
from messagehub.carriers.web import WebCarrier
from messagehub.clock import SECOND
from messagehub.messages.exchange import Exchange
from messagehub.shapes import Media
from tests.media.samples import SAMPLES
from tests.messages.house import ANNE, SOURCE, WEEK, House
from tests.messages.test_receive import inbox
from tests.support import gallery
from tests.support.api import Json
from tests.support.gallery import Gallery
from tests.support.outage import Outage

CONFIG = HTTPConfig(
    url="http://127.0.0.1:9/", body={"to": "{destination}"},
    inbound=InboundPlaces(
        source="from", destination="to", text="text", id="id", subject="subject", media="media", media_url="url",
        media_type="type",
    ),
)  # fmt: skip
_names = count()


@dataclass
class Line:
    exchange: Exchange

    async def tell(self, *media: Json, name: str = "", to: str = SOURCE, **said: Any) -> Reply:
        body = {"id": name or f"m-{next(_names)}", "from": ANNE, "to": to, "media": media, **said}
        headers = {"content-type": "application/json"}
        asked = Callback(
            "POST", "", {}, headers, json.dumps(body).encode(), "https://hub.test/callbacks/x", "127.0.0.1"
        )
        return await self.exchange.carrier.called(asked)


def kept(there: Gallery, name: str, octets: bytes, type: str = "") -> Json:
    """What the carrier says of a medium that it has."""
    return {"url": there.show(f"/{name}", octets), "type": type}


@pytest.fixture(scope="module")
def there() -> Iterator[Gallery]:
    with gallery.gallery() as opened:
        yield opened


@pytest.fixture
async def line(house: House) -> Line:
    means = Means(blobs=house.blobs, published=house.published)
    carrier: Any = WebCarrier(CONFIG, HTTPDialect(CONFIG, "https://hub.test/callbacks/x"), means)
    return Line(await house.open(carrier))


async def test_it_is_answered_when_it_is_stored_with_its_media_kept(house: House, line: Line, there: Gallery) -> None:
    cat, card = kept(there, "cat", SAMPLES["jpeg"], "image/jpeg"), kept(there, "card", SAMPLES["vcard"])
    reply = await line.tell(cat, card, text="Look", subject="A cat")
    assert reply.status == 200
    [message] = await inbox(house)
    assert (message.type, message.text, message.subject) == ("mms", "Look", "A cat")
    assert [each.type for each in message.medias] == ["image/jpeg", "text/vcard"]
    digests = [house.published.digest_of(each.url) for each in message.medias]
    assert [await house.blobs.read(digest) for digest in digests] == [SAMPLES["jpeg"], SAMPLES["vcard"]]
    for digest in digests:
        wanted_until = house.blobs.path(digest).stat().st_mtime_ns // 1000
        assert wanted_until >= clock.now() + WEEK - 60 * SECOND


async def test_the_content_says_what_it_is(house: House, line: Line, there: Gallery) -> None:
    await line.tell(kept(there, "png", SAMPLES["png"], "image/jpeg"))
    await line.tell(kept(there, "page", b"<html>hello</html>", "text/html"))
    first, second = [message.medias[0].type for message in await inbox(house)]
    assert (first, second) == ("image/png", "text/html")


async def test_one_that_is_not_there_is_shown_where_the_carrier_has_it(
    house: House, line: Line, there: Gallery
) -> None:
    reply = await line.tell({"url": f"{there.url}/gone", "type": "image/jpeg"}, text="See?")
    assert reply.status == 200
    [message] = await inbox(house)
    assert message.medias == [Media(type="image/jpeg", url=f"{there.url}/gone")]


async def test_what_is_told_again_is_there_once(house: House, line: Line, there: Gallery) -> None:
    cat = kept(there, "again", SAMPLES["gif"])
    assert [(await line.tell(cat, name="same")).status for _ in range(3)] == [200] * 3
    assert len(await inbox(house)) == 1


async def test_a_number_of_nobodys_keeps_nobody_waiting(house: House, line: Line, there: Gallery) -> None:
    assert (await line.tell(kept(there, "x", SAMPLES["jpeg"]), to="+15550009999")).status == 200
    assert await inbox(house) == []


async def test_a_store_that_cannot_write_has_it_told_again(
    house: House, line: Line, there: Gallery, outage: Outage
) -> None:
    cat = kept(there, "later", SAMPLES["jpeg"])
    async with outage():
        assert (await line.tell(cat, name="late")).status == 503
    assert await inbox(house) == []
    assert (await line.tell(cat, name="late")).status == 200
    assert len(await inbox(house)) == 1


async def test_a_folder_that_cannot_be_written_to_has_it_told_again(house: House, line: Line, there: Gallery) -> None:
    cat = kept(there, "full", SAMPLES["wav"])
    incoming = house.media / PARTS
    incoming.write_text("no folder")
    assert (await line.tell(cat, name="full")).status == 503
    assert await inbox(house) == []
    incoming.unlink()
    assert (await line.tell(cat, name="full")).status == 200
    [message] = await inbox(house)
    assert message.medias[0].size == len(SAMPLES["wav"])
