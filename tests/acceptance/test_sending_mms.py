"""Messages with media, sent by the whole program to a carrier that speaks HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.media.samples import SAMPLES
from tests.support import hub as hubs
from tests.support import numbering
from tests.support.api import Json
from tests.support.gallery import Gallery, gallery
from tests.support.hub import LEASE_S, Hub
from tests.support.sink import Endpoint, Sink
from tests.support.waiting import until

MESSAGES = 30
BODY = {"to": "{destination}", "text": "{text}", "subject": "{subject}", "media": "{media}"}


@pytest.fixture
def pictures() -> Iterator[Gallery]:
    with gallery() as opened:
        yield opened


@pytest.fixture(scope="module")
def running(module_database: tuple[str, Path]) -> Iterator[Hub]:
    url, folder = module_database
    with hubs.hub(url, folder, media_allow_private="true", media_dir=folder / "media", node_lease=LEASE_S) as opened:
        yield opened


@pytest.fixture
def mms(running: Hub) -> Iterator[Hub]:
    yield running
    running.lead_nowhere()


def lead(hub: Hub, endpoint: Endpoint) -> Json:
    """A carrier that takes MMS at an endpoint."""
    config = {"url": endpoint.url, "takes": ["mms"], "body": BODY}
    carrier = hub.admin.post("/carriers", {"name": "pictures", "type": "http", "config": config})
    hub.route(carrier)
    return hub.bound(carrier)


def taken(endpoint: Endpoint) -> list[Json]:
    return [json.loads(hit.body) for hit in endpoint.hits]


def test_what_is_killed_while_it_fetches_goes_once(mms: Hub, webhooks: Sink, pictures: Gallery) -> None:
    carrier = webhooks.endpoint()
    lead(mms, carrier)
    account = mms.customer()
    pictures.open.clear()
    people = numbering.somebodies(MESSAGES)
    urls = [pictures.show(f"/{n}.jpg", SAMPLES["jpeg"]) for n in range(MESSAGES)]
    sent = [account.send(to, medias=[{"url": url}]) for to, url in zip(people, urls, strict=True)]
    assert {one["targets"][0]["hold_reason"] for one in sent} == {"media"}
    until(lambda: pictures.asked, "something is being fetched")
    mms.kill()
    assert not carrier.hits
    pictures.open.set()
    mms.start()
    for message in sent:
        shown = account.api.when(message["id"], lambda now: now["status"] == "sent")
        assert (shown["type"], shown["targets"][0]["parts"]) == ("mms", 1)
        assert shown["medias"][0]["type"] == "image/jpeg"
    assert sorted(one["to"] for one in taken(carrier)) == sorted(people)
    assert all(len(one["media"]) == 1 for one in taken(carrier))


def test_a_picture_for_many_is_fetched_once(mms: Hub, webhooks: Sink, pictures: Gallery) -> None:
    carrier = webhooks.endpoint()
    lead(mms, carrier)
    account = mms.customer()
    url = pictures.show("/cat.jpg", SAMPLES["jpeg"])
    sent = account.send(numbering.somebodies(200), "Look", medias=[{"url": url}], subject="A cat")
    until(lambda: len(carrier.hits) == 200, "all have it")
    assert pictures.asked == {"/cat.jpg": 1}
    assert {(one["text"], one["subject"]) for one in taken(carrier)} == {("Look", "A cat")}
    assert account.api.get(f"/messages/{sent['id']}")["target_count"] == 200


def test_a_flow_sends_a_picture(mms: Hub, webhooks: Sink, pictures: Gallery) -> None:
    carrier = webhooks.endpoint()
    lead(mms, carrier)
    account, person = mms.customer(), numbering.somebody()
    pictures.show("/Anne%26Bert.png", SAMPLES["png"])
    option = {
        "source": account.number,
        "destinations": [person],
        "text": "For ${name}",
        "medias": [{"url": pictures.url + "/${name}.png"}],
        "subject": "${name}",
    }
    action = {"type": "message_send", "option": option}
    account.api.post("/activeflows", {"actions": [action], "variables": {"name": "Anne&Bert"}})
    (found,) = until(lambda: taken(carrier), "it is sent") or []
    assert (found["to"], found["text"], found["subject"]) == (person, "For Anne&Bert", "Anne&Bert")
    assert pictures.asked == {"/Anne%26Bert.png": 1}


def test_a_thread_has_a_picture(mms: Hub, webhooks: Sink, pictures: Gallery) -> None:
    carrier = webhooks.endpoint()
    lead(mms, carrier)
    account, person = mms.customer(), numbering.somebody()
    thread = account.api.post("/conversations", {"self": account.number, "peer": person})
    url = pictures.show("/cat.jpg", SAMPLES["jpeg"])
    said = account.api.post(f"/conversations/{thread['id']}/messages", {"medias": [{"url": url}], "subject": "A cat"})
    assert (said["subject"], said["medias"]) == ("A cat", [{"type": "", "url": url}])
    (found,) = until(lambda: taken(carrier), "it is sent") or []
    assert (found["to"], found["subject"]) == (person, "A cat")


def test_routes_say_who_takes_mms(mms: Hub, webhooks: Sink) -> None:
    carrier = lead(mms, webhooks.endpoint())
    query = {"destination": "+442079460001"}
    assert mms.admin.get("/routes/choose", **query)["result"] == []
    passed = mms.admin.get("/routes/choose", **query)["passed_over"]
    assert [(one["carrier_id"], one["why"]) for one in passed] == [
        (carrier["id"], "passed over: its carrier takes no SMS")
    ]
    chosen = mms.admin.get("/routes/choose", **query, kind="mms")["result"]
    assert [one["carrier_id"] for one in chosen] == [carrier["id"]]
