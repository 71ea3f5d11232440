"""Metrics of a hub that works, held against what its API says of the same messages."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

from messagehub.metrics import METRICS, Histogram
from messagehub.store.queries import load
from tests.support import hub as hubs
from tests.support import numbering, simulator, sink
from tests.support.api import refusal
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.sink import Endpoint
from tests.support.waiting import until

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(hub: Hub) -> Samples:
    answer = httpx.get(f"{hub.address}/metrics", timeout=30)
    assert answer.status_code == 200
    return by_name([sample for family in parse_text(answer.text) for sample in family.samples])


def by_name(samples: list[Sample]) -> Samples:
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples), "a series stands there twice"
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    """The sum of all that have these labels."""
    wanted = labels.items()
    return sum(value for (other, had), value in samples.items() if other == f"messagehub_{name}" and wanted <= had)


# --- a hub that has worked --------------------------------------------------------------

DIGITS = ("1234", "0001", "0002", "0003", "0005", "0006")


class Worked:
    """A hub through which messages of every kind went, and that rests."""

    def __init__(self, hub: Hub, box: Simulator, endpoint: Endpoint, gone: Endpoint) -> None:
        self.hub, self.box, self.endpoint = hub, box, endpoint
        self.carrier = hub.lead_to(box)
        self.account = hub.customer(webhook_uri=endpoint.url)
        gone.usual = 410
        hub.customer(webhook_uri=gone.url, webhook_events=["message_created"]).send(numbering.somebody())
        sent = [self.account.send(numbering.somebody(digits)) for digits in DIGITS]
        sent.append(self.account.send([numbering.somebody(), numbering.somebody("0001")], "long " * 40))
        for message in sent:
            self.account.settled(message)
        self.account.api.post("/activeflows", {"actions": [{"type": "stop"}]})
        for to in (self.account.number, self.account.number, numbering.own()):
            assert box.write(numbering.somebody(), to, "Hi") == ["ESME_ROK"]
        until(self.rests, "all webhooks are delivered", within=30)
        self.samples = scraped(hub)

    def rests(self) -> bool:
        samples = scraped(self.hub)
        reached = value(samples, "targets_reached_total", status="delivered")
        return not value(samples, "waiting_events") and reached == Counter(self.targets)["delivered"] + 1

    @property
    def targets(self) -> list[str]:
        """The status of every target, as the API tells it."""
        messages = self.account.api.every("/messages")
        return [target["status"] for message in messages for target in message["targets"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("metrics")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('store')}/hub.db"
    from tests.support import postgres

    return postgres.new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture(scope="module")
def worked(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worked]:
    folder = tmp_path_factory.mktemp("worked")
    with (
        simulator.simulator(folder) as box,
        sink.sink() as webhooks,
        hubs.hub(database, folder, webhook_allow_private="true") as hub,
    ):
        yield Worked(hub, box, webhooks.endpoint(), webhooks.endpoint())


def test_every_metric_of_the_table_is_there_with_its_labels(worked: Worked) -> None:
    for metric in METRICS:
        name = f"{metric.name}_bucket" if metric.kind == "histogram" else metric.name
        labels = {frozenset(dict(had)) - {"le"} for other, had in worked.samples if other == name}
        assert labels == {frozenset(metric.labels)}, name
    known = {metric.name for metric in METRICS}
    told = {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name, _ in worked.samples}
    assert {name for name in told if name.startswith("messagehub_")} == known
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= told


def test_messages_and_targets_are_those_of_the_api(worked: Worked) -> None:
    samples, targets = worked.samples, Counter(worked.targets)
    targets["delivered"] += 1  # that of the other customer
    assert value(samples, "messages_accepted_total") == len(DIGITS) + 2
    assert value(samples, "targets_accepted_total") == targets.total() - targets["received"] == len(DIGITS) + 3
    for status in ("delivered", "failed", "gw_timeout", "dlr_timeout", "received"):
        assert value(samples, "targets_reached_total", status=status) == targets[status] > 0, status
    assert value(samples, "targets_reached_total", status="sent") == targets.total() - 2 - 2  # received; 0003, 0006


def test_segments_receipts_and_binds_are_those_of_the_carrier(worked: Worked) -> None:
    samples = worked.samples
    now = worked.hub.admin.get(f"/carriers/{worked.carrier['id']}")
    (bind,) = now["binds"]
    carrier = {"carrier": now["name"], "carrier_id": now["id"]}
    assert value(samples, "segments_submitted_total", **carrier) == bind["sent"] == len(DIGITS) + 1 + 4
    assert (
        value(samples, "submit_responses_total", outcome="accepted")
        == worked.box.stats()["accepted"]
        == bind["sent"] - 2
    )
    assert value(samples, "submit_responses_total", outcome="refused") == bind["refused"] == 1
    assert value(samples, "submit_responses_total", outcome="no_answer") == 1
    assert value(samples, "receipts_total", **carrier) + 3 == bind["received"]
    assert value(samples, "inbound_segments_total", **carrier) == 3
    assert value(samples, "inbound_unknown_total", **carrier) == now["unknown_destinations"] == 1
    assert value(samples, "binds", state="bound", **carrier) == 1
    assert value(samples, "binds", **carrier) == 1
    assert value(samples, "window_used_pdus") == bind["in_flight"] == 0


def test_webhooks_are_those_that_came(worked: Worked) -> None:
    attempts = value(worked.samples, "webhook_attempts_total")
    assert value(worked.samples, "webhook_attempts_total", outcome="delivered") == len(worked.endpoint.hits)
    assert value(worked.samples, "webhook_attempts_total", outcome="gone") == attempts - len(worked.endpoint.hits) == 1
    assert value(worked.samples, "webhook_endpoints_down") == 0


def test_requests_commits_and_the_process(worked: Worked) -> None:
    before = scraped(worked.hub)
    worked.account.api.get("/messages")
    httpx.get(f"{worked.hub.address}/v1.0/messages")
    httpx.request("PATCH", f"{worked.hub.address}/v1.0/messages")
    after = scraped(worked.hub)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("http_requests_total", method="GET", status="2xx") == 2  # and the scrape before
    assert grown("http_requests_total", method="GET", status="4xx") == 1
    assert grown("http_requests_total", method="other", status="4xx") == 1
    assert grown("http_request_duration_seconds_count") == grown("http_requests_total") == 4
    assert value(after, "commit_units_sum") >= value(after, "commit_units_count") > 10
    assert value(after, "commit_duration_seconds_sum") > 0
    assert value(after, "event_loop_lag_seconds_count") > 0
    assert value(after, "http_connections") >= 1
    assert value(after, "store_up") == 1


def test_those_who_ask_at_once_are_all_answered_and_no_count_falls(worked: Worked) -> None:
    with ThreadPoolExecutor(8) as pool:
        sends = [pool.submit(worked.account.send, numbering.somebody()) for _ in range(20)]
        scrapes = [pool.submit(scraped, worked.hub) for _ in range(40)]
        for send in sends:
            send.result()
        seen = [scrape.result() for scrape in scrapes]
    last = scraped(worked.hub)
    for name in ("messages_accepted_total", "http_requests_total", "commit_units_count"):
        assert all(value(worked.samples, name) <= value(each, name) <= value(last, name) for each in seen)
    assert value(last, "messages_accepted_total") == value(worked.samples, "messages_accepted_total") + 20


def test_openmetrics_for_those_who_ask_for_it(worked: Worked) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    answer = httpx.get(f"{worked.hub.address}/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert answer.text.endswith("# EOF\n")
    families = parse_openmetrics(answer.text)  # type: ignore[no-untyped-call]
    samples = by_name([sample for family in families for sample in family.samples])
    assert value(samples, "build_info") == 1
    assert httpx.get(f"{worked.hub.address}/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("accept", ["application/openmetrics-text;version=x.y;escaping=\xff", ",;,", "a" * 5000])
def test_an_accept_of_no_sense_is_answered(worked: Worked, accept: str) -> None:
    headers = {"Accept": accept.encode("latin-1")}
    assert httpx.get(f"{worked.hub.address}/metrics", headers=headers).status_code == 200  # type: ignore[arg-type]


def test_it_answers_to_get_and_is_documented(worked: Worked) -> None:
    url = f"{worked.hub.address}/metrics"
    refusal(httpx.post(url), 405, "METHOD_NOT_ALLOWED")
    assert httpx.head(url).status_code == 200
    document = httpx.get(f"{worked.hub.address}/openapi.json").json()
    content = document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    assert content.keys() == {"text/plain", "application/openmetrics-text"}


# --- what waits -------------------------------------------------------------------------


def test_what_waits_for_a_carrier_that_is_down(database_url: str, tmp_path: Path) -> None:
    with simulator.simulator(tmp_path) as box, hubs.hub(database_url, tmp_path, webhook_allow_private="true") as hub:
        hub.lead_to(box)
        account: Account = hub.customer(webhook_uri="http://127.0.0.1:1/", webhook_events=["message_created"])
        box.kill()
        account.send([numbering.somebody() for _ in range(7)])

        until(lambda: value(scraped(hub), "due_targets"), "it is seen that they wait")
        samples = scraped(hub)
        assert value(samples, "due_targets", carrier="simulator") == 7
        assert value(samples, "waiting_events") == 1
        assert value(samples, "binds", state="bound") == 0
        assert 0 < value(samples, "oldest_due_target_age_seconds", carrier="simulator") < 60


PLANNED = ("targets_due", "events_waiting", "oldest_event_due")


async def test_what_is_asked_for_a_scrape_is_read_from_indexes(tmp_path: Path) -> None:
    from messagehub.store import open_store

    await (await open_store(f"sqlite:///{tmp_path}/hub.db")).close()
    opened = apsw.Connection(f"{tmp_path}/hub.db")
    try:
        for name in PLANNED:
            sql = load("sqlite")[name].with_placeholders(lambda number, _: f"?{number}")
            count = len(load("sqlite")[name].names)
            steps = [row[3] for row in opened.execute(f"EXPLAIN QUERY PLAN {sql}", (1,) * count)]
            tables = [step for step in steps if " targets" in step or " events" in step]
            assert tables
            assert [step for step in tables if "COVERING INDEX" not in step] == []
    finally:
        opened.close()


# --- who may read them ------------------------------------------------------------------


def test_the_operator_alone(tmp_path: Path) -> None:
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, metrics="operator") as hub:
        url, customer = f"{hub.address}/metrics", hub.customer()
        refusal(httpx.get(url), 401, "AUTHENTICATION_REQUIRED")
        refusal(httpx.get(url, params={"accesskey": customer.api.key}), 403, "PERMISSION_DENIED")
        answer = httpx.get(url, headers={"Authorization": f"Bearer {hub.admin.key}"})
        assert answer.status_code == 200
        assert list(parse_text(answer.text))


def test_nobody(tmp_path: Path) -> None:
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, metrics="off") as hub:
        refusal(httpx.get(f"{hub.address}/metrics"), 404, "PATH_NOT_FOUND")
        assert "/metrics" not in httpx.get(f"{hub.address}/openapi.json").json()["paths"]


def test_a_process_that_nobody_scrapes_does_not_load_the_library() -> None:
    code = "import sys, messagehub.app; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_histogram_counts_what_is_not_above_its_bounds() -> None:
    seen = Histogram(1, 2.5)
    for observed in (0.5, 1, 2, 2.5, 3):
        seen.observe(observed)
    assert seen.buckets() == [("1.0", 2), ("2.5", 4), ("+Inf", 5)]
    assert seen.sum == 9
