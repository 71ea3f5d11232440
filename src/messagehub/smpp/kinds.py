"""The kinds of parameter that SMPP 3.4, section 3.1, knows. A kind reads and writes one value.

`read(frame, at, odd)` gives the value and the offset behind it, and appends to `odd` what it had to pass over; it
raises CutShort or DecodeError. `write(value)` gives the octets or raises ValueError. Limits bind what we write. What
we read is bounded by the frame alone: carriers hand out longer ids and addresses than the standard allows, and a
message is worth more than a rule.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from messagehub.smpp.errors import DecodeError

INVALID_COMMAND_LENGTH = 0x00000002


class CutShort(DecodeError):
    """The frame ends before this parameter begins, or within it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the frame ends before {what}", INVALID_COMMAND_LENGTH)


class Kind(Protocol):
    """One type of parameter."""

    @property
    def default(self) -> Any: ...
    def read(self, frame: bytes, at: int, odd: list[str]) -> tuple[Any, int]: ...
    def write(self, value: Any) -> bytes: ...


class Int(Struct, frozen=True):
    """An unsigned integer of `size` octets, the most significant first."""

    size: int
    default: int = 0

    def read(self, frame: bytes, at: int, odd: list[str]) -> tuple[int, int]:
        end = at + self.size
        if end > len(frame):
            raise CutShort(f"an integer of {self.size} octets")
        return int.from_bytes(frame[at:end], "big"), end

    def write(self, value: int) -> bytes:
        try:
            return value.to_bytes(self.size, "big")
        except (AttributeError, OverflowError) as error:
            raise ValueError(f"{value!r} is no integer of {self.size} octets") from error


class CString(Struct, frozen=True):
    """A C-octet string as str, one character per octet (latin-1); `limit` counts the closing NUL."""

    limit: int
    default: str = ""

    def read(self, frame: bytes, at: int, odd: list[str]) -> tuple[str, int]:
        if at >= len(frame):
            raise CutShort("a C-octet string")
        end = frame.find(0, at)
        if end < 0:  # several SMSCs leave out the NUL of the last string, mostly of message_id
            odd.append("no NUL at its end")
            return frame[at:].decode("latin-1"), len(frame)
        return frame[at:end].decode("latin-1"), end + 1

    def write(self, value: str) -> bytes:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no string")
        try:
            octets = value.encode("latin-1")
        except UnicodeEncodeError as error:
            raise ValueError(f"{value[error.start]!r} is none of Latin-1") from error
        if len(octets) >= self.limit:
            raise ValueError(f"{len(octets)} octets do not fit {self.limit - 1}")
        if 0 in octets:
            raise ValueError(f"{value!r} has a NUL inside")
        return octets + b"\0"


class Time(CString, frozen=True):
    """A C-octet string that is empty or a time of 16 characters (section 7.1.1); see `messagehub.smpp.times`."""

    limit: int = 17

    def write(self, value: str) -> bytes:
        octets = CString.write(self, value)
        if value and not TIME.fullmatch(value):
            raise ValueError(f"{value!r} is no time: YYMMDDhhmmsstnnp")
        return octets


TIME = re.compile(r"[0-9]{15}[-+R]")


class Counted(Struct, frozen=True):
    """A length octet and that many octets, as one value: the two can never disagree in what we write."""

    limit: int
    default: bytes = b""

    def read(self, frame: bytes, at: int, odd: list[str]) -> tuple[bytes, int]:
        if at >= len(frame):
            raise CutShort("a length octet")
        start = at + 1
        end = start + frame[at]
        if end > len(frame):
            odd.append(f"{frame[at]} octets announced, {len(frame) - start} are there")
        return frame[start:end], min(end, len(frame))

    def write(self, value: bytes) -> bytes:
        if not isinstance(value, bytes):
            raise ValueError(f"{value!r} is no bytes")
        if len(value) > self.limit:
            raise ValueError(f"{len(value)} octets do not fit {self.limit}")
        return bytes((len(value),)) + value


class Octets(Struct, frozen=True):
    """Whatever is left: the value of a TLV that has no inner form, `least` to `most` octets long."""

    least: int = 0
    most: int = 0xFFFF
    default: bytes = b""

    def read(self, frame: bytes, at: int, odd: list[str]) -> tuple[bytes, int]:
        return frame[at:], len(frame)

    def write(self, value: bytes) -> bytes:
        if not isinstance(value, bytes) or not self.least <= len(value) <= self.most:
            raise ValueError(f"{value!r} is no {self.least} to {self.most} octets")
        return value


class Group(Struct, frozen=True):
    """Several parameters as one dict."""

    fields: Mapping[str, Kind]

    @property
    def default(self) -> dict[str, Any]:
        return {name: kind.default for name, kind in self.fields.items()}

    def read(self, frame: bytes, at: int, odd: list[str]) -> tuple[dict[str, Any], int]:
        values = {}
        for name, kind in self.fields.items():
            values[name], at = kind.read(frame, at, odd)
        return values, at

    def write(self, value: Mapping[str, Any]) -> bytes:
        """Raises ValueError, which names the field."""
        if strange := value.keys() - self.fields.keys():
            raise ValueError(f"no such field: {', '.join(sorted(map(str, strange)))}")
        octets = b""
        for name, kind in self.fields.items():
            try:
                octets += kind.write(value.get(name, kind.default))
            except (TypeError, ValueError, AttributeError) as error:
                raise ValueError(f"{name}: {error}") from error
        return octets


class Choice(Struct, frozen=True):
    """A Group whose form is told by the integer octet before it; the dict has that octet under `flag`."""

    flag: str
    groups: Mapping[int, Group]
    status: int

    @property
    def default(self) -> dict[str, Any]:
        return {}

    def read(self, frame: bytes, at: int, odd: list[str]) -> tuple[dict[str, Any], int]:
        chosen, at = U8.read(frame, at, odd)
        if chosen not in self.groups:
            raise DecodeError(f"{self.flag} {chosen}", self.status)
        values, at = self.groups[chosen].read(frame, at, odd)
        return {self.flag: chosen, **values}, at

    def write(self, value: Mapping[str, Any]) -> bytes:
        chosen = value.get(self.flag)
        if not isinstance(chosen, int) or chosen not in self.groups:
            raise ValueError(f"{self.flag} {chosen!r} is none of {sorted(self.groups)}")
        rest = {name: value[name] for name in value if name != self.flag}
        return U8.write(chosen) + self.groups[chosen].write(rest)


class Repeated(Struct, frozen=True):
    """A count octet and that many of the same, as a list."""

    kind: Kind

    @property
    def default(self) -> list[Any]:
        return []

    def read(self, frame: bytes, at: int, odd: list[str]) -> tuple[list[Any], int]:
        count, at = U8.read(frame, at, odd)
        values = []
        for _ in range(count):
            value, at = self.kind.read(frame, at, odd)
            values.append(value)
        return values, at

    def write(self, value: list[Any]) -> bytes:
        if len(value) > 0xFF:
            raise ValueError(f"{len(value)} of them do not fit 255")
        octets = U8.write(len(value))
        for place, each in enumerate(value):
            try:
                octets += self.kind.write(each)
            except (TypeError, ValueError, AttributeError) as error:
                raise ValueError(f"[{place}]: {error}") from error
        return octets


U8, U16, U32 = Int(1), Int(2), Int(4)
