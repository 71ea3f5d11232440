"""MM7 as a dialect: what is written for a target, what every answer means, and what an MMSC may ask of us."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messagehub.carriers.carrier import REASONS, Handover
from messagehub.carriers.dialect import Declined, Ready, Taken
from messagehub.carriers.kinds import parse
from messagehub.carriers.mm7 import MM7
from messagehub.carriers.mm7_config import MM7Config
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.mms import read, take_apart
from messagehub.mms.statuses import STATUSES, Action
from messagehub.web import Answer
from tests.carriers.mmsc import REL_5, REL_6, Submission, envelope, faulted, response, submission

URL = "https://mmsc.example.net/mm7?vasp=us"
NOW = 1_800_000_000 * SECOND
KEY = ("0190c0de-0000-7000-8000-000000000001", 3)
TRY = f"{KEY[0]}.{KEY[1]}.{NOW:x}"
XML = {"content-type": "text/xml; charset=utf-8"}


def dialect(**config: Any) -> MM7:
    return MM7(parse("mm7", {"url": URL, **config}), "https://hub.example.com/callbacks/1")


def handover(**more: Any) -> Handover:
    given = {"source": "+15551234567", "destination": "+442079461234", "text": "Grüße", "subject": "A day out", **more}
    return Handover(KEY, segments=[], media=[], **given)


JPEG, CARD = Ready("image/jpeg", "image1.jpg", b"\xff\xd8 picture"), Ready("text/vcard", "contact2.vcf", b"BEGIN:VCARD")


def submitted(media: list[Ready] | None = None, more: dict[str, Any] | None = None, **config: Any) -> Submission:
    request = dialect(**config).request(handover(**(more or {})), [JPEG, CARD] if media is None else media, NOW)
    assert (request.method, request.url, request.headers["soapaction"]) == ("POST", URL, '""')
    return submission(request.headers["content-type"], request.body)


# --- out --------------------------------------------------------------------------------


def test_a_target_is_a_valid_submission_with_its_media_in_order() -> None:
    found = submitted(vasp_id="us", vas_id="news", service_code="gold")
    assert (found.transaction, found.namespace) == (TRY, REL_6)
    assert found.elements == {
        "MM7Version": "6.8.0",
        "SenderIdentification/VASPID": "us",
        "SenderIdentification/VASID": "news",
        "SenderIdentification/SenderAddress/Number": "+15551234567",
        "Recipients/To/Number": "+442079461234",
        "ServiceCode": "gold",
        "TimeStamp": "2027-01-15T08:00:00Z",
        "DeliveryReport": "true",
        "ReadReply": "false",
        "Subject": "A day out",
        "Content": "",
    }
    assert found.text == "Grüße"
    assert [(piece.type, piece.octets) for piece in found.media] == [(each.type, each.octets) for each in (JPEG, CARD)]


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_both_encodings_carry_the_same(encoding: str) -> None:
    assert submitted(encoding=encoding).pieces == submitted().pieces
    assert dialect(encoding=encoding).is_base64 == (encoding == "base64")


def test_ten_media_keep_their_order() -> None:
    media = [Ready("image/gif", f"image{n}.gif", b"GIF89a" + bytes([n])) for n in range(1, 11)]
    assert [piece.octets for piece in submitted(media).media] == [each.octets for each in media]


def test_a_subject_alone_is_a_message() -> None:
    found = submitted([], {"text": ""})
    assert (found.elements["Subject"], found.text, found.media) == ("A day out", "", [])


MEMBERS: list[tuple[dict[str, Any], dict[str, Any], dict[str, str | None]]] = [
    ({"namespace": "REL-5-MM7-1-2"}, {}, {"MM7Version": "5.3.0"}),
    ({"namespace": "REL-5-MM7-1-2", "version": "5.6.0"}, {}, {"MM7Version": "5.6.0"}),
    ({"international_prefix": ""}, {}, {"Recipients/To/Number": "442079461234"}),
    ({"international_prefix": "00"}, {}, {"Recipients/To/Number": "00442079461234"}),
    ({}, {"source": "12345"}, {"SenderIdentification/SenderAddress/ShortCode": "12345"}),
    ({}, {"source": "ACME"}, {"SenderIdentification/SenderAddress/ShortCode": "ACME"}),
    ({"delivery_report": False, "read_reply": True}, {}, {"DeliveryReport": "false", "ReadReply": "true"}),
    ({"message_class": "Advertisement"}, {}, {"MessageClass": "Advertisement"}),
    ({"priority": "High", "charged_party": "Sender"}, {}, {"Priority": "High", "ChargedParty": "Sender"}),
    ({}, {"subject": "a\r\nb\x01 \tc"}, {"Subject": "a b c"}),
    ({}, {"subject": ""}, {"Subject": None, "Priority": None, "ExpiryDate": None, "ServiceCode": None}),
    ({}, {"expire_at": NOW + 90 * SECOND}, {"ExpiryDate": "2027-01-15T08:01:30Z"}),
    ({}, {"expire_at": NOW - SECOND}, {"ExpiryDate": "2027-01-15T08:00:01Z"}),
    ({"validity_period": 60}, {}, {"ExpiryDate": "2027-01-15T08:01:00Z"}),
    ({"validity_period": 60}, {"expire_at": NOW + 90 * SECOND}, {"ExpiryDate": "2027-01-15T08:01:00Z"}),
    ({"validity_form": "relative"}, {"expire_at": NOW + 90 * SECOND}, {"ExpiryDate": "PT0H1M30S"}),
    ({"validity_form": "relative", "validity_period": 86400}, {}, {"ExpiryDate": "P1DT0H0M0S"}),
]


@pytest.mark.parametrize(("config", "more", "elements"), MEMBERS)
def test_every_member_says_what_it_means(
    config: dict[str, Any], more: dict[str, Any], elements: dict[str, str | None]
) -> None:
    found = submitted(None, more, **config)
    assert {name: found.elements.get(name) for name in elements} == elements
    assert found.namespace == (REL_5 if "namespace" in config else REL_6)


@pytest.mark.parametrize(("value", "attribute"), [(True, "true"), (False, "false"), (None, None)])
def test_an_mmsc_is_told_whether_it_may_adapt(value: bool | None, attribute: str | None) -> None:
    assert submitted(adaptations=value).attributes.get("allowAdaptations") == attribute


def test_every_try_has_a_transaction_of_its_own() -> None:
    ours = dialect()
    requests = [ours.request(handover(), [], NOW + n) for n in range(3)]
    assert len({submission(each.headers["content-type"], each.body).transaction for each in requests}) == 3


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60), st.sampled_from(["+15551234567", "12345", "A & <B>"]))
def test_any_text_and_subject_can_be_said(text: str, subject: str, source: str) -> None:
    request = dialect().request(handover(text=text, subject=subject, source=source), [JPEG], NOW)
    pdu = read(request.headers["content-type"], request.body)
    assert pdu.content is not None
    content = take_apart(pdu.content)
    assert (content.text, [each.body for each in content.media]) == (text.removeprefix("\ufeff"), [JPEG.octets])
    assert pdu.fields.get("Subject", "").split() == [
        *filter(None, "".join(_shown(each) for each in subject).split(" "))
    ]
    assert pdu.fields["SenderIdentification"]["SenderAddress"].value == source


def _shown(character: str) -> str:
    return character if character.isprintable() else " "


# --- logging in -------------------------------------------------------------------------


def test_a_login_is_given_when_it_is_asked_for_and_from_then_on() -> None:
    ours = dialect(username="me", password="secret")
    request = ours.request(handover(), [], NOW)
    assert "authorization" not in request.headers
    again = ours.authorize(request, Answer(401, {"www-authenticate": 'Digest realm="r", nonce="n", qop="auth"'}, b""))
    assert again is not None
    assert again.headers["authorization"].startswith("Digest ")
    assert (again.body, again.headers["content-type"]) == (request.body, request.headers["content-type"])
    assert 'uri="/mm7?vasp=us"' in again.headers["authorization"]
    assert "nc=00000002" in ours.request(handover(), [], NOW).headers["authorization"]
    ours.answered(handover(), Answer(200, {"authentication-info": 'nextnonce="n2"'}, b""))
    assert 'nonce="n2"' in ours.request(handover(), [], NOW).headers["authorization"]


def test_what_is_wrong_is_not_said_again() -> None:
    ours = dialect(username="me", password="secret", authentication="basic")
    request = ours.request(handover(), [], NOW)
    assert request.headers["authorization"] == "Basic bWU6c2VjcmV0"
    assert ours.authorize(request, Answer(401, {"www-authenticate": 'Basic realm="r"'}, b"")) is None
    assert dialect().authorize(request, Answer(401, {"www-authenticate": 'Basic realm="r"'}, b"")) is None


# --- answers ----------------------------------------------------------------------------


def answered(status: int, body: bytes = b"", headers: dict[str, str] | None = None, **config: Any) -> Taken | Declined:
    return dialect(**config).answered(handover(), Answer(status, XML if headers is None else headers, body))


OTHER = f"{KEY[0]}.4.{NOW:x}"
BARE = (
    b"<Envelope><Body><SubmitRsp><StatusCode>1000</StatusCode><MessageID>m-1</MessageID></SubmitRsp></Body></Envelope>"
)
ANSWERS: list[tuple[str, int, bytes, Taken | tuple[str, str]]] = [
    ("taken", 200, response(1000, "m-1", "Success", transaction=TRY), Taken("m-1")),
    ("taken by release 5", 200, response(1000, "m-1", transaction=TRY, namespace=REL_5), Taken("m-1")),
    ("taken, with 202", 202, response(1000, "m-1", transaction=TRY), Taken("m-1")),
    ("taken, without a name", 200, response(1000, transaction=TRY), Taken("")),
    ("taken, without all else", 200, BARE, Taken("m-1")),
    ("taken, and others not", 200, response(1100, "m-1", details="+15550000000", transaction=TRY), Taken("m-1")),
    ("the one is the other", 200, response(1100, "m-1", details="+442079461234", transaction=TRY),
     ("rejected", "1100 Partial success: +442079461234")),
    ("no such number", 200, response(2003, words="no such subscriber", transaction=TRY),
     ("invalid_number", "2003 Address not found: no such subscriber")),
    ("a code of its own", 200, response(2571, words="blocked", transaction=TRY), ("rejected", "2571 blocked")),
    ("a code of no class", 200, response(9999, transaction=TRY), ("unwell", "9999")),
    ("a fault", 200, faulted(4006, TRY), ("unwell", "4006 Service unavailable: No")),
    ("a fault with 500, as SOAP has it", 500, faulted(2004, TRY), ("media_refused", "2004 Multimedia content refused")),
    ("a fault without a transaction", 500, faulted(4001, ""), ("bad_credentials", "4001 Improper identification")),
    ("a fault that is a success", 200, faulted(1000, TRY), ("unreadable", "RSErrorRsp with 1000")),
    ("a success with 500", 500, response(1000, "m-1", transaction=TRY), ("unwell", "HTTP 500: 1000 Success")),
    ("an answer to another", 200, response(1000, "m-1", transaction=OTHER), ("unreadable", "answers another request")),
    ("an answer of another kind", 200, envelope("<DeliverRsp><StatusCode>1000</StatusCode></DeliverRsp>", TRY),
     ("unreadable", "DeliverRsp where a SubmitRsp was expected")),
    ("a request", 200, envelope("<CancelReq><MessageID>m</MessageID></CancelReq>", TRY), ("unreadable", "CancelReq")),
    ("nothing", 200, b"", ("unreadable", "HTTP 200: no XML")),
    ("a page", 200, b"<html><body>Welcome</body></html>", ("unreadable", "no SOAP envelope")),
    ("a bomb", 200, b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', ("unreadable", "document type")),
    ("a code that is a word", 200, envelope("<SubmitRsp><StatusCode>OK</StatusCode></SubmitRsp>", TRY),
     ("unreadable", "Status is missing or makes no sense")),
    ("not us", 401, b"", ("bad_credentials", "HTTP 401")),
    ("not from here", 403, b"<html/>", ("refused_here", "HTTP 403")),
    ("not there", 404, b"<html/>", ("unwell", "HTTP 404")),
    ("too large", 413, b"", ("media_too_large", "HTTP 413")),
    ("too often", 429, b"", ("throttled", "HTTP 429")),
    ("ill", 500, b"<html/>", ("unwell", "HTTP 500")),
    ("a gateway without its MMSC", 502, b"", ("unwell", "HTTP 502")),
    ("not now", 503, response(3000, transaction=TRY), ("unwell", "HTTP 503: 3000 Server error")),
    ("elsewhere", 302, b"", ("unwritable", "HTTP 302")),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "outcome"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_every_answer_has_its_meaning(status: int, body: bytes, outcome: Taken | tuple[str, str]) -> None:
    found = answered(status, body)
    if isinstance(outcome, Taken):
        assert found == outcome
    else:
        assert isinstance(found, Declined)
        assert found.reason == outcome[0] in REASONS
        assert outcome[1] in found.words


DONE = {
    Action.RETRY: (True, None),
    Action.REROUTE: (False, True),
    Action.PERMANENT: (False, False),
    Action.OURS: (None, None),
}


@pytest.mark.parametrize("code", sorted(STATUSES.keys() - {1000, 1100}))
def test_every_status_of_the_standard_is_done_as_its_table_says(code: int) -> None:
    found = answered(200, response(code, transaction=TRY))
    assert isinstance(found, Declined)
    reason = REASONS[found.reason]
    retry, reroute = DONE[STATUSES[code].action]
    assert retry in (None, reason.retry)
    assert reroute in (None, reason.reroute)
    assert reason.ours == (STATUSES[code].action is Action.OURS)
    assert found.words == f"{code} {STATUSES[code].words}"


def test_a_config_may_know_better_what_codes_mean() -> None:
    config = {"statuses": {"2571": "retry", "3000": "permanent"}, "errors": {"2571": "opted_out", "2001": "blocked"}}
    for code, reason, error_code in (
        (2571, "unwell", "opted_out"),
        (3000, "rejected", ""),
        (2001, "refused_here", "blocked"),
    ):
        found = answered(200, response(code, transaction=TRY), **config)
        assert isinstance(found, Declined)
        assert (found.reason, found.error_code) == (reason, error_code)


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("", 0.0), ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0), ("-1", 0.0)]
)
def test_how_long_to_wait_is_heard(value: str, seconds: float) -> None:
    found = answered(503, b"", {"retry-after": value})
    assert isinstance(found, Declined)
    assert found.retry_after == seconds


BODIES = [response(1000, "m-1", transaction=TRY), faulted(4006, TRY), b"<html/>", b""]
STATUSES_OF_HTTP = [200, 202, 204, 302, 400, 401, 403, 404, 413, 429, 500, 503, 599]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(STATUSES_OF_HTTP), st.sampled_from(BODIES), st.binary(max_size=12), st.integers(0, 900))
def test_whatever_is_answered_is_taken_or_declined(status: int, body: bytes, octets: bytes, at: int) -> None:
    found = answered(status, body[:at] + octets + body[at + len(octets) :])
    assert isinstance(found, Taken) or found.reason in REASONS
    if isinstance(found, Taken):
        assert status < 300
        assert "\0" not in found.name


@given(st.text(max_size=80).map(lambda text: f'Digest nonce="n", realm="{text}"') | st.text(max_size=200))
def test_no_challenge_is_too_strange(challenge: str) -> None:
    ours = dialect(username="me", password="secret")
    request = ours.request(handover(), [], NOW)
    again = ours.authorize(request, Answer(401, {"www-authenticate": challenge}, b""))
    assert again is None or ((said := again.headers["authorization"]).isascii() and said.isprintable())


# --- config -----------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": "mmsc.example.net"}, "config: url: not an http or https URL"),
    ({"password": "x"}, "username: there is a password"),
    ({"callback_username": "x"}, "callback_password"),
    ({"callback_from": ["192.0.2.1/24"]}, "callback_from"),
    ({"statuses": {"1000": "retry"}}, "statuses: '1000' is of no failure"),
    ({"errors": {"Retrieved": "blocked"}}, "errors: 'Retrieved' is neither a StatusCode nor one of Expired"),
    ({"namespace": "REL-7"}, "namespace"),
    ({"version": "6"}, "version"),
    ({"media_types": ["image/tiff"]}, "media_types"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("config", "words"), WRONG, ids=[next(iter(row[0])) for row in WRONG])
def test_a_config_that_is_wrong_names_the_member(config: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse("mm7", {"url": URL, **config})
    assert words in str(caught.value)


def test_what_should_not_be_left_so_is_a_warning() -> None:
    safe = {"callback_username": "mmsc", "callback_password": "secret"}
    for config, warnings in (
        ({}, ["callback_username and callback_from"]),
        (safe, []),
        ({"callback_from": ["192.0.2.0/24"]}, []),
        (
            {**safe, "url": "http://mmsc", "username": "a", "password": "b", "authentication": "basic"},
            ["authentication"],
        ),
        ({**safe, "url": "http://mmsc", "username": "a", "password": "b"}, []),
        ({**safe, "tls_verify": False}, ["tls_verify"]),
    ):
        found = parse("mm7", {"url": URL, **config}).warnings()
        assert [text.startswith(start) for text, start in zip(found, warnings, strict=True)] == [True] * len(warnings)


def test_limits_are_those_of_the_operator_and_the_kind_of_number() -> None:
    config = parse("mm7", {"url": URL, "operator": "att"})
    assert config.limits("+15551234567").octets > config.limits("+18885551234").octets
    assert parse("mm7", {"url": URL, "media_octets": 50_000}).limits("12345").octets == 50_000


def test_the_configs_of_the_page_are_taken() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mm7.md").read_text()
    whole = re.search(r"-d '({.*?})'", page, re.DOTALL)
    assert whole
    given = json.loads(whole[1])
    codes = re.search(r'```\n("statuses".*?)\n```', page, re.DOTALL)
    assert codes
    assert parse(given["type"], {**given["config"], **json.loads(f"{{{codes[1]}}}")}).warnings() == []
    named = set(re.findall(r"`([a-z_]+)`", page))
    assert {"url", "vasp_id", "callback_from", "validity_form"} <= named & {*MM7Config.__struct_fields__}
