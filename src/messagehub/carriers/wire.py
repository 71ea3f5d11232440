"""What was seen on the wire: the octets of PDUs as they were written and read, for the traces of targets.

A step is a plain tuple, since several are made for each message and most are dropped: its moment in microseconds, one
of the words below, and what belongs to it. Octets are those of the session itself, never encoded again.
"""

import struct
from typing import Any

from messagehub.smpp import Role, Session
from messagehub.smpp.pdus import RESPONSE

Step = tuple[Any, ...]
Link = tuple[str, int, str, int]
"""Our address and port, and the peer's."""

SUBMIT = "submit"
"""moment, SUBMIT, part from 0, link, octets: a segment left."""
RESPONSE_TO = "response"
"""moment, RESPONSE_TO, part, link, octets: the carrier answered it."""
NO_ANSWER = "no_answer"
"""moment, NO_ANSWER, part: the carrier did not, in time. Without a part where it takes texts in whole."""
PAUSED = "paused"
"""moment, PAUSED, microseconds: nothing leaves for so long, as the carrier throttles."""
AGAIN = "again"
"""moment, AGAIN, parts: segments that were throttled wait to leave again by themselves."""
LOST = "lost"
"""moment, LOST, words: the connection ended before the answer."""
UNSENT = "unsent"
"""moment, UNSENT, words: it was given back before it left."""
QUERY = "query"
"""moment, QUERY, part, link, octets: the carrier was asked what became of a segment."""
QUERY_RESPONSE = "query_response"
"""moment, QUERY_RESPONSE, part, link, octets, state in words: it answered."""

REQUEST = "request"
"""moment, REQUEST, method, url without what is secret, octets of the body: a request left."""
ANSWER = "answer"
"""moment, ANSWER, status, octets of the body, microseconds since the request: it was answered."""

OURS = frozenset({SUBMIT, QUERY})
"""Steps whose PDU we sent."""

Sight = tuple[int, Link, bytes]
"""A PDU of the peer: its moment, where it came by, and its octets."""

NOWHERE: Link = ("", 0, "", 0)

_request, _outgoing = Session.request, Session.outgoing  # super() has its price
_header = struct.Struct(">IIII").unpack_from  # SMPP 3.4, section 3.2
_HEADER_SIZE = 16
_LONGEST = 64 * 1024
"""Octets; beyond it the session takes a length for nonsense, and ends."""


class Tape:
    """The PDUs that one session wrote and read last."""

    __slots__ = ("_missing", "_parts", "link", "requests", "responses", "said")

    def __init__(self) -> None:
        self.link = NOWHERE
        self.said = b""
        """Our last request."""
        self.responses: dict[int, bytes] = {}
        """Of the last read, by their sequence numbers."""
        self.requests: dict[int, list[bytes]] = {}
        """Likewise; a peer may use a number twice."""
        self._parts: list[bytes] = []
        self._missing = 0

    def read(self, octets: bytes) -> None:
        """Takes apart what the session reads now."""
        self.responses, self.requests = {}, {}
        if self._parts:
            self._parts.append(octets)
            self._missing -= len(octets)
            if self._missing > 0:
                return
            octets = b"".join(self._parts)
            self._parts.clear()
        self._take_apart(octets)

    def _take_apart(self, octets: bytes) -> None:
        at, size, length = 0, len(octets), _HEADER_SIZE
        responses = self.responses
        while size - at >= _HEADER_SIZE:
            length, command_id, _, sequence = _header(octets, at)
            if not _HEADER_SIZE <= length <= _LONGEST:
                return
            end = at + length
            if end > size:
                break
            if command_id & RESPONSE:
                responses[sequence] = octets[at:end]
            else:
                self.requests.setdefault(sequence, []).append(octets[at:end])
            at, length = end, _HEADER_SIZE
        if at < size:
            self._parts.append(octets[at:])
            self._missing = length - (size - at)

    def response(self, sequence: int) -> bytes:
        return self.responses.get(sequence, b"")

    def request(self, sequence: int) -> bytes:
        """The peer's request that is told next, of those with this number."""
        frames = self.requests.get(sequence)
        return frames.pop(0) if frames else b""


class TapedSession(Session):
    """A session whose PDUs stand on a tape."""

    __slots__ = ("_tape", "_unwritten")

    def __init__(self, tape: Tape, role: Role, now: float, *, enquire_link: float, response_timeout: float) -> None:
        super().__init__(role, now, enquire_link=enquire_link, response_timeout=response_timeout)
        self._tape = tape
        self._unwritten: list[bytes] = []

    def request(
        self,
        name: str,
        now: float,
        fields: dict[str, Any] | None = None,
        tlvs: dict[int, bytes] | None = None,
        context: Any = None,
    ) -> int:
        if earlier := _outgoing(self):
            self._unwritten.append(earlier)
        sequence = _request(self, name, now, fields, tlvs, context)
        self._tape.said = octets = _outgoing(self)
        self._unwritten.append(octets)
        return sequence

    def outgoing(self) -> bytes:
        last, unwritten = super().outgoing(), self._unwritten
        if not unwritten:
            return last
        octets = b"".join([*unwritten, last])
        unwritten.clear()
        return octets

    def receive(self, octets: bytes, now: float) -> None:
        self._tape.read(octets)
        super().receive(octets, now)
