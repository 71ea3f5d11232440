"""Flows and activeflows over HTTP: what they look like, and how what is wrong is refused."""

import pytest

from messagehub.errors import LONGEST_MESSAGE
from tests.support.api import Json, refusal
from tests.support.hub import Account, Hub
from tests.support.waiting import until

NOTHING, NOT_YET = "00000000-0000-0000-0000-000000000000", "9999-01-01 00:00:00.000000"
SAY = {"type": "message_send", "option": {"text": "Hello"}}


@pytest.fixture(scope="module")
def owner(hub: Hub) -> Account:
    return hub.customer()


def test_a_flow_through_its_life(owner: Account) -> None:
    api = owner.api
    given = {
        "name": "Greeting",
        "detail": "x",
        "actions": [{**SAY, "id": "a", "next_id": "b"}, {"type": "stop", "id": "b"}],
    }
    flow = api.post("/flows", given)
    assert flow == {
        "id": flow["id"],
        "customer_id": owner.id,
        "type": "flow",
        "name": "Greeting",
        "detail": "x",
        "actions": [
            {"id": "a", "next_id": "b", "type": "message_send", "option": {"text": "Hello"}, "tm_execute": NOT_YET},
            {"id": "b", "next_id": NOTHING, "type": "stop", "option": {}, "tm_execute": NOT_YET},
        ],
        "on_complete_flow_id": NOTHING,
        "tm_create": flow["tm_create"],
        "tm_update": NOT_YET,
        "tm_delete": NOT_YET,
    }
    assert api.get(f"/flows/{flow['id']}") == flow
    renamed = api.put(f"/flows/{flow['id']}", {"name": "Hi"})
    assert (renamed["name"], renamed["actions"]) == ("Hi", flow["actions"])
    read_back = {name: renamed[name] for name in ("name", "detail", "actions", "on_complete_flow_id")}
    assert api.put(f"/flows/{flow['id']}", read_back)["actions"] == flow["actions"]
    assert api.delete(f"/flows/{flow['id']}")["tm_delete"] < NOT_YET
    refusal(api.call("GET", f"/flows/{flow['id']}"), 404, "RESOURCE_NOT_FOUND")
    refusal(api.call("PUT", f"/flows/{flow['id']}", {"name": "x"}), 404, "RESOURCE_NOT_FOUND")
    assert flow["id"] not in [row["id"] for row in api.every("/flows")]


@pytest.mark.parametrize(
    ("actions", "reason", "words"),
    [
        ([], "INVALID_ARGUMENT", "actions: 0 are given"),
        ([{"type": "talk", "id": "x"}], "INVALID_ACTION_TYPE", "actions[0] (x).type: 'talk' is of calls"),
        ([SAY, {"type": "sleep"}], "INVALID_ARGUMENT", "actions[1].option.duration: it is required"),
        ([{"type": "stop", "id": "a b"}], "INVALID_ARGUMENT", "actions[0].id: "),
        ([{"type": "stop", "colour": 1}], "INVALID_ARGUMENT", "actions[0].colour: there is no such member"),
        (
            [{"type": "message_send", "option": {"text": "x", "medias": [{"url": "x"}]}}],
            "INVALID_ARGUMENT",
            "actions[0].option.medias[0].url: ",
        ),
    ],
)
def test_what_is_wrong_with_actions_is_named(owner: Account, actions: list[Json], reason: str, words: str) -> None:
    flow = owner.api.post("/flows", {"actions": [SAY]})
    for method, path in (("POST", "/flows"), ("PUT", f"/flows/{flow['id']}"), ("POST", "/activeflows")):
        if actions or path != "/activeflows":
            refusal(owner.api.call(method, path, {"actions": actions}), 400, reason, words)


def test_a_wrong_value_without_end_is_told_by_its_beginning(owner: Account) -> None:
    answer = owner.api.call("POST", "/flows", {"actions": [{"type": "x" * 100_000}]})
    error = refusal(answer, 400, "INVALID_ACTION_TYPE", "actions[0].type: 'xxx")
    assert len(error["message"]) == LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "flow_id: give either"),
        ({"flow_id": NOTHING}, "flow_id: give either"),
        ({"flow_id": "x"}, "flow_id: 'x' is no UUID"),
        ({"actions": [SAY], "variables": {"voipbin.x": "1"}}, "variables: 'voipbin.x' begins with"),
        ({"actions": [SAY], "variables": {"x": 1}}, "variables[]: expected a string"),
        ({"actions": [SAY], "variables": {f"{n}": "" for n in range(101)}}, "variables: 101 variables"),
        ({"actions": [SAY], "on_complete_flow_id": "x"}, "on_complete_flow_id: 'x' is no UUID"),
    ],
)
def test_what_is_wrong_with_a_start_is_named(owner: Account, given: Json, words: str) -> None:
    refusal(owner.api.call("POST", "/activeflows", given), 400, "INVALID_ARGUMENT", words)


def test_where_the_end_is_told_must_be_outside(owner: Account) -> None:
    given = {"actions": [SAY], "webhook_uri": "http://127.0.0.1/"}
    refusal(owner.api.call("POST", "/activeflows", given), 400, "INVALID_WEBHOOK_URI", "webhook_uri: private")


def test_requests_of_flows_go_to_public_addresses_only(owner: Account) -> None:
    ask = {"type": "webhook_send", "option": {"uri": "http://127.0.0.1:1/", "sync": True}}
    started = owner.api.post("/activeflows", {"actions": [ask]})
    seen = until(lambda: _when(owner, started, "webhook_send"), "it is tried")
    assert seen["status"] == "running"  # it is asked again, as a name may lead elsewhere in a moment
    owner.api.post(f"/activeflows/{started['id']}/stop")


def _when(owner: Account, started: Json, kind: str) -> Json:
    seen = owner.api.get(f"/activeflows/{started['id']}")
    return seen if seen["current_action"]["type"] == kind else {}


def test_a_flow_that_runs(owner: Account) -> None:
    api = owner.api
    flow = api.post("/flows", {"actions": [{"type": "block", "id": "wait"}, {"type": "stop", "id": "end"}]})
    started = api.post("/activeflows", {"flow_id": flow["id"], "variables": {"name": "Anne"}})
    assert (started["status"], started["flow_id"], started["executed_actions"]) == ("running", flow["id"], [])
    at = until(lambda: _when(owner, started, "block"), "it blocks")
    assert (at["current_action"]["id"], at["forward_action_id"]) == ("wait", "end")
    assert at["variables"]["name"] == "Anne"
    assert [row["id"] for row in api.get("/activeflows", status="running", flow_id=flow["id"])["result"]] == [
        started["id"]
    ]
    assert api.get("/activeflows", status="ended", flow_id=flow["id"])["result"] == []
    api.put(f"/flows/{flow['id']}", {"actions": [SAY]})  # what runs goes on as it was
    api.post(f"/activeflows/{started['id']}/continue")
    ended = until(lambda: _ended(owner, started), "it ends")
    assert (ended["end_reason"], ended["executed_count"]) == ("completed", 2)
    assert [(one["id"], one["result"]) for one in ended["executed_actions"]] == [("wait", "continued"), ("end", "")]
    refusal(api.call("POST", f"/activeflows/{started['id']}/continue"), 409, "STATE_INVALID")
    assert api.post(f"/activeflows/{started['id']}/stop")["end_reason"] == "completed"
    assert api.delete(f"/activeflows/{started['id']}")["tm_delete"] < NOT_YET
    refusal(api.call("GET", f"/activeflows/{started['id']}"), 404, "RESOURCE_NOT_FOUND")


def _ended(owner: Account, started: Json) -> Json:
    seen = owner.api.get(f"/activeflows/{started['id']}")
    return seen if seen["status"] == "ended" else {}


def test_a_deleted_one_is_stopped(owner: Account) -> None:
    started = owner.api.post("/activeflows", {"actions": [{"type": "sleep", "option": {"duration": 60_000}}]})
    deleted = owner.api.delete(f"/activeflows/{started['id']}")
    assert (deleted["status"], deleted["end_reason"]) == ("ended", "stopped")


def test_lists_page_by_page(hub: Hub) -> None:
    api = hub.customer().api
    made = [api.post("/flows", {"actions": [SAY], "name": f"{n}"})["id"] for n in range(5)]
    started = [api.post("/activeflows", {"flow_id": made[n % 2]})["id"] for n in range(5)]
    for path, ids in (("/flows", made), ("/activeflows", started)):
        pages = api.pages(path, page_size=2)
        assert [row["id"] for page in pages for row in page] == ids[::-1]
        assert len(pages) in (3, 4)
    of_one = [row["id"] for page in api.pages("/activeflows", page_size=2, flow_id=made[0]) for row in page]
    assert of_one == started[::-2]
    for query in ({"status": "x"}, {"flow_id": "x"}):
        refusal(api.call("GET", "/activeflows", **query), 400, "INVALID_REQUEST_PARAMETER", next(iter(query)))
