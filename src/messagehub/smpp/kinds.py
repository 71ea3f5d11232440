"""The kinds of parameter that SMPP 3.4, section 3.1, knows. A kind reads and writes one value.

`read(frame, at)` gives the value and the offset behind it, or raises CutShort or DecodeError; `write(value)` gives the
octets or raises ValueError. Bounds bind what we write. What we read is bounded by the frame alone: carriers hand out
longer ids and addresses than the standard allows, and a message is worth more than a rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from messagehub.smpp.errors import DecodeError

INVALID_MESSAGE_LENGTH = 0x00000001
INVALID_COMMAND_LENGTH = 0x00000002


class CutShort(DecodeError):
    """The frame ends before this parameter does."""

    def __init__(self, what: str, status: int = INVALID_COMMAND_LENGTH) -> None:
        super().__init__(f"the frame ends before {what}", status)


class Kind(Protocol):
    """One type of parameter."""

    @property
    def default(self) -> Any: ...
    def read(self, frame: bytes, at: int) -> tuple[Any, int]: ...
    def write(self, value: Any) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Int:
    """An unsigned integer of `size` octets, the most significant first."""

    size: int
    default: int = 0

    def read(self, frame: bytes, at: int) -> tuple[int, int]:
        end = at + self.size
        if end > len(frame):
            raise CutShort(f"an integer of {self.size} octets")
        return int.from_bytes(frame[at:end], "big"), end

    def write(self, value: int) -> bytes:
        try:
            return value.to_bytes(self.size, "big")
        except (AttributeError, OverflowError) as error:
            raise ValueError(f"{value!r} is no integer of {self.size} octets") from error


@dataclass(frozen=True, slots=True)
class CString:
    """A C-octet string as str, one character per octet (latin-1); `limit` counts the closing NUL."""

    limit: int
    default: str = ""

    def read(self, frame: bytes, at: int) -> tuple[str, int]:
        if at >= len(frame):
            raise CutShort("a C-octet string")
        end = frame.find(0, at)
        if end < 0:  # several SMSCs leave out the NUL of the last string, mostly of message_id
            return frame[at:].decode("latin-1"), len(frame)
        return frame[at:end].decode("latin-1"), end + 1

    def write(self, value: str) -> bytes:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no string")
        octets = value.encode("latin-1")
        if len(octets) >= self.limit:
            raise ValueError(f"{len(octets)} octets do not fit {self.limit - 1}")
        if 0 in octets:
            raise ValueError(f"{value!r} has a NUL inside")
        return octets + b"\0"


@dataclass(frozen=True, slots=True)
class Counted:
    """A length octet and that many octets, as one value: the two can never disagree."""

    limit: int
    default: bytes = b""

    def read(self, frame: bytes, at: int) -> tuple[bytes, int]:
        if at >= len(frame):
            raise CutShort("a length octet")
        start = at + 1
        end = start + frame[at]
        if end > len(frame):
            raise CutShort(f"{frame[at]} octets announced", INVALID_MESSAGE_LENGTH)
        return frame[start:end], end

    def write(self, value: bytes) -> bytes:
        if not isinstance(value, bytes):
            raise ValueError(f"{value!r} is no bytes")
        if len(value) > self.limit:
            raise ValueError(f"{len(value)} octets do not fit {self.limit}")
        return bytes((len(value),)) + value


@dataclass(frozen=True, slots=True)
class Octets:
    """Whatever is left: the value of a TLV that has no inner form, `least` to `most` octets long."""

    least: int = 0
    most: int = 0xFFFF
    default: bytes = b""

    def read(self, frame: bytes, at: int) -> tuple[bytes, int]:
        return frame[at:], len(frame)

    def write(self, value: bytes) -> bytes:
        if not isinstance(value, bytes) or not self.least <= len(value) <= self.most:
            raise ValueError(f"{value!r} is no {self.least} to {self.most} octets")
        return value


@dataclass(frozen=True, slots=True)
class Group:
    """Several parameters as one dict."""

    fields: Mapping[str, Kind]

    @property
    def default(self) -> dict[str, Any]:
        return {name: kind.default for name, kind in self.fields.items()}

    def read(self, frame: bytes, at: int) -> tuple[dict[str, Any], int]:
        values = {}
        for name, kind in self.fields.items():
            values[name], at = kind.read(frame, at)
        return values, at

    def write(self, value: Mapping[str, Any]) -> bytes:
        return b"".join([kind.write(value.get(name, kind.default)) for name, kind in self.fields.items()])


@dataclass(frozen=True, slots=True)
class Choice:
    """A Group whose form is told by the integer octet before it; the dict has that octet under `flag`."""

    flag: str
    groups: Mapping[int, Group]
    status: int

    @property
    def default(self) -> dict[str, Any]:
        return {}

    def read(self, frame: bytes, at: int) -> tuple[dict[str, Any], int]:
        chosen, at = U8.read(frame, at)
        if chosen not in self.groups:
            raise DecodeError(f"{self.flag} {chosen}", self.status)
        values, at = self.groups[chosen].read(frame, at)
        return {self.flag: chosen, **values}, at

    def write(self, value: Mapping[str, Any]) -> bytes:
        chosen = value.get(self.flag)
        if not isinstance(chosen, int) or chosen not in self.groups:
            raise ValueError(f"{self.flag} {chosen!r} is none of {sorted(self.groups)}")
        return U8.write(chosen) + self.groups[chosen].write(value)


@dataclass(frozen=True, slots=True)
class Repeated:
    """A count octet and that many of the same, as a list."""

    kind: Kind
    default: tuple[()] = ()

    def read(self, frame: bytes, at: int) -> tuple[list[Any], int]:
        count, at = U8.read(frame, at)
        values = []
        for _ in range(count):
            value, at = self.kind.read(frame, at)
            values.append(value)
        return values, at

    def write(self, value: list[Any]) -> bytes:
        return U8.write(len(value)) + b"".join(map(self.kind.write, value))


U8, U16, U32 = Int(1), Int(2), Int(4)
