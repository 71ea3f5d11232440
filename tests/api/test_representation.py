"""Answers as their callers want them: compressed, or only when they are new. And to pages of other origins."""

import gzip
import json
import re
import zlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.api.representation import Fixed, matches, represent, tag_of, takes_gzip
from tests.support import numbering
from tests.support.hub import Account, Hub
from tests.support.raw import Answer, line, request

FIXED = ["/", "/openapi.json"]


def ask(hub: Hub, first: str, *headers: str) -> Answer:
    with line(hub) as peer:
        return peer.ask(request(first, *headers), first.partition(" ")[0])


def key(account: Account) -> str:
    return f"Authorization: Bearer {account.api.key}"


@pytest.fixture(scope="module")
def sender(hub: Hub) -> Account:
    """Whose list of messages is long enough to be worth compressing."""
    account = hub.customer()
    for _ in range(3):
        account.send(numbering.somebody())
    for message in account.api.get("/messages")["result"]:
        account.settled(message)
    return account


# --- compressed -------------------------------------------------------------------------

ACCEPTS = [
    (b"", False),
    (b"gzip", True),
    (b"GZIP", True),
    (b"x-gzip", True),
    (b"*", True),
    (b"gzip, deflate, br, zstd", True),
    (b"deflate, gzip;q=1.0, *;q=0.5", True),
    (b"br", False),
    (b"identity", False),
    (b"gzip;q=0", False),
    (b"gzip;q=0.000", False),
    (b"*;q=0", False),
    (b"gzip;q=0, *", False),
    (b"gzip;q=0.5, identity", False),
    (b"gzip;q=0.5, identity;q=0.5", True),
    (b"identity;q=0, *", True),
    (b"gzip ; q=0.2", True),
    (b"gzip;q=high", False),
    (b"gzip;level=9;q=0.1", True),
    (b",,gzip,,", True),
    (b"gzipped", False),
]


@pytest.mark.parametrize(("accepts", "takes"), ACCEPTS)
def test_who_takes_gzip(accepts: bytes, takes: bool) -> None:
    assert takes_gzip(accepts) is takes


@given(st.binary(max_size=60))
def test_whatever_stands_there_there_is_an_answer(accepts: bytes) -> None:
    assert takes_gzip(accepts) in (True, False)


@pytest.mark.parametrize("path", [*FIXED, "/v1.0/messages"])
def test_the_compressed_form_is_the_same(hub: Hub, sender: Account, path: str) -> None:
    plain = ask(hub, f"GET {path}", key(sender))
    packed = ask(hub, f"GET {path}", key(sender), "Accept-Encoding: br, gzip;q=0.8")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)
    assert plain.headers["etag"] != packed.headers["etag"]
    for answer in (plain, packed):
        assert answer.headers["vary"] == "Accept-Encoding"


def test_head_tells_of_the_compressed_form_too(hub: Hub, sender: Account) -> None:
    packed, head = (
        ask(hub, f"{method} /v1.0/messages", key(sender), "Accept-Encoding: gzip") for method in ("GET", "HEAD")
    )
    own = {"x-request-id": "", "date": ""}
    assert {**head.headers, **own} == {**packed.headers, **own}


def test_what_is_small_stays_plain(hub: Hub, sender: Account) -> None:
    for path in ("/healthz", "/v1.0/numbers", "/v1.0/nothing"):
        assert "content-encoding" not in ask(hub, f"GET {path}", key(sender), "Accept-Encoding: gzip").headers


async def test_what_is_very_large_is_compressed_too() -> None:
    body = json.dumps(list(range(100_000))).encode()
    status, packed, headers = await represent(body, {b"accept-encoding": b"gzip"}, is_read=False)
    assert (status, dict(headers)[b"content-encoding"]) == (200, b"gzip")
    assert zlib.decompress(packed, wbits=31) == body


# --- only when it is new ----------------------------------------------------------------


@pytest.mark.parametrize("path", [*FIXED, "/v1.0/messages", "/v1.0/customer", "/v1.0/numbers"])
@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_caller_has_is_not_sent_again(hub: Hub, sender: Account, path: str, coding: str, method: str) -> None:
    headers = (key(sender), f"Accept-Encoding: {coding}")
    first = ask(hub, f"GET {path}", *headers)
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}(-gzip)?"', tag)
    for tags in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = ask(hub, f"{method} {path}", *headers, f"If-None-Match: {tags}")
        assert (again.status, again.body) == (304, b"")
        kept = first.headers.keys() - {"content-length", "content-encoding", "date", "x-request-id"}
        assert {name: again.headers[name] for name in kept} == {name: first.headers[name] for name in kept}
        assert "content-length" not in again.headers
    for tags in ('"x"', tag.strip('"'), "", "W/"):
        assert ask(hub, f"{method} {path}", *headers, f"If-None-Match: {tags}").status == 200


def test_a_change_is_news(hub: Hub, sender: Account) -> None:
    tag = ask(hub, "GET /v1.0/messages", key(sender)).headers["etag"]
    sender.settled(sender.send(numbering.somebody()))
    assert ask(hub, "GET /v1.0/messages", key(sender), f"If-None-Match: {tag}").status == 200


def test_the_same_again_on_one_connection(hub: Hub, sender: Account) -> None:
    with line(hub) as peer:
        tag = peer.ask(request("GET /v1.0/messages", key(sender))).headers["etag"]
        for _ in range(3):
            assert peer.ask(request("GET /v1.0/messages", key(sender), f"If-None-Match: {tag}")).status == 304
        assert peer.ask(request("GET /healthz")).status == 200


def test_what_is_written_is_never_left_out(hub: Hub, sender: Account) -> None:
    answer = sender.api.http.post("/messages/segments", json={"text": "Hello"}, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.json()["parts"]) == (200, 1)
    assert "etag" not in answer.headers


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_tags_tell_bodies_apart(one: bytes, other: bytes) -> None:
    assert (tag_of(one) == tag_of(other)) == (one == other)
    assert matches(tag_of(one), tag_of(other)) == (one == other)
    assert Fixed(one).represent({b"if-none-match": tag_of(other)})[0] == (304 if one == other else 200)


def test_what_is_kept_where(hub: Hub, sender: Account) -> None:
    """What is a customer's is in no cache; what is the same for all may be, and is asked for anew."""
    for path in ("/v1.0/messages", "/v1.0/customer"):
        assert ask(hub, f"GET {path}", key(sender)).headers["cache-control"] == "no-store"
    for path in FIXED:
        assert ask(hub, f"GET {path}").headers["cache-control"] == "no-cache"


# --- pages of other origins -------------------------------------------------------------

ORIGIN = {"Origin": "https://example.com"}


@pytest.mark.parametrize("path", ["/v1.0/messages", "/v1.0/messages/1", "/v1.0/customer", "/openapi.json", "/healthz"])
def test_a_preflight_needs_no_key(hub: Hub, path: str) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}
    answer = httpx.options(f"{hub.address}{path}", headers={**ORIGIN, **asks})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert int(answer.headers["access-control-max-age"]) > 0
    assert answer.headers["access-control-allow-methods"] == answer.headers["allow"]
    allowed = set(answer.headers["access-control-allow-headers"].split(", "))
    assert allowed >= {"Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-Id"}


def test_every_answer_may_be_read_by_any_page(hub: Hub, sender: Account) -> None:
    octets = [
        request("GET /healthz"),
        request("GET /"),
        request("GET /v1.0/messages", key(sender)),
        request("GET /v1.0/messages", key(sender), "If-None-Match: *"),
        request("GET /v1.0/messages"),
        request("GET /nothing"),
        request("PATCH /healthz"),
        request("POST /v1.0/messages", key(sender), "Content-Length: 1", body=b"{"),
        request("GET /healthz", host="Host:\0"),
    ]
    with line(hub) as peer:
        for each in octets:
            answer = peer.ask(each)
            assert answer.headers["access-control-allow-origin"] == "*", answer
            exposed = set(answer.headers["access-control-expose-headers"].split(", "))
            assert exposed >= {"X-Request-Id", "Retry-After", "ETag"}
