"""The message centre: takes submits, and hands receipts and handsets' messages to whoever is bound to receive."""

import asyncio
import secrets
import time
from collections.abc import Mapping
from functools import partial
from itertools import count

from messagehub.carriers.simulator.behaviours import BEHAVIOURS, USUAL, Behaviour, Verdict, delays
from messagehub.carriers.simulator.deliveries import moment, receipt, written
from messagehub.carriers.simulator.later import Later
from messagehub.carriers.simulator.options import Options
from messagehub.carriers.simulator.outbox import Outbox
from messagehub.carriers.simulator.record import Record, Submit
from messagehub.smpp import (
    PDU,
    Answered,
    Driver,
    Event,
    Received,
    Role,
    Session,
    Unanswered,
    listen,
    pack_tlvs,
)
from messagehub.smpp.receipts import Outcome, outcome
from messagehub.smpp.states import BINDS, BOUND, RECEIVING
from messagehub.smpp.statuses import NUMBERS
from messagehub.smpp.tlvs import TAGS

LONGEST_ADDRESS = 20  # characters: SMPP 3.4, sections 5.2.8 and 5.2.9
REMEMBERED = 100_000  # destinations whose refusals are counted
GOODBYE = 1.0  # seconds that an ESME has to answer our unbind

MESSAGE_PAYLOAD = TAGS["message_payload"]
OUR_VERSION = pack_tlvs({"sc_interface_version": 0x34})

# registered_delivery, bits 1 and 0 (5.2.17; 3 is of SMPP 5.0): is a receipt wanted, when all is well and when not
WANTED: Mapping[int, tuple[bool, bool]] = {0: (False, False), 1: (True, True), 2: (False, True), 3: (True, False)}

# What an SMSC has that this one has not.
REFUSED: Mapping[str, str] = {
    "query_sm": "ESME_RQUERYFAIL",
    "cancel_sm": "ESME_RCANCELFAIL",
    "replace_sm": "ESME_RREPLACEFAIL",
    "submit_multi": "ESME_RSUBMITFAIL",
}


class NobodyBound(Exception):
    """No bind is there to receive."""


class Bind:
    """One connection; `outbox` is its account's, once it is bound."""

    def __init__(self, smsc: "Smsc") -> None:
        self.outbox: Outbox | None = None
        self._smsc = smsc

    def on_events(self, driver: Driver, events: list[Event]) -> None:
        """Everything that one read brought, and then what the windows allow."""
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
        self._options = options
        self._behaviours = {} if options.plain else BEHAVIOURS
        self._delays = delays(options)
        self._later = Later(self._pump)
        self._outboxes: dict[str, Outbox] = {}
        self._refusals: dict[str, int] = {}
        self._references = count(secrets.randbelow(256))
        # No two simulators ever give the same id, and neither does one that was started again.
        self._prefix = f"{time.time_ns() // 1_000_000:011x}{secrets.token_hex(2)}"
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
        return sum(len(outbox.waiting) for outbox in self._outboxes.values())

    async def write(self, source: str, destination: str, text: str, shuffle: bool = False) -> list[int]:
        """Be a handset that writes to the ESME: the command_status by which each part was first answered.

        `shuffle` sends the last part first. Raises NobodyBound; ValueError where an address or the text cannot be.
        """
        outbox = next((outbox for outbox in self._outboxes.values() if outbox.receivers), None)
        if outbox is None:
            raise NobodyBound
        parts = written(source, destination, text, next(self._references))
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[int]] = [loop.create_future() for _ in parts]
        for part, answer in zip(parts, answers, strict=True):
            part.answer = answer
        for part in reversed(parts) if shuffle else parts:
            outbox.add(part)
        outbox.pump()
        return await asyncio.gather(*answers)

    def take(self, bind: Bind, driver: Driver, request: PDU) -> None:
        """Answer one request of an ESME, now or later."""
        name = request.name
        if name == "submit_sm" or name == "data_sm":
            self._submit(bind, driver, request)
        elif name in BINDS:
            self._bind(bind, driver, request)
        else:
            driver.answer(request, NUMBERS[REFUSED.get(name, "ESME_RINVCMDID")])

    # ------------------------------------------------------------------------------------------------------------------

    def _connected(self) -> Driver:
        bind = Bind(self)
        return Driver(
            partial(Session, Role.MC),
            bind.on_events,
            bind.on_lost,
            on_made=self.drivers.add,
            on_writable=bind.on_writable,
        )

    def _bind(self, bind: Bind, driver: Driver, request: PDU) -> None:
        fields, options = request.fields, self._options
        for given, expected, refusal in (
            (fields["system_id"], options.system_id, "ESME_RINVSYSID"),
            (fields["password"], options.password, "ESME_RINVPASWD"),
        ):
            if expected is not None and given != expected:
                return driver.answer(request, NUMBERS[refusal])
        bind.outbox = self._outbox(fields["system_id"])
        knows_tlvs = fields["interface_version"] >= 0x34
        driver.answer(request, 0, {"system_id": "simulator"}, OUR_VERSION if knows_tlvs else None)
        if driver.session.state in RECEIVING:
            bind.outbox.receivers.append(driver)
            bind.outbox.pump()
        return None

    def _outbox(self, system_id: str) -> Outbox:
        if system_id not in self._outboxes:
            self._outboxes[system_id] = Outbox(self._later, self.record.counts)
        return self._outboxes[system_id]

    def _submit(self, bind: Bind, driver: Driver, request: PDU) -> None:
        fields, counts = request.fields, self.record.counts
        counts.submits += 1
        behaviour = self._behaviours.get(fields["destination_addr"][-4:], USUAL)
        if refusal := self._refusal(request, behaviour):
            counts.refused += 1
            driver.answer(request, NUMBERS[refusal])
        elif behaviour.answered is None:
            counts.ignored += 1
            driver.session.ignore(request)
        else:
            submit = self._accept(request)
            self._answer(driver, request, submit, self._delays[behaviour.answered])
            if bind.outbox and fields["registered_delivery"] & 3:
                self._promise(bind.outbox, submit, behaviour.verdicts)

    def _refusal(self, request: PDU, behaviour: Behaviour) -> str:
        """The name of the command_status that refuses it, or nothing."""
        destination = request.fields["destination_addr"]
        if not 0 < len(destination) <= LONGEST_ADDRESS:
            return "ESME_RINVDSTADR"
        if len(request.fields["source_addr"]) > LONGEST_ADDRESS:
            return "ESME_RINVSRCADR"
        if behaviour.refusals and self._has_refused(destination) > behaviour.refusals:
            return ""
        return behaviour.refusal

    def _has_refused(self, destination: str) -> int:
        """How often, this time included."""
        if len(self._refusals) >= REMEMBERED:
            self._refusals.clear()
        self._refusals[destination] = times = self._refusals.get(destination, 0) + 1
        return times

    def _accept(self, request: PDU) -> Submit:
        fields, counts = request.fields, self.record.counts
        counts.accepted = n = counts.accepted + 1
        octets = fields.get("short_message") or request.tlvs.get(MESSAGE_PAYLOAD, b"")
        submit = Submit(n, f"{self._prefix}{n:x}", fields, octets, moment())
        self.record.add(submit)
        return submit

    def _answer(self, driver: Driver, request: PDU, submit: Submit, delay: float) -> None:
        fields = {"message_id": submit.message_id}
        if delay:
            self._later.put(delay, partial(driver.answer, request, 0, fields))
        else:
            driver.answer(request, 0, fields)

    def _promise(self, outbox: Outbox, submit: Submit, verdicts: tuple[Verdict, ...]) -> None:
        when_well, when_not = WANTED[submit.fields["registered_delivery"] & 3]
        for verdict in verdicts:
            if when_well if outcome(verdict.stat) is Outcome.DELIVERED else when_not:
                self._later.put(self._delays[verdict.when], partial(_tell, outbox, submit, verdict))

    def _pump(self) -> None:
        for outbox in self._outboxes.values():
            outbox.pump()


def _tell(outbox: Outbox, submit: Submit, verdict: Verdict) -> None:
    outbox.add(receipt(submit, verdict))
