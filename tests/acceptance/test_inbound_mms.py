"""Handsets write MMS to us, over a carrier that speaks HTTP, on both stores: the media are kept here and told of."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from messagehub.media import addresses
from tests.conftest import STORES
from tests.media.samples import SAMPLES
from tests.support import gallery, numbering, postgres, sink
from tests.support import hub as hubs
from tests.support.api import Json
from tests.support.gallery import Gallery
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.sink import Endpoint
from tests.support.waiting import until

SECRET = "let me in"
INBOUND = {
    "id": "id", "source": "from", "destination": "to", "text": "text", "subject": "subject", "media": "media",
    "media_url": "url", "media_type": "type",
}  # fmt: skip


@dataclass
class House:
    hub: Hub
    aggregator: Gallery
    carrier: Json
    account: Account
    endpoint: Endpoint

    def keeps(self, name: str, octets: bytes, type: str = "") -> Json:
        """What the carrier says of a medium that it has."""
        return {"url": self.aggregator.show(f"/{name}", octets), "type": type}

    def tell(self, name: str, *media: Json, source: str = "", secret: str = SECRET, **said: str) -> httpx.Response:
        body = {"id": name, "from": source or "+15559876543", "to": self.account.number, "media": media, **said}
        url = f"{self.hub.address}/callbacks/{self.carrier['id']}"
        return httpx.post(url, json=body, headers={"X-Secret": secret}, timeout=20)

    def inbox(self, source: str) -> list[Json]:
        found: list[Json] = self.account.api.get("/messages", direction="inbound", source=source)["result"]
        return found

    def told(self, message: Json) -> Json:
        self.endpoint.wait(lambda endpoint: endpoint.about(message))
        [hit] = self.endpoint.about(message)
        assert hit.type == "message_received"
        return hit.data


@pytest.fixture(scope="module")
def aggregator() -> Iterator[Gallery]:
    with gallery.gallery() as opened:
        yield opened


@pytest.fixture(scope="module", params=STORES)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, aggregator: Gallery
) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    url = f"sqlite:///{folder}/hub.db"
    if request.param != "sqlite":
        url = postgres.new_database(request.getfixturevalue("postgres_server"))
    with (
        sink.sink() as webhooks,
        hubs.hub(url, folder, webhook_allow_private="true", media_dir=folder / "media", node_lease=LEASE_S) as hub,
    ):
        config = {
            "url": f"{aggregator.url}/send", "body": {"to": "{destination}"}, "inbound": INBOUND,
            "callback_auth": "header", "callback_name": "X-Secret", "callback_secret": SECRET,
        }  # fmt: skip
        carrier = hub.admin.post("/carriers", {"name": "aggregator", "type": "http", "config": config})
        hub.bound(carrier)
        endpoint = webhooks.endpoint()
        yield House(hub, aggregator, carrier, hub.customer(webhook_uri=endpoint.url), endpoint)


def test_what_came_is_told_and_can_be_fetched_from_us(house: House) -> None:
    source = numbering.somebody()
    cat = house.keeps("cat", SAMPLES["jpeg"], "image/jpeg")
    card = house.keeps("card", SAMPLES["vcard"])
    assert house.tell("m-1", cat, card, source=source, text="Look", subject="A cat").status_code == 200
    [message] = house.inbox(source)
    assert (message["type"], message["status"], message["text"], message["subject"]) == (
        "mms", "received", "Look", "A cat",
    )  # fmt: skip
    assert [each["type"] for each in message["medias"]] == ["image/jpeg", "text/vcard"]
    told = house.told(message)
    for shown in (message, told, house.account.api.message(message["id"])):
        assert [httpx.get(each["url"]).content for each in shown["medias"]] == [SAMPLES["jpeg"], SAMPLES["vcard"]]
    fetched = httpx.get(told["medias"][0]["url"])
    assert fetched.headers["content-type"] == "image/jpeg"
    assert fetched.headers["x-content-type-options"] == "nosniff"


def test_it_is_in_its_conversation_and_counts_as_unread(house: House) -> None:
    source = numbering.somebody()
    cat = house.keeps("again", SAMPLES["png"])
    house.tell("m-2", cat, source=source, text="Hi")
    [thread] = house.account.api.get("/conversations", peer=source)["result"]
    assert thread["unread_count"] == 1
    [said] = house.account.api.get(f"/conversations/{thread['id']}/messages")["result"]
    assert (said["text"], said["direction"]) == ("Hi", "incoming")
    assert httpx.get(said["medias"][0]["url"]).content == SAMPLES["png"]


def test_what_is_told_twice_is_there_once(house: House) -> None:
    source = numbering.somebody()
    cat = house.keeps("twice", SAMPLES["gif"])
    assert [house.tell("m-3", cat, source=source, text="once").status_code for _ in range(3)] == [200] * 3
    assert len(house.inbox(source)) == 1


def test_a_medium_that_cannot_be_fetched_loses_nothing_else(house: House) -> None:
    source = numbering.somebody()
    gone = {"url": f"{house.aggregator.url}/gone", "type": "image/jpeg"}
    cat = house.keeps("there", SAMPLES["jpeg"])
    assert house.tell("m-4", gone, cat, source=source, text="two").status_code == 200
    [message] = house.inbox(source)
    assert message["medias"][0] == {"type": "image/jpeg", "url": f"{house.aggregator.url}/gone"}
    assert httpx.get(message["medias"][1]["url"]).content == SAMPLES["jpeg"]


def test_what_is_no_picture_is_never_run_by_a_browser(house: House) -> None:
    source = numbering.somebody()
    page = house.keeps("page", b"<html><script>alert(1)</script></html>", "image/jpeg")
    house.tell("m-5", page, source=source)
    [message] = house.inbox(source)
    fetched = httpx.get(message["medias"][0]["url"])
    assert fetched.headers["x-content-type-options"] == "nosniff"
    assert "html" not in fetched.headers["content-type"]
    assert "attachment" in fetched.headers.get("content-disposition", "")


def test_nobody_gets_at_it_by_the_digest_or_by_another_address(house: House) -> None:
    source = numbering.somebody()
    [first, second] = [house.keeps(name, SAMPLES[name]) for name in ("mp3", "wav")]
    house.tell("m-6", first, second, source=source)
    [message] = house.inbox(source)
    of_first, of_second = (httpx.URL(each["url"]) for each in message["medias"])
    assert httpx.get(of_first.copy_with(query=None)).status_code in (401, 403, 404)
    assert httpx.get(of_second.copy_with(query=of_first.query)).status_code in (403, 404)
    old = addresses.sign(of_first.path.rpartition("/")[2], 1, b"whatever")
    assert httpx.get(of_first.copy_with(params={"token": old})).status_code in (403, 404)
    stranger = house.hub.customer()
    assert stranger.api.call("GET", f"/messages/{message['id']}").status_code == 404


def test_who_does_not_know_the_secret_tells_nothing(house: House) -> None:
    source = numbering.somebody()
    cat = house.keeps("secret", SAMPLES["jpeg"])
    assert house.tell("m-7", cat, source=source, secret="guess").status_code == 403
    assert house.inbox(source) == []
    assert "/secret" not in house.aggregator.asked


def test_what_was_answered_is_there_after_a_kill(house: House) -> None:
    """The process is killed as soon as the carrier has its answer."""
    source = numbering.somebody()
    cat = house.keeps("kept", SAMPLES["jpeg"])
    assert house.tell("m-8", cat, source=source).status_code == 200
    house.hub.kill()
    house.hub.start()
    [message] = house.inbox(source)
    assert httpx.get(message["medias"][0]["url"]).content == SAMPLES["jpeg"]
    # Who was killed while it told of it is waited for by the others until its lease is over.
    house.endpoint.wait(lambda endpoint: endpoint.about(message))
    until(lambda: house.tell("m-8", cat, source=source).status_code == 200, "the carrier is open again")
    assert len(house.inbox(source)) == 1


def test_no_address_of_a_medium_is_in_the_log(house: House) -> None:
    source = numbering.somebody()
    house.tell("m-9", house.keeps("logged", SAMPLES["jpeg"]), source=source)
    [message] = house.inbox(source)
    token = httpx.URL(message["medias"][0]["url"]).params["token"]
    httpx.get(message["medias"][0]["url"])
    assert token not in house.hub.log
