"""What customers are told by webhook: what it says, who signed it, and what happens when nobody listens."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.acceptance.outset import Lame
from tests.support import hub as hubs
from tests.support import numbering, simulator, sink
from tests.support.api import refusal
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator
from tests.support.sink import STALL, Endpoint, Hit, Sink
from tests.support.waiting import until

AT_ONCE = 32
"""Requests that one endpoint may have under way."""

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def endpoint(webhooks: Sink) -> Endpoint:
    return webhooks.endpoint()


@pytest.fixture
def account(hub: Hub, endpoint: Endpoint) -> Account:
    return hub.customer(webhook_uri=endpoint.url)


def moments(value: object) -> Iterator[str]:
    """Every member that is called a time."""
    if isinstance(value, dict):
        yield from (item for key, item in value.items() if key.startswith("tm_"))
        for item in value.values():
            yield from moments(item)
    elif isinstance(value, list):
        for item in value:
            yield from moments(item)


# --- what is said -----------------------------------------------------------------------


def test_the_life_of_a_message_is_told(account: Account, endpoint: Endpoint) -> None:
    sent = account.send(numbering.somebody(), "Hello")
    endpoint.wait(lambda endpoint: len(endpoint.hits) == 2)
    for hit, status in zip(endpoint.hits, ["sent", "delivered"], strict=True):
        assert hit.method == "POST"
        assert hit.headers["content-type"] == "application/json"
        assert json.loads(hit.body).keys() == {"type", "data"}
        assert hit.type == "message_updated"
        assert hit.data["status"] == status
        assert [changed["status"] for changed in hit.data["changed"]] == [status]
    now = account.api.message(sent["id"])
    told = endpoint.hits[1].data
    assert {name: told[name] for name in ("id", "customer_id", "source", "text", "target_count")} == {
        name: now[name] for name in ("id", "customer_id", "source", "text", "target_count")
    }
    assert now.keys() | {"changed", "sequence"} == told.keys()
    assert endpoint.hits[0].data["sequence"] < told["sequence"]
    assert told["tm_update"] == now["tm_update"].replace(" ", "T") + "Z"


def test_all_times_are_iso(account: Account, endpoint: Endpoint) -> None:
    account.send(numbering.somebodies(2))
    endpoint.wait(lambda endpoint: endpoint.hits)
    times = list(moments(endpoint.hits[0].data))
    assert len(times) >= 5
    assert all(ISO.fullmatch(moment) for moment in times)
    assert endpoint.hits[0].data["tm_delete"] == "9999-01-01T00:00:00.000000Z"


def test_several_targets_tell_what_changed(account: Account, endpoint: Endpoint) -> None:
    to = [numbering.somebody(digits) for digits in ("1234", "0001", "5678", "0002")]
    account.send(to)
    endpoint.wait(lambda endpoint: endpoint.hits and endpoint.hits[-1].data["status"] == "partially_delivered")
    assert all(len(hit.data["targets"]) == 4 for hit in endpoint.hits)
    seen: dict[str, list[str]] = {number: [] for number in to}
    for hit in endpoint.hits:
        for changed in hit.data["changed"]:
            seen[changed["destination"]["target"]].append(changed["status"])
    ends = ("delivered", "failed", "delivered", "failed")
    assert seen == {number: ["sent", end] for number, end in zip(to, ends, strict=True)}
    sequences = [hit.data["sequence"] for hit in endpoint.hits]
    assert sequences == sorted(set(sequences))


def test_above_a_hundred_targets_only_the_changed_ones_are_told(account: Account, endpoint: Endpoint) -> None:
    to = numbering.somebodies(150)
    account.send(to)
    endpoint.wait(lambda endpoint: endpoint.hits and endpoint.hits[-1].data["status"] == "delivered")
    for hit in endpoint.hits:
        assert hit.data["target_count"] == 150
        assert hit.data["targets"] == hit.data["changed"]
    told = [
        changed["destination"]["target"]
        for hit in endpoint.hits
        for changed in hit.data["changed"]
        if changed["status"] == "delivered"
    ]
    assert sorted(told) == sorted(to)


def test_the_events_of_one_message_come_in_order(account: Account, endpoint: Endpoint) -> None:
    sent = [account.send(numbering.somebody("0007" if n % 2 else "1234")) for n in range(60)]
    endpoint.wait(lambda endpoint: len(endpoint.hits) == 120)
    for message in sent:
        assert [hit.data["status"] for hit in endpoint.about(message)] == ["sent", "delivered"]


# --- who signed it ----------------------------------------------------------------------


def test_both_signatures_hold(account: Account, endpoint: Endpoint) -> None:
    account.send(numbering.somebody())
    endpoint.wait(lambda endpoint: endpoint.hits)
    hit = endpoint.hits[0]
    secret = account.api.get("/customer")["webhook_secret"]
    assert secret.startswith("whsec_")
    assert Webhook(secret).verify(hit.body, hit.headers) == json.loads(hit.body)
    by_hand = hmac.new(secret.encode(), hit.body, hashlib.sha256).hexdigest()
    assert hit.headers["x-voipbin-signature"] == f"sha256={by_hand}"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(hit.body + b" ", hit.headers)


def test_each_customer_has_a_secret_that_only_it_sees(hub: Hub, account: Account) -> None:
    own = account.api.get("/customer")["webhook_secret"]
    assert own != hub.customer().api.get("/customer")["webhook_secret"]
    assert own not in hub.admin.call("GET", f"/customers/{account.id}").text


# --- what a customer chooses ------------------------------------------------------------


def test_the_method_of_choice(hub: Hub, endpoint: Endpoint) -> None:
    hub.customer(webhook_uri=endpoint.url, webhook_method="PUT").send(numbering.somebody())
    endpoint.wait(lambda endpoint: endpoint.hits)
    assert endpoint.hits[0].method == "PUT"


def test_the_statuses_of_choice(hub: Hub, endpoint: Endpoint) -> None:
    account = hub.customer(webhook_uri=endpoint.url, webhook_statuses=["delivered", "failed"])
    to = [numbering.somebody(digits) for digits in ("0001", "1234", "0003")]
    sent = [account.send(number) for number in to]
    for message in sent:
        account.settled(message)
    endpoint.wait(lambda endpoint: len(endpoint.hits) == 3)
    assert {hit.data["changed"][0]["status"] for hit in endpoint.hits} == {"delivered", "failed"}


def test_the_events_of_choice(hub: Hub, endpoint: Endpoint, carrier_box: Simulator) -> None:
    account = hub.customer(webhook_uri=endpoint.url, webhook_events=["message_created", "message_deleted"])
    sent = account.send(numbering.somebody())
    account.settled(sent)
    carrier_box.write(numbering.somebody(), account.number, "Hello")
    account.api.delete(f"/messages/{sent['id']}")
    endpoint.wait(lambda endpoint: len(endpoint.hits) == 3)
    created, deleted = endpoint.about(sent)
    assert (created.type, created.data["status"]) == ("message_created", "sending")
    assert (deleted.type, deleted.data["status"]) == ("message_deleted", "delivered")
    assert deleted.data["tm_delete"].startswith("20")
    assert {hit.type for hit in endpoint.hits} == {"message_created", "message_deleted"}


def test_who_has_no_webhook_is_told_nothing(hub: Hub, account: Account, endpoint: Endpoint) -> None:
    account.api.put("/customer", {"webhook_uri": ""})
    account.settled(account.send(numbering.somebody()))
    account.api.put("/customer", {"webhook_uri": endpoint.url})
    later = account.send(numbering.somebody())
    endpoint.wait(lambda endpoint: endpoint.about(later))
    assert all(hit.data["id"] == later["id"] for hit in endpoint.hits)


# --- when nobody listens ----------------------------------------------------------------


def test_410_ends_it_and_its_customer_can_see_why(hub: Hub, account: Account, endpoint: Endpoint) -> None:
    endpoint.answers = [410]
    account.send(numbering.somebody())
    why = until(lambda: account.api.get("/customer")["webhook_disabled"], "it is disabled")
    assert "410" in why
    assert endpoint.url in why
    account.settled(account.send(numbering.somebody()))
    assert len(endpoint.hits) == 1
    assert account.api.put("/customer", {"webhook_uri": endpoint.url})["webhook_disabled"] == ""
    again = account.send(numbering.somebody())
    endpoint.wait(lambda endpoint: endpoint.about(again))


def stall(hub: Hub, endpoint: Endpoint) -> None:
    """A customer whose endpoint does not answer has as many requests under way as it may have."""
    endpoint.usual = STALL
    account = hub.customer(webhook_uri=endpoint.url)
    for _ in range(AT_ONCE):
        account.send(numbering.somebody())
    endpoint.wait(lambda endpoint: len(endpoint.hits) >= AT_ONCE)


def is_told_at_once(account: Account, endpoint: Endpoint) -> bool:
    begun = time.monotonic()
    sent = [account.send(numbering.somebody()) for _ in range(20)]
    endpoint.wait(lambda endpoint: len(endpoint.hits) == 2 * len(sent))
    return time.monotonic() - begun < 4  # and not the 5 s that the other is waited for


def test_a_stalled_endpoint_costs_others_nothing(hub: Hub, account: Account, endpoint: Endpoint) -> None:
    with sink.sink() as elsewhere:
        stall(hub, elsewhere.endpoint())
        assert is_told_at_once(account, endpoint)


def test_a_stalled_endpoint_costs_those_of_the_same_host_nothing(hub: Hub) -> None:
    """Many customers may have theirs with the same provider."""
    with sink.sink() as provider:
        stall(hub, provider.endpoint())
        endpoint = provider.endpoint()
        assert is_told_at_once(hub.customer(webhook_uri=endpoint.url), endpoint)


def retry(endpoint: Endpoint) -> tuple[Hit, Hit]:
    """The first request, and the same once more."""
    first = until(lambda: endpoint.hits, "it is tried")[0]

    def again() -> list[Hit]:
        return [hit for hit in endpoint.hits[1:] if hit.headers["webhook-id"] == first.headers["webhook-id"]]

    return first, until(again, "it is tried again")[0]


def test_an_endpoint_has_five_seconds(stalled: Lame) -> None:
    first, again = retry(stalled.endpoint)
    assert again.body == first.body
    assert 5 + 4 < again.at - first.at < 5 + 15


def test_a_failed_webhook_is_made_again_and_is_the_same(failing: Lame) -> None:
    first, again = retry(failing.endpoint)
    assert again.body == first.body
    assert 4 < again.at - first.at < 60
    secret = failing.account.api.get("/customer")["webhook_secret"]
    Webhook(secret).verify(again.body, again.headers)
    assert again.headers["webhook-timestamp"] > first.headers["webhook-timestamp"]


# --- where it may not go ----------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub as a stranger's customers get it: its webhooks may not look around in its own house."""
    folder = tmp_path_factory.mktemp("guarded")
    with simulator.simulator(folder) as box, hubs.hub(f"sqlite:///{folder}/hub.db", folder) as hub:
        hub.lead_to(box)
        yield hub


INSIDE = (
    "http://127.0.0.1:9/", "http://localhost/", "http://10.1.2.3/", "http://192.168.0.1/", "http://172.16.0.1/",
    "http://169.254.169.254/latest/meta-data", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[fd00::1]/",
    "http://0.0.0.0/", "http://2130706433/", "http://0x7f.1/", "http://0177.1/", "http://127.0.0.1./", "http://a.localhost./",
    "http://[64:ff9b::7f00:1]/", "http://[2002:a00:1::]/", "http://[fe80::1]/", "https://100.100.100.200/",
)  # fmt: skip


@pytest.mark.parametrize("uri", INSIDE)
def test_a_private_address_is_refused(guarded: Hub, uri: str) -> None:
    account = guarded.customer()
    refusal(account.api.call("PUT", "/customer", {"webhook_uri": uri}), 400, "INVALID_WEBHOOK_URI", "webhook_uri: ")
    assert account.api.get("/customer")["webhook_uri"] == ""


@pytest.mark.parametrize("uri", ["ftp://example.com/", "example.com/hook", "http://", "http://user@", "javascript:1"])
def test_what_is_no_address_of_the_web_is_refused(guarded: Hub, uri: str) -> None:
    answer = guarded.customer().api.call("PUT", "/customer", {"webhook_uri": uri})
    refusal(answer, 400, "INVALID_WEBHOOK_URI", "webhook_uri: ")


def test_a_name_that_has_no_address_is_told_so(guarded: Hub) -> None:
    """A name is looked up when it is connected to, and not when it is set."""
    account = guarded.customer(webhook_uri="http://no-such-name.invalid/")
    account.settled(account.send(numbering.somebody()))
    answer = account.api.post("/customer/webhook_test")
    assert (answer["delivered"], answer["response_status"], answer["error"]) == (False, 0, "dns")

    def ask() -> list[str]:
        rows = account.api.get("/webhook_deliveries", type="message_updated")["result"]
        return [row["error"] for row in rows if row["attempts"]]

    assert until(ask, "an attempt")[0] == "dns"
