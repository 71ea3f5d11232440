"""HTTP moves into a process of its own once many ask at once, and nobody who asks sees it."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import pytest

from messagehub.front.edge import CROWD, Auto, Inline, edge
from messagehub.settings import Settings
from tests.front.test_life import answers, is_alive, starts_of
from tests.support import hub as hubs
from tests.support import numbering
from tests.support.hub import Account, Hub
from tests.support.raw import Line, line, request
from tests.support.settled import settled
from tests.support.simulator import Simulator
from tests.support.sink import Sink
from tests.support.waiting import until

MANY = 3 * CROWD
HEALTH = request("GET /healthz")


@pytest.fixture
def hub(database_url: str, tmp_path: Path, carrier_box: Simulator) -> Iterator[Hub]:
    with hubs.hub(database_url, tmp_path, webhook_allow_private="true", front="auto") as opened:
        opened.lead_to(carrier_box)
        yield opened


def fronts_of(hub: Hub) -> list[int]:
    return hub.children("messagehub.front")


def holders_of(connection: Line, hub: Hub) -> set[str]:
    """Which processes of the hub have the other end of a connection."""
    assert hub.process
    ends = [connection.sock.getpeername()[1], connection.sock.getsockname()[1]]
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # While others come and go a row may be there twice, or not.
    inodes = {row[9] for row in rows if [int(end.rpartition(":")[2], 16) for end in row[1:3]] == ends}
    processes = {"engine": [hub.process.pid], "front": fronts_of(hub)}
    return {
        name for name, ids in processes.items() if any(holds(id, f"socket:[{inode}]") for id in ids for inode in inodes)
    }


def holds(process: int, what: str) -> bool:
    for file in Path(f"/proc/{process}/fd").iterdir():
        try:
            if os.readlink(file) == what:
                return True
        except FileNotFoundError:
            continue
    return False


class Crowd:
    """Many who have begun to post a message each, and take their time."""

    def __init__(self, hub: Hub, account: Account, stack: ExitStack) -> None:
        key = f"Authorization: Bearer {account.api.key}"
        self._bodies = [
            json.dumps(
                {"source": {"type": "tel", "target": account.number}, "destinations": [{"target": to}], "text": "Hi"}
            ).encode()
            for to in numbering.somebodies(MANY)
        ]
        self.lines = [stack.enter_context(line(hub)) for _ in self._bodies]
        for one, body in zip(self.lines, self._bodies, strict=True):
            one.say(request("POST /v1.0/messages", key, f"Content-Length: {len(body)}", body=body[:10]))

    def ends(self) -> list[str]:
        """The ids of the messages, which all of them have finished."""
        for one, body in zip(self.lines, self._bodies, strict=True):
            one.say(body[10:])
        said = [one.answer() for one in self.lines]
        assert {answer.status for answer in said} == {200}
        return [json.loads(answer.body)["id"] for answer in said]


class Talker:
    """Asks twice in one go, again and again, on one connection."""

    def __init__(self, hub: Hub, stack: ExitStack) -> None:
        self.line = stack.enter_context(line(hub))
        self.statuses: list[int] = []
        self._is_over = Event()
        self._thread = Thread(target=self._talk)
        self._thread.start()
        stack.callback(self.end)

    def _talk(self) -> None:
        while not self._is_over.is_set():
            self.line.say(HEALTH + HEALTH)
            self.statuses += [self.line.answer().status, self.line.answer().status]

    def end(self) -> None:
        self._is_over.set()
        self._thread.join()


def test_connections_move_between_two_of_their_requests(hub: Hub) -> None:
    account = hub.customer()
    with ExitStack() as stack:
        resting, halfway, silent = (stack.enter_context(line(hub)) for _ in range(3))
        assert resting.ask(HEALTH).status == 200
        halfway.say(HEALTH[:20])
        talker = Talker(hub, stack)
        assert fronts_of(hub) == []
        assert holders_of(resting, hub) == {"engine"}

        crowd = Crowd(hub, account, stack)
        until(lambda: holders_of(resting, hub) == {"front"}, "who rests is moved")
        until(lambda: holders_of(talker.line, hub) == {"front"}, "who asks again and again is moved")
        assert holders_of(halfway, hub) == holders_of(silent, hub) == {"engine"}
        assert all(holders_of(one, hub) == {"engine"} for one in crowd.lines)
        with line(hub) as newcomer:
            assert newcomer.ask(HEALTH).status == 200
            assert holders_of(newcomer, hub) == {"front"}

        sent = crowd.ends()
        halfway.say(HEALTH[20:])
        assert halfway.answer().status == 200
        assert silent.ask(HEALTH).status == 200
        for one in (resting, halfway, silent, *crowd.lines):
            until(lambda one=one: holders_of(one, hub) == {"front"}, "all are moved")  # type: ignore[misc]
            assert one.ask(HEALTH).status == 200

        before = len(talker.statuses)
        until(lambda: len(talker.statuses) > before, "it still asks")
        talker.end()
        assert set(talker.statuses) == {200}
        assert starts_of(hub) == 1
    final = settled(account.api, sent, within=30)
    assert {message["status"] for message in final.values()} == {"delivered"}
    assert hub.end() == 0
    assert "Traceback" not in hub.log


def test_webhooks_are_told_before_and_after(hub: Hub, webhooks: Sink) -> None:
    endpoint = webhooks.endpoint()
    account = hub.customer(webhook_uri=endpoint.url, webhook_statuses=["delivered"])
    with ExitStack() as stack:
        before = account.send(numbering.somebody())["id"]
        crowd = Crowd(hub, account, stack)
        until(lambda: fronts_of(hub), "a front is started")
        sent = crowd.ends()
    sent += [before, account.send(numbering.somebody())["id"]]
    endpoint.wait(lambda endpoint: {hit.data["id"] for hit in endpoint.hits} >= set(sent), "all is told")


def test_an_end_while_the_front_starts(hub: Hub) -> None:
    with ExitStack() as stack:
        Crowd(hub, hub.customer(), stack)
        until(lambda: fronts_of(hub), "a front is started", every=0.01)
        (front,) = fronts_of(hub)
        assert hub.end() == 0
        until(lambda: not is_alive(front), "the front is gone")
    assert "Traceback" not in hub.log
    assert " ERROR " not in hub.log


def test_a_front_that_cannot_live_is_not_missed(hub: Hub) -> None:
    account = hub.customer()
    with ExitStack() as stack:
        crowd = Crowd(hub, account, stack)
        (front,) = until(lambda: fronts_of(hub), "a front is started", every=0.01)
        os.kill(front, signal.SIGKILL)
        until(lambda: "HTTP stays in this process" in hub.log, "it is said")
        assert len(crowd.ends()) == MANY
        assert all(holders_of(one, hub) == {"engine"} for one in crowd.lines)
    assert answers(hub)
    assert hub.end() == 0
    assert "Traceback" not in hub.log


def test_a_front_that_dies_later_is_started_again(hub: Hub) -> None:
    with ExitStack() as stack:
        resting = stack.enter_context(line(hub))
        assert resting.ask(HEALTH).status == 200
        crowd = Crowd(hub, hub.customer(), stack)
        until(lambda: holders_of(resting, hub) == {"front"}, "it is moved")
        (front,) = fronts_of(hub)
        os.kill(front, signal.SIGKILL)
        assert resting.is_closed()
        assert len(crowd.ends()) == MANY
        until(lambda: starts_of(hub) == 2, "the next one has started")
        for one in crowd.lines:
            until(lambda one=one: holders_of(one, hub) == {"front"}, "all are moved to the next")  # type: ignore[misc]
            assert one.ask(HEALTH).status == 200


@pytest.mark.parametrize(("cores", "kind"), [(1, Inline), (2, Auto)])
async def test_one_core_has_no_place_for_it(cores: int, kind: type) -> None:
    all_cores = os.sched_getaffinity(0)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        try:
            os.sched_setaffinity(0, sorted(all_cores)[:cores])
            async with edge(Settings(front="auto"), listening, 1) as opened:
                assert isinstance(opened, kind)
        finally:
            os.sched_setaffinity(0, all_cores)
