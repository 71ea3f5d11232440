"""Telnyx's words: what is sent, what its answers and its webhooks mean."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from messagehub.carriers import kinds, telnyx
from messagehub.carriers.carrier import REASONS, Arriving, Inbound, Receipt, Verdict
from messagehub.carriers.dialect import Declined, Taken, Unheard
from messagehub.carriers.failures import FAILURES
from messagehub.carriers.telnyx import Telnyx, TelnyxConfig
from messagehub.clock import SECOND
from tests.carriers.aggregator import (
    CARD,
    DESTINATION,
    NOW,
    PICTURE,
    PUBLIC_KEY,
    SOURCE,
    answer,
    called,
    from_telnyx,
    mms,
    sms,
    telnyx_headers,
)

CALLBACK_URL = "https://hub.example.com/callbacks/c1"
PROFILE = "4000eba1-a0c0-4563-9925-b25e842a7cb6"
ID = "40385f64-5717-4562-b3fc-2c963f66afa6"


def config(**members: Any) -> TelnyxConfig:
    return msgspec.convert({"api_key": "KEY1", "public_key": PUBLIC_KEY} | members, TelnyxConfig)


def dialect(callback_url: str = CALLBACK_URL, **members: Any) -> Telnyx:
    return Telnyx(config(**members), callback_url)


# --- what is sent

BOTH = {"from": SOURCE, "to": DESTINATION, "webhook_url": CALLBACK_URL, "use_profile_webhooks": False}
URLS = [PICTURE.url, CARD.url]
SENT = [
    ("text", sms("Zoë ✓"), [], {}, {"type": "SMS", "text": "Zoë ✓"}),
    ("pictures", mms(), [PICTURE, CARD], {}, {"type": "MMS", "text": "look", "media_urls": URLS}),
    ("no text", mms(""), [PICTURE], {}, {"type": "MMS", "media_urls": [PICTURE.url]}),
    (
        *("subject", mms(subject="News"), [PICTURE], {}),
        {"type": "MMS", "text": "look", "subject": "News", "media_urls": [PICTURE.url]},
    ),
    ("only a subject", sms("now", subject="News", media=[]), [], {}, {"type": "SMS", "text": "News\nnow"}),
    (
        *("profile", sms(), [], {"messaging_profile_id": PROFILE}),
        {"type": "SMS", "text": "hello", "messaging_profile_id": PROFILE},
    ),
]


@pytest.mark.parametrize(("label", "handover", "media", "members", "wanted"), SENT, ids=[case[0] for case in SENT])
def test_what_is_sent(label: str, handover: Any, media: Any, members: Any, wanted: dict[str, Any]) -> None:
    assert msgspec.json.decode(dialect(**members).request(handover, media, NOW).body) == BOTH | wanted


def test_where_it_is_sent_and_as_whom() -> None:
    request = dialect().request(sms(), [], NOW)
    assert (request.method, request.url) == ("POST", "https://api.telnyx.com/v2/messages")
    assert request.headers["authorization"] == "Bearer KEY1"
    assert request.headers["content-type"] == "application/json"
    assert dialect(base_url="http://127.0.0.1:9/v2/").request(sms(), [], NOW).url == "http://127.0.0.1:9/v2/messages"


def test_without_an_address_of_ours_the_webhooks_of_the_profile_are_used() -> None:
    body = msgspec.json.decode(dialect("").request(sms(), [], NOW).body)
    assert body == {"from": SOURCE, "to": DESTINATION, "type": "SMS", "text": "hello", "use_profile_webhooks": True}


def test_eleven_media_are_too_many() -> None:
    with pytest.raises(ValueError, match="10 media"):
        dialect().request(mms(), [PICTURE] * 11, NOW)


def test_the_same_handover_has_the_same_key_and_whatever_differs_another() -> None:
    first = sms()
    others = [structs.replace(first, retry=1), structs.replace(first, key=(first.key[0], 1)), sms("other"), mms()]
    keys = [dialect().request(each, [], NOW).headers["idempotency-key"] for each in [first, sms(), *others]]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 1 + len(others)
    moved = replace(PICTURE, url="https://hub.example.com/media/ab?token=ef")
    signed_anew = [dialect().request(mms(), [each], NOW).headers["idempotency-key"] for each in (PICTURE, moved)]
    assert signed_anew[0] != signed_anew[1]
    assert all(len(key) <= 255 and set(key) <= set("0123456789abcdef:-") for key in keys)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_any_text_arrives_as_it_was_written(text: str) -> None:
    assert msgspec.json.decode(dialect().request(sms(text), [], NOW).body)["text"] == text


# --- what its answers mean


def error(code: int | str, detail: str = "words") -> dict[str, Any]:
    return {"errors": [{"code": str(code), "title": "title", "detail": detail, "source": {"pointer": "/to"}}]}


MADE = {"data": {"id": ID, "record_type": "message", "parts": 2, "to": [{"status": "queued"}], "errors": []}}
ANSWERED = [
    ("taken", sms(), answer(200, MADE), Taken(ID, 2)),
    ("a picture taken", mms(), answer(200, MADE), Taken(ID)),
    ("nonsense", sms(), answer(200, b"<html>"), Declined("unreadable", "HTTP 200")),
    ("no id", sms(), answer(200, {"data": {"parts": 1}}), Declined("unreadable", "HTTP 200")),
    ("no data", sms(), answer(200, {"data": [ID]}), Declined("unreadable", "HTTP 200")),
    ("no number", sms(), answer(400, error(40310)), Declined("invalid_number", "40310: words")),
    ("no sender", sms(), answer(400, error(40305)), Declined("invalid_source", "40305: words")),
    ("stopped", sms(), answer(403, error(40300)), Declined("rejected", "40300: words", "opted_out")),
    ("content", sms(), answer(400, error(40322)), Declined("rejected", "40322: words", "blocked")),
    ("region", sms(), answer(400, error(40309)), Declined("refused_here", "40309: words")),
    ("media", mms(), answer(400, error(40317)), Declined("media_refused", "40317: words")),
    ("too large", mms(), answer(400, error(40302)), Declined("media_too_large", "40302: words")),
    ("queue", sms(), answer(429, error(40318)), Declined("throttled", "40318: words")),
    ("key", sms(), answer(401, error(10009)), Declined("bad_credentials", "10009: words")),
    ("money", sms(), answer(402, error(20100)), Declined("bad_credentials", "20100: words")),
    ("too fast", sms(), answer(429, error(10011), retry_after="3"), Declined("throttled", "10011: words", "", 3)),
    ("unregistered", sms(), answer(400, error(40010)), Declined("rejected", "40010: words", "invalid_source")),
    ("title only", sms(), answer(400, error(10015, "")), Declined("rejected", "10015: title")),
    ("new code", sms(), answer(422, error(49999)), Declined("rejected", "49999: words")),
    ("odd code", sms(), answer(422, error("x")), Declined("rejected", "words")),
    ("fault", sms(), answer(500, error(10007)), Declined("unwell", "10007: words")),
    ("gateway", sms(), answer(502, b"<html>"), Declined("unwell", "HTTP 502")),
    ("busy with it", sms(), answer(409, {"errors": []}), Declined("unwell", "HTTP 409")),
    ("odd errors", sms(), answer(400, {"errors": {"code": 1}}), Declined("rejected", "HTTP 400")),
]


@pytest.mark.parametrize(("label", "handover", "said", "wanted"), ANSWERED, ids=[case[0] for case in ANSWERED])
def test_what_an_answer_means(label: str, handover: Any, said: Any, wanted: Any) -> None:
    assert dialect().answered(handover, said) == wanted


def test_a_config_says_what_a_code_means() -> None:
    said = dialect(errors={"40300": "blocked"}).answered(sms(), answer(403, error(40300)))
    assert isinstance(said, Declined)
    assert said.error_code == "blocked"


def test_every_code_leads_to_a_reason_and_a_word_of_ours() -> None:
    assert {code.reason for code in telnyx.CODES.values()} <= REASONS.keys()
    assert {code.error_code for code in telnyx.CODES.values() if code.error_code} <= FAILURES.keys()
    assert set(telnyx.STATES.values()) - {"delivered", "intermediate"} <= FAILURES.keys()


JSON = st.recursive(st.none() | st.integers(0, 99999) | st.text(max_size=9), lambda inner: st.lists(inner, max_size=2))
ODD = st.fixed_dictionaries({}, optional={"data": JSON, "errors": st.lists(st.dictionaries(st.just("code"), JSON))})


@given(status=st.integers(200, 599), body=st.binary(max_size=60) | ODD.map(msgspec.json.encode))
def test_no_answer_breaks_anything(status: int, body: bytes) -> None:
    said = dialect().answered(sms(), answer(status, body))
    assert isinstance(said, Taken) or said.reason in REASONS


# --- what it calls us with


def event(kind: str, **payload: Any) -> dict[str, Any]:
    data = {"id": "e1", "record_type": "event", "event_type": kind, "occurred_at": "2026-11-21T20:00:00.000Z"}
    return {"data": data | {"payload": {"type": "SMS"} | payload}, "meta": {"attempt": 1, "delivered_to": CALLBACK_URL}}


def outbound(kind: str, status: str, *codes: int) -> dict[str, Any]:
    to = [{"phone_number": DESTINATION, "status": status, "carrier": "T-MOBILE USA, INC.", "line_type": "Wireless"}]
    errors = [{"code": str(code), "title": "Not routable", "detail": ""} for code in codes]
    return event(kind, id=ID, direction="outbound", to=to, errors=errors, **{"from": {"phone_number": SOURCE}})


def told(said: Any, **members: Any) -> Any:
    return dialect(**members).hear(from_telnyx(said), NOW)


STATUSES = [
    ("message.sent", "sent", (), "intermediate", "sent"),
    ("message.sent", "sending_failed", (), "carrier_rejected", "sending_failed"),
    ("message.finalized", "delivered", (), "delivered", "delivered"),
    ("message.read", "read", (), "delivered", "read"),
    ("message.finalized", "delivery_unconfirmed", (40004,), "intermediate", "delivery_unconfirmed 40004 Not routable"),
    ("message.finalized", "delivery_failed", (), "undelivered", "delivery_failed"),
    ("message.finalized", "delivery_failed", (40001,), "not_supported", "delivery_failed 40001 Not routable"),
    ("message.finalized", "delivery_failed", (40012, 40008), "invalid_number", "delivery_failed 40012 Not routable"),
    ("message.finalized", "delivery_failed", (40006,), "network_error", "delivery_failed 40006 Not routable"),
    ("message.finalized", "delivery_failed", (40002,), "blocked", "delivery_failed 40002 Not routable"),
    ("message.finalized", "delivery_failed", (49999,), "undelivered", "delivery_failed 49999 Not routable"),
    ("message.finalized", "sending_failed", (40300,), "opted_out", "sending_failed 40300 Not routable"),
    ("message.finalized", "sending_failed", (40310,), "invalid_number", "sending_failed 40310 Not routable"),
    ("message.finalized", "expired", (), "expired", "expired"),
]


@pytest.mark.parametrize(("kind", "status", "codes", "wanted", "words"), STATUSES)
def test_what_a_status_means(kind: str, status: str, codes: tuple[int, ...], wanted: str, words: str) -> None:
    heard = told(outbound(kind, status, *codes))
    assert heard.news == [Receipt(ID, wanted, words, DESTINATION)]
    replies = {verdict: heard.reply(verdict).status for verdict in Verdict}
    assert replies == {Verdict.TAKEN: 200, Verdict.REFUSED: 200, Verdict.BROKEN: 200, Verdict.LATER: 503}


def test_a_code_of_a_status_means_what_the_config_says() -> None:
    heard = told(outbound("message.finalized", "delivery_failed", 40006), errors={"40006": "unreachable"})
    assert heard.news[0].state == "unreachable"


NOT_NEWS = [
    outbound("message.sent", "queued"),
    outbound("message.sent", "sending"),
    event("message.link_click", id=ID),
    event("10dlc.campaign.update", id=ID),
    event("message.received", id=ID, type="WHATSAPP", to=SOURCE),
    event("message.finalized", id=ID, type="RCS"),
]


@pytest.mark.parametrize("said", NOT_NEWS)
def test_what_says_nothing_to_us_is_taken_and_left(said: Any) -> None:
    heard = told(said)
    assert (list(heard.news), heard.reply(Verdict.TAKEN).status) == ([], 200)


def inbound(**members: Any) -> dict[str, Any]:
    usual = {
        "id": "7ee4241c-f127-47e5-9c34-3aac291f8058",
        "direction": "inbound",
        "from": {"phone_number": DESTINATION, "carrier": "T-MOBILE USA, INC.", "line_type": "Wireless"},
        "to": [{"phone_number": SOURCE, "status": "webhook_delivered", "carrier": "TELNYX LLC", "line_type": "VoIP"}],
        "cc": [],
        "text": "Zoë ✓",
        "media": [],
        "encoding": "UCS-2",
        "parts": 1,
    }
    return event("message.received", **(usual | members))


def test_a_message_that_comes_in() -> None:
    (message,) = told(inbound()).news
    assert isinstance(message, Inbound)
    assert (message.source, message.destination, message.text) == (DESTINATION, SOURCE, "Zoë ✓")
    assert message.media is None
    assert message.octets is None


MEDIA = [
    {"url": "https://us-central-1.telnyxcloudstorage.com/m/1", "content_type": "image/jpeg", "size": 9, "sha256": None},
    {"url": "https://media.telnyx.com/2", "content_type": None, "size": None},
    {"url": "https://media.telnyx.com/3", "content_type": "application/smil"},
    {"url": None, "content_type": "image/png"},
    "nonsense",
]


def test_a_message_with_media_comes_in() -> None:
    (message,) = told(inbound(type="MMS", text=None, subject="News", media=MEDIA)).news
    wanted = [Arriving("image/jpeg", url=MEDIA[0]["url"]), Arriving("", url=MEDIA[1]["url"])]  # type: ignore[index]
    assert (list(message.media), message.text, message.subject) == (wanted, "", "News")


def test_in_a_group_the_number_that_is_ours_is_the_destination() -> None:
    others = [{"phone_number": "+15550000001", "status": "unknown"}]
    ours = {"phone_number": SOURCE, "status": "webhook_delivered"}
    assert told(inbound(type="MMS", to=[*others, ours])).news[0].destination == SOURCE
    assert told(inbound(to=[{"phone_number": SOURCE}])).news[0].destination == SOURCE


def test_a_message_that_is_told_twice_is_known_again_and_an_equal_one_is_not() -> None:
    first, again, other = (told(inbound(id=name)).news[0] for name in ("m1", "m1", "m2"))
    assert first.fingerprint == again.fingerprint != other.fingerprint


UNREADABLE: list[Any] = [
    [],
    {"data": None},
    {"data": {"event_type": "message.sent"}},
    event("message.sent", to=[{"status": "sent"}]),
    event("message.sent", id=ID),
    event("message.sent", id=ID, to="x"),
    outbound("message.finalized", "flying"),
    inbound(id=None),
    inbound(to=[]),
    inbound(**{"from": "x"}),
]


@pytest.mark.parametrize("said", UNREADABLE)
def test_what_is_signed_and_makes_no_sense_is_refused(said: Any) -> None:
    with pytest.raises(Unheard) as refused:
        told(said)
    assert refused.value.reply.status == 400


# --- signatures


@pytest.mark.parametrize(("seconds", "is_believed"), [(-300, True), (300, True), (-301, False), (301, False)])
def test_a_signature_is_believed_for_five_minutes(seconds: int, is_believed: bool) -> None:
    callback = from_telnyx(outbound("message.finalized", "delivered"), NOW // SECOND + seconds)
    if is_believed:
        assert len(dialect().hear(callback, NOW).news) == 1
    else:
        with pytest.raises(Unheard) as told:
            dialect().hear(callback, NOW)
        assert told.value.reply.status == 403


BODY = msgspec.json.encode(outbound("message.finalized", "delivered"))
SIGNED = telnyx_headers(BODY, NOW // SECOND)
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()
FORGED: list[tuple[str, bytes, dict[str, str]]] = [
    ("another body", BODY + b" ", SIGNED),
    ("another time", BODY, SIGNED | {"telnyx-timestamp": str(NOW // SECOND + 1)}),
    ("no time", BODY, {"telnyx-signature-ed25519": SIGNED["telnyx-signature-ed25519"]}),
    ("odd time", BODY, SIGNED | {"telnyx-timestamp": "٣"}),
    ("endless time", BODY, SIGNED | {"telnyx-timestamp": "9" * 5000}),
    ("no signature", BODY, {"telnyx-timestamp": SIGNED["telnyx-timestamp"]}),
    ("no base64", BODY, SIGNED | {"telnyx-signature-ed25519": "ü"}),
    ("short", BODY, SIGNED | {"telnyx-signature-ed25519": "AAAA"}),
    ("another key's", BODY, SIGNED | {"telnyx-signature-ed25519": OTHER_KEY * 2}),
]


@pytest.mark.parametrize(("label", "body", "headers"), FORGED, ids=[case[0] for case in FORGED])
def test_what_telnyx_did_not_sign_is_refused(label: str, body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(Unheard) as told:
        dialect().hear(replace(called(CALLBACK_URL, body), headers=headers), NOW)
    assert told.value.reply.status == 403


# --- where media are fetched

FETCHED = [  # address, whether it is told who we are; None: it is not asked at all
    ("https://media.telnyx.com/1", False),
    ("https://us-central-1.telnyxcloudstorage.com/m/1?X-Amz-Signature=a", False),
    ("https://s3.amazonaws.com/m/1", False),
    ("https://api.telnyx.com/v2/media/x", True),
    ("http://media.telnyx.com/1", None),
    ("https://telnyx.com.evil.example/x", None),
    ("https://eviltelnyx.com/x", None),
    ("http://169.254.169.254/latest/meta-data", None),
    ("https://127.0.0.1/x", None),
    ("", None),
]


@pytest.mark.parametrize(("url", "is_told"), FETCHED)
def test_media_are_fetched_from_telnyx_alone(url: str, is_told: bool | None) -> None:
    if is_told is None:
        with pytest.raises(ValueError, match=r"no media of Telnyx|not an http"):
            dialect().fetch(url)
    else:
        request = dialect().fetch(url)
        assert (request.method, request.url, "authorization" in request.headers) == ("GET", url, is_told)


def test_the_operator_can_name_further_hosts() -> None:
    assert dialect(media_hosts=["files.example.com"]).fetch("https://files.example.com/x").url


# --- its config

WRONG = [
    ({"api_key": ""}, "api_key"),
    ({"api_key": "a\r\nb"}, "api_key"),
    ({"public_key": "x"}, "public_key"),
    ({"public_key": "AAAA"}, "public_key"),
    ({"messaging_profile_id": "mine"}, "messaging_profile_id"),
    ({"base_url": "api.telnyx.com"}, "base_url"),
    ({"media_hosts": ["*"]}, "media_hosts"),
]


@pytest.mark.parametrize(("members", "named"), WRONG)
def test_a_config_that_cannot_work_is_refused_by_name(members: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        config(**members)


def test_what_is_secret_is_never_shown() -> None:
    assert "api_key" in TelnyxConfig.secrets
    given = {"api_key": "KEY1", "public_key": PUBLIC_KEY}
    assert kinds.stored("telnyx", msgspec.json.encode(given).decode()).takes == {"sms", "mms"}
