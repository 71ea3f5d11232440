"""Names and short codes as senders: refused where they cannot write, and the refusal says where and why."""

from collections.abc import Iterator

import pytest

from tests.support import numbering
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub

US, GB, IN, ES = "+14155550100", "+447400123456", "+918123456789", "+34612345678"


@pytest.fixture
def named(hub: Hub) -> Account:
    """A customer with a name of eleven characters as its sender."""
    return hub.customer(f"N{numbering.own()[-10:]}")


def post(account: Account, to: list[str], **more: object) -> Json:
    return {"source": account.number, "destinations": to, "text": "Hello", **more}


def test_a_name_may_not_write_where_names_are_not_taken(named: Account) -> None:
    answer = named.api.call("POST", "/messages", post(named, [GB, IN, US]))
    error = refusal(answer, 400, "INVALID_SOURCE", f"source: '{named.number}' cannot write to destinations[1] ({IN})")
    assert "have to be registered in India (+91)" in error["message"]
    why = "alphanumeric senders are not allowed in United States (+1); use a number"
    assert error["details"][1] == {"field": "destinations[2]", "destination": US, "why": why}
    assert named.api.post("/messages", post(named, [GB]))["status"] == "sending"
    assert named.api.post("/messages", post(named, [numbering.somebody()]))["status"] == "sending"


def test_a_name_that_is_registered_may(hub: Hub, named: Account) -> None:
    number = named.api.get("/numbers")["result"][0]
    place = f"/numbers/{number['id']}"
    refused = named.api.call("PUT", place, {"registered_in": ["IN"]})
    refusal(refused, 403, "PERMISSION_DENIED", "registered_in: ")
    assert hub.admin.put(place, {"registered_in": ["IN", "ES", "IN"]})["registered_in"] == ["ES", "IN"]
    assert named.api.post("/messages", post(named, [IN, ES]))["status"] == "sending"
    refusal(named.api.call("POST", "/messages", post(named, [US])), 400, "INVALID_SOURCE", "not allowed")


def test_a_short_code_writes_at_home(hub: Hub) -> None:
    account = hub.customer(numbering.own()[-6:])
    assert account.api.post("/messages", post(account, [US]))["status"] == "sending"  # nobody said where it is at home
    number = account.api.get("/numbers")["result"][0]
    hub.admin.put(f"/numbers/{number['id']}", {"registered_in": ["GB"]})
    assert account.api.post("/messages", post(account, [GB]))["status"] == "sending"
    answer = account.api.call("POST", "/messages", post(account, [US]))
    refusal(answer, 400, "INVALID_SOURCE", "destinations[0]", "it is a short code of GB")


def test_numbers_write_anywhere(account: Account) -> None:
    assert account.api.post("/messages", post(account, [US, GB, IN, ES]))["target_count"] == 4


@pytest.fixture
def overruled(hub: Hub) -> Iterator[Api]:
    yield hub.admin
    hub.admin.put("/sender_rules", {"country": "US", "alphanumeric": "default"})


def test_the_operator_overrules_the_table_for_all_or_for_one(hub: Hub, named: Account, overruled: Api) -> None:
    own = {"country": "US", "alphanumeric": "yes", "customer_id": named.id}
    rule = overruled.put("/sender_rules", own)
    assert (rule["name"], rule["alphanumeric"], rule["is_overruled"]) == ("United States", "yes", True)
    assert named.api.post("/messages", post(named, [US]))["status"] == "sending"
    other = hub.customer(f"N{numbering.own()[-10:]}")
    refusal(other.api.call("POST", "/messages", post(other, [US])), 400, "INVALID_SOURCE", "not allowed")
    overruled.put("/sender_rules", {"country": "US", "alphanumeric": "registered"})
    refusal(other.api.call("POST", "/messages", post(other, [US])), 400, "INVALID_SOURCE", "have to be registered")
    assert _of(named.api, "US")["alphanumeric"] == "yes"
    assert _of(other.api, "US")["alphanumeric"] == "registered"
    assert overruled.put("/sender_rules", {**own, "alphanumeric": "default"})["alphanumeric"] == "registered"


def test_the_table_is_there_to_be_read_in_pages(account: Account) -> None:
    rules = account.api.every("/sender_rules", page_size=10)
    assert [rule["country"] for rule in rules] == sorted({rule["country"] for rule in rules})
    assert rules == account.api.every("/sender_rules")
    assert len(rules) > 80
    france = _of(account.api, "FR")
    assert france == {
        "country": "FR",
        "name": "France",
        "prefixes": ["+33"],
        "alphanumeric": "yes",
        "best": "alphanumeric",
        "is_overruled": False,
    }


def test_only_the_operator_overrules_and_only_what_the_table_has(account: Account, admin: Api) -> None:
    given = {"country": "XX", "alphanumeric": "no"}
    refusal(account.api.call("PUT", "/sender_rules", given), 403, "PERMISSION_DENIED")
    refusal(admin.call("PUT", "/sender_rules", given), 404, "RESOURCE_NOT_FOUND", "country: the table has no 'XX'")
    wrong = {"country": "US", "alphanumeric": "maybe"}
    refusal(admin.call("PUT", "/sender_rules", wrong), 400, "INVALID_ARGUMENT", "alphanumeric: ")


def _of(api: Api, country: str) -> Json:
    (found,) = [rule for rule in api.every("/sender_rules") if rule["country"] == country]
    return found
