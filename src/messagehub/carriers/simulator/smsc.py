"""The message centre: takes submits, and hands receipts and handsets' messages to whoever is bound to receive."""

import asyncio
import socket
import time
from collections.abc import Mapping
from functools import partial

from messagehub.carriers.simulator import handset, magic
from messagehub.carriers.simulator.course import Course, Promise, prepared
from messagehub.carriers.simulator.ids import Ids
from messagehub.carriers.simulator.later import Later
from messagehub.carriers.simulator.options import Options
from messagehub.carriers.simulator.outbox import Outbox
from messagehub.carriers.simulator.player import Player
from messagehub.carriers.simulator.record import Record, Submit
from messagehub.carriers.simulator.rules import Rules
from messagehub.carriers.simulator.scenario import Inbound, Rule
from messagehub.carriers.simulator.session import ScriptedSession
from messagehub.smpp import PDU, Answered, Driver, Event, Received, Role, Unanswered, connect, listen, pack_tlvs
from messagehub.smpp.states import BINDS, BOUND, RECEIVING
from messagehub.smpp.statuses import NUMBERS
from messagehub.smpp.tlvs import TAGS

LONGEST_ADDRESS = 20  # characters: SMPP 3.4, sections 5.2.8 and 5.2.9
GOODBYE = 1.0  # seconds that an ESME has to answer our unbind

QUICKACK = getattr(socket, "TCP_QUICKACK", 0)
"""Of Linux alone, and for one time only: the kernel goes back to waiting by itself."""

MESSAGE_PAYLOAD = TAGS["message_payload"]
OUR_VERSION = pack_tlvs({"sc_interface_version": 0x34})

# registered_delivery, bits 1 and 0 (5.2.17; 3 is of SMPP 5.0): is a receipt wanted, when all is well and when not
WANTED: Mapping[int, tuple[bool, bool]] = {0: (False, False), 1: (True, True), 2: (False, True), 3: (True, False)}

# What an SMSC has that this one has not.
REFUSED: Mapping[str, str] = {
    "cancel_sm": "ESME_RCANCELFAIL",
    "replace_sm": "ESME_RREPLACEFAIL",
    "submit_multi": "ESME_RSUBMITFAIL",
}


class NobodyBound(Exception):
    """No bind is there to receive."""


class Bind:
    """One connection; `system_id` is its account, and `outbox` that account's, once it is bound."""

    def __init__(self, smsc: "Smsc") -> None:
        self.system_id = ""
        self.outbox: Outbox | None = None
        self._smsc = smsc

    def on_events(self, driver: Driver, events: list[Event]) -> None:
        """Everything that one read brought, and then what the windows allow."""
        _acknowledge(driver)
        take, outbox = self._smsc.take, self.outbox
        for event in events:
            if isinstance(event, Received):
                take(self, driver, event.request)
            elif outbox and isinstance(event, Answered):
                outbox.answered(event.context, event.response.status)
            elif outbox and isinstance(event, Unanswered):
                outbox.add(event.context)
        if outbox:
            outbox.pump()

    def on_writable(self, driver: Driver) -> None:
        if self.outbox:
            self.outbox.pump()

    def on_lost(self, driver: Driver, error: Exception | None) -> None:
        self._smsc.drivers.discard(driver)
        if self.outbox:
            self.outbox.lost(driver)


class Smsc:
    """A message centre that keeps nothing but what is in memory. Make it inside a running loop."""

    def __init__(self, options: Options) -> None:
        self.record = Record()
        self.drivers: set[Driver] = set()
        self.most_binds = 0
        """How many sessions there were at most that were bound at the same time."""
        self._options = options
        self._later = Later(self._pump)
        self.ids = Ids()
        self._last_id = ""
        self._player = Player(self._later)
        self._loop = asyncio.get_running_loop()
        self._outboxes: dict[str, Outbox] = {}
        named = [(rule.name or f"rule {n}", rule) for n, rule in enumerate(options.scenario, start=1)]
        self._courses = [(rule, self._course(rule, name)) for name, rule in named if rule.on != "mms"]
        unseen = [] if options.plain else [(rule, self._course(rule, rule.name)) for rule in magic.rules(options)]
        self._of_submits = Rules((r.when, c) for r, c in (*self._courses, *unseen) if r.on == "submit")
        self._of_binds = Rules((r.when, c) for r, c in self._courses if r.on == "bind")
        self._usual = self._course(Rule(), "")
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen; the port."""
        options = self._options
        self._server = await listen(options.host, options.smpp_port, self._connected, ssl=options.tls)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self) -> None:
        """Unbind everybody, and be gone within GOODBYE seconds."""
        self._later.close()
        if self._server is not None:
            self._server.close()
        leaving = [asyncio.ensure_future(driver.unbind()) for driver in self.drivers]
        if leaving:
            _, late = await asyncio.wait(leaving, timeout=GOODBYE)
            for task in late:
                task.cancel()
        for driver in list(self.drivers):
            driver.close()

    @property
    def binds(self) -> int:
        """How many sessions are bound."""
        return sum(driver.session.state in BOUND for driver in self.drivers)

    @property
    def waiting(self) -> int:
        """How many deliveries wait for a bind or a window."""
        return sum(len(outbox.waiting) + len(outbox.particular) for outbox in self._outboxes.values())

    @property
    def played(self) -> dict[str, int]:
        """How often each rule of the scenario was."""
        return {course.name: course.played for _, course in self._courses}

    async def write(self, source: str, destination: str, text: str, shuffle: bool = False) -> list[int]:
        """Be a handset that writes to the ESME: the command_status by which each part was first answered.

        `shuffle` sends the last part first. Raises NobodyBound; ValueError where an address or the text cannot be.
        """
        outbox = next((outbox for outbox in self._outboxes.values() if outbox.receivers), None)
        if outbox is None:
            raise NobodyBound
        inbound = Inbound(text=text, source=source, destination=destination)
        parts = handset.written(inbound, next(self._player.references))
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[int]] = [loop.create_future() for _ in parts]
        for part, answer in zip(parts, answers, strict=True):
            part.answer = answer
        for part in reversed(parts) if shuffle else parts:
            outbox.add(part)
        outbox.pump()
        return await asyncio.gather(*answers)

    async def call(self, host: str, port: int, system_id: str, password: str) -> None:
        """Call an ESME, and tell it to bind (outbind; SMPP 3.4, 2.2.1). Raises OSError where nobody is there."""
        driver = await connect(host, port, self._connected)
        driver.request("outbind", {"system_id": system_id, "password": password})

    def take(self, bind: Bind, driver: Driver, request: PDU) -> None:
        """Answer one request of an ESME, now or later."""
        name = request.name
        if name == "submit_sm" or name == "data_sm":
            self._submit(bind, driver, request)
        elif name in BINDS:
            self._bind(bind, driver, request)
        elif name == "query_sm":
            self._tell_state(driver, request)
        else:
            driver.answer(request, NUMBERS[REFUSED.get(name, "ESME_RINVCMDID")])

    # ------------------------------------------------------------------------------------------------------------------

    def _connected(self) -> Driver:
        bind = Bind(self)
        return Driver(
            partial(ScriptedSession, Role.MC),
            bind.on_events,
            bind.on_lost,
            on_made=self.drivers.add,
            on_writable=bind.on_writable,
        )

    def _course(self, rule: Rule, name: str) -> Course:
        return prepared(rule, name, self._options.receipt_delay, self.ids)

    # --- binds --------------------------------------------------------------------------

    def _bind(self, bind: Bind, driver: Driver, request: PDU) -> None:
        fields, options = request.fields, self._options
        for given, expected, refusal in (
            (fields["system_id"], options.system_id, "ESME_RINVSYSID"),
            (fields["password"], options.password, "ESME_RINVPASWD"),
        ):
            if expected is not None and given != expected:
                return driver.answer(request, NUMBERS[refusal])
        bind.system_id = system_id = fields["system_id"]
        course = self._of_binds.of(bind, system_id, request) or self._usual
        course.played += 1
        if course.delay:
            return self._later.put(course.delay, partial(self._answer_bind, bind, driver, request, course))
        return self._answer_bind(bind, driver, request, course)

    def _answer_bind(self, bind: Bind, driver: Driver, request: PDU, course: Course) -> None:
        outbox = self._outbox(bind.system_id)
        if course.never:
            driver.session.ignore(request)
        elif course.status:
            driver.answer(request, course.status)
        else:
            self._let_in(bind, driver, request, outbox)
        if course.besides:
            self._player.besides(course, driver, outbox, {})

    def _let_in(self, bind: Bind, driver: Driver, request: PDU, outbox: Outbox) -> None:
        bind.outbox = outbox
        knows_tlvs = request.fields["interface_version"] >= 0x34
        driver.answer(request, 0, {"system_id": "simulator"}, OUR_VERSION if knows_tlvs else None)
        self.most_binds = max(self.most_binds, self.binds)
        if driver.session.state in RECEIVING:
            outbox.receivers.append(driver)
            outbox.pump()

    def _outbox(self, system_id: str) -> Outbox:
        if system_id not in self._outboxes:
            self._outboxes[system_id] = Outbox(self._later, self.record.counts)
        return self._outboxes[system_id]

    # --- submits ------------------------------------------------------------------------

    def _submit(self, bind: Bind, driver: Driver, request: PDU) -> None:
        counts, outbox = self.record.counts, bind.outbox
        assert outbox  # nobody else is heard
        counts.submits += 1
        if refusal := _wrong_address(request):
            counts.refused += 1
            return driver.answer(request, NUMBERS[refusal])
        course = self._of_submits.of(bind, bind.system_id, request) or self._usual
        course.played += 1
        if course.status:
            counts.refused += 1
            self._player.answer(course, driver, request, self.ids.write(counts.submits, course.id))
        elif course.never and not course.promises:
            counts.ignored += 1
            driver.session.ignore(request)
        else:
            self._take(course, driver, outbox, request)
        if course.besides:
            self._player.besides(course, driver, outbox, request.fields)
        return None

    def _take(self, course: Course, driver: Driver, outbox: Outbox, request: PDU) -> None:
        submit = self._accept(course, driver, request)
        if course.never:
            self.record.counts.ignored += 1
            driver.session.ignore(request)
        elif course.is_plain:
            driver.answer(request, 0, {"message_id": submit.message_id}, course.tlvs)
        else:
            self._player.answer(course, driver, request, submit.message_id)
        if registered := submit.fields["registered_delivery"] & 3:
            self._promise(outbox, submit, course.promises, *WANTED[registered])

    def _accept(self, course: Course, driver: Driver, request: PDU) -> Submit:
        fields, counts = request.fields, self.record.counts
        counts.accepted = n = counts.accepted + 1
        octets = fields.get("short_message") or request.tlvs.get(MESSAGE_PAYLOAD, b"")
        message_id = self.ids.write(n, course.id)
        at, now = int(time.time()), self._loop.time()
        submit = Submit(n, message_id, fields, octets, at, driver, self._last_id, now, course.states)
        self._last_id = message_id
        self.record.add(submit)
        return submit

    def _promise(
        self, outbox: Outbox, submit: Submit, promises: tuple[Promise, ...], when_well: bool, when_not: bool
    ) -> None:
        for promise in promises:
            if when_well if promise.is_good else when_not:
                self._later.put(promise.delay, partial(_tell, outbox, submit, promise))

    def _tell_state(self, driver: Driver, request: PDU) -> None:
        """What became of a message, be there a receipt of it or not. Its sender must be named as it was."""
        message_id = request.fields["message_id"]
        found = self.record.state(message_id, request.fields["source_addr"], self._loop.time())
        if found is None:
            return driver.answer(request, NUMBERS["ESME_RQUERYFAIL"])
        return driver.answer(request, 0, {"message_id": message_id, "message_state": found})

    def _pump(self) -> None:
        for outbox in self._outboxes.values():
            outbox.pump()


def _acknowledge(driver: Driver) -> None:
    """An ESME that collects small writes (Nagle) sends the rest of a window when TCP acknowledges its beginning.

    Linux waits 40 ms with that for something to send along, and there is nothing where the ESME only answers receipts.
    """
    if QUICKACK:
        driver.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)


def _tell(outbox: Outbox, submit: Submit, promise: Promise) -> None:
    outbox.add(promise.write(submit))


def _wrong_address(request: PDU) -> str:
    """The name of the command_status that refuses it, or nothing."""
    if not 0 < len(request.fields["destination_addr"]) <= LONGEST_ADDRESS:
        return "ESME_RINVDSTADR"
    return "ESME_RINVSRCADR" if len(request.fields["source_addr"]) > LONGEST_ADDRESS else ""
