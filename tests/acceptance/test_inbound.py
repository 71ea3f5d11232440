"""Handsets write to us, on both stores: the number's customer gets the message, once and whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from messagehub.logs import shortened
from tests.support import hub as hubs
from tests.support import numbering, simulator
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.sink import Endpoint, Hit, Sink
from tests.support.waiting import until

NOT_YET = "9999-01-01 00:00:00.000000"


@pytest.fixture(scope="module")
def endpoint(hub: Hub, webhooks: Sink) -> Endpoint:
    return webhooks.endpoint()


@pytest.fixture(scope="module")
def account(hub: Hub, endpoint: Endpoint) -> Account:
    return hub.customer(webhook_uri=endpoint.url)


def arrived(account: Account, source: str) -> Json:
    """The only message from there."""
    messages: list[Json] = until(
        lambda: account.api.get("/messages", source=source)["result"], f"a message from {source}"
    )
    assert len(messages) == 1
    return messages[0]


def told(endpoint: Endpoint, message: Json) -> Hit:
    endpoint.wait(lambda endpoint: endpoint.about(message))
    [hit] = endpoint.about(message)
    return hit


def test_a_short_message(account: Account, endpoint: Endpoint, carrier_box: Simulator) -> None:
    source = numbering.somebody()
    assert carrier_box.write(source, account.number, "Hello, I need help") == ["ESME_ROK"]
    message = arrived(account, source)
    here = {"type": "tel", "target": account.number, "target_name": "", "name": "", "detail": ""}
    assert message["source"] == {**here, "target": source}
    assert message["destination"] == here
    assert message["text"] == "Hello, I need help"
    assert (message["direction"], message["status"], message["type"]) == ("inbound", "received", "sms")
    assert message["customer_id"] == account.id
    assert message["tm_delete"] == NOT_YET
    [target] = message["targets"]
    assert (target["destination"], target["status"], target["parts"]) == (here, "received", 1)
    assert account.api.message(message["id"]) == message


def test_it_is_on_disk_before_the_carrier_hears_ok(account: Account, carrier_box: Simulator) -> None:
    """What was answered OK is there for the very next reader."""
    source = numbering.somebody()
    carrier_box.write(source, account.number, "Keep this")
    assert [message["text"] for message in account.api.get("/messages", source=source)["result"]] == ["Keep this"]


def test_its_customer_is_told(account: Account, endpoint: Endpoint, carrier_box: Simulator) -> None:
    source = numbering.somebody()
    carrier_box.write(source, account.number, "Hello")
    message = arrived(account, source)
    hit = told(endpoint, message)
    assert hit.type == "message_received"
    assert hit.data["destination"]["target"] == account.number
    assert hit.data["source"]["target"] == source
    assert (hit.data["text"], hit.data["direction"], hit.data["status"]) == ("Hello", "inbound", "received")
    assert hit.data["tm_create"] == message["tm_create"].replace(" ", "T") + "Z"


TEXTS = {
    "Cyrillic": "Привет, как дела?",
    "emoji": "👩‍👩‍👧‍👦 family 🇩🇪",
    "GSM with escapes": "price: 5€ [net] {x|y} ~^\\",
    "Greek of GSM": "ΔΦΓΛΩ ñÑ¿¡ Ææß",
    "lines": "first\nsecond\r\nthird",
    "right to left": "שלום עולם",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_every_alphabet(account: Account, carrier_box: Simulator, text: str) -> None:
    source = numbering.somebody()
    carrier_box.write(source, account.number, text)
    assert arrived(account, source)["text"] == text


@pytest.mark.parametrize("shuffle", [False, True], ids=["in order", "last part first"])
@pytest.mark.parametrize(
    ("text", "parts"),
    [("".join(f"{n:03} of a long message;" for n in range(30)), 5), ("🙂 длинное " * 20, 4)],
    ids=["GSM-7", "UCS-2"],
)
def test_a_long_message_comes_as_one(
    account: Account, endpoint: Endpoint, carrier_box: Simulator, text: str, parts: int, shuffle: bool
) -> None:
    source = numbering.somebody()
    assert carrier_box.write(source, account.number, text, shuffle) == ["ESME_ROK"] * parts
    message = arrived(account, source)
    assert message["text"] == text
    assert message["targets"][0]["parts"] == parts
    assert told(endpoint, message).data["text"] == text


def test_each_customer_gets_its_own(hub: Hub, account: Account, carrier_box: Simulator) -> None:
    other, source = hub.customer(), numbering.somebody()
    carrier_box.write(source, account.number, "to one")
    carrier_box.write(source, other.number, "to the other")
    assert arrived(account, source)["text"] == "to one"
    message = arrived(other, source)
    assert message["text"] == "to the other"
    assert account.api.call("GET", f"/messages/{message['id']}").status_code == 404


@pytest.mark.parametrize("source", ["12345", "Bank", "00441234567890"])
def test_the_source_stays_as_the_carrier_gave_it(account: Account, carrier_box: Simulator, source: str) -> None:
    carrier_box.write(source, account.number, "Your code")
    assert arrived(account, source)["source"]["target"] == source


def test_an_answer_to_a_customer_that_hears_nothing_is_kept(hub: Hub, carrier_box: Simulator) -> None:
    owner, source = hub.customer(), numbering.somebody()
    carrier_box.write(source, owner.number, "Anybody there?")
    assert arrived(owner, source)["status"] == "received"


# --- numbers of nobody's ----------------------------------------------------------------


def unknown_destinations(hub: Hub) -> int:
    count: int = hub.admin.get("/carriers")["result"][-1]["unknown_destinations"]
    return count


def test_a_message_to_nobody_is_taken_counted_and_logged(hub: Hub, carrier_box: Simulator) -> None:
    before, number = unknown_destinations(hub), numbering.own()
    assert carrier_box.write(numbering.somebody(), number, "Wrong number") == ["ESME_ROK"]
    assert unknown_destinations(hub) == before + 1
    assert f"number={shortened(number)}" in hub.log
    assert number not in hub.log


def test_a_number_that_was_taken_away_is_nobodys(hub: Hub, carrier_box: Simulator) -> None:
    owner, before = hub.customer(), unknown_destinations(hub)
    [number] = owner.api.get("/numbers")["result"]
    hub.admin.delete(f"/numbers/{number['id']}")
    carrier_box.write(numbering.somebody(), number["number"], "Are you still there?")
    assert unknown_destinations(hub) == before + 1
    assert owner.api.get("/messages")["result"] == []


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hub, Simulator]]:
    """A hub that refuses what is for nobody."""
    folder = tmp_path_factory.mktemp("strict")
    with (
        simulator.simulator(folder) as box,
        hubs.hub(f"sqlite:///{folder}/hub.db", folder, unknown_destination="refuse") as hub,
    ):
        hub.lead_to(box)
        yield hub, box


def test_a_message_to_nobody_is_refused_where_the_operator_wants_it(strict: tuple[Hub, Simulator]) -> None:
    hub, box = strict
    owner = hub.customer()
    assert box.write(numbering.somebody(), numbering.own(), "Wrong number") == ["ESME_RX_R_APPN"]
    assert unknown_destinations(hub) == 1
    assert box.write(numbering.somebody(), owner.number, "Right number") == ["ESME_ROK"]


def test_a_refused_long_message_leaves_no_parts_behind(strict: tuple[Hub, Simulator], tmp_path: Path) -> None:
    hub, box = strict
    number, source, text = numbering.own(), numbering.somebody(), "long and refused; " * 20
    assert set(box.write(source, number, text)) == {"ESME_RX_R_APPN"}
    owner = hub.customer(number)
    assert set(box.write(source, number, text)) == {"ESME_ROK"}
    assert arrived(owner, source)["text"] == text
