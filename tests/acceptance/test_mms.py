"""Messages with media, from a customer to a handset and back, over MM7 with the simulator, on both stores."""

import email
import email.policy
import hashlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from messagehub.mms import PDU, SOAP_ACTION, Address, Content, Medium, compose, read, write
from tests.media.samples import SAMPLES, located, opened, photo, saved, wav
from tests.mms.test_schema import ENV, valid
from tests.support import gallery as galleries
from tests.support import hub as hubs
from tests.support import scripted
from tests.support import simulator as simulators
from tests.support.api import WAITING, Json
from tests.support.gallery import Gallery
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.numbering import somebodies, somebody
from tests.support.simulator import Simulator
from tests.support.sink import Sink
from tests.support.waiting import until

TYPES = {
    "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "mp4": "video/mp4", "3gp": "video/3gpp",
    "mp3": "audio/mpeg", "wav": "audio/wav", "pdf": "application/pdf", "vcard": "text/vcard",
}  # fmt: skip
NAMES = count(1)
SAFE = 300_000  # octets that go everywhere


@pytest.fixture(scope="module")
def gallery() -> Iterator[Gallery]:
    with galleries.gallery() as opened:
        yield opened


@dataclass
class Line:
    """A customer whose MMS go to a carrier that speaks MM7 with the simulator."""

    account: Account
    box: Simulator
    gallery: Gallery
    callbacks: str
    """Where the carrier calls the hub."""

    def send(self, to: str, *media: tuple[str, bytes], **more: Any) -> Json:
        medias = [{"type": kind, "url": self.show(octets)} for kind, octets in media]
        return self.account.send(to, medias=medias, **more)

    def show(self, octets: bytes) -> str:
        """Where it can be fetched from now on."""
        return self.gallery.show(f"/{next(NAMES)}", octets)

    def arrived(self, to: str) -> Json:
        """The one MMS that came for a number."""
        (found,) = self.box.submits(to)
        assert found["kind"] == "mms"
        return found

    def media(self, to: str) -> list[Json]:
        return [part for part in self.arrived(to)["parts"] if part["type"] not in ("application/smil", "text/plain")]


@pytest.fixture(scope="module")
def line(hub: Hub, carrier_box: Simulator, gallery: Gallery) -> Line:
    account = hub.customer()
    carrier = hub.lead_mms_to(carrier_box.mm7, carrier_box.control, customer_id=account.id)
    return Line(account, carrier_box, gallery, f"{hub.address}/callbacks/{carrier['id']}")


# --- statuses -----------------------------------------------------------------------------------------------------

ENDS = {  # last digits: status of the target, error_code, some of the words
    "1234": ("delivered", "", ""),
    "0001": ("failed", "unreachable", "Unreachable"),
    "0002": ("failed", "carrier_rejected", "Rejected"),
    "0003": ("failed", "invalid_number", "2002"),
    "0004": ("delivered", "", ""),
    "0005": ("dlr_timeout", "no_receipt", ""),
    "0006": ("gw_timeout", "no_answer", ""),
    "0007": ("delivered", "", ""),
    "0008": ("delivered", "", ""),
    "0009": ("delivered", "", ""),
}


@pytest.fixture(scope="module")
def sent(line: Line) -> dict[str, Json]:
    return {digits: line.send(somebody(digits), ("image/jpeg", SAMPLES["jpeg"])) for digits in ENDS}


@pytest.mark.parametrize("digits", ENDS)
def test_each_magic_number_ends_as_it_should(line: Line, sent: dict[str, Json], digits: str) -> None:
    status, error_code, words = ENDS[digits]
    message = sent[digits]
    assert (message["type"], message["status"], message["targets"][0]["parts"]) == ("mms", "sending", 1)
    ended = line.account.api.when(message["id"], lambda now: now["targets"][0]["status"] == status)
    target = ended["targets"][0]
    assert (ended["type"], target["parts"], target["error_code"]) == ("mms", 1, error_code)
    assert words in target["error_message"]
    assert not target["possible_duplicate"]


# --- what arrives -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_each_format_arrives_as_it_was(line: Line, name: str) -> None:
    to = somebody()
    message = line.send(to, (TYPES[name], SAMPLES[name]), text="", subject="One of nine")
    assert line.account.settled(message)["status"] == "delivered"
    (part,) = line.media(to)
    assert part["type"] == TYPES[name]
    if name not in ("jpeg", "png", "gif"):
        assert part["sha256"] == hashlib.sha256(SAMPLES[name]).hexdigest()
    else:
        assert (part["width"], part["height"]) == (60, 40)


def test_a_photo_of_twelve_megapixels_arrives_small_and_upright(line: Line) -> None:
    """It was taken with the camera on its side: what is stored is wider than high, what is seen is not."""
    to, stored = somebody(), photo(4000, 3000)
    octets = saved(stored, "JPEG", quality=92, exif=located(orientation=6))
    assert len(octets) > 3 * SAFE
    message = line.send(to, ("image/jpeg", octets), text="Look!")
    assert line.account.settled(message)["status"] == "delivered"
    assert line.arrived(to)["size"] <= SAFE
    (part,) = line.media(to)
    seen = opened(line.box.part(line.arrived(to)))
    assert part["type"] == "image/jpeg"
    assert seen.format == "JPEG"
    assert seen.width / seen.height == pytest.approx(3 / 4, abs=0.01)
    assert seen.height >= 1000
    assert not seen.getexif()
    # The pixels are those of the photo, turned by a quarter to the right.
    expected = stored.rotate(-90, expand=True).resize((30, 40))
    found = seen.convert("RGB").resize((30, 40))
    assert max(abs(a - b) for a, b in zip(expected.tobytes(), found.tobytes(), strict=True)) < 40


def test_what_arrives_is_smaller_and_what_was_uploaded_is_as_it_was(line: Line) -> None:
    to, octets = somebody(), saved(photo(2000, 1500), "JPEG", quality=92, exif=located())
    uploaded = line.account.api.http.post("/media", files={"file": ("photo.jpg", octets)}).json()
    message = line.account.send(to, medias=[{"type": "image/jpeg", "url": uploaded["url"]}])
    settled = line.account.settled(message)
    assert settled["status"] == "delivered"
    assert line.media(to)[0]["size"] < SAFE < len(octets)
    for url in (uploaded["url"], settled["medias"][0]["url"]):
        assert httpx.get(url).content == octets


def test_text_subject_and_ten_media_arrive_in_their_order(line: Line) -> None:
    to = somebody()
    names = ["pdf", "jpeg", "mp3", "png", "vcard", "gif", "wav", "mp4", "3gp", "jpeg"]
    message = line.send(
        to, *[(TYPES[name], SAMPLES[name]) for name in names], text="Grüße 🙂 <&>", subject="Zehn Stück"
    )
    assert line.account.settled(message)["status"] == "delivered"
    arrived = line.arrived(to)
    assert (arrived["text"], arrived["subject"]) == ("Grüße 🙂 <&>", "Zehn Stück")
    assert arrived["source"] == line.account.number
    assert [part["type"] for part in line.media(to)] == [TYPES[name] for name in names]
    assert arrived["oddities"] == []


def test_what_is_sent_is_read_by_a_parser_and_a_schema_that_know_nothing_of_us(line: Line) -> None:
    to = somebody()
    line.account.settled(line.send(to, ("image/png", SAMPLES["png"]), subject="Hi"))
    raw = line.box.raw(line.arrived(to))
    head = f"Content-Type: {raw.headers['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + raw.content, policy=email.policy.HTTP)
    assert not message.defects
    assert (message.get_content_type(), message.get_param("type")) == ("multipart/related", "text/xml")
    envelope: Any
    content: Any
    envelope, content = message.iter_parts()
    header, body = etree.fromstring(envelope.get_payload(decode=True))
    assert (header.tag, body.tag) == (f"{ENV}Header", f"{ENV}Body")
    (submit,) = body
    valid(submit, etree.QName(submit).namespace)
    assert content.get_content_type() == "multipart/related"
    assert content.get_param("type") == "application/smil"
    smil, text, picture = content.iter_parts()
    assert etree.fromstring(smil.get_payload(decode=True)).tag == "smil"
    assert text.get_content() == "Hello"
    assert picture.get_content_type() == "image/png"


def test_a_message_of_a_subject_alone_is_an_mms(line: Line) -> None:
    to = somebody()
    message = line.account.send(to, "Hello", subject="Only a subject")
    assert message["type"] == "mms"
    assert line.account.settled(message)["status"] == "delivered"
    assert line.arrived(to)["subject"] == "Only a subject"


def test_an_sms_still_goes_where_it_went(line: Line) -> None:
    to = somebody()
    message = line.account.send(to)
    assert message["type"] == "sms"
    assert line.account.settled(message)["status"] == "delivered"
    assert [submit["kind"] for submit in line.box.submits(to)] == ["sms"]


# --- what cannot be sent ------------------------------------------------------------------------------------------

BAD = [  # what is named, what is there, the error_code
    ("image/png", SAMPLES["jpeg"], "media_type_mismatch"),
    ("image/jpeg", b"<html>Hello</html>", "media_unsupported"),
    ("image/jpeg", SAMPLES["jpeg"][:200], "media_broken"),
    ("audio/wav", wav(bytes(SAFE)), "media_too_large"),
]


@pytest.mark.parametrize(("kind", "octets", "error_code"), BAD)
def test_a_bad_medium_fails_the_target_and_says_why(line: Line, kind: str, octets: bytes, error_code: str) -> None:
    to = somebody()
    target = line.account.settled(line.send(to, (kind, octets)))["targets"][0]
    assert (target["status"], target["error_code"]) == ("failed", error_code)
    assert target["error_message"]
    assert line.box.submits(to) == []


def test_a_medium_that_is_not_there_fails_the_target(line: Line) -> None:
    missing = line.show(SAMPLES["jpeg"]) + "/nowhere.jpg"
    message = line.account.send(somebody(), medias=[{"type": "image/jpeg", "url": missing}])
    target = line.account.settled(message)["targets"][0]
    assert (target["status"], target["error_code"]) == ("failed", "media_not_found")


def test_what_cannot_fit_becomes_a_link_where_the_message_says_so(line: Line) -> None:
    to, octets = somebody(), wav(bytes(SAFE))
    message = line.send(to, ("audio/wav", octets), text="A song:", fallback="link")
    assert line.account.settled(message)["status"] == "delivered"
    (submit,) = line.box.submits(to)
    assert submit["kind"] == "sms"
    words, _, link = submit["text"].rpartition("\n")
    assert words == "A song:"
    found = httpx.get(link, follow_redirects=True)
    assert (found.content, found.headers["content-type"]) == (octets, "audio/wav")


# --- what handsets send -------------------------------------------------------------------------------------------


def test_an_mms_of_a_handset_is_told_with_media_that_can_be_fetched(
    hub: Hub, line: Line, carrier_box: Simulator, webhooks: Sink
) -> None:
    endpoint = webhooks.endpoint()
    owner, handset = hub.customer(webhook_uri=endpoint.url), somebody()
    media = [("image/jpeg", SAMPLES["jpeg"]), ("text/x-vcard", SAMPLES["vcard"])]
    words = carrier_box.write_mms(handset, owner.number, "Look!", *media, subject="At sea")
    assert words.startswith("1000")
    endpoint.wait(lambda endpoint: endpoint.hits, "message_received")
    (hit,) = endpoint.hits
    data = hit.data
    assert (hit.type, data["type"], data["direction"], data["status"]) == (
        "message_received", "mms", "inbound", "received",
    )  # fmt: skip
    assert (data["text"], data["subject"]) == ("Look!", "At sea")
    assert (data["source"]["target"], data["destination"]["target"]) == (handset, owner.number)
    assert [medium["type"] for medium in data["medias"]] == ["image/jpeg", "text/vcard"]
    for told in (data["medias"], owner.api.message(data["id"])["medias"]):
        for medium, (_, octets) in zip(told, media, strict=True):
            assert httpx.get(medium["url"]).content == octets


def test_an_mms_that_the_centre_repeats_is_there_once(hub: Hub, line: Line) -> None:
    owner, handset = hub.customer(), somebody()
    content = compose(Content("Once", (Medium("image/gif", SAMPLES["gif"], "image1.gif"),)))
    fields = {"Sender": Address("Number", handset), "Recipients": {"To": [Address("Number", owner.number)]}}
    content_type, body = write(PDU("DeliverReq", "repeated", fields, content))
    headers = {"content-type": content_type, "soapaction": SOAP_ACTION}
    for _ in range(2):
        answer = httpx.post(line.callbacks, headers=headers, content=body, auth=("simulator", "secret"))
        said = read(answer.headers["content-type"], answer.content)
        assert (answer.status_code, said.fields["Status"]["StatusCode"]) == (200, 1000)
    (found,) = owner.api.get("/messages", source=handset)["result"]
    assert (found["type"], found["text"], len(found["medias"])) == ("mms", "Once", 1)


def test_nobody_else_can_bring_an_mms(hub: Hub, line: Line) -> None:
    owner, handset = hub.customer(), somebody()
    fields = {"Sender": Address("Number", handset), "Recipients": {"To": [Address("Number", owner.number)]}}
    content_type, body = write(PDU("DeliverReq", "forged", fields, compose(Content("Hello"))))
    headers = {"content-type": content_type, "soapaction": SOAP_ACTION}
    for login in (None, ("simulator", "guess"), ("stranger", "secret")):
        assert httpx.post(line.callbacks, headers=headers, content=body, auth=login).status_code == 401
    assert owner.api.get("/messages", source=handset)["result"] == []


# --- a centre that does not as it should --------------------------------------------------------------------------

SCENARIO = {  # rule of tests/scenarios/mms.toml: status and error_code of the target, how often it was accepted
    "busy twice, then it takes the MMS": ("delivered", "", 1),
    "a fault": ("failed", "carrier_misconfigured", 0),
    "a gateway in front that cannot reach it": ("delivered", "", 1),
    "an answer that is none": ("failed", "carrier_unavailable", 1),
    "an answer that is cut off": ("gw_timeout", "in_doubt", 2),
    "forwarded, then retrieved": ("delivered", "", 1),
    "a report that comes three times, with an address of MM4": ("delivered", "", 1),
    "nobody knows": ("dlr_timeout", "no_receipt", 1),
    "a code of its own": ("failed", "carrier_rejected", 0),
    "slow": ("delivered", "", 1),
}


@pytest.fixture(scope="module")
def played(hub: Hub) -> Iterator[tuple[scripted.Line, dict[str, Json]]]:
    with scripted.mms_line(hub, "mms") as opened:
        yield opened, {name: opened.send(name, subject="Hi") for name in opened.rules}


@pytest.mark.parametrize("name", scripted.rules("mms"))
def test_a_centre_is_understood_whatever_it_says(played: tuple[scripted.Line, dict[str, Json]], name: str) -> None:
    line, sent = played
    status, error_code, times = SCENARIO[name]
    target = line.target(sent[name], status)
    assert target["error_code"] == error_code
    assert target["possible_duplicate"] is (name == "an answer that is cut off")
    assert len(line.submits(sent[name])) == times


# --- a crash ------------------------------------------------------------------------------------------------------

WINDOW = 5


def test_a_crash_with_a_full_window_loses_nothing(database_url: str, tmp_path: Path) -> None:
    with simulators.simulator(tmp_path, "box") as box, hubs.hub(database_url, tmp_path, node_lease=LEASE_S) as hub:
        hub.lead_mms_to(box.mm7, box.control, window=WINDOW, response_timeout=30, dlr_timeout=120)
        account = hub.customer()
        wishes = dict(zip(somebodies(40), cycle(("resend", "hold")), strict=False))
        box.tell(signal.SIGSTOP)
        for to, wish in wishes.items():
            account.send(to, subject="Hi", on_doubt=wish)
        (carrier,) = hub.admin.get("/carriers")["result"]
        hub.when_carrier(carrier, lambda now: now["binds"][0]["in_flight"] == WINDOW)
        hub.kill()
        box.tell(signal.SIGCONT)
        hub.start()
        final = until(lambda: all_settled(account), "all are settled")
        assert len(final) == len(wishes)
        times = box.times_sent()
        for message in final:
            target = message["targets"][0]
            to = target["destination"]["target"]
            if wishes[to] == "hold":
                assert times[to] == 1
                assert target["status"] in ("delivered", "gw_timeout")
            else:
                assert target["status"] == "delivered"
                assert times[to] == 1 or target["possible_duplicate"]
        assert sum(times.values()) - len(times) <= WINDOW


def all_settled(account: Account) -> list[Json]:
    messages: list[Json] = account.api.get("/messages")["result"]
    return messages if not any(message["status"] in WAITING for message in messages) else []


def test_statistics_of_the_simulator_show_that_every_report_was_taken(line: Line, sent: dict[str, Json]) -> None:
    for digits in ("1234", "0008", "0009"):
        line.account.api.when(sent[digits]["id"], lambda now: now["status"] == "delivered")
    until(lambda: (now := line.box.stats())["receipts_sent"] == now["receipts_acknowledged"], "all are taken")
