"""All that may hold a message back, at once, and the server killed in the middle of it: what was asked is done once."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.acceptance.test_idempotency import post
from tests.support import hub as hubs
from tests.support import numbering, simulator
from tests.support.api import Json
from tests.support.days import midday
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.process import ENDS_WITHIN_S
from tests.support.simulator import Simulator
from tests.support.waiting import until

MESSAGES, EACH = 24, 10
NAMES = ("Anne", "Bert", "Carl {{name}}")


def request(n: int, people: list[str]) -> Json:
    at = datetime.now(UTC) + timedelta(seconds=2 + n % 3)
    to = [{"target": one, "variables": {"name": NAMES[i % 3], "n": n}} for i, one in enumerate(people)]
    more = {"schedule_at": at.isoformat(), "spread_over": 3, "validity": 120, "on_doubt": "hold", "priority": "high"}
    source = {"type": "pool", "target": "shops"}
    return {"source": source, "destinations": to, "text": "Hi {{ name }}, no {{n}}", "class": "otp", **more}


def accepted(account: Account, bodies: list[Json]) -> list[Json]:
    """Each request, again until it is answered, as its caller would ask."""

    def ask(n: int) -> Json:
        try:
            answer = post(account.api, bodies[n], f"key-{n}")
        except httpx.TransportError:
            return {}
        assert answer.status_code in (200, 503), answer.text
        body: Json = answer.json()
        return body if answer.status_code == 200 else {}

    with ThreadPoolExecutor(4) as several:
        return list(several.map(lambda n: until(lambda: ask(n), f"request {n} is answered", 30), range(len(bodies))))


def kill(hub: Hub, whom: str) -> None:
    if whom == "writer":
        os.kill(hub.child("messagehub.store.beside"), signal.SIGKILL)
        assert hub.process
        assert hub.process.wait(ENDS_WITHIN_S) == 1
    else:
        hub.kill()
    hub.start()


CASES = [("sqlite", "hub"), ("sqlite", "writer"), ("postgres", "hub")]
"""The store, and who is killed; only SQLite has a writer."""


@pytest.fixture(params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    chosen: tuple[str, str] = request.param
    return chosen


@pytest.fixture
def kind(case: tuple[str, str]) -> str:
    return case[0]


@pytest.fixture
def whom(case: tuple[str, str]) -> str:
    return case[1]


def test_with_everything_at_once_a_crash_loses_and_doubles_nothing(
    database_url: str, whom: str, tmp_path: Path
) -> None:
    with (
        simulator.simulator(tmp_path, "box") as box,
        hubs.hub(database_url, tmp_path, front="process", node_lease=LEASE_S) as hub,
    ):
        hub.lead_to(box, dlr_timeout=120)
        account = hub.customer(*(numbering.own() for _ in range(3)))
        limits = furnished(account)
        people = [numbering.somebodies(EACH) for _ in range(MESSAGES)]
        bodies = [request(n, people[n]) for n in range(MESSAGES)]
        with ThreadPoolExecutor(1) as beside:
            asking = beside.submit(accepted, account, bodies)
            until(lambda: asking.done() or box.stats()["accepted"] >= EACH, "some have gone")
            kill(hub, whom)
            messages = asking.result()
        canceled, moved, out = messages[-1], messages[-2], people[-3][-1]
        account.api.post("/opt_outs", {"address": out})
        account.api.post(f"/messages/{canceled['id']}/cancel")
        account.api.call("PUT", f"/messages/{moved['id']}", {"schedule_at": datetime.now(UTC).isoformat()})
        kill(hub, whom)
        assert [one["id"] for one in accepted(account, bodies)] == [one["id"] for one in messages]
        assert len(account.api.every("/messages", direction="outbound")) == MESSAGES
        check(account, box, messages, limits, out)


def furnished(account: Account) -> dict[str, str]:
    """A pool of its numbers, and limits for each of them. The ids of those for sending, by number."""
    numbers = account.api.get("/numbers")["result"]
    account.api.post("/sender_pools", {"name": "shops", "numbers": [number["id"] for number in numbers]})
    found = {}
    for number in numbers:
        rule = {"scope": "number", "key": number["number"], "segments_per_second": 20, "segments_per_day": 10_000}
        rule["day_starts_in"] = midday()
        found[number["number"]] = account.api.post("/limits", rule)["id"]
        account.api.post("/limits", {**rule, "when": "accepting", "segments_per_second": 0})
    return found


def check(account: Account, box: Simulator, messages: list[Json], limits: dict[str, str], out: str) -> None:
    ends = [account.settled(message, 120) for message in messages]
    sent, used = box.times_sent(), dict.fromkeys(limits, 0)
    for n, end in enumerate(ends):
        for i, target in enumerate(end["targets"]):
            to, status = target["destination"]["target"], target["status"]
            assert target["text"] == f"Hi {NAMES[i % 3]}, no {n}"
            assert sent[to] <= 1
            if status == "delivered":
                assert sent[to] == 1
                (submit,) = box.submits(to)
                assert (f"+{submit['source']}", submit["text"]) == (target["source"]["target"], target["text"])
            else:
                assert target["error_code"] in {"canceled", "opted_out", "in_doubt"}
                assert target["error_code"] != "opted_out" or to == out
            used[target["source"]["target"]] += int(status != "failed")
    doubts = sum(target["status"] == "gw_timeout" for end in ends for target in end["targets"])
    for number, id in limits.items():
        assert used[number] - doubts <= account.api.get(f"/limits/{id}")["used_today"] <= used[number] + doubts
    given = [one for one in account.api.every("/limits") if one["when"] == "accepting"]
    assert sum(one["used_today"] for one in given) == MESSAGES * EACH
