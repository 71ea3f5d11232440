"""Access keys over HTTP: made, listed, changed, revoked, each by its owner."""

from datetime import datetime, timedelta

import pytest

from tests.support import credentials
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub

NOT_YET = "9999-01-01 00:00:00.000000"
MEMBERS = {
    "id", "customer_id", "name", "detail", "token_prefix", "tm_expire", "tm_last_use", "tm_create", "tm_update",
    "tm_delete",
}  # fmt: skip


def lives_for(key: Json) -> timedelta:
    return datetime.fromisoformat(key["tm_expire"]) - datetime.fromisoformat(key["tm_create"])


def test_the_life_of_a_key(hub: Hub) -> None:
    owner = hub.customer()
    made = owner.api.post("/accesskeys", {"name": "shop", "detail": "till", "expire": 90 * 86_400})
    assert made.keys() == MEMBERS | {"token"}
    token = made.pop("token")
    assert made["token_prefix"] == token[:8]
    assert (made["name"], made["detail"], made["customer_id"]) == ("shop", "till", owner.id)
    assert lives_for(made) == timedelta(days=90)
    assert made["tm_update"] == made["tm_delete"] == made["tm_last_use"] == NOT_YET
    assert owner.api.get(f"/accesskeys/{made['id']}") == made
    using = hub.caller(token)
    assert using.get("/customer")["id"] == owner.id
    assert owner.api.get(f"/accesskeys/{made['id']}")["tm_last_use"].startswith("20")
    changed = using.put(f"/accesskeys/{made['id']}", {"name": "old shop"})
    assert (changed["name"], changed["detail"], changed["tm_expire"]) == ("old shop", "till", made["tm_expire"])
    assert changed["tm_update"] != NOT_YET
    assert [key["name"] for key in using.get("/accesskeys")["result"]] == ["old shop", "first key"]
    assert using.delete(f"/accesskeys/{made['id']}")["tm_delete"].startswith("20")  # a key may revoke itself
    refusal(using.call("GET", "/customer"), 401, "INVALID_CREDENTIALS")
    refusal(owner.api.call("GET", f"/accesskeys/{made['id']}"), 404, "RESOURCE_NOT_FOUND")
    refusal(owner.api.call("PUT", f"/accesskeys/{made['id']}", {}), 404, "RESOURCE_NOT_FOUND")
    refusal(owner.api.call("DELETE", f"/accesskeys/{made['id']}"), 404, "RESOURCE_NOT_FOUND")
    assert [key["name"] for key in owner.api.get("/accesskeys")["result"]] == ["first key"]


def test_all_may_be_left_out(account: Account) -> None:
    made = account.api.post("/accesskeys", {})
    assert (made["name"], made["detail"]) == ("", "")
    assert lives_for(made) == timedelta(days=365)


def test_the_key_itself_is_shown_once(hub: Hub) -> None:
    owner = hub.customer()
    token = owner.api.post("/accesskeys", {"name": "x"})["token"]
    shown = owner.api.call("GET", "/accesskeys").text
    assert token[:8] in shown
    assert token not in shown
    assert owner.api.key not in shown


def test_a_key_makes_none_that_outlives_it(hub: Hub) -> None:
    owner = hub.customer()
    short = owner.api.post("/accesskeys", {"expire": 86_400})
    using = hub.caller(short["token"])
    assert using.post("/accesskeys", {"expire": 90 * 86_400})["tm_expire"] == short["tm_expire"]
    assert using.put(f"/accesskeys/{short['id']}", {"expire": 90 * 86_400})["tm_expire"] == short["tm_expire"]
    longer = owner.api.put(f"/accesskeys/{short['id']}", {"expire": 90 * 86_400})
    assert longer["tm_expire"] > short["tm_expire"]
    refusal(using.call("GET", "/customers"), 403, "PERMISSION_DENIED")


def test_lists_by_page_and_beginning(hub: Hub) -> None:
    owner = hub.customer()
    made = [owner.api.post("/accesskeys", {"name": str(n)}) for n in range(4)]
    pages = owner.api.pages("/accesskeys", page_size=2)
    assert [[key["name"] for key in page] for page in pages] == [["3", "2"], ["1", "0"], ["first key"]]
    found = owner.api.get("/accesskeys", token_prefix=made[1]["token_prefix"])["result"]
    assert [key["name"] for key in found] == ["1"]
    assert owner.api.get("/accesskeys", token_prefix="no such beginning")["result"] == []


def test_the_operator_looks_after_the_keys_of_all(hub: Hub, admin: Api) -> None:
    owner, other = hub.customer(), hub.customer()
    made = admin.post("/accesskeys", {"name": "lent", "customer_id": owner.id})
    assert hub.caller(made["token"]).get("/customer")["id"] == owner.id
    refusal(hub.caller(made["token"]).call("GET", "/customers"), 403, "PERMISSION_DENIED")
    found = admin.get("/accesskeys", customer_id=owner.id)["result"]
    assert [(key["name"], key["customer_id"]) for key in found] == [("lent", owner.id), ("first key", owner.id)]
    assert {owner.id, other.id} <= {key["customer_id"] for key in admin.every("/accesskeys")}
    assert [key["name"] for key in other.api.get("/accesskeys", customer_id=owner.id)["result"]] == ["first key"]
    admin.delete(f"/accesskeys/{made['id']}")
    refusal(hub.caller(made["token"]).call("GET", "/customer"), 401, "INVALID_CREDENTIALS")


WRONG: list[tuple[Json, int, str, str]] = [
    ({"expire": 86_399}, 400, "INVALID_ARGUMENT", "expire: "),
    ({"expire": 10**12}, 400, "INVALID_ARGUMENT", "expire: "),
    ({"expire": "1d"}, 400, "INVALID_ARGUMENT", "expire: "),
    ({"name": "x" * 256}, 400, "INVALID_ARGUMENT", "name: "),
    ({"token": "vb_mine"}, 400, "INVALID_ARGUMENT", "token: there is no such member"),
]


@pytest.mark.parametrize(("body", "status", "reason", "words"), WRONG, ids=[str(row[0])[:30] for row in WRONG])
def test_what_cannot_be_made(account: Account, body: Json, status: int, reason: str, words: str) -> None:
    refusal(account.api.call("POST", "/accesskeys", body), status, reason, words)


def test_a_customer_makes_none_for_others(hub: Hub, account: Account, admin: Api) -> None:
    theirs = {"customer_id": hub.customer().id}
    refusal(account.api.call("POST", "/accesskeys", theirs), 403, "PERMISSION_DENIED", "customer_id: ")
    nobodys = {"customer_id": "01234567-89ab-7def-8123-456789abcdef"}
    refusal(account.api.call("POST", "/accesskeys", nobodys), 403, "PERMISSION_DENIED", "customer_id: ")
    refusal(admin.call("POST", "/accesskeys", nobodys), 404, "RESOURCE_NOT_FOUND", "customer_id: ")
    refusal(admin.call("GET", "/accesskeys", customer_id="x"), 400, "INVALID_REQUEST_PARAMETER", "customer_id: ")
    assert account.api.post("/accesskeys", {"customer_id": account.id})["customer_id"] == account.id


# --- me ---------------------------------------------------------------------------------

ME = {
    "type", "id", "customer_id", "role", "username", "name", "detail", "token_prefix", "tm_expire", "tm_last_use",
    "tm_create", "tm_update",
}  # fmt: skip


def test_me(hub: Hub, admin: Api) -> None:
    customer = credentials.made(hub)
    by_key, by_login = (hub.caller(customer[which]).get("/me") for which in ("accesskey", "login"))
    assert by_key.keys() == by_login.keys() == ME
    assert by_key["customer_id"] == by_login["customer_id"] == customer["id"]
    assert (by_key["type"], by_key["name"], by_key["username"]) == ("accesskey", "first key", "")
    assert by_key["token_prefix"] == customer["accesskey"][:8]
    assert by_key["tm_expire"] == NOT_YET
    assert (by_login["type"], by_login["username"], by_login["name"]) == (
        "login",
        customer["username"],
        customer["name"],
    )
    assert lives_for(by_login) <= timedelta(days=1, seconds=60)
    assert (by_key["role"], admin.get("/me")["role"]) == ("customer", "operator")


def test_the_operators_first_key_is_in_its_list(hub: Hub, admin: Api) -> None:
    own = admin.get("/accesskeys", customer_id=admin.get("/me")["customer_id"])["result"]
    assert admin.get("/me")["id"] in [key["id"] for key in own]
