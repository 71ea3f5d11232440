"""The log of a hub to which everything is done that users do, with secrets that cannot be mistaken."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from messagehub.api import replies
from messagehub.errors import Unavailable
from messagehub.logs import Seldom
from tests.cli.shell import Shell
from tests.support import hub as hubs
from tests.support import numbering, postgres, simulator, sink
from tests.support.api import Json, refusal
from tests.support.hub import Account, Hub
from tests.support.ports import free_port
from tests.support.simulator import Simulator
from tests.support.sink import Sink
from tests.support.waiting import until

FAILURES_TO_OPEN = 5


def lines(hub: Hub) -> list[Json]:
    """Every line that is whole by now. Each must be one JSON object."""
    return [json.loads(line) for line in hub.log.splitlines(keepends=True) if line.endswith("\n")]


def found(hub: Hub, **fields: object) -> list[Json]:
    return [line for line in lines(hub) if all(line.get(name) == value for name, value in fields.items())]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def box(folder: Path) -> Iterator[Simulator]:
    with simulator.simulator(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def webhooks() -> Iterator[Sink]:
    with sink.sink() as opened:
        yield opened


@pytest.fixture(scope="module")
def hub(folder: Path, box: Simulator) -> Iterator[Hub]:
    url = f"sqlite:///{folder}/hub.db"
    settings = {"log_level": "debug", "log_format": "json", "log_requests": "all", "webhook_allow_private": "true"}
    with hubs.hub(url, folder, **settings) as opened:
        opened.lead_to(box)
        yield opened


# --- what is never in it ----------------------------------------------------------------

TEXT = "Xyzzy the text of a message"
WORDS = ("sesame-in-the-query", "sesame-in-a-header", "sesame-in-a-body", "sesame8", "sesame-of-a-customer")


def send_what_is_wrong(hub: Hub, account: Account) -> None:
    with httpx.Client(base_url=hub.address) as nobody:
        for path in ("/v1.0/messages", "/v1.0/nothing", "/", "/metrics", f"/v1.0/messages/{account.api.key}"):
            nobody.get(path, params={"token": "sesame-in-the-query", "accesskey": account.api.key})
            nobody.get(path, headers={"Authorization": "Bearer sesame-in-a-header"})
            nobody.post(path, content=b'{"password": "sesame-in-a-body"', headers={"Content-Type": "application/json"})
    account.api.call("POST", "/messages", {"text": TEXT, "sesame-in-a-body": 1})
    account.api.call(
        "POST", "/messages", {"source": account.number, "destinations": ["sesame-in-a-body"], "text": TEXT}
    )
    account.api.call("PUT", "/customer", {"webhook_uri": "http://user:sesame-in-a-body@127.0.0.1/"})
    config = {"host": "127.0.0.1", "port": free_port(), "system_id": "me", "password": "sesame8"}
    hub.admin.call("POST", "/carriers", {"name": "wrong", "type": "smpp", "config": {**config, "window": "sesame8"}})
    hub.admin.call(
        "POST", "/carriers", {"name": "wrong", "type": "smpp", "config": {**config, "password": "sesame8" * 2}}
    )
    unreachable = hub.admin.post("/carriers", {"name": "unreachable", "type": "smpp", "config": config})
    until(lambda: found(hub, carrier="unreachable", level="warning"), "it is said that the carrier is down")
    hub.admin.delete(f"/carriers/{unreachable['id']}")


def test_no_secret_no_text_and_no_whole_number(hub: Hub, box: Simulator, webhooks: Sink) -> None:
    endpoint = webhooks.endpoint()
    endpoint.usual = 500
    account = hub.customer(webhook_uri=endpoint.url + "?key=sesame-in-the-query")
    secret = account.api.get("/customer")["webhook_secret"]
    send_what_is_wrong(hub, account)
    somebody = [numbering.somebody(digits) for digits in ("1234", "0001", "0003")]
    for number in somebody:
        account.settled(account.send(number, TEXT))
    account.send(somebody, TEXT)
    nobodys = numbering.own()
    for to in (account.number, nobodys):
        assert box.write(somebody[0], to, TEXT) == ["ESME_ROK"]
    until(lambda: len(endpoint.hits) >= FAILURES_TO_OPEN, "webhooks failed")
    until(lambda: found(hub, customer_id=account.id, level="warning"), "it is said that they do")
    shown = hub.log + hub.out.read_text()
    for never in (TEXT, *WORDS, secret, *hub.keys, account.number, nobodys, *somebody):
        assert never not in shown, never
    assert "Traceback" not in shown
    assert lines(hub)


def test_a_password_in_an_address_is_not_shown(shell: Shell) -> None:
    wrong = ["mysql://hub:sesame@h/x", "postgresql://hub:se/same@h/x", "postgresql://hub:se@same@127.0.0.1:1/x"]
    wrong += ["postgresql://127.0.0.1:1/x?user=hub&password=sesame", "postgresql://hub:sesame@127.0.0.1:1/x?sslmode=no"]
    for url in wrong:
        for form in ("text", "json"):
            done = shell.run("serve", database_url=url, log_format=form, listen="127.0.0.1:0")
            assert done.code == 1
            assert done.out == ""
            assert "same" not in done.err, done.err
            assert (json.loads(done.err)["level"] == "error") if form == "json" else done.err.count("\n") == 1


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


# --- what is in it ----------------------------------------------------------------------


def test_a_request_and_its_line_have_the_same_id(hub: Hub) -> None:
    account = hub.customer()
    answer = account.api.call("GET", "/messages", page_size=3)
    (line,) = until(lambda: found(hub, request_id=answer.headers["x-request-id"]), "the line")
    assert {"method": "GET", "path": "/v1.0/messages", "status": 200, "customer_id": account.id}.items() <= line.items()
    assert 0 < line["milliseconds"] < 10_000
    assert line["level"] == "info"
    answer = httpx.get(f"{hub.address}/v1.0/none", headers={"X-Request-Id": "mine-1"})
    (line,) = until(lambda: found(hub, request_id="mine-1"), "the line")
    assert (line["path"], line["status"], line.get("customer_id")) == ("/v1.0/none", 404, None)


def test_start_bind_change_and_disabling_are_told(hub: Hub, box: Simulator) -> None:
    (started,) = found(hub, event="started")
    assert started["listen"] == hub.address.removeprefix("http://")
    assert started["in_doubt"] == 0
    assert started["version"]
    carrier = hub.bound(hub.carrier(box.port, "told"))
    (bound,) = found(hub, event="a bind is bound", carrier_id=carrier["id"])
    assert (bound["carrier"], bound["role"], bound["port"]) == ("told", "transceiver", box.port)
    hub.admin.put(f"/carriers/{carrier['id']}", {"disabled": True})
    until(lambda: found(hub, event="a carrier is closed", carrier_id=carrier["id"]), "it is told")


def test_a_bind_that_is_one_nodes_of_several_is_told_with_its_carrier(
    tmp_path: Path, box: Simulator, postgres_server: str
) -> None:
    with hubs.hub(postgres.new_database(postgres_server), tmp_path, log_format="json") as hub:
        carrier = hub.bound(hub.carrier(box.port, "shared"))
        (bound,) = found(hub, event="a bind is bound")
        assert (bound.get("carrier"), bound.get("carrier_id")) == ("shared", carrier["id"])


def test_a_breaker_that_opens_and_shuts_is_told(hub: Hub, webhooks: Sink) -> None:
    endpoint = webhooks.endpoint()
    endpoint.answers = [503] * FAILURES_TO_OPEN
    account = hub.customer(webhook_uri=endpoint.url, webhook_events=["message_created"])
    for _ in range(FAILURES_TO_OPEN + 1):
        account.send(numbering.somebody())
    (down,) = until(lambda: found(hub, customer_id=account.id, level="warning"), "it opens")
    assert down["error"] == "status: it answered 503"
    until(lambda: found(hub, event="an endpoint answers again", customer_id=account.id), "it shuts")


def test_an_endpoint_that_is_gone_is_told(hub: Hub, webhooks: Sink) -> None:
    endpoint = webhooks.endpoint()
    endpoint.usual = 410
    account = hub.customer(webhook_uri=endpoint.url, webhook_events=["message_created"])
    account.send(numbering.somebody())
    until(lambda: found(hub, customer_id=account.id, level="warning"), "it is told")


def test_text_tells_failures_only_and_few_of_them(tmp_path: Path) -> None:
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path) as hub, httpx.Client(base_url=hub.address) as nobody:
        hub.admin.get("/customer")
        nobody.get("/v1.0/none")
        for _ in range(60):
            assert nobody.get("/v1.0/messages").status_code == 401
        until(lambda: nobody.get("/v1.0/messages") and "have no line of their own" in hub.log, "the others are counted")
        told = [line for line in hub.log.splitlines() if " request " in line or "request request_id" in line]
        assert 1 <= len(told) < 60
        assert all("status=401" in line for line in told)
        assert hub.end() == 0
        assert hub.log.splitlines()[-1].endswith("INFO messagehub.app: ended")


def test_what_a_start_found_in_doubt_is_told_and_an_end_is_no_trouble_of_a_bind(tmp_path: Path, box: Simulator) -> None:
    url = f"sqlite:///{tmp_path}/hub.db"
    with hubs.hub(url, tmp_path, log_format="json", front="process") as hub:
        hub.lead_to(box, response_timeout=60)
        ignored = box.stats()["ignored"]
        hub.customer().send(numbering.somebody("0006"))  # its carrier does not answer
        until(lambda: box.stats()["ignored"] > ignored, "it is handed over")
        hub.kill()
        hub.start()
        assert [line["in_doubt"] for line in found(hub, event="started")] == [0, 1]
        until(lambda: found(hub, event="a bind is bound")[1:], "the carrier is bound again")
        assert hub.end() == 0
        assert not found(hub, event="a bind is connecting")


def test_a_store_that_is_unavailable_has_few_lines(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replies, "_told", Seldom(replies.TOLD_S))
    for _ in range(100):
        assert replies.refusal_of(Unavailable("the disk is full")).reason == "SERVICE_UNAVAILABLE"
    assert [record.getMessage() for record in caplog.records] == ["the store is unavailable: the disk is full"]


def test_a_failure_of_the_store_is_told_with_the_request_that_met_it(tmp_path: Path) -> None:
    server = postgres.Server()
    server.start()
    try:
        with hubs.hub(postgres.new_database(server.url), tmp_path, log_format="json") as hub:
            account = hub.customer()
            server.stop()
            answer = account.api.call("GET", "/messages")
            refusal(answer, 503, "SERVICE_UNAVAILABLE")
            failed, request = until(lambda: found(hub, request_id=answer.headers["x-request-id"])[1:] and
                                    found(hub, request_id=answer.headers["x-request-id"]), "both lines")  # fmt: skip
            assert failed["event"].startswith("the store is unavailable")
            assert (request["event"], request["status"], request["level"]) == ("request", 503, "warning")
            scraped = httpx.get(f"{hub.address}/metrics", timeout=10).text
            assert "messagehub_store_up 0.0" in scraped
            assert "messagehub_http_requests_total" in scraped
    finally:
        server.remove()
