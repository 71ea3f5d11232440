"""Messages that the front drafts: whoever posts them sees no difference, whatever comes of them."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.support import hub as hubs
from tests.support import numbering
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.raw import Answer, line, request
from tests.support.waiting import until

LONG_WAY = "?drafted=no"
"""With a query no request is drafted."""

OWN_WORDS = [
    {"text": "Hello"},
    {"text": "Ж" * 100},
    {"text": "“Hello”", "smart_encoding": True},
    {"text": "“Hello”", "smart_encoding": False},
    {"text": "no place: {{name}}"},
    {"text": "code", "class": "otp", "priority": "high"},
    {"text": "flash", "class": 0},
    {"text": "flash", "message_class": 0},
    {"text": "Hello", "on_doubt": "hold"},
    {"text": "Hello", "destinations": 3},
    {"text": "Hello", "destinations": 120},
]


def drafted(hub: Hub) -> int:
    """How many drafts have been accepted."""
    lines = httpx.get(f"{hub.address}/metrics").text.splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith("messagehub_drafts_accepted_total "))
    return int(float(value))


def body(account: Account, **given: Any) -> Json:
    given.setdefault("destinations", [numbering.somebody()])
    if isinstance(given["destinations"], int):
        given["destinations"] = numbering.somebodies(given["destinations"])
    return {"source": account.number, "text": "Hello", **given}


def post(hub: Hub, account: Account, given: Json, query: str = "", *headers: str) -> Answer:
    """In one piece, as only such requests are drafted for sure."""
    with line(hub) as caller:
        return caller.ask(asked(account.api.key, given, query, *headers))


def asked(key: str, given: Json, query: str = "", *headers: str) -> bytes:
    octets = json.dumps(given).encode()
    lines = (f"Authorization: Bearer {key}", f"Content-Length: {len(octets)}", *headers)
    return request(f"POST /v1.0/messages{query}", *lines, body=octets)


def both_ways(hub: Hub, account: Account, given: Json) -> list[Answer]:
    return [post(hub, account, given, query) for query in ("", LONG_WAY)]


def told(answer: Answer) -> tuple[int, Json, dict[str, str]]:
    """What is the same for two requests that ask for the same."""
    said: Json = json.loads(answer.body)
    for name in ("id", "tm_create"):
        said.pop(name, None)
    if "error" in said:
        del said["error"]["request_id"]
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
    return answer.status, said, headers


@pytest.fixture
def account(hub: Hub) -> Account:
    """Of each test its own: what is returned to one is not drafted for it for a while."""
    return hub.customer()


@pytest.mark.parametrize("words", OWN_WORDS, ids=lambda words: ",".join(words))
def test_the_answer_is_the_same(hub: Hub, account: Account, words: Json) -> None:
    before = drafted(hub)
    short, long = both_ways(hub, account, body(account, **words))
    assert told(short) == told(long)
    assert drafted(hub) == before + 1


def test_most_messages_are_drafted_and_delivered_and_told_of(hub: Hub, account: Account) -> None:
    before = drafted(hub)
    messages = [json.loads(post(hub, account, body(account, text=f"no. {n}")).body) for n in range(5)]
    assert drafted(hub) >= before + 5
    assert {account.settled(message)["status"] for message in messages} == {"delivered"}
    shown = account.api.message(messages[0]["id"])
    assert {name: shown[name] for name in ("id", "text", "tm_create")} == {
        name: messages[0][name] for name in ("id", "text", "tm_create")
    }


def test_addresses_keep_what_they_say_besides(hub: Hub, account: Account) -> None:
    source = {"type": "tel", "target": account.number, "target_name": "Shop", "name": "s", "detail": "d"}
    to = {"type": "tel", "target": numbering.somebody(), "name": "Ann", "variables": {"a": 1}}
    short, long = both_ways(hub, account, body(account, source=source, destinations=[to]))
    assert told(short) == told(long)
    shown = account.api.message(json.loads(short.body)["id"])
    assert shown["source"] == source
    assert shown["targets"][0]["destination"]["name"] == "Ann"


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": "a" * 5000},
        {"destinations": []},
        {"destinations": ["12"]},
        {"destinations": ["+447700900001", "+447700900001"]},
        {"source": "+15550000000"},
        {"source": {"type": "pool", "target": "none"}},
        {"txt": "?"},
        {"text": "\x00"},
        {"class": 1, "message_class": 1},
        {"tlvs": {"unknown": 1}},
        {"schedule_at": "tomorrow"},
    ],
    ids=str,
)
def test_what_is_wrong_is_refused_in_the_same_words(hub: Hub, account: Account, wrong: Json) -> None:
    short, long = both_ways(hub, account, body(account, **wrong))
    assert told(short) == told(long)
    assert short.status == 400


def test_what_a_customer_says_of_itself_holds_at_once(hub: Hub, account: Account) -> None:
    curly = body(account, text="“Hello”")
    assert b"sent_text" not in post(hub, account, curly).body
    account.api.put("/customer", {"smart_encoding": True})
    assert json.loads(post(hub, account, curly).body)["sent_text"] == '"Hello"'


def test_a_key_that_is_revoked_sends_nothing_more(hub: Hub, account: Account) -> None:
    made = account.api.post("/accesskeys", {"name": "soon gone", "expire": 86400})
    with line(hub) as caller:
        assert caller.ask(asked(made["token"], body(account))).status == 200
        account.api.delete(f"/accesskeys/{made['id']}")
        caller.ask(asked(made["token"], body(account))).refusal(401, "INVALID_CREDENTIALS")


def test_a_number_of_somebody_else_is_no_source(hub: Hub, account: Account) -> None:
    assert post(hub, account, body(account)).status == 200
    post(hub, hub.customer(), body(account)).refusal(400, "INVALID_SOURCE")
    with line(hub) as caller:
        caller.ask(asked("nobody", body(account))).refusal(401, "INVALID_CREDENTIALS")


def test_who_has_opted_out_gets_none(hub: Hub, account: Account) -> None:
    gone = numbering.somebody()
    account.api.post("/opt_outs", {"address": gone})
    for answer in both_ways(hub, account, body(account, destinations=[gone, numbering.somebody()])):
        assert [target["error_code"] for target in json.loads(answer.body)["targets"]] == ["opted_out", ""]


def test_with_an_idempotency_key_it_is_done_once(hub: Hub, account: Account) -> None:
    before, given, header = drafted(hub), body(account), f"Idempotency-Key: {numbering.own()}"
    first, second = (post(hub, account, given, "", header) for _ in range(2))
    assert first.body == second.body
    assert second.headers["idempotent-replayed"] == "true"
    assert drafted(hub) == before


def test_a_request_id_that_is_given_comes_back(hub: Hub, account: Account) -> None:
    assert post(hub, account, body(account), "", "X-Request-Id: mine-1").headers["x-request-id"] == "mine-1"
    assert post(hub, account, body(account)).headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "text/plain"])
def test_its_content_type_is_heeded(hub: Hub, account: Account, kind: str) -> None:
    given = body(account)
    short, long = (post(hub, account, given, query, f"Content-Type: {kind}") for query in ("", LONG_WAY))
    assert told(short) == told(long)


def test_a_body_that_is_too_large_to_be_drafted_is_accepted(hub: Hub, account: Account) -> None:
    names = [{"target": to, "detail": "d" * 500} for to in numbering.somebodies(200)]
    short, long = both_ways(hub, account, body(account, destinations=names))
    assert told(short) == told(long)
    assert short.status == 200


def test_many_at_once_are_each_accepted_once(hub: Hub, account: Account) -> None:
    to = numbering.somebodies(200)
    with ThreadPoolExecutor(16) as pool:
        ids = [message["id"] for message in pool.map(account.send, to)]
    assert len(set(ids)) == len(to)
    listed = account.api.every("/messages")
    assert sorted(one["targets"][0]["destination"]["target"] for one in listed) == sorted(to)


def test_requests_that_are_written_down_are_not_drafted(tmp_path: Any) -> None:
    settings: dict[str, Any] = {"front": "process", "log_requests": "all"}
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, **settings) as opened:
        account = opened.customer()
        assert post(opened, account, body(account)).status == 200
        until(lambda: "path=/v1.0/messages" in opened.log, "the request is in the log")
        assert drafted(opened) == 0


def test_a_customer_that_asks_too_often_is_told_so(tmp_path: Any) -> None:
    settings: dict[str, Any] = {"front": "process", "rate_per_customer": 0.001, "burst_per_customer": 9}
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, **settings) as opened:
        account = opened.customer()
        answers = [post(opened, account, body(account)) for _ in range(10)]
        assert [answer.status for answer in answers] == [200] * 9 + [429]
        answers[-1].refusal(429, "RATE_LIMIT_EXCEEDED")


def test_more_segments_than_are_allowed_are_no_draft(tmp_path: Any) -> None:
    settings: dict[str, Any] = {"front": "process", "max_segments": 1}
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, **settings) as opened:
        account = opened.customer()
        post(opened, account, body(account, text="a" * 161)).refusal(400, "TOO_MANY_SEGMENTS")
        assert post(opened, account, body(account, text="a" * 160)).status == 200
        assert drafted(opened) == 1
