"""What waits to be handed to one account, over any of its binds that receive: at least once, as a real SMSC does."""

from asyncio import Future
from collections import deque
from functools import partial
from typing import Any

from msgspec import Struct

from messagehub.carriers.simulator.later import Later
from messagehub.carriers.simulator.record import Counts
from messagehub.smpp import Action, Driver, status
from messagehub.smpp.states import RECEIVING

WINDOW = 100  # deliver_sm without an answer, per bind
WAITING = 200_000  # deliveries that are kept for an account; beyond that the oldest are dropped
PAUSE = 1.0  # seconds before a delivery that was refused for now is sent again
AGAIN = (Action.RETRY, Action.SLOW_BIND)


class Delivery(Struct, eq=False):
    """One deliver_sm or data_sm, kept until it is acknowledged.

    `near`: only that bind may have it, while it lives; `far`: any other may. `answer` is set to the command_status of
    its first answer.
    """

    fields: dict[str, Any]
    tlvs: dict[int, bytes]
    is_receipt: bool
    name: str = "deliver_sm"
    near: Driver | None = None
    far: Driver | None = None
    answer: "Future[int] | None" = None

    def suits(self, driver: Driver) -> bool:
        return driver is not self.far and self.near in (None, driver)


class Outbox:
    """The deliveries of one system_id. `receivers` are its drivers whose binds receive."""

    def __init__(self, later: Later, counts: Counts) -> None:
        self.receivers: list[Driver] = []
        self.waiting: deque[Delivery] = deque(maxlen=WAITING)
        self.particular: deque[Delivery] = deque(maxlen=WAITING)
        """Those that not every bind may have."""
        self._later, self._counts = later, counts

    def add(self, delivery: Delivery) -> None:
        """Queue it; the next `pump` sends it."""
        if delivery.near or delivery.far:
            self.particular.append(delivery)
        else:
            self.waiting.append(delivery)

    def pump(self) -> None:
        """Send what the windows allow. Binds take turns at being the first."""
        if not self.receivers:
            return
        if self.particular:
            self._pump_particular()
        if not self.waiting:
            return
        self.receivers.append(self.receivers.pop(0))
        for driver in self.receivers:
            self._fill(driver)

    def answered(self, delivery: Delivery, number: int) -> None:
        """The ESME answered with this command_status."""
        if delivery.answer is not None and not delivery.answer.done():
            delivery.answer.set_result(number)
        if number and status(number).action in AGAIN:
            self._later.put(PAUSE, partial(self.add, delivery))
        elif number == 0 and delivery.is_receipt:
            self._counts.receipts_acknowledged += 1
        elif number == 0:
            self._counts.messages_acknowledged += 1

    def lost(self, driver: Driver) -> None:
        """A bind is gone: what it had not answered is sent again, before all else."""
        self.leave(driver)
        unanswered = [delivery for _, delivery in driver.session.pending]
        unanswered += [delivery for delivery in self.particular if delivery.near is driver]
        self.particular = deque((d for d in self.particular if d.near is not driver), maxlen=WAITING)
        for delivery in unanswered:
            delivery.near = None
        self.waiting.extendleft(reversed(unanswered))
        self.pump()

    def leave(self, driver: Driver) -> None:
        """Hand nothing to it any more."""
        if driver in self.receivers:
            self.receivers.remove(driver)

    def _pump_particular(self) -> None:
        for _ in range(len(self.particular)):
            delivery = self.particular.popleft()
            bind = next((driver for driver in self.receivers if delivery.suits(driver) and _has_room(driver)), None)
            if bind:
                self._send(bind, delivery)
            else:
                self.particular.append(delivery)

    def _fill(self, driver: Driver) -> None:
        session, waiting = driver.session, self.waiting
        if session.state not in RECEIVING:
            return
        while waiting and driver.writable and session.in_flight < WINDOW:
            self._send(driver, waiting.popleft())

    def _send(self, driver: Driver, delivery: Delivery) -> None:
        driver.request(delivery.name, delivery.fields, delivery.tlvs, delivery)
        if delivery.is_receipt:
            self._counts.receipts_sent += 1
        else:
            self._counts.messages_sent += 1


def _has_room(driver: Driver) -> bool:
    session = driver.session
    return session.state in RECEIVING and driver.writable and session.in_flight < WINDOW
