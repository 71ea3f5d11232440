"""A hub whose pictures go to an MMSC that nobody here wrote for it: out, back, and in, on both stores."""

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.carriers import mmsc
from tests.carriers.mmsc import MMSC, Login, response, xml
from tests.carriers.web_rig import Said, Server
from tests.media.samples import located, opened, photo, saved
from tests.support import hub as hubs
from tests.support import sink
from tests.support.api import Json, good
from tests.support.hub import Account, Hub
from tests.support.numbering import somebody
from tests.support.ports import free_port
from tests.support.sink import Endpoint, Sink
from tests.support.waiting import until

CALLER = ("mmsc", "another secret")


class Centre:
    """An MMSC in a thread of its own, the hub before it, and a customer whose messages go there."""

    def __init__(self, hub: Hub, endpoint: Endpoint, peer: MMSC, url: str) -> None:
        self.hub, self.endpoint, self.peer = hub, endpoint, peer
        self.account: Account = hub.customer(webhook_uri=endpoint.url, trace="all")
        config = {
            "url": url, "username": "us", "password": "secret", "vasp_id": "us", "response_timeout": 2,
            "dlr_timeout": 60, "callback_username": CALLER[0], "callback_password": CALLER[1],
        }  # fmt: skip
        self.config = config
        self.carrier = self.add("pictures")

    def add(self, name: str, **route: object) -> Json:
        carrier = self.hub.admin.post("/carriers", {"name": name, "type": "mm7", "config": self.config})
        self.hub.route(carrier, customer_id=self.account.id, **route)
        return self.hub.bound(carrier)

    def tell(
        self, given: tuple[str, bytes] | bytes, auth: tuple[str, str] = CALLER, carrier: Json | None = None
    ) -> httpx.Response:
        content_type, body = given if isinstance(given, tuple) else ("text/xml", given)
        url = (carrier or self.carrier)["callback_url"]
        return httpx.post(url, content=body, headers={"content-type": content_type, "soapaction": '""'}, auth=auth)

    def upload(self, octets: bytes, name: str = "a.jpg") -> Json:
        return good(self.account.api.http.post("/media", files={"file": (name, octets)}))

    def send(self, text: str, *octets: bytes, **more: object) -> Json:
        medias = [{"url": self.upload(each)["url"]} for each in octets]
        return self.account.send(somebody("1234"), text, medias=medias, **more)


@contextmanager
def centre_of(hub: Hub, endpoint: Endpoint) -> Iterator[Centre]:
    loop, server = asyncio.new_event_loop(), Server()
    thread = threading.Thread(target=loop.run_forever, name="mmsc")
    thread.start()
    asyncio.run_coroutine_threadsafe(server.open(), loop).result(10)
    try:
        yield Centre(hub, endpoint, MMSC(server, Login("Digest", "us", "secret")), server.url)
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def hooks() -> Iterator[Sink]:
    with sink.sink() as opened_sink:
        yield opened_sink


@pytest.fixture(scope="module")
def running(module_database: tuple[str, Path]) -> Iterator[Hub]:
    (url, folder), port = module_database, free_port()
    settings = {
        "listen": f"127.0.0.1:{port}", "public_url": f"http://127.0.0.1:{port}", "media_dir": str(folder / "media"),
        "webhook_allow_private": "true",
    }  # fmt: skip
    with hubs.hub(url, folder, **settings) as hub:
        yield hub


@pytest.fixture
def centre(running: Hub, hooks: Sink) -> Iterator[Centre]:
    with centre_of(running, hooks.endpoint()) as made:
        yield made
        running.lead_nowhere()


def test_a_picture_goes_out_and_is_delivered(centre: Centre) -> None:
    octets = saved(photo(4000, 3000), "JPEG", quality=90, exif=located(6))
    sent = centre.send("On the beach", octets, subject="Hello")
    assert (sent["type"], sent["targets"][0]["status"], sent["targets"][0]["parts"]) == ("mms", "queued", 1)
    target = sent["targets"][0]["destination"]["target"]

    centre.account.api.when(sent["id"], lambda message: message["status"] == "sent")
    (found,) = centre.peer.submissions
    assert found.elements["Recipients/To/Number"] == target
    assert found.elements["SenderIdentification/SenderAddress/Number"] == centre.account.number
    assert (found.text, found.elements["Subject"]) == ("On the beach", "Hello")
    (picture,) = found.media
    assert len(picture.octets) <= 300_000
    assert (image := opened(picture.octets)).height > image.width

    reply = centre.tell(mmsc.report("m-1", "Retrieved", target))
    assert (reply.status_code, mmsc.said(reply.content)) == (200, ("DeliveryReportRsp", "r-1", 1000))
    message = centre.account.settled(sent)
    assert (message["status"], message["targets"][0]["parts"]) == ("delivered", 1)
    centre.endpoint.wait(lambda told: [hit.data["status"] for hit in told.about(sent)][-1:] == ["delivered"])


REFUSALS: list[tuple[int, str]] = [(2003, "invalid_number"), (2004, "media_refused"), (3002, "carrier_rejected")]


def test_refusals_and_reports_say_why(centre: Centre) -> None:
    for code, error_code in REFUSALS:
        centre.peer.says(lambda transaction, code=code: xml(response(code, transaction=transaction)))  # type: ignore[misc]
        (target,) = centre.account.settled(centre.send("Hello", subject="Hello"))["targets"]
        assert (target["status"], target["error_code"]) == ("failed", error_code)
        assert target["error_message"].startswith(str(code))

    centre.peer.plan = centre.peer.take
    before = len(centre.peer.submissions)
    sent = centre.send("Hello", subject="Hello")
    centre.account.api.when(sent["id"], lambda message: message["status"] == "sent")
    name = f"m-{before + 1}"
    assert centre.tell(mmsc.report(name, "Deferred", somebody("1234"))).status_code == 200
    assert centre.tell(mmsc.report(name, "Expired", somebody("1234"))).status_code == 200
    (target,) = centre.account.settled(sent)["targets"]
    assert (target["status"], target["error_code"]) == ("failed", "expired")
    assert centre.tell(mmsc.report(name, "Retrieved", somebody("1234"))).status_code == 200
    centre.account.api.when(sent["id"], lambda message: message["status"] == "delivered")


def test_what_one_carrier_restricts_another_takes_and_the_trace_tells(centre: Centre) -> None:
    other = centre.add("others", priority=9)
    restricted, taken = (
        (lambda t: xml(response(2001, transaction=t))),
        (lambda t: xml(response(1000, "m-2", transaction=t))),
    )
    centre.peer.says(restricted, taken)
    sent = centre.send("Hello", subject="Hello", validity=3600)
    centre.account.api.when(sent["id"], lambda message: message["status"] == "sent")
    first, second = centre.peer.submissions
    assert first.transaction != second.transaction
    assert first.pieces == second.pieces
    assert first.elements["ExpiryDate"] == second.elements["ExpiryDate"]
    assert centre.tell(mmsc.report("m-2", "Retrieved", somebody("1234")), carrier=other).status_code == 200
    assert centre.account.settled(sent)["status"] == "delivered"
    (trace,) = centre.account.api.every(f"/messages/{sent['id']}/trace")
    steps = [step["step"] for step in trace["steps"]]
    assert (steps.count("request"), steps.count("answer"), steps.count("receipt")) == (
        4,
        4,
        1,
    )  # each had to log in first
    assert "secret" not in str(trace)


def test_a_report_may_overtake_the_answer(centre: Centre) -> None:
    async def early(submitted: mmsc.Submission) -> Said:
        recipient = submitted.elements["Recipients/To/Number"]
        reply = await asyncio.to_thread(centre.tell, mmsc.report("m-1", "Retrieved", recipient))
        assert reply.status_code == 200
        return await centre.peer.take(submitted)

    centre.peer.plan = early
    assert centre.account.settled(centre.send("Hello", subject="Hello"))["status"] == "delivered"


def test_a_message_comes_in_with_media_that_can_be_fetched(centre: Centre) -> None:
    octets = saved(photo(300, 200), "JPEG")
    given = mmsc.delivery(
        recipients=f"<To><Number>{centre.account.number}</Number></To>",
        parts=[*mmsc.PARTS[:2], ("image/jpeg; name=a.jpg", "a.jpg", octets)],
    )
    for _ in range(2):  # the second is a repetition
        reply = centre.tell(given)
        assert (reply.status_code, mmsc.said(reply.content)) == (200, ("DeliverRsp", "d-1", 1000))
    received = _received(centre.endpoint)
    (data,) = [hit.data for hit in received(1)]
    assert (data["type"], data["text"], data["subject"]) == ("mms", "Grüße", "A day out")
    assert (data["source"]["target"], data["destination"]["target"]) == ("+442079461234", centre.account.number)
    (media,) = data["medias"]
    assert media["type"] == "image/jpeg"
    fetched = httpx.get(media["url"])
    assert (fetched.status_code, fetched.headers["content-type"]) == (200, "image/jpeg")
    assert hashlib.sha256(fetched.content).digest() == hashlib.sha256(octets).digest()
    assert centre.account.api.message(data["id"])["medias"][0]["type"] == "image/jpeg"
    assert len(received(1)) == 1


def _received(endpoint: Endpoint) -> Callable[[int], list[sink.Hit]]:
    def when(count: int) -> list[sink.Hit]:
        def ask() -> list[sink.Hit]:
            found = [hit for hit in endpoint.hits if hit.type == "message_received"]
            return found if len(found) >= count else []

        return until(ask, "message_received")

    return when


def test_strangers_tell_nothing(centre: Centre) -> None:
    reply = centre.tell(mmsc.report("m-1", "Retrieved", somebody("1234")), auth=("mmsc", "guess"))
    assert (reply.status_code, reply.headers["www-authenticate"].split()[0]) == (401, "Basic")
    assert centre.tell(b"<html/>").status_code == 400
    seen = centre.hub.admin.get(f"/carriers/{centre.carrier['id']}")
    assert "secret" not in str(seen)
