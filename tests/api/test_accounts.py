"""Customers and their numbers."""

import pytest

from tests.support import numbering
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub

NOT_YET = "9999-01-01 00:00:00.000000"
SETTINGS: Json = {
    "name": "Acme", "detail": "a company", "email": "a@example.com", "phone_number": "+15550001111",
    "address": "Main Street 1", "webhook_uri": "https://example.com/hook", "webhook_method": "PUT",
    "webhook_events": ["message_received"], "webhook_statuses": ["delivered", "failed"], "on_doubt": "hold",
}  # fmt: skip


def made(admin: Api, **changes: str) -> Json:
    name = numbering.own()
    return admin.post("/customers", {"name": name, "username": name, "password": "long enough", **changes})


def test_a_new_customer(admin: Api) -> None:
    customer = made(admin, name="New", detail="x", email="n@example.com")
    assert (customer["name"], customer["detail"], customer["email"]) == ("New", "x", "n@example.com")
    assert customer["webhook_events"] == ["message_received", "message_updated"]
    assert (customer["webhook_uri"], customer["webhook_method"], customer["on_doubt"]) == ("", "POST", "resend")
    assert customer["tm_update"] == customer["tm_delete"] == NOT_YET
    del customer["accesskey"]
    assert admin.get(f"/customers/{customer['id']}") == customer


def test_a_username_is_taken_once(admin: Api) -> None:
    username = numbering.own()
    made(admin, username=username)
    body = {"name": "x", "username": username, "password": "long enough"}
    refusal(admin.call("POST", "/customers", body), 409, "ALREADY_EXISTS", "username: ")


def test_put_changes_what_is_sent(hub: Hub) -> None:
    api = hub.customer().api
    before = api.get("/customer")
    changed = api.put("/customer", SETTINGS)
    assert SETTINGS.items() <= changed.items()
    assert changed["tm_update"] != NOT_YET
    assert api.get("/customer") == changed
    for kept in ("id", "webhook_secret", "tm_create"):
        assert changed[kept] == before[kept]


@pytest.mark.parametrize("name", SETTINGS)
def test_put_keeps_what_is_left_out(hub: Hub, name: str) -> None:
    api = hub.customer().api
    api.put("/customer", SETTINGS)
    value = {"webhook_method": "POST", "webhook_events": [], "webhook_statuses": [], "on_doubt": "resend"}
    value |= {"email": "b@example.org"}
    given = value.get(name, "https://example.org/")
    assert api.put("/customer", {name: given})[name] == given
    others = {key: kept for key, kept in SETTINGS.items() if key != name}
    assert others.items() <= api.get("/customer").items()


def test_put_of_nothing_changes_nothing(hub: Hub) -> None:
    api = hub.customer().api
    before = api.get("/customer")
    after = api.put("/customer", {})
    assert {**after, "tm_update": ""} == {**before, "tm_update": ""}


def test_on_doubt_is_the_customers_own(hub: Hub) -> None:
    one, other = hub.customer(on_doubt="hold"), hub.customer()
    assert one.api.get("/customer")["on_doubt"] == "hold"
    assert other.api.get("/customer")["on_doubt"] == "resend"


# --- numbers ----------------------------------------------------------------------------

NUMBER = {
    "id", "customer_id", "number", "type", "call_flow_id", "message_flow_id", "registered_in", "name", "detail",
    "status", "t38_enabled", "emergency_enabled", "tm_purchase", "tm_renew", "tm_create", "tm_update", "tm_delete",
    "keywords", "sender_group", "ignored_keywords", "opt_out_replies",
}  # fmt: skip


def test_the_life_of_a_number(hub: Hub, admin: Api) -> None:
    owner, number = hub.customer(), numbering.own()
    given = admin.post("/numbers", {"number": number, "customer_id": owner.id, "name": "second", "detail": "x"})
    assert given.keys() == NUMBER
    assert (given["number"], given["customer_id"], given["name"]) == (number, owner.id, "second")
    assert (given["type"], given["status"]) == ("normal", "active")
    assert owner.api.get(f"/numbers/{given['id']}") == given
    renamed = owner.api.put(f"/numbers/{given['id']}", {"name": "renamed"})
    assert (renamed["name"], renamed["detail"]) == ("renamed", "x")
    assert owner.api.get("/numbers")["result"][0] == renamed
    assert owner.api.send(number, numbering.somebody())["source"]["target"] == number
    assert admin.delete(f"/numbers/{given['id']}")["tm_delete"].startswith("20")
    body = {"source": number, "destinations": ["+15559876543"], "text": "Hello"}
    refusal(owner.api.call("POST", "/messages", body), 400, "INVALID_SOURCE", "source: ")
    refusal(owner.api.call("GET", f"/numbers/{given['id']}"), 404, "RESOURCE_NOT_FOUND")


def test_a_number_has_one_owner(hub: Hub, admin: Api, account: Account) -> None:
    other = hub.customer()
    body = {"number": account.number, "customer_id": other.id}
    refusal(admin.call("POST", "/numbers", body), 409, "ALREADY_EXISTS", "number: ")
    [number] = other.api.get("/numbers")["result"]
    admin.delete(f"/numbers/{number['id']}")
    again = admin.post("/numbers", {"number": other.number, "customer_id": account.id})
    assert again["customer_id"] == account.id


@pytest.mark.parametrize("number", ["12345", "888", "Acme", "Acme Inc.", "ÄÖÜ-1", "A1234567890"])
def test_senders_that_are_no_e164(hub: Hub, admin: Api, number: str) -> None:
    owner = hub.customer()
    unique = numbering.own()[-4:] if number.isdecimal() else number
    admin.post("/numbers", {"number": unique, "customer_id": owner.id})
    message = owner.settled(owner.api.send(unique, numbering.somebody()))
    assert (message["source"]["target"], message["status"]) == (unique, "delivered")


@pytest.mark.parametrize("number", ["", "12", "123456789", "A12345678901", "Жук", "+0123456", "a\tb", " Acme", "Acme "])
def test_senders_that_nobody_can_own(account: Account, admin: Api, number: str) -> None:
    answer = admin.call("POST", "/numbers", {"number": number, "customer_id": account.id})
    refusal(answer, 400, "INVALID_NUMBER", "number: ")


def test_a_number_needs_somebody(admin: Api) -> None:
    for nobody in ("01234567-89ab-7def-8123-456789abcdef", "x", ""):
        answer = admin.call("POST", "/numbers", {"number": numbering.own(), "customer_id": nobody})
        assert answer.status_code in (400, 404)
        assert "customer_id: " in answer.json()["error"]["message"]


def test_lists_of_numbers_by_number_and_customer(hub: Hub, admin: Api) -> None:
    one, other = hub.customer(numbering.own(), numbering.own()), hub.customer()
    for given in (one.number, f" {one.number[1:]}"):
        assert [each["number"] for each in one.api.get("/numbers", number=given)["result"]] == [one.number]
    assert one.api.get("/numbers", number=other.number)["result"] == []
    assert [each["customer_id"] for each in admin.get("/numbers", number=other.number)["result"]] == [other.id]
    assert len(admin.get("/numbers", customer_id=one.id)["result"]) == 2
    assert admin.get("/numbers", customer_id=one.id, number=other.number)["result"] == []
    assert len(one.api.get("/numbers", customer_id=other.id)["result"]) == 2
    refusal(admin.call("GET", "/numbers", customer_id="x"), 400, "INVALID_REQUEST_PARAMETER", "customer_id: ")


def test_flows_of_a_number(hub: Hub) -> None:
    owner = hub.customer()
    [number] = owner.api.get("/numbers")["result"]
    nothing, nowhere = "00000000-0000-0000-0000-000000000000", "01234567-89ab-7def-8123-456789abcdef"
    flow = owner.api.post("/flows", {"actions": [{"type": "stop"}]})["id"]
    assert (number["call_flow_id"], number["message_flow_id"], number["keywords"]) == (nothing, nothing, [])
    path = f"/numbers/{number['id']}"
    given = {"message_flow_id": flow.upper(), "call_flow_id": nothing}
    assert owner.api.put(path, given)["message_flow_id"] == flow
    assert owner.api.put(path, {"name": "x"})["message_flow_id"] == flow
    refusal(owner.api.call("DELETE", f"/flows/{flow}"), 409, "STATE_INVALID", owner.number)
    changed = owner.api.put(f"{path}/flow_ids", {"call_flow_id": nothing, "message_flow_id": nothing})
    assert (changed["name"], changed["message_flow_id"]) == ("x", nothing)
    for where in (path, f"{path}/flow_ids"):
        refusal(owner.api.call("PUT", where, {"call_flow_id": flow}), 400, "INVALID_ARGUMENT", "call_flow_id: ")
        refusal(owner.api.call("PUT", where, {"message_flow_id": "x"}), 400, "INVALID_ARGUMENT", "message_flow_id: ")
        missing = owner.api.call("PUT", where, {"message_flow_id": nowhere})
        refusal(missing, 404, "RESOURCE_NOT_FOUND", "message_flow_id: ", nowhere)
    refusal(owner.api.call("PUT", f"{path}/flow_ids", {"name": "x"}), 400, "INVALID_ARGUMENT", "name: ")


def test_keywords_of_a_number(hub: Hub) -> None:
    owner = hub.customer()
    [number] = owner.api.get("/numbers")["result"]
    path, flow = f"/numbers/{number['id']}", owner.api.post("/flows", {"actions": [{"type": "stop"}]})["id"]
    words = [{"flow_id": flow, "word": "Menü", "pattern": ""}, {"flow_id": flow, "word": "", "pattern": "order *"}]
    given = [{"word": "Menü", "flow_id": flow}, {"pattern": "order *", "flow_id": flow.upper()}]
    assert owner.api.put(path, {"keywords": given})["keywords"] == words
    assert owner.api.put(path, {"name": "x"})["keywords"] == owner.api.get(path)["keywords"] == words
    both = {"word": "x", "pattern": "x", "flow_id": flow}
    for wrong in (both, {"flow_id": flow}):
        answer = owner.api.call("PUT", path, {"keywords": [wrong]})
        refusal(answer, 400, "INVALID_KEYWORD", "keywords[0]: give either a word or a pattern")
    for flow_id, status, reason in (("x", 400, "INVALID_ARGUMENT"), (owner.id, 404, "RESOURCE_NOT_FOUND")):
        answer = owner.api.call("PUT", path, {"keywords": [{"word": "x", "flow_id": flow_id}]})
        refusal(answer, status, reason, "keywords[0].flow_id: ")
    assert owner.api.put(path, {"keywords": []})["keywords"] == []


def test_what_a_number_is_given_with(admin: Api, account: Account) -> None:
    body = {"number": numbering.own(), "customer_id": account.id}
    for more, words in (
        ({"type": "virtual"}, "type: "),
        ({"call_flow_id": account.id}, "call_flow_id: "),
        ({"message_flow_id": "x"}, "message_flow_id: "),
    ):
        refusal(admin.call("POST", "/numbers", {**body, **more}), 400, "INVALID_ARGUMENT", words)
    refusal(admin.call("POST", "/numbers", {"number": body["number"]}), 400, "INVALID_ARGUMENT", "customer_id: ")
    refusal(account.api.call("POST", "/numbers", {}), 403, "PERMISSION_DENIED")
    flow = account.api.post("/flows", {"actions": [{"type": "stop"}]})["id"]
    given = admin.post("/numbers", {**body, "type": "normal", "message_flow_id": flow, "call_flow_id": ""})
    assert given["message_flow_id"] == flow
    gone = admin.delete(f"/numbers/{given['id']}")
    assert (given["status"], gone["status"]) == ("active", "deleted")


# --- segments ---------------------------------------------------------------------------


def test_segments_are_shown_without_sending(account: Account) -> None:
    shown = account.api.post("/messages/segments", {"text": "It’s " + "x" * 70})
    assert (shown["encoding"], shown["parts"], shown["units_per_part"]) == ("UCS-2", 2, 67)
    assert "".join(shown["segments"]) == "It’s " + "x" * 70
    assert shown["forced_by"] == [{"character": "’", "replacement": "'"}]
    plain = account.api.post("/messages/segments", {"text": "x" * 161})
    assert (plain["encoding"], plain["parts"], plain["units"], plain["units_per_part"]) == ("GSM-7", 2, 161, 153)
    assert plain["forced_by"] == []
