"""The dialect that a config describes: what is sent, what answers mean, and what is heard, as tables."""

import base64
import contextlib
import hmac
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import text
from messagehub.carriers.callbacks import Callback
from messagehub.carriers.carrier import REASONS, Arriving, Handover, Inbound, Medium, Receipt
from messagehub.carriers.dialect import Declined, Ready, Request, Taken, Unheard
from messagehub.carriers.http import HTTPDialect
from messagehub.carriers.kinds import parse
from messagehub.errors import Refusal
from messagehub.web import Answer

Json = dict[str, Any]

TO = {"to": "{destination}"}
EXAMPLE: Json = json.loads(
    re.search(r"```json\n(.*?)```", (Path(__file__).parents[2] / "docs/carriers.md").read_text(), re.DOTALL)[1]  # type: ignore[index]
)["config"]


def dialect(**config: Any) -> HTTPDialect:
    return HTTPDialect(parse("http", {"url": "https://c.test/send", "body": TO, **config}), "https://hub.test/cb")


def handover(words: str = "Hello", **more: Any) -> Handover:
    return Handover(("m", 3), "+15551234567", "+442079461234", text.cut(words, 0), text=words, **more)


def sent(words: str = "Hello", media: list[Ready] | None = None, **config: Any) -> Request:
    return dialect(**config).request(handover(words), media or [], 0)


def called(body: Any = b"", path: str = "", query: Json | None = None, **headers: str) -> Callback:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Callback("POST", path, query or {}, named, octets, "https://hub.test/cb", "192.0.2.1")


# --- what is sent


PICTURES = [Ready("image/jpeg", "a.jpg", url="https://h/1"), Ready("image/png", "b.png", url="https://h/2")]
FORM = {"format": "form", "body": {**TO, "text": "{text}", "url": "{media}"}}
REQUESTS: list[tuple[Json, list[Ready], str, str, bytes]] = [
    ({}, [], "POST", "https://c.test/send", b'{"to":"+442079461234"}'),
    ({"international_prefix": "00"}, [], "POST", "https://c.test/send", b'{"to":"00442079461234"}'),
    ({"body": {**TO, "t": '<{text}> "', "n": 1}}, [], "POST", "https://c.test/send",
     b'{"to":"+442079461234","t":"<a\\"&=+ \xc3\xbc> \\"","n":1}'),
    (FORM, PICTURES, "POST", "https://c.test/send",
     b"to=%2B442079461234&text=a%22%26%3D%2B+%C3%BC&url=https%3A%2F%2Fh%2F1&url=https%3A%2F%2Fh%2F2"),
    (FORM, [], "POST", "https://c.test/send", b"to=%2B442079461234&text=a%22%26%3D%2B+%C3%BC"),
    ({"method": "GET", "body": {}, "query": {**TO, "r": "{reference}"}}, [], "GET",
     "https://c.test/send?to=%2B442079461234&r=m-3", b""),
    ({"url": "https://c.test/{destination}/{text}?a=1", "query": {"b": "{callback}"}, "body": {"s": "{subject}"}}, [],
     "POST", "https://c.test/%2B442079461234/a%22%26%3D%2B%20%C3%BC?a=1&b=https%3A%2F%2Fhub.test%2Fcb", b"{}"),
    ({"body": {**TO, "m": ["{media}"], "o": {"u": "{media}"}}}, PICTURES, "POST", "https://c.test/send",
     b'{"to":"+442079461234","m":[["https://h/1","https://h/2"]],"o":{"u":["https://h/1","https://h/2"]}}'),
]  # fmt: skip


@pytest.mark.parametrize(("config", "media", "method", "url", "body"), REQUESTS)
def test_what_is_sent(config: Json, media: list[Ready], method: str, url: str, body: bytes) -> None:
    request = sent('a"&=+ ü', media, **config)
    assert (request.method, request.url, request.body) == (method, url, body)


def test_who_we_are_is_said() -> None:
    request = sent(username="me", password="pass", headers={"X-Key": "{secret}"}, secret="s")
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"me:pass").decode()
    assert request.headers["X-Key"] == "s"


@given(st.text())
def test_no_text_gets_out_of_its_place(words: str) -> None:
    body = {**TO, "t": "{text}"}
    clean = words.encode(errors="replace").decode()
    assert json.loads(sent(clean, body=body).body) == {"to": "+442079461234", **({"t": clean} if clean else {})}


# --- what its answers mean


CODES = {"id": "msg[0].id", "code": "err", "words": "why", "good": ["0"],
         "reasons": {"7": "throttled", "402": "not_ready"},
         "errors": {"9": "opted_out"}, "parts": "n"}  # fmt: skip
ANSWERS: list[tuple[Json, int, Any, Json, Taken | Declined]] = [
    (CODES, 200, {"err": 0, "msg": [{"id": 12}], "n": 2}, {}, Taken("12", 2)),
    (CODES, 200, {"err": "9", "why": "no"}, {}, Declined("rejected", "no", "opted_out")),
    (CODES, 200, {"err": "7", "why": "slow"}, {"retry-after": "3"}, Declined("throttled", "slow", "", 3)),
    (CODES, 402, {}, {}, Declined("not_ready", "402 {}")),
    ({"id": "header:X-Id"}, 201, b"", {"x-id": "h"}, Taken("h")),
    ({"id": r"regex:ID: (\w+)"}, 200, b"OK ID: abc", {}, Taken("abc")),
    (
        {"id": r"regex:ID: (\w+)"},
        200,
        b"ERR 3",
        {},
        Declined("unreadable", r"there is nothing at regex:ID: (\w+): 200 ERR 3"),
    ),
    ({"id": "id"}, 200, rb'{"id":"a","text":"Hi \ud83d"}', {}, Taken("a")),
    ({"id": "id"}, 200, b'{"id":"a","text":"caf\xe9"}', {"content-type": "text/json; charset=latin1"}, Taken("a")),
    ({}, 200, b"", {}, Taken("")),
    ({}, 204, b"", {}, Declined("rejected", "204")),
    ({}, 302, b"", {"location": "https://elsewhere.test/"}, Declined("misconfigured", "302")),
    ({}, 401, b"", {}, Declined("bad_credentials", "401")),
    ({}, 503, b"", {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}, Declined("unwell", "503")),
]


@pytest.mark.parametrize(("config", "status", "said", "headers", "meaning"), ANSWERS)
def test_what_answers_mean(config: Json, status: int, said: Any, headers: Json, meaning: Taken | Declined) -> None:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    assert dialect(**config).answered(handover(), Answer(status, headers, body)) == meaning


def test_a_message_with_media_has_one_part_whatever_is_answered() -> None:
    said = Answer(200, {}, json.dumps({"err": 0, "msg": [{"id": 12}], "n": 2}).encode())
    assert dialect(**CODES).answered(handover(media=[]), said) == Taken("12")


@pytest.mark.parametrize(("status", "reason"), [(413, "media_too_large"), (415, "media_refused"), (400, "rejected")])
def test_what_is_refused_for_its_media(status: int, reason: str) -> None:
    picture = Medium("image/jpeg", "ab" * 32, 4711, "cat.jpg")
    found = [dialect().answered(handover(media=media), Answer(status, {}, b"")) for media in ([picture], None)]
    assert [one.reason for one in found if isinstance(one, Declined)] == [reason, "rejected"]


@given(st.integers(100, 599), st.binary(max_size=200))
def test_whatever_is_answered_has_a_meaning(status: int, body: bytes) -> None:
    found = dialect(**CODES).answered(handover(), Answer(status, {}, body))
    assert isinstance(found, Taken) or found.reason in REASONS


# --- what is heard


RECEIPT: Json = {"receipt": {"id": "id", "state": "st", "destination": "to"}, "states": {"OK": "delivered"}}
INBOUND: Json = {"inbound": {"source": "from", "destination": "to", "text": "t", "id": "id", "media": "m",
                             "media_url": "u", "media_type": "ty"}, "default_country": "44"}  # fmt: skip
HEARD: list[tuple[Json, Callback, list[Receipt | Inbound]]] = [
    (RECEIPT, called({"id": "a", "st": "ok", "to": "442079461234"}),
     [Receipt("a", "delivered", "ok", "+442079461234")]),
    (RECEIPT, called({"id": 7, "st": "UNDELIV"}), [Receipt("7", "undelivered", "UNDELIV", "")]),
    (RECEIPT, called({"id": "a", "st": "buffered"}), [Receipt("a", "intermediate", "buffered", "")]),
    (RECEIPT, called(b"id=a&st=Delivered", content_type="application/x-www-form-urlencoded; charset=utf-8"),
     [Receipt("a", "delivered", "Delivered", "")]),
    (RECEIPT, called(query={"id": "a", "st": "Delivered"}), [Receipt("a", "delivered", "Delivered", "")]),
    ({"receipt": {**RECEIPT["receipt"], "items": "all"}},
     called({"all": [{"id": "a", "st": "x"}, {"id": "b", "st": "x"}]}),
     [Receipt("a", "intermediate", "x", ""), Receipt("b", "intermediate", "x", "")]),
    (INBOUND, called({"from": "07700900123", "to": "80801", "t": "Hi"}),
     [Inbound("+447700900123", "80801", "Hi", None)]),
    (INBOUND, called({"from": "Shop", "to": "+441", "t": "Hi", "m": [{"u": "https://c/1", "ty": "image/gif"}, {}]}),
     [Inbound("Shop", "+441", "Hi", None, media=[Arriving("image/gif", url="https://c/1")])]),
    (INBOUND, called({"from": "1", "to": "2", "t": "", "m": "https://c/1"}),
     [Inbound("1", "2", "", None, media=[Arriving("", url="https://c/1")])]),
    (INBOUND, called({"from": "1", "to": "2", "t": "", "m": {"u": "https://c/1", "ty": "image/gif"}}),
     [Inbound("1", "2", "", None, media=[Arriving("image/gif", url="https://c/1")])]),
    (INBOUND, called({"from": "1", "to": "2", "t": "Hi", "m": ""}), [Inbound("1", "2", "Hi", None)]),
    (RECEIPT | INBOUND, called({"id": "a", "st": "ok", "from": "1", "to": "2", "t": "x"}, "receipt"),
     [Receipt("a", "delivered", "ok", "2")]),
]  # fmt: skip


FORM_TYPE = "application/x-www-form-urlencoded"
READ: list[tuple[str, bytes, str, str]] = [  # label, body, content type, the text
    ("half a pair", rb'{"from":"1","to":"2","t":"Hi \ud83d"}', "", "Hi ?"),
    ("half a pair elsewhere", rb'{"from":"1","to":"2","t":"\ud83d\ude00","x":["\ude00"]}', "", "😀"),
    ("Latin-1", b'{"from":"1","to":"2","t":"caf\xe9"}', "application/json", "café"),
    ("Latin-1 that is said", b'{"from":"1","to":"2","t":"caf\xe9"}', "application/json; charset=ISO-8859-1", "café"),
    ("Cyrillic that is said", '{"from":"1","to":"2","t":"Жук"}'.encode("cp1251"), "text/json;charset=cp1251", "Жук"),
    ("UTF-16", '{"from":"1","to":"2","t":"Жук"}'.encode("utf-16"), "application/json; charset=utf-16", "Жук"),
    ("a byte order mark", b'\xef\xbb\xbf{"from":"1","to":"2","t":"caf\xc3\xa9"}', "", "café"),
    ("UTF-8 that says it is Latin-1", '{"from":"1","to":"2","t":"é"}'.encode(), "text/json; charset=latin1", "é"),
    ("one octet that is none", '{"from":"1","to":"2","t":"Жук'.encode() + b'\xe9"}', "", "Жукé"),
    ("form", b"from=1&to=2&t=%D0%96+caf%C3%A9", FORM_TYPE, "Ж café"),
    ("Latin-1 form", b"from=1&to=2&t=caf%E9", FORM_TYPE, "café"),
    ("Latin-1 form that is said", b"from=1&to=2&t=%C3%A9", FORM_TYPE + "; charset=iso-8859-1", "Ã©"),
    ("Cyrillic form", b"from=1&to=2&t=%C6%F3%EA", FORM_TYPE + '; charset="windows-1251"', "Жук"),
    ("loose octets", b"from=1&to=2&t=caf\xe9+x", FORM_TYPE, "café x"),
]


@pytest.mark.parametrize(("label", "body", "kind", "words"), READ, ids=[case[0] for case in READ])
def test_texts_are_read_however_they_are_written(label: str, body: bytes, kind: str, words: str) -> None:
    (message,) = dialect(**INBOUND).hear(called(body, content_type=kind), 0).news
    assert isinstance(message, Inbound)
    assert message.text == words


def test_half_a_pair_does_not_cost_the_others_of_a_batch() -> None:
    body = rb'[{"from":"1","to":"2","t":"one"},{"from":"1","to":"2","t":"two \ud83d"}]'
    news = dialect(**INBOUND).hear(called(body), 0).news
    assert [one.text for one in news if isinstance(one, Inbound)] == ["one", "two ?"]


@pytest.mark.parametrize(
    "body", [b"[{}]", b"[" * 100_000, b'["\xe9",' * 100_000, b'{"t":NaN,"x":"\xe9"}', b"1" * 10_000]
)
def test_what_is_no_news_is_not_believed(body: bytes) -> None:
    with pytest.raises(Unheard) as refused:
        dialect(**INBOUND).hear(called(body), 0)
    assert refused.value.reply.status == 400


@pytest.mark.parametrize(("config", "callback", "news"), HEARD)
def test_what_is_heard(config: Json, callback: Callback, news: list[Receipt | Inbound]) -> None:
    assert dialect(**config).hear(callback, 0).news == news


LISTS: Json = {"receipt": {**RECEIPT["receipt"], "items": "r"}, "inbound": {**INBOUND["inbound"], "items": "i"}}
RECEIVED, WRITTEN = {"id": "a", "st": "ok"}, {"from": "1", "to": "2", "t": "x"}
UNREAD: list[tuple[Json, Any, int, int]] = [  # config, what is told, how much is heard, how much cannot be read
    (RECEIPT | INBOUND, [RECEIVED, WRITTEN], 2, 0),
    (RECEIPT | INBOUND, [RECEIVED, {"id": "b"}, {"from": "1"}, WRITTEN, "x", None], 2, 4),
    (RECEIPT, [RECEIVED] * 1000, 1000, 0),
    (LISTS, {"r": [RECEIVED], "i": [WRITTEN]}, 2, 0),
    (LISTS, {"r": [RECEIVED]}, 1, 0),
    (LISTS, {"r": [RECEIVED, {"id": "b"}], "i": []}, 1, 1),
    (RECEIPT | {"inbound": LISTS["inbound"]}, {**RECEIVED, "i": []}, 1, 0),
    (LISTS, {"r": []}, 0, 0),
    (RECEIPT | INBOUND, [], 0, 0),
    (LISTS | {"inbound": INBOUND["inbound"]}, {"r": [RECEIVED]}, 1, 0),
]


@pytest.mark.parametrize(("config", "said", "heard", "unread"), UNREAD)
def test_what_cannot_be_read_in_a_list_is_counted(config: Json, said: Any, heard: int, unread: int) -> None:
    found = dialect(**config).hear(called(json.dumps(said).encode()), 0)
    assert (len(found.news), found.unread) == (heard, unread)


def test_a_list_is_heard_whole_or_not_at_all() -> None:
    with pytest.raises(Unheard) as refused:
        dialect(**RECEIPT).hear(called(json.dumps([RECEIVED] * 1001).encode()), 0)
    assert (refused.value.reply.status, b"1001" in refused.value.reply.body) == (413, True)


def test_messages_with_an_id_are_known_by_it() -> None:
    marks = [
        dialect(**INBOUND).hear(called({"from": "1", "to": "2", "t": words, "id": name}), 0).news[0]
        for name, words in (("a", "x"), ("a", "y"), ("b", "x"))
    ]
    first, again, other = (one.fingerprint for one in marks if isinstance(one, Inbound))
    assert first == again != other


SIGNED = hmac.new(b"s", b'{"id":"a","st":"ok"}', "sha256")
AUTHS: list[tuple[Json, Json]] = [
    ({"callback_auth": "header", "callback_name": "X-T"}, {"x_t": "s"}),
    (
        {"callback_auth": "basic", "callback_name": "me"},
        {"authorization": "Basic " + base64.b64encode(b"me:s").decode()},
    ),
    ({"callback_auth": "hmac_sha256", "callback_name": "X-Sig"}, {"x_sig": "sha256=" + SIGNED.hexdigest()}),
    ({"callback_auth": "hmac_sha256", "callback_name": "X-Sig"}, {"x_sig": base64.b64encode(SIGNED.digest()).decode()}),
    ({"callback_auth": "query", "callback_name": "k"}, {"query": {"k": "s"}}),
]


@pytest.mark.parametrize(("config", "shown"), AUTHS)
def test_only_the_carrier_is_believed(config: Json, shown: Json) -> None:
    ours = dialect(**RECEIPT, **config, callback_secret="s")
    body = b'{"id":"a","st":"ok"}'
    assert ours.hear(called(body, **shown), 0).news
    others: Json = {name: "ü" if isinstance(value, str) else {"k": "t"} for name, value in shown.items()}
    for wrong in ({}, others):
        with pytest.raises(Unheard) as refused:
            ours.hear(called(body, **wrong), 0)
        assert refused.value.reply.status == 403


@given(st.binary(max_size=300), st.sampled_from(["", "application/json", "application/x-www-form-urlencoded"]))
def test_whatever_is_told_is_heard_or_not_believed(body: bytes, kind: str) -> None:
    ours = dialect(**RECEIPT, **INBOUND)
    with contextlib.suppress(Unheard):
        assert ours.hear(called(body, content_type=kind), 0).news or not json.loads(body)


# --- its config


WRONG: list[tuple[Json, str]] = [
    ({"url": "ftp://c.test/"}, "url: not an http"),
    ({"url": "https://c.test/{phone}"}, "url: there is no {phone}; there are source"),
    ({"body": {"a": [{"b": "{phone}"}]}}, "body.a[0].b: there is no {phone}"),
    ({"body": {"a": "{text}"}}, "{destination} stands nowhere"),
    ({"headers": {"Authorization": "Bearer abc"}}, "headers.Authorization: write {secret}"),
    ({"headers": {"X-Key": "{secret}"}}, "secret: {secret} is used"),
    ({"method": "GET"}, "body: a GET has none"),
    ({"id": "a..b"}, "id: 'a..b' is no place"),
    ({"id": "regex:("}, "id: "),
    ({"id": "regex:abc"}, "id: the expression needs one group"),
    ({"good": ["0"]}, "good: say in `code`"),
    ({"takes": ["sms", "mms"]}, "takes: for mms {media} must stand"),
    ({"callback_auth": "header"}, "callback_name: it is needed"),
    ({"reasons": {"1": "nonsense"}}, "config.reasons"),
    ({"media_types": ["image/webp"]}, "media_types: 'image/webp' is none of"),
    ({"tls_ca": "no"}, "config.tls_ca: this is not in PEM form"),
]


@pytest.mark.parametrize(("config", "words"), WRONG)
def test_a_config_that_cannot_work_is_refused_by_the_name_of_its_member(config: Json, words: str) -> None:
    with pytest.raises(Refusal) as refused:
        dialect(**config)
    assert words in refused.value.message


def test_the_example_of_the_page() -> None:
    ours = HTTPDialect(parse("http", EXAMPLE), "https://hub.test/cb")
    said = json.loads(ours.request(handover(), [], 0).body)
    assert said["to"] == ["442079461234"]
    assert said["webhook"] == "https://hub.test/cb/receipt"
    taken = ours.answered(handover(), Answer(200, {}, b'{"messages":[{"id":"x"}]}'))
    assert taken == Taken("x")
    refused = ours.answered(handover(), Answer(400, {}, b'{"messages":[{"error":{"code":4009,"title":"no"}}]}'))
    assert refused == Declined("rejected", "no", "opted_out")
    receipt = called({"message_id": "x", "status": "DELIVERED_TO_HANDSET", "to": "442079461234"}, "receipt",
                     x_example_token="a word that both know")  # fmt: skip
    assert ours.hear(receipt, 0).news == [Receipt("x", "delivered", "DELIVERED_TO_HANDSET", "+442079461234")]
