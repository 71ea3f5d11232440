"""What rules do, octet by octet, as an ESME hears it."""

import asyncio
import re
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from messagehub.carriers.simulator import Ports
from messagehub.carriers.simulator.scenario import read
from messagehub.smpp import PDU, State, read_tlv
from messagehub.smpp.receipts import is_receipt, parse
from messagehub.text import decode
from tests.simulator.esme import QUICK, Esme, simulator

TO = "442079460001"
HEADER = 16


@asynccontextmanager
async def playing(toml: str) -> AsyncIterator[tuple[Esme, Ports]]:
    scenario = read(tomllib.loads(f"[[rule]]\n{toml}"))
    async with simulator(replace(QUICK, scenario=scenario)) as ports:
        esme = Esme()
        yield esme, ports
        esme.driver.close()


async def heard(toml: str, name: str, count: int = 1) -> list[PDU]:
    """What an ESME hears of this name after one submit."""
    async with playing(toml) as (esme, ports):
        await esme.bind(ports)
        esme.submit(TO, b"Hello", dest_addr_ton=1)
        return await esme.named(name, count)


# --- responses --------------------------------------------------------------------------

BODIES = [  # the rule, the octets of the body, the command_status
    ('response = { body = "none" }', 0, 0),
    ('response = { body = "empty" }', 1, 0),
    ('response = { id = "uuid" }', 37, 0),
    ('response = { id = "uuid", body = "unterminated" }', 36, 0),
    ('response = { id = "zeros" }', 21, 0),
    ('response = { status = "ESME_RSYSERR" }', 0, 8),
    ('response = { status = "ESME_RSYSERR", body = "id", id = "hex_zeros" }', 21, 8),
    ("response = { status = 0x4F1 }", 0, 0x4F1),
]


@pytest.mark.parametrize(("rule", "octets", "status"), BODIES)
async def test_a_response_has_the_body_that_is_asked_for(rule: str, octets: int, status: int) -> None:
    async with playing(f"{rule}\n" + "receipts = []" * (not status)) as (esme, ports):
        await esme.bind(ports)
        before = len(esme.octets)
        esme.submit(TO)
        (response,) = await esme.named("submit_sm_resp")
        assert response.status == status
        assert len(esme.octets) - before == HEADER + octets


IDS: list[tuple[str, Callable[[str], object]]] = [
    ("decimal", lambda given: given.isdecimal() and given[0] != "0"),
    ("hex", lambda given: int(given, 16) and given == given.lower()),
    ("upper", lambda given: int(given, 16) and given == given.upper()),
    ("hex_prefixed", lambda given: given.startswith("0x")),
    ("zeros", lambda given: given.startswith("00") and given.isdecimal()),
    ("hex_zeros", lambda given: given.startswith("00") and int(given, 16)),
    ("uuid", lambda given: given.count("-") == 4),
    ("spaces", lambda given: given.endswith("   ")),
    ("garbage", lambda given: given.endswith("\x01\xff~")),
    ("empty", lambda given: given == ""),
]


@pytest.mark.parametrize(("form", "looks"), IDS)
async def test_an_id_is_written_as_it_is_asked_for(form: str, looks: Callable[[str], object]) -> None:
    (response,) = await heard(f'response.id = "{form}"', "submit_sm_resp")
    assert looks(response.fields["message_id"])


async def test_a_response_is_given_twice_and_tells_of_congestion() -> None:
    for status in (0, 8):
        rule = f"response = {{ times = 2, congestion = 95, status = {status} }}"
        responses = await heard(rule, "submit_sm_resp", 2)
        assert len({(pdu.sequence, pdu.status, pdu.fields["message_id"]) for pdu in responses}) == 1
        assert bool(responses[0].fields["message_id"]) is (status == 0)
        assert [read_tlv(pdu.tlvs, "congestion_state") for pdu in responses] == [95, 95]


async def test_a_response_is_late_and_its_receipt_is_not() -> None:
    async with playing("response = { after = 0.15 }\nreceipts = [{ after = 0 }]") as (esme, ports):
        await esme.bind(ports)
        esme.submit(TO)
        await esme.named("submit_sm_resp")
        assert esme.names()[1:] == ["deliver_sm", "submit_sm_resp"]
        (bound, _), _, (answered, _) = esme.heard
        assert answered - bound > 0.14


# --- receipts ---------------------------------------------------------------------------

TEXTS = [
    ('keys = ["stat", "id", "err"]', r"stat:DELIVRD id:\S+ err:000"),
    ('case = "upper", keys = ["id", "submit date"]', r"ID:\S+ SUBMIT DATE:\d{10}"),
    ('case = "title", keys = ["done date"]', r"Done Date:\d{10}"),
    ('dates = 12, keys = ["done date"]', r"done date:\d{12}"),
    ('dates = 14, keys = ["done date"]', r"done date:20\d{12}"),
    ('err = "21b", keys = ["err", "text"]', r"err:21b text:Hello"),
    ('stat = "NOROUTE", by = "text", keys = ["stat", "dlvrd"]', r"stat:NOROUTE dlvrd:000"),
]


@pytest.mark.parametrize(("receipt", "text"), TEXTS)
async def test_a_receipt_has_the_text_that_is_asked_for(receipt: str, text: str) -> None:
    (delivery,) = await heard(f"receipts = [{{ {receipt} }}]", "deliver_sm")
    assert re.fullmatch(text, delivery.fields["short_message"].decode())
    assert bool(delivery.tlvs) is ("by" not in receipt)


async def test_a_receipt_of_tlvs_only() -> None:
    (delivery,) = await heard('receipts = [{ by = "tlvs", stat = "UNDELIV", network_error = 27 }]', "deliver_sm")
    assert delivery.fields["short_message"] == b""
    read = parse(delivery)
    assert (read.stat, read.err, read.network) == ("UNDELIV", "027", 3)
    assert read.message_id


CARRIED = [  # the receipt, its PDU, esm_class, data_coding, whether its text is in the payload
    ("esm_class = 0", "deliver_sm", 0, 0, False),
    ("payload = true", "deliver_sm", 4, 0, True),
    ('pdu = "data_sm"', "data_sm", 4, 0, True),
    ('alphabet = "ucs2"', "deliver_sm", 4, 8, False),
    ('alphabet = "mislabelled"', "deliver_sm", 4, 8, False),
]


@pytest.mark.parametrize(("receipt", "name", "esm_class", "data_coding", "payload"), CARRIED)
async def test_a_receipt_comes_in_what_is_asked_for(
    receipt: str, name: str, esm_class: int, data_coding: int, payload: bool
) -> None:
    (delivery,) = await heard(f"receipts = [{{ {receipt} }}]", name)
    assert (delivery.fields["esm_class"], delivery.fields["data_coding"]) == (esm_class, data_coding)
    assert bool(read_tlv(delivery.tlvs, "message_payload")) is payload
    text = read_tlv(delivery.tlvs, "message_payload") if payload else delivery.fields["short_message"]
    assert isinstance(text, bytes)
    assert (b"\0s\0t\0a\0t" in text) is ("ucs2" in receipt)
    assert is_receipt(delivery)
    assert parse(delivery).stat == "DELIVRD"


async def test_the_addresses_of_a_receipt_can_stand_the_wrong_way_round() -> None:
    found = await heard("receipts = [{}, { swapped = true }]", "deliver_sm", 2)
    assert sorted(pdu.fields["destination_addr"] for pdu in found) == ["15551234567", TO]
    assert {(pdu.fields["source_addr_ton"], pdu.fields["dest_addr_ton"]) for pdu in found} == {(1, 1)}


async def test_a_receipt_may_write_the_id_otherwise() -> None:
    receipts = '[{ id = "decimal" }, { id = "previous" }, { id = "unknown" }]'
    async with playing(f'response.id = "hex"\nreceipts = {receipts}') as (esme, ports):
        await esme.bind(ports)
        for _ in range(2):
            esme.submit(TO)
        first, second = (pdu.fields["message_id"] for pdu in await esme.named("submit_sm_resp", 2))
        named = [parse(pdu).message_id for pdu in await esme.named("deliver_sm", 6)]
        assert named[0] == str(int(first, 16))
        assert sorted(named[3:]) == sorted([str(int(second, 16)), first, "unknown2"])


async def test_receipts_are_as_many_as_are_listed() -> None:
    found = await heard('receipts = [{ stat = "ENROUTE", after = 0 }, { times = 2, after = 0.05 }]', "deliver_sm", 3)
    assert [parse(pdu).stat for pdu in found] == ["ENROUTE", "DELIVRD", "DELIVRD"]


@pytest.mark.parametrize(("bind", "by"), [("same", [1, 0]), ("another", [0, 1])])
async def test_a_receipt_comes_by_the_bind_that_is_asked_for(bind: str, by: list[int]) -> None:
    async with playing(f'receipts = [{{ bind = "{bind}" }}]') as (esme, ports):
        other = Esme()
        await esme.bind(ports)
        await other.bind(ports)
        for _ in range(4):
            esme.submit(TO)
        await (esme if bind == "same" else other).named("deliver_sm", 4)
        assert [one.names().count("deliver_sm") for one in (esme, other)] == [4 * n for n in by]
        other.driver.close()


# --- connections ------------------------------------------------------------------------


async def test_a_connection_is_dropped_with_nothing_said() -> None:
    async with playing('response.none = true\nconnection = { act = "drop" }') as (esme, ports):
        await esme.bind(ports)
        esme.submit(TO)
        async with asyncio.timeout(30):
            await esme.driver.wait_lost()
        assert esme.names() == ["bind_transceiver_resp"]


@pytest.mark.parametrize("act", ["drop", "unbind", "reset"])
async def test_a_connection_ends_a_while_after_the_response(act: str) -> None:
    async with playing(f'receipts = []\nconnection = {{ act = "{act}", after = 0.1 }}') as (esme, ports):
        await esme.bind(ports)
        esme.submit(TO)
        async with asyncio.timeout(30):
            await esme.driver.wait_lost()
        assert esme.names() == ["bind_transceiver_resp", "submit_sm_resp"]


async def test_half_open_is_what_hears_and_says_nothing_more() -> None:
    async with playing('connection = { act = "half_open" }') as (esme, ports):
        await esme.bind(ports)
        esme.submit(TO)
        await esme.named("submit_sm_resp")
        esme.submit(TO)
        esme.driver.request("enquire_link")
        await asyncio.sleep(0.15)
        assert esme.names() == ["bind_transceiver_resp", "submit_sm_resp"]
        assert esme.driver.session.state is State.BOUND_TRX


async def test_binds_are_refused_and_slow() -> None:
    rules = (
        'on = "bind"\nwhen.first = 2\nresponse.status = "ESME_RINVPASWD"\n[[rule]]\non = "bind"\nresponse.after = 0.1'
    )
    async with playing(rules) as (esme, ports):
        loop = asyncio.get_running_loop()
        assert [await Esme().bind(ports) for _ in range(2)] == [0x0E, 0x0E]
        begun = loop.time()
        assert await esme.bind(ports) == 0
        assert loop.time() - begun > 0.09


# --- wrong octets -----------------------------------------------------------------------

SAID = [
    ("unknown_command", b"\0\1\2\3"),
    ("unknown_response", b"\x80\1\2\3"),
    ("stray_response", b"\0\0\0\x10\x80\0\0\4"),
    ("length_too_small", b"\0\0\0\x0f"),
    ("length_too_large", b"\x7f\xff\xff\xff"),
    ("half_pdu", b"\0\0\0\x64\0\0\0\5"),
    ("garbage", b"\x0d\xb4"),
    ("cut_tlv", b"\x14\0\0\xff."),
]


@pytest.mark.parametrize(("what", "octets"), SAID)
async def test_what_no_message_centre_should_say(what: str, octets: bytes) -> None:
    async with playing(f'receipts = []\nsay = [{{ what = "{what}", after = 0.02 }}]') as (esme, ports):
        await esme.bind(ports)
        esme.submit(TO)
        await esme.read(octets)
        assert esme.names()[1] == "submit_sm_resp"


async def test_octets_of_ones_own() -> None:
    async with playing("say = [{ what = 'octets', hex = '00000010 00000015 00000000 00000007' }]") as (esme, ports):
        await esme.bind(ports)
        esme.submit(TO)
        await esme.read(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\7")


# --- handsets ---------------------------------------------------------------------------

LONG = "x" * 400
INBOUND = [  # what is asked for, the places of the parts that come
    (f'text = "{LONG}"', [(8, 1), (8, 2), (8, 3)]),
    (f'text = "{LONG}", order = [3, 1, 1]', [(8, 3), (8, 1), (8, 1)]),
    (f'text = "{LONG}", concat = "udh16", reference = 258', [(16, 1), (16, 2), (16, 3)]),
    (f'text = "{LONG}", element_first = true', [(8, 1), (8, 2), (8, 3)]),
]


@pytest.mark.parametrize(("inbound", "places"), INBOUND)
async def test_parts_come_as_they_are_asked_for(inbound: str, places: list[tuple[int, int]]) -> None:
    found = await heard(f"receipts = []\ninbound = [{{ {inbound} }}]", "deliver_sm", len(places))
    parts = [decode(pdu.fields["data_coding"], pdu.fields["short_message"], True).concatenation for pdu in found]
    assert [(part.width, part.sequence) for part in parts if part] == places
    assert (found[0].fields["source_addr"], found[0].fields["destination_addr"]) == (TO, "15551234567")
    assert ("reference" in inbound) is ({part.reference for part in parts if part} == {258})
    assert (found[0].fields["short_message"][1] == 4) is ("element_first" in inbound)


@pytest.mark.parametrize(("concat", "tag"), [("sar", "sar_segment_seqnum"), ("payload", "message_payload")])
async def test_parts_are_told_by_tlvs(concat: str, tag: str) -> None:
    found = await heard(f'receipts = []\ninbound = [{{ text = "{LONG}", concat = "{concat}" }}]', "deliver_sm")
    assert read_tlv(found[0].tlvs, tag) == (1 if concat == "sar" else LONG.encode())


async def test_what_was_dropped_before_the_answer_comes_again() -> None:
    async with playing('receipts = []\ninbound = [{ text = "Hello", drop = true }]') as (esme, ports):
        again = Esme(statuses=())
        await esme.bind(ports)
        esme.submit(TO)
        (first,) = await esme.named("deliver_sm")
        await esme.driver.wait_lost()
        await again.bind(ports)
        (second,) = await again.named("deliver_sm")
        assert second.fields == first.fields
        again.driver.close()


async def test_a_handset_writes_as_soon_as_somebody_is_bound() -> None:
    rule = 'on = "bind"\ninbound = [{ from = "+442079460001", to = "12345", text = "Hi" }]'
    async with playing(rule) as (esme, ports):
        await esme.bind(ports)
        (found,) = await esme.named("deliver_sm")
        assert (found.fields["source_addr"], found.fields["destination_addr"]) == (TO, "12345")


async def test_only_those_who_are_bound_hear_of_it() -> None:
    async with playing('on = "bind"\nwhen.system_id = "you"\nresponse.status = 13') as (esme, ports):
        assert await esme.bind(ports) == 0
        assert await Esme().bind(ports, system_id="you") == 13
