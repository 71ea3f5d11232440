"""What an MMSC asks of us by MM7, and what it is answered; whatever it sends, nothing else happens."""

import random
from base64 import b64encode
from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import Arriving, Inbound, Receipt, Verdict
from messagehub.carriers.dialect import Heard, Unheard
from messagehub.carriers.kinds import parse
from messagehub.carriers.mm7 import MM7
from messagehub.mms.statuses import MM_STATUSES, Fate
from tests.carriers.mmsc import PARTS, REL_5, REL_6, delivery, envelope, faulted, read_report, report, response, said

XML = "text/xml; charset=utf-8"
RECIPIENT = "+442079461234"


def hear(content_type: str, body: bytes, *, callback: dict[str, Any] | None = None, **config: Any) -> Heard:
    ours = MM7(parse("mm7", {"url": "https://mmsc.example.net/", **config}), "https://hub.example.com/callbacks/1")
    headers = {"content-type": content_type}
    given: dict[str, Any] = {"method": "POST", "headers": headers, "origin": "192.0.2.9", **(callback or {})}
    return ours.hear(Callback(path="", query={}, body=body, url="https://hub.example.com/callbacks/1", **given), 0)


def refused(content_type: str, body: bytes, **more: Any) -> tuple[Reply, str]:
    with pytest.raises(Unheard) as caught:
        hear(content_type, body, **more)
    return caught.value.reply, str(caught.value)


def receipt(body: bytes, **config: Any) -> Receipt:
    (one,) = hear(XML, body, **config).news
    assert isinstance(one, Receipt)
    return one


def inbound(given: tuple[str, bytes], **config: Any) -> Inbound:
    (one,) = hear(*given, **config).news
    assert isinstance(one, Inbound)
    return one


# --- reports ----------------------------------------------------------------------------

STATES = {
    "Expired": "expired",
    "Retrieved": "delivered",
    "Rejected": "carrier_rejected",
    "Indeterminate": "intermediate",
    "Forwarded": "intermediate",
    "Deferred": "intermediate",
    "Unreachable": "unreachable",
    "Unrecognised": "not_supported",
}


@pytest.mark.parametrize("status", sorted(MM_STATUSES))
def test_a_report_says_what_became_of_the_target(status: str) -> None:
    found = receipt(report("m-1", status, RECIPIENT))
    assert (found.name, found.state, found.words, found.destination) == ("m-1", STATES[status], status, RECIPIENT)
    assert (found.state == "delivered") == (MM_STATUSES[status].fate is Fate.DELIVERED)


def test_a_report_in_other_words() -> None:
    assert receipt(report("m-1", "DELIVERED", RECIPIENT)).state == "delivered"
    assert receipt(report("m-1", "Evaporated", RECIPIENT)).state == "intermediate"
    more = "<MMStatusExtension>RejectionByMMSRecipient</MMStatusExtension><StatusText>not wanted</StatusText>"
    assert (
        receipt(report("m-1", "Rejected", RECIPIENT, more=more)).words
        == "Rejected: RejectionByMMSRecipient: not wanted"
    )
    bare = envelope("<DeliveryReportReq><MessageID>m-1</MessageID><MMStatus>Expired</MMStatus></DeliveryReportReq>")
    assert (receipt(bare).state, receipt(bare).destination) == ("expired", "")


def test_a_config_may_know_better_what_statuses_mean() -> None:
    errors = {"rejected": "opted_out", "Indeterminate": "unknown", "2003": "blocked"}
    assert receipt(report("m-1", "Rejected", RECIPIENT), errors=errors).state == "opted_out"
    assert receipt(report("m-1", "Indeterminate", RECIPIENT), errors=errors).state == "unknown"


def test_a_read_report_changes_nothing() -> None:
    found = receipt(read_report("m-1", "Deleted"))
    assert (found.name, found.state, found.words) == ("m-1", "intermediate", "Deleted")


# --- messages ---------------------------------------------------------------------------


def test_a_message_has_its_text_its_subject_and_its_media() -> None:
    found = inbound(delivery())
    assert (found.source, found.destination) == (RECIPIENT, "+15551234567")
    assert (found.text, found.subject, found.octets) == ("Grüße", "A day out", None)
    assert found.media == [Arriving("image/jpeg", PARTS[2][2], name="a.jpg")]


def test_a_text_alone_is_an_mms_without_media() -> None:
    found = inbound(delivery(parts=[PARTS[1]]))
    assert (found.text, found.media) == ("Grüße", [])
    empty = inbound(delivery(parts=[]))
    assert (empty.text, empty.subject, empty.media) == ("", "A day out", [])


def test_media_are_in_the_order_of_the_presentation() -> None:
    page = b'<smil><body><par><img src="two.gif"/></par><par><img src="cid:one.gif"/></par></body></smil>'
    parts = [("image/gif", "one.gif", b"1"), ("application/smil", "smil", page), ("image/gif", "two.gif", b"2")]
    found = inbound(delivery(parts=parts))
    assert [each.octets for each in found.media or [] if isinstance(each, Arriving)] == [b"2", b"1"]


ADDRESSES = [
    ("<Number>+442079461234</Number>", "", "+442079461234"),
    ("<Number>442079461234</Number>", "", "+442079461234"),
    ("<Number>+44 (20) 7946-1234</Number>", "", "+442079461234"),
    ("<Number>02079461234</Number>", "44", "+442079461234"),
    ("<Number>2025550123</Number>", "1", "+12025550123"),
    ("<Number>+442079461234/TYPE=PLMN</Number>", "", "+442079461234"),
    ("<RFC2822Address>+442079461234/TYPE=PLMN@mms.example.net</RFC2822Address>", "", "+442079461234"),
    ("<RFC2822Address>somebody@example.net</RFC2822Address>", "", "somebody@example.net"),
    ("<ShortCode>12345</ShortCode>", "", "12345"),
    ("<Number>12345</Number>", "", "12345"),
    ("+442079461234", "", "+442079461234"),
]


@pytest.mark.parametrize(("sender", "country", "source"), ADDRESSES)
def test_an_address_is_brought_to_e164_where_it_is_a_number(sender: str, country: str, source: str) -> None:
    assert inbound(delivery(sender), default_country=country).source == source


ONE, TWO = "<Number>+15551234567</Number>", "<ShortCode>12345</ShortCode>"
OTHERS = '<Number displayOnly="true">+15550000000</Number>'


@pytest.mark.parametrize(
    ("recipients", "destinations"),
    [
        (f"<To>{ONE}</To><Cc>{TWO}</Cc>", ["+15551234567", "12345"]),
        (f"<To>{OTHERS}</To><Bcc>{ONE}</Bcc>", ["+15551234567"]),
        (f"<To>{ONE}{ONE}</To>", ["+15551234567"]),
    ],
)
def test_a_message_to_several_of_ours_is_one_for_each(recipients: str, destinations: list[str]) -> None:
    news = hear(*delivery(recipients=recipients)).news
    assert [one.destination for one in news] == destinations
    assert len({one.fingerprint for one in news if isinstance(one, Inbound)}) == len(destinations)


def test_a_message_to_nobody_is_to_the_number_of_the_config() -> None:
    assert inbound(delivery(recipients=""), recipient="12345").destination == "12345"
    reply, words = refused(*delivery(recipients=""))
    assert (reply.status, said(reply.body)) == (200, ("DeliverRsp", "d-1", 4004))
    assert "Recipients is missing" in words
    many = "".join(f"<Number>+1555{n:07}</Number>" for n in range(101))
    _, words = refused(*delivery(recipients=f"<To>{many}</To>"))
    assert "101 recipients" in words


def test_a_repetition_is_known_by_all_but_its_transaction() -> None:
    first, again = inbound(delivery()), inbound(delivery(transaction="d-2"))
    others = [
        delivery(parts=[*PARTS[:2], ("image/jpeg", "a.jpg", b"another")]),
        delivery(parts=[PARTS[2], ("text/plain", "b.txt", b"Bye")]),
        delivery(sender="<Number>+442079461235</Number>"),
        delivery(more="<Subject>Another day</Subject>"),
    ]
    assert first.fingerprint == again.fingerprint
    assert len({inbound(each).fingerprint for each in others} | {first.fingerprint}) == len(others) + 1


def test_without_a_time_it_is_the_transaction_that_tells_messages_apart() -> None:
    def bare(transaction: str) -> bytes:
        content_type, body = delivery(transaction=transaction)
        body = body.replace(b"<LinkedID>l-1</LinkedID>", b"").replace(
            b"<TimeStamp>2026-01-31T12:00:00Z</TimeStamp>", b""
        )
        return inbound((content_type, body)).fingerprint

    assert bare("d-1") == bare("d-1") != bare("d-2")


def test_what_a_store_cannot_keep_is_replaced() -> None:
    found = inbound(delivery(parts=[("text/plain; charset=utf-8", "b.txt", b"a\0b"), ("image/gif", "a\0.gif", b"x")]))
    assert found.text == "a\ufffdb"
    assert "\0" not in str(found.media)


def test_a_text_that_is_no_message_is_refused() -> None:
    reply, _ = refused(*delivery(parts=[("text/plain", "b.txt", b"a" * 20_001)]))
    assert said(reply.body) == ("DeliverRsp", "d-1", 2004)


# --- answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "http", "code"),
    [(Verdict.TAKEN, 200, 1000), (Verdict.REFUSED, 200, 2002), (Verdict.BROKEN, 200, 3002), (Verdict.LATER, 503, 4006)],
)
def test_every_verdict_is_answered_so_that_only_what_is_to_come_again_does(
    verdict: Verdict, http: int, code: int
) -> None:
    for content_type, body, name in (
        (*delivery(), "DeliverRsp"),
        (XML, report("m-1", "Retrieved", RECIPIENT, transaction="d-1"), "DeliveryReportRsp"),
    ):
        reply = hear(content_type, body).reply(verdict)
        assert (reply.status, said(reply.body)) == (http, (name, "d-1", code))
        assert reply.headers["content-type"] == XML
        assert ("retry-after" in reply.headers) == (http == 503)


@pytest.mark.parametrize("namespace", [REL_5, REL_6])
def test_an_answer_is_in_kind(namespace: str) -> None:
    reply = hear(*delivery(namespace=namespace)).reply(Verdict.TAKEN)
    assert f'<DeliverRsp xmlns="{namespace}">' in reply.body.decode()


UNHEARD: list[tuple[str, str, bytes, int, tuple[str, str, int]]] = [
    ("a message of nobody", XML, envelope("<DeliverReq/>"), 200, ("VASPErrorRsp", "t-1", 4004)),
    ("an operation that nobody knows", XML, envelope("<RenewReq/>"), 200, ("VASPErrorRsp", "t-1", 4003)),
    ("a request to an MMSC", XML, envelope(f"<CancelReq xmlns='{REL_6}'><MessageID>m</MessageID></CancelReq>"), 200,
     ("CancelRsp", "t-1", 4003)),
    ("an answer", XML, response(1000, "m-1"), 200, ("VASPErrorRsp", "t-1", 4003)),
    ("a fault", XML, faulted(3000), 200, ("VASPErrorRsp", "t-1", 4003)),
    ("nothing", XML, b"", 400, ("VASPErrorRsp", "", 2007)),
    ("JSON", "application/json", b"{}", 400, ("VASPErrorRsp", "", 2007)),
    ("a document type", XML, b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', 400, ("VASPErrorRsp", "", 2007)),
    ("a multipart without a boundary", "multipart/related", b"--x\r\n\r\n", 400, ("VASPErrorRsp", "", 2007)),
    ("no content type", "", b"hello", 400, ("VASPErrorRsp", "", 2007)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content_type", "body", "http", "told"), [row[1:] for row in UNHEARD], ids=[row[0] for row in UNHEARD]
)
def test_what_cannot_be_heard_is_answered_by_a_fault(
    content_type: str, body: bytes, http: int, told: tuple[str, str, int]
) -> None:
    reply, _ = refused(content_type, body)
    assert (reply.status, said(reply.body)) == (http, told)


# --- who may speak ----------------------------------------------------------------------

LOGIN = {"callback_username": "mmsc", "callback_password": "gehe:im"}


def as_(username: str, password: str) -> dict[str, Any]:
    value = "Basic " + b64encode(f"{username}:{password}".encode()).decode()
    return {"headers": {"content-type": XML, "authorization": value}}


def test_only_who_knows_the_password_is_heard() -> None:
    body = report("m-1", "Retrieved", RECIPIENT)
    assert hear(XML, body, callback=as_("mmsc", "gehe:im"), **LOGIN).news
    for callback in ({}, as_("mmsc", "geheim"), as_("MMSC", "gehe:im")):
        reply, words = refused(XML, body, callback=callback, **LOGIN)
        assert (reply.status, reply.headers["www-authenticate"].split()[0]) == (401, "Basic")
        assert "gehe" not in words


@pytest.mark.parametrize(
    ("origin", "is_heard"),
    [("192.0.2.9", True), ("::ffff:192.0.2.9", True), ("2001:db8::1", True), ("198.51.100.1", False), ("", False)],
)
def test_only_who_calls_from_where_it_should_is_heard(origin: str, is_heard: bool) -> None:
    config = {"callback_from": ["192.0.2.0/24", "2001:db8::1"]}
    body, callback = report("m-1", "Retrieved", RECIPIENT), {"origin": origin}
    if is_heard:
        assert hear(XML, body, callback=callback, **config).news
    else:
        assert refused(XML, body, callback=callback, **config)[0].status == 403


def test_only_post_is_heard() -> None:
    reply, _ = refused(XML, b"", callback={"method": "GET"})
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


# --- whatever comes ---------------------------------------------------------------------

WHOLE = [delivery(), (XML, report("m-1", "Retrieved", RECIPIENT)), (XML, read_report("m-1")), (XML, faulted(3000))]


def heard_or_not(content_type: str, body: bytes) -> None:
    """The only ways in which anything can end; what is answered is XML, which repeats namespaces as they were."""
    try:
        heard = hear(content_type, body)
    except Unheard as unheard:
        expat.ParserCreate().Parse(unheard.reply.body, True)
        return
    for one in heard.news:
        repr(one).encode()
        assert "\0" not in repr((one.destination, getattr(one, "text", "")))
    for verdict in Verdict:
        expat.ParserCreate().Parse(heard.reply(verdict).body, True)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WHOLE), st.randoms(use_true_random=False), st.integers(1, 12))
def test_mutated_documents_raise_nothing_but_unheard(
    given: tuple[str, bytes], chance: random.Random, count: int
) -> None:
    content_type, body = given
    octets = bytearray(body)
    for _ in range(count):
        at, action = chance.randrange(len(octets)), chance.randrange(4)
        if action == 0:
            octets[at] = chance.randrange(256)
        elif action == 1:
            del octets[at : at + chance.randrange(1, 40)]
        elif action == 2:
            octets[at:at] = octets[max(0, at - 40) : at]
        else:
            octets[at:at] = chance.choice(
                [b"<", b">", b"\0", b"--in", b"&#0;", b"]]>", b"\xff\xfe", b"<a/>", b"\r\n\r\n"]
            )
        octets = octets or bytearray(b"x")
    heard_or_not(content_type, bytes(octets))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([XML, delivery()[0], "multipart/mixed; boundary=x", "", "text/xml; charset=x-none"]), st.binary()
)
def test_any_octets_raise_nothing_but_unheard(content_type: str, body: bytes) -> None:
    heard_or_not(content_type, body)
