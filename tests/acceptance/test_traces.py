"""The story of a message, from the request to the last receipt: told by its trace, on both stores."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import numbering
from tests.support import simulator as simulators
from tests.support.api import Json, refusal
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.waiting import until

SECRET = "It is between us"
SENT = ["accepted", "claimed", "submit", "response", "moved"]
THROTTLED = ["claimed", "submit", "response", "paused", "refused", "moved"]


class Traced:
    """A customer all of whose messages are traced; one to each number that a test looks at, all sent at once."""

    def __init__(self, hub: Hub, box: Simulator) -> None:
        self.account = hub.customer(trace="all")
        to = {digits: numbering.somebody(digits) for digits in ("1234", "0003", "0004", "0006", "0007", "0009")}
        # A carrier that throttles is slowed as a whole, so this number has one of its own.
        hub.route(hub.carrier(box.port, "traced"), customer_id=self.account.id, prefix=to["0004"])
        self.sent = {digits: self.account.send(number, SECRET) for digits, number in to.items()}

    def steps(self, digits: str) -> list[Json]:
        message = self.account.settled(self.sent[digits])
        steps: list[Json] = trace(self.account, message)["steps"]
        return steps

    def story(self, digits: str) -> list[str]:
        return [step["step"] for step in self.steps(digits)]


def trace(account: Account, message: Json) -> Json:
    """Of a message with one target."""
    (only,) = account.api.every(f"/messages/{message['id']}/trace")
    return dict(only)


@pytest.fixture(scope="module")
def traced(hub: Hub, carrier_box: Simulator) -> Traced:
    return Traced(hub, carrier_box)


def test_delivered(traced: Traced) -> None:
    steps = traced.steps("1234")
    assert [step["step"] for step in steps] == [*SENT, "receipt", "moved"]
    accepted, claimed, submit, response, sent, receipt, delivered = steps
    assert (accepted["detail"]["parts"], accepted["detail"]["encoding"]) == (1, "GSM-7")
    assert accepted["detail"]["request_id"].startswith("req_")
    assert [route["is_chosen"] for route in accepted["detail"]["routes"]] == [True]
    assert claimed["detail"]["attempt"] == 1
    number = traced.sent["1234"]["targets"][0]["destination"]["target"]
    assert (submit["pdu"]["name"], submit["pdu"]["text"]) == ("submit_sm", SECRET)
    assert submit["pdu"]["fields"]["destination_addr"] == number.removeprefix("+")
    assert SECRET.encode().hex() in submit["pdu"]["hex"]
    assert (response["pdu"]["command_status"], response["pdu"]["sequence"]) == ("ESME_ROK", submit["pdu"]["sequence"])
    assert (sent["detail"]["before"], sent["detail"]["after"]) == ("queued", "sent")
    assert receipt["detail"]["carrier_message_id"] == response["pdu"]["fields"]["message_id"]
    assert "stat:DELIVRD" in receipt["pdu"]["text"]
    assert receipt["elapsed_us"] > 40_000  # the simulator takes 50 ms
    assert delivered["detail"]["after"] == "delivered"
    assert sorted(step["tm"] for step in steps) == [step["tm"] for step in steps]


def test_refused(traced: Traced) -> None:
    steps = traced.steps("0003")
    assert [step["step"] for step in steps] == [*SENT[:-1], "refused", "moved"]
    assert steps[3]["pdu"]["command_status"] == "ESME_RINVDSTADR"
    assert steps[4]["detail"] == {
        "reason": "invalid_number",
        "carrier_words": "ESME_RINVDSTADR: Invalid destination address",
    }
    assert (steps[5]["detail"]["after"], steps[5]["detail"]["error_code"]) == ("failed", "invalid_number")


def test_no_answer(traced: Traced) -> None:
    steps = traced.steps("0006")
    assert [step["step"] for step in steps] == ["accepted", "claimed", "submit", "no_answer", "moved"]
    assert steps[3]["elapsed_us"] > 900_000
    assert steps[4]["detail"]["after"] == "gw_timeout"


def test_the_receipt_before_the_response(traced: Traced) -> None:
    steps = traced.steps("0007")
    assert [step["step"] for step in steps] == [*SENT[:3], "receipt", "response", "moved", "moved"]
    assert steps[3]["detail"]["was_parked"]
    assert [step["detail"]["after"] for step in steps[-2:]] == ["sent", "delivered"]


def test_what_comes_after_the_end(traced: Traced) -> None:
    story = until(lambda: (told := traced.story("0009")).count("receipt") == 2 and told)
    assert story == [*SENT, "receipt", "moved", "receipt", "moved"]
    ends = [step["detail"]["after"] for step in traced.steps("0009") if step["step"] == "moved"]
    assert ends == ["sent", "failed", "delivered"]


def test_throttled_three_times(traced: Traced) -> None:
    steps = traced.steps("0004")
    assert [step["step"] for step in steps] == ["accepted", *THROTTLED * 3, *SENT[1:], "receipt", "moved"]
    pauses = [step["detail"]["pause_us"] for step in steps if step["step"] == "paused"]
    assert pauses == sorted(pauses)
    assert pauses[0] > 900_000
    waits = [step["elapsed_us"] for step in steps if step["step"] == "claimed"][1:]
    assert all(wait > 900_000 for wait in waits)
    assert all("due_at" in step["detail"] for step in steps if step["detail"].get("after") == "queued")


def test_one_that_is_under_way(hub: Hub) -> None:
    owner = hub.customer()
    message = owner.send(numbering.somebody("0006"), SECRET)
    until(lambda: len(trace(owner, message)["steps"]) == 3, "it is sent")
    steps = trace(owner, message)["steps"]
    assert [step["step"] for step in steps] == ["accepted", "claimed", "submit"]
    assert steps[2]["pdu"]["text"] == SECRET
    assert SECRET.encode() in owner.api.call("GET", f"/messages/{message['id']}/trace.pcap").content


def test_a_carrier_that_is_asked(hub: Hub, carrier_box: Simulator) -> None:
    """Of 0005 no receipt ever comes, though it was delivered."""
    owner = hub.customer(trace="all")
    asking = hub.carrier(carrier_box.port, "asking", query_sm=True, dlr_timeout=1)
    hub.route(hub.bound(asking), customer_id=owner.id)
    message = owner.settled(owner.send(numbering.somebody("0005"), "x" * 200))
    assert message["status"] == "delivered"
    steps = trace(owner, message)["steps"]
    told = [step["step"] for step in steps if step["step"] not in ("submit", "response")]
    assert sorted(told[:3] + told[-1:]) == ["accepted", "claimed", "moved", "moved"]
    assert sorted(told[3:-1]) == ["query"] * 2 + ["query_response"] * 2
    capture = owner.api.call("GET", f"/messages/{message['id']}/trace.pcap").content
    assert capture.count(bytes.fromhex("00000003")) >= 2
    late = owner.settled(owner.send(numbering.somebody("0008")))
    assert (late["status"], late["targets"][0]["status"]) == ("failed", "dlr_timeout")


# --- failover ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulators.simulator(tmp_path_factory.mktemp("plain"), "plain", "--plain") as opened:
        yield opened


def test_failover(hub: Hub, carrier_box: Simulator, plain_box: Simulator) -> None:
    owner = hub.customer(trace="all")
    picky = hub.bound(hub.carrier(carrier_box.port, "picky", statuses={"0x0000000b": "reroute"}))
    easy = hub.bound(hub.carrier(plain_box.port, "easy"))
    hub.route(picky, customer_id=owner.id, priority=1)
    hub.route(easy, customer_id=owner.id, priority=2)
    message = owner.settled(owner.send(numbering.somebody("0003")))
    steps = trace(owner, message)["steps"]
    assert [step["step"] for step in steps] == [
        "accepted", "claimed", "submit", "response", "refused", "moved", *SENT[1:], "receipt", "moved",
    ]  # fmt: skip
    assert [step["detail"]["carrier_id"] for step in steps if step["step"] == "claimed"] == [picky["id"], easy["id"]]
    ports = [int(step["pdu"]["connection"].rpartition(":")[2]) for step in steps if step["step"] == "submit"]
    assert ports == [carrier_box.port, plain_box.port]


# --- who sees them ----------------------------------------------------------------------


def test_they_are_their_customers_own(hub: Hub, traced: Traced) -> None:
    message = traced.account.settled(traced.sent["1234"])
    for path in ("trace", "trace.pcap"):
        answer = hub.customer().api.call("GET", f"/messages/{message['id']}/{path}")
        refusal(answer, 404, "MESSAGE_NOT_FOUND")
        assert hub.caller().call("GET", f"/messages/{message['id']}/{path}").status_code == 401


def test_the_operator_sees_all_but_the_texts(hub: Hub, traced: Traced) -> None:
    message = traced.account.settled(traced.sent["1234"])
    seen = hub.admin.call("GET", f"/messages/{message['id']}/trace")
    assert seen.json()["result"][0]["is_redacted"]
    capture = hub.admin.call("GET", f"/messages/{message['id']}/trace.pcap").content
    for octets in (seen.content, capture):
        assert SECRET.encode() not in octets
        assert SECRET.encode().hex().encode() not in octets
    own = traced.account.api.call("GET", f"/messages/{message['id']}/trace.pcap").content
    assert SECRET.encode() in own
    assert len(own) == len(capture)


def test_targets_are_paged_and_chosen(hub: Hub) -> None:
    owner = hub.customer(trace="all")
    to = numbering.somebodies(5)
    message = owner.settled(owner.send(to))
    path = f"/messages/{message['id']}/trace"
    pages = owner.api.pages(path, page_size=2)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [each["destination"]["target"] for page in pages for each in page] == to
    assert all(each["is_traced"] for page in pages for each in page)
    (third,) = owner.api.every(path, target=3)
    assert third["destination"]["target"] == to[3]
    assert owner.api.every(path, target="all") == [each for page in pages for each in page]
    assert owner.api.get(path, target=7) == {"result": [], "next_page_token": ""}
    for wrong in ("x", "-1", "1000", "99999999999", "٣"):
        refusal(owner.api.call("GET", path, target=wrong), 400, "INVALID_REQUEST_PARAMETER", "target")


def test_a_deleted_message_has_no_trace(hub: Hub) -> None:
    owner = hub.customer(trace="all")
    message = owner.settled(owner.send(numbering.somebody()))
    owner.api.delete(f"/messages/{message['id']}")
    refusal(owner.api.call("GET", f"/messages/{message['id']}/trace"), 404, "MESSAGE_NOT_FOUND")


def test_who_is_traced_is_said_by_the_customer_or_the_operator(hub: Hub, carrier_box: Simulator) -> None:
    owner = hub.customer()
    assert owner.api.get("/customer")["trace"] == "default"
    assert hub.admin.put(f"/customers/{owner.id}", {"trace": "all"})["trace"] == "all"
    assert owner.api.put("/customer", {"trace": "default"})["trace"] == "default"
    assert owner.api.call("PUT", "/customer", {"trace": "some"}).status_code == 400
    carrier = hub.carrier(carrier_box.port, "looked at")
    assert carrier["trace"] == "default"
    assert hub.admin.put(f"/carriers/{carrier['id']}", {"trace": "all"})["trace"] == "all"


# --- captures ---------------------------------------------------------------------------


def test_a_capture_is_read_by_wireshark(hub: Hub, traced: Traced, tmp_path: Path) -> None:
    """Where it is not installed, the parser of test_pcap has read as much."""
    message = traced.account.settled(traced.sent["0004"])
    answer = traced.account.api.call("GET", f"/messages/{message['id']}/trace.pcap", target=0)
    assert answer.headers["content-type"] == "application/vnd.tcpdump.pcap"
    assert answer.content.startswith(bytes.fromhex("a1b2c3d400020004"))
    (tmp_path / "trace.pcap").write_bytes(answer.content)
    if tshark := shutil.which("tshark"):
        shown = ["-Y", "smpp", "-T", "fields", "-e", "smpp.command_id", "-e", "smpp.command_status"]
        read: Any = subprocess.run([tshark, "-r", tmp_path / "trace.pcap", *shown], capture_output=True, text=True)
        pdus = [line.split("\t") for line in read.stdout.splitlines()]
        submit, throttled = ["0x00000004", ""], ["0x80000004", "0x00000058"]
        assert pdus == [*[submit, throttled] * 3, submit, ["0x80000004", "0x00000000"], ["0x00000005", ""]]
