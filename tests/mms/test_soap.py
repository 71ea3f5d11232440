from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.mms import (
    DEFAULT_NAMESPACE,
    NAMESPACES,
    PDU,
    Address,
    Content,
    DecodeError,
    EncodeError,
    Part,
    answer,
    compose,
    fault,
    read,
    refused,
    write,
)
from messagehub.mms.mm7 import PDUS, RESPONSES, version_of
from messagehub.mms.parts import Encoding
from tests.mms.values import any_pdu

REL_5 = NAMESPACES["REL-5-MM7-1-2"]
XML = "text/xml; charset=utf-8"


@given(any_pdu, st.sampled_from(["binary", "base64"]))
def test_reading_what_was_written_gives_it_back(pdu: PDU, encoding: Encoding) -> None:
    found = read(*write(pdu, encoding))
    assert found == pdu
    assert found.oddities == ()


def test_every_request_has_a_response() -> None:
    assert set(RESPONSES.values()) < PDUS.keys()
    assert len(RESPONSES) == 6


@pytest.mark.parametrize("namespace", sorted(NAMESPACES.values()))
def test_an_answer_is_in_the_namespace_and_the_version_of_the_request(namespace: str) -> None:
    request = PDU("CancelReq", "t-1", {"SenderIdentification": {}, "MessageID": "m"}, None, namespace, "5.9.9")
    response = read(*write(answer(read(*write(request)), 1000, "Success")))
    assert (response.name, response.transaction_id, response.namespace) == ("CancelRsp", "t-1", namespace)
    assert (response.version, response.fields["Status"]["StatusCode"]) == ("5.9.9", 1000)


def test_a_version_that_nobody_says_is_that_of_the_namespace() -> None:
    assert (version_of(REL_5), version_of(DEFAULT_NAMESPACE)) == ("5.3.0", "6.8.0")
    assert "<MM7Version>5.3.0</MM7Version>" in write(PDU("CancelRsp", "t", OK, None, REL_5))[1].decode()


OK: dict[str, Any] = {"Status": {"StatusCode": 1000, "StatusText": "Success"}}
ONE = Address("Number", "+15551234567")


# --- what real MMSCs and VASPs write ----------------------------------------------------------------------------------


def envelope(body: str, header: str = '<m:TransactionID xmlns:m="urn:m">t-1</m:TransactionID>') -> bytes:
    return (
        '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    ).encode()


def told(body: str) -> PDU:
    return read(XML, envelope(body))


SUBMISSION = f"""--NextPart_000
Content-Type:text/xml; charset="utf-8"
Content-ID: </tnn-200102/mm7-submit>

<?xml version="1.0" ?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">
  <env:Header>
    <mm7:TransactionID xmlns:mm7="{REL_5}" env:mustUnderstand="1">
      vas00001-sub
    </mm7:TransactionID>
  </env:Header>
  <env:Body>
    <SubmitReq xmlns="{REL_5}">
      <MM7Version>5.6.0</MM7Version>
      <SenderIdentification><VASPID>TNN</VASPID><VASID>News</VASID></SenderIdentification>
      <Recipients>
        <To><Number>7255441234</Number><RFC2822Address displayOnly="true">7255442222@example.net</RFC2822Address></To>
        <Cc><Number>7255443333</Number></Cc>
        <Bcc><RFC2822Address>7255444444@example.net</RFC2822Address></Bcc>
      </Recipients>
      <ServiceCode>gold-sp33-im42</ServiceCode>
      <LinkedID>mms00016666</LinkedID>
      <MessageClass>Informational</MessageClass>
      <TimeStamp>2002-01-02T09:30:47-05:00</TimeStamp>
      <ExpiryDate>P90D</ExpiryDate>
      <DeliveryReport>true</DeliveryReport>
      <Priority>Normal</Priority>
      <Subject>News for today</Subject>
      <ChargedParty>Sender</ChargedParty>
      <DistributionIndicator>true</DistributionIndicator>
      <Content href="cid:SaturnPics-01020930@news.tnn.com" allowAdaptations="true"/>
    </SubmitReq>
  </env:Body>
</env:Envelope>
--NextPart_000
Content-Type: multipart/mixed; boundary="StoryParts-74526-8432-2002-77645"
Content-ID:<SaturnPics-01020930@news.tnn.com>

--StoryParts-74526-8432-2002-77645
Content-Type:text/plain; charset="us-ascii"

Science news, new Saturn pictures...
--StoryParts-74526-8432-2002-77645
Content-Type:image/gif;
Content-ID:<saturn.gif>
Content-Transfer-Encoding: base64

R0lGODdhZAAwAOMAAAAAAIGJjGltcDE0OOfWo6Ochbi1n1pmcbGojpKbnP
--StoryParts-74526-8432-2002-77645--
--NextPart_000--
"""


def test_a_submission_as_the_standard_shows_it() -> None:
    content_type = 'multipart/related; boundary="NextPart_000"; type="text/xml"; start="</tnn-200102/mm7-submit>"'
    pdu = read(content_type, SUBMISSION.encode())
    assert (pdu.name, pdu.transaction_id, pdu.namespace, pdu.version) == ("SubmitReq", "vas00001-sub", REL_5, "5.6.0")
    assert pdu.oddities == ()
    assert pdu.fields == {
        "SenderIdentification": {"VASPID": "TNN", "VASID": "News"},
        "Recipients": {
            "To": [Address("Number", "7255441234"), Address("RFC2822Address", "7255442222@example.net", True)],
            "Cc": [Address("Number", "7255443333")],
            "Bcc": [Address("RFC2822Address", "7255444444@example.net")],
        },
        "ServiceCode": "gold-sp33-im42",
        "LinkedID": "mms00016666",
        "MessageClass": "Informational",
        "TimeStamp": datetime(2002, 1, 2, 14, 30, 47, tzinfo=UTC),
        "ExpiryDate": timedelta(days=90),
        "DeliveryReport": True,
        "Priority": "Normal",
        "Subject": "News for today",
        "ChargedParty": "Sender",
        "DistributionIndicator": True,
        "Content": {"allowAdaptations": True},
    }
    assert pdu.content is not None
    assert [leaf.type for leaf in pdu.content.leaves()] == ["text/plain", "image/gif"]


REPORT = "<MessageID>m-1</MessageID>{}<MMStatus>Retrieved</MMStatus>"
RECIPIENT = Address("Number", "15551234567")
DEVIATIONS: list[tuple[str, str, dict[str, Any], str]] = [
    ("a bare number", REPORT.format("<Recipient>+15551234567</Recipient>"), {"Recipient": ONE},
     "Recipient: '+15551234567' without the kind of address"),
    ("a bare short code", REPORT.format("<Sender>12345</Sender>"), {"Sender": Address("ShortCode", "12345")},
     "Sender: '12345' without the kind of address"),
    ("a bare e-mail address", REPORT.format("<Sender>a@b</Sender>"), {"Sender": Address("RFC2822Address", "a@b")},
     "Sender: 'a@b' without the kind of address"),
    ("an address of MM4", REPORT.format("<Sender><Number>+15551234567/TYPE=PLMN</Number></Sender>"), {"Sender": ONE},
     "Number: '+15551234567/TYPE=PLMN' is an address of MM4"),
    ("other case", REPORT.format("<recipient><NUMBER>+15551234567</NUMBER></recipient>"), {"Recipient": ONE}, ""),
    ("an element that is not known", REPORT.format("<Bearer>4G</Bearer>"), {},
     "Bearer in DeliveryReportReq is not known"),
    ("a date that is none", REPORT.format("<Date>yesterday</Date>"), {}, "Date: 'yesterday' is neither a moment"),
    ("a date without a zone", REPORT.format("<Date>2024-01-31T12:00:00.123</Date>"),
     {"Date": datetime(2024, 1, 31, 12, 0, 0, 123000, UTC)}, ""),
    ("an element that comes again", REPORT.format("") + "<MessageID>m-2</MessageID>", {}, "MessageID comes again"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("inner", "fields", "oddity"), [row[1:] for row in DEVIATIONS], ids=[row[0] for row in DEVIATIONS]
)
def test_what_deviates_is_taken_and_told(inner: str, fields: dict[str, Any], oddity: str) -> None:
    pdu = told(f"<DeliveryReportReq>{inner}</DeliveryReportReq>")
    assert pdu.fields == {"MessageID": "m-1", "MMStatus": "Retrieved", **fields}
    assert (oddity in pdu.oddities[0]) if oddity else (pdu.oddities == ())
    assert (pdu.transaction_id, pdu.namespace) == ("t-1", "urn:m")


def test_a_status_that_nobody_knows_is_kept() -> None:
    pdu = told("<DeliveryReportReq><MessageID>m</MessageID><MMStatus>Vanished</MMStatus></DeliveryReportReq>")
    assert pdu.fields["MMStatus"] == "Vanished"
    with pytest.raises(EncodeError, match="DeliveryReportReq: "):
        write(pdu)


def test_recipients_may_come_in_several_elements() -> None:
    inner = "<Recipients><To><Number>1</Number></To><To><Number>2</Number><ShortCode>3</ShortCode></To></Recipients>"
    pdu = told(f"<DeliverReq><Sender><Number>9</Number></Sender>{inner}</DeliverReq>")
    assert [address.value for address in pdu.fields["Recipients"]["To"]] == ["1", "2", "3"]


RESPONSE = "<SubmitRsp><MM7Version>5.3.0</MM7Version>{}<MessageID>m-1</MessageID></SubmitRsp>"
STATUS = "<StatusCode>1000</StatusCode><StatusText>Success</StatusText>"


@pytest.mark.parametrize("status", [f"<Status>{STATUS}</Status>", STATUS], ids=["in its place", "loose"])
def test_a_status_is_found(status: str) -> None:
    pdu = told(RESPONSE.format(status))
    assert pdu.fields == {**OK, "MessageID": "m-1"}


def test_details_may_be_of_any_form() -> None:
    details = "<Details>Not all: <To><Number>1</Number><Number>2</Number></To></Details>"
    pdu = told(RESPONSE.format(f"<Status><StatusCode>1100</StatusCode>{details}</Status>"))
    assert pdu.fields["Status"] == {"StatusCode": 1100, "Details": "Not all: 1 2"}


@pytest.mark.parametrize("name", ["RSErrorRsp", "VASPErrorRsp", "MM7RSErrorRsp", "VaspErrorRsp"])
def test_a_fault_has_its_status_in_its_detail(name: str) -> None:
    detail = f'<detail><x:{name} xmlns:x="{REL_5}"><Status><StatusCode>4006</StatusCode></Status></x:{name}></detail>'
    pdu = told(f"<e:Fault><faultcode>e:Server</faultcode><faultstring>no</faultstring>{detail}</e:Fault>")
    assert pdu.name.lower() == name.lower().removeprefix("mm7")
    assert (pdu.name in PDUS, pdu.namespace, pdu.fields["Status"]["StatusCode"]) == (True, REL_5, 4006)


def test_an_error_may_stand_outside_a_fault_and_in_another_charset() -> None:
    status = "<StatusText>번호이동</StatusText><MM7Version>5.3.0</MM7Version><StatusCode>6102</StatusCode>"
    octets = (
        envelope(f"<RSErrorRsp>{status}</RSErrorRsp>")
        .decode()
        .replace('"1.0"?', '"1.0" encoding="euc-kr"?')
        .encode("euc-kr")
    )
    pdu = read("text/xml", octets)
    assert (pdu.name, pdu.version) == ("RSErrorRsp", "5.3.0")
    assert pdu.fields == {"Status": {"StatusCode": 6102, "StatusText": "번호이동"}}


@pytest.mark.parametrize(("code", "status"), [("e:Client", 2000), ("e:Server.Busy", 3000), ("", 3000)])
def test_a_fault_of_somebody_else_says_only_whose_fault_it_was(code: str, status: int) -> None:
    pdu = told(f"<e:Fault><faultcode>{code}</faultcode><faultstring>Not now</faultstring></e:Fault>")
    assert pdu.name == "RSErrorRsp"
    assert pdu.fields["Status"] == {"StatusCode": status, "StatusText": "Not now"}
    assert pdu.oddities == ("a fault without a detail of MM7",)


def test_an_envelope_that_is_not_the_first_part_is_found() -> None:
    content_type, body = write(PDU("SubmitReq", "t", SUBMIT, compose(Content("hi"))))
    submit = read(content_type, body)
    boundary = content_type.rpartition("=")[2].strip('"').encode()
    head, first, second, tail = body.split(boundary)
    swapped = boundary.join([head, second, first, tail])
    assert read(content_type, swapped) == submit
    assert read(content_type.replace("<mm7-start>", "elsewhere"), swapped) == submit


@pytest.mark.parametrize("reference", ["", "cid:elsewhere"])
def test_a_content_that_is_referred_to_wrongly_is_found(reference: str) -> None:
    content_type, body = write(PDU("SubmitReq", "t", SUBMIT, compose(Content("hi"))))
    pdu = read(content_type, body.replace(b"cid:generic", reference.encode()))
    assert pdu.content is not None
    assert [leaf.type for leaf in pdu.content.leaves()] == ["application/smil", "text/plain"]
    assert pdu.oddities == (f"Content refers to {reference!r}, which is no part",)


# --- what cannot be taken ---------------------------------------------------------------------------------------------

SUBMIT: dict[str, Any] = {"SenderIdentification": {}, "Recipients": {"To": [ONE]}}
TO = "<Recipients><To><Number>1</Number></To></Recipients>"
BAD: list[tuple[str, bytes, int, str]] = [
    ("no envelope", b"<SubmitReq/>", 2007, "SOAP: no SOAP envelope"),
    ("no body", b"<Envelope><Header/></Envelope>", 2007, "SOAP: no SOAP envelope"),
    ("an empty body", envelope(""), 2007, "SOAP: no SOAP envelope"),
    ("nothing", b"", 2007, "no XML"),
    ("an operation that nobody knows", envelope("<RenewReq/>"), 4003, "RenewReq: there is no such operation"),
    ("a submission outside a multipart", envelope(f"<SubmitReq>{TO}</SubmitReq>"), 2007,
     "SubmitReq: its content must be a part"),
    ("a submission to nobody", envelope("<SubmitReq><Recipients/></SubmitReq>"), 4004,
     "SubmitReq: Recipients is missing"),
    ("a submission to an empty To", envelope("<SubmitReq><Recipients><To/></Recipients></SubmitReq>"), 4004,
     "SubmitReq: Recipients is missing"),
    ("a message of nobody", envelope("<DeliverReq/>"), 4004, "DeliverReq: Sender is missing"),
    ("a report of nothing", envelope("<DeliveryReportReq><MMStatus>Read</MMStatus></DeliveryReportReq>"), 4004,
     "DeliveryReportReq: MessageID is missing"),
    ("a status without a code", envelope("<CancelRsp><Status><StatusText>x</StatusText></Status></CancelRsp>"), 4004,
     "CancelRsp: StatusCode is missing"),
    ("a response without a status", envelope("<CancelRsp/>"), 4004, "CancelRsp: Status is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_cannot_be_taken_says_how_to_answer_it(body: bytes, status: int, words: str) -> None:
    with pytest.raises(DecodeError, match=words) as caught:
        read(XML, body)
    assert caught.value.status == status


def test_what_cannot_be_taken_is_answered_in_kind() -> None:
    body = f'<DeliverReq xmlns="{REL_5}"><MM7Version>5.3.0</MM7Version></DeliverReq>'
    with pytest.raises(DecodeError) as caught:
        read(XML, envelope(body))
    response = fault(caught.value, caught.value.status)
    assert (response.name, response.transaction_id, response.namespace) == ("VASPErrorRsp", "t-1", REL_5)
    assert (response.version, response.fields["Status"]) == (
        "5.3.0",
        {"StatusCode": 4004, "StatusText": "Validation error"},
    )
    assert read(*write(response)) == response


@pytest.mark.parametrize(("code", "whose"), [(2007, "env:Client"), (4006, "env:Server"), (3000, "env:Server")])
def test_a_fault_says_whose_it_is(code: int, whose: str) -> None:
    _, body = write(fault(PDU("DeliverReq", "t"), code, name="RSErrorRsp"))
    assert f"<faultcode>{whose}</faultcode>" in body.decode()


CONTENT = Part("text/plain", b"x")


@pytest.mark.parametrize(
    ("pdu", "words"),
    [
        (PDU("SubmitRequest"), "SubmitRequest: there is no such PDU"),
        (PDU("SubmitReq", "t", SUBMIT), "SubmitReq: content is missing"),
        (PDU("SubmitReq", "t", {"SenderIdentification": {}}, CONTENT), "SubmitReq: Recipients is missing"),
        (PDU("SubmitReq", "t", {**SUBMIT, "Recipients": {"To": []}}, CONTENT), "Recipients: To: no address in it"),
        (PDU("SubmitReq", "t", {**SUBMIT, "Recipients": {"To": ["1"]}}, CONTENT), "Recipients: To: '1' is no address"),
        (PDU("SubmitReq", "t", {**SUBMIT, "Priority": "Urgent"}, CONTENT), "Priority: 'Urgent' is none of Normal"),
        (PDU("SubmitReq", "t", {**SUBMIT, "DeliveryReport": "yes"}, CONTENT), "DeliveryReport: 'yes' is neither"),
        (PDU("SubmitReq", "t", {**SUBMIT, "Subject": "a\0b"}, CONTENT), r"Subject: U\+0000 cannot stand in XML"),
        (PDU("SubmitReq", "t", {**SUBMIT, "ExpiryDate": datetime(2024, 1, 1)}, CONTENT), "ExpiryDate: .* no zone"),
        (PDU("SubmitReq", "t", {**SUBMIT, "ExpiryDate": timedelta(-1)}, CONTENT), "ExpiryDate: .* is negative"),
        (PDU("SubmitReq", "t", {**SUBMIT, "TimeStamp": timedelta(1)}, CONTENT), "TimeStamp: .* is a span"),
        (PDU("SubmitReq", "t", {**SUBMIT, "Color": "red"}, CONTENT), "no such element: Color"),
        (PDU("SubmitReq", "t", {**SUBMIT, "ApplicID": "x"}, CONTENT, REL_5), "ApplicID is of release 6"),
        (PDU("CancelRsp", "t", OK, CONTENT), "CancelRsp: it has no content"),
        (PDU("DeliverReq", "t", {"Sender": ONE, "Content": {}}), "Content: there is no content to refer to"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(pdu: PDU, words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        write(pdu)


# --- a partial success ------------------------------------------------------------------------------------------------

TWO = Address("Number", "+15551234")


@pytest.mark.parametrize(
    ("status", "who"),
    [
        ({"StatusCode": 1000}, []),
        ({"StatusCode": 1100}, []),
        ({"StatusCode": 1100, "Details": "failed: +15551234567"}, [ONE]),
        ({"StatusCode": 1100, "Details": "15551234, 15551234567"}, [ONE, TWO]),
        ({"StatusCode": 1100, "Details": "9915551234"}, []),
        ({"StatusCode": 2003}, [ONE, TWO]),
    ],
)
def test_a_partial_success_refuses_those_whom_it_names(status: dict[str, Any], who: list[Address]) -> None:
    assert refused(PDU("SubmitRsp", "t", {"Status": status}), [ONE, TWO]) == who
