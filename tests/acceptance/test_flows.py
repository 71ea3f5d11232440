"""Flows answer people, on both stores, over real sockets: what a handset gets when it writes."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support import hub as hubs
from tests.support import numbering, postgres, simulator
from tests.support.api import Json, refusal
from tests.support.hub import LEASE_S, Account, Hub
from tests.support.simulator import Simulator
from tests.support.sink import Sink
from tests.support.waiting import until

CONFIRMED = "Your appointment is confirmed for tomorrow at 2pm."


class Shop:
    """A customer whose number is answered by flows, and the people who write to it."""

    def __init__(self, account: Account, box: Simulator) -> None:
        self.account, self.api, self.number, self.box = account, account.api, account.number, box
        [self.number_id] = [number["id"] for number in self.api.get("/numbers")["result"]]

    def flow(self, *actions: Json, **more: Any) -> str:
        made: str = self.api.post("/flows", {"name": "flow", "actions": list(actions), **more})["id"]
        return made

    def answers(self, *actions: Json, **more: Any) -> str:
        """The number is answered by these actions from now on."""
        flow_id = self.flow(*actions, **more)
        self.api.put(f"/numbers/{self.number_id}", {"message_flow_id": flow_id})
        return flow_id

    def says(self, person: str, text: str) -> None:
        assert set(self.box.write(person, self.number, text)) == {"ESME_ROK"}

    def got(self, person: str) -> list[str]:
        """What was sent to a person."""
        return [submit["text"] for submit in self.box.submits(person)]

    def hears(self, person: str, *texts: str) -> None:
        """What a person has got by and by is this, and no more."""
        until(lambda: len(self.got(person)) >= len(texts), f"{len(texts)} messages")
        assert self.got(person) == list(texts)

    def activeflows(self, **query: Any) -> list[Json]:
        found: list[Json] = self.api.every("/activeflows", **query)
        return found

    def when(self, activeflow_id: str, is_so: Callable[[Json], object]) -> Json:
        def ask() -> Json | None:
            now = self.api.get(f"/activeflows/{activeflow_id}")
            return now if is_so(now) else None

        return until(ask, "the activeflow") or {}

    def ended(self, activeflow_id: str) -> Json:
        return self.when(activeflow_id, lambda now: now["status"] == "ended")


@pytest.fixture
def shop(hub: Hub, carrier_box: Simulator) -> Shop:
    return Shop(hub.customer(), carrier_box)


def send(text: str, **option: Any) -> Json:
    return {"type": "message_send", "option": {"text": text, **option}}


def test_a_flow_answers_a_message(shop: Shop) -> None:
    flow_id, person = shop.answers(send("Thanks for '${voipbin.message.text}'.")), numbering.somebody()
    shop.says(person, "two tickets")
    shop.hears(person, "Thanks for 'two tickets'.")
    [active] = shop.activeflows()
    active = shop.ended(active["id"])
    assert (active["flow_id"], active["reference_type"], active["end_reason"]) == (flow_id, "message", "completed")
    [done] = active["executed_actions"]
    [inbound] = shop.api.get("/messages", direction="inbound")["result"]
    [outbound] = shop.api.get("/messages", direction="outbound")["result"]
    assert (done["option"]["text"], done["result"]) == ("Thanks for 'two tickets'.", f"message {outbound['id']}")
    assert active["reference_id"] == inbound["id"]
    assert (active["number"], active["person"]) == (shop.number, person)


# --- the sample of the reference --------------------------------------------------------

SAMPLE: Json = {
    "type": "message_send",
    "option": {"source": "+15551234567", "text": CONFIRMED},
}


def sample(shop: Shop, **option: Any) -> Json:
    """As it is printed, but for the number, which is another customer's here."""
    return {**SAMPLE, "option": {**SAMPLE["option"], "source": shop.number, **option}}


def test_the_sample_answers_who_writes(shop: Shop) -> None:
    shop.answers(sample(shop))
    person = numbering.somebody()
    shop.says(person, "when?")
    shop.hears(person, CONFIRMED)


def test_the_sample_is_started_with_somebody_to_send_to(shop: Shop) -> None:
    person = numbering.somebody()
    started = shop.api.post(
        "/activeflows", {"actions": [sample(shop, destinations=["${to}"])], "variables": {"to": person}}
    )
    assert (started["status"], started["reference_type"]) == ("running", "api")
    shop.hears(person, CONFIRMED)
    assert shop.ended(started["id"])["end_reason"] == "completed"


def test_the_sample_without_anybody_to_send_to_ends_with_a_reason(shop: Shop) -> None:
    ended = shop.ended(shop.api.post("/activeflows", {"actions": [sample(shop)]})["id"])
    assert ended["end_reason"] == "action_failed"
    assert "option.destinations: nobody has written yet" in ended["end_detail"]


# --- a conversation ---------------------------------------------------------------------


def test_a_poll_with_branches_and_a_webhook(shop: Shop, webhooks: Sink) -> None:
    here, person = webhooks.endpoint(), numbering.somebody()
    shop.answers(
        send("Coming? YES or NO"),
        {"id": "ask", "type": "wait_reply", "option": {"timeout": 60_000, "variable": "said"}},
        {
            "type": "branch",
            "option": {"variable": "voipbin.message.word", "target_ids": {"yes": "yes", "no": "no"}},
        },
        {**send("Please write YES or NO"), "next_id": "ask"},
        {**send("See you!"), "id": "yes", "next_id": "tell"},
        {**send("What a pity."), "id": "no"},
        {
            "id": "tell",
            "type": "webhook_send",
            "option": {
                "uri": here.url,
                "sync": True,
                "data": '{"said": "${said}", "who": "${voipbin.message.source.target}"}',
            },
        },
    )
    shop.says(person, "hello")
    shop.hears(person, "Coming? YES or NO")
    waiting = shop.activeflows(status="running")[0]
    shop.when(waiting["id"], lambda now: now["current_action"]["id"] == "ask")
    shop.says(person, "maybe")
    shop.hears(person, "Coming? YES or NO", "Please write YES or NO")
    shop.when(waiting["id"], lambda now: now["current_action"]["id"] == "ask" and now["executed_count"] == 5)
    shop.says(person, "Yes!")
    shop.hears(person, "Coming? YES or NO", "Please write YES or NO", "See you!")
    here.wait(lambda endpoint: endpoint.hits)
    assert json.loads(here.hits[0].body) == {"said": "Yes!", "who": person}
    assert shop.ended(waiting["id"])["end_reason"] == "completed"
    assert len(shop.activeflows(flow_id=waiting["flow_id"])) == 1


def test_your_server_says_what_to_do(shop: Shop) -> None:
    person = numbering.somebody()
    with server([{"type": "message_send", "option": {"text": "Said ${voipbin.message.text}"}}]) as (url, asked):
        shop.answers({"type": "fetch", "option": {"event_url": url}}, send("And this"))
        shop.says(person, "hi")
        shop.hears(person, "Said hi", "And this")
    [active] = shop.activeflows()
    assert asked == [{"activeflow_id": active["id"], "reference_id": active["reference_id"]}]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([{"type": "talk"}], "INVALID_ACTION_TYPE: actions[0].type: 'talk' is of calls"),
        ({"type": "stop"}, "its answer is no list of actions"),
        ("x" * 100_000, "its answer is no JSON, or longer than 64 KiB"),
        ([], "actions: 0 are given"),
        ([{"type": "block", "option": {"a": "\0"}}], "[0].option.a: it holds a NUL character"),
    ],
)
def test_a_server_that_says_nonsense_ends_it(shop: Shop, answer: Any, words: str) -> None:
    with server(answer) as (url, _):
        ended = shop.ended(
            shop.api.post("/activeflows", {"actions": [{"type": "fetch", "option": {"event_url": url}}]})["id"]
        )
    assert ended["end_reason"] == "action_failed"
    assert words in ended["end_detail"]


def test_others_see_nothing_of_it(hub: Hub, shop: Shop) -> None:
    other, flow_id = hub.customer().api, shop.flow({"type": "stop"})
    active = shop.api.post("/activeflows", {"flow_id": flow_id})
    for path in (f"/flows/{flow_id}", f"/activeflows/{active['id']}"):
        for method in ("GET", "DELETE"):
            refusal(other.call(method, path), 404, "RESOURCE_NOT_FOUND")
    refusal(other.call("PUT", f"/flows/{flow_id}", {"name": "mine"}), 404, "RESOURCE_NOT_FOUND")
    refusal(other.call("POST", f"/activeflows/{active['id']}/stop"), 404, "RESOURCE_NOT_FOUND")
    refusal(other.call("POST", "/activeflows", {"flow_id": flow_id}), 404, "RESOURCE_NOT_FOUND", "flow_id: ")
    inner = {"actions": [{"type": "fetch_flow", "option": {"flow_id": flow_id}}]}
    refusal(other.call("POST", "/flows", inner), 404, "RESOURCE_NOT_FOUND", "actions[0].option.flow_id: ")
    [number] = other.get("/numbers")["result"]
    for given in ({"message_flow_id": flow_id}, {"keywords": [{"word": "x", "flow_id": flow_id}]}):
        refusal(other.call("PUT", f"/numbers/{number['id']}", given), 404, "RESOURCE_NOT_FOUND", "flow_id: ")
    assert other.get("/flows")["result"] == other.get("/activeflows", flow_id=flow_id)["result"] == []


# --- a server that dies -----------------------------------------------------------------


def test_a_kill_in_the_midst_repeats_nothing_and_loses_nothing(
    request: pytest.FixtureRequest, shared_folder: Path, tmp_path: Path
) -> None:
    """Each person gets each message of its flow exactly once, though the server dies twice while all are answered."""
    if shared_folder.name.startswith("sqlite"):
        url = f"sqlite:///{tmp_path}/hub.db"
    else:
        url = postgres.new_database(request.getfixturevalue("postgres_server"))
    with (
        simulator.simulator(tmp_path, "box") as box,
        hubs.hub(url, tmp_path, flow_answers=0, node_lease=LEASE_S) as hub,
    ):
        hub.lead_to(box, response_timeout=30, dlr_timeout=120)
        shop = Shop(hub.customer(on_doubt="hold"), box)
        pause = {"type": "sleep", "option": {"duration": 20}}
        shop.answers(send("one"), pause, send("two"), send("three"), pause, send("four"))
        people = numbering.somebodies(60)
        with ThreadPoolExecutor(1) as beside:
            killing = beside.submit(_kill_twice, hub, box)
            for person in people:
                until(lambda person=person: wrote(shop, person), "the message is taken", every=0.1)  # type: ignore[misc]
            killing.result()
        ended = until(lambda: all_ended(shop), "all flows have ended")
        assert {one["end_reason"] for one in ended} == {"completed"}
        began = Counter(one["person"] for one in ended)
        entered = Counter(
            (message["targets"][0]["destination"]["target"], message["text"])
            for message in shop.api.every("/messages", direction="outbound")
        )
        assert entered == Counter({(person, text): began[person] for person in people for text in TEXTS})
        inbound = Counter(message["source"]["target"] for message in shop.api.every("/messages", direction="inbound"))
        assert began == inbound
        sent = Counter((f"+{submit['destination']}", submit["text"]) for submit in box.submits())
        assert not sent - entered


TEXTS = ("one", "two", "three", "four")


def wrote(shop: Shop, person: str) -> bool:
    """The carrier says it again, as carriers do, until somebody has taken it."""
    try:
        return set(shop.box.write(person, shop.number, "hi")) == {"ESME_ROK"}
    except AssertionError:
        return False


def all_ended(shop: Shop) -> list[Json]:
    found = shop.activeflows()
    return found if all(one["status"] == "ended" for one in found) else []


def _kill_twice(hub: Hub, box: Simulator) -> None:
    for many in (20, 80):
        until(lambda many=many: len(box.submits()) >= many, f"{many} messages are sent", every=0.01)  # type: ignore[misc]
        hub.kill()
        hub.start()


@contextmanager
def server(answer: object) -> Iterator[tuple[str, list[Any]]]:
    """A customer's server, which says the same each time, and what it was asked."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as opened:
        threading.Thread(target=opened.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{opened.server_port}/", asked
        opened.shutdown()
