"""Opt-outs, consents and contacts over HTTP."""

import csv
from typing import Any

import pytest

from tests.support import numbering
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub

SOME_ID = "01234567-89ab-7def-8123-456789abcdef"
NEVER = "9999-01-01 00:00:00.000000"


def out(account: Account, person: str, **more: object) -> Json:
    return account.api.post("/opt_outs", {"address": person, **more})


def outcome(account: Account, to: str) -> tuple[str, str]:
    target = account.send(to)["targets"][0]
    return target["status"], target["error_code"]


# --- opt-outs ---------------------------------------------------------------------------


def test_somebody_is_put_out_and_let_in_again(account: Account) -> None:
    person = numbering.somebody()
    made = out(account, person, words="by telephone")
    assert (made["address"], made["scope"], made["status"], made["source"]) == (person, "customer", "opted_out", "api")
    assert outcome(account, person) == ("failed", "opted_out")
    undone = account.api.post(f"/opt_outs/{made['id']}/undo")
    assert (undone["id"], undone["status"]) == (made["id"], "opted_in")
    assert outcome(account, person) == ("queued", "")
    history = account.api.get(f"/opt_outs/{made['id']}")["history"]
    assert [(event["status"], event["words"]) for event in history] == [("opted_in", ""), ("opted_out", "by telephone")]
    assert {event["actor"] for event in history} == {account.id}
    refusal(account.api.call("POST", f"/opt_outs/{made['id']}/undo"), 409, "STATE_INVALID", "not out")
    assert out(account, person)["id"] == made["id"]


def test_they_are_listed_by_what_one_asks_for(hub: Hub) -> None:
    account, people = hub.customer(), numbering.somebodies(3)
    first, second, third = (out(account, person) for person in people)
    account.api.post(f"/opt_outs/{second['id']}/undo")
    other = out(account, people[0], scope="number:+15550001111")
    assert [one["id"] for one in account.api.every("/opt_outs")] == [one["id"] for one in (other, third, second, first)]
    assert [len(page) for page in account.api.pages("/opt_outs", page_size=3)] == [3, 1]
    asked: list[tuple[dict[str, str], list[Json]]] = [
        ({"status": "opted_in"}, [second]),
        ({"status": "opted_out"}, [other, third, first]),
        ({"address": people[0]}, [other, first]),
        ({"number": "+15550001111", "status": "opted_out"}, [other, third, first]),
        ({"number": account.number}, [third, second, first]),
        ({"number": "+15550001111", "address": people[0]}, [other, first]),
        ({"address": "+4400"}, []),
    ]
    for query, expected in asked:
        found = account.api.every("/opt_outs", **query)
        assert [one["id"] for one in found] == [one["id"] for one in expected], query
    refusal(account.api.call("GET", "/opt_outs", status="gone"), 400, "INVALID_REQUEST_PARAMETER", "status")


WRONG: list[tuple[Json, str, str]] = [
    ({"address": "fred"}, "INVALID_NUMBER", "address: 'fred'"),
    ({}, "INVALID_ARGUMENT", "address: it is required"),
    ({"address": "+441", "scope": "shop"}, "INVALID_SCOPE", "scope: 'shop'"),
    ({"address": "+441", "scope": "group:"}, "INVALID_SCOPE", "scope: "),
    ({"address": "+441", "scope": "number:12"}, "INVALID_SCOPE", "scope: "),
    ({"address": "+441", "since": "now"}, "INVALID_ARGUMENT", "since: there is no such member"),
]


@pytest.mark.parametrize(("body", "reason", "words"), WRONG, ids=[str(body) for body, _, _ in WRONG])
def test_what_cannot_be_entered(account: Account, body: Json, reason: str, words: str) -> None:
    refusal(account.api.call("POST", "/opt_outs", body), 400, reason, words)


def test_nobody_sees_or_undoes_those_of_others(hub: Hub, admin: Api) -> None:
    owner, other, person = hub.customer(), hub.customer(), numbering.somebody()
    made = out(owner, person)
    assert other.api.every("/opt_outs") == []
    for method, path in (("GET", ""), ("POST", "/undo")):
        refusal(other.api.call(method, f"/opt_outs/{made['id']}{path}"), 404, "RESOURCE_NOT_FOUND")
    assert outcome(other, person) == ("queued", "")
    body = {"address": person, "customer_id": owner.id}
    refusal(other.api.call("POST", "/opt_outs", body), 403, "PERMISSION_DENIED", "customer_id")
    assert [one["id"] for one in other.api.every("/opt_outs", customer_id=owner.id)] == []
    assert [one["id"] for one in admin.every("/opt_outs", customer_id=owner.id)] == [made["id"]]
    assert admin.post(f"/opt_outs/{made['id']}/undo")["status"] == "opted_in"
    refusal(owner.api.call("GET", f"/opt_outs/{SOME_ID}"), 404, "RESOURCE_NOT_FOUND")


# --- lists ------------------------------------------------------------------------------


COUNTED = ("lines", "opted_out", "probable", "unchanged", "refused")


def load(account: Account, text: str, kind: str = "text/csv; charset=utf-8", **query: str) -> Any:
    return account.api.http.post("/opt_outs/import", content=text, headers={"Content-Type": kind}, params=query)


def test_a_list_is_imported_and_exported(hub: Hub) -> None:
    account, (anne, bert, carl) = hub.customer(), numbering.somebodies(3)
    out(account, carl)
    text = (
        f"address,scope,tm\r\n{anne},,2025-01-31T10:30:00Z\r\nfred,,\r\n{bert},number:{account.number},\r\n{carl}\r\n"
    )
    report = load(account, text).json()
    assert {name: report[name] for name in ("lines", "opted_out", "unchanged", "refused")} == {
        "lines": 4,
        "opted_out": 2,
        "unchanged": 1,
        "refused": 1,
    }
    assert report["errors"] == [{"line": 3, "message": "address: 'fred' is not E.164, such as +15559876543"}]
    assert [outcome(account, person)[1] for person in (anne, bert, carl)] == ["opted_out"] * 3
    answer = account.api.call("GET", "/opt_outs/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    head, *lines = answer.text.split("\r\n")[:-1]
    assert head == "address,scope,tm,status,source,message_id"
    assert lines[0] == f"{anne},customer,2025-01-31T10:30:00.000000Z,opted_out,import,"
    assert [line.split(",")[:2] for line in lines] == [
        [anne, "customer"],
        [bert, f"number:{account.number}"],
        [carl, "customer"],
    ]
    rest = account.api.call("GET", "/opt_outs/export", after=f"{anne},customer").text
    assert rest.split("\r\n")[1:] == [*lines[1:], ""]
    again = load(account, answer.text).json()
    assert (again["opted_out"], again["unchanged"], again["refused"]) == (0, 3, 0)


def test_an_old_list_does_not_put_out_who_has_come_back(hub: Hub) -> None:
    account, person = hub.customer(), numbering.somebody()
    made = out(account, person)
    account.api.post(f"/opt_outs/{made['id']}/undo")
    assert load(account, f"{person},customer,2024-01-01 00:00:00").json()["unchanged"] == 1
    assert outcome(account, person) == ("queued", "")
    shown = account.api.get(f"/opt_outs/{made['id']}")
    assert shown["history"][0]["source"] == "import"
    assert load(account, person).json()["opted_out"] == 1
    assert outcome(account, person) == ("failed", "opted_out")


def test_an_export_that_is_imported_puts_nobody_out_who_is_only_probably(hub: Hub) -> None:
    account, other, (anne, bert) = hub.customer(), hub.customer(), numbering.somebodies(2)
    account.api.put("/customer", {"probable_opt_outs": "review"})
    other.api.put("/customer", {"probable_opt_outs": "review"})
    report = load(account, f"address,status,tm\n{anne},probable,2025-01-31T10:30:00Z\n{bert},fled,\n").json()
    assert [report[name] for name in COUNTED] == [2, 0, 1, 0, 1]
    assert report["errors"] == [{"line": 3, "message": "status: 'fled' puts nobody out; write opted_out or probable"}]
    out(account, bert, words="by telephone")
    exported = account.api.call("GET", "/opt_outs/export").text
    before = in_full(account)
    again = load(account, exported).json()
    assert [again[name] for name in COUNTED] == [2, 0, 0, 2, 0]
    assert in_full(account) == before
    assert load(other, exported).json()["probable"] == 1
    for each in (account, other):
        assert outcome(each, anne) == ("queued", "")
        assert outcome(each, bert) == ("failed", "opted_out")


@pytest.mark.parametrize("newest_first", [True, False])
def test_no_list_makes_anybody_less_certainly_out(hub: Hub, newest_first: bool) -> None:
    account, (anne, bert) = hub.customer(), numbering.somebodies(2)
    out(account, anne)
    lines = [f"{bert},opted_out,2025-01-01T00:00:00Z", f"{bert},probable,2025-02-01T00:00:00Z"]
    lines = [f"{anne},probable,", *sorted(lines, reverse=newest_first)]
    report = load(account, "address,status,tm\n" + "\n".join(lines)).json()
    assert [report[name] for name in COUNTED] == [3, 1, 0, 2, 0]
    assert [one["status"] for one in account.api.every("/opt_outs")] == ["opted_out"] * 2


@pytest.mark.parametrize("newest_first", [True, False])
def test_nor_does_one_that_is_loaded_in_pieces(hub: Hub, newest_first: bool) -> None:
    account, bert = hub.customer(), numbering.somebody()
    lines = [f"{bert},opted_out,2025-01-01T00:00:00Z", f"{bert},probable,2025-02-01T00:00:00Z"]
    for line in sorted(lines, reverse=newest_first):
        load(account, f"address,status,tm\n{line}\n")
    assert account.api.every("/opt_outs")[0]["status"] == "opted_out"


def test_a_list_may_be_more_certain_than_what_stands(account: Account) -> None:
    person = numbering.somebody()
    load(account, f"address,status\n{person},probable\n")
    assert load(account, person).json()["opted_out"] == 1
    assert account.api.every("/opt_outs", address=person)[0]["status"] == "opted_out"


def in_full(account: Account) -> list[Json]:
    return [account.api.get(f"/opt_outs/{one['id']}") for one in account.api.every("/opt_outs")]


@pytest.mark.parametrize("newest_first", [True, False])
def test_of_somebody_who_stands_in_a_list_twice_what_was_said_last_counts(hub: Hub, newest_first: bool) -> None:
    account, person = hub.customer(), numbering.somebody()
    made = out(account, person)
    account.api.post(f"/opt_outs/{made['id']}/undo")
    lines = sorted([person, f"{person},customer,2025-02-01T00:00:00Z"], reverse=not newest_first)  # without tm: now
    assert load(account, "\n".join(lines)).json()["opted_out"] == 1
    assert outcome(account, person) == ("failed", "opted_out")


def test_lists_that_cannot_be_read_at_all(account: Account) -> None:
    refusal(load(account, "+441", "application/json"), 415, "NOT_CSV", "text/csv")
    refusal(load(account, "address,phone\n+441,1"), 400, "INVALID_ARGUMENT", "line 1", "phone")
    assert load(account, "+441\0,x\n").json()["errors"][0]["message"].startswith("address: '+441\\x00'")
    refusal(load(account, "+441\n" * 300_000), 413, "BODY_TOO_LARGE")
    latin = account.api.http.post("/opt_outs/import", content=b"+441,\xe9", headers={"Content-Type": "text/csv"})
    refusal(latin, 400, "INVALID_ARGUMENT", "UTF-8")


def test_a_long_list_is_imported_in_one_request(hub: Hub) -> None:
    account = hub.customer()
    people = [f"+4479{n:08}" for n in range(20_000)]
    report = load(account, "\n".join(people)).json()
    assert (report["lines"], report["opted_out"]) == (20_000, 20_000)
    assert outcome(account, people[777]) == ("failed", "opted_out")
    message = account.settled(account.send(numbering.somebody()))
    assert message["status"] == "delivered"
    count, after = 0, ""
    while lines := list(csv.reader(account.api.call("GET", "/opt_outs/export", after=after).text.splitlines()[1:])):
        count, before, after = count + len(lines), after, ",".join(lines[-1][:2])
        assert after > before
    assert count == 20_000


# --- how a customer deals with people ---------------------------------------------------


def test_a_customers_manners(hub: Hub) -> None:
    account = hub.customer()
    before = account.api.get("/customer")
    assert (before["opt_out_scope"], before["probable_opt_outs"], before["require_consent"]) == (
        "customer",
        "honour",
        False,
    )
    assert before["quiet_hours"] == {"enabled": True, "from": "", "to": ""}
    changes = {
        "opt_out_scope": "number",
        "probable_opt_outs": "review",
        "require_consent": True,
        "quiet_hours": {"enabled": True, "from": "20:00", "to": "09:30"},
        "opt_out_replies": {"opt_out": {"en": "{brand}: bye"}},
    }
    changed = account.api.put("/customer", changes)
    assert {name: changed[name] for name in changes} == changes
    assert account.api.put("/customer", {"name": "x"})["opt_out_scope"] == "number"
    for body, reason, words in (
        ({"quiet_hours": {"from": "20:00"}}, "INVALID_ARGUMENT", "both from and to"),
        ({"quiet_hours": {"from": "20:00", "to": "20:00"}}, "INVALID_ARGUMENT", "quiet_hours.to"),
        ({"quiet_hours": {"from": "8 pm", "to": "20:00"}}, "INVALID_ARGUMENT", "time of day"),
        ({"opt_out_replies": {"opt_out": {"en": "{name}"}}}, "INVALID_REPLY", "{name}"),
        ({"opt_out_replies": {"bye": {"en": "x"}}}, "INVALID_ARGUMENT", "opt_out_replies"),
        ({"opt_out_scope": "world"}, "INVALID_ARGUMENT", "opt_out_scope"),
    ):
        refusal(account.api.call("PUT", "/customer", body), 400, reason, words)


def test_what_a_number_takes_for_an_opt_out(hub: Hub, admin: Api) -> None:
    account = hub.customer()
    (number,) = account.api.get("/numbers")["result"]
    assert (number["sender_group"], number["ignored_keywords"], number["opt_out_replies"]) == ("", [], {})
    path = f"/numbers/{number['id']}"
    changes = {"sender_group": "shop", "ignored_keywords": ["end", "Cancel!"], "opt_out_replies": {"help": {"en": "x"}}}
    changed = account.api.put(path, changes)
    assert changed == {**number, **changes, "ignored_keywords": ["END", "CANCEL"], "tm_update": changed["tm_update"]}
    assert account.api.put(path, {"name": "desk"})["sender_group"] == "shop"
    for body, reason, words in (
        ({"ignored_keywords": ["STOP"]}, "INVALID_KEYWORD", "ignored_keywords[0]"),
        ({"ignored_keywords": ["END", "banana"]}, "INVALID_KEYWORD", "ignored_keywords[1]"),
        ({"sender_group": "a b"}, "INVALID_ARGUMENT", "sender_group"),
        ({"opt_out_replies": {"help": {"xx": "x"}}}, "INVALID_REPLY", "opt_out_replies.help.xx"),
    ):
        refusal(account.api.call("PUT", path, body), 400, reason, words)


# --- consents and contacts --------------------------------------------------------------


def test_a_consent_and_its_end(hub: Hub, admin: Api) -> None:
    account, other, person = hub.customer(), hub.customer(), numbering.somebody()
    given = {
        "address": person,
        "method": "web_form",
        "words": "Yes, send me offers",
        "evidence": "https://example.com/f/4711",
        "ip": "203.0.113.7",
        "tm_given": "2026-01-31T10:30:00Z",
    }
    made = account.api.post("/consents", given)
    assert {name: made[name] for name in given} == {**given, "tm_given": "2026-01-31 10:30:00.000000"}
    assert (made["scope"], made["tm_withdraw"], made["actor"]) == ("customer", NEVER, account.id)
    later = account.api.post("/consents", {"address": numbering.somebody(), "method": "call"})
    assert [one["id"] for one in account.api.every("/consents")] == [later["id"], made["id"]]
    assert [one["id"] for one in account.api.every("/consents", address=person)] == [made["id"]]
    ended = account.api.post(f"/consents/{made['id']}/withdraw", {"words": "by letter"})
    assert (ended["withdrawn_by"], ended["withdrawn_words"]) == (account.id, "by letter")
    assert account.api.get(f"/consents/{made['id']}") == ended
    refusal(account.api.call("POST", f"/consents/{made['id']}/withdraw", {}), 409, "STATE_INVALID", "before")
    for method, path, body in (("GET", "", None), ("POST", "/withdraw", {})):
        refusal(other.api.call(method, f"/consents/{later['id']}{path}", body), 404, "RESOURCE_NOT_FOUND")
    assert other.api.every("/consents") == []
    assert admin.get(f"/consents/{later['id']}") == later
    for wrong, reason, words in (
        ({"address": "x", "method": "y"}, "INVALID_NUMBER", "address"),
        ({"address": person}, "INVALID_ARGUMENT", "method: it is required"),
        ({"address": person, "method": "y", "tm_given": "soon"}, "INVALID_ARGUMENT", "tm_given"),
        ({"address": person, "method": "y", "tm_given": "2999-01-01T00:00:00Z"}, "INVALID_ARGUMENT", "tm_given"),
        ({"address": person, "method": "y", "scope": "x"}, "INVALID_SCOPE", "scope"),
    ):
        refusal(account.api.call("POST", "/consents", wrong), 400, reason, words)


def test_a_contact_has_one_time_zone(hub: Hub) -> None:
    account, other, person = hub.customer(), hub.customer(), numbering.somebody()
    made = account.api.post("/contacts", {"address": person, "time_zone": "America/Chicago"})
    again = account.api.post("/contacts", {"address": person, "time_zone": "Asia/Tokyo"})
    assert (again["id"], again["time_zone"], made["tm_update"]) == (made["id"], "Asia/Tokyo", NEVER)
    assert account.api.get("/contacts")["result"] == account.api.every("/contacts", address=person) == [again]
    refusal(account.api.call("POST", "/contacts", {"address": person, "time_zone": "Mars"}), 400, "INVALID_TIME_ZONE")
    zone = {"address": person, "time_zone": "localtime"}
    refusal(account.api.call("POST", "/contacts", zone), 400, "INVALID_TIME_ZONE")
    refusal(account.api.call("POST", "/contacts", {"address": "1", "time_zone": "UTC"}), 400, "INVALID_NUMBER")
    for method in ("GET", "DELETE"):
        refusal(other.api.call(method, f"/contacts/{made['id']}"), 404, "RESOURCE_NOT_FOUND")
    assert account.api.delete(f"/contacts/{made['id']}") == again
    refusal(account.api.call("GET", f"/contacts/{made['id']}"), 404, "RESOURCE_NOT_FOUND")
