"""A carrier that speaks SMPP: its binds, the handovers on their way, and the news of them."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from messagehub import clock
from messagehub.carriers import profile, wire
from messagehub.carriers.backoff import PAUSES, Pauses
from messagehub.carriers.bind import Bind, Ticket
from messagehub.carriers.binds import Binds
from messagehub.carriers.callbacks import NOTHING_HERE, Callback, Reply
from messagehub.carriers.carrier import (
    LONGEST_NAME,
    Accepted,
    BindRole,
    CarrierStatus,
    Handover,
    Inbound,
    Lost,
    News,
    Outcome,
    Queried,
    Question,
    Receipt,
    Refused,
    TargetKey,
    Unanswered,
    Verdict,
    whole,
)
from messagehub.carriers.config import SMPPConfig
from messagehub.carriers.door import Door
from messagehub.carriers.inquiry import TRIES, Inquiry, Query
from messagehub.carriers.outbind import Outbinds
from messagehub.carriers.pace import Pace
from messagehub.carriers.transfer import Part, Transfer, Why
from messagehub.carriers.translate import ANSWERS, answer, arrival, refusal, sender, transfer_of, with_segment
from messagehub.clock import SECOND
from messagehub.smpp import PDU, Answered, AnsweredLate, Driver, EncodeError, Event, Received, Session, StateError
from messagehub.smpp import Unanswered as NoAnswer
from messagehub.smpp.statuses import NUMBERS
from messagehub.smpp.tlvs import TAGS
from messagehub.work.node import Lease

log = logging.getLogger(__name__)

CALLED = "outbind"
ROLES: dict[str, BindRole] = {
    "transceiver": "transceiver",
    "transmitter": "transmitter",
    "receiver": "receiver",
    CALLED: "receiver",
}
"""Of each bind that the config's `bind` names."""

WITH_NEWS = ("deliver_sm", "data_sm")
WITHOUT_ANSWER = ("outbind", "alert_notification")

QUEUE_FULL = NUMBERS["ESME_RMSGQFUL"]
WELL, FULL = 10, 3
"""How many submits that were taken speak for the carrier at most, and how many of them one full queue outweighs."""

SESSIONS_REMEMBERED = 100
UNSURE = 60 * SECOND
"""An answer that left so long before the end of its session, or longer, has reached the peer."""

CONGESTION_STATE = TAGS["congestion_state"]
NEARLY_CONGESTED, CONGESTED = 90, 100  # percent of what the carrier can do: SMPP 5.0, section 4.8.4.18

NOT_VERIFIED = "tls_verify is false: whoever stands between could be taken for the carrier, and read all that is sent"


class SMPPCarrier:
    """`pauses`: how long its binds wait before they try again. `taped`: its handovers are traced. `outbinds`: where it
    may call. `lease`: until when something may be sent."""

    callback_max = 0

    def __init__(
        self,
        config: SMPPConfig,
        pauses: Pauses = PAUSES,
        taped: bool = True,
        outbinds: Outbinds | None = None,
        lease: Lease | None = None,
    ) -> None:
        self.dlr_timeout = config.dlr_timeout
        self.asks = config.query_sm
        self._profile = profile.of(config)
        self.texts = self._profile.texts
        self._window, self._rate = config.window, config.rate
        self._pace = Pace(config.rate)
        self._lease = lease or Lease()
        self._warnings = [NOT_VERIFIED] if config.tls and not config.tls_verify else []
        door, outbinds = Door(pauses), outbinds or Outbinds()

        def bind(kind: str) -> Bind:
            # One that is called may wait for long, and nobody waits for it.
            how = (Door(pauses), outbinds) if kind == CALLED else (door, None)
            return Bind(config, ROLES[kind], how[0], self._heard, self._lost, pauses, taped, how[1])

        self.kinds: Sequence[str] = config.bind.split("+") * config.binds
        self._binds = Binds(self.kinds, bind)
        self._queue: deque[Part] = deque()
        self._queries: deque[Query] = deque()
        self._transfers: dict[TargetKey, Transfer] = {}
        self._news: list[News] = []
        self._ring: Callable[[], None] = lambda: None
        self._well = 0
        """Above 0 where a full queue would be the trouble of one recipient, and not of the carrier."""
        self._now = 0
        """The moment of what is heard or sent just now, for traces."""
        self._ended: dict[str, int] = {}
        """When sessions ended, of the last ones."""
        self._idle = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    # --- the contract -------------------------------------------------------------------

    def open(self, ring: Callable[[], None], slots: Collection[int] | None = None) -> None:
        self._ring = ring
        self.hold(range(len(self.kinds)) if slots is None else slots)

    def hold(self, slots: Collection[int]) -> None:
        self._binds.hold(slots)
        self._keep_share()

    async def part(self, slot: int, seconds: float) -> None:
        parting = asyncio.create_task(self._binds.part(slot, seconds))
        await asyncio.sleep(0)  # it is leaving now
        self._keep_share()
        if not any(bind.is_sending for bind in self._binds):
            self._give_back_queue()
            self._ring()
        await parting

    async def let_go(self) -> None:
        await self._binds.close()
        self._give_back_queue()
        self._ring()

    def _keep_share(self) -> None:
        self._pace.share(self._rate * self._binds.share, time.monotonic())

    def room(self) -> int:
        free = sum(bind.room for bind in self._binds) - len(self._queue) - len(self._queries)
        return self._allowed(time.monotonic(), free) if free > 0 else 0

    def _allowed(self, now: float, free: int) -> int:
        return min(free, self._pace.allows(now)) if now < self._lease.until else 0

    @property
    def takes_long(self) -> bool:
        return not self._transfers or (self._pace.limits and not self._queue and not self._queries)

    def holds(self, key: TargetKey) -> bool:
        told = (one.key for one in self._news if not isinstance(one, Receipt | Inbound | Queried))
        return key in self._transfers or key in told

    def steps(self, key: TargetKey) -> list[wire.Step]:
        return list(self._transfers[key].steps) if key in self._transfers else []

    def send(self, handovers: Sequence[Handover]) -> None:
        for handover in handovers:
            try:
                self._take(handover)
            except Exception as error:  # the others of its commit are on disk as handed over, too
                log.exception("a handover cannot be written")
                self._news.append(Refused(handover.key, "unwritable", str(error), steps=handover.steps))
                self._ring()
        self._pump_or_give_back()

    def _take(self, handover: Handover) -> None:
        transfer = self._transfers[handover.key] = transfer_of(handover, self._profile, clock.now())
        for number, segment in enumerate(handover.segments):
            self._queue.append(Part(transfer, number, segment))
        if not handover.segments:
            self._end(transfer, Refused(handover.key, "too_long"))

    def ask(self, questions: Sequence[Question]) -> None:
        for question in questions:
            inquiry = Inquiry(question, sender(self._profile, question.source))
            self._queries.extend(Query(inquiry, part, name) for part, name in question.names)
        self._pump_or_give_back()

    def news(self) -> list[News]:
        news, self._news = self._news, []
        return news

    def answer(self, ticket: Ticket, verdict: Verdict) -> None:
        ticket.driver.answer(ticket.request, ANSWERS[verdict])

    async def called(self, callback: Callback) -> Reply:
        return NOTHING_HERE

    def heard(self, session: str, moment: int) -> bool:
        if any(bind.session_id == session and bind.driver for bind in self._binds):
            return True
        return moment < self._ended.get(session, 0) - UNSURE

    def status(self) -> CarrierStatus:
        for bind in self._binds:
            bind.status.in_flight = bind.in_flight
        binds = [bind.status for bind in self._binds]
        trouble = next((bind.last_error for bind in binds if bind.state != "bound" and bind.last_error), "")
        return CarrierStatus(whole(binds, len(binds)), binds, trouble, self._warnings, **self._pace_shown())

    def _pace_shown(self) -> dict[str, Any]:
        now = time.monotonic()
        self._pace.allows(now)
        still = self._pace.until - now
        until = clock.now() + int(still * clock.SECOND) if still > 0 else 0
        return {"pace": self._pace.now, "throttled": self._pace.throttled, "throttled_until": until}

    async def drain(self, seconds: float) -> None:
        self._idle.clear()
        if self._transfers:
            try:
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
            except TimeoutError:
                return

    async def close(self) -> None:
        await self._binds.close()
        self._give_back_queue()
        if self._timer:
            self._timer.cancel()

    # --- sending ------------------------------------------------------------------------

    def _pump(self) -> None:
        """Sends what the windows and the rate let through."""
        self._now = clock.now()
        for bind in self._binds:
            now = time.monotonic()
            if bind.driver and (allowed := self._allowed(now, bind.room)) > 0:
                self._pace.spend(self._let_out(bind, bind.driver, allowed, now))
        if self._queue or self._queries or self._pace.limits:
            self._pump_later()

    def _pump_or_give_back(self) -> None:
        self._pump()
        if not any(bind.is_sending for bind in self._binds):  # the last was lost while the claim was committed
            self._give_back_queue()
            self._ring()

    def _let_out(self, bind: Bind, driver: Driver, allowed: int, now: float) -> int:
        """Sends as many PDUs as are allowed, as long as there are some and the bind can. How many left."""
        left, session = 0, driver.session
        with suppress(StateError):
            while left < allowed and self._queue:
                left += self._submit(bind, session, self._queue.popleft(), now)
            while left < allowed and self._queries:
                left += self._query(bind, session, self._queries.popleft(), now)
        if left:
            driver.flush()
        return left

    def _submit(self, bind: Bind, session: Session, part: Part, now: float) -> int:
        """How many PDUs left: one, or none for a part of what has ended already."""
        transfer = part.transfer
        if transfer.ended or transfer.refusal:
            return 0
        if transfer.expire_at <= self._now and not transfer.submitted:  # it has waited here while nothing could leave
            self._end(transfer, Refused(transfer.key, "too_late"))
            return 0
        try:
            fields, tlvs = with_segment(part.segment, transfer.fields, transfer.tlvs)
            session.request("submit_sm", now, fields, tlvs, part)
        except EncodeError as error:
            transfer.steps.append((clock.now(), wire.UNSENT, str(error)))
            reason = "invalid_source" if "source_addr" in str(error) else "unwritable"
            self._end(transfer, Refused(transfer.key, reason, str(error)))
            return 0
        except StateError:
            self._queue.appendleft(part)
            raise
        if bind.is_taped:
            transfer.steps.append((self._now, wire.SUBMIT, part.number, bind.link, session.said))
        transfer.submitted += 1
        bind.status.sent += 1
        return 1

    def _query(self, bind: Bind, session: Session, query: Query, now: float) -> int:
        """How many PDUs left: one, or none for a name that cannot be asked for."""
        inquiry = query.inquiry
        try:
            session.request("query_sm", now, {**inquiry.fields, "message_id": query.name}, None, query)
        except EncodeError as error:
            inquiry.steps.append((clock.now(), wire.UNSENT, str(error)))
            self._news += inquiry.settle()
            return 0
        except StateError:
            self._queries.appendleft(query)
            raise
        if bind.is_taped:
            inquiry.steps.append((self._now, wire.QUERY, query.part, bind.link, session.said))
        return 1

    def _pump_later(self) -> None:
        pause = self._pace.pause(time.monotonic())
        if pause and not self._timer:
            self._timer = asyncio.get_running_loop().call_later(pause, self._pump_now)

    def _pump_now(self) -> None:
        self._timer = None
        self._pump()
        self._ring()

    # --- hearing ------------------------------------------------------------------------

    def _heard(self, bind: Bind, events: list[Event]) -> None:
        self._now = clock.now()
        for event in events:
            if hear := HEARD.get(type(event)):  # the end of a session is told by `_lost`
                hear(self, bind, event)
        if self._queue or self._queries:
            self._pump()
        self._ring()

    def _answered(self, bind: Bind, event: Answered | AnsweredLate) -> None:
        part, response = event.context, event.response
        if not isinstance(part, Part):
            if isinstance(part, Query) and isinstance(event, Answered):  # a late answer tells nothing any more
                self._query_answered(bind, part, event)
            return
        transfer = part.transfer
        transfer.answered += 1
        if bind.is_taped:
            transfer.steps.append((self._now, wire.RESPONSE_TO, part.number, bind.link, event.octets))
        if response.tlvs:
            self._mind_congestion(response)
        # Whoever does not understand a request has not accepted it, whatever the status says.
        if command_status := response.status or (response.name == "generic_nack" and NUMBERS["ESME_RUNKNOWNERR"]):
            bind.status.refused += 1
            self._part_refused(bind, part, self._why(command_status))
        else:
            bind.status.accepted += 1
            transfer.accepted += 1
            if self._well < WELL:
                self._well += 1
            if self._pace.limits:
                self._pace.took()
            transfer.names[part.number] = response.fields["message_id"][:LONGEST_NAME]
        self._conclude(transfer)

    def _query_answered(self, bind: Bind, query: Query, event: Answered) -> None:
        inquiry, response, words = query.inquiry, event.response, ""
        if not response.status:
            state, words = answer(response)
            inquiry.states.append((query.part, state, words))
        if bind.is_taped:
            inquiry.steps.append((self._now, wire.QUERY_RESPONSE, query.part, bind.link, event.octets, words))
        if response.status and refusal(self._profile, response.status)[0] == "throttled":
            self._throttle()
            if query.tries < TRIES:
                self._queries.appendleft(replace(query, tries=query.tries + 1))
                return
        self._news += inquiry.settle()

    def _why(self, command_status: int) -> Why:
        """A queue that is full is that of one recipient where the carrier takes what is for others."""
        reason, words, code = refusal(self._profile, command_status)
        if command_status == QUEUE_FULL and reason == "throttled":
            reason = "full" if self._well > 0 else reason
            self._well = max(self._well - FULL, -WELL)
        return reason, words, code

    def _part_refused(self, bind: Bind, part: Part, why: Why) -> None:
        if why[0] == "unbound":
            bind.begin_anew(why[1])
        if why[0] == "throttled":
            self._throttle()
            part.transfer.put_off(part, why)
            pause = int(self._pace.pause(time.monotonic()) * SECOND)
            part.transfer.steps.append((self._now, wire.PAUSED, pause))
        else:
            part.transfer.refusal = part.transfer.refusal or why

    def _mind_congestion(self, response: PDU) -> None:
        congestion = int.from_bytes(response.tlvs.get(CONGESTION_STATE, b""), "big")
        if congestion == CONGESTED:
            self._throttle()
        elif NEARLY_CONGESTED <= congestion < CONGESTED:  # what is above is reserved
            self._pace.slow(time.monotonic())

    def _throttle(self) -> None:
        self._pace.throttle(time.monotonic())
        self._pump_later()

    def _conclude(self, transfer: Transfer) -> None:
        """Tells what became of a transfer, when all that left of it is answered."""
        if transfer.accepted == len(transfer.names):
            names, parts = transfer.called()
            if transfer.given_up:
                late = Accepted(transfer.key, names, True, transfer.retry, transfer.take_steps(), parts)
                self._news.append(late)
            self._end(transfer, Accepted(transfer.key, names, False, transfer.retry, parts=parts))
        elif transfer.is_answered:
            self._conclude_refused(transfer)

    def _conclude_refused(self, transfer: Transfer) -> None:
        if transfer.again and not transfer.refusal and not transfer.ended:
            again = transfer.settle_throttled()
            if again:
                transfer.steps.append((self._now, wire.AGAIN, [part.number for part in again]))
            self._queue.extendleft(reversed(again))
        if transfer.refusal:
            self._end(transfer, self._refused(transfer))

    def _refused(self, transfer: Transfer) -> Refused:
        assert transfer.refusal
        return Refused(transfer.key, *transfer.refusal, partly=transfer.accepted > 0)

    def _unanswered(self, bind: Bind, event: NoAnswer) -> None:
        if isinstance(event.context, Part):
            transfer = event.context.transfer
            transfer.given_up = transfer.given_up or not transfer.ended
            bind.status.unanswered += 1
            bind.status.last_error = "no answer to a submit_sm"
            transfer.steps.append((self._now, wire.NO_ANSWER, event.context.number))
            self._end(transfer, Unanswered(transfer.key))
        elif isinstance(event.context, Query):
            query = event.context
            query.inquiry.steps.append((self._now, wire.NO_ANSWER, query.part))
            self._news += query.inquiry.settle()

    def _received(self, bind: Bind, event: Received) -> None:
        request, driver = event.request, bind.driver
        assert driver is not None
        if request.name in WITH_NEWS:
            bind.status.received += 1
            news = arrival(self._profile, request, Ticket(driver, request))
            if isinstance(news, Inbound):
                news.session, news.tm_arrive = bind.session_id, clock.now()
            elif bind.is_taped:
                news.sight = (self._now, bind.link, event.octets)
            self._news.append(news)
        elif request.name in WITHOUT_ANSWER:
            driver.session.ignore(request)
        else:
            driver.answer(request, NUMBERS["ESME_RINVCMDID"])

    def _end(self, transfer: Transfer, outcome: Outcome) -> None:
        """Tells the outcome of a transfer, once."""
        if transfer.ended:
            return
        transfer.ended = True
        if self._transfers.get(transfer.key) is transfer:
            del self._transfers[transfer.key]
        outcome.steps, transfer.steps = transfer.steps, []
        self._news.append(outcome)
        if not self._transfers:
            self._idle.set()

    # --- losing -------------------------------------------------------------------------

    def _lost(self, bind: Bind) -> None:
        driver = bind.driver
        self._ended[bind.session_id] = clock.now()
        if len(self._ended) > SESSIONS_REMEMBERED:
            del self._ended[next(iter(self._ended))]
        for _, part in driver.session.pending if driver else ():
            if isinstance(part, Part):
                transfer = part.transfer
                transfer.steps.append((self._ended[bind.session_id], wire.LOST, bind.status.last_error))
                self._end(transfer, self._refused(transfer) if transfer.refusal else Lost(transfer.key))
            elif isinstance(part, Query):
                self._news += part.inquiry.lose((clock.now(), wire.LOST, bind.status.last_error))
        if not any(other.is_sending for other in self._binds if other is not bind):
            self._give_back_queue()
        self._ring()

    def _give_back_queue(self) -> None:
        """Nothing can be sent for now: what has not left is not kept here, since another carrier may do better."""
        while self._queue:
            transfer = self._queue.popleft().transfer
            in_doubt = transfer.submitted > 0
            transfer.steps.append((clock.now(), wire.LOST if in_doubt else wire.UNSENT, "no bind can send"))
            self._end(transfer, Lost(transfer.key) if in_doubt else Refused(transfer.key, "not_ready"))
        while self._queries:
            self._news += self._queries.popleft().inquiry.lose((clock.now(), wire.UNSENT, "no bind can send"))


HEARD: dict[type, Callable[[SMPPCarrier, Bind, Any], None]] = {
    Answered: SMPPCarrier._answered,
    AnsweredLate: SMPPCarrier._answered,
    NoAnswer: SMPPCarrier._unanswered,
    Received: SMPPCarrier._received,
}
