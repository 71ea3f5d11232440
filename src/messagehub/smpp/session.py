"""One SMPP session without a socket and without a clock: octets and `now` come in, events and octets go out.

    receive(octets, now) ─┐                 ┌─> events()     what happened
    tick(now)            ─┼─> the session  ─┤
    request() answer()   ─┘                 └─> outgoing()   what to write

It answers enquire_link and unbind by itself, refuses what the state does not allow, probes a silent link, and keeps
every request of ours until it is answered. All times are seconds of any clock that never goes back.

The law is elsewhere: `states` who may say what when, `timers` what time makes due, `outstanding` what waits for its
answer, `versions` what a peer of SMPP 3.3 can be told.
"""

from collections.abc import Callable
from math import inf
from struct import Struct
from typing import Any

from messagehub.smpp.codec import HEADER, MAX_PDU, decode, write
from messagehub.smpp.errors import DecodeError, StateError, WindowFull
from messagehub.smpp.events import Answered, AnsweredLate, Broken, Event, Received, Stray, Unanswered, Unbound
from messagehub.smpp.outstanding import Outstanding, Waiting
from messagehub.smpp.pdus import COMMAND_IDS, GENERIC_NACK, PDU, REQUESTS, RESPONSE, RESPONSES, UNKNOWN
from messagehub.smpp.states import BINDS, MAY_HEAR, MAY_SAY, VERDICTS, Role, State
from messagehub.smpp.statuses import NUMBERS
from messagehub.smpp.timers import Due, Timer, due
from messagehub.smpp.tlvs import read_tlv
from messagehub.smpp.versions import V34, takes_tlvs, without_tlvs

_HEADER_SIZE = HEADER.size
_command_length = Struct(">I").unpack_from  # section 3.2
_MESSAGES = frozenset(REQUESTS) - {"enquire_link", "unbind", *BINDS}  # the others are about the session itself
_CLOSED = State.CLOSED  # which costs ten times as much to look up at its class
_NOTHING: Waiting = (PDU(""), None, 0.0)

LAST_ANSWERS = 2.0
"""Seconds that a peer has which says goodbye, for what it has not answered yet. Without an answer nobody knows whether
it took a message."""


class Session:
    """Either end of one SMPP session.

    `now` is the time at which the connection was made. `window`: message requests that may wait for their answers (0 =
    any number; enquire_link and unbind always leave). `enquire_link`: seconds of silence after which the link is
    probed (0 = never). `response_timeout`: seconds that an answer may take. `inactivity`: seconds without any message
    after which the session unbinds (0 = never). `session_init`: seconds within which the bind has to come (0 = any).
    `late_answers`: seconds for which an unanswered request is remembered.

    `state`, `in_flight`, `pending` and `unanswered` tell how it is, and `interface_version` what both ends speak: 3.4
    until the bind has said. To a peer of 3.3 no TLVs are sent (see `messagehub.smpp.versions`).

    A peer may number its requests as it likes; of two with the same number both are told, and both answered by it.
    """

    __slots__ = (
        "_asked", "_binding", "_busy", "_events", "_goodbye", "_heard", "_limits", "_may_hear", "_may_say", "_missing",
        "_opened", "_out", "_parts", "_pending", "_tlvs", "interface_version", "late_answers", "response_timeout",
        "role", "said", "state", "unanswered", "window",
    )  # fmt: skip

    def __init__(
        self,
        role: Role,
        now: float,
        *,
        window: int = 0,
        enquire_link: float = 30.0,
        response_timeout: float = 30.0,
        inactivity: float = 0.0,
        session_init: float = 10.0,
        late_answers: float = 300.0,
    ) -> None:
        self.role = role
        self.state = State.OPEN
        self.window = window
        self.response_timeout = response_timeout
        self.late_answers = late_answers
        self.interface_version = V34
        self.unanswered = 0  # requests of the peer that wait for our answer
        self.said = b""  # the frame of our last request
        self._limits = {"enquire_link": enquire_link, "inactivity": inactivity, "session_init": session_init}
        self._may_say, self._may_hear = MAY_SAY[role], MAY_HEAR[role]
        self._opened = self._heard = self._busy = now
        self._binding = False  # a bind waits for its answer, on either side
        self._tlvs = True
        self._goodbye: tuple[int, float] | None = None  # the peer's unbind: its number, and when it came
        self._missing = 0
        self._parts: list[bytes] = []
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._asked = Outstanding()
        self._pending = self._asked.messages

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

        Raises StateError where table 2-1 does not allow it now, WindowFull, and EncodeError where the fields do not
        fit, or the peer is of SMPP 3.3 and the message needs its TLVs.
        """
        if self.state not in self._may_say.get(name, ()):
            raise StateError(f"{name} by the {self.role.value} while {self.state.value}")
        if self.window and len(self._pending) >= self.window and name in _MESSAGES:
            raise WindowFull(f"{name} while {len(self._pending)} requests wait for their answers")
        if tlvs and not self._tlvs:
            tlvs = without_tlvs(name, tlvs)
        sequence = self._asked.next_sequence()
        pdu = PDU(name, sequence, 0, fields or {}, tlvs or {})
        self.said = octets = write(name, sequence, 0, fields, tlvs)
        self._out.append(octets)
        if name in _MESSAGES:
            self._busy = now
            self._pending[sequence] = (pdu, context, now + self.response_timeout)
        elif name in REQUESTS:
            self._asked.link[sequence] = (pdu, context, now + self.response_timeout)
            self._binding = self._binding or name in BINDS
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
        if name in BINDS:
            self._speak(request.fields["interface_version"])
        if tlvs and not self._tlvs:
            tlvs = without_tlvs(name, tlvs)
        octets = write(REQUESTS[name], request.sequence, status, fields, tlvs)
        self.unanswered -= 1
        if self.state is _CLOSED:
            return
        self._out.append(octets)
        if name in BINDS:
            self._binding = False
            self.state = self.state if status else BINDS[name]
        else:
            self._say_goodbye_in_time(0)

    def ignore(self, request: PDU) -> None:
        """Never answer a request that came as Received."""
        self.unanswered -= 1
        self._say_goodbye_in_time(0)

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
        if self._parts:
            # What has come of a PDU is put together once, when the rest is there: a peer may send it octet by octet.
            self._parts.append(octets)
            self._missing -= len(octets)
            if self._missing > 0:
                return None
            octets = b"".join(self._parts)
            self._parts.clear()
        at, size, length = 0, len(octets), 4
        while size - at >= 4:
            (length,) = _command_length(octets, at)
            if not _HEADER_SIZE <= length <= MAX_PDU:
                return self._lost_framing(length, octets[at : at + _HEADER_SIZE])
            end = at + length
            if end > size:
                break
            frame = octets[at:end]
            try:
                pdu = decode(frame)
            except DecodeError as error:
                self._refuse(error.name, error.sequence, error.status)
            else:
                _WHEN_HEARD[pdu.name](self, pdu, frame, now)
            at, length = end, 4
        if at < size:
            self._parts.append(octets[at:])
            self._missing = length - (size - at)
        return None

    def tick(self, now: float) -> None:
        """Let time pass: late answers, a silent link, a bind that does not come. Call it once or more a second."""
        self._say_goodbye_in_time(now)
        if self.state is _CLOSED:
            return
        self._expire(now)
        self._asked.forget(now)
        marks = {"opened": inf if self._binding else self._opened, "heard": self._heard, "busy": self._busy}
        if timer := due(self.state, self._limits, marks, now):
            _WHEN_DUE[timer.due](self, timer, now)

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

    def _on_request(self, pdu: PDU, frame: bytes, now: float) -> None:
        name = pdu.name
        if self.state not in self._may_hear[name]:
            return self._refuse(name, pdu.sequence, VERDICTS[self.role, self.state, name])
        if name in REQUESTS:
            self.unanswered += 1
        self._busy = now
        return self._events.append(Received(pdu, frame))

    def _on_response(self, response: PDU, frame: bytes, now: float) -> None:
        sequence = response.sequence
        waiting = self._pending.get(sequence)
        if waiting is None:
            return self._answered_otherwise(response, frame)
        request, context, _ = waiting
        if RESPONSES.get(response.name, request.name) != request.name:
            return self._events.append(Stray(response))
        del self._pending[sequence]
        self._busy = now
        self._events.append(Answered(request, response, context, frame))
        return self._say_goodbye_in_time(now) if self._goodbye else None

    def _answered_otherwise(self, response: PDU, frame: bytes) -> None:
        sequence = response.sequence
        for waiting, tell in ((self._asked.link, self._link_answered), (self._asked.late, self._late_answered)):
            request, context, _ = waiting.get(sequence, _NOTHING)
            if request.name and RESPONSES.get(response.name, request.name) == request.name:
                del waiting[sequence]
                return tell(request, response, context, frame)
        return self._events.append(Stray(response))

    def _late_answered(self, request: PDU, response: PDU, context: Any, frame: bytes) -> None:
        self._events.append(AnsweredLate(request, response, context, frame))

    def _link_answered(self, request: PDU, response: PDU, context: Any, frame: bytes) -> None:
        if request.name == "unbind":
            return self._unbound()
        if request.name in BINDS:
            self._bind_answered(request, response)
            self._events.append(Answered(request, response, context, frame))
        return None

    def _bind_answered(self, request: PDU, response: PDU) -> None:
        self._binding = False
        if response.status == 0 and response.name != GENERIC_NACK and self.state is State.OPEN:
            self.state = BINDS[request.name]
            asked = request.fields.get("interface_version", V34)
            # By the standard an SMSC that does not say its version is of 3.3. Many of 3.4 and later do not say it.
            given = read_tlv(response.tlvs, "sc_interface_version")
            self._speak(asked if given is None else min(asked, given))

    def _on_enquire_link(self, pdu: PDU, frame: bytes, now: float) -> None:
        self._say("enquire_link_resp", pdu.sequence)

    def _on_unbind(self, pdu: PDU, frame: bytes, now: float) -> None:
        if self.state not in self._may_hear["unbind"]:
            return self._refuse("unbind", pdu.sequence, VERDICTS[self.role, self.state, "unbind"])
        _, came = self._goodbye or (0, now)
        self._goodbye = (pdu.sequence, came)
        self.state = State.UNBINDING
        return self._say_goodbye_in_time(now)

    def _on_bind(self, pdu: PDU, frame: bytes, now: float) -> None:
        verdict = VERDICTS[self.role, self.state, pdu.name]
        if self._binding and not verdict:
            verdict = NUMBERS["ESME_RALYBND"]
        if verdict:
            return self._refuse(pdu.name, pdu.sequence, verdict)
        self._binding = True
        self.unanswered += 1
        return self._events.append(Received(pdu, frame))

    def _on_unknown(self, pdu: PDU, frame: bytes, now: float) -> None:
        # A response of a kind that we do not know answers nothing of ours, and a nack of it could go on for ever.
        if pdu.fields["command_id"] & RESPONSE:
            return self._events.append(Stray(pdu))
        return self._refuse("", pdu.sequence, NUMBERS["ESME_RINVCMDID"])

    def _refuse(self, name: str, sequence: int, status: int) -> None:
        self._say(REQUESTS.get(name, GENERIC_NACK), sequence, status)

    def _say(self, name: str, sequence: int, status: int = 0) -> None:
        if self.state is not _CLOSED:
            self._out.append(write(name, sequence, status, None, None))

    def _lost_framing(self, length: int, header: bytes) -> None:
        sequence = int.from_bytes(header[12:16], "big") if len(header) == _HEADER_SIZE else 0
        self._refuse("", sequence, NUMBERS["ESME_RINVCMDLEN"])
        self._break(f"command_length {length}")

    def _speak(self, interface_version: int) -> None:
        self.interface_version = interface_version
        self._tlvs = takes_tlvs(interface_version)

    # --- time and the end ---------------------------------------------------------------------------------------------

    def _expire(self, now: float) -> None:
        for request, context, _ in self._asked.give_up(now, self.late_answers):
            self._events.append(Unanswered(request, context))
        for request, _, until in self._asked.silent_link(now):
            # Who talks is alive, even where a probe of ours was passed over.
            if request.name != "enquire_link" or self._heard <= until - self.response_timeout:
                return self._break(f"{request.name} unanswered for {self.response_timeout:g} s")
        return None

    def _on_break(self, timer: Timer, now: float) -> None:
        self._break(f"no bind within {self._limits[timer.name]:g} s")

    def _on_inactivity(self, timer: Timer, now: float) -> None:
        self.unbind(now)

    def _on_silence(self, timer: Timer, now: float) -> None:
        if not self._asked.link:
            self.request("enquire_link", now)

    def _say_goodbye_in_time(self, now: float) -> None:
        """The peer may hang up on our answer, so what it asked before is answered first, and so, for a while, is what
        we asked."""
        if self._goodbye is None:
            return
        sequence, came = self._goodbye
        if self.unanswered:
            is_time = now >= came + self.response_timeout
        elif self._pending:
            # Before it is late: what is lost with its connection is another thing than what has no answer in time.
            is_time = now >= min(came + LAST_ANSWERS, self._asked.first_late)
        else:
            is_time = True
        if is_time:
            self._goodbye = None
            self._say("unbind_resp", sequence)
            self._unbound()

    def _unbound(self) -> None:
        if self.state is not _CLOSED:
            self.state = State.CLOSED
            self._events.append(Unbound())

    def _break(self, reason: str) -> None:
        if self.state is not _CLOSED:
            self.state = State.CLOSED
            self._events.append(Broken(reason))


_WHEN_HEARD: dict[str, Callable[[Session, PDU, bytes, float], None]] = {
    **dict.fromkeys(COMMAND_IDS, Session._on_request),
    **dict.fromkeys((*RESPONSES, GENERIC_NACK), Session._on_response),
    "enquire_link": Session._on_enquire_link,
    "unbind": Session._on_unbind,
    UNKNOWN: Session._on_unknown,
    **dict.fromkeys(BINDS, Session._on_bind),
}
_WHEN_DUE: dict[Due, Callable[[Session, Timer, float], None]] = {
    Due.BREAK: Session._on_break,
    Due.UNBIND: Session._on_inactivity,
    Due.PROBE: Session._on_silence,
}
