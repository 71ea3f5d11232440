"""Whether the server lives and can work, and what it says where it cannot."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from messagehub.api.asgi import ENDPOINTS
from tests.support import hub as hubs
from tests.support import numbering, postgres, simulator
from tests.support.api import refusal
from tests.support.hub import Hub
from tests.support.waiting import until


def probe(hub: Hub, name: str) -> int:
    return httpx.get(f"{hub.address}/{name}", timeout=10).status_code


def test_alive_and_ready(hub: Hub) -> None:
    assert httpx.get(f"{hub.address}/healthz").json()["status"] == "ok"
    assert httpx.get(f"{hub.address}/readyz").json()["status"] == "ok"


def test_every_endpoint_is_documented(hub: Hub) -> None:
    answer = httpx.get(f"{hub.address}/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    for base, endpoint in ENDPOINTS:
        operation = document["paths"][base + endpoint.path][endpoint.method.lower()]
        assert operation["responses"]["200"]["content"][endpoint.content[0]]["schema"]
        assert ("requestBody" in operation) == bool(endpoint.takes)
        named = {parameter["name"] for parameter in operation["parameters"]}
        assert ("id" in named) == ("{id}" in endpoint.path)
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)
    text = answer.text
    references = {piece.partition('"')[0] for piece in text.split("#/components/schemas/")[1:]}
    assert references <= document["components"]["schemas"].keys()


@pytest.fixture
def own_server() -> Iterator[postgres.Server]:
    """A PostgreSQL that this test may stop."""
    server = postgres.Server()
    server.start()
    yield server
    server.remove()


def test_a_store_that_is_away(own_server: postgres.Server, tmp_path: Path) -> None:
    """The process lives, says that it is not ready, accepts nothing, and works again when the store is back."""
    url = postgres.new_database(own_server.url)
    with simulator.simulator(tmp_path) as box, hubs.hub(url, tmp_path, log_level="info") as hub:
        hub.lead_to(box)
        account = hub.customer()
        before = account.send(numbering.somebody())
        account.settled(before)
        own_server.stop()
        assert until(lambda: probe(hub, "readyz") == 503, "it is not ready")
        assert probe(hub, "healthz") == 200
        body = {"source": account.number, "destinations": [numbering.somebody()], "text": "Hello"}
        answer = account.api.call("POST", "/messages", body)
        error = refusal(answer, 503, "SERVICE_UNAVAILABLE")
        assert error["status"] == "UNAVAILABLE"
        assert int(answer.headers["retry-after"]) > 0
        refusal(account.api.call("GET", "/messages"), 503, "SERVICE_UNAVAILABLE")
        own_server.start()
        until(lambda: probe(hub, "readyz") == 200, "it is ready again", within=30)
        assert account.settled(account.send(numbering.somebody()), within=30)["status"] == "delivered"
        assert [message["id"] for message in account.api.every("/messages")][-1] == before["id"]
        assert len(account.api.every("/messages")) == 2
        assert " ERROR " not in hub.log


def test_a_store_that_can_only_be_read(postgres_server: str, tmp_path: Path) -> None:
    """As after a failover to a machine that is no primary."""
    url = postgres.new_database(postgres_server)
    name = url.rpartition("/")[2]

    def read_only(word: str) -> None:
        for command in (
            f"ALTER DATABASE {name} SET default_transaction_read_only = {word}",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        ):
            psql: list[str | Path] = [
                postgres.binaries() / "psql",
                "-q",
                "-d",
                f"{postgres_server}/postgres",
                "-c",
                command,
            ]
            subprocess.run(psql, check=True, capture_output=True)

    with hubs.hub(url, tmp_path) as hub:
        account = hub.customer()
        read_only("on")
        until(lambda: probe(hub, "readyz") == 503, "it is not ready")
        body = {"source": account.number, "destinations": [numbering.somebody()], "text": "Hello"}
        refusal(account.api.call("POST", "/messages", body), 503, "SERVICE_UNAVAILABLE")
        assert account.api.get("/messages")["result"] == []
        read_only("off")
        until(lambda: probe(hub, "readyz") == 200, "it is ready again", within=30)
        assert account.send(numbering.somebody())["target_count"] == 1
        assert " ERROR " not in hub.log


def test_probes_are_quick(hub: Hub) -> None:
    begun = time.monotonic()
    for _ in range(20):
        assert probe(hub, "readyz") == 200
    assert time.monotonic() - begun < 30
