"""Wireshark's dissector: what tshark finds in a capture."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

WRONG = ("_ws.expert", "_ws.malformed", "_ws.unreassembled", "smpp.reserved_op")
"""Fields by which tshark says that something is not as it ought to be."""


@dataclass(frozen=True)
class Packet:
    """One frame, which may hold several PDUs."""

    element: Element

    @property
    def pdus(self) -> list["Dissected"]:
        return [Dissected(found) for found in self.element.iterfind("proto[@name='smpp']")]

    @property
    def complaints(self) -> list[str]:
        return [f"{one.get('name')}: {one.get('showname')}" for one in self.element.iter() if one.get("name") in WRONG]

    def shown(self, name: str) -> list[str]:
        """The values of a field of any protocol."""
        return [str(one.get("show")) for one in self.element.iter("field") if one.get("name") == name]


@dataclass(frozen=True)
class Dissected:
    """One PDU as tshark tells it."""

    element: Element

    def octets(self, *names: str) -> bytes:
        """On the wire, of the field that has the first of these names."""
        return b"".join(_octets(one) for one in self.element.iter("field") if one.get("name") in names)

    @property
    def tlvs(self) -> list[tuple[str, int, int, bytes]]:
        """Name, tag, length and octets of each, in order."""
        return [_tlv(one) for one in self.element.iterfind(".//field[@name='smpp.opt_param']")]


def _tlv(element: Element) -> tuple[str, int, int, bytes]:
    tag, length, *values = element.findall("field")
    name = str(element.get("showname")).removeprefix("Optional parameter: ").split(" ")[0]
    by_place = {one.get("pos"): _octets(one) for one in values}  # bits of one octet are fields of one place
    return name, int(str(tag.get("show")), 16), int(str(length.get("show"))), b"".join(by_place.values())


def _octets(element: Element) -> bytes:
    return bytes.fromhex(str(element.get("unmaskedvalue") or element.get("value")))


def dissect(file: Path, port: int = 0) -> list[Packet]:
    """The packets; what went through `port` is taken for SMPP, whatever its number suggests."""
    hint = ["-d", f"tcp.port=={port},smpp"] if port else []
    command = ["tshark", "-r", str(file), "-o", "tcp.check_checksum:TRUE", *hint, "-T", "pdml"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [Packet(one) for one in _packets(done.stdout)]


def _packets(pdml: str) -> Iterator[Element]:
    return fromstring(pdml).iterfind("packet")
