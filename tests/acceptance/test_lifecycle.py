"""Ending in order, ending by force, and coming back: nothing that was accepted is lost."""

import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.acceptance.crash import HOLD, MESSAGES, RESEND, WINDOW, Aftermath, crashed
from tests.conftest import STORES
from tests.support import hub as hubs
from tests.support import numbering, postgres, simulator
from tests.support.api import Json
from tests.support.hub import Hub
from tests.support.process import PROGRAM, environment
from tests.support.sink import STALL, Sink
from tests.support.waiting import until

# --- killed -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def crashes(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Aftermath]]]:
    """One on each store, beside each other: most of the time goes by waiting for the lease of the dead."""
    folders = {store: tmp_path_factory.mktemp(f"crash-{store}") for store in STORES}
    urls = {
        "sqlite": f"sqlite:///{folders['sqlite']}/hub.db",
        "postgres": postgres.new_database(postgres_server),
    }
    with ExitStack() as opened, ThreadPoolExecutor(2) as pool:

        def begin(store: str) -> Aftermath:
            return opened.enter_context(crashed(urls[store], folders[store]))

        yield {store: pool.submit(begin, store) for store in STORES}


# The other tests run while the crashed hub waits for the lease, so this one is asked for first and looked at last.
@pytest.fixture(autouse=True)
def _begun(crashes: dict[str, Future[Aftermath]]) -> None:
    return


@pytest.fixture(params=STORES)
def crash(request: pytest.FixtureRequest, crashes: dict[str, Future[Aftermath]]) -> Aftermath:
    return crashes[request.param].result(timeout=120)


# --- ended in order ---------------------------------------------------------------------


def test_sigterm_lets_what_is_in_flight_be_answered(database_url: str, tmp_path: Path) -> None:
    """After it there is no doubt about anything: all is delivered once, and nothing is marked."""
    with simulator.simulator(tmp_path) as box, hubs.hub(database_url, tmp_path) as hub:
        # Each submit is answered after a while, so there always are some in flight.
        hub.lead_to(box, window=20, response_timeout=30, dlr_timeout=120)
        account = hub.customer()
        sent = account.send(numbering.somebodies(300, "0007"))
        until(lambda: box.stats()["accepted"] >= 60, "some are on their way")
        assert hub.end() == 0
        before = box.stats()["accepted"]
        hub.start()
        account.settled(sent)
        targets = account.api.every(f"/messages/{sent['id']}/targets")
        assert {target["status"] for target in targets} == {"delivered"}
        assert [target for target in targets if target["possible_duplicate"]] == []
        assert max(box.times_sent().values()) == 1
        assert before < 300  # or nothing was to be done after the end


def test_sigterm_writes_down_what_no_carrier_answers(database_url: str, tmp_path: Path) -> None:
    with (
        simulator.simulator(tmp_path) as box,
        hubs.hub(database_url, tmp_path, drain_timeout=0.5) as hub,
    ):
        carrier = hub.lead_to(box, response_timeout=60)
        account = hub.customer()
        sent = account.send(numbering.somebody("0006"), on_doubt="hold")
        hub.when_carrier(carrier, lambda now: now["binds"][0]["in_flight"] == 1)
        assert hub.end() == 0
        hub.start()
        target = account.settled(sent)["targets"][0]
        assert (target["status"], target["error_code"]) == ("gw_timeout", "in_doubt")


def test_a_slow_caller_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path) as hub:
        here = hub.listens_at()
        with socket.create_connection(here) as idle, socket.create_connection(here) as slow:
            slow.sendall(b"POST /v1.0/messages HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\n{")
            until(lambda: hub.admin.get("/customer"), "the requests before were seen")
            assert hub.end() == 0
            assert idle.recv(1) == b""
        assert "Traceback" not in hub.log


# --- starting ---------------------------------------------------------------------------


def serve(**settings: str) -> subprocess.CompletedProcess[str]:
    """What a `messagehub serve` says that cannot work."""
    return subprocess.run(
        [PROGRAM, "serve"], env=environment(settings), capture_output=True, text=True, check=False, timeout=60
    )


def test_a_second_process_on_the_same_file_is_refused(tmp_path: Path) -> None:
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path) as hub:
        second = serve(**{**hub.env, "MESSAGEHUB_LISTEN": "127.0.0.1:0"})
        assert second.returncode == 1
        assert len(second.stderr.splitlines()) == 1
        assert "PostgreSQL" in second.stderr
        assert hub.admin.get("/customer")["name"] == "operator"


def test_init_says_when_there_is_nothing_to_do(database_url: str, tmp_path: Path) -> None:
    hub = Hub(database_url, tmp_path)
    shown = hub.init()
    assert shown.keys() == {"admin_accesskey", "username", "password"}
    assert hub.init().keys().isdisjoint(shown)
    hub.start()
    hub.caller(shown["admin_accesskey"])
    assert hub.admin.get("/customers")["result"][-1]["name"] == "operator"
    hub.close()


WRONG: list[tuple[dict[str, str], str]] = [
    ({"MESSAGEHUB_LISTEM": "127.0.0.1:0"}, "MESSAGEHUB_LISTEM"),
    ({"MESSAGEHUB_LISTEN": "127.0.0.1:http"}, "MESSAGEHUB_LISTEN"),
    ({"MESSAGEHUB_LISTEN": "127.0.0.1:99999"}, "MESSAGEHUB_LISTEN"),
    ({"MESSAGEHUB_MAX_SEGMENTS": "many"}, "MESSAGEHUB_MAX_SEGMENTS"),
    ({"MESSAGEHUB_MAX_SEGMENTS": "0"}, "MESSAGEHUB_MAX_SEGMENTS"),
    ({"MESSAGEHUB_BODY_TIMEOUT": "-1"}, "MESSAGEHUB_BODY_TIMEOUT"),
    ({"MESSAGEHUB_UNKNOWN_DESTINATION": "drop"}, "accept"),
    ({"MESSAGEHUB_WEBHOOK_ALLOW_PRIVATE": "perhaps"}, "MESSAGEHUB_WEBHOOK_ALLOW_PRIVATE"),
    ({"MESSAGEHUB_CONFIG": "/nowhere/hub.toml"}, "/nowhere/hub.toml"),
    ({"MESSAGEHUB_MEDIA_DIR": "/dev/null"}, "MESSAGEHUB_MEDIA_DIR: no media can be kept in '/dev/null'"),
    ({"MESSAGEHUB_DATABASE_URL": "mysql://localhost/hub"}, "MESSAGEHUB_DATABASE_URL"),
    ({"MESSAGEHUB_DATABASE_URL": "sqlite:////nowhere/hub.db"}, "/nowhere/hub.db"),
    ({"MESSAGEHUB_DATABASE_URL": "postgresql://127.0.0.1:1/hub"}, "127.0.0.1:1"),
]


@pytest.mark.parametrize(
    ("settings", "word"), WRONG, ids=[" ".join([*given.keys(), *given.values()]) for given, _ in WRONG]
)
def test_settings_that_cannot_work_are_refused_in_one_line(settings: dict[str, str], word: str, tmp_path: Path) -> None:
    given = {"MESSAGEHUB_LISTEN": "127.0.0.1:0", "MESSAGEHUB_DATABASE_URL": f"sqlite:///{tmp_path}/hub.db"}
    refused = serve(**{**given, **settings})
    assert refused.returncode == 1, refused.stderr
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    assert word in refused.stderr


def test_the_password_of_the_database_is_not_shown() -> None:
    refused = serve(MESSAGEHUB_DATABASE_URL="postgresql://hub:s3cret@127.0.0.1:1/hub")
    assert refused.returncode == 1
    assert "s3cret" not in refused.stderr


# --- what a kill leaves -----------------------------------------------------------------


def test_a_webhook_under_way_is_made_again_after_a_kill(webhooks: Sink, tmp_path: Path) -> None:
    endpoint = webhooks.endpoint()
    endpoint.answers = [STALL]
    with (
        simulator.simulator(tmp_path) as box,
        hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, webhook_allow_private="true") as hub,
    ):
        hub.lead_to(box)
        account = hub.customer(webhook_uri=endpoint.url, webhook_statuses=["delivered"])
        account.send(numbering.somebody())
        endpoint.wait(lambda endpoint: len(endpoint.hits) == 1)
        hub.kill()
        hub.start()
        endpoint.wait(lambda endpoint: len(endpoint.hits) == 2)
    first, again = endpoint.hits
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.body == again.body


def test_nothing_that_was_accepted_is_lost(crash: Aftermath) -> None:
    assert len(crash.accepted) >= MESSAGES - 50  # each of the callers was cut off once or twice
    assert crash.targets.keys() == set(crash.accepted.values())
    assert {target["status"] for target in crash.wished(RESEND)} == {"delivered"}
    sent = [to for to, target in crash.targets.items() if target["status"] == "delivered"]
    assert all(crash.times_sent[to] for to in sent)


def test_what_may_have_gone_twice_is_at_most_the_window_and_is_marked(crash: Aftermath) -> None:
    twice = {to for to in crash.targets if crash.times_sent[to] > 1}
    marked = {to for to, target in crash.targets.items() if target["possible_duplicate"]}
    assert 0 < len(twice) <= WINDOW
    assert twice <= marked
    assert len(marked) <= WINDOW
    assert max(crash.times_sent.values()) == 2


def test_what_is_to_be_held_goes_once_and_is_told(crash: Aftermath) -> None:
    held = [target for target in crash.wished(HOLD) if target["status"] != "delivered"]
    assert 0 < len(held) <= WINDOW
    assert {(target["status"], target["error_code"]) for target in held} == {("gw_timeout", "in_doubt")}
    assert max(crash.times_sent[to] for to, wish in crash.wishes.items() if wish == HOLD) == 1


def test_what_is_held_can_be_sent_again_by_hand(crash: Aftermath) -> None:
    held = next(target for target in crash.wished(HOLD) if target["status"] != "delivered")
    to = held["destination"]["target"]
    message_id = next(key for key, value in crash.accepted.items() if value == to)
    resent: Json = crash.account.api.post(f"/messages/{message_id}/resend")
    assert resent["status"] == "sending"
    target = crash.account.api.settled(message_id)["targets"][0]
    assert (target["status"], target["error_code"], target["possible_duplicate"]) == ("delivered", "", True)
    assert len(crash.simulator.submits(to)) == 2
