"""What we write, read by Wireshark's dissector: every PDU and TLV of the library, and captures of real messages."""

from pathlib import Path
from typing import Any

import pytest

from interop.centres import Centre, line
from interop.dissector import Dissected, Packet, dissect
from messagehub import pcap
from messagehub.pcap import Sent
from messagehub.smpp import PDU, encode
from messagehub.smpp.kinds import Counted, CString, Int, Kind, Octets, Repeated
from messagehub.smpp.pdus import COMMAND_IDS, COMMANDS, NULL
from messagehub.smpp.tlvs import PLACES, TLVS
from tests.support.hub import Hub

OURS, PEERS = ("192.0.2.1", 40000), ("192.0.2.2", 2775)
SECOND = 1_000_000
TEXT = "Привет ✓"
UDH = bytes.fromhex("050003a70201")
SAMPLES: dict[str, Any] = {
    "interface_version": 0x34,
    "esm_class": 0x43,
    "registered_delivery": 0x11,
    "data_coding": 8,
    "short_message": UDH + TEXT.encode("utf-16-be"),
    "schedule_delivery_time": "261121143000000+",
    "validity_period": "000001000000000R",
    "final_date": "261121143000000+",
    "message_state": 2,
    "dest_address": [
        {"dest_flag": 1, "dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "442079461234"},
        {"dest_flag": 2, "dl_name": "friends"},
    ],
    "unsuccess_sme": [
        {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": "442079461234", "error_status_code": 0x0B}
    ],
}
FIELD_NAMES = {
    "esm_class": "esm.submit.msg_mode",
    "registered_delivery": "regdel.receipt",
    "short_message": "message",
}
TLV_NAMES = {"destination_port": "dest_port"}
"""What tshark calls them where that is not the standard's name."""
UNTOLD = {"callback_num", "callback_num_atag"}
"""TLVs of which it shows that they are there, and not what they hold."""


def sample(name: str, kind: Kind) -> Any:
    if name in SAMPLES:
        return "" if kind == NULL else SAMPLES[name]
    if isinstance(kind, Int):
        return 1
    if isinstance(kind, Octets):
        return bytes(range(1, 1 + max(kind.least, min(kind.most, 5))))
    assert isinstance(kind, CString)
    return name[: kind.limit - 1]


def tlvs_of(name: str) -> dict[int, bytes]:
    """All that may stand there, but for message_payload beside a short_message; and one of a vendor's."""
    made = {}
    for each in sorted(PLACES.get(name, set()) - {"message_payload"}):
        tag, kind = TLVS[each]
        made[tag] = kind.write(sample(each, kind))
    return {**made, 0x1401: b"vendor"} if made else {}


def whole(name: str, sequence: int) -> PDU:
    _, row = COMMANDS[COMMAND_IDS[name]]
    return PDU(name, sequence, 0, {key: sample(key, kind) for key, kind in row.items()}, tlvs_of(name))


@pytest.fixture(scope="module")
def written() -> list[PDU]:
    pdus = [whole(name, n) for n, name in enumerate(COMMAND_IDS, 1)]
    payload = {TLVS["message_payload"][0]: UDH + TEXT.encode("utf-16-be") * 40}
    for name in ("submit_sm", "deliver_sm", "data_sm"):
        fields = {"destination_addr": "442079461234", "esm_class": 0x40, "data_coding": 8}
        pdus.append(PDU(name, len(pdus) + 1, 0, fields, payload))
    pdus += [PDU("submit_sm_resp", len(pdus) + 1, 0x58), PDU("bind_transceiver_resp", len(pdus) + 2, 0x0E)]
    pdus += [PDU("submit_multi_resp", len(pdus) + 1, 0x33), PDU("deliver_sm_resp", len(pdus) + 2, 0x64)]
    return pdus


@pytest.fixture(scope="module")
def packets(written: list[PDU], folder: Path) -> list[Packet]:
    sent = [Sent(n * SECOND, OURS, PEERS, encode(pdu)) for n, pdu in enumerate(written)]
    (folder / "every.pcap").write_bytes(pcap.written(sent))
    return dissect(folder / "every.pcap")


@pytest.fixture(scope="module")
def read(packets: list[Packet], written: list[PDU]) -> list[tuple[PDU, Dissected]]:
    dissected = [pdu for packet in packets for pdu in packet.pdus]
    return list(zip(written, dissected, strict=True))


def test_nothing_is_wrong(packets: list[Packet]) -> None:
    assert [complaint for packet in packets for complaint in packet.complaints] == []
    assert {status for packet in packets for status in packet.shown("tcp.checksum.status")} == {"1"}


def test_every_header(read: list[tuple[PDU, Dissected]]) -> None:
    for pdu, told in read:
        assert told.octets("smpp.command_id") == COMMAND_IDS[pdu.name].to_bytes(4, "big")
        assert told.octets("smpp.sequence_number") == pdu.sequence.to_bytes(4, "big")
        assert told.octets("smpp.command_status") in (pdu.status.to_bytes(4, "big"), b"")  # requests have none


def test_every_field(read: list[tuple[PDU, Dissected]]) -> None:
    for pdu, told in read:
        for name, kind in COMMANDS[COMMAND_IDS[pdu.name]][1].items():
            if isinstance(kind, Repeated) or not pdu.fields.get(name):
                continue  # lists have a test of their own, and of an empty time nothing is told
            found = told.octets(f"smpp.{FIELD_NAMES.get(name, name)}", f"smpp.{name}_r")
            assert found == on_the_wire(kind, pdu.fields[name]), (pdu.name, name)


def on_the_wire(kind: Kind, value: Any) -> bytes:
    return bytes(value) if isinstance(kind, Counted) else kind.write(value)


def test_every_tlv(read: list[tuple[PDU, Dissected]]) -> None:
    names = {tag: TLV_NAMES.get(name, name) for name, (tag, _) in TLVS.items()}
    for pdu, told in read:
        expected = [(names.get(tag, f"{tag:#06x}"), tag, len(octets), octets) for tag, octets in pdu.tlvs.items()]
        for ours, theirs in zip(expected, told.tlvs, strict=True):
            assert theirs[:3] == ours[:3], pdu.name
            assert ours[0] in UNTOLD or theirs[3] == ours[3], (pdu.name, ours[0])


def test_the_lists_of_submit_multi(read: list[tuple[PDU, Dissected]]) -> None:
    by_name = {pdu.name: told for pdu, told in reversed(read)}
    number = (b"\1", b"\1", b"442079461234\0")
    for name in ("submit_multi", "submit_multi_resp"):
        told = by_name[name]
        found = (told.octets(f"smpp.{each}") for each in ("dest_addr_ton", "dest_addr_npi", "destination_addr"))
        assert tuple(found) == number
    assert by_name["submit_multi"].octets("smpp.dl_name") == b"friends\0"
    assert by_name["submit_multi_resp"].octets("smpp.error_status_code") == bytes((0, 0, 0, 0x0B))


def test_the_text_behind_its_header(packets: list[Packet], written: list[PDU]) -> None:
    (submit,) = (n for n, pdu in enumerate(written) if pdu.name == "submit_sm" and pdu.fields.get("short_message"))
    packet = packets[submit]
    assert packet.shown("smpp.message_text") == [TEXT]
    header = [packet.shown(f"gsm_sms.udh.mm.{each}") for each in ("msg_id", "msg_parts", "msg_part")]
    assert header == [["167"], ["2"], ["1"]]


# --- of real messages -------------------------------------------------------------------


@pytest.mark.parametrize("centre", ["node-smpp", "node-smpp over TLS"], indirect=True)
@pytest.mark.parametrize("concat", ["udh8", "udh16", "sar", "payload"])
def test_the_capture_of_a_message(hub: Hub, centre: Centre, folder: Path, concat: str) -> None:
    way = line(hub, centre, concat=concat)
    text = "Длинное сообщение для записи в файл. " * 5
    message = way.account.settled(way.send(text))
    assert message["status"] == "delivered"
    path = f"/messages/{message['id']}/trace"
    (trace,) = way.account.api.every(path)
    ours = [step["pdu"] for step in trace["steps"] if step.get("pdu")]
    file = folder / f"{message['id']}.pcap"
    file.write_bytes(way.account.api.call("GET", f"{path}.pcap").content)
    packets = dissect(file, centre.port)
    assert [complaint for packet in packets for complaint in packet.complaints] == []
    theirs = [(told.octets("smpp.command_id"), told.octets("smpp.sequence_number")) for p in packets for told in p.pdus]
    frames = [bytes.fromhex(pdu["hex"]) for pdu in ours]
    assert sorted(theirs) == sorted((frame[4:8], frame[12:16]) for frame in frames)
    parts = 1 if concat == "payload" else 3
    assert [pdu["name"] for pdu in ours].count("submit_sm") == parts
    texts = [told for p in packets for told in p.shown("smpp.message_text") if not told.startswith("id:")]
    assert "".join(texts) == text
