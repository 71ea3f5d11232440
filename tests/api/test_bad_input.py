"""Bad input is answered, never swallowed: the right status, the field that is wrong, and what would be right."""

import json
from typing import Any

import httpx
import pytest

from tests.support import numbering
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub

TO = "+15559876543"
PICTURE = {"url": "https://example.com/a.jpg"}


def given(account: Account, **changes: Any) -> Json:
    """A message that could be sent but for `changes`; a member that is changed to ... is left out."""
    body = {"source": account.number, "destinations": [TO], "text": "Hello"} | changes
    return {name: value for name, value in body.items() if value is not ...}


def post(api: Api, octets: bytes, path: str = "/messages", kind: str = "application/json") -> httpx.Response:
    return api.http.post(path, content=octets, headers={"Content-Type": kind})


# --- what is no JSON --------------------------------------------------------------------

NO_JSON = {
    "nothing": b"",
    "a beginning": b"{",
    "single quotes": b"{'text': 'Hello'}",
    "a comma too many": b'{"text": "Hello",}',
    "not a number": b'{"text": NaN}',
    "octets that are not UTF-8": b'{"text": "\xff\xfe"}',
    "UTF-16": '{"text": "Hello"}'.encode("utf-16"),
    "a surrogate in UTF-8": b'{"text": "\xed\xa0\x80"}',
    "a lone surrogate": b'{"text": "\\ud800"}',
    "surrogates the wrong way round": b'{"text": "\\udc00\\ud800"}',
    "a raw line break in a string": b'{"text": "a\nb"}',
    "a raw NUL": b'{"text": "a\x00b"}',
}


@pytest.mark.parametrize("octets", NO_JSON.values(), ids=NO_JSON.keys())
def test_no_json(account: Account, octets: bytes) -> None:
    for path in ("/messages", "/messages/segments"):
        refusal(post(account.api, octets, path), 400, "INVALID_JSON_BODY", "the body")


def test_something_after_the_json(account: Account) -> None:
    refusal(post(account.api, b'{"text": "Hello"} {}', "/messages/segments"), 400, "INVALID_JSON_BODY", "the body")


@pytest.mark.parametrize("octets", [b"[]", b'"Hello"', b"5", b"null", b"true"])
def test_json_that_is_no_object(account: Account, octets: bytes) -> None:
    refusal(post(account.api, octets), 400, "INVALID_ARGUMENT", "the body: ")


@pytest.mark.parametrize("path", ["/messages", "/messages/segments", "/customers", "/carriers", "/routes", "/numbers"])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"config":{"a":[', b'{"config":'])
def test_json_that_is_nested_without_end(admin: Api, path: str, opening: bytes) -> None:
    octets = b'{"name": "x", "type": "smpp", "config": {"host": ' + opening * 50_000
    assert post(admin, octets, path).status_code == 400


# --- members ----------------------------------------------------------------------------


def named(variables: object, times: int = 1) -> Json:
    """A text with a name, and what one recipient is given for it."""
    return {"destinations": [{"target": TO, "variables": variables}], "text": "{{name}}" * times}


MEMBERS: list[tuple[Json, str, str]] = [
    ({"source": ...}, "INVALID_ARGUMENT", "source: it is required"),
    ({"destinations": ...}, "INVALID_ARGUMENT", "destinations: it is required"),
    ({"texts": "Hello"}, "INVALID_ARGUMENT", "texts: there is no such member"),
    ({"source": {"target": TO, "phone": "x"}}, "INVALID_ARGUMENT", "source.phone: there is no such member"),
    ({"destinations": [{"type": "tel"}]}, "INVALID_ARGUMENT", "destinations[0].target: it is required"),
    ({"source": 5}, "INVALID_ARGUMENT", "source: "),
    ({"source": None}, "INVALID_ARGUMENT", "source: "),
    ({"destinations": TO}, "INVALID_ARGUMENT", "destinations: "),
    ({"destinations": {"target": TO}}, "INVALID_ARGUMENT", "destinations: "),
    ({"destinations": [5]}, "INVALID_ARGUMENT", "destinations[0]: "),
    ({"destinations": [{"target": 5}]}, "INVALID_ARGUMENT", "destinations[0].target: "),
    ({"destinations": [{"target": TO, "name": "x" * 256}]}, "INVALID_ARGUMENT", "destinations[0].name: "),
    ({"text": 5}, "INVALID_ARGUMENT", "text: expected a string, got an integer"),
    ({"text": ["Hello"]}, "INVALID_ARGUMENT", "text: "),
    ({"text": "a\0b"}, "INVALID_ARGUMENT", "text: it holds a NUL"),
    ({"source": "+1\0"}, "INVALID_ARGUMENT", "source: it holds a NUL"),
    ({"destinations": [{"target": TO, "name": "a\0"}]}, "INVALID_ARGUMENT", "destinations[0].name: it holds a NUL"),
    ({"on_doubt": "perhaps"}, "INVALID_ARGUMENT", "on_doubt: "),
    ({"smart_encoding": "yes"}, "INVALID_ARGUMENT", "smart_encoding: "),
    ({"class": 4}, "INVALID_ARGUMENT", "class: expected an integer <= 3"),
    ({"class": 1.5}, "INVALID_ARGUMENT", "class: expected an integer or a string, got a number"),
    ({"class": "flash"}, "INVALID_ARGUMENT", "class: invalid enum value 'flash'; expected one of marketing, otp, "),
    ({"tlvs": {"nobody_knows": 1}}, "INVALID_TLV", "tlvs.nobody_knows: no carrier for "),
    ({"tlvs": {"Upper": 1}}, "INVALID_ARGUMENT", "tlvs: "),
    ({"tlvs": {"a": -1}}, "INVALID_ARGUMENT", "tlvs[]: "),
    ({"tlvs": {"a": 2**32}}, "INVALID_ARGUMENT", "tlvs[]: "),
    ({"tlvs": {"a": 2**70}}, "INVALID_ARGUMENT", "tlvs[]: "),
    ({"tlvs": {"a": "x" * 1001}}, "INVALID_ARGUMENT", "tlvs[]: "),
    ({"tlvs": {"a": [1]}}, "INVALID_ARGUMENT", "tlvs[]: "),
    ({"tlvs": {f"a{n}": 1 for n in range(33)}}, "INVALID_ARGUMENT", "tlvs: "),
    ({"tlvs": {f"a{n}": "x" * 1000 for n in range(5)}}, "INVALID_TLV", "tlvs: 5000 characters in all"),
    (named(5), "INVALID_ARGUMENT", "destinations[0].variables: "),
    (named({"first name": "x"}), "INVALID_ARGUMENT", "destinations[0].variables: "),
    (named({"name": True}), "INVALID_ARGUMENT", "destinations[0].variables[]: "),
    (named({"name": None}), "INVALID_ARGUMENT", "destinations[0].variables[]: "),
    (named({"name": "x" * 1001}), "INVALID_ARGUMENT", "destinations[0].variables[]: "),
    (named({"name": "a\0"}), "INVALID_ARGUMENT", "destinations[0].variables.name: it holds a NUL"),
    (named({f"a{n}": 1 for n in range(51)}), "INVALID_ARGUMENT", "destinations[0].variables: "),
    (named({"Name": "x"}), "MISSING_VARIABLE", "destinations[0].variables.name: it is not given"),
    ({**named({"name": "x"}), "text": "Hi {{name"}, "INVALID_TEXT", "text: '{{name' at character 4 is no variable"),
    (named({"name": "x" * 1000}, 2), "TOO_MANY_SEGMENTS", "destinations[0].variables: the text has 2000 characters"),
    ({"text": ...}, "INVALID_TEXT", "text: "),
    ({"text": ""}, "INVALID_TEXT", "text: "),
    ({"text": "a" * (153 * 10 + 1)}, "TOO_MANY_SEGMENTS", "text: it needs 11 segments"),
    ({"text": "ж" * (67 * 10 + 1)}, "TOO_MANY_SEGMENTS", "text: it needs 11 segments"),
    ({"text": "a" * 900_000}, "TOO_MANY_SEGMENTS", "text: "),
    ({"destinations": []}, "TOO_MANY_DESTINATIONS", "destinations: 0 are given"),
    ({"destinations": numbering.somebodies(1001)}, "TOO_MANY_DESTINATIONS", "destinations: 1001 are given"),
    ({"destinations": [TO, "+441234", {"target": TO}]}, "DUPLICATE_DESTINATION", f"destinations[2].target: {TO}"),
    ({"destinations": [TO, {"type": "email", "target": "a@b.c"}]}, "INVALID_DESTINATION", "destinations[1].type: "),
    ({"source": {"type": "email", "target": TO}}, "INVALID_SOURCE", "source.type: "),
    ({"source": "+19998887777"}, "INVALID_SOURCE", "source: "),
    ({"source": ""}, "INVALID_SOURCE", "source: "),
    ({"medias": [{"url": "ftp://example.com/a.jpg"}]}, "INVALID_MEDIA", "medias[0].url: "),
    ({"medias": [{"url": f"https://example.com/{'a' * 2040}"}]}, "INVALID_ARGUMENT", "medias[0].url: "),
    ({"medias": [PICTURE, {**PICTURE, "type": "image/svg+xml"}]}, "MEDIA_NOT_SUPPORTED", "medias[1].type: 'image/svg"),
    ({"medias": [PICTURE] * 11}, "INVALID_ARGUMENT", "medias: "),
    ({"medias": [{"type": "image/png"}]}, "INVALID_ARGUMENT", "medias[0].url: it is required"),
    ({"medias": [PICTURE], "text": "a" * 5001}, "INVALID_TEXT", "text: it has 5001 characters, where 5000"),
    ({"medias": [PICTURE], "message_class": 0}, "INVALID_ARGUMENT", "message_class: "),
    ({"medias": [PICTURE], "class": 1}, "INVALID_ARGUMENT", "message_class: "),
    ({"medias": [PICTURE], "tlvs": {"a": 1}}, "INVALID_TLV", "tlvs: "),
    ({"subject": "a" * 201}, "INVALID_ARGUMENT", "subject: "),
    ({"subject": "two\nlines"}, "INVALID_ARGUMENT", "subject: "),
    ({"subject": "Hello", "text": ""}, "INVALID_TEXT", "text: it is empty"),
    ({"fallback": "link"}, "INVALID_ARGUMENT", "fallback: "),
    ({"medias": [PICTURE], "fallback": "call"}, "INVALID_ARGUMENT", "fallback: "),
]


@pytest.mark.parametrize(
    ("changes", "reason", "words"), MEMBERS, ids=[f"{reason} {words[:30]}" for _, reason, words in MEMBERS]
)
def test_a_message_that_cannot_be_sent(account: Account, changes: Json, reason: str, words: str) -> None:
    before = account.api.get("/messages")
    answer = account.api.call("POST", "/messages", given(account, **changes))
    error = refusal(answer, 400, reason)
    assert error["status"] == "INVALID_ARGUMENT"
    assert error["message"].startswith(words)
    assert len(answer.content) < 2000
    assert [one["id"] for one in account.api.get("/messages")["result"]] == [one["id"] for one in before["result"]]


NO_E164 = (
    "", "+", "5551234567", "15559876543", "+05551234567", "+1 555 987 6543", "+1-555-987-6543", "+1234567890123456",
    "+1555987654x", " +15559876543", "+15559876543 ", "+15559876543\n", "+１５５５９８７６５４３", "+٤٤١٢٣٤",
    "tel:+15559876543", "＋15559876543", "++15559876543", "+1",
)  # fmt: skip


@pytest.mark.parametrize("target", NO_E164)
def test_a_destination_that_is_not_e164(account: Account, target: str) -> None:
    for destination in (target, {"type": "tel", "target": target}):
        answer = account.api.call("POST", "/messages", given(account, destinations=[TO, destination]))
        refusal(answer, 400, "INVALID_DESTINATION", "destinations[1].target: ", "E.164")


@pytest.mark.parametrize("target", ["+15551234567", "+12", "+123456789012345", "+999999999999999"])
def test_a_destination_that_is_possible_is_taken(account: Account, target: str) -> None:
    assert account.api.send(account.number, target)["targets"][0]["destination"]["target"] == target


def test_somebody_elses_number_is_refused_in_the_same_words_as_nobodys(hub: Hub, account: Account) -> None:
    theirs, nobodys = hub.customer().number, numbering.own()
    words = [
        refusal(account.api.call("POST", "/messages", given(account, source=source)), 400, "INVALID_SOURCE")["message"]
        for source in (theirs, nobodys)
    ]
    assert words[0].replace(theirs, "") == words[1].replace(nobodys, "")


def test_a_thousand_destinations_and_ten_segments_are_taken(account: Account) -> None:
    """The bounds themselves are within."""
    assert account.send(numbering.somebodies(1000))["target_count"] == 1000
    assert account.send(numbering.somebody(), "a" * 1530)["targets"][0]["parts"] == 10


# --- the other bodies -------------------------------------------------------------------

CONFIG = {"host": "127.0.0.1", "port": 2775, "system_id": "x", "password": "y"}
OTHERS: list[tuple[str, str, object, str, str]] = [
    ("PUT", "/customer", {"webhook_uri": 5}, "INVALID_ARGUMENT", "webhook_uri: "),
    ("PUT", "/customer", {"webhook_uri": "http://x/" + "a" * 2000}, "INVALID_ARGUMENT", "webhook_uri: "),
    ("PUT", "/customer", {"webhook_method": "GET"}, "INVALID_ARGUMENT", "webhook_method: "),
    ("PUT", "/customer", {"webhook_events": ["message_read"]}, "INVALID_ARGUMENT", "webhook_events[0]: "),
    ("PUT", "/customer", {"webhook_statuses": "sent"}, "INVALID_ARGUMENT", "webhook_statuses: "),
    ("PUT", "/customer", {"on_doubt": ""}, "INVALID_ARGUMENT", "on_doubt: "),
    ("PUT", "/customer", {"name": ""}, "INVALID_ARGUMENT", "name: "),
    ("PUT", "/customer", {"name": None}, "INVALID_ARGUMENT", "name: "),
    ("PUT", "/customer", {"id": "x"}, "INVALID_ARGUMENT", "id: there is no such member"),
    ("POST", "/customers", {"name": "x", "username": "y"}, "INVALID_ARGUMENT", "password: it is required"),
    ("POST", "/customers", {"name": "x", "username": "y", "password": "short"}, "INVALID_ARGUMENT", "password: "),
    ("POST", "/customers", {"name": "x", "username": "\0", "password": "long enough"}, "INVALID_ARGUMENT", "username"),
    ("POST", "/carriers", {"name": "x", "type": "pigeon", "config": CONFIG}, "INVALID_ARGUMENT", "type: "),
    ("POST", "/carriers", {"name": "x", "type": "smpp", "config": []}, "INVALID_ARGUMENT", "config: "),
    ("POST", "/routes", {"carrier_id": 5}, "INVALID_ARGUMENT", "carrier_id: "),
    ("POST", "/routes", {"carrier_id": "x", "prefix": "+44x"}, "INVALID_ARGUMENT", "prefix: "),
    ("POST", "/routes", {"carrier_id": "x", "weight": 0}, "INVALID_ARGUMENT", "weight: "),
    ("POST", "/routes", {"carrier_id": "x", "priority": -1}, "INVALID_ARGUMENT", "priority: "),
    ("POST", "/messages/segments", {"text": None}, "INVALID_ARGUMENT", "text: "),
    ("POST", "/conversations", {"peer": TO}, "INVALID_ARGUMENT", "self: it is required"),
    ("POST", "/conversations", {"self": TO, "peer": [TO]}, "INVALID_ARGUMENT", "peer: "),
    ("POST", "/conversations", {"self": TO, "peer": TO}, "INVALID_SOURCE", "self: "),
    ("POST", "/messages/segments", {}, "INVALID_ARGUMENT", "text: it is required"),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "reason", "words"), OTHERS, ids=[f"{row[0]} {row[1]} {row[4]}" for row in OTHERS]
)
def test_other_bodies(admin: Api, method: str, path: str, body: object, reason: str, words: str) -> None:
    error = refusal(admin.call(method, path, body), 400, reason)
    assert error["message"].startswith(words)


CONFIGS: list[tuple[Json, str]] = [
    ({"host": ...}, "host"),
    ({"port": 0}, "config.port"),
    ({"port": 65536}, "config.port"),
    ({"port": "2775"}, "config.port"),
    ({"port": 1e400}, "config"),
    ({"password": "ninechars"}, "config.password"),
    ({"system_id": "sixteencharacter"}, "config.system_id"),
    ({"system_id": "Ключ"}, "system_id"),
    ({"password": "пароль"}, "password"),
    ({"system_type": "тип"}, "system_type"),
    ({"window": 0}, "config.window"),
    ({"binds": 65}, "config.binds"),
    ({"bind": "sender"}, "config.bind"),
    ({"response_timeout": 0}, "config.response_timeout"),
    ({"passwort": "x"}, "passwort"),
    ({"tls": "yes"}, "config.tls"),
]


@pytest.mark.parametrize(("changes", "word"), CONFIGS, ids=[str(changes) for changes, _ in CONFIGS])
def test_the_config_of_a_carrier(admin: Api, changes: Json, word: str) -> None:
    config = {name: value for name, value in (CONFIG | changes).items() if value is not ...}
    octets = json.dumps({"name": "x", "type": "smpp", "config": config, "disabled": True}).encode()
    answer = post(admin, octets.replace(b"Infinity", b"1e400"), "/carriers")
    assert answer.status_code == 400, answer.text[:500]
    assert word in answer.json()["error"]["message"]


def test_a_whole_number_may_have_a_decimal_point(admin: Api) -> None:
    """It is an integer to JSON and its schemas, and some callers have no other way to write it."""
    for path in ("/routes", "/routes/01234567-89ab-7def-8123-456789abcdef"):
        body = b'{"carrier_id": "01234567-89ab-7def-8123-456789abcdef", "weight": %s}'
        method = "POST" if path == "/routes" else "PUT"
        for written, status in ((b"5.0", 404), (b"5e1", 404), (b"5.5", 400), (b"0.0", 400), (b"1e300", 400)):
            headers = {"Content-Type": "application/json"}
            answer = admin.http.request(method, path, content=body % written, headers=headers)
            assert answer.status_code == status, answer.text


def test_so_may_one_that_could_be_a_word(account: Account) -> None:
    assert account.api.post("/messages", given(account, **{"class": 1.0}))["class"] == 1


# --- query parameters -------------------------------------------------------------------

QUERIES = {
    "page_size=ten": "page_size: ",
    "page_size=1.5": "page_size: ",
    "page_size=": "page_size: ",
    "page_size=%D9%A3": "page_size: ",
    "page_token=!!!": "page_token: ",
    "page_token=eA": "page_token: ",
    "page_token=%C3%A9": "page_token: ",
    "page_token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA": "page_token: ",
    "direction=sideways": "direction: ",
    "tm_create_from=yesterday": "tm_create_from: ",
    "tm_create_to=2026-13-01T00:00:00Z": "tm_create_to: ",
    "tm_create_to=2026-02-30 00:00:00": "tm_create_to: ",
    "source=%FF": "query string",
    "source=%ED%A0%80": "query string",
    "source=a%00b": "NUL",
    "&".join(f"a{n}=1" for n in range(200)): "query string",
}


@pytest.mark.parametrize(("query", "words"), QUERIES.items(), ids=[query[:40] for query in QUERIES])
def test_query_parameters(account: Account, query: str, words: str) -> None:
    refusal(account.api.http.get(f"/messages?{query}"), 400, "INVALID_REQUEST_PARAMETER", words)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "1969-12-31 23:59:59", "9999-12-31T23:59:59.999999Z"])
@pytest.mark.parametrize("name", ["tm_create_from", "tm_create_to"])
def test_moments_far_away_are_moments(account: Account, name: str, moment: str) -> None:
    assert account.api.call("GET", "/messages", **{name: moment}).status_code == 200


def test_a_token_of_another_list_is_no_way_in(hub: Hub, account: Account) -> None:
    """A token only says where to go on; whose rows there are is asked anew."""
    for _ in range(2):
        account.send(numbering.somebody())
    token = account.api.get("/messages", page_size=1)["next_page_token"]
    assert hub.customer().api.get("/messages", page_token=token)["result"] == []


# --- paths, methods, request ids --------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/nothing", "/v1.0", "/v2.0/messages", "/v1.0/message", "/v1.0/messages/", "/v1.0/a%00b"]
)
def test_paths_that_lead_nowhere(hub: Hub, account: Account, path: str) -> None:
    answer = account.api.http.get(f"{hub.address}{path}")
    assert refusal(answer, 404, "PATH_NOT_FOUND")["status"] == "NOT_FOUND"


@pytest.mark.parametrize(("method", "path"), [("PUT", "/messages"), ("PATCH", "/customer"), ("DELETE", "/numbers")])
def test_methods_that_a_path_does_not_answer_to(account: Account, method: str, path: str) -> None:
    answer = account.api.call(method, path)
    refusal(answer, 405, "METHOD_NOT_ALLOWED")
    assert "OPTIONS" in answer.headers["allow"]


@pytest.mark.parametrize("request_id", ["a", "A-Za-z0-9_-", "x" * 64])
def test_a_request_id_is_echoed(account: Account, request_id: str) -> None:
    headers = {"X-Request-Id": request_id}
    assert account.api.http.get("/customer", headers=headers).headers["x-request-id"] == request_id
    answer = account.api.http.get("/messages/1", headers=headers)
    assert refusal(answer, 400, "INVALID_ID")["request_id"] == request_id


@pytest.mark.parametrize("request_id", ["", "x" * 65, "a b", 'a"b', "é", "a\tb"])
def test_a_request_id_of_another_form_is_not(account: Account, request_id: str) -> None:
    answer = account.api.http.get("/messages/1", headers={b"X-Request-Id": request_id.encode("latin-1")})
    made = refusal(answer, 400, "INVALID_ID")["request_id"]
    assert made.startswith("req_")


def test_cors(hub: Hub) -> None:
    """A page of any origin may call, as the reference's may."""
    headers = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{hub.address}/v1.0/messages", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"GET", "POST"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert "Content-Type" in answer.headers["access-control-allow-headers"]
    assert httpx.get(f"{hub.address}/v1.0/messages").headers["access-control-allow-origin"] == "*"
