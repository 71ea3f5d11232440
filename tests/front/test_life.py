"""The front lives and dies with its engine; when it alone dies it is started again, and nothing is lost."""

import os
import resource
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from messagehub.web import MOST_CONNECTIONS
from tests.support import hub as hubs
from tests.support import numbering, simulator, sink
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.raw import line, request
from tests.support.settled import settled
from tests.support.simulator import Simulator
from tests.support.sink import Sink
from tests.support.waiting import until

MESSAGES = 400


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulator.simulator(tmp_path_factory.mktemp("box")) as opened:
        yield opened


@pytest.fixture
def webhooks() -> Iterator[Sink]:
    with sink.sink() as opened:
        yield opened


@pytest.fixture(scope="module")
def running(module_database: tuple[str, Path], box: Simulator) -> Iterator[Hub]:
    settings: dict[str, Any] = {"webhook_allow_private": "true", "front": "process", "node_lease": LEASE_S}
    with hubs.hub(*module_database, **settings) as opened:
        opened.lead_to(box, dlr_timeout=60, response_timeout=10)
        yield opened


@pytest.fixture
def own(running: Hub) -> Hub:
    """A hub that serves, whatever the tests before have done to it."""
    if not running.alive:
        running.start()
    (carrier,) = running.admin.get("/carriers")["result"]
    running.bound(carrier)
    return running


def front_of(hub: Hub) -> int:
    return hub.child("messagehub.front")


def starts_of(hub: Hub) -> float:
    """How often it has started a front."""
    lines = httpx.get(f"{hub.address}/metrics").text.splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith("messagehub_front_starts_total "))
    return float(value)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def answers(hub: Hub) -> bool:
    try:
        return httpx.get(f"{hub.address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


class Load:
    """Eight callers who post until they are done; whoever is not answered asks again, as a client does."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.accepted: dict[str, str] = {}
        self.unanswered: list[str] = []

    def post(self, destinations: list[str]) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._one, destinations))

    def _one(self, to: str) -> None:
        try:
            self.accepted[self._account.send(to)["id"]] = to
        except (httpx.TransportError, AssertionError):
            self.unanswered.append(to)


def test_the_environment_of_the_front_holds_no_setting_and_no_key(own: Hub) -> None:
    assert b"MESSAGEHUB_" not in Path(f"/proc/{front_of(own)}/environ").read_bytes()


def test_the_engine_and_its_front_may_have_files_for_all_their_connections(own: Hub) -> None:
    assert own.process
    for process in (own.process.pid, front_of(own)):
        soft, hard = resource.prlimit(process, resource.RLIMIT_NOFILE)
        assert soft >= min(10_000 + 2 * MOST_CONNECTIONS, hard)


def test_a_front_that_dies_is_started_again_and_no_message_is_lost(own: Hub, webhooks: Sink) -> None:
    endpoint = webhooks.endpoint()
    account = own.customer(webhook_uri=endpoint.url, webhook_statuses=["delivered"])
    load, before, starts = Load(account), front_of(own), starts_of(own)
    with ThreadPoolExecutor(1) as beside:
        posting = beside.submit(load.post, numbering.somebodies(MESSAGES))
        until(lambda: len(load.accepted) > MESSAGES // 4, "messages are accepted")
        os.kill(before, signal.SIGKILL)
        posting.result()
    until(lambda: answers(own), "the next front answers")
    assert front_of(own) != before
    assert load.accepted
    final = settled(account.api, load.accepted, within=30)
    assert {message["status"] for message in final.values()} == {"delivered"}
    endpoint.wait(lambda endpoint: {hit.data["id"] for hit in endpoint.hits} >= load.accepted.keys(), "all is told")
    assert "the front has died and is started again" in own.log
    assert starts_of(own) == starts + 1
    assert own.end() == 0


def test_a_front_that_hangs_is_killed_and_replaced(own: Hub) -> None:
    before = front_of(own)
    os.kill(before, signal.SIGSTOP)
    until(lambda: not is_alive(before), "it is killed", within=20)
    until(lambda: answers(own), "the next one answers")


def test_who_goes_in_the_middle_of_a_body_leaves_nothing_behind(own: Hub) -> None:
    key = f"Authorization: Bearer {own.admin.key}"
    for _ in range(3):
        with line(own) as peer:
            peer.say(request("POST /v1.0/messages", key, "Content-Length: 100", "Expect: 100-continue"))
            assert peer.answer().status == 100
            peer.say(b"{")
    before = len(own.log)
    assert own.end() == 0
    assert " ERROR " not in own.log[before:]  # the server waits for answers, and says when it does so in vain


def test_an_end_leaves_nobody_waiting_who_connects_meanwhile(own: Hub) -> None:
    account = own.customer()
    account.send("+15551230006")  # its carrier does not answer, so the end takes a while
    before = len(own.log)
    own.tell(signal.SIGTERM)
    until(lambda: "no more requests" in own.log[before:], "requests are over")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(own.listens_at(), timeout=30)
    assert own.end() == 0


def test_an_engine_that_is_killed_takes_its_front_with_it(own: Hub) -> None:
    front = front_of(own)
    own.kill()
    until(lambda: not is_alive(front), "the front is gone")
    own.start()
    assert answers(own)


def test_a_front_that_hangs_does_not_outlive_its_engine(own: Hub) -> None:
    front = front_of(own)
    os.kill(front, signal.SIGSTOP)
    own.kill()
    until(lambda: not is_alive(front), "the front is gone")


@pytest.mark.parametrize("whom", ["engine", "both"])
def test_an_end_under_load_loses_nothing(own: Hub, webhooks: Sink, whom: str) -> None:
    endpoint = webhooks.endpoint()
    account = own.customer(webhook_uri=endpoint.url, webhook_statuses=["delivered"])
    load, front = Load(account), front_of(own)
    with ThreadPoolExecutor(1) as beside:
        posting = beside.submit(load.post, numbering.somebodies(MESSAGES))
        until(lambda: len(load.accepted) > MESSAGES // 4, "messages are accepted")
        if whom == "both":  # as systemd does with all of a service
            os.kill(front, signal.SIGTERM)
        assert own.end() == 0
        posting.result()
    assert not is_alive(front)
    assert load.unanswered
    assert "Traceback" not in own.log
    own.start()
    final = settled(account.api, load.accepted, within=30)
    assert {message["status"] for message in final.values()} == {"delivered"}
    endpoint.wait(lambda endpoint: {hit.data["id"] for hit in endpoint.hits} >= load.accepted.keys(), "all is told")


def test_a_caller_who_leaves_in_its_body_costs_nothing(own: Hub) -> None:
    head = request("POST /v1.0/messages", "Content-Length: 100", f"Authorization: Bearer {own.admin.key}")
    for _ in range(20):
        with socket.create_connection(own.listens_at()) as caller:
            caller.sendall(head + b'{"text":')
    with line(own) as caller:
        assert caller.ask(request("GET /healthz")).status == 200
    assert "Traceback" not in own.log


def test_a_setting_that_cannot_work_is_said_by_name(tmp_path: Path) -> None:
    hub = Hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, front="process", trusted_proxies="nonsense")
    hub.init()
    with pytest.raises(AssertionError, match="MESSAGEHUB_TRUSTED_PROXIES"):
        hub.start()
