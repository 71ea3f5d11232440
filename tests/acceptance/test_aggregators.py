"""Messages by way of aggregators: a hub as an operator runs it, and servers that behave as Twilio and Telnyx do."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.conftest import STORES
from tests.support import aggregators, numbering, postgres, sink
from tests.support import hub as hubs
from tests.support.aggregators import Bandwidth, Telnyx, Twilio
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.sink import Endpoint, Sink
from tests.support.waiting import until

EVENTS = {"webhook_events": ["message_received", "message_updated"]}


@pytest.fixture(scope="module")
def hooks() -> Iterator[Sink]:
    with sink.sink() as opened:
        yield opened


@pytest.fixture(scope="module", params=STORES)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    url = f"sqlite:///{folder}/hub.db"
    if request.param == "postgres":
        url = postgres.new_database(request.getfixturevalue("postgres_server"))
    with hubs.hub(url, folder, webhook_allow_private="true", media_allow_private="true") as opened:
        yield opened


@dataclass(frozen=True)
class World:
    hub: Hub
    kind: str
    carrier: Json
    peer: Twilio | Telnyx | Bandwidth
    account: Account
    hook: Endpoint

    @property
    def callback_url(self) -> str:
        return f"{self.hub.address}/callbacks/{self.carrier['id']}"

    def send(self, suffix: str = "1234", text: str = "Zoë says: hello ✓", **more: object) -> Json:
        return self.account.send(numbering.somebody(suffix), text, **more)

    def target(self, message: Json, status: str) -> Json:
        """The one target of a message, once it has the status."""
        now = self.account.api.when(message["id"], lambda seen: seen["targets"][0]["status"] == status)
        target: Json = now["targets"][0]
        return target

    def told(self, message: Json) -> list[str]:
        """The statuses that the customer's webhook heard of."""
        hits = [hit for hit in self.hook.about(message) if hit.type == "message_updated"]
        return [change["status"] for hit in hits for change in hit.data["changed"]]


@pytest.fixture(params=aggregators.KINDS)
def world(request: pytest.FixtureRequest, running: Hub, hooks: Sink) -> Iterator[World]:
    with aggregators.aggregator(request.param) as peer:
        config = peer.config() | {"response_timeout": 5, "dlr_timeout": 30}
        carrier = running.admin.post("/carriers", {"name": "them", "type": request.param, "config": config})
        if isinstance(peer, Bandwidth):
            peer.callback_url = f"{running.address}/callbacks/{carrier['id']}"
        hook = hooks.endpoint()
        account = running.customer(webhook_uri=hook.url, **EVENTS)
        route = running.route(carrier, customer_id=account.id)
        running.bound(carrier)
        yield World(running, request.param, carrier, peer, account, hook)
        running.admin.delete(f"/routes/{route['id']}")
        running.admin.delete(f"/carriers/{carrier['id']}")


def test_a_text_goes_and_is_delivered(world: World) -> None:
    message = world.send()
    target = world.target(message, "delivered")
    assert target["parts"] == 3  # as the carrier says
    (taken,) = world.peer.taken
    said = {name.lower(): value for name, value in taken.asked.items()}
    assert (said["from"], said["to"]) == (world.account.number, target["destination"]["target"])
    assert said.get("body", said.get("text")) == "Zoë says: hello ✓"
    world.hook.wait(lambda _: world.told(message) == ["sent", "delivered"])
    assert {status for _, status in world.peer.called} <= {200, 204}


FAILURES = {
    "twilio": [
        ("undelivered", "30005", "invalid_number"),
        ("failed", "30007", "blocked"),
        ("undelivered", "", "undelivered"),
    ],
    "telnyx": [
        ("delivery_failed", "40012", "invalid_number"),
        ("sending_failed", "40015", "blocked"),
        ("expired", "", "expired"),
    ],
    "bandwidth": [("failed", "4720", "invalid_number"), ("failed", "4770", "blocked"), ("failed", "", "undelivered")],
}


@pytest.mark.parametrize("n", range(3))
def test_what_cannot_be_delivered_says_why(world: World, n: int) -> None:
    status, code, error_code = FAILURES[world.kind][n]
    world.peer.usual = [(ON_ITS_WAY[world.kind], ""), (status, code)]
    message = world.send()
    target = world.target(message, "failed")
    assert target["error_code"] == error_code
    assert target["error_message"].startswith(f"{status} {code}".strip())
    world.hook.wait(lambda _: world.told(message) == ["sent", "failed"])


REFUSALS = {
    "twilio": [(400, 21211, "invalid_number"), (400, 21610, "opted_out"), (400, 21606, "invalid_source")],
    "telnyx": [(400, 40310, "invalid_number"), (403, 40300, "opted_out"), (400, 40305, "invalid_source")],
    "bandwidth": [(400, 2, "invalid_number"), (400, 3, "carrier_rejected"), (400, 1, "invalid_source")],
}


@pytest.mark.parametrize("n", range(3))
def test_what_is_refused_says_why(world: World, n: int) -> None:
    status, code, error_code = REFUSALS[world.kind][n]
    world.peer.replies.append(world.peer.refusal(status, code))
    target = world.target(world.send(), "failed")
    assert target["error_code"] == error_code
    assert "words of" in target["error_message"]
    assert world.hub.admin.get(f"/carriers/{world.carrier['id']}")["status"] == "bound"


BUSY = {"twilio": 20429, "telnyx": 10011, "bandwidth": 0}
ON_ITS_WAY = {"twilio": "sent", "telnyx": "sent", "bandwidth": "sending"}
NOT_BELIEVED = {"twilio": 403, "telnyx": 403, "bandwidth": 401}


def test_who_is_told_to_wait_waits_and_tries_again(world: World) -> None:
    world.peer.replies.append(world.peer.refusal(429, BUSY[world.kind], retry_after="1"))
    world.target(world.send(), "delivered")
    assert world.hub.admin.get(f"/carriers/{world.carrier['id']}")["throttled"] == 1


def test_a_fault_of_theirs_costs_no_message(world: World) -> None:
    world.peer.replies.append(aggregators.Reply(503, b"<html>down</html>"))
    assert world.target(world.send(), "delivered")["possible_duplicate"] is False


TIMES_SENT = {"twilio": 2, "telnyx": 1, "bandwidth": 2}


def test_what_is_in_doubt_is_sent_again_and_once_where_they_know_it_again(world: World) -> None:
    world.peer.losing = 1
    message = world.send()
    assert world.target(message, "delivered")["possible_duplicate"] is True
    assert len(world.peer.taken) == TIMES_SENT[world.kind]


def test_what_they_did_not_sign_changes_nothing(world: World) -> None:
    world.peer.usual = [(ON_ITS_WAY[world.kind], "")]
    message = world.send()
    target = world.target(message, "sent")
    until(lambda: world.peer.taken)
    (taken,) = world.peer.taken
    assert world.peer.forge(world.callback_url, taken.name, target["destination"]["target"]) == NOT_BELIEVED[world.kind]
    shown = world.hub.when_carrier(world.carrier, lambda now: now["warnings"])
    assert any("not believed" in warning for warning in shown["warnings"])
    assert world.target(message, "sent")["status"] == "sent"


def test_what_they_tell_again_is_told_once(world: World) -> None:
    message = world.send()
    target = world.target(message, "delivered")
    (taken,) = world.peer.taken
    for status in ("delivered", ON_ITS_WAY[world.kind]):
        assert world.peer.tell(world.callback_url, taken.name, target["destination"]["target"], status, "") < 300
    somebody = numbering.somebody()
    for _ in range(2):
        assert world.peer.write(world.callback_url, somebody, world.account.number, "Hi!", name="M1") == 200
    (received,) = world.account.api.every("/messages", direction="inbound")
    assert (received["text"], received["source"]["target"], received["type"]) == ("Hi!", somebody, "sms")
    assert world.peer.write(world.callback_url, somebody, world.account.number, "Hi!", name="M2") == 200
    until(lambda: len(world.account.api.every("/messages", direction="inbound")) == 2)
    world.hook.wait(lambda hook: [hit.type for hit in hook.hits].count("message_received") == 2)
    assert world.told(message) == ["sent", "delivered"]


def test_a_message_to_nobody_is_taken_and_left(world: World) -> None:
    assert world.peer.write(world.callback_url, numbering.somebody(), "+15550000000", "Hi!") == 200
    assert world.account.api.every("/messages", direction="inbound") == []


def picture(kind: str = "PNG", edge: int = 40) -> bytes:
    octets = io.BytesIO()
    Image.effect_noise((edge, edge), 80).convert("RGB").save(octets, kind)
    return octets.getvalue()


def test_pictures_go_and_are_delivered(world: World) -> None:
    card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoe\r\nEND:VCARD\r\n"
    files = [("a.jpg", picture("JPEG", 1800), "image/jpeg"), ("b.vcf", card, "text/vcard")]
    uploads = [world.account.api.http.post("/media", files={"file": each}).json() for each in files]
    message = world.send(text="look", subject="News", medias=[{"url": each["url"]} for each in uploads])
    target = world.target(message, "delivered")
    assert target["parts"] == 1
    (taken,) = world.peer.taken
    (kind, octets), (other_kind, other) = taken.media
    assert (kind, other_kind, other) == ("image/jpeg", "text/vcard", card)
    assert len(octets) < 300_000 < len(files[0][1])
    assert Image.open(io.BytesIO(octets)).size[0] <= 1800
    said = " ".join(str(value) for value in taken.asked.values())
    assert "look" in said
    assert "News" in said
    world.hook.wait(lambda _: world.told(message) == ["sent", "delivered"])


def test_pictures_come_in(world: World) -> None:
    somebody, octets = numbering.somebody(), picture()
    media = [("image/png", octets), ("text/vcard", b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Bo\r\nEND:VCARD\r\n")]
    for _ in range(2):  # as after an answer that came too late
        assert world.peer.write(world.callback_url, somebody, world.account.number, "look", media, name="P1") == 200
    (received,) = world.account.api.every("/messages", direction="inbound")
    assert (received["type"], received["text"], received["source"]["target"]) == ("mms", "look", somebody)
    assert [each["type"] for each in received["medias"]] == ["image/png", "text/vcard"]
    assert httpx.get(received["medias"][0]["url"]).content == octets
    world.hook.wait(lambda hook: [hit.type for hit in hook.hits] == ["message_received"])
    (hit,) = world.hook.hits
    assert httpx.get(hit.data["medias"][0]["url"]).content == octets


def test_a_picture_that_is_gone_there_costs_no_message(world: World) -> None:
    world.peer.gone = True
    sent = [("image/png", picture())]
    assert world.peer.write(world.callback_url, numbering.somebody(), world.account.number, "look", sent) == 200
    (received,) = world.account.api.every("/messages", direction="inbound")
    assert (received["type"], received["text"]) == ("mms", "look")
    (medium,) = received["medias"]
    assert medium["url"].startswith(world.peer.url)


OUTSIDE: dict[str, Json] = {
    "twilio": {"account_sid": "AC1", "auth_token": "t", "base_url": "https://api.example.com"},
    "mm7": {"url": "https://mmsc.example.com/mm7"},
    "http": {
        "url": "https://sms.example.com/{destination}",
        "receipt": {"id": "id", "state": "state"},
    },
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_who_cannot_come_to_us_from_outside_is_warned_of(running: Hub, kind: str) -> None:
    config = OUTSIDE[kind] | {"response_timeout": 1}
    carrier = running.admin.post("/carriers", {"name": "outside", "type": kind, "config": config})
    shown = running.when_carrier(carrier, lambda now: now["warnings"])
    assert any("public_url" in warning for warning in shown["warnings"])
    assert "auth_token" not in shown["config"]
    running.admin.delete(f"/carriers/{carrier['id']}")
