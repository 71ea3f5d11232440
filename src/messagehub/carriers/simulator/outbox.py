"""What waits to be handed to one account, over any of its binds that receive: at least once, as a real SMSC does."""

from collections import deque
from functools import partial

from messagehub.carriers.simulator.deliveries import Delivery
from messagehub.carriers.simulator.later import Later
from messagehub.carriers.simulator.record import Counts
from messagehub.smpp import Action, Driver, status
from messagehub.smpp.states import RECEIVING

WINDOW = 100  # deliver_sm without an answer, per bind
WAITING = 200_000  # deliveries that are kept for an account; beyond that the oldest are dropped
PAUSE = 1.0  # seconds before a delivery that was refused for now is sent again
AGAIN = (Action.RETRY, Action.SLOW_BIND)


class Outbox:
    """The deliveries of one system_id. `receivers` are its drivers whose binds receive."""

    def __init__(self, later: Later, counts: Counts) -> None:
        self.receivers: list[Driver] = []
        self.waiting: deque[Delivery] = deque(maxlen=WAITING)
        self._later, self._counts = later, counts

    def add(self, delivery: Delivery) -> None:
        """Queue it; the next `pump` sends it."""
        self.waiting.append(delivery)

    def pump(self) -> None:
        """Send what the windows allow. Binds take turns at being the first."""
        if not self.waiting or not self.receivers:
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
        if driver in self.receivers:
            self.receivers.remove(driver)
        self.waiting.extendleft(delivery for _, delivery in reversed(driver.session.pending))
        self.pump()

    def _fill(self, driver: Driver) -> None:
        session, waiting = driver.session, self.waiting
        if session.state not in RECEIVING:
            return
        while waiting and driver.writable and session.in_flight < WINDOW:
            delivery = waiting.popleft()
            driver.request("deliver_sm", delivery.fields, delivery.tlvs, delivery)
            if delivery.is_receipt:
                self._counts.receipts_sent += 1
            else:
                self._counts.messages_sent += 1
