"""Limits in segments hold over a crash, and over several processes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import hub as hubs
from tests.support import numbering, postgres, simulator
from tests.support.cluster import Cluster, cluster
from tests.support.days import midday
from tests.support.hub import LEASE_S
from tests.support.simulator import Simulator
from tests.support.waiting import until

WENT = ("sent", "delivered")


@contextmanager
def _two_nodes(postgres_server: str, folder: Path) -> Iterator[tuple[Simulator, Cluster]]:
    """Each with a bind of the only carrier."""
    url = postgres.new_database(postgres_server)
    with simulator.simulator(folder) as box, cluster(url, folder) as nodes:
        carrier = nodes.first.carrier(box.port, binds=2)
        nodes.first.route(carrier)
        nodes.add()
        nodes.shared(carrier, 1, 1)
        yield box, nodes


def test_a_crash_forgets_nothing_of_a_day(database_url: str, tmp_path: Path) -> None:
    with simulator.simulator(tmp_path) as box, hubs.hub(database_url, tmp_path, node_lease=LEASE_S) as hub:
        hub.lead_to(box)
        account = hub.customer()
        body = {"scope": "number", "key": account.number, "segments_per_day": 5, "day_starts_in": midday()}
        place = f"/limits/{account.api.post('/limits', body)['id']}"
        message = account.send(numbering.somebodies(8))
        # What has gone and was not heard of yet would be in doubt, and wait with the others to go once more.
        account.api.when(message["id"], lambda said: sum(one["status"] in WENT for one in said["targets"]) == 5)
        until(lambda: account.api.get(place)["waiting"] == 3, "three wait")
        hub.kill()
        hub.start()
        limit = account.api.get(place)
        assert (limit["used_today"], limit["waiting"]) == (5, 3)
        account.send(numbering.somebody())
        until(lambda: account.api.get(place)["waiting"] == 4, "the next one waits as well")
        assert box.stats()["unique"] == 5
        account.api.delete(place)
        assert account.settled(message, 40)["status"] == "delivered"
        until(lambda: box.stats()["unique"] == 9, "all are sent")


def test_a_code_passes_a_campaign_that_a_limit_holds_back_after_a_crash_too(database_url: str, tmp_path: Path) -> None:
    with simulator.simulator(tmp_path) as box, hubs.hub(database_url, tmp_path) as hub:
        hub.lead_to(box)
        account = hub.customer(quiet_hours={"enabled": False})
        body = {"scope": "number", "key": account.number, "segments_per_second": 1}
        place = f"/limits/{account.api.post('/limits', body)['id']}"
        account.send(numbering.somebodies(200), **{"class": "marketing"})
        until(lambda: account.api.get(place)["waiting"] > 180, "the campaign waits")
        hub.kill()
        hub.start()
        account.send(person := numbering.somebody(), **{"class": "otp"})
        until(lambda: box.submits(person), "the code is sent", 20)
        assert account.api.get(place)["waiting"] > 120


def test_a_code_passes_a_campaign_of_another_node(postgres_server: str, tmp_path: Path) -> None:
    with _two_nodes(postgres_server, tmp_path) as (box, nodes):
        first = nodes.first
        account = first.customer(quiet_hours={"enabled": False})
        body = {"scope": "customer", "key": account.id, "segments_per_second": 2}
        place = f"/limits/{first.admin.post('/limits', body)['id']}"
        apis = [nodes.api(account, node) for node in nodes.hubs]
        for api in apis:
            api.send(account.number, numbering.somebodies(150), **{"class": "marketing"})
        until(lambda: first.admin.get(place)["waiting"] > 280, "the campaigns wait")
        people = numbering.somebodies(6)
        for n, person in enumerate(people):
            apis[n % 2].send(account.number, person, **{"class": "otp"})
        until(lambda: all(box.submits(person) for person in people), "the codes are sent", 15)
        assert first.admin.get(place)["waiting"] > 150


def test_all_nodes_together_keep_a_limit(postgres_server: str, tmp_path: Path) -> None:
    per_second, messages = 20, 60
    with _two_nodes(postgres_server, tmp_path) as (box, nodes):
        first = nodes.first
        account = first.customer()
        first.admin.post("/limits", {"scope": "customer", "key": account.id, "segments_per_second": per_second})
        apis = [nodes.api(account, node) for node in nodes.hubs]
        begun = time.monotonic()
        for api in apis:
            api.send(account.number, numbering.somebodies(messages // 2))
        seen = [(begun, 0, begun)]
        while seen[-1][1] < messages:
            assert time.monotonic() < begun + 20
            before = time.monotonic()
            seen.append((before, int(box.stats()["accepted"]), time.monotonic()))
            time.sleep(0.02)
        for at, (before, count, _) in enumerate(seen):
            for _, later, after in seen[at:]:
                assert later - count <= per_second * (after - before + 0.1) + 2
        assert seen[-1][2] - begun < 4 * messages / per_second


@pytest.mark.parametrize("scope", ["customer", "number"])
def test_what_a_day_may_be_given_is_the_same_on_all_nodes(postgres_server: str, tmp_path: Path, scope: str) -> None:
    url = postgres.new_database(postgres_server)
    with cluster(url, tmp_path, role="api") as nodes:
        nodes.first.route(nodes.first.carrier(1))
        account = nodes.first.customer()
        key = account.id if scope == "customer" else account.number
        body = {"scope": scope, "key": key, "when": "accepting", "segments_per_day": 6, "day_starts_in": midday()}
        nodes.first.admin.post("/limits", body)
        nodes.add("api")
        apis = [nodes.api(account, node) for node in nodes.hubs]
        given = {"source": account.number, "destinations": [numbering.somebody()], "text": "Hello"}
        codes = [apis[n % 2].call("POST", "/messages", given).status_code for n in range(10)]
        assert codes == [200] * 6 + [429] * 4
