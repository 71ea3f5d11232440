"""An MMSC of the tests: what it reads it reads by `email`, lxml and the schema, and what it says is written by hand."""

import email
import email.policy
import hashlib
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import Message
from typing import Any, Literal, cast

from lxml import etree

from messagehub.mms.mm7 import NAMESPACES
from tests.carriers.web_rig import Asked, Hangup, Said, Server
from tests.mms.test_schema import ENV, valid

REL_5, REL_6 = NAMESPACES["REL-5-MM7-1-2"], NAMESPACES["REL-6-MM7-1-4"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of the content that arrived."""

    type: str
    octets: bytes
    id: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A SubmitReq as it arrived: its elements by their paths, such as `Recipients/To/Number`, and its content."""

    transaction: str
    namespace: str
    elements: dict[str, str]
    attributes: dict[str, str]
    """Of the element Content."""
    pieces: list[Piece]

    @property
    def media(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.type not in ("application/smil", "text/plain")]

    @property
    def text(self) -> str:
        return next((piece.text for piece in self.pieces if piece.type == "text/plain"), "")


def submission(content_type: str, body: bytes) -> Submission:
    """What a body says; it must be valid in every respect."""
    whole = b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    message = email.message_from_bytes(whole, policy=email.policy.HTTP)
    assert not message.defects
    assert (message.get_content_type(), message.get_param("type")) == ("multipart/related", "text/xml")
    start, content = message.iter_parts()
    assert start["Content-ID"] == message.get_param("start") == "<mm7-start>"
    envelope = etree.fromstring(_octets(start))
    (transaction,), (element,) = cast(Any, envelope)
    namespace = etree.QName(element).namespace or ""
    assert etree.QName(element).localname == "SubmitReq"
    valid(transaction, namespace)
    valid(element, namespace)
    reference = element.find(f"{{{namespace}}}Content")
    assert f"<{reference.get('href').removeprefix('cid:')}>" == content["Content-ID"]
    assert transaction.get(ENV + "mustUnderstand") == "1"
    elements = dict(_texts(element, ""))
    return Submission(transaction.text, namespace, elements, dict(reference.attrib), _pieces(content))


def _octets(part: Message) -> bytes:
    return cast(bytes, part.get_payload(decode=True))


def _texts(element: Any, path: str) -> Any:
    for child in element:
        name = path + etree.QName(child).localname
        if len(child):
            yield from _texts(child, name + "/")
        else:
            yield name, child.text or ""


def _pieces(content: Any) -> list[Piece]:
    """The presentation first, which names all the others; each is found by the name that it has there."""
    assert content.get_content_type() == "multipart/related"
    parts = list(content.iter_parts())
    found = [_piece(part) for part in parts]
    assert found[0].type == "application/smil"
    page = etree.fromstring(found[0].octets)
    named = [each.get("src") for each in page.iter() if each.get("src")]
    assert set(named) == {piece.id for piece in found[1:]}
    assert [part["Content-Location"] for part in parts[1:]] == [piece.id for piece in found[1:]]
    return found


def _piece(part: Any) -> Piece:
    octets = _octets(part)
    text = octets.decode(part.get_content_charset()) if part.get_content_type() == "text/plain" else ""
    return Piece(part.get_content_type(), octets, part["Content-ID"].strip("<>"), text)


# --- what an MMSC says ------------------------------------------------------------------------------------------------


def envelope(body: str, transaction: str = "t-1", namespace: str = REL_6) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<s:Header><TransactionID xmlns="{namespace}" s:mustUnderstand="1">{transaction}</TransactionID></s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def response(
    code: int,
    message_id: str = "",
    words: str = "",
    details: str = "",
    transaction: str = "t-1",
    namespace: str = REL_6,
) -> bytes:
    status = f"<StatusCode>{code}</StatusCode><StatusText>{words}</StatusText><Details>{details}</Details>"
    named = f"<MessageID>{message_id}</MessageID>" if message_id else ""
    body = f'<SubmitRsp xmlns="{namespace}"><MM7Version>6.8.0</MM7Version><Status>{status}</Status>{named}</SubmitRsp>'
    return envelope(body, transaction, namespace)


def faulted(code: int, transaction: str = "t-1", name: str = "RSErrorRsp") -> bytes:
    status = f"<Status><StatusCode>{code}</StatusCode><StatusText>No</StatusText></Status>"
    detail = f'<{name} xmlns="{REL_6}"><MM7Version>6.8.0</MM7Version>{status}</{name}>'
    return envelope(
        f"<s:Fault><faultcode>s:Server</faultcode><faultstring>No</faultstring><detail>{detail}</detail></s:Fault>",
        transaction,
    )


def report(message_id: str, status: str, recipient: str, *, more: str = "", transaction: str = "r-1") -> bytes:
    return envelope(
        f'<DeliveryReportReq xmlns="{REL_6}"><MM7Version>6.8.0</MM7Version><MMSRelayServerID>mmsc</MMSRelayServerID>'
        f"<MessageID>{message_id}</MessageID><Recipient><Number>{recipient}</Number></Recipient>"
        f"<Sender><Number>+15551234567</Number></Sender><Date>2026-01-31T12:00:00Z</Date>"
        f"<MMStatus>{status}</MMStatus>{more}</DeliveryReportReq>",
        transaction,
    )


def read_report(message_id: str, status: str = "Read") -> bytes:
    return envelope(
        f'<ReadReplyReq xmlns="{REL_6}"><MM7Version>6.8.0</MM7Version><MessageID>{message_id}</MessageID>'
        "<Recipient><Number>+442079461234</Number></Recipient><Sender><Number>+15551234567</Number></Sender>"
        f"<TimeStamp>2026-01-31T12:00:00Z</TimeStamp><MMStatus>{status}</MMStatus></ReadReplyReq>"
    )


PARTS = [
    ("application/smil", "smil", b'<smil><body><par><img src="a.jpg"/><text src="b.txt"/></par></body></smil>'),
    ("text/plain; charset=utf-8", "b.txt", "Grüße".encode()),
    ("image/jpeg; name=a.jpg", "a.jpg", b"\xff\xd8\xff picture \xff\xd9"),
]
"""The content of a message as a handset puts it together."""


def delivery(
    sender: str = "<Number>+442079461234</Number>",
    recipients: str = "<To><Number>+15551234567</Number></To>",
    parts: list[tuple[str, str, bytes]] | None = None,
    *,
    more: str = "<Subject>A day out</Subject>",
    namespace: str = REL_6,
    transaction: str = "d-1",
) -> tuple[str, bytes]:
    """The Content-Type and the body of a DeliverReq."""
    content = '<Content href="cid:mms"/>' if parts != [] else ""
    group = f"<Recipients>{recipients}</Recipients>" if recipients else ""
    xml = envelope(
        f'<DeliverReq xmlns="{namespace}"><MM7Version>6.8.0</MM7Version><LinkedID>l-1</LinkedID>'
        f"<Sender>{sender}</Sender>{group}<TimeStamp>2026-01-31T12:00:00Z</TimeStamp>{more}{content}</DeliverReq>",
        transaction,
        namespace,
    )
    if parts == []:
        return "text/xml; charset=utf-8", xml
    inner = b"".join(
        f"--in\r\nContent-Type: {kind}\r\nContent-ID: <{name}>\r\n\r\n".encode() + octets + b"\r\n"
        for kind, name, octets in parts or PARTS
    )
    body = (
        b"--out\r\nContent-Type: text/xml\r\nContent-ID: <start>\r\n\r\n" + xml + b"\r\n--out\r\n"
        b'Content-Type: multipart/related; boundary=in; start="<smil>"; type="application/smil"\r\n'
        b"Content-ID: <mms>\r\n\r\n" + inner + b"--in--\r\n\r\n--out--\r\n"
    )
    return 'multipart/related; boundary=out; type="text/xml"; start="<start>"', body


def said(body: bytes) -> tuple[str, str, int]:
    """What an answer of ours says: the name of its PDU, its TransactionID and its StatusCode. It must be valid."""
    (transaction,), (element,) = cast(Any, etree.fromstring(body))
    if element.tag == ENV + "Fault":
        (element,) = element.find("detail")
    namespace = etree.QName(element).namespace or ""
    valid(element, namespace)
    assert etree.QName(transaction).namespace == namespace
    code = element.find(f"{{{namespace}}}Status/{{{namespace}}}StatusCode").text
    return etree.QName(element).localname, transaction.text or "", int(code)


# --- the server -------------------------------------------------------------------------------------------------------

Plan = Callable[[Submission], Awaitable[Said]]
XML = ("content-type", "text/xml; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Login:
    """Whom a server lets in, by Basic or by Digest (RFC 7616, MD5, qop=auth)."""

    scheme: Literal["Basic", "Digest"]
    username: str
    password: str

    def challenge(self, nonce: str, *, stale: bool) -> str:
        if self.scheme == "Basic":
            return 'Basic realm="mmsc"'
        return f'Digest realm="mmsc", nonce="{nonce}", qop="auth", stale={str(stale).lower()}'

    def lets_in(self, said: str, nonce: str, target: str) -> bool:
        if self.scheme == "Basic":
            return said == "Basic " + b64encode(f"{self.username}:{self.password}".encode()).decode()
        fields = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', said)}
        one, two = _md5(f"{self.username}:mmsc:{self.password}"), _md5(f"POST:{target}")
        proven = [one, nonce, fields.get("nc", ""), fields.get("cnonce", ""), "auth", two]
        return fields.get("response") == _md5(":".join(proven)) and fields.get("nonce") == nonce


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class MMSC:
    """Answers each SubmitReq that a server is asked by `plan`, and has all of them in `submissions`.

    `login`: whom it lets in; of Digest, a nonce is good for `nonce_for` requests.
    """

    def __init__(self, server: Server, login: Login | None = None, nonce_for: int = 1000) -> None:
        server.on_request = self._answer
        self.submissions: list[Submission] = []
        self.refused = 0
        self.plan: Plan = self.take
        self.login, self.nonce = login, "nonce-1"
        self._nonce_for, self._met = nonce_for, 0

    async def take(self, submitted: Submission) -> Said:
        return xml(response(1000, f"m-{len(self.submissions)}", transaction=submitted.transaction))

    def says(self, *planned: Callable[[str], Said] | type[Hangup]) -> None:
        """The next submissions are answered by these, each from its TransactionID, and those after them by the last."""
        waiting = list(planned)

        async def plan(submitted: Submission) -> Said:
            said = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if isinstance(said, type):
                raise said
            return said(submitted.transaction)

        self.plan = plan

    async def _answer(self, asked: Asked) -> Said:
        assert (asked.method, asked.headers["soapaction"]) == ("POST", '""')
        if self.login and not self._lets_in(self.login, asked):
            self.refused += 1
            stale = self._met >= self._nonce_for
            if stale:
                self.nonce, self._met = self.nonce + "+", 0
            return Said(401, b"", (("www-authenticate", self.login.challenge(self.nonce, stale=stale)),))
        self.submissions.append(submission(asked.headers["content-type"], asked.body))
        return await self.plan(self.submissions[-1])

    def _lets_in(self, login: Login, asked: Asked) -> bool:
        self._met += 1
        said = asked.headers.get("authorization", "")
        return login.lets_in(said, self.nonce, asked.target) and self._met <= self._nonce_for


def xml(body: bytes, status: int = 200) -> Said:
    return Said(status, body, (XML,))
