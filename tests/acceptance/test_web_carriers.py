"""Messages by way of a carrier that speaks HTTP: there, back, and what becomes of them when something breaks."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.support import hub as hubs
from tests.support import postgres
from tests.support import provider as providers
from tests.support.api import Json
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.numbering import somebody
from tests.support.ports import free_port
from tests.support.provider import Provider
from tests.support.simulator import Simulator
from tests.support.simulator import simulator as simulators
from tests.support.waiting import until


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providers.provider() as opened:
        yield opened


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with simulators(tmp_path_factory.mktemp("box")) as opened:
        yield opened


@pytest.fixture(scope="module")
def running(module_database: tuple[str, Path]) -> Iterator[Hub]:
    (url, folder), address = module_database, f"127.0.0.1:{free_port()}"
    settings = {"listen": address, "public_url": f"http://{address}", "webhook_allow_private": "true"}
    with hubs.hub(url, folder, **settings, node_lease=LEASE_S) as opened:
        yield opened


@pytest.fixture
def hub(running: Hub) -> Iterator[Hub]:
    yield running
    running.lead_nowhere()
    assert "Traceback" not in running.log


def carrier(hub: Hub, provider: Provider, **config: object) -> Json:
    provider.tells_receipts = True
    provider.stalls.clear()
    given = {"name": "web", "type": "http", "config": provider.config(**config)}
    made = hub.admin.post("/carriers", given)
    hub.route(made, priority=1)
    return hub.bound(made)


def inbox(account: Account) -> list[str]:
    return [message["text"] for message in account.api.every("/messages", direction="inbound")]


def test_messages_go_and_their_receipts_come(hub: Hub, provider: Provider) -> None:
    made = carrier(hub, provider)
    account = hub.customer()
    sent = account.send(somebody("4444"), "Grüße " * 30)
    settled = account.settled(sent)
    (target,) = settled["targets"]
    assert target["status"] == "delivered", settled
    assert provider.sent[-1]["text"] == "Grüße " * 30
    assert provider.keys[-1] == "Bearer a key of ours"
    assert "media" not in provider.sent[-1]
    assert "secret" not in str(hub.admin.get(f"/carriers/{made['id']}")["config"].keys() - {"callback_name"})
    failed = account.settled(account.send(somebody("0001")))
    assert (failed["targets"][0]["status"], failed["targets"][0]["error_code"]) == ("failed", "undelivered")
    refused = account.settled(account.send(somebody("0003")))
    assert refused["targets"][0]["error_message"] == "no such number"
    (trace,) = account.api.get(f"/messages/{refused['id']}/trace")["result"]
    names = [step["step"] for step in trace["steps"]]
    assert names == ["accepted", "claimed", "request", "answer", "refused", "moved"]
    assert trace["steps"][3]["detail"]["status"] == 400


def test_what_comes_in_is_stored_once_however_often_it_is_told(hub: Hub, provider: Provider) -> None:
    url = carrier(hub, provider)["callback_url"]
    account = hub.customer()
    said = {"id": "in-1", "from": somebody("7777"), "to": account.number, "text": "Hello there"}
    for _ in range(3):
        assert provider.tell(url, **said).status_code == 200
    hub.end()
    hub.start()
    assert until(lambda: provider.tell(url, **said).status_code == 200)
    assert provider.tell(f"{url}/inbound", **{**said, "id": "in-2", "text": "Again"}).status_code == 200
    assert inbox(account) == ["Again", "Hello there"]


def test_what_is_told_in_a_query_is_read_whatever_its_charset(hub: Hub, provider: Provider) -> None:
    url = carrier(hub, provider)["callback_url"]
    account = hub.customer()
    for words in ("caf%E9", "caf%C3%A9"):
        query = f"from={somebody('7777').replace('+', '%2B')}&to={account.number.replace('+', '%2B')}&text={words}"
        assert httpx.get(f"{url}?{query}", headers={"X-Secret": providers.SECRET}).status_code == 200
    assert inbox(account) == ["café", "café"]


def test_who_is_not_the_carrier_is_not_believed(hub: Hub, provider: Provider) -> None:
    made = carrier(hub, provider)
    account = hub.customer()
    said = {"id": "x", "from": somebody("7777"), "to": account.number, "text": "Hello"}
    assert provider.tell(made["callback_url"], "guessed", **said).status_code == 403
    (warning,) = hub.admin.get(f"/carriers/{made['id']}")["warnings"]
    assert "1 requests to its address here were not believed" in warning
    assert "guessed" not in hub.log
    smpp = hub.carrier(9, "smpp")
    assert httpx.post(made["callback_url"].replace(made["id"], smpp["id"])).status_code == 404
    unknown = made["callback_url"].replace(made["id"], account.id)
    assert httpx.post(unknown).status_code == 404
    assert httpx.post(made["callback_url"] + "/../x").status_code == 404
    assert httpx.post(made["callback_url"], content=b"x" * (1 << 20) + b"x").status_code == 413
    assert httpx.post(made["callback_url"], content=b"{", headers={"X-Secret": providers.SECRET}).status_code == 400
    hub.admin.put(f"/carriers/{made['id']}", {"disabled": True})
    assert until(lambda: provider.tell(made["callback_url"], **said).status_code == 503)
    assert inbox(account) == []


def test_who_sends_slowly_to_one_carrier_shuts_no_other(hub: Hub, provider: Provider) -> None:
    mmsc = hub.admin.post("/carriers", {"name": "mmsc", "type": "mm7", "config": {"url": provider.url}})
    url = carrier(hub, provider)["callback_url"]
    account = hub.customer()
    where = httpx.URL(mmsc["callback_url"])
    head = f"POST {where.path} HTTP/1.1\r\nHost: hub\r\nContent-Length: {16 << 20}\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(8):
            slow = stack.enter_context(socket.create_connection((where.host, where.port or 80)))
            slow.sendall(head + b"x")
        said = {"id": "s", "from": somebody("7777"), "to": account.number, "text": "Hello"}
        assert provider.tell(url, **said).status_code == 200
    assert inbox(account) == ["Hello"]


def test_a_carrier_that_is_down_hands_over_to_the_next(hub: Hub, provider: Provider, box: Simulator) -> None:
    dead = hub.admin.post(
        "/carriers", {"name": "dead", "type": "http", "config": provider.config(url="http://127.0.0.1:9/")}
    )
    hub.route(dead, priority=1)
    second = hub.carrier(box.port, "second")
    hub.route(second, priority=2)
    hub.bound(second)
    account = hub.customer()
    sent = account.settled(account.send(somebody("4444")))
    assert sent["status"] == "delivered"
    assert hub.when_carrier(dead, lambda now: now["status"] == "down")["last_error"]


def test_what_was_on_its_way_at_a_crash_is_in_doubt(hub: Hub, provider: Provider) -> None:
    carrier(hub, provider)
    provider.stalls.set()
    before = len(provider.sent)
    account = hub.customer()
    sent = account.send(somebody("4444"))
    until(lambda: len(provider.sent) > before)
    hub.kill()
    provider.stalls.clear()
    hub.start()
    settled = account.settled(sent)
    assert settled["status"] == "delivered"
    assert settled["targets"][0]["possible_duplicate"] is True
    assert len(provider.sent) == before + 2


def test_nodes_share_a_carrier_and_any_of_them_is_told(
    postgres_server: str, tmp_path: Path, provider: Provider
) -> None:
    url = postgres.new_database(postgres_server)
    with hubs.hub(url, tmp_path, "one") as one:
        made = carrier(one, provider, binds=2, window=5)
        two, api = Hub(url, tmp_path, "two", role="worker"), Hub(url, tmp_path, "three", role="api")
        two.start()
        api.start()
        try:
            body = {**providers.CONFIG["body"], "tell": f"{two.address}/callbacks/{made['id']}"}
            one.admin.put(f"/carriers/{made['id']}", {"config": {"body": body}})
            shared = one.when_carrier(made, lambda now: len({bind["node"] for bind in now["binds"]}) == 2)
            assert shared["status"] == "bound"
            account = one.customer()
            path = f"/callbacks/{made['id']}"
            said = {"id": "in-1", "from": somebody("7777"), "to": account.number, "text": "Hello"}
            told = [provider.tell(node.address + path, **said).status_code for node in (one, two, two, one)]
            assert told == [200] * 4
            assert inbox(account) == ["Hello"]
            refused = provider.tell(api.address + path, **said)
            assert refused.status_code == 503
            assert "`all` or `worker`" in refused.text
            sent = [account.send(somebody("4444")) for _ in range(20)]
            assert {account.settled(message)["status"] for message in sent} == {"delivered"}
        finally:
            two.close()
            api.close()
