"""Deliveries of webhooks over HTTP: what is refused, and in which words."""

from typing import Any

import pytest

from tests.support.api import refusal
from tests.support.hub import Account

SOME_ID = "00000000-0000-7000-8000-000000000000"

BAD_FILTERS = [
    ({"type": "message_lost"}, "type: 'message_lost' is none of message_received"),
    ({"status": "sent"}, "status: 'sent' is none of pending, delivered, failed"),
    ({"message_id": "7"}, "message_id: '7' is no UUID"),
    ({"tm_create_from": "yesterday"}, "tm_create_from: 'yesterday' is no time"),
    ({"tm_create_to": "2026-13-01T00:00:00Z"}, "tm_create_to: "),
    ({"page_size": "many"}, "page_size: "),
    ({"page_token": "bm90IGFuIGlk"}, "page_token: "),
    ({"page_token": "$"}, "page_token: "),
]


@pytest.mark.parametrize(("query", "words"), BAD_FILTERS)
def test_bad_filters(account: Account, query: dict[str, str], words: str) -> None:
    answer = account.api.call("GET", "/webhook_deliveries", **query)
    refusal(answer, 400, "INVALID_REQUEST_PARAMETER", words)


def test_every_filter_at_once(account: Account) -> None:
    every = {"type": "webhook_test", "status": "failed", "message_id": SOME_ID.upper()}
    times = {"tm_create_from": "2026-01-01 00:00:00.000000", "tm_create_to": "9999-12-31T23:59:59Z"}
    answer = account.api.get("/webhook_deliveries", **every, **times, page_size=1)
    assert answer == {"result": [], "next_page_token": ""}


FROM = {"tm_create_from": "2026-01-01T00:00:00Z"}
BAD_REPLAYS = [
    ({}, "tm_create_from: it is required"),
    ({"tm_create_from": ""}, "tm_create_from: '' is no time"),
    ({"tm_create_from": 7}, "tm_create_from: expected"),
    ({**FROM, "tm_create_to": "soon"}, "tm_create_to: 'soon' is no time"),
    ({**FROM, "status": ""}, "status: "),
    ({**FROM, "type": "x"}, "type: invalid enum value 'x'; expected one of message_created, "),
    ({**FROM, "message_id": "x"}, "message_id: 'x' is no UUID"),
    ({**FROM, "page_token": "x"}, "page_token: "),
    ({**FROM, "page_token": "bm90IGFuIGlk"}, "page_token: "),
    ({**FROM, "page_token": "a" * 1000}, "page_token: "),
    ({**FROM, "everything": True}, "everything: there is no such member"),
]


@pytest.mark.parametrize(("body", "words"), BAD_REPLAYS)
def test_bad_replays(account: Account, body: dict[str, Any], words: str) -> None:
    answer = account.api.call("POST", "/webhook_deliveries/replay", body)
    refusal(answer, 400, "INVALID_ARGUMENT", words)
    assert ", ," not in answer.json()["error"]["message"]


def test_what_is_not_there(account: Account) -> None:
    for method, path in (("GET", ""), ("POST", "/replay")):
        refusal(account.api.call(method, f"/webhook_deliveries/7{path}"), 400, "INVALID_ID")
        refusal(account.api.call(method, f"/webhook_deliveries/{SOME_ID}{path}"), 404, "RESOURCE_NOT_FOUND")


def test_nothing_goes_out_where_there_is_no_webhook(account: Account) -> None:
    refusal(account.api.call("POST", "/customer/webhook_test"), 409, "STATE_INVALID", "webhook_uri")
    refusal(account.api.call("POST", "/webhook_deliveries/replay", FROM), 409, "STATE_INVALID", "webhook_uri")
