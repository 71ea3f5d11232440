import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from msgspec import structs
from msgspec.structs import replace

from messagehub.carriers.simulator import Ports, magic
from messagehub.smpp import pack_tlvs, read_tlv, status
from messagehub.smpp.receipts import is_receipt, parse
from messagehub.text import decode
from tests.simulator.esme import QUICK, Esme, bound, simulator

MAGIC = [rule.name for rule in magic.rules(QUICK)]


async def get(ports: Ports, path: str) -> Any:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{ports.http}{path}")).json()


async def post(ports: Ports, **body: Any) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(f"http://127.0.0.1:{ports.http}/send", json=body)


# --- the magic numbers ------------------------------------------------------------------------------------------------

RECEIPTS = [  # destination, what its receipts say, at least so many seconds apart
    ("821000000001", ["UNDELIV"], 0),
    ("821000000002", ["REJECTD"], 0),
    ("821000000007", ["DELIVRD"], 0),
    ("821000000008", ["DELIVRD"], 0.14),
    ("821000000009", ["EXPIRED", "DELIVRD"], 0.05),
    ("821012345678", ["DELIVRD"], 0.02),
]


@pytest.mark.parametrize(("destination", "stats", "apart"), RECEIPTS)
async def test_receipts_are_what_the_number_says(destination: str, stats: list[str], apart: float) -> None:
    async with bound() as (esme, _):
        esme.submit(destination, dest_addr_ton=1, dest_addr_npi=1)
        (response,) = await esme.named("submit_sm_resp")
        assert response.status == 0
        deliveries = await esme.named("deliver_sm", len(stats))
        assert [parse(pdu).stat for pdu in deliveries] == stats
        assert all(is_receipt(pdu) for pdu in deliveries)
        assert {parse(pdu).message_id for pdu in deliveries} == {response.fields["message_id"]}
        fields = deliveries[0].fields
        assert (fields["source_addr"], fields["destination_addr"]) == (destination, "15551234567")
        assert (fields["source_addr_ton"], fields["dest_addr_ton"]) == (1, 1)
        (*_, (before, _), (last, _)) = esme.heard
        assert last - before >= apart


async def test_0003_is_always_refused() -> None:
    async with bound() as (esme, _):
        for n in (1, 2):
            esme.submit("821000000003")
            answers = await esme.named("submit_sm_resp", n)
        assert [status(pdu.status).name for pdu in answers] == ["ESME_RINVDSTADR"] * 2


async def test_0004_is_throttled_three_times_each() -> None:
    async with bound() as (esme, _):
        for destination in ("821000000004", "821000010004"):
            esme.heard.clear()
            for _ in range(5):
                esme.submit(destination)
            answers = await esme.named("submit_sm_resp", 5)
            assert [pdu.status for pdu in answers] == [0x58, 0x58, 0x58, 0, 0]


async def test_0005_has_no_receipt_and_0006_no_answer() -> None:
    async with bound() as (esme, ports):
        esme.submit("821000000005")
        esme.submit("821000000006")
        await esme.named("submit_sm_resp")
        await asyncio.sleep(0.1)
        assert esme.names() == ["bind_transceiver_resp", "submit_sm_resp"]
        assert (await get(ports, "/stats"))["ignored"] == 1


async def test_0007_tells_of_the_delivery_before_the_answer() -> None:
    async with bound() as (esme, _):
        esme.submit("821000000007")
        await esme.named("submit_sm_resp")
        assert esme.names() == ["bind_transceiver_resp", "deliver_sm", "submit_sm_resp"]


async def test_plain_has_no_magic() -> None:
    async with bound(replace(QUICK, plain=True)) as (esme, _):
        for ending in MAGIC:
            esme.submit(f"82100000{ending}")
        answers = await esme.named("submit_sm_resp", len(MAGIC))
        assert {pdu.status for pdu in answers} == {0}
        deliveries = await esme.named("deliver_sm", len(MAGIC))
        assert {parse(pdu).stat for pdu in deliveries} == {"DELIVRD"}


# --- receipts ---------------------------------------------------------------------------------------------------------

WANTED = [
    (0, "0001", 0),
    (0, "1234", 0),
    (1, "0001", 1),
    (2, "0001", 1),
    (2, "1234", 0),
    (3, "1234", 1),
    (0x11, "1", 1),
]


@pytest.mark.parametrize(("registered", "ending", "count"), WANTED)
async def test_receipts_come_to_those_who_ask(registered: int, ending: str, count: int) -> None:
    async with bound() as (esme, _):
        esme.submit(f"82100000{ending}", registered_delivery=registered)
        await esme.named("submit_sm_resp")
        await (esme.named("deliver_sm") if count else asyncio.sleep(0.06))
        assert esme.names().count("deliver_sm") == count


async def test_a_receipt_has_text_and_tlvs() -> None:
    async with bound() as (esme, _):
        esme.submit("821000000001", b"Hello, this is me and you")
        (delivery,) = await esme.named("deliver_sm")
        assert read_tlv(delivery.tlvs, "message_state") == 5
        assert read_tlv(delivery.tlvs, "receipted_message_id") == parse(structs.replace(delivery, tlvs={})).message_id
        receipt = parse(structs.replace(delivery, tlvs={}))
        assert (receipt.stat, receipt.err, receipt.text) == ("UNDELIV", "001", "Hello, this is me an")
        assert len(receipt.done_date) == 10


async def test_receipts_go_to_a_receiver_of_the_same_account() -> None:
    async with simulator() as ports:
        transmitter, receiver, stranger = Esme(), Esme(), Esme()
        await transmitter.bind(ports, "bind_transmitter")
        await stranger.bind(ports, system_id="stranger")
        await receiver.bind(ports, "bind_receiver")
        transmitter.submit("821012345678")
        await receiver.named("deliver_sm")
        assert "deliver_sm" not in transmitter.names() + stranger.names()


async def test_receipts_wait_for_somebody_to_receive() -> None:
    async with simulator() as ports:
        transmitter, receiver = Esme(), Esme()
        await transmitter.bind(ports, "bind_transmitter")
        transmitter.submit("821012345678")
        await transmitter.named("submit_sm_resp")
        await until(lambda stats: stats["waiting"] == 1, ports)
        await receiver.bind(ports, "bind_receiver")
        await receiver.named("deliver_sm")
        assert (await get(ports, "/stats"))["waiting"] == 0


async def test_what_was_not_acknowledged_is_sent_again_in_order() -> None:
    async with simulator() as ports:
        deaf, esme = Esme(statuses=(None,) * 9), Esme()
        await deaf.bind(ports)
        for n in range(3):
            deaf.submit(f"82101234567{n}")
        first = await deaf.named("deliver_sm", 3)
        deaf.driver.close()
        await esme.bind(ports)
        again = await esme.named("deliver_sm", 3)
        assert [pdu.fields for pdu in again] == [pdu.fields for pdu in first]
        await until(lambda stats: stats["receipts_acknowledged"] == 3, ports)


async def test_a_window_of_deliveries_waits_for_answers() -> None:
    async with simulator() as ports:
        deaf = Esme(statuses=(None,) * 500)
        await deaf.bind(ports)
        for n in range(130):
            deaf.submit(f"8210123{n:05}77")
        await deaf.named("deliver_sm", 100)
        await asyncio.sleep(0.06)
        assert deaf.names().count("deliver_sm") == 100


async def test_a_temporary_error_is_tried_again_and_a_permanent_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messagehub.carriers.simulator.outbox.PAUSE", 0.05)
    async with simulator() as ports:
        esme = Esme(statuses=(0x64, 0x65))
        await esme.bind(ports)
        esme.submit("821012345678")
        await esme.named("deliver_sm", 2)
        await asyncio.sleep(0.1)
        assert esme.names().count("deliver_sm") == 2


# --- query_sm ---------------------------------------------------------------------------------------------------------

STATES = [("1234", 1, 2), ("0001", 1, 5), ("0005", 1, 2), ("0009", 1, 3), ("0001", 0, 5), ("0008", 1, 1)]


@pytest.mark.parametrize(("ending", "registered", "state"), STATES)
async def test_it_says_what_became_of_a_message(ending: str, registered: int, state: int) -> None:
    async with bound(replace(QUICK, receipt_delay=0.5, slow_receipt=60)) as (esme, _):
        esme.submit(f"82100000{ending}", registered_delivery=registered)
        message_id = (await esme.named("submit_sm_resp"))[0].fields["message_id"]
        asked = {"message_id": message_id, "source_addr": "15551234567"}
        esme.driver.request("query_sm", asked)
        await esme.named("query_sm_resp")
        await asyncio.sleep(0.5)
        esme.driver.request("query_sm", asked)
        first, then = await esme.named("query_sm_resp", 2)
        assert (first.status, first.fields["message_state"], then.fields["message_state"]) == (0, 1, state)
        assert then.fields["message_id"] == message_id


async def test_only_to_who_knows_its_id_and_its_source() -> None:
    async with bound() as (esme, _):
        esme.submit("821000001234")
        message_id = (await esme.named("submit_sm_resp"))[0].fields["message_id"]
        for wrong, source in ((message_id, "1"), (message_id[:-1], "15551234567"), ("zz", "15551234567")):
            esme.driver.request("query_sm", {"message_id": wrong, "source_addr": source})
        assert [pdu.status for pdu in await esme.named("query_sm_resp", 3)] == [0x67] * 3


# --- binds and submits ------------------------------------------------------------------------------------------------

LOGINS = [("me", "secret", 0), ("me", "wrong", 0x0E), ("you", "secret", 0x0F)]


@pytest.mark.parametrize(("system_id", "password", "expected"), LOGINS)
async def test_a_login_is_checked_where_it_is_set(system_id: str, password: str, expected: int) -> None:
    async with simulator(replace(QUICK, system_id="me", password="secret")) as ports:
        assert await Esme().bind(ports, system_id=system_id, password=password) == expected


REFUSED = [
    ("query_sm", {}, 0x67),
    ("cancel_sm", {}, 0x11),
    ("replace_sm", {}, 0x13),
    ("submit_multi", {}, 0x45),
    ("submit_sm", {"destination_addr": ""}, 0x0B),
]


@pytest.mark.parametrize(("name", "fields", "expected"), REFUSED)
async def test_what_it_cannot_do_is_refused(name: str, fields: dict[str, Any], expected: int) -> None:
    async with bound() as (esme, _):
        esme.driver.request(name, fields)
        (answer,) = await esme.named(f"{name}_resp")
        assert answer.status == expected


async def test_ids_are_unique_over_restarts() -> None:
    ids = []
    for _ in range(2):
        async with bound() as (esme, _):
            esme.submit("821000000005")
            esme.submit("821000000005")
            ids += [pdu.fields["message_id"] for pdu in await esme.named("submit_sm_resp", 2)]
    assert len(set(ids)) == 4


async def test_stats_and_submits_tell_what_came() -> None:
    async with bound() as (esme, ports):
        esme.submit("821012345678", b"one")
        esme.submit("821012345678", b"one")
        esme.submit("821012345678", "zwei ☺".encode("utf-16-be"), data_coding=8)
        esme.submit("821000000003", b"refused")
        for reference in (1, 2):  # the same part, sent again with a new reference
            esme.submit("821012345678", bytes([5, 0, 3, reference, 2, 1]) + b"part", esm_class=0x40)
        payload = pack_tlvs({"message_payload": b"long"})
        esme.driver.request("data_sm", {"destination_addr": "82"}, payload)
        await esme.named("data_sm_resp")
        await until(lambda stats: stats["receipts_acknowledged"] == 5, ports)
        stats = await get(ports, "/stats")
        assert stats["binds"] == 1
        assert (stats["submits"], stats["accepted"], stats["refused"]) == (7, 6, 1)
        assert (stats["unique"], stats["duplicates"], stats["receipts_sent"]) == (4, 2, 5)
        page = await get(ports, "/submits?after=2")
        assert [submit["text"] for submit in page["result"]] == ["zwei ☺", "part", "part", "long"]
        assert (page["result"][0]["n"], page["next"]) == (3, 6)
        assert page["result"][0]["destination"] == "821012345678"
        assert await get(ports, "/submits?after=6") == {"result": [], "next": 6}
        assert "error" in await get(ports, "/submits?after=x")


async def until(condition: Callable[[dict[str, int]], bool], ports: Ports) -> None:
    async with asyncio.timeout(30):
        while True:
            if condition(await get(ports, "/stats")):
                return
            await asyncio.sleep(0.005)


# --- the handset ------------------------------------------------------------------------------------------------------


async def test_a_handset_writes() -> None:
    async with bound() as (esme, ports):
        answer = await post(ports, **{"from": "+15557654321", "to": "12345", "text": "hëllo €"})
        assert (answer.status_code, answer.json()) == (200, {"parts": 1, "statuses": ["ESME_ROK"]}), answer.text
        (delivery,) = await esme.named("deliver_sm")
        fields = delivery.fields
        assert (fields["source_addr"], fields["source_addr_ton"], fields["source_addr_npi"]) == ("15557654321", 1, 1)
        assert (fields["destination_addr"], fields["dest_addr_ton"], fields["dest_addr_npi"]) == ("12345", 3, 0)
        assert not is_receipt(delivery)


@pytest.mark.parametrize("shuffle", [False, True])
async def test_a_long_text_comes_in_parts(shuffle: bool) -> None:
    async with bound() as (esme, ports):
        text = "".join(f"{n} " for n in range(200))
        answer = await post(ports, **{"from": "Shop", "to": "+15551234567", "text": text, "shuffle": shuffle})
        assert answer.json() == {"parts": 5, "statuses": ["ESME_ROK"] * 5}
        parts = [pdu.fields for pdu in await esme.named("deliver_sm", 5)]
        decoded = [decode(part["data_coding"], part["short_message"], part["esm_class"] == 0x40) for part in parts]
        places = [part.concatenation.sequence for part in decoded if part.concatenation]
        assert places == ([5, 4, 3, 2, 1] if shuffle else [1, 2, 3, 4, 5])
        assert "".join(part.text for part in (reversed(decoded) if shuffle else decoded)) == text
        assert parts[0]["source_addr_ton"] == 5


async def test_a_handset_hears_the_first_answer() -> None:
    async with simulator() as ports:
        esme = Esme(statuses=(0x64,))
        await esme.bind(ports)
        answer = await post(ports, **{"from": "+15557654321", "to": "12345", "text": "hi"})
        assert answer.json()["statuses"] == ["ESME_RX_T_APPN"]


WRONG: list[tuple[dict[str, Any], int]] = [
    ({"to": "1", "text": "x"}, 400),
    ({"from": "1", "to": "1", "text": "x", "more": 1}, 400),
    ({"from": "1" * 21, "to": "1", "text": "x"}, 400),
    ({"from": "Ω", "to": "1", "text": "x"}, 400),
    ({"from": "1", "to": "1", "text": "x" * 40_000}, 400),
]


@pytest.mark.parametrize(("body", "code"), WRONG)
async def test_what_no_handset_could_write_is_refused(body: dict[str, Any], code: int) -> None:
    async with bound() as (_, ports):
        answer = await post(ports, **body)
        assert answer.status_code == code
        assert answer.json()["error"]


async def test_nobody_is_there_to_receive() -> None:
    async with simulator() as ports:
        await Esme().bind(ports, "bind_transmitter")
        answer = await post(ports, **{"from": "1", "to": "2", "text": "x"})
        assert (answer.status_code, answer.json()) == (503, {"error": "nobody is bound to receive"})
