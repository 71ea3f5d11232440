"""Several processes on one PostgreSQL: who has which binds, and what becomes of what a dead one held."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from subprocess import run

import httpx
import pytest

from tests.support import numbering, postgres, simulator
from tests.support.api import WAITING, Api, refusal
from tests.support.cluster import Cluster, cluster
from tests.support.hub import LEASE_S
from tests.support.process import PROGRAM, environment
from tests.support.simulator import Simulator
from tests.support.sink import Endpoint, Hit, Sink
from tests.support.waiting import PATIENCE_S, until

PATIENT = {"response_timeout": 300, "dlr_timeout": 600}
LONG_LEASE_S = 60
"""Of nodes that no test kills: one that had no time for a dozen seconds would part from its carriers, as it must."""
LOOKED_AT_S = 15
"""How long it may take to notice that a lease has run out, and to bind."""


@pytest.fixture
def url(postgres_server: str) -> str:
    return postgres.new_database(postgres_server)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Simulator]:
    with simulator.simulator(tmp_path, "box") as opened:
        yield opened


@pytest.fixture
def nodes(url: str, tmp_path: Path) -> Iterator[Cluster]:
    with cluster(url, tmp_path, webhook_allow_private="true", node_lease=LONG_LEASE_S) as opened:
        yield opened


def post_all(apis: list[Api], source: str, destinations: list[str]) -> list[str]:
    """The ids of messages that are posted to the nodes in turn, by eight callers at the same time."""
    with ThreadPoolExecutor(8) as pool:
        return [
            message["id"]
            for message in pool.map(
                lambda given: given[0].send(source, given[1], "Hello"), zip(cycle(apis), destinations)
            )
        ]


def by_message(endpoint: Endpoint) -> dict[str, list[Hit]]:
    """The webhooks about each message, in the order of their coming."""
    found: dict[str, list[Hit]] = {}
    for hit in list(endpoint.hits):
        found.setdefault(hit.data["id"], []).append(hit)
    return found


def all_final(api: Api, ids: list[str], within: float = PATIENCE_S) -> Counter[str]:
    """How many messages ended in which status."""

    def ask() -> Counter[str] | None:
        known = {message["id"]: message["status"] for message in api.every("/messages")}
        found = Counter(known.get(id, "missing") for id in ids)
        return None if any(found[waiting] for waiting in WAITING) else found

    return until(ask, "all are final", within, every=0.3) or Counter()


# --- roles ------------------------------------------------------------------------------


def test_an_api_node_binds_nothing_and_knows_what_workers_have(url: str, tmp_path: Path, box: Simulator) -> None:
    with cluster(url, tmp_path, role="api") as nodes:
        api = nodes.first
        carrier = api.carrier(box.port, binds=2, **PATIENT)
        api.route(carrier)
        account = api.customer()
        message = account.send(numbering.somebody())
        assert box.stats()["most_binds"] == 0
        assert api.admin.get(f"/carriers/{carrier['id']}")["status"] == "connecting"
        worker = nodes.add("worker")
        assert account.settled(message)["status"] == "delivered"
        assert list(nodes.shared(carrier, 2)) == [f"{os.uname().nodename}:{worker.process.pid}"]  # type: ignore[union-attr]
        assert api.admin.get(f"/carriers/{carrier['id']}")["status"] == "bound"
        assert until(lambda: api.admin.get(f"/carriers/{carrier['id']}")["binds"][0]["sent"]) == 1


def test_a_worker_answers_no_customers(nodes: Cluster) -> None:
    worker = nodes.add("worker")
    for path, code in {"/healthz": 200, "/readyz": 200, "/metrics": 200, "/v1.0/messages": 404, "/docs": 404}.items():
        assert httpx.get(worker.address + path).status_code == code
    words = "/v1.0/messages: this process is a worker; "
    refusal(httpx.get(f"{worker.address}/v1.0/messages"), 404, "PATH_NOT_FOUND", words)


def test_sqlite_takes_no_roles(tmp_path: Path) -> None:
    env = {"MESSAGEHUB_DATABASE_URL": f"sqlite:///{tmp_path}/hub.db", "MESSAGEHUB_LISTEN": "127.0.0.1:0"}
    for arguments, more in (["serve", "--role", "api"], {}), (["serve"], {"MESSAGEHUB_ROLE": "worker"}):
        done = run([PROGRAM, *arguments], env=environment({**env, **more}), capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "PostgreSQL" in done.stderr
    done = run([PROGRAM, "serve", "--role", "boss"], env=environment(env), capture_output=True, text=True, check=False)
    assert "--role: 'boss' is none of all, api, worker" in done.stderr


# --- binds ------------------------------------------------------------------------------


def test_a_carrier_never_sees_more_binds_than_it_allows(url: str, tmp_path: Path, box: Simulator) -> None:
    """Nodes come, end, are killed and are stopped, while messages flow; and the config changes."""
    with cluster(url, tmp_path, webhook_allow_private="true", node_lease=LEASE_S) as nodes:
        _come_and_go(nodes, box)


def _come_and_go(nodes: Cluster, box: Simulator) -> None:
    first = nodes.first
    carrier = first.lead_to(box, binds=6, **PATIENT)
    account = first.customer()
    nodes.shared(carrier, 6)
    ids = post_all([account.api], account.number, numbering.somebodies(100))
    second, third = nodes.add(), nodes.add()
    nodes.shared(carrier, 2, 2, 2)
    assert second.end() == 0
    nodes.shared(carrier, 3, 3)
    fourth = nodes.add()
    nodes.shared(carrier, 2, 2, 2)
    third.kill()
    fourth.tell(signal.SIGSTOP)
    begun = time.monotonic()
    ids += post_all([account.api], account.number, numbering.somebodies(100))
    nodes.shared(carrier, 6, within=LEASE_S + LOOKED_AT_S)
    assert time.monotonic() - begun > LEASE_S / 2
    assert all_final(account.api, ids) == {"delivered": 200}
    nodes.add()
    nodes.shared(carrier, 3, 3)
    assert box.stats()["most_binds"] == 6
    first.admin.put(f"/carriers/{carrier['id']}", {"config": {"binds": 2, "window": 20}})
    nodes.shared(carrier, 1, 1)
    until(lambda: box.stats()["binds"] == 2)
    assert box.stats()["most_binds"] == 6


def test_binds_that_send_and_binds_that_hear_may_be_on_different_nodes(nodes: Cluster, box: Simulator) -> None:
    """Any node takes any receipt."""
    second = nodes.add()
    carrier = nodes.first.lead_to(box, bind="transmitter+receiver", binds=2, **PATIENT)
    account = nodes.first.customer()
    nodes.shared(carrier, 2, 2)
    ids = post_all([account.api, nodes.api(account, second)], account.number, numbering.somebodies(200))
    assert all_final(account.api, ids) == {"delivered": 200}
    assert box.stats()["duplicates"] == 0


def test_the_rate_is_shared(nodes: Cluster, box: Simulator) -> None:
    carrier = nodes.first.lead_to(box, binds=2, rate=40, **PATIENT)
    account, second = nodes.first.customer(), nodes.add()
    nodes.shared(carrier, 1, 1)
    begun = time.monotonic()
    ids = post_all([account.api, nodes.api(account, second)], account.number, numbering.somebodies(120))
    until(lambda: box.stats()["accepted"] == 120)
    assert time.monotonic() - begun > 120 / 40 - 0.2
    assert until(lambda: nodes.first.admin.get(f"/carriers/{carrier['id']}")["pace"]) == 40
    assert all_final(account.api, ids) == {"delivered": 120}


# --- nothing lost, nothing twice --------------------------------------------------------


@pytest.mark.parametrize("roles", [["api", "api", "worker", "worker"], ["all"] * 4], ids=["apart", "all"])
def test_four_nodes_lose_nothing_and_repeat_nothing(
    url: str, tmp_path: Path, box: Simulator, webhooks: Sink, roles: list[str]
) -> None:
    endpoint = webhooks.endpoint()
    settings = {"webhook_allow_private": "true", "node_lease": LONG_LEASE_S}
    with cluster(url, tmp_path, role=roles[0], **settings) as nodes:
        others = [nodes.add(role) for role in roles[1:]]
        carrier = nodes.first.carrier(box.port, binds=4, **PATIENT)
        nodes.first.route(carrier)
        nodes.shared(carrier, *([2, 2] if "worker" in roles else [1] * 4))
        account = nodes.first.customer(webhook_uri=endpoint.url, webhook_method="POST")
        at = [node for node, role in zip(others, roles[1:], strict=True) if role != "worker"]
        apis = [account.api, *(nodes.api(account, node) for node in at)]
        destinations = numbering.somebodies(2000)
        ids = post_all(apis, account.number, destinations)
        assert len(set(ids)) == 2000
        assert all_final(account.api, ids) == {"delivered": 2000}
        assert box.times_sent() == Counter(destinations)
        endpoint.wait(lambda sink: len(sink.hits) >= 4000, "two webhooks a message")
        seen = Counter((hit.data["id"], hit.data["sequence"]) for hit in list(endpoint.hits))
        assert seen == Counter((id, sequence) for id in ids for sequence in (1, 2))
        order = {id: [hit.data["sequence"] for hit in hits] for id, hits in by_message(endpoint).items()}
        assert [id for id in ids if order[id] != [1, 2]] == []
        assert box.stats()["most_binds"] == 4
