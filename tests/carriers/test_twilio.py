"""Twilio's words: what is sent, what its answers and its callbacks mean."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.carriers import kinds, twilio
from messagehub.carriers.carrier import REASONS, Arriving, Inbound, Receipt, Verdict
from messagehub.carriers.dialect import Declined, Taken, Unheard
from messagehub.carriers.failures import FAILURES
from messagehub.carriers.twilio import Twilio, TwilioConfig
from messagehub.carriers.web_config import NOT_REACHED, unreached
from messagehub.clock import SECOND
from tests.carriers.aggregator import (
    CARD,
    DESTINATION,
    NOW,
    PICTURE,
    SOURCE,
    answer,
    called,
    from_twilio,
    mms,
    sms,
)

CALLBACK_URL = "https://hub.example.com/callbacks/c1"
ACCOUNT, TOKEN = "AC0123456789abcdef0123456789abcdef", "not-a-token"
SID = "SM00000000000000000000000000000001"


def config(**members: Any) -> TwilioConfig:
    return msgspec.convert({"account_sid": ACCOUNT, "auth_token": TOKEN} | members, TwilioConfig)


def dialect(**members: Any) -> Twilio:
    return Twilio(config(**members), CALLBACK_URL)


def form(handover: Any, media: Any = (), **members: Any) -> dict[str, list[str]]:
    return parse_qs(dialect(**members).request(handover, media, NOW).body.decode(), strict_parsing=True)


# --- what is sent

BOTH = {"To": [DESTINATION], "From": [SOURCE], "StatusCallback": [f"{CALLBACK_URL}#rc=3&rp=5xx,ct,rt"]}
SENT = [
    ("text", sms("hello & good+bye = ✓"), [], {}, {"Body": ["hello & good+bye = ✓"]}),
    ("pictures", mms(), [PICTURE, CARD], {}, {"Body": ["look"], "MediaUrl": [PICTURE.url, CARD.url]}),
    ("no text", mms(""), [PICTURE], {}, {"MediaUrl": [PICTURE.url]}),
    ("subject", mms(subject="News"), [PICTURE], {}, {"Body": ["News\nlook"], "MediaUrl": [PICTURE.url]}),
    ("only a subject", sms("", subject="News", media=[]), [], {}, {"Body": ["News"]}),
    ("service", sms(), [], {"messaging_service_sid": "MG1"}, {"Body": ["hello"], "MessagingServiceSid": ["MG1"]}),
    ("validity", sms(expire_at=NOW + 90 * SECOND), [], {}, {"Body": ["hello"], "ValidityPeriod": ["90"]}),
    ("late", sms(expire_at=NOW - 5), [], {}, {"Body": ["hello"], "ValidityPeriod": ["1"]}),
    ("long validity", sms(expire_at=NOW + 86_400 * SECOND), [], {}, {"Body": ["hello"]}),
    ("own validity", sms(), [], {"validity_period": 600}, {"Body": ["hello"], "ValidityPeriod": ["600"]}),
]


@pytest.mark.parametrize(("label", "handover", "media", "members", "wanted"), SENT, ids=[case[0] for case in SENT])
def test_what_is_sent(label: str, handover: Any, media: Any, members: Any, wanted: dict[str, list[str]]) -> None:
    assert form(handover, media, **members) == BOTH | wanted


def test_where_it_is_sent_and_as_whom() -> None:
    request = dialect().request(sms(), [], NOW)
    assert (request.method, request.url) == (
        "POST",
        f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
    )
    basic = "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpub3QtYS10b2tlbg=="
    assert request.headers["authorization"] == basic
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    keyed = dialect(api_key_sid="SK1", api_key_secret="s").request(sms(), [], NOW)
    assert keyed.headers["authorization"] == "Basic U0sxOnM="
    elsewhere = dialect(base_url="https://you.signalwire.com/api/laml/", account_sid="3bc0b-1").request(sms(), [], NOW)
    assert parse_qs(elsewhere.body.decode())["StatusCallback"] == [CALLBACK_URL]
    assert elsewhere.url == "https://you.signalwire.com/api/laml/2010-04-01/Accounts/3bc0b-1/Messages.json"


def test_eleven_media_are_too_many() -> None:
    with pytest.raises(ValueError, match="10 media"):
        dialect().request(mms(), [PICTURE] * 11, NOW)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_any_text_arrives_as_it_was_written(text: str) -> None:
    assert parse_qs(dialect().request(sms(text), [], NOW).body.decode())["Body"] == [text]


# --- what its answers mean


def error(code: int, words: str = "words") -> dict[str, Any]:
    return {"code": code, "message": words, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": 400}


MADE = {"sid": SID, "status": "queued", "num_segments": "2", "error_code": None, "error_message": None}
ANSWERED = [
    ("taken", sms(), answer(201, MADE), Taken(SID, 2)),
    ("taken by a service", sms(), answer(201, MADE | {"num_segments": "0"}), Taken(SID, 0)),
    ("a picture taken", mms(), answer(201, MADE | {"num_segments": "1"}), Taken(SID)),
    ("nonsense", sms(), answer(200, b"<html>"), Declined("unreadable", "HTTP 200")),
    ("no sid", sms(), answer(201, {"status": "queued"}), Declined("unreadable", "HTTP 201")),
    ("no number", sms(), answer(400, error(21211)), Declined("invalid_number", "21211: words")),
    ("no sender", sms(), answer(400, error(21606)), Declined("invalid_source", "21606: words")),
    ("stopped", sms(), answer(400, error(21610)), Declined("rejected", "21610: words", "opted_out")),
    ("region", sms(), answer(400, error(21408)), Declined("refused_here", "21408: words")),
    ("landline", sms(), answer(400, error(21614)), Declined("invalid_number", "21614: words")),
    ("queue of the sender", sms(), answer(429, error(21611)), Declined("full", "21611: words")),
    ("too long", sms(), answer(400, error(21617)), Declined("too_long", "21617: words")),
    ("media", mms(), answer(400, error(21620)), Declined("media_refused", "21620: words")),
    ("our callback", sms(), answer(400, error(21609)), Declined("misconfigured", "21609: words")),
    ("password", sms(), answer(401, error(20003)), Declined("bad_credentials", "20003: words")),
    ("day's limit", sms(), answer(429, error(63038)), Declined("refused_here", "63038: words", "carrier_busy")),
    ("too fast", sms(), answer(429, error(20429), retry_after="7"), Declined("throttled", "20429: words", "", 7)),
    ("too fast, wordless", sms(), answer(429, b"", retry_after="x"), Declined("throttled", "HTTP 429")),
    ("unregistered", sms(), answer(400, error(30034)), Declined("rejected", "30034: words", "invalid_source")),
    ("new code", sms(), answer(400, error(21999)), Declined("rejected", "21999: words")),
    ("new code, theirs", sms(), answer(500, error(20999)), Declined("unwell", "20999: words")),
    ("fault", sms(), answer(503, b"<html>", retry_after="30"), Declined("unwell", "HTTP 503", "", 30)),
    ("redirect", sms(), answer(301), Declined("misconfigured", "HTTP 301")),
    ("not there", sms(), answer(404, error(20404)), Declined("misconfigured", "20404: words")),
    ("a list", sms(), answer(400, [1]), Declined("rejected", "HTTP 400")),
    ("odd members", sms(), answer(400, {"code": {}, "message": [1]}), Declined("rejected", "HTTP 400")),
]


@pytest.mark.parametrize(("label", "handover", "said", "wanted"), ANSWERED, ids=[case[0] for case in ANSWERED])
def test_what_an_answer_means(label: str, handover: Any, said: Any, wanted: Any) -> None:
    assert dialect().answered(handover, said) == wanted


def test_a_config_says_what_a_code_means() -> None:
    ours = dialect(errors={"21999": "blocked", "30003": "barred", "21610": "blocked"})
    codes = [ours.answered(sms(), answer(400, error(code))) for code in (21999, 30003, 21610)]
    assert [declined.error_code for declined in codes if isinstance(declined, Declined)] == [
        "blocked",
        "barred",
        "blocked",
    ]


def test_a_date_to_try_again_counts_from_the_date_of_the_answer() -> None:
    dates = {"date": "Sun, 06 Nov 1994 08:49:37 GMT", "retry_after": "Sun, 06 Nov 1994 08:49:57 GMT"}
    said = dialect().answered(sms(), answer(429, error(20429), **dates))
    assert isinstance(said, Declined)
    assert said.retry_after == 20


def test_every_code_leads_to_a_reason_and_a_word_of_ours() -> None:
    assert {code.reason for code in twilio.CODES.values()} <= REASONS.keys()
    assert {code.error_code for code in twilio.CODES.values() if code.error_code} <= FAILURES.keys()
    states = set(twilio.STATES.values()) - {"delivered", "intermediate"}
    assert states <= FAILURES.keys()


@given(
    status=st.integers(200, 599), body=st.binary(max_size=60) | st.from_regex(r'\{"code": ?\d{1,9}\}').map(str.encode)
)
def test_no_answer_breaks_anything(status: int, body: bytes) -> None:
    said = dialect().answered(sms(), answer(status, body))
    assert isinstance(said, Taken) or said.reason in REASONS


# --- what it calls us with


def status(state: str, **more: str) -> dict[str, str]:
    ids = {"MessageSid": SID, "SmsSid": SID, "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"}
    return {**ids, "MessageStatus": state, "SmsStatus": state, "From": SOURCE, "To": DESTINATION, **more}


def told(said: Mapping[str, str], **members: Any) -> Any:
    return dialect(**members).hear(from_twilio(TOKEN, CALLBACK_URL, said), NOW)


STATUSES = [
    ("sent", {}, "intermediate", "sent"),
    ("delivered", {}, "delivered", "delivered"),
    ("read", {}, "delivered", "read"),
    ("undelivered", {"ErrorCode": "30003"}, "unreachable", "undelivered 30003"),
    ("undelivered", {"ErrorCode": "30005"}, "invalid_number", "undelivered 30005"),
    ("undelivered", {"ErrorCode": "30006"}, "not_supported", "undelivered 30006"),
    ("undelivered", {"ErrorCode": "30007"}, "blocked", "undelivered 30007"),
    ("undelivered", {"ErrorCode": "39999"}, "undelivered", "undelivered 39999"),
    ("undelivered", {}, "undelivered", "undelivered"),
    ("failed", {"ErrorCode": "21610", "ErrorMessage": "Stop"}, "opted_out", "failed 21610 Stop"),
    ("failed", {"ErrorCode": "21620"}, "carrier_rejected", "failed 21620"),
    ("failed", {"ErrorCode": "x"}, "carrier_rejected", "failed"),
    ("failed", {}, "carrier_rejected", "failed"),
    ("canceled", {}, "deleted", "canceled"),
    ("delivered", {"ErrorCode": "30008"}, "delivered", "delivered 30008"),
]


@pytest.mark.parametrize(("state", "more", "wanted", "words"), STATUSES)
def test_what_a_status_means(state: str, more: Mapping[str, str], wanted: str, words: str) -> None:
    heard = told(status(state, **more))
    assert heard.news == [Receipt(SID, wanted, words, DESTINATION)]
    replies = {verdict: heard.reply(verdict).status for verdict in Verdict}
    assert replies == {Verdict.TAKEN: 204, Verdict.REFUSED: 204, Verdict.BROKEN: 204, Verdict.LATER: 503}


@pytest.mark.parametrize("state", sorted(twilio.NOTHING_NEW))
def test_a_status_that_says_nothing_new_is_not_written_down(state: str) -> None:
    assert list(told(status(state)).news) == []


def test_a_code_of_a_status_means_what_the_config_says() -> None:
    heard = told(status("undelivered", ErrorCode="30003"), errors={"30003": "handset_full"})
    assert heard.news[0].state == "handset_full"


WRITTEN = {"MessageSid": "SM7", "AccountSid": ACCOUNT, "From": DESTINATION, "To": SOURCE, "SmsStatus": "received"}
PICTURES = {
    "NumMedia": "2",
    "MediaContentType0": "image/jpeg",
    "MediaUrl0": f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM7/Media/ME1",
    "MediaContentType1": "text/vcard",
    "MediaUrl1": f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/MM7/Media/ME2",
}


def test_a_message_that_comes_in() -> None:
    heard = told(WRITTEN | {"Body": "Zoë ✓ & +", "NumMedia": "0", "NumSegments": "1"})
    (message,) = heard.news
    assert isinstance(message, Inbound)
    assert (message.source, message.destination, message.text) == (DESTINATION, SOURCE, "Zoë ✓ & +")
    assert message.media is None
    assert message.octets is None
    answered = heard.reply(Verdict.TAKEN)
    assert (answered.status, answered.body, answered.headers["content-type"]) == (200, b"<Response/>", "text/xml")
    assert heard.reply(Verdict.LATER).status == 503


def test_a_message_with_media_comes_in() -> None:
    (message,) = told(WRITTEN | PICTURES | {"Body": ""}).news
    wanted = [Arriving("image/jpeg", url=PICTURES["MediaUrl0"]), Arriving("text/vcard", url=PICTURES["MediaUrl1"])]
    assert list(message.media) == wanted


def test_a_message_that_is_told_twice_is_known_again_and_an_equal_one_is_not() -> None:
    first, again, other = (told(WRITTEN | {"Body": "hi", "MessageSid": sid}).news[0] for sid in ("SM1", "SM1", "SM2"))
    assert first.fingerprint == again.fingerprint != other.fingerprint
    assert len(first.fingerprint) == 16


def test_a_message_comes_by_get_where_the_number_is_set_so() -> None:
    said = WRITTEN | {"Body": "hi there"}
    url = f"{CALLBACK_URL}?{urlencode(said)}"
    signed = from_twilio(TOKEN, url, {}).headers
    callback = called(url, method="GET", x_twilio_signature=signed["x-twilio-signature"])
    (message,) = dialect().hear(callback, NOW).news
    assert isinstance(message, Inbound)
    assert message.text == "hi there"


# --- signatures


def test_the_signature_is_that_of_twilios_own_example() -> None:
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    ours = dialect(auth_token="12345")
    given = {"x_twilio_signature": "0/KCTR6DLpKmkAf8muzZqo1nDgQ="}
    with pytest.raises(Unheard) as told:  # it is believed, though it is of a call and not of a message
        ours.hear(called(url, urlencode(fields).encode(), **given), NOW)
    assert told.value.reply.status == 400
    with pytest.raises(Unheard) as told:
        ours.hear(called(url, urlencode(fields | {"Digits": "1235"}).encode(), **given), NOW)
    assert told.value.reply.status == 403


ADDRESSES = [  # as it was asked for, as Twilio signed it
    ("https://hub.example.com/callbacks/c1", "https://hub.example.com:443/callbacks/c1"),
    ("https://hub.example.com:443/callbacks/c1", "https://hub.example.com/callbacks/c1"),
    ("https://hub.example.com:8443/callbacks/c1", "https://hub.example.com/callbacks/c1"),
    ("https://hub.example.com:8443/callbacks/c1", "https://hub.example.com:8443/callbacks/c1"),
    ("http://hub.example.com/callbacks/c1?a=b&c=%2F:80", "http://hub.example.com:80/callbacks/c1?a=b&c=%2F:80"),
    ("http://[2001:db8::1]/callbacks/c1", "http://[2001:db8::1]:80/callbacks/c1"),
    ("https://hub.example.com", "https://hub.example.com:443"),
    ("https://hub.example.com/callbacks/c1", "https://hub.example.com/callbacks/c1#rc=3&rp=5xx,ct,rt"),
]


@pytest.mark.parametrize(("asked", "signed"), ADDRESSES)
def test_an_address_is_signed_with_its_port_or_without(asked: str, signed: str) -> None:
    heard = dialect().hear(from_twilio(TOKEN, asked, status("delivered"), signed), NOW)
    assert len(heard.news) == 1


FORGED = [
    ("another token", from_twilio("other", CALLBACK_URL, status("delivered"))),
    ("another address", from_twilio(TOKEN, CALLBACK_URL, status("delivered"), "https://hub.example.com/callbacks/c2")),
    ("another body", called(CALLBACK_URL, b"MessageStatus=delivered", x_twilio_signature="AAAA")),
    ("no signature", called(CALLBACK_URL, urlencode(status("delivered")).encode())),
    ("odd signature", called(CALLBACK_URL, urlencode(status("delivered")).encode(), x_twilio_signature="ü")),
    ("empty", called(CALLBACK_URL)),
]


@pytest.mark.parametrize(("label", "callback"), FORGED, ids=[case[0] for case in FORGED])
def test_what_twilio_did_not_sign_is_refused(label: str, callback: Any) -> None:
    with pytest.raises(Unheard) as told:
        dialect().hear(callback, NOW)
    assert told.value.reply.status == 403
    assert TOKEN not in str(told.value)


UNREADABLE: list[dict[str, str]] = [
    {"MessageStatus": "flying", "MessageSid": SID},
    {"MessageStatus": "delivered"},
    {"MessageSid": "SM1", "From": DESTINATION},
    {"MessageSid": "", "From": DESTINATION, "To": SOURCE},
]


@pytest.mark.parametrize("said", UNREADABLE)
def test_what_is_signed_and_makes_no_sense_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(Unheard) as refused:
        told(said)
    assert refused.value.reply.status == 400


# --- where media are fetched

OWN = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
FETCHED = [  # address, whether it is told who we are; None: it is not asked at all
    (OWN, True),
    ("https://api.dublin.ie1.twilio.com/x", True),
    ("https://mms.twiliocdn.com/AC1/1?Expires=1&Signature=a", False),
    ("https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC1/1", False),
    ("https://s3-external-1.amazonaws.com/somebody/1", None),
    ("http://api.twilio.com/x", None),
    ("http://mms.twiliocdn.com/x", None),
    ("https://twilio.com.evil.example/x", None),
    ("https://eviltwilio.com/x", None),
    ("https://api.twilio.com@evil.example/x", None),
    ("http://169.254.169.254/latest/meta-data", None),
    ("file:///etc/passwd", None),
    ("", None),
]


@pytest.mark.parametrize(("url", "is_told"), FETCHED)
def test_media_are_fetched_from_twilio_alone(url: str, is_told: bool | None) -> None:
    if is_told is None:
        with pytest.raises(ValueError, match=r"no media of Twilio|not an http"):
            dialect().fetch(url)
    else:
        request = dialect().fetch(url)
        assert (request.method, request.url, "authorization" in request.headers) == ("GET", url, is_told)


def test_media_of_another_provider_are_fetched_there_and_nowhere_else() -> None:
    members = {"base_url": "https://you.signalwire.com/api/laml", "media_hosts": ["files.signalwire.com"]}
    ours = dialect(**members)
    assert "authorization" in ours.fetch("https://you.signalwire.com/api/laml/x").headers
    assert not ours.fetch("https://files.signalwire.com/x").headers
    with pytest.raises(ValueError, match=r"no media"):
        ours.fetch(OWN)


# --- its config

WRONG = [
    ({"account_sid": ""}, "account_sid"),
    ({"account_sid": "AC/../x"}, "account_sid"),
    ({"auth_token": "a\r\nb"}, "auth_token"),
    ({"api_key_sid": "SK1"}, "api_key_secret"),
    ({"base_url": "ftp://x"}, "base_url"),
    ({"base_url": "https://x/?a=b"}, "base_url"),
    ({"media_hosts": ["https://x"]}, "media_hosts"),
    ({"validity_period": -1}, "validity_period"),
    ({"errors": {"30003": "sad"}}, "errors"),
]


@pytest.mark.parametrize(("members", "named"), WRONG)
def test_a_config_that_cannot_work_is_refused_by_name(members: dict[str, Any], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        config(**members)


def test_what_is_secret_is_never_shown() -> None:
    assert {"auth_token", "api_key_secret"} <= TwilioConfig.secrets
    given = {"account_sid": ACCOUNT, "auth_token": TOKEN, "api_key_sid": "SK1", "api_key_secret": "s"}
    assert kinds.stored("twilio", msgspec.json.encode(given).decode()).takes == {"sms", "mms"}


REACHED = [
    ("https://api.twilio.com", "https://hub.example.com", True),
    ("https://api.twilio.com", "http://127.0.0.1:8080", False),
    ("https://api.twilio.com", "http://192.168.1.5:8080", False),
    ("http://127.0.0.1:9000", "http://127.0.0.1:8080", True),
    ("https://api.twilio.com", "", True),
]


@pytest.mark.parametrize(("base_url", "public_url", "is_reached"), REACHED)
def test_who_cannot_come_to_us_from_outside_is_warned_of(base_url: str, public_url: str, is_reached: bool) -> None:
    assert unreached(config(base_url=base_url).address, public_url) == ([] if is_reached else [NOT_REACHED])
