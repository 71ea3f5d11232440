"""The MMS centre: takes MMS over MM7 (3GPP TS 23.140, section 8.7), and tells those who sent them what became of them.

It is stricter than our own reader: what a centre might refuse, it refuses.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from messagehub.carriers.simulator import magic, mms_record
from messagehub.carriers.simulator.door import Door
from messagehub.carriers.simulator.ids import Ids
from messagehub.carriers.simulator.later import Later
from messagehub.carriers.simulator.listener import Listener
from messagehub.carriers.simulator.mms_course import MMSCourse, prepared
from messagehub.carriers.simulator.mms_record import Raw
from messagehub.carriers.simulator.options import Options
from messagehub.carriers.simulator.record import Record
from messagehub.carriers.simulator.rules import Rules
from messagehub.carriers.simulator.scenario import Answer, Report, Rule
from messagehub.carriers.simulator.vasps import Delivery, Vasps
from messagehub.mms import PDU, Address, Content, DecodeError, answer, compose, fault, read, status, write
from messagehub.smpp import PDU as SubmitSm

NAME = "simulator"
MOST_OCTETS = 16 << 20  # of a request

_SUCCESS, _PARTLY = 1000, 1100
_ADDRESS, _CONTENT, _MESSAGE_ID, _CORRUPT = 2002, 2004, 2005, 2007
_IDENTIFICATION, _OPERATION, _VALIDATION = 4001, 4003, 4004
_RECIPIENT = re.compile(r"\+?[0-9]{3,15}|[^@\s]+@[^@\s]+")

# the kind of an address by its look; the first that matches
_KINDS: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"\+[0-9]{3,15}"), "Number"),
    (re.compile(r"[0-9]{1,6}"), "ShortCode"),
    (re.compile(r"[0-9]{7,15}"), "Number"),
    (re.compile(r"[^@\s]+@[^@\s]+"), "RFC2822Address"),
)


class NoVasp(Exception):
    """Nobody has said where what handsets write is taken."""


class Mmsc:
    """An MMS centre that keeps nothing but what is in memory. Make it inside a running loop."""

    def __init__(self, options: Options, record: Record, ids: Ids) -> None:
        self._options, self._record, self._ids = options, record, ids
        self._later = Later(lambda: None)
        self.vasps = Vasps(self._later, record.counts, options.mm7_pauses)
        for vasp_id, vasp in options.vasps.items():
            self.vasps.put(vasp_id, vasp)
        named = [(rule.name or f"rule {n}", rule) for n, rule in enumerate(options.scenario, start=1)]
        self._courses = [self._course(rule, name) for name, rule in named if rule.on == "mms"]
        unseen = [] if options.plain else [self._course(rule, rule.name) for rule in magic.rules_of_mms(options)]
        self._rules = Rules([(course.when, course) for course in (*self._courses, *unseen)])
        self._usual = self._course(Rule(on="mms"), "")
        self._to_come: dict[str, int] = {}
        """How many reports of a message are still to come, by its id."""
        self._door = Door(options.mm7_username, options.mm7_password, options.mm7_digest)
        self._closing = asyncio.Event()
        self._listener = Listener(
            [Route("/{path:path}", self._asked, methods=["POST"])], options.host, options.mm7_port
        )

    async def open(self) -> int:
        """Listen; the port."""
        return await self._listener.open()

    async def close(self) -> None:
        self._closing.set()
        self._later.close()
        await self.vasps.close()
        await self._listener.close()

    @property
    def played(self) -> dict[str, int]:
        """How often each rule of the scenario was."""
        return {course.name: course.played for course in self._courses}

    async def write(self, source: str, destination: str, content: Content, subject: str = "") -> str:
        """Be a handset that writes an MMS: the words by which it was first answered.

        Raises NoVasp; ValueError where it cannot be written.
        """
        if not self.vasps.knows(""):
            raise NoVasp
        fields = {
            "MMSRelayServerID": NAME,
            "Sender": _address("from", source),
            "Recipients": {"To": [_address("to", destination)]},
            "TimeStamp": _now(),
            **({"Subject": subject} if subject else {}),
        }
        request = PDU("DeliverReq", _transaction(), fields, compose(content))
        write(request)  # now, while whoever asked can be told
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.vasps.add("", Delivery(request, is_report=False, answer=answered))
        return await answered

    def _course(self, rule: Rule, name: str) -> MMSCourse:
        return prepared(rule, name, self._options.receipt_delay)

    # --- requests -----------------------------------------------------------------------

    async def _asked(self, request: Request) -> Response:
        if not self._door.lets_in(request.method, request.url.path, request.headers.get("authorization", "")):
            return Response(status_code=401, headers={"www-authenticate": self._door.challenge()})
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response()
        if body is None:
            return Response(f"{MOST_OCTETS} octets are taken\n", 413)
        try:
            raw = Raw(request.headers.get("content-type", ""), body)
            pdu = read(*raw)
        except DecodeError as error:
            return _fault(error, error.status, str(error))
        if "soapaction" not in request.headers:  # SOAP 1.1, section 6.1.1
            return _fault(pdu, _VALIDATION, "the header SOAPAction is missing")
        if pdu.name == "SubmitReq":
            return await self._submit(request, pdu, raw)
        return _OTHERS.get(pdu.name, Mmsc._refuse)(self, pdu)

    def _refuse(self, pdu: PDU) -> Response:
        return _fault(pdu, _OPERATION, f"{pdu.name} is not taken here")

    def _cancel(self, pdu: PDU) -> Response:
        """What was accepted counts as under way until its last report."""
        if self._to_come.pop(pdu.fields["MessageID"], 0):
            return _response(answer(pdu, _SUCCESS, status(_SUCCESS).words))
        return _response(answer(pdu, _MESSAGE_ID, status(_MESSAGE_ID).words))

    async def _submit(self, request: Request, pdu: PDU, raw: Raw) -> Response:
        self._record.counts.submits += 1
        if wrong := _wrong(pdu) or self._too_large(len(raw.body)):
            self._record.counts.refused += 1
            return _fault(pdu, *wrong)
        recipients = [address.value for address in chain.from_iterable(pdu.fields["Recipients"].values())]
        chosen = [(recipient, self._course_of(pdu, recipient)) for recipient in recipients]
        message_id = self._take(pdu, chosen, raw)
        (_, first), refused = chosen[0], [name for name, course in chosen if course.answer.refuses]
        if first.answer.after:
            await asyncio.sleep(first.answer.after)
        if first.answer.none:
            return await self._say_nothing(request)
        if 0 < len(refused) < len(chosen):
            return _response(_said(pdu, Answer(status=_PARTLY, details=f"not to {', '.join(refused)}"), message_id))
        return _in_dialect(pdu, first.answer, message_id)

    def _too_large(self, size: int) -> tuple[int, str] | None:
        most = self._options.mm7_octets
        return (_CONTENT, f"{size} octets; {most} are taken") if 0 < most < size else None

    def _course_of(self, pdu: PDU, recipient: str) -> MMSCourse:
        vasp_id = pdu.fields["SenderIdentification"]["VASPID"]
        # Of a submit the rules look at nothing else.
        submit = SubmitSm("submit_sm", fields={"destination_addr": recipient, "source_addr": _source(pdu)})
        course = self._rules.of(None, vasp_id, submit) or self._usual
        course.played += 1
        return course

    def _take(self, pdu: PDU, chosen: Sequence[tuple[str, MMSCourse]], raw: Raw) -> str:
        """Keep it for each recipient whose course takes it, and promise its reports; its MessageID."""
        counts = self._record.counts
        message_id = self._ids.write(counts.submits, chosen[0][1].answer.id)
        for recipient, course in chosen:
            counts.refused += course.answer.refuses
            counts.ignored += course.answer.none
            if not course.takes:
                continue
            counts.accepted = n = counts.accepted + 1
            self._record.add_mms(mms_record.kept(n, message_id, _source(pdu), recipient, pdu, raw))
            if pdu.fields.get("DeliveryReport"):
                self._promise(pdu, course, recipient, message_id)
        return message_id

    async def _say_nothing(self, request: Request) -> Response:
        """Until the peer has enough, or we have."""
        waiting = [asyncio.ensure_future(task) for task in (request.receive(), self._closing.wait())]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        return Response()

    # --- reports ------------------------------------------------------------------------

    def _promise(self, pdu: PDU, course: MMSCourse, recipient: str, message_id: str) -> None:
        self._to_come[message_id] = self._to_come.get(message_id, 0) + len(course.reports)
        for delay, report in course.reports:
            self._later.put(delay, partial(self._tell, pdu, report, recipient, message_id))

    def _tell(self, pdu: PDU, report: Report, recipient: str, message_id: str) -> None:
        left = self._to_come.pop(message_id, 0)
        if not left:
            return  # it was canceled
        if left > 1:
            self._to_come[message_id] = left - 1
        identity = pdu.fields["SenderIdentification"]
        fields = {
            "MMSRelayServerID": NAME,
            "MessageID": message_id if report.id == "as_is" else f"unknown{message_id}",
            "Recipient": Address("Number", recipient + "/TYPE=PLMN" * (report.recipient == "plmn")),
            "Sender": identity.get("SenderAddress") or Address("RFC2822Address", identity["VASPID"]),
            "Date": _now(),
            "MMStatus": report.status,
            **({"StatusText": report.text} if report.text else {}),
        }
        request = PDU("DeliveryReportReq", _transaction(), fields, None, pdu.namespace, pdu.version)
        self.vasps.add(identity["VASPID"], Delivery(request, is_report=True))


_OTHERS: Mapping[str, Callable[[Mmsc, PDU], Response]] = {"CancelReq": Mmsc._cancel}


# --- what is wrong with a submit --------------------------------------------------------


def _wrong(pdu: PDU) -> tuple[int, str] | None:
    """StatusCode and words for what our reader lets pass, and a centre need not (8.7.1.1)."""
    identity = pdu.fields.get("SenderIdentification", {})
    if not pdu.transaction_id:
        return _VALIDATION, "the TransactionID is missing"
    if not identity.get("VASPID"):
        return _IDENTIFICATION, "SenderIdentification: VASPID is missing"
    if pdu.content is None or not any(leaf.body for leaf in pdu.content.leaves()):
        return _CORRUPT, "the content has no part with anything in it"
    for address in chain.from_iterable(pdu.fields["Recipients"].values()):
        if not _RECIPIENT.fullmatch(address.value):
            return _ADDRESS, f"Recipients: {address.value[:60]!r} is no address"
    return None


def _source(pdu: PDU) -> str:
    sender = pdu.fields["SenderIdentification"].get("SenderAddress")
    return sender.value if sender else ""


async def _body(request: Request) -> bytes | None:
    """None where it is too large."""
    body = bytearray()
    async for octets in request.stream():
        body += octets
        if len(body) > MOST_OCTETS:
            return None
    return bytes(body)


# --- what is answered -------------------------------------------------------------------


def _said(pdu: PDU, given: Answer, message_id: str) -> PDU:
    words = given.text or status(given.status).words
    if given.fault:
        return fault(pdu, given.status, words, name="RSErrorRsp")
    said = answer(pdu, given.status, words, {} if given.status >= 2000 else {"MessageID": message_id})
    if given.details:
        said.fields["Status"]["Details"] = given.details
    return said


def _in_dialect(pdu: PDU, given: Answer, message_id: str) -> Response:
    response = _response(_said(pdu, given, message_id), given.http)
    if given.retry_after:
        response.headers["retry-after"] = str(given.retry_after)
    if given.body != "usual":
        length = len(response.body)
        response.body = _BODIES[given.body](bytes(response.body))
        if given.body != "half":  # of which the length says that there is more
            length = len(response.body)
        response.headers["content-length"] = str(length)
    return response


_BODIES: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda body: b"",
    "garbage": lambda body: b"<html><body>Welcome!</p>",
    "half": lambda body: body[: len(body) // 2],
}


def _response(pdu: PDU, http: int | None = None) -> Response:
    content_type, body = write(pdu)
    usual = 500 if pdu.name == "RSErrorRsp" else 200  # SOAP 1.1, section 6.2
    return Response(body, http or usual, headers={"content-type": content_type})


def _fault(cause: DecodeError | PDU, code: int, words: str) -> Response:
    return _response(fault(cause, code, words, name="RSErrorRsp"))


def _address(member: str, text: str) -> Address:
    kind = next((kind for form, kind in _KINDS if form.fullmatch(text)), None)
    if kind is None:
        raise ValueError(f"{member}: {text[:60]!r} is no number, short code or e-mail address")
    return Address(kind, text)


def _transaction() -> str:
    return f"{NAME}-{secrets.token_hex(8)}"


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
