"""Media as they are fetched: by their addresses, in parts, and by short links."""

import asyncio
import os
from urllib.parse import urlsplit

import httpx
import pytest

from messagehub import clock
from messagehub.media import addresses
from messagehub.published import Keyring, Links
from messagehub.sealing import sealer
from messagehub.store import open_store
from tests.api.uploads import large, uploaded
from tests.media.samples import SAMPLES
from tests.support import raw
from tests.support.api import refusal
from tests.support.hub import Account, Hub


@pytest.fixture(scope="module")
def film(account: Account) -> tuple[str, bytes]:
    octets = SAMPLES["jpeg"] + os.urandom(300_000)
    return uploaded(account, octets)["url"], octets


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=1000-", 1000, None),
        ("bytes=-500", -500, None),
        ("bytes=200000-99999999", 200_000, None),
        ("bytes=-99999999", 0, None),
    ],
)
def test_parts_can_be_asked_for(film: tuple[str, bytes], asked: str, first: int, last: int | None) -> None:
    url, octets = film
    answer = httpx.get(url, headers={"Range": asked})
    wanted = octets[first : None if last is None else last + 1]
    assert answer.content == wanted
    if len(wanted) < len(octets):
        assert answer.status_code == 206
        begin = len(octets) + first if first < 0 else first
        said = f"bytes {begin}-{begin + len(wanted) - 1}/{len(octets)}"
        assert answer.headers["content-range"] == said


def test_parts_are_for_get_alone(film: tuple[str, bytes]) -> None:
    url, octets = film
    for asked in ("bytes=0-0", f"bytes={len(octets)}-"):
        answer = httpx.head(url, headers={"Range": asked})
        assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(octets)))


@pytest.mark.parametrize("asked", ["bytes=0-9,20-29", "octets=0-9", "bytes=9-0", "bytes=x", "bytes=-", "bytes"])
def test_what_cannot_be_read_as_a_range_is_the_whole(film: tuple[str, bytes], asked: str) -> None:
    url, octets = film
    answer = httpx.get(url, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, octets)


def test_what_is_behind_the_end_is_refused(film: tuple[str, bytes]) -> None:
    url, octets = film
    for asked in (f"bytes={len(octets)}-", "bytes=-0"):
        answer = httpx.get(url, headers={"Range": asked})
        refusal(answer, 416, "INVALID_RANGE", str(len(octets)))
        assert answer.headers["content-range"] == f"bytes */{len(octets)}"


def test_what_one_has_is_not_sent_again(film: tuple[str, bytes]) -> None:
    url, octets = film
    tag = httpx.get(url).headers["etag"]
    again = httpx.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    same = httpx.get(url, headers={"Range": "bytes=0-9", "If-Range": tag})
    assert (same.status_code, same.content) == (206, octets[:10])
    assert httpx.get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200


def test_a_head_says_what_a_get_would(film: tuple[str, bytes]) -> None:
    url, octets = film
    said, got = httpx.head(url), httpx.get(url)
    assert said.headers["content-length"] == str(len(octets))
    assert {**said.headers, "x-request-id": "", "date": ""} == {**got.headers, "x-request-id": "", "date": ""}


def test_several_are_asked_for_on_one_connection(hub: Hub, film: tuple[str, bytes]) -> None:
    url, octets = film
    parts = urlsplit(url)
    with raw.line(hub) as line:
        for _ in range(3):
            assert line.ask(raw.request(f"GET {parts.path}?{parts.query}")).body == octets
        assert line.ask(raw.request("GET /healthz")).status == 200


def test_without_its_signature_nothing_is_served(hub: Hub, film: tuple[str, bytes]) -> None:
    url, _ = film
    bare, _, token = url.partition("?token=")
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    old = addresses.sign(addresses.digest(b""), clock.now() - 1, b"key")
    for query in ("", "?token=", f"?token={other}", f"?token={old}", f"?token={token}x", "?token=%00", "?token=é"):
        answer = httpx.get(bare + query)
        assert answer.status_code in (400, 403), query
        assert answer.json()["error"]["reason"] in ("MEDIA_ADDRESS_EXPIRED", "INVALID_REQUEST_PARAMETER")
    refusal(httpx.get(f"{hub.address}/media/{'0' * 64}?token={token}"), 403, "MEDIA_ADDRESS_EXPIRED")
    for name in ("..%2f..%2fhub.db", "x", "0" * 63, "A" * 64, "%2e%2e", "0" * 64 + "%00"):
        answer = httpx.get(f"{hub.address}/media/{name}?token={token}")
        assert answer.status_code == 404, name
    refusal(httpx.post(url), 405, "METHOD_NOT_ALLOWED")
    refusal(httpx.get(f"{hub.address}/m/{'A' * 16}"), 404, "RESOURCE_NOT_FOUND")


def link_to(hub: Hub, digest: str, until: int) -> str:
    """As a message that cannot be an MMS has it."""

    async def make() -> str:
        url = hub.env["MESSAGEHUB_DATABASE_URL"]
        store = await open_store(url)
        try:
            ring = Keyring(store, sealer("", url, is_used=True))
            await ring.look()
            link, insert = Links(store, hub.address, ring.keys).make(digest, until)
            await store.write([insert])
        finally:
            await store.close()
        return link

    return asyncio.run(make())


def test_a_short_link_shows_the_medium(hub: Hub, account: Account) -> None:
    octets = large(2000)
    uploaded(account, octets)
    digest = addresses.digest(octets)
    link = link_to(hub, digest, clock.now() + 3600 * clock.SECOND)
    assert len(link.rpartition("/")[2]) == 16
    answer = httpx.get(link, headers={"Range": "bytes=0-99"})
    assert (answer.status_code, answer.content) == (206, octets[:100])
    assert answer.headers["content-disposition"].startswith("inline")
    assert link.rpartition("/")[2] not in hub.log
    refusal(httpx.get(link_to(hub, digest, clock.now() - 1)), 403, "MEDIA_ADDRESS_EXPIRED")
    assert httpx.get(link[:-1] + ("A" if link[-1] != "A" else "B")).status_code == 404
