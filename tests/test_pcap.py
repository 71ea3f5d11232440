"""Packet captures: read back by a strict parser of our own, and by tshark where there is one."""

import shutil
import struct
import subprocess
from collections import defaultdict
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub import pcap
from messagehub.pcap import Sent
from messagehub.smpp import PDU, encode

Socket = tuple[str, int]
OURS, PEERS = ("192.0.2.1", 40000), ("192.0.2.2", 2775)
OURS6, PEERS6 = ("2001:db8::1", 40000), ("2001:db8::2", 2775)
PAIRS: list[tuple[Socket, Socket]] = [(OURS, PEERS), (PEERS, OURS), (OURS6, PEERS6), (PEERS6, OURS6)]

Packet = tuple[int, Socket, Socket, int, int, bytes]
"""Moment, source, destination, sequence number, acknowledged, octets."""


def checksum(octets: bytes) -> int:
    """0 over octets that hold their own: RFC 1071."""
    padded = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    return total % 0xFFFF


def packets(file: bytes) -> list[Packet]:
    magic, major, minor, zone, _, longest, link = struct.unpack_from(">IHHiIII", file)
    assert (magic, major, minor, zone, link) == (0xA1B2C3D4, 2, 4, 0, 101)
    found, at = [], 24
    while at < len(file):
        seconds, micros, kept, length = struct.unpack_from(">IIII", file, at)
        assert kept == length <= longest
        found.append((seconds * 1_000_000 + micros, *segment(file[at + 16 : at + 16 + kept])))
        at += 16 + kept
    assert at == len(file)
    return found


def segment(packet: bytes) -> tuple[Socket, Socket, int, int, bytes]:
    if packet[0] == 0x45:
        assert struct.unpack_from(">H", packet, 2)[0] == len(packet)
        assert checksum(packet[:20]) == 0
        source, destination, tcp, protocol = packet[12:16], packet[16:20], packet[20:], packet[9]
    else:
        assert packet[0] == 0x60
        assert struct.unpack_from(">H", packet, 4)[0] == len(packet) - 40
        source, destination, tcp, protocol = packet[8:24], packet[24:40], packet[40:], packet[6]
    assert protocol == 6
    assert checksum(source + destination + struct.pack(">II", 6, len(tcp)) + tcp) == 0
    ports = struct.unpack_from(">HHIIB", tcp)
    assert ports[4] == 0x50
    here, there = (str(ip_address(source)), ports[0]), (str(ip_address(destination)), ports[1])
    return here, there, ports[2], ports[3], tcp[20:]


octets = st.binary(min_size=1, max_size=4000)
moments, pairs = st.integers(0, 2**40), st.sampled_from(PAIRS)
sent = st.builds(lambda moment, pair, said: Sent(moment, pair[0], pair[1], said), moments, pairs, octets)


@given(st.lists(sent, max_size=8))
def test_each_stream_is_whole_and_in_order(given: list[Sent]) -> None:
    streams: dict[tuple[Socket, Socket], bytes] = defaultdict(bytes)
    moments = []
    for moment, source, destination, sequence, acknowledged, said in packets(pcap.written(given)):
        assert sequence == 1 + len(streams[source, destination])
        assert acknowledged == 1 + len(streams[destination, source])
        streams[source, destination] += said
        moments.append(moment)
    assert moments == sorted(moments)
    expected: dict[tuple[Socket, Socket], bytes] = defaultdict(bytes)
    for one in sorted(given, key=lambda one: one.moment):
        expected[one.source, one.destination] += one.octets
    assert {pair: said for pair, said in streams.items() if said} == expected


@pytest.mark.parametrize(("ours", "peers"), [(OURS, PEERS), (OURS6, PEERS6)], ids=["IPv4", "IPv6"])
def test_wireshark_reads_each_pdu(tmp_path: Path, ours: Socket, peers: Socket) -> None:
    """By its own dissector where it is installed; the strict parser above is for all."""
    long = {"source_addr": "15551234567", "destination_addr": "442079460001", "short_message": b"Hello"}
    said = [
        Sent(1_000_000, ours, peers, encode(PDU("submit_sm", 7, 0, long, {0x0424: b"x" * 3000}))),
        Sent(1_500_000, peers, ours, encode(PDU("submit_sm_resp", 7, 0, {"message_id": "abc"}))),
        Sent(2_000_000, ours, peers, encode(PDU("submit_sm", 8, 0, long))),
        Sent(2_500_000, peers, ours, encode(PDU("submit_sm_resp", 8, 0x58))),
    ]
    file = pcap.written(said)
    assert len(packets(file)) == 6
    if not (tshark := shutil.which("tshark")):
        return
    (tmp_path / "trace.pcap").write_bytes(file)
    fields = ["smpp.command_id", "smpp.sequence_number", "smpp.command_status", "tcp.checksum.status"]
    asked = [word for name in fields for word in ("-e", name)]
    command = [
        tshark,
        "-o",
        "tcp.check_checksum:TRUE",
        "-r",
        str(tmp_path / "trace.pcap"),
        "-Y",
        "smpp",
        "-T",
        "fields",
    ]
    read = subprocess.run([*command, *asked], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split("\t") for line in read] == [
        ["0x00000004", "7", "", "1"],
        ["0x80000004", "7", "0x00000000", "1"],
        ["0x00000004", "8", "", "1"],
        ["0x80000004", "8", "0x00000058", "1"],
    ]
