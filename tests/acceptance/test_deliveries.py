"""What a customer can see and do of its webhooks: deliveries, replays, tests, secrets, and how the endpoint fares."""

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from tests.support import numbering
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub
from tests.support.sink import STALL, Endpoint, Hit, Sink
from tests.support.waiting import until

NEVER = "9999-01-01 00:00:00.000000"
WHEN = "%Y-%m-%d %H:%M:%S.%f"


@pytest.fixture
def endpoint(webhooks: Sink) -> Endpoint:
    return webhooks.endpoint()


@pytest.fixture
def account(hub: Hub, endpoint: Endpoint) -> Account:
    return hub.customer(webhook_uri=endpoint.url, webhook_statuses=["delivered", "failed"])


def moment(text: str) -> datetime:
    return datetime.strptime(text, WHEN).replace(tzinfo=UTC)


def deliveries(api: Api, **wanted: object) -> list[Json]:
    return api.every("/webhook_deliveries", **wanted)


def tell(account: Account) -> Json:
    """A message, of whose delivery the endpoint is told once."""
    return account.settled(account.send(numbering.somebody()))


def concluded(account: Account, message: Json, status: str = "delivered") -> Json:
    """The delivery of the event about a message, in full."""

    def ask() -> list[Json]:
        return deliveries(account.api, message_id=message["id"], status=status)

    (found,) = until(ask, f"a delivery that is {status}")
    return account.api.get(f"/webhook_deliveries/{found['id']}")


# --- deliveries -------------------------------------------------------------------------


def test_a_delivery_is_shown_with_its_body_and_its_attempt(account: Account, endpoint: Endpoint) -> None:
    message = tell(account)
    delivery = concluded(account, message)
    hit = endpoint.hits[0]
    assert delivery["id"] == hit.headers["webhook-id"]
    assert delivery["body"].encode() == hit.body
    assert delivery["tries"] == [
        {"attempt": 1, "response_status": 200, "error": "", "tm_create": delivery["tm_update"]}
    ]
    listed = {name: value for name, value in delivery.items() if name not in ("body", "tries")}
    assert listed == {
        "id": hit.headers["webhook-id"],
        "type": "message_updated",
        "message_id": message["id"],
        "status": "delivered",
        "attempts": 1,
        "response_status": 200,
        "error": "",
        "tm_next_attempt": NEVER,
        "tm_create": listed["tm_create"],
        "tm_update": listed["tm_update"],
    }
    assert deliveries(account.api) == [listed]


def test_an_event_of_a_deleted_message_is_still_listed(account: Account) -> None:
    message = tell(account)
    account.api.delete(f"/messages/{message['id']}")
    assert concluded(account, message)["message_id"] == message["id"]


def test_lists_go_page_by_page_newest_first(account: Account) -> None:
    for message in [account.send(numbering.somebody()) for _ in range(7)]:
        concluded(account, message)
    pages = account.api.pages("/webhook_deliveries", page_size=3)
    assert [len(page) for page in pages] == [3, 3, 1]
    ids = [delivery["id"] for page in pages for delivery in page]
    assert ids == sorted(set(ids), reverse=True)
    middle = pages[1][1]
    later = deliveries(account.api, tm_create_from=middle["tm_create"])
    sooner = deliveries(account.api, tm_create_to=middle["tm_create"])
    assert [delivery["id"] for delivery in later + sooner] == ids
    assert later[-1] == middle


def test_of_others_nothing_is_seen_or_moved(hub: Hub, account: Account, endpoint: Endpoint) -> None:
    message = tell(account)
    delivery = concluded(account, message)
    stranger = hub.customer(webhook_uri=endpoint.url).api
    assert deliveries(stranger) == deliveries(stranger, message_id=message["id"]) == []
    for method, path in (("GET", ""), ("POST", "/replay")):
        answer = stranger.call(method, f"/webhook_deliveries/{delivery['id']}{path}")
        refusal(answer, 404, "RESOURCE_NOT_FOUND")
    everything = {"tm_create_from": "2020-01-01T00:00:00Z", "status": "delivered", "message_id": message["id"]}
    assert stranger.post("/webhook_deliveries/replay", everything) == {"replayed": 0, "next_page_token": ""}
    assert len(endpoint.hits) == 1


def test_what_fails_says_how_and_when_it_is_tried_again(account: Account, endpoint: Endpoint) -> None:
    endpoint.answers = [503]
    message = tell(account)
    until(lambda: deliveries(account.api, message_id=message["id"])[0]["attempts"] == 1, "an attempt")
    delivery = concluded(account, message, "pending")
    assert (delivery["response_status"], delivery["error"]) == (503, "status")
    assert delivery["tries"][0]["error"] == "status"
    pause = moment(delivery["tm_next_attempt"]) - moment(delivery["tm_update"])
    assert timedelta(seconds=4) < pause < timedelta(seconds=6)


def in_seconds(seconds: int) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize("form", ["seconds", "a date"])
def test_retry_after_is_heeded(account: Account, endpoint: Endpoint, form: str) -> None:
    endpoint.headers["Retry-After"] = "600" if form == "seconds" else in_seconds(600)
    endpoint.answers = [429]
    message = tell(account)
    until(lambda: deliveries(account.api, message_id=message["id"])[0]["attempts"] == 1, "an attempt")
    delivery = concluded(account, message, "pending")
    pause = moment(delivery["tm_next_attempt"]) - moment(delivery["tm_update"])
    assert timedelta(seconds=595) < pause < timedelta(seconds=605)


def test_who_asks_to_be_left_alone_is_not_asked_with_other_events_either(account: Account, endpoint: Endpoint) -> None:
    endpoint.headers["Retry-After"] = "600"
    endpoint.usual = 429
    first = tell(account)
    concluded(account, first, "pending")
    until(lambda: deliveries(account.api, message_id=first["id"])[0]["attempts"] == 1, "an attempt")
    later = [tell(account) for _ in range(3)]
    with pytest.raises(AssertionError, match="not within"):
        endpoint.wait(lambda endpoint: len(endpoint.hits) > 1, within=2.5)
    for message in later:
        assert deliveries(account.api, message_id=message["id"])[0]["attempts"] == 0
    account.api.put("/customer", {"webhook_uri": f"{endpoint.url}?again"})
    endpoint.wait(lambda endpoint: len(endpoint.hits) > 1)


# --- replays ----------------------------------------------------------------------------


def test_a_replay_is_equal_octet_for_octet_and_signed_anew(account: Account, endpoint: Endpoint) -> None:
    message = tell(account)
    delivery = concluded(account, message)
    asked = account.api.post(f"/webhook_deliveries/{delivery['id']}/replay")
    assert (asked["id"], asked["status"], asked["body"]) == (delivery["id"], "pending", delivery["body"])
    endpoint.wait(lambda endpoint: len(endpoint.hits) == 2)
    first, again = endpoint.hits
    assert again.body == first.body
    assert again.headers["webhook-id"] == first.headers["webhook-id"]
    secret = account.api.get("/customer")["webhook_secret"]
    for hit in (first, again):
        Webhook(secret).verify(hit.body, hit.headers)
    replayed = until(lambda: account.api.get(f"/webhook_deliveries/{delivery['id']}")["attempts"] == 2 and delivery)
    assert replayed
    tries = account.api.get(f"/webhook_deliveries/{delivery['id']}")["tries"]
    assert [(each["attempt"], each["response_status"]) for each in tries] == [(1, 200), (2, 200)]


def test_one_that_is_under_way_is_not_replayed(hub: Hub, webhooks: Sink) -> None:
    endpoint = webhooks.endpoint()
    endpoint.usual = STALL
    account = hub.customer(webhook_uri=endpoint.url, webhook_statuses=["delivered"])
    message = account.send(numbering.somebody())
    endpoint.wait(lambda endpoint: endpoint.hits)
    (delivery,) = deliveries(account.api, message_id=message["id"])
    assert (delivery["status"], delivery["attempts"], delivery["tm_next_attempt"]) == ("pending", 0, NEVER)
    answer = account.api.call("POST", f"/webhook_deliveries/{delivery['id']}/replay")
    refusal(answer, 409, "STATE_INVALID")


def test_what_a_410_has_dropped_is_replayed_after_a_put(account: Account, endpoint: Endpoint) -> None:
    endpoint.answers = [410]
    begun = datetime.now(UTC).strftime(WHEN)
    lost = tell(account)
    dropped = concluded(account, lost, "failed")
    assert (dropped["error"], dropped["response_status"], dropped["attempts"]) == ("gone", 410, 1)
    every = {"tm_create_from": begun}
    refusal(account.api.call("POST", "/webhook_deliveries/replay", every), 409, "STATE_INVALID", "webhook_uri")
    refusal(account.api.call("POST", f"/webhook_deliveries/{dropped['id']}/replay"), 409, "STATE_INVALID")
    account.api.put("/customer", {"webhook_uri": endpoint.url})
    assert account.api.post("/webhook_deliveries/replay", every) == {"replayed": 1, "next_page_token": ""}
    again = concluded(account, lost)
    assert [(each["attempt"], each["response_status"], each["error"]) for each in again["tries"]] == [
        (1, 410, "gone"),
        (2, 200, ""),
    ]
    assert endpoint.hits[0].body == endpoint.hits[-1].body


# --- how the endpoint fares -------------------------------------------------------------


def test_the_endpoint_is_seen_to_fail_and_to_recover(account: Account, endpoint: Endpoint) -> None:
    before = account.api.get("/customer")
    assert (before["webhook_status"], before["webhook_error"], before["tm_webhook_failing"]) == ("working", "", NEVER)
    endpoint.usual = 500
    for _ in range(6):
        account.send(numbering.somebody())
    failing = until(lambda: (now := account.api.get("/customer"))["webhook_status"] == "failing" and now) or before
    assert failing["webhook_error"] == "status: it answered 500"
    assert moment(failing["tm_webhook_failing"]) > moment(before["tm_create"])
    endpoint.usual = 200
    restarted = account.api.put("/customer", {"webhook_uri": endpoint.url})
    assert (restarted["webhook_status"], restarted["webhook_error"]) == ("working", "")
    assert account.api.put("/customer", {"webhook_uri": ""})["webhook_status"] == "off"


# --- a test of it -----------------------------------------------------------------------


def test_a_test_is_sent_at_once_and_kept(account: Account, endpoint: Endpoint) -> None:
    answer = account.api.post("/customer/webhook_test")
    (hit,) = endpoint.hits
    assert answer == {
        "delivered": True,
        "webhook_id": hit.headers["webhook-id"],
        "response_status": 200,
        "error": "",
        "milliseconds": answer["milliseconds"],
    }
    assert 0 <= answer["milliseconds"] < 5000
    event = Webhook(account.api.get("/customer")["webhook_secret"]).verify(hit.body, hit.headers)
    assert event.keys() == {"type", "data"}
    assert (event["type"], event["data"]["customer_id"]) == ("webhook_test", account.id)
    kept = account.api.get(f"/webhook_deliveries/{answer['webhook_id']}")
    assert (kept["type"], kept["message_id"], kept["status"]) == ("webhook_test", "", "delivered")
    assert kept["body"].encode() == hit.body
    assert [delivery["id"] for delivery in deliveries(account.api, type="webhook_test")] == [kept["id"]]


def test_a_test_that_fails_is_not_made_again(account: Account, endpoint: Endpoint) -> None:
    endpoint.usual = 500
    answer = account.api.post("/customer/webhook_test")
    assert (answer["delivered"], answer["response_status"], answer["error"]) == (False, 500, "status")
    kept = account.api.get(f"/webhook_deliveries/{answer['webhook_id']}")
    assert (kept["status"], kept["attempts"], kept["tm_next_attempt"]) == ("failed", 1, NEVER)
    assert [each["error"] for each in kept["tries"]] == ["status"]


def test_a_test_of_nothing_is_refused(hub: Hub) -> None:
    refusal(hub.customer().api.call("POST", "/customer/webhook_test"), 409, "STATE_INVALID", "webhook_uri")


def test_a_test_of_a_disabled_endpoint_is_made_and_leaves_it_disabled(account: Account, endpoint: Endpoint) -> None:
    endpoint.answers = [410]
    tell(account)
    until(lambda: account.api.get("/customer")["webhook_status"] == "disabled", "it is disabled")
    assert account.api.post("/customer/webhook_test")["delivered"]
    assert account.api.get("/customer")["webhook_status"] == "disabled"


def test_tests_come_one_at_a_time_and_one_in_a_second(hub: Hub, account: Account, endpoint: Endpoint) -> None:
    other = hub.customer(webhook_uri=endpoint.url)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: account.api.call("POST", "/customer/webhook_test"), range(8)))
    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) == len(endpoint.hits) == 1
    for answer in answers:
        if answer not in good:
            refusal(answer, 429, "RATE_LIMIT_EXCEEDED")
            assert answer.headers["retry-after"] == "1"
    assert other.api.post("/customer/webhook_test")["delivered"], "one customer's tests are nothing to another"
    until(lambda: account.api.call("POST", "/customer/webhook_test").status_code == 200, "the second is over")


# --- the secret -------------------------------------------------------------------------


def signers(hit: Hit, *secrets: str) -> list[bool]:
    """Which of the secrets the reference verifier takes for the signer."""
    return [_verifies(hit, secret) for secret in secrets]


def _verifies(hit: Hit, secret: str) -> bool:
    try:
        return bool(Webhook(secret).verify(hit.body, hit.headers) == json.loads(hit.body))
    except Exception:
        return False


def test_both_secrets_sign_for_a_day(account: Account, endpoint: Endpoint) -> None:
    old = account.api.get("/customer")
    assert old["tm_webhook_secret_old"] == NEVER
    new = account.api.post("/customer/webhook_secret")
    assert new["webhook_secret"] != old["webhook_secret"]
    left = moment(new["tm_webhook_secret_old"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    tell(account)
    endpoint.wait(lambda endpoint: endpoint.hits)
    (hit,) = endpoint.hits
    assert signers(hit, new["webhook_secret"], old["webhook_secret"], "whsec_AAAA") == [True, True, False]
    newest, other = hit.headers["webhook-signature"].split(" ")
    assert newest != other
    by_hand = hmac.new(new["webhook_secret"].encode(), hit.body, hashlib.sha256).hexdigest()
    assert hit.headers["x-voipbin-signature"] == f"sha256={by_hand}"
    assert account.api.get("/customer")["webhook_secret"] == new["webhook_secret"]


def test_a_second_rotation_retires_the_first_secret(account: Account, endpoint: Endpoint) -> None:
    first = account.api.get("/customer")["webhook_secret"]
    second = account.api.post("/customer/webhook_secret")["webhook_secret"]
    third = account.api.post("/customer/webhook_secret")["webhook_secret"]
    account.api.post("/customer/webhook_test")
    assert signers(endpoint.hits[-1], third, second, first) == [True, True, False]


def test_rotations_at_the_same_moment_leave_the_last_two(account: Account, endpoint: Endpoint) -> None:
    with ThreadPoolExecutor(6) as pool:
        shown = list(pool.map(lambda _: account.api.post("/customer/webhook_secret")["webhook_secret"], range(6)))
    assert len(set(shown)) == 6
    last = account.api.get("/customer")["webhook_secret"]
    account.api.post("/customer/webhook_test")
    signing = [secret for secret in shown if _verifies(endpoint.hits[-1], secret)]
    assert len(signing) == 2
    assert last in signing
