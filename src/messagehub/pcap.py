"""Packet captures of octets that went over TCP, for Wireshark and its kin. Pure: values in, octets out.

The file is libpcap's (draft-ietf-opsawg-pcap), link type RAW: each record is an IP packet. Sequence numbers count the
octets that are in the file, so what was left out leaves no gap; a stream begins without a handshake.
"""

import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from msgspec import Struct, field

KIND = "application/vnd.tcpdump.pcap"

_MAGIC, _VERSION, _LONGEST, _RAW = 0xA1B2C3D4, (2, 4), 0x40000, 101  # microseconds; LINKTYPE_RAW
_FILE = struct.Struct(">IHHiIII")
_RECORD = struct.Struct(">IIII")
_TCP_HEADER = struct.Struct(">HHIIBBHHH")  # RFC 9293, section 3.1
_IPV4_HEADER = struct.Struct(">BBHHHBBH4s4s")  # RFC 791, section 3.1
_IPV6_HEADER = struct.Struct(">IHBB16s16s")  # RFC 8200, section 3

_TCP, _HOPS = 6, 64
_PUSH_ACK = 0x18
_SEGMENT = 1400
"""Octets of a stream in one packet."""
_FIRST = 1
"""The first sequence number of each stream."""
_WRAP = 1 << 32

SECOND = 1_000_000


class Sent(Struct, frozen=True):
    """Octets that went from one socket to another, at a moment in microseconds. Addresses are of IPv4 or IPv6."""

    moment: int
    source: tuple[str, int]
    destination: tuple[str, int]
    octets: bytes


def written(sent: Iterable[Sent]) -> bytes:
    """The file, in the order of time."""
    streams = Streams()
    parts = [_FILE.pack(_MAGIC, *_VERSION, 0, 0, _LONGEST, _RAW)]
    for one in sorted(sent, key=lambda one: one.moment):
        for packet in streams.packets(one):
            seconds, micros = divmod(one.moment, SECOND)
            parts.append(_RECORD.pack(seconds, micros, len(packet), len(packet)) + packet)
    return b"".join(parts)


class Streams(Struct):
    """How far each direction of each connection has come."""

    next: dict[tuple[tuple[str, int], tuple[str, int]], int] = field(default_factory=dict)

    def packets(self, one: Sent) -> Iterator[bytes]:
        there, back = (one.source, one.destination), (one.destination, one.source)
        for at in range(0, len(one.octets), _SEGMENT):
            piece = one.octets[at : at + _SEGMENT]
            sequence = self.next.get(there, _FIRST)
            self.next[there] = (sequence + len(piece)) % _WRAP
            yield _packet(one, sequence, self.next.get(back, _FIRST), piece)


def _packet(one: Sent, sequence: int, acknowledged: int, octets: bytes) -> bytes:
    source, destination = ip_address(one.source[0]).packed, ip_address(one.destination[0]).packed
    ports = (one.source[1], one.destination[1])
    header = [*ports, sequence, acknowledged, _TCP_HEADER.size // 4 << 4, _PUSH_ACK, 0xFFFF, 0, 0]
    length = _TCP_HEADER.size + len(octets)
    header[7] = _checksum(source + destination + struct.pack(">II", _TCP, length) + _TCP_HEADER.pack(*header) + octets)
    segment = _TCP_HEADER.pack(*header) + octets
    return (_ipv4 if len(source) == 4 else _ipv6)(source, destination, length) + segment


def _ipv4(source: bytes, destination: bytes, length: int) -> bytes:
    size = _IPV4_HEADER.size
    header = [4 << 4 | size // 4, 0, size + length, 0, 0, _HOPS, _TCP, 0, source, destination]
    header[7] = _checksum(_IPV4_HEADER.pack(*header))
    return _IPV4_HEADER.pack(*header)


def _ipv6(source: bytes, destination: bytes, length: int) -> bytes:
    return _IPV6_HEADER.pack(6 << 28, length, _TCP, _HOPS, source, destination)


def _checksum(octets: bytes) -> int:
    """RFC 1071: the ones' complement of the ones' complement sum of 16-bit words."""
    padded = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
