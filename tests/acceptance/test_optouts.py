"""STOP, START and HELP from a handset to a handset; and what of it outlives a kill."""

from pathlib import Path

import pytest

from tests.acceptance.test_inbound import arrived
from tests.conftest import STORES
from tests.support import hub as hubs
from tests.support import numbering, postgres, simulator
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.simulator import Simulator
from tests.support.waiting import until


def texts(box: Simulator, person: str, number: int = 1) -> list[str]:
    """What came to a handset, once it is so much."""
    until(lambda: len(box.submits(person)) >= number, f"{number} messages for {person}")
    return [submit["text"] for submit in box.submits(person)]


@pytest.fixture
def account(hub: Hub) -> Account:
    return hub.customer()


def outcome(account: Account, to: str) -> tuple[str, str]:
    target = account.send(to)["targets"][0]
    return target["status"], target["error_code"]


def test_stop_help_and_start(account: Account, carrier_box: Simulator) -> None:
    person = numbering.somebody()
    carrier_box.write(person, account.number, "Stop!")
    brand = account.api.get("/customer")["name"]
    assert texts(carrier_box, person)[0].startswith(f"{brand}: You are unsubscribed and will receive no more messages.")
    assert outcome(account, person) == ("failed", "opted_out")
    (inbound,) = account.api.get("/messages", direction="inbound")["result"]
    exported = account.api.call("GET", "/opt_outs/export").text.split("\r\n")[1].split(",")
    assert [exported[0], *exported[3:]] == [person, "opted_out", "keyword", inbound["id"]]
    carrier_box.write(person, account.number, "HELP")
    assert "Text STOP to cancel" in texts(carrier_box, person, 2)[1]
    carrier_box.write(person, account.number, "start")
    assert "subscribed again" in texts(carrier_box, person, 3)[2]
    assert account.settled(account.send(person, "Good to have you back"))["status"] == "delivered"
    (opt_out,) = account.api.get("/opt_outs")["result"]
    assert (opt_out["address"], opt_out["status"]) == (person, "opted_in")
    last = account.api.get(f"/opt_outs/{opt_out['id']}")["history"][-1]
    said = account.api.message(last["message_id"])
    assert (said["text"], said["source"]["target"]) == ("Stop!", person)


def test_a_stop_ends_nothing_of_others(hub: Hub, account: Account, carrier_box: Simulator) -> None:
    other, person = hub.customer(), numbering.somebody()
    carrier_box.write(person, account.number, "STOP")
    texts(carrier_box, person)
    assert outcome(account, person) == ("failed", "opted_out")
    assert other.settled(other.send(person))["status"] == "delivered"
    assert other.api.get("/opt_outs")["result"] == []


def test_the_message_that_says_it_is_kept_like_any_other(account: Account, carrier_box: Simulator) -> None:
    person = numbering.somebody()
    carrier_box.write(person, account.number, "please stop texting me")
    assert arrived(account, person)["text"] == "please stop texting me"
    (opt_out,) = account.api.get("/opt_outs", status="probable")["result"]
    assert opt_out["address"] == person


@pytest.mark.parametrize("kind", STORES)
def test_who_said_stop_before_a_kill_is_out_after_it(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Killed as soon as the carrier had its answer."""
    url = f"sqlite:///{tmp_path}/hub.db"
    if kind == "postgres":
        url = postgres.new_database(request.getfixturevalue("postgres_server"))
    with simulator.simulator(tmp_path, "box") as box, hubs.hub(url, tmp_path, node_lease=LEASE_S) as hub:
        hub.lead_to(box)
        account = hub.customer()
        people = numbering.somebodies(5)
        for person in people:
            assert box.write(person, account.number, "STOP") == ["ESME_ROK"]
        hub.kill()
        hub.start()
        for person in people:
            assert outcome(account, person) == ("failed", "opted_out")
            (confirmation,) = account.api.get("/messages", direction="outbound", destination=person)["result"][1:]
            settled = account.settled(confirmation)
            assert settled["status"] in ("delivered", "dlr_timeout"), settled
            assert len({submit["text"] for submit in box.submits(person)}) == 1
