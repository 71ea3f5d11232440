"""Customers, as the operator changes and deletes them."""

import pytest

from tests.support import credentials, numbering
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub
from tests.support.simulator import Simulator

SOME_ID = "01234567-89ab-7def-8123-456789abcdef"


def test_the_operator_changes_what_is_sent(hub: Hub, admin: Api) -> None:
    account = hub.customer(on_doubt="hold")
    before = admin.get(f"/customers/{account.id}")
    changed = admin.put(f"/customers/{account.id}", {"name": "Acme", "detail": "x", "email": "a@example.com"})
    assert (changed["name"], changed["detail"], changed["email"]) == ("Acme", "x", "a@example.com")
    assert changed["on_doubt"] == "hold"
    assert admin.put(f"/customers/{account.id}", {"detail": ""})["name"] == "Acme"
    assert account.api.get("/customer")["name"] == "Acme"
    assert before["tm_create"] == changed["tm_create"]


WRONG: list[tuple[Json, str]] = [
    ({"name": ""}, "name: "),
    ({"email": "nobody"}, "email: write an address such as somebody@example.com"),
    ({"email": "a b@c"}, "email: "),
    ({"email": "a@b\n"}, "email: "),
    ({"email": f"{'a' * 65}@b"}, "email: "),
    ({"password": "short"}, "password: "),
    ({"role": "operator"}, "role: there is no such member"),
    ({"webhook_uri": "https://example.com/"}, "webhook_uri: there is no such member"),
]


@pytest.mark.parametrize(("body", "words"), WRONG, ids=[str(body)[:30] for body, _ in WRONG])
def test_what_cannot_be_changed(account: Account, admin: Api, body: Json, words: str) -> None:
    refusal(admin.call("PUT", f"/customers/{account.id}", body), 400, "INVALID_ARGUMENT", words)


@pytest.mark.parametrize("username", ["", " anne", "anne ", "an ne", "anne\n", "аnne", "a\u200bnne", "a\0b", "x" * 256])
def test_usernames_that_cannot_be(admin: Api, username: str) -> None:
    body = {"name": "x", "username": username, "password": "long enough"}
    error = refusal(admin.call("POST", "/customers", body), 400, "INVALID_ARGUMENT", "username: ")
    assert "regex" not in error["message"]


@pytest.mark.parametrize("shape", ["{}@example.com", "+{}", "a.b_c-{}", "A%{}"])
def test_usernames_that_can(admin: Api, shape: str) -> None:
    username = shape.format(numbering.own()[1:])
    assert admin.post("/customers", {"name": "x", "username": username, "password": "long enough"})["id"]


def test_who_is_deleted_is_gone_with_all_that_lets_it_in(hub: Hub, admin: Api) -> None:
    customer, number = credentials.made(hub), numbering.own()
    admin.post("/numbers", {"number": number, "customer_id": customer["id"]})
    gone = admin.delete(f"/customers/{customer['id']}")
    assert gone["tm_delete"].startswith("20")
    for credential in (customer["accesskey"], customer["login"]):
        refusal(hub.caller(credential).call("GET", "/me"), 401, "INVALID_CREDENTIALS")
    for method in ("GET", "PUT", "DELETE"):
        refusal(admin.call(method, f"/customers/{customer['id']}", {}), 404, "RESOURCE_NOT_FOUND")
    assert customer["id"] not in [each["id"] for each in admin.every("/customers")]
    for path, more in (("/numbers", {"number": number}), ("/accesskeys", {})):
        body = {"customer_id": customer["id"], **more}
        refusal(admin.call("POST", path, body), 404, "RESOURCE_NOT_FOUND", "customer_id: ")
    again = admin.post("/customers", {"name": "x", "username": customer["username"], "password": "long enough"})
    assert admin.post("/numbers", {"number": number, "customer_id": again["id"]})["customer_id"] == again["id"]


def test_what_it_has_queued_is_not_sent(hub: Hub, admin: Api, box: Simulator) -> None:
    """The carrier is down while it is queued, and up again when its customer is gone."""
    leaver, stayer = hub.customer(), hub.customer()
    carrier = hub.carrier(1, "down")  # nobody listens there
    routes = [hub.route(carrier, customer_id=each.id) for each in (leaver, stayer)]
    theirs, ours = (each.send(numbering.somebodies(3)) for each in (leaver, stayer))
    admin.delete(f"/customers/{leaver.id}")
    for route in routes:
        admin.delete(f"/routes/{route['id']}")
    admin.delete(f"/carriers/{carrier['id']}")  # what waits for it is given to the simulator
    assert stayer.settled(ours)["status"] == "delivered"
    for message, sent in ((theirs, 0), (ours, 1)):
        for target in message["targets"]:
            assert len(box.submits(target["destination"]["target"])) == sent


def test_the_operator_cannot_delete_itself(hub: Hub, admin: Api) -> None:
    refusal(admin.call("DELETE", f"/customers/{admin.get('/customer')['id']}"), 409, "STATE_INVALID", "operator")
    assert admin.get("/me")["role"] == "operator"
