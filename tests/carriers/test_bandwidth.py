"""Bandwidth's words: what is sent, what its answers and its callbacks mean."""

from base64 import b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.carriers import bandwidth, kinds
from messagehub.carriers.bandwidth import Bandwidth, BandwidthConfig
from messagehub.carriers.callbacks import Callback
from messagehub.carriers.carrier import REASONS, Arriving, Inbound, Receipt, Verdict
from messagehub.carriers.dialect import Declined, Taken, Unheard
from messagehub.carriers.failures import FAILURES
from messagehub.clock import SECOND
from tests.carriers.aggregator import CARD, DESTINATION, NOW, PICTURE, SOURCE, answer, called, mms, sms

ID = "14762070468292kw2fuqty55yp2b2"
USUAL = {
    "account_id": "5500001",
    "username": "api",
    "password": "secret",
    "application_id": "93de2206-9669-4e07-948d-329f4b722ee2",
    "callback_username": "bw",
    "callback_password": "callback-secret",
}


def config(**members: Any) -> BandwidthConfig:
    return msgspec.convert(USUAL | members, BandwidthConfig)


def dialect(**members: Any) -> Bandwidth:
    return Bandwidth(config(**members), "https://hub.example.com/callbacks/c1")


# --- what is sent

BOTH = {"applicationId": USUAL["application_id"], "to": [DESTINATION], "from": SOURCE}
SOON = NOW + 90 * SECOND
SENT = [
    ("text", sms("Zoë ✓"), [], {"text": "Zoë ✓"}),
    ("pictures", mms(), [PICTURE, CARD], {"text": "look", "media": [PICTURE.url, CARD.url]}),
    ("no text", mms(""), [PICTURE], {"media": [PICTURE.url]}),
    ("subject", mms(subject="News"), [PICTURE], {"text": "News\nlook", "media": [PICTURE.url]}),
    ("validity", sms(expire_at=SOON), [], {"text": "hello", "expiration": "2026-09-21T14:14:50Z"}),
    ("late", sms(expire_at=NOW - 5), [], {"text": "hello", "expiration": "2026-09-21T14:13:21Z"}),
    ("validity of a picture", mms(expire_at=SOON), [PICTURE], {"text": "look", "media": [PICTURE.url]}),
]


@pytest.mark.parametrize(("label", "handover", "media", "wanted"), SENT, ids=[case[0] for case in SENT])
def test_what_is_sent(label: str, handover: Any, media: Any, wanted: dict[str, Any]) -> None:
    assert msgspec.json.decode(dialect().request(handover, media, NOW).body) == BOTH | wanted


def test_where_it_is_sent_and_as_whom() -> None:
    request = dialect().request(sms(), [], NOW)
    assert (request.method, request.url) == (
        "POST",
        "https://messaging.bandwidth.com/api/v2/users/5500001/messages",
    )
    assert request.headers["authorization"] == "Basic YXBpOnNlY3JldA=="
    assert request.headers["content-type"] == "application/json; charset=utf-8"


def test_eleven_media_are_too_many() -> None:
    with pytest.raises(ValueError, match="10 media"):
        dialect().request(mms(), [PICTURE] * 11, NOW)


# --- what its answers mean


def error(kind: str, *fields: str) -> dict[str, Any]:
    named = [{"fieldName": field, "description": f"{field} is wrong"} for field in fields]
    return {"type": kind, "description": "words"} | ({"fieldErrors": named} if fields else {})


MADE = {"id": ID, "owner": SOURCE, "segmentCount": 2, "direction": "out", "to": [DESTINATION], "priority": "default"}
ANSWERED = [
    ("taken", sms(), answer(202, MADE), Taken(ID, 2)),
    ("a picture taken", mms(), answer(202, MADE | {"segmentCount": 1}), Taken(ID)),
    ("nonsense", sms(), answer(202, b"<html>"), Declined("unreadable", "HTTP 202")),
    ("to", sms(), answer(400, error("invalid", "to[0]")), Declined("invalid_number", "invalid: to[0]: to[0] is wrong")),
    ("from", sms(), answer(400, error("invalid", "from")), Declined("invalid_source", "invalid: from: from is wrong")),
    (
        "media",
        mms(),
        answer(400, error("invalid", "media", "to")),
        Declined("media_refused", "invalid: media: media is wrong"),
    ),
    ("other member", sms(), answer(400, error("invalid", "x")), Declined("rejected", "invalid: x: x is wrong")),
    ("no member", sms(), answer(400, error("invalid")), Declined("rejected", "invalid: words")),
    ("password", sms(), answer(401, error("unauthorized")), Declined("bad_credentials", "unauthorized: words")),
    ("rights", sms(), answer(403, error("forbidden")), Declined("bad_credentials", "forbidden: words")),
    ("path", sms(), answer(404, {"status": 404, "error": "Not Found"}), Declined("misconfigured", "HTTP 404")),
    (
        *("queue", sms(), answer(429, error("max-message-queue-size-exceeded"), retry_after="9")),
        Declined("throttled", "max-message-queue-size-exceeded: words", "", 9),
    ),
    ("fault", sms(), answer(500, b""), Declined("unwell", "HTTP 500")),
    ("odd members", sms(), answer(400, {"type": 1, "fieldErrors": [[]]}), Declined("rejected", "1")),
]


@pytest.mark.parametrize(("label", "handover", "said", "wanted"), ANSWERED, ids=[case[0] for case in ANSWERED])
def test_what_an_answer_means(label: str, handover: Any, said: Any, wanted: Any) -> None:
    assert dialect().answered(handover, said) == wanted


def test_every_code_leads_to_a_reason_and_a_word_of_ours() -> None:
    assert {code.reason for code in bandwidth.CODES.values()} <= REASONS.keys()
    assert {code.error_code for code in bandwidth.CODES.values() if code.error_code} <= FAILURES.keys()
    assert {*bandwidth.FIELDS.values(), *bandwidth.KINDS.values()} <= REASONS.keys()


@given(status=st.integers(200, 599), body=st.binary(max_size=60))
def test_no_answer_breaks_anything(status: int, body: bytes) -> None:
    said = dialect().answered(sms(), answer(status, body))
    assert isinstance(said, Taken) or said.reason in REASONS


# --- what it calls us with


def signed(body: Any, user: str = "bw", password: str = "callback-secret") -> Callback:
    octets = body if isinstance(body, bytes) else msgspec.json.encode(body)
    basic = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
    return called("https://hub.example.com/callbacks/c1", octets, authorization=basic)


def event(kind: str, code: int = 0, **message: Any) -> dict[str, Any]:
    usual = {"id": ID, "owner": SOURCE, "from": SOURCE, "to": [DESTINATION], "direction": "out", "segmentCount": 1}
    told = {"type": kind, "time": "2026-09-21T14:13:20Z", "description": "words", "to": DESTINATION}
    return told | {"message": usual | message} | ({"errorCode": code} if code else {})


def told(*events: Any, **members: Any) -> Any:
    return dialect(**members).hear(signed(list(events)), NOW)


STATUSES = [
    ("message-delivered", 0, "delivered", "delivered words"),
    ("message-read", 0, "delivered", "read words"),
    ("message-failed", 4720, "invalid_number", "failed 4720 words"),
    ("message-failed", 4702, "unreachable", "failed 4702 words"),
    ("message-failed", 4775, "opted_out", "failed 4775 words"),
    ("message-failed", 4470, "blocked", "failed 4470 words"),
    ("message-failed", 4780, "carrier_busy", "failed 4780 words"),
    ("message-failed", 4403, "invalid_source", "failed 4403 words"),
    ("message-failed", 5600, "network_error", "failed 5600 words"),
    ("message-failed", 9902, "intermediate", "failed 9902 words"),
    ("message-failed", 4999, "undelivered", "failed 4999 words"),
    ("message-failed", 0, "undelivered", "failed words"),
]


@pytest.mark.parametrize(("kind", "code", "wanted", "words"), STATUSES)
def test_what_a_status_means(kind: str, code: int, wanted: str, words: str) -> None:
    heard = told(event(kind, code))
    assert heard.news == [Receipt(ID, wanted, words, DESTINATION)]
    replies = {verdict: heard.reply(verdict).status for verdict in Verdict}
    assert replies == {Verdict.TAKEN: 200, Verdict.REFUSED: 200, Verdict.BROKEN: 200, Verdict.LATER: 503}


def test_a_code_of_a_status_means_what_the_config_says() -> None:
    assert told(event("message-failed", 4720), errors={"4720": "barred"}).news[0].state == "barred"


def test_what_says_nothing_to_us_is_taken_and_left() -> None:
    heard = told(event("message-sending"), {"type": "something-new"})
    assert (list(heard.news), heard.reply(Verdict.TAKEN).status) == ([], 200)


def test_several_events_come_at_once() -> None:
    heard = told(event("message-delivered"), event("message-failed", 4720, id="other"))
    assert [(receipt.name, receipt.state) for receipt in heard.news] == [(ID, "delivered"), ("other", "invalid_number")]


MEDIA = "https://messaging.bandwidth.com/api/v2/users/5500001/media/14762070468292kw2fuqty55yp2b2/0/"


def inbound(**members: Any) -> dict[str, Any]:
    people = {"from": DESTINATION, "to": [SOURCE], "owner": SOURCE, "direction": "in", "text": "Zoë ✓"}
    return event("message-received", **(people | members)) | {"to": SOURCE}


def test_a_message_that_comes_in() -> None:
    (message,) = told(inbound()).news
    assert isinstance(message, Inbound)
    assert (message.source, message.destination, message.text) == (DESTINATION, SOURCE, "Zoë ✓")
    assert message.media is None


def test_a_message_with_media_comes_in() -> None:
    (message,) = told(inbound(text="", media=[f"{MEDIA}0.smil", f"{MEDIA}bw.png", None])).news
    assert list(message.media) == [Arriving("", url=f"{MEDIA}bw.png")]


def test_a_message_that_is_told_twice_is_known_again_and_an_equal_one_is_not() -> None:
    first, again, other = (told(inbound(id=name)).news[0] for name in ("m1", "m1", "m2"))
    assert first.fingerprint == again.fingerprint != other.fingerprint


UNREADABLE: list[Any] = [
    b"",
    b"\xff",
    b"[" * 5000,
    {},
    [],
    ["x"],
    [event("message-delivered", id=None)],
    [{"type": "message-failed"}],
    [inbound(**{"from": ""})],
]


@pytest.mark.parametrize("said", UNREADABLE)
def test_what_makes_no_sense_is_refused(said: Any) -> None:
    with pytest.raises(Unheard) as refused:
        dialect().hear(signed(said), NOW)
    assert refused.value.reply.status == 400


@pytest.mark.parametrize(("user", "password"), [("bw", "other"), ("other", "callback-secret"), ("", "")])
def test_who_does_not_know_the_password_is_asked_for_it(user: str, password: str) -> None:
    body = [event("message-delivered")]
    with pytest.raises(Unheard) as refused:
        dialect().hear(signed(body, user, password), NOW)
    assert refused.value.reply.status == 401
    assert refused.value.reply.headers["www-authenticate"].startswith("Basic ")
    with pytest.raises(Unheard):
        dialect().hear(called("https://hub.example.com/callbacks/c1", msgspec.json.encode(body)), NOW)


# --- where media are fetched


def test_media_are_fetched_from_bandwidth_alone() -> None:
    assert dialect().fetch(f"{MEDIA}bw.png").headers == {"authorization": "Basic YXBpOnNlY3JldA=="}
    assert dialect(media_hosts=["files.example.com"]).fetch("https://files.example.com/x").headers == {}
    for url in ("http://messaging.bandwidth.com/x", "https://bandwidth.com.evil.example/", "https://10.0.0.1/", ""):
        with pytest.raises(ValueError, match=r"no media of Bandwidth|not an http"):
            dialect().fetch(url)


# --- its config

WRONG = [
    ({"account_id": "../x"}, "account_id"),
    ({"username": "a:b"}, "username"),
    ({"password": ""}, "password"),
    ({"application_id": ""}, "application_id"),
    ({"callback_username": ""}, "callback_username"),
    ({"callback_password": ""}, "callback_password"),
    ({"base_url": "x"}, "base_url"),
]


@pytest.mark.parametrize(("members", "named"), WRONG)
def test_a_config_that_cannot_work_is_refused_by_name(members: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        config(**members)


def test_what_is_secret_is_never_shown() -> None:
    assert {"password", "callback_password"} <= BandwidthConfig.secrets
    assert kinds.stored("bandwidth", msgspec.json.encode(USUAL).decode()).takes == {"sms", "mms"}
