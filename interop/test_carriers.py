"""Our carrier at message centres of others: node-smpp's, in the clear and over TLS, and jSMPP's."""

import pytest

from interop.centres import Centre, Line, line
from messagehub.text import gsm
from tests.support.hub import Hub
from tests.support.waiting import until

PLAIN = "Hello from the hub, 0123"
CYRILLIC = "Добрый день 👋"
LONG = "".join(f"<part of a long text, number {n:03d}>" for n in range(10))
LONG_CYRILLIC = "Очень длинное сообщение, которое не помещается в одну часть. 👋 " * 3
THROTTLED, INVALID_DESTINATION, NO_PASSWORD = 0x58, 0x0B, 0x0E


@pytest.fixture(scope="module")
def usual(hub: Hub, centre: Centre) -> Line:
    return line(hub, centre)


def test_delivered(usual: Line) -> None:
    message = usual.send(PLAIN)
    (told,) = usual.centre.told(message)
    assert told["text"] == PLAIN
    assert told["source"] == usual.account.number.removeprefix("+")
    assert told["tons"] == [1, 1, 1, 1]
    assert (told["esm_class"], told["data_coding"], told["registered_delivery"]) == (0, 0, 1)
    assert usual.account.settled(message)["status"] == "delivered"
    assert usual.centre.peer.wait("deliver_sm_resp")[-1]["status"] == 0


@pytest.mark.parametrize("centre", ["node-smpp"], indirect=True)
def test_the_whole_gsm_alphabet(hub: Hub, centre: Centre) -> None:
    """Read by a table of theirs: 3GPP TS 23.038, 6.2.1 and 6.2.1.1."""
    way = line(hub, centre)
    letters = gsm.ONE_SEPTET + gsm.TWO_SEPTETS
    (told,) = centre.told(way.send(letters))
    assert (told["text"], told["data_coding"]) == (letters, 0)


NATIONAL = {
    "turkish": "Şişli'de ağaç, İzmir'de ışık. ",
    "spanish": "Ángel y Íñigo, ¡qué día! Ó, Ú, ó, ú. ",
    "portuguese": "São João, coração. ",
}


@pytest.mark.parametrize("centre", ["node-smpp"], indirect=True)
@pytest.mark.parametrize("language", NATIONAL)
def test_national_tables(hub: Hub, centre: Centre, language: str) -> None:
    """Where they save a part. Theirs of these languages: 3GPP TS 23.038, annex A."""
    way, text = line(hub, centre, languages=[language]), (NATIONAL[language] * 8)[:120]
    (told,) = centre.told(way.send(text))
    assert (told["text"], told["data_coding"]) == (text, 0)
    assert told["udh"][:2] in ("24", "25")


def test_ucs2(usual: Line) -> None:
    message = usual.send(CYRILLIC)
    (told,) = usual.centre.told(message)
    assert (told["text"], told["data_coding"]) == (CYRILLIC, 8)
    assert usual.account.settled(message)["status"] == "delivered"


def order_by_header(told: list[dict[str, object]], width: int) -> list[int]:
    """The numbers of the parts by their user data headers: 3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8."""
    headers = [bytes.fromhex(str(one["udh"])) for one in told]
    assert {header[:2] for header in headers} == {b"\x00\x03" if width == 8 else b"\x08\x04"}
    assert len({header[2:-2] for header in headers}) == 1
    assert {header[-2] for header in headers} == {len(told)}
    return [header[-1] for header in headers]


@pytest.mark.parametrize("text", [LONG, LONG_CYRILLIC], ids=["GSM-7", "UCS-2"])
@pytest.mark.parametrize("concat", ["udh8", "udh16", "sar", "payload"])
def test_a_long_message(hub: Hub, centre: Centre, concat: str, text: str) -> None:
    way = line(hub, centre, concat=concat)
    message = way.send(text)
    assert way.account.settled(message)["status"] == "delivered"
    parts = 1 if concat == "payload" else way.account.api.message(message["id"])["targets"][0]["parts"]
    told = centre.told(message, parts)
    assert len(told) == parts
    assert all(one["is_payload"] == (concat == "payload") for one in told)
    assert all(bool(one["esm_class"] & 0x40) == concat.startswith("udh") for one in told)
    if concat.startswith("udh"):
        order = order_by_header(told, int(concat[3:]))
    elif concat == "sar":
        order = [one["sar"][2] for one in told]
        assert {tuple(one["sar"][:2]) for one in told} == {(told[0]["sar"][0], parts)}
    else:
        order = [1]
    assert sorted(order) == list(range(1, parts + 1))
    ordered = sorted(zip(order, told, strict=True), key=lambda pair: pair[0])
    assert "".join(one["text"] for _, one in ordered) == text


def test_refused(usual: Line) -> None:
    usual.centre.peer.tell("refuse", INVALID_DESTINATION, 1)
    message = usual.account.settled(usual.send(PLAIN))
    assert (message["status"], message["targets"][0]["error_code"]) == ("failed", "invalid_number")


def test_throttled(hub: Hub, centre: Centre) -> None:
    way = line(hub, centre)
    centre.peer.tell("refuse", THROTTLED, 1)
    message = way.account.settled(way.send(PLAIN))
    assert message["status"] == "delivered"
    assert hub.admin.get(f"/carriers/{way.carrier['id']}")["throttled"] == 1


# --- what comes in ----------------------------------------------------------------------


@pytest.mark.parametrize(("text", "coding"), [(PLAIN, 0), (CYRILLIC, 8)], ids=["GSM-7", "UCS-2"])
def test_inbound(hub: Hub, centre: Centre, text: str, coding: int) -> None:
    way, since = line(hub, centre), len(centre.peer.said)
    centre.peer.tell("send", "442079461234", way.account.number.removeprefix("+"), coding, text)
    assert centre.peer.wait("deliver_sm_resp", since=since)[0]["status"] == 0
    (message,) = until(way.inbound)
    assert (message["text"], message["source"]["target"]) == (text, "+442079461234")
    assert message["destination"]["target"] == way.account.number


def test_inbound_in_parts_out_of_order(hub: Hub, centre: Centre) -> None:
    way, since = line(hub, centre), len(centre.peer.said)
    for number, text in ((2, "and then the end"), (1, "The beginning, ")):
        header = f"050003{0xA7:02x}02{number:02x}"
        centre.peer.tell("send", "442079461234", way.account.number.removeprefix("+"), 0, text, header)
    assert [one["status"] for one in centre.peer.wait("deliver_sm_resp", 2, since)] == [0, 0]
    (message,) = until(way.inbound)
    assert (message["text"], message["targets"][0]["parts"]) == ("The beginning, and then the end", 2)


def test_inbound_as_message_payload(hub: Hub, centre: Centre) -> None:
    way, since = line(hub, centre), len(centre.peer.said)
    centre.peer.tell("payload", "442079461234", way.account.number.removeprefix("+"), 8, LONG_CYRILLIC)
    assert centre.peer.wait("deliver_sm_resp", since=since)[0]["status"] == 0
    (message,) = until(way.inbound)
    assert message["text"] == LONG_CYRILLIC


# --- the connection ---------------------------------------------------------------------


def test_each_asks_whether_the_other_is_there(hub: Hub, centre: Centre) -> None:
    way, since = line(hub, centre, enquire_link=1), len(centre.peer.said)
    centre.peer.tell("enquire")
    assert centre.peer.wait("enquire_link_resp", since=since)[0]["status"] == 0
    centre.peer.wait("enquire_link", 2, since)
    assert centre.peer.all("lost", since) == []
    assert hub.admin.get(f"/carriers/{way.carrier['id']}")["status"] == "bound"


@pytest.mark.parametrize("end", ["unbind", "cut"])
def test_it_comes_back(hub: Hub, centre: Centre, end: str) -> None:
    way, since = line(hub, centre), len(centre.peer.said)
    centre.peer.tell(end)
    if end == "unbind":
        assert centre.peer.wait("unbind_resp", since=since)[0]["status"] == 0
    message = way.send(PLAIN)
    centre.peer.wait("bind", since=since, system_id=way.carrier["name"])
    assert way.account.settled(message)["status"] == "delivered"


def test_it_unbinds_in_good_order(hub: Hub, centre: Centre) -> None:
    way, since = line(hub, centre), len(centre.peer.said)
    hub.admin.put(f"/carriers/{way.carrier['id']}", {"disabled": True})
    centre.peer.wait("unbind", since=since)
    centre.peer.wait("lost", since=since)


def test_two_binds_of_one_direction_each(hub: Hub, centre: Centre) -> None:
    since = len(centre.peer.said)
    way = line(hub, centre, bind="transmitter+receiver")
    kinds = {one["kind"] for one in centre.peer.all("bind", since, system_id=way.carrier["name"])}
    assert kinds == {"bind_transmitter", "bind_receiver"}


def test_a_wrong_password(hub: Hub, centre: Centre) -> None:
    carrier = hub.carrier(centre.port, "stranger", **centre.tls, password="guess")
    now = hub.when_carrier(carrier, lambda now: now["last_error"])
    assert now["status"] == "down"
    assert "password" in now["last_error"]
    centre.peer.wait("bind", system_id="stranger", status=NO_PASSWORD)


@pytest.mark.parametrize("centre", ["node-smpp over TLS"], indirect=True)
def test_a_centre_of_an_authority_that_is_not_known(hub: Hub, centre: Centre) -> None:
    carrier = hub.carrier(centre.port, "careful", tls=True)
    now = hub.when_carrier(carrier, lambda now: now["last_error"])
    assert "put that of the authority into `tls_ca`" in now["last_error"]


def test_nothing_went_wrong_there(centre: Centre) -> None:
    """After all that was said to it."""
    assert centre.peer.all("generic_nack") == []
