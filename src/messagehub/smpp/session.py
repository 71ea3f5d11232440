"""One SMPP session without a socket and without a clock: octets and `now` come in, events and octets go out.

    receive(octets, now) ─┐                 ┌─> events()     what happened
    tick(now)            ─┼─> the session  ─┤
    request() answer()   ─┘                 └─> outgoing()   what to write

It answers enquire_link and unbind by itself, refuses what the state does not allow, probes a silent link, and keeps
every request of ours until it is answered. All times are seconds of any clock that never goes back.

Requests of one session have one response_timeout, so the dict of those that wait is in the order of their deadlines:
looking for the late ones costs as much as there are late ones.
"""

from collections.abc import Callable
from typing import Any

from messagehub.smpp.codec import HEADER, decode, encode
from messagehub.smpp.errors import DecodeError, StateError
from messagehub.smpp.events import Answered, AnsweredLate, Broken, Event, Received, Unanswered, Unbound
from messagehub.smpp.pdus import GENERIC_NACK, PDU, REQUESTS, RESPONSES, UNKNOWN
from messagehub.smpp.states import BINDS, BOUND, MAY_HEAR, MAY_SAY, Role, State
from messagehub.smpp.statuses import NUMBERS

MAX_PDU = 64 * 1024  # octets; the longest that means anything is a message_payload of 64 KiB less one
MAX_SEQUENCE = 0x7FFFFFFF  # section 3.2
REMEMBERED = 10_000  # unanswered requests that may still be answered late

_HEADER_SIZE = HEADER.size
_LINK = frozenset({"enquire_link", "unbind", *BINDS})  # requests that are about the session and not about messages

Waiting = tuple[PDU, Any, float]  # request, context, until when
_NOTHING: Waiting = (PDU(""), None, 0.0)


class Session:
    """Either end of one SMPP session.

    `now` is the time at which the connection was made. `enquire_link`: seconds of silence after which the link is
    probed (0 = never). `response_timeout`: seconds that an answer may take. `inactivity`: seconds without any message
    after which the session unbinds (0 = never). `session_init`: seconds within which the bind has to come.
    `late_answers`: seconds for which an unanswered request is remembered.
    """

    __slots__ = (
        "_binding", "_busy", "_events", "_heard", "_late", "_link", "_may_hear", "_may_say", "_out", "_pending",
        "_rest", "_sequence", "_started", "enquire_link", "inactivity", "late_answers", "response_timeout", "role",
        "session_init", "state", "unanswered",
    )  # fmt: skip

    def __init__(
        self,
        role: Role,
        now: float,
        *,
        enquire_link: float = 30.0,
        response_timeout: float = 30.0,
        inactivity: float = 0.0,
        session_init: float = 10.0,
        late_answers: float = 300.0,
    ) -> None:
        self.role = role
        self.state = State.OPEN
        self.enquire_link = enquire_link
        self.response_timeout = response_timeout
        self.inactivity = inactivity
        self.session_init = session_init
        self.late_answers = late_answers
        self.unanswered = 0  # requests of the peer that wait for our answer
        self._may_say, self._may_hear = MAY_SAY[role], MAY_HEAR[role]
        self._started = self._heard = self._busy = now
        self._binding = False
        self._sequence = 0
        self._rest = b""
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._pending: dict[int, Waiting] = {}
        self._link: dict[int, Waiting] = {}
        self._late: dict[int, Waiting] = {}

    # --- what the owner says ------------------------------------------------------------------------------------------

    def request(
        self,
        name: str,
        now: float,
        fields: dict[str, Any] | None = None,
        tlvs: dict[int, bytes] | None = None,
        context: Any = None,
    ) -> int:
        """Send a request; its sequence number. `context` comes back with the answer.

        Raises StateError where table 2-1 does not allow it now, EncodeError where the fields do not fit.
        """
        if self.state not in self._may_say.get(name, ()):
            raise StateError(f"{name} by the {self.role.value} while {self.state.value}")
        sequence = self._next_sequence()
        pdu = PDU(name, sequence, 0, fields or {}, tlvs or {})
        self._out.append(encode(pdu))
        if name in _LINK:
            self._link[sequence] = (pdu, context, now + self.response_timeout)
        elif name in REQUESTS:
            self._busy = now
            self._pending[sequence] = (pdu, context, now + self.response_timeout)
        return sequence

    def answer(
        self,
        request: PDU,
        status: int = 0,
        fields: dict[str, Any] | None = None,
        tlvs: dict[int, bytes] | None = None,
    ) -> None:
        """Answer a request that came as Received, each once. Where the session has ended, nobody is left to hear."""
        name = request.name
        octets = encode(PDU(REQUESTS[name], request.sequence, status, fields or {}, tlvs or {}))
        self.unanswered -= 1
        if self.state is State.CLOSED:
            return
        self._out.append(octets)
        if name in BINDS:
            self._binding = False
            if status == 0:
                self.state = BINDS[name]

    def ignore(self, request: PDU) -> None:
        """Never answer a request that came as Received."""
        self.unanswered -= 1

    def unbind(self, now: float) -> None:
        """Say goodbye: answers may still come, then Unbound (or Broken, where the peer stays silent)."""
        self.request("unbind", now)
        self.state = State.UNBINDING

    def close(self) -> None:
        """The connection is gone, or is to go. Says nothing to the peer; `pending` stays readable."""
        self.state = State.CLOSED

    # --- what the driver does -----------------------------------------------------------------------------------------

    def receive(self, octets: bytes, now: float) -> None:
        """Take what was read from the connection; never raises, whatever it is."""
        self._heard = now
        buffer = self._rest + octets if self._rest else octets
        at, size = 0, len(buffer)
        while size - at >= 4:
            length = int.from_bytes(buffer[at : at + 4], "big")
            if not _HEADER_SIZE <= length <= MAX_PDU:
                self._rest = b""
                return self._lost_framing(length, buffer[at : at + _HEADER_SIZE])
            end = at + length
            if end > size:
                break
            self._frame(buffer[at:end], now)
            at = end
        self._rest = buffer[at:] if at else buffer
        return None

    def tick(self, now: float) -> None:
        """Let time pass: late answers, a silent link, a bind that does not come. Call it once or more a second."""
        if self.state is State.CLOSED:
            return
        self._expire(now)
        self._forget(now)
        if self.state is State.OPEN:
            if now - self._started >= self.session_init and not self._binding:
                self._break(f"no bind within {self.session_init:g} s")
        elif self.state in BOUND:
            self._watch(now)

    def events(self) -> list[Event]:
        """What happened since the last call, in order."""
        events = self._events
        if events:
            self._events = []
        return events

    def outgoing(self) -> bytes:
        """What is to be written since the last call."""
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    @property
    def pending(self) -> list[tuple[PDU, Any]]:
        """Message requests of ours without an answer yet, oldest first, with their contexts."""
        return [(request, context) for request, context, _ in self._pending.values()]

    @property
    def in_flight(self) -> int:
        """How many `pending` has: the part of the window that is in use."""
        return len(self._pending)

    # --- what comes in ------------------------------------------------------------------------------------------------

    def _frame(self, frame: bytes, now: float) -> None:
        try:
            pdu = decode(frame)
        except DecodeError as error:
            return self._refuse(error.name, error.sequence, error.status)
        name = pdu.name
        if name in RESPONSES or name == GENERIC_NACK:
            return self._answered(pdu, now)
        if name in _BY_OURSELVES:
            return _BY_OURSELVES[name](self, pdu, now)
        if self.state not in self._may_hear.get(name, ()):
            return self._refuse(name, pdu.sequence, NUMBERS["ESME_RINVBNDSTS"])
        if name in REQUESTS:
            self.unanswered += 1
        self._busy = now
        self._events.append(Received(pdu))
        return None

    def _answered(self, response: PDU, now: float) -> None:
        sequence = response.sequence
        waiting = self._pending.get(sequence)
        if waiting is None:
            return self._answered_otherwise(response)
        request, context, _ = waiting
        if RESPONSES.get(response.name, request.name) == request.name:
            del self._pending[sequence]
            self._busy = now
            self._events.append(Answered(request, response, context))
        return None

    def _answered_otherwise(self, response: PDU) -> None:
        sequence = response.sequence
        for waiting, tell in ((self._link, self._link_answered), (self._late, self._late_answered)):
            request, context, _ = waiting.get(sequence, _NOTHING)
            if request.name and RESPONSES.get(response.name, request.name) == request.name:
                del waiting[sequence]
                return tell(request, response, context)
        return None

    def _late_answered(self, request: PDU, response: PDU, context: Any) -> None:
        self._events.append(AnsweredLate(request, response, context))

    def _link_answered(self, request: PDU, response: PDU, context: Any) -> None:
        if request.name == "unbind":
            return self._unbound()
        if request.name in BINDS:
            if response.status == 0 and response.name != GENERIC_NACK and self.state is State.OPEN:
                self.state = BINDS[request.name]
            self._events.append(Answered(request, response, context))
        return None

    def _on_enquire_link(self, pdu: PDU, now: float) -> None:
        if self.state is not State.CLOSED:
            self._out.append(encode(PDU("enquire_link_resp", pdu.sequence)))

    def _on_unbind(self, pdu: PDU, now: float) -> None:
        if self.state not in self._may_hear["unbind"]:
            return self._refuse("unbind", pdu.sequence, NUMBERS["ESME_RINVBNDSTS"])
        self._out.append(encode(PDU("unbind_resp", pdu.sequence)))
        return self._unbound()

    def _on_bind(self, pdu: PDU, now: float) -> None:
        if self.role is Role.MC and (self._binding or self.state in BOUND):
            return self._refuse(pdu.name, pdu.sequence, NUMBERS["ESME_RALYBND"])
        if self.state not in self._may_hear.get(pdu.name, ()):
            return self._refuse(pdu.name, pdu.sequence, NUMBERS["ESME_RINVBNDSTS"])
        self._binding = True
        self.unanswered += 1
        self._events.append(Received(pdu))
        return None

    def _on_unknown(self, pdu: PDU, now: float) -> None:
        # A response of a kind that we do not know answers nothing of ours, and a nack of it could go on for ever.
        if pdu.fields["command_id"] < 0x80000000:
            self._refuse("", pdu.sequence, NUMBERS["ESME_RINVCMDID"])

    def _refuse(self, name: str, sequence: int, status: int) -> None:
        if self.state is not State.CLOSED:
            self._out.append(encode(PDU(REQUESTS.get(name, GENERIC_NACK), sequence, status)))

    def _lost_framing(self, length: int, header: bytes) -> None:
        sequence = int.from_bytes(header[12:16], "big") if len(header) == _HEADER_SIZE else 0
        self._refuse("", sequence, NUMBERS["ESME_RINVCMDLEN"])
        self._break(f"command_length {length}")

    # --- time and the end ---------------------------------------------------------------------------------------------

    def _next_sequence(self) -> int:
        sequence = self._sequence % MAX_SEQUENCE + 1
        while sequence in self._pending or sequence in self._link or sequence in self._late:
            sequence = sequence % MAX_SEQUENCE + 1
        self._sequence = sequence
        return sequence

    def _expire(self, now: float) -> None:
        for sequence in _due(self._pending, now):
            request, context, _ = self._pending.pop(sequence)
            self._late[sequence] = (request, context, now + self.late_answers)
            self._events.append(Unanswered(request, context))
        for sequence in _due(self._link, now):
            request, _, until = self._link.pop(sequence)
            # Who talks is alive, even where a probe of ours was passed over.
            if request.name != "enquire_link" or self._heard <= until - self.response_timeout:
                return self._break(f"{request.name} unanswered for {self.response_timeout:g} s")
        return None

    def _forget(self, now: float) -> None:
        surplus = max(0, len(self._late) - REMEMBERED)
        for sequence in [*list(self._late)[:surplus], *_due(self._late, now)]:
            self._late.pop(sequence, None)

    def _watch(self, now: float) -> None:
        if self.inactivity and now - self._busy >= self.inactivity:
            self.unbind(now)
        elif self.enquire_link and now - self._heard >= self.enquire_link and not self._link:
            self.request("enquire_link", now)

    def _unbound(self) -> None:
        if self.state is not State.CLOSED:
            self.state = State.CLOSED
            self._events.append(Unbound())

    def _break(self, reason: str) -> None:
        if self.state is not State.CLOSED:
            self.state = State.CLOSED
            self._events.append(Broken(reason))


def _due(waiting: dict[int, Waiting], now: float) -> list[int]:
    due = []
    for sequence, (_, _, until) in waiting.items():
        if until > now:
            break
        due.append(sequence)
    return due


_BY_OURSELVES: dict[str, Callable[[Session, PDU, float], None]] = {
    "enquire_link": Session._on_enquire_link,
    "unbind": Session._on_unbind,
    UNKNOWN: Session._on_unknown,
    **dict.fromkeys(BINDS, Session._on_bind),
}
