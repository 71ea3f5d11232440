"""A key of the caller's: whatever happens in between, what is asked with it is done once and answered the same."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from uuid import uuid4

import httpx
import pytest

from tests.conftest import STORES
from tests.support import hub as hubs
from tests.support import numbering, postgres, simulator
from tests.support.api import Api, Json, refusal
from tests.support.cluster import cluster
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.waiting import until

COUNT = 150
REPLAYED = "idempotent-replayed"


@pytest.fixture
def account(serving: Hub) -> Account:
    return serving.customer()


def body(account: Account, to: str, text: str = "Hello") -> Json:
    return {"source": account.number, "destinations": [to], "text": text}


def post(api: Api, given: Json, key: str, path: str = "/messages") -> httpx.Response:
    return api.http.post(path, json=given, headers={"Idempotency-Key": key})


def messages(account: Account, to: str = "") -> list[Json]:
    return account.api.every("/messages", direction="outbound", **({"destination": to} if to else {}))


def recipient(message: Json) -> str:
    return str(message["targets"][0]["destination"]["target"])


def test_the_same_again_has_the_same_answer_and_sends_nothing(account: Account) -> None:
    to, key = numbering.somebody(), str(uuid4())
    first = post(account.api, body(account, to), key)
    assert (first.status_code, REPLAYED in first.headers) == (200, False)
    account.settled(first.json())
    again = post(account.api, body(account, to), key)
    assert (again.status_code, again.content, again.headers[REPLAYED]) == (200, first.content, "true")
    assert [message["id"] for message in messages(account, to)] == [first.json()["id"]]


def test_it_is_answered_as_without_a_key(account: Account) -> None:
    to = numbering.somebody()
    with_key, without = post(account.api, body(account, to), "k").json(), account.send(to)
    assert with_key.keys() == without.keys()
    assert with_key["targets"] == without["targets"]


def test_another_request_with_the_same_key_is_refused(account: Account) -> None:
    to = numbering.somebody()
    post(account.api, body(account, to), "order-7")
    again = post(account.api, body(account, to, "Other"), "order-7")
    refusal(again, 422, "IDEMPOTENCY_KEY_REUSED", "Idempotency-Key: ")
    assert len(messages(account, to)) == 1
    assert post(account.api, body(account, to), "order-8").json()["id"] != messages(account, to)[-1]["id"]


def test_each_customer_has_keys_of_its_own(serving: Hub, account: Account) -> None:
    to, other = numbering.somebody(), serving.customer()
    assert post(account.api, body(account, to), "1").status_code == 200
    assert REPLAYED not in post(other.api, body(other, to), "1").headers


def test_what_was_refused_can_be_asked_again(account: Account) -> None:
    to = numbering.somebody()
    refusal(post(account.api, body(account, "5559876543"), "1"), 400, "INVALID_DESTINATION")
    refusal(post(account.api, body(account, to, ""), "1"), 400, "INVALID_TEXT")
    answer = post(account.api, body(account, to), "1")
    assert (answer.status_code, REPLAYED in answer.headers) == (200, False)


@pytest.mark.parametrize("key", ["", "a b", "é", "k" * 256, "a\tb"])
def test_what_is_no_key_is_refused(account: Account, key: str) -> None:
    given = body(account, numbering.somebody())
    answer = account.api.http.post("/messages", json=given, headers={b"Idempotency-Key": key.encode("latin-1")})
    refusal(answer, 400, "INVALID_IDEMPOTENCY_KEY", "Idempotency-Key: ")
    assert messages(account) == []


def test_a_key_of_all_that_can_stand_in_one(account: Account) -> None:
    key, to = "".join(map(chr, range(0x21, 0x7F))), numbering.somebody()
    longest = (key * 3)[:255]
    for each in (key, longest):
        first, second = (post(account.api, body(account, to), each) for _ in range(2))
        assert (second.content, second.headers[REPLAYED]) == (first.content, "true")


def test_who_asks_at_the_same_time_gets_the_same_answer(account: Account) -> None:
    to = numbering.somebody()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(account.api, body(account, to), "at-once"), range(64)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum(REPLAYED in answer.headers for answer in answers) == 63
    assert len(messages(account, to)) == 1


def test_what_is_said_in_a_conversation_is_said_once(account: Account) -> None:
    thread = account.api.post("/conversations", {"self": account.number, "peer": numbering.somebody()})
    path = f"/conversations/{thread['id']}/messages"
    first, again = (post(account.api, {"text": "Hello"}, "hi", path) for _ in range(2))
    assert (again.content, again.headers[REPLAYED], REPLAYED in first.headers) == (first.content, "true", False)
    assert len(account.api.every(path)) == 1
    elsewhere = account.api.post("/conversations", {"self": account.number, "peer": numbering.somebody()})
    other = post(account.api, {"text": "Hello"}, "hi", f"/conversations/{elsewhere['id']}/messages")
    refusal(other, 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_flow_is_started_once(account: Account) -> None:
    to, key = numbering.somebody(), str(uuid4())
    send = {"type": "message_send", "option": {"source": account.number, "destinations": [to], "text": "Hello"}}
    given = {"actions": [send]}
    with ThreadPoolExecutor(4) as several:
        answers = list(several.map(lambda _: post(account.api, given, key, "/activeflows"), range(4)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert sum(REPLAYED in answer.headers for answer in answers) == 3
    [active] = account.api.every("/activeflows")
    assert active["id"] == answers[0].json()["id"]
    until(lambda: account.api.get(f"/activeflows/{active['id']}")["status"] == "ended", "it has ended")
    assert len(messages(account, to)) == 1
    refusal(post(account.api, {"actions": [send, send]}, key, "/activeflows"), 422, "IDEMPOTENCY_KEY_REUSED")
    refusal(post(account.api, body(account, to), key), 422, "IDEMPOTENCY_KEY_REUSED")


def test_two_nodes_do_it_once(postgres_server: str, tmp_path: Path) -> None:
    with cluster(postgres.new_database(postgres_server), tmp_path) as nodes:
        account, people = nodes.first.customer(), numbering.somebodies(40)
        apis = [account.api, nodes.api(account, nodes.add())]
        asked = [(api, to) for to in people for api in apis * 2]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda one: post(one[0], body(account, one[1]), one[1]), asked))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == len(people)
        assert Counter(message["targets"][0]["destination"]["target"] for message in messages(account)) == Counter(
            people
        )


# --- when the process is killed ---------------------------------------------------------


@pytest.fixture(params=STORES)
def killed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    url = f"sqlite:///{tmp_path}/hub.db"
    if request.param == "postgres":
        url = postgres.new_database(request.getfixturevalue("postgres_server"))
    with simulator.simulator(tmp_path) as box, hubs.hub(url, tmp_path, node_lease=LEASE_S) as opened:
        opened.lead_to(box)
        yield opened


def test_each_key_has_one_message_whenever_the_process_is_killed(killed: Hub) -> None:
    """Callers who post again, with the same key, until they have an answer, while the server is killed three times."""
    account, people, is_over = killed.customer(), numbering.somebodies(COUNT), Event()

    def ask(to: str) -> bytes:
        while True:
            try:
                answer = post(account.api, body(account, to), f"key-of-{to}")
            except httpx.TransportError:
                is_over.wait(0.02)
                continue
            if answer.status_code == 200:
                return answer.content
            assert answer.status_code == 503, answer.text

    with ThreadPoolExecutor(8) as pool:
        asked = {to: pool.submit(ask, to) for to in people}
        for n in range(1, 4):
            until(lambda n=n: sum(one.done() for one in asked.values()) > COUNT * n // 5, "some are answered")  # type: ignore[misc]
            killed.kill()
            killed.start()
        answers = {to: one.result() for to, one in asked.items()}
    kept = {recipient(message): message["id"] for message in messages(account)}
    assert len(messages(account)) == COUNT
    assert kept == {to: httpx.Response(200, content=answer).json()["id"] for to, answer in answers.items()}
    for to in people:
        again = post(account.api, body(account, to), f"key-of-{to}")
        assert (again.content, again.headers[REPLAYED]) == (answers[to], "true")
