"""The MMS centre, as somebody sees it who sends MMS over MM7."""

import asyncio
import email
import email.policy
import hashlib
import random
import tomllib
from base64 import b64encode
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from messagehub.carriers.simulator.magic import OVERTAKEN
from messagehub.carriers.simulator.scenario import read as read_scenario
from messagehub.mms import NAMESPACES, PDU, Address, Content, Medium, Part, take_apart, write
from tests.media.samples import SAMPLES
from tests.simulator.esme import QUICK, Esme
from tests.simulator.vasp import PICTURE, Vasp, read_of, request, vasp

TO = "+15559870000"
USUAL = replace(QUICK, mm7_pauses=(0.02, 0.02))


def code(pdu: PDU) -> int:
    status: int = pdu.fields["Status"]["StatusCode"]
    return status


# --- the magic numbers ------------------------------------------------------------------------------------------------

REPORTS = [  # destination, what its reports say, at least so many seconds after the answer
    ("+821000000001", ["Unreachable"], 0.02),
    ("+821000000002", ["Rejected"], 0.02),
    ("+821000000008", ["Retrieved"], 0.14),
    ("+821000000009", ["Expired", "Retrieved"], 0.08),
    ("+821012345678", ["Retrieved"], 0.02),
]


@pytest.mark.parametrize(("destination", "statuses", "after"), REPORTS)
async def test_reports_are_what_the_number_says(destination: str, statuses: list[str], after: float) -> None:
    async with vasp() as us:
        begun = asyncio.get_running_loop().time()
        answered = await us.submit(destination)
        assert (answered.name, code(answered), answered.transaction_id) == ("SubmitRsp", 1000, "t-1")
        reports = await us.come(len(statuses))
        assert asyncio.get_running_loop().time() - begun >= after
        assert [report.fields["MMStatus"] for report in reports] == statuses
        assert {report.fields["MessageID"] for report in reports} == {answered.fields["MessageID"]}
        assert reports[0].fields["Recipient"] == Address("Number", destination)
        assert reports[0].fields["Sender"] == Address("Number", "+15551234567")


async def test_0003_is_always_refused_and_0004_three_times_each() -> None:
    async with vasp() as us:
        assert [code(await us.submit("+821000000003")) for _ in range(2)] == [2002, 2002]
        for destination in ("+821000000004", "+821000010004"):
            assert [code(await us.submit(destination)) for _ in range(4)] == [4006, 4006, 4006, 1000]


async def test_0005_has_no_report_and_0006_no_answer() -> None:
    async with vasp() as us:
        assert code(await us.submit("+821000000005")) == 1000
        with pytest.raises(httpx.ReadTimeout):
            await us.client.post(
                f"http://127.0.0.1:{us.ports.mm7}/", **posted(request("+821000000006")), timeout=0.15
            )  # fmt: skip
        stats = (await us.get("/stats")).json()
        assert (stats["submits"], stats["accepted"], stats["ignored"], us.heard) == (2, 1, 1, [])


async def test_0007_tells_of_it_before_the_answer() -> None:
    async with vasp(replace(QUICK, receipt_delay=OVERTAKEN)) as us:
        submitting = asyncio.create_task(us.submit("+821000000007"))
        (report,) = await us.come()
        assert not submitting.done()
        assert (await submitting).fields["MessageID"] == report.fields["MessageID"]


async def test_plain_has_no_magic() -> None:
    async with vasp(replace(QUICK, plain=True)) as us:
        assert [code(await us.submit(f"+82100000000{n}")) for n in range(1, 10)] == [1000] * 9
        assert {report.fields["MMStatus"] for report in await us.come(9)} == {"Retrieved"}


# --- what came --------------------------------------------------------------------------------------------------------


async def test_it_shows_what_came_with_its_parts() -> None:
    async with vasp() as us:
        media = (PICTURE, Medium("text/x-vcard", SAMPLES["vcard"], "contact2.vcf"))
        await us.submit(TO, content=Content("Grüße", media), Priority="High")
        (shown,) = (await us.get("/submits")).json()["result"]
        told = ("kind", "source", "destination", "text", "subject", "vasp_id", "vas_id", "priority", "expires")
        assert [shown[name] for name in told] == [
            "mms", "+15551234567", TO, "Grüße", "Hi", "us", "demo", "High", "1:00:00",
        ]  # fmt: skip
        _, text, picture, card = shown["parts"]
        assert [part["type"] for part in shown["parts"]] == [
            "application/smil", "text/plain", "image/jpeg", "text/x-vcard",
        ]  # fmt: skip
        assert (picture["width"], picture["height"], picture["size"]) == (60, 40, len(PICTURE.body))
        assert card["sha256"] == hashlib.sha256(SAMPLES["vcard"]).hexdigest()
        raw = await us.get(f"/submits/{shown['n']}/raw")
        assert len(raw.content) == shown["size"]
        assert read_of(raw).transaction_id == "t-1"
        seen = await us.get(f"/submits/{shown['n']}/parts/3")
        assert (seen.content, seen.headers["content-type"]) == (PICTURE.body, "image/jpeg")
        assert (await us.get(f"/submits/{shown['n']}/parts/2")).content.decode() == "Grüße"
        assert text["size"] == 7


@pytest.mark.parametrize(("path", "words"), [("/submits/1/parts/9", "parts 1 to 3"), ("/submits/2/parts/1", "no MMS")])
async def test_parts_that_are_not_there(path: str, words: str) -> None:
    async with vasp() as us:
        await us.submit(TO)
        missing = await us.get(path)
        assert missing.status_code == 404
        assert words in missing.json()["error"]


async def test_the_oldest_parts_are_forgotten_and_what_they_were_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messagehub.carriers.simulator.record.MEDIA_KEPT", 9_000)
    async with vasp() as us:
        for n in range(4):
            await us.submit(f"+1555987654{n}")
        shown = (await us.get("/submits")).json()["result"]
        assert [len(submit["parts"]) for submit in shown] == [3] * 4
        assert [(await us.get(f"/submits/{n}/parts/3")).status_code for n in (1, 4)] == [410, 200]


async def test_sms_and_mms_stand_in_the_order_in_which_they_came() -> None:
    async with vasp() as us:
        esme = Esme()
        await esme.bind(us.ports)
        await us.submit(TO)
        esme.submit("15559870001")
        await esme.named("submit_sm_resp")
        for _ in range(2):
            await us.submit(TO)
        result = (await us.get("/submits")).json()["result"]
        assert [(one["n"], one["kind"]) for one in result] == [(1, "mms"), (2, "sms"), (3, "mms"), (4, "mms")]
        assert [one["n"] for one in (await us.get("/submits?after=2")).json()["result"]] == [3, 4]
        stats = (await us.get("/stats")).json()
        assert (stats["accepted"], stats["unique"], stats["duplicates"]) == (4, 2, 2)
        assert (await us.get("/submits/2/parts/1")).status_code == 404
        await esme.driver.unbind()


@pytest.mark.parametrize("release", ["REL-5-MM7-1-2", "REL-6-MM7-1-4"])
async def test_it_speaks_as_it_was_spoken_to(release: str) -> None:
    namespace = NAMESPACES[release]
    async with vasp() as us:
        assert (await us.submit(TO, namespace=namespace)).namespace == namespace
        (report,) = await us.come()
        assert (report.namespace, report.version[0]) == (namespace, release[4])


async def test_reports_come_to_those_who_ask() -> None:
    async with vasp() as us:
        await us.submit("+15559870001", DeliveryReport=False)
        await us.submit("+15559870000")
        assert [pdu.fields["Recipient"].value for pdu in await us.come()] == ["+15559870000"]


async def test_of_several_recipients_some_may_be_refused() -> None:
    async with vasp() as us:
        answered = await us.submit("+821000001111", "+821000000003", "+821000000002")
        assert (code(answered), answered.fields["Status"]["Details"]) == (1100, "not to +821000000003")
        reports = await us.come(2)
        found = {report.fields["Recipient"].value: report.fields["MMStatus"] for report in reports}
        assert found == {"+821000001111": "Retrieved", "+821000000002": "Rejected"}


async def test_what_is_canceled_is_reported_no_more() -> None:
    async with vasp() as us:
        message_id = (await us.submit("+821000000008")).fields["MessageID"]
        cancel = PDU("CancelReq", "t-2", {"SenderIdentification": {"VASPID": "us"}, "MessageID": message_id})
        answers = [read_of(await us.post(*write(cancel))) for _ in range(2)]
        assert [(pdu.name, code(pdu)) for pdu in answers] == [("CancelRsp", 1000), ("CancelRsp", 2005)]
        await us.submit("+821000000009")
        assert [report.fields["MMStatus"] for report in await us.come(2)] == ["Expired", "Retrieved"]


# --- what is refused --------------------------------------------------------------------------------------------------


def posted(pdu: PDU) -> dict[str, Any]:
    content_type, body = write(pdu)
    return {"headers": {"content-type": content_type, "soapaction": '""'}, "content": body}


def changed(old: bytes, new: bytes) -> dict[str, Any]:
    good = posted(request(TO))
    assert old in good["content"]
    return good | {"content": good["content"].replace(old, new)}


def bare() -> dict[str, Any]:
    """The envelope alone, without a multipart."""
    good = posted(request(TO))
    head = f"Content-Type: {good['headers']['content-type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + good["content"], policy=email.policy.HTTP)
    first, _ = message.iter_parts()
    return {"headers": {"content-type": "text/xml", "soapaction": '""'}, "content": first.get_payload(decode=True)}


CORRUPT: list[tuple[Any, int, str]] = [
    (bare(), 2007, "multipart"),
    (changed(b"<VASPID>us</VASPID>", b""), 4001, "VASPID"),
    (changed(b">t-1<", b"><"), 4004, "TransactionID"),
    (changed(b"<Number>+15559870000</Number>", b"<Number>Zoe</Number>"), 2002, "Zoe"),
    (changed(b"<Recipients>", b"<Nobody>"), 2007, "XML"),
    (changed(b"SubmitReq", b"SubmitMe"), 4003, "operation"),
    ({"headers": {"content-type": "text/xml", "soapaction": '""'}, "content": b"Hello"}, 2007, "XML"),
    (posted(request(TO)) | {"headers": {"content-type": posted(request(TO))["headers"]["content-type"]}}, 4004, "SOAP"),
    (posted(replace(request(TO), content=Part("multipart/mixed"))), 2007, "content"),
]


@pytest.mark.parametrize(("given", "expected", "words"), CORRUPT)
async def test_what_is_no_submit_is_a_fault(given: dict[str, Any], expected: int, words: str) -> None:
    async with vasp() as us:
        response = await us.client.post(f"http://127.0.0.1:{us.ports.mm7}/", **given)
        said = read_of(response)
        assert (response.status_code, said.name, code(said)) == (500, "RSErrorRsp", expected)
        assert words in said.fields["Status"]["StatusText"]
        assert (await us.get("/submits")).json()["result"] == []


async def test_what_is_too_large_is_refused() -> None:
    async with vasp(replace(QUICK, mm7_octets=5_000)) as us:
        assert code(await us.submit(TO)) == 1000
        large = Content("", (Medium("application/pdf", SAMPLES["pdf"] + bytes(5_000), "document1.pdf"),))
        answered = await us.submit(TO, content=large)
        assert code(answered) == 2004
        assert "5000 are taken" in answered.fields["Status"]["StatusText"]
        huge = await us.post("text/xml", bytes((16 << 20) + 1))
        assert huge.status_code == 413


async def test_only_who_knows_the_password_submits() -> None:
    async with vasp(replace(QUICK, mm7_username="us", mm7_password="geheim✓")) as us:
        content_type, body = write(request(TO))
        refused = await us.post(content_type, body)
        assert (refused.status_code, refused.headers["www-authenticate"][:5]) == (401, "Basic")
        for login, status in (("us:geheim✓", 200), ("us:x", 401), ("you:geheim✓", 401)):
            basic = b64encode(login.encode()).decode()
            assert (await us.post(content_type, body, authorization=f"Basic {basic}")).status_code == status
        for nonsense in ("Basic *", "Bearer x", "Basic"):
            assert (await us.post(content_type, body, authorization=nonsense)).status_code == 401


@pytest.mark.parametrize(("password", "status"), [("secret", 200), ("guess", 401)])
async def test_digest_as_a_client_that_is_not_ours_understands_it(password: str, status: int) -> None:
    async with vasp(replace(QUICK, mm7_username="us", mm7_password="secret", mm7_digest=True)) as us:
        url, auth = f"http://127.0.0.1:{us.ports.mm7}/mms", httpx.DigestAuth("us", password)
        answered = await us.client.post(url, **posted(request(TO)), auth=auth)
        assert answered.status_code == status


async def test_whatever_is_asked_is_answered_in_mm7() -> None:
    """Octets of a good request, changed and cut at random."""
    chance, (content_type, body) = random.Random(7), write(request(TO))
    async with vasp() as us:
        for _ in range(300):
            wrong = bytearray(body[: chance.choice((len(body), chance.randrange(len(body))))])
            for _ in range(chance.randrange(1, 6)):
                wrong[chance.randrange(len(wrong) or 1) : chance.randrange(len(wrong) or 1)] = chance.randbytes(2)
            answered = read_of(await us.post(content_type, bytes(wrong)))
            assert answered.name in ("SubmitRsp", "RSErrorRsp")


# --- what goes to the VASP --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answers", "requests"), [((500, 200), 2), ((3000, 1000), 2), ((2005,), 1), ((500,) * 9, 3)])
async def test_what_was_not_taken_is_sent_again_a_few_times(answers: tuple[int, ...], requests: int) -> None:
    async with vasp(USUAL, answers) as us:
        await us.submit(TO)
        reports = await us.come(requests)
        await asyncio.sleep(0.1)
        assert len(us.heard) == requests
        assert len({report.transaction_id for report in reports}) == 1
        assert us.logins[0] == f"Basic {b64encode(b'mmsc:pst').decode()}"
        stats = (await us.get("/stats")).json()
        taken = answers[-1] in (200, 1000)
        assert (stats["receipts_sent"], stats["receipts_acknowledged"]) == (requests, int(taken))


async def test_reports_wait_until_somebody_says_where_he_is() -> None:
    async with vasp(is_known=False) as us:
        await us.submit(TO)
        await asyncio.sleep(0.06)
        assert (await us.get("/stats")).json()["waiting"] == 1
        port = us.port
        for vasp_id in ("others", "us"):
            assert us.heard == []
            assert (await us.tell("/vasp", url=f"http://127.0.0.1:{port}/mm7", vasp_id=vasp_id)).status_code == 200
        await us.come()


@pytest.mark.parametrize("body", [{"url": "nonsense"}, {"url": "http://x", "more": 1}, {}])
async def test_a_place_that_is_none(body: dict[str, str]) -> None:
    async with vasp() as us:
        assert (await us.tell("/vasp", **body)).status_code == 400


def medium(kind: str, octets: bytes, **more: str) -> dict[str, str]:
    return {"type": kind, "octets": b64encode(octets).decode(), **more}


async def test_a_handset_writes_an_mms() -> None:
    async with vasp() as us:
        medias = [medium("image/jpeg", PICTURE.body), medium("audio/mpeg", SAMPLES["mp3"], name="song.mp3")]
        given = {"from": "+15557654321", "to": "12345", "text": "Look!", "subject": "At sea", "medias": medias}
        told = await us.tell("/send", **given)
        assert (told.status_code, told.json()) == (200, {"parts": 1, "statuses": ["1000 Success"]})
        (heard,) = await us.come()
        assert heard.name == "DeliverReq"
        assert heard.fields["Sender"] == Address("Number", "+15557654321")
        assert heard.fields["Recipients"] == {"To": [Address("ShortCode", "12345")]}
        assert heard.fields["Subject"] == "At sea"
        assert heard.content
        assert take_apart(heard.content) == Content(
            "Look!", (PICTURE, Medium("audio/mpeg", SAMPLES["mp3"], "song.mp3"))
        )


async def test_a_handset_hears_the_first_answer() -> None:
    async with vasp(USUAL, (503, 4006, 1000)) as us:
        told = await us.tell("/send", **{"from": "1", "to": "12345", "subject": "Hi"})
        assert told.json()["statuses"] == ["HTTP 503"]
        assert [pdu.fields["Subject"] for pdu in await us.come(3)] == ["Hi"] * 3


WRONG = [
    ({"from": "Zoe", "to": "1", "subject": "x"}, 400, "from: "),
    ({"from": "1", "to": "1", "medias": [{"type": "image/png", "octets": "*"}]}, 400, "base64"),
    ({"from": "1", "to": "1", "medias": [medium("image/png", b"x", name="../x")]}, 400, "media: "),
]


@pytest.mark.parametrize(("given", "status", "words"), WRONG)
async def test_what_no_handset_could_write(given: dict[str, Any], status: int, words: str) -> None:
    async with vasp() as us:
        told = await us.tell("/send", **given)
        assert told.status_code == status
        assert words in told.json()["error"]


async def test_nobody_is_there_to_read_it() -> None:
    async with vasp(is_known=False) as us:
        told = await us.tell("/send", **{"from": "1", "to": "2", "subject": "Hi"})
        assert told.status_code == 503


# --- scenarios --------------------------------------------------------------------------------------------------------


def playing(toml: str) -> Any:
    return vasp(replace(QUICK, scenario=read_scenario(tomllib.loads(f'[[rule]]\non = "mms"\n{toml}'))))


async def response(us: Vasp, to: str = TO) -> httpx.Response:
    return await us.post(*write(request(to)))


async def test_an_answer_is_as_it_is_asked_for() -> None:
    rule = 'answer = { status = 2571, text = "no", details = "more", fault = true, http = 200 }'
    async with playing(rule) as us:
        answered = await response(us)
        said = read_of(answered)
        assert (answered.status_code, said.name, code(said)) == (200, "RSErrorRsp", 2571)
    async with playing("answer = { http = 503, retry_after = 7, body = 'empty' }") as us:
        answered = await response(us)
        assert (answered.status_code, answered.headers["retry-after"], answered.content) == (503, "7", b"")
        assert (await us.get("/stats")).json()["refused"] == 1
    async with playing("answer = { body = 'garbage', id = 'uuid' }") as us:
        assert (await response(us)).content.startswith(b"<html>")
        assert (await us.get("/submits")).json()["result"][0]["message_id"].count("-") == 4
    async with playing("answer = { body = 'half' }") as us:
        with pytest.raises(httpx.RemoteProtocolError):
            await response(us)


async def test_reports_are_as_they_are_asked_for() -> None:
    rule = (
        'answer = { http = 502 }\nreports = [{ status = "Forwarded", text = "on", times = 2, after = 0 }, '
        '{ id = "unknown", recipient = "plmn" }]'
    )
    async with playing(rule) as us:
        assert (await response(us)).status_code == 502
        one, two, last = await us.come(3)
        assert one.fields["MMStatus"] == two.fields["MMStatus"] == "Forwarded"
        assert (one.fields["StatusText"], one.fields["MessageID"]) == ("on", two.fields["MessageID"])
        assert last.fields["MessageID"] == f"unknown{one.fields['MessageID']}"
        assert any("MM4" in odd for odd in last.oddities)


async def test_a_rule_is_for_the_mms_that_it_fits() -> None:
    async with playing('name = "ours"\nwhen = { from = "15551234567", system_id = "us", to_prefix = "+1555" }\n'
                       "answer = { status = 2001 }") as us:  # fmt: skip
        esme = Esme()
        await esme.bind(us.ports)
        esme.submit("15559870000")
        assert (await esme.named("submit_sm_resp"))[0].status == 0
        answers = [code(await us.submit(to)) for to in (TO, "+4420", TO)]
        assert answers == [2001, 1000, 2001]
        assert (await us.get("/stats")).json()["played"] == {"ours": 2}
        await esme.driver.unbind()
