"""Reports, and messages of handsets, on their way to those who send MMS: over MM7, again and again until taken."""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from messagehub.carriers.credentials import basic
from messagehub.carriers.simulator.later import Later
from messagehub.carriers.simulator.options import Vasp
from messagehub.carriers.simulator.record import Counts
from messagehub.mms import PDU, SOAP_ACTION, Action, DecodeError, read, status, write
from messagehub.web import Answer, Client, WebError

AT_ONCE = 8  # requests to one VASP
WAITING = 20_000  # deliveries that are kept for one; beyond that the oldest are dropped
PATIENCE = 30.0  # seconds that a VASP has for its answer


class Delivery(Struct, eq=False):
    """A DeliveryReportReq or a DeliverReq. `answer` is set to the words of its first answer."""

    request: PDU
    is_report: bool
    tries: int = 0
    answer: asyncio.Future[str] | None = None


class Vasps:
    """Those who send MMS, by their VASPID. What is for one that has not said where it is waits until it has.

    `pauses`: seconds before each further try; then it is given up.
    """

    def __init__(self, later: Later, counts: Counts, pauses: Sequence[float]) -> None:
        self._later, self._counts, self._pauses = later, counts, pauses
        self._client = Client(allow_private=True, timeout=PATIENCE)
        self._known: dict[str, Vasp] = {}
        self._waiting: dict[str, deque[Delivery]] = {}
        self._busy: dict[str, set[asyncio.Task[None]]] = {}

    def put(self, vasp_id: str, vasp: Vasp) -> None:
        """From now on it is there. Of the empty id: whoever has no address of its own."""
        self._known[vasp_id] = vasp
        for waiting in list(self._waiting):
            self._pump(waiting)

    def knows(self, vasp_id: str) -> bool:
        return self._vasp(vasp_id) is not None

    @property
    def waiting(self) -> int:
        """How many deliveries wait for their turn, or for an address."""
        return sum(map(len, self._waiting.values()))

    def add(self, vasp_id: str, delivery: Delivery) -> None:
        self._waiting.setdefault(vasp_id, deque(maxlen=WAITING)).append(delivery)
        self._pump(vasp_id)

    async def close(self) -> None:
        """Forget what is still to be sent."""
        busy = [task for tasks in self._busy.values() for task in tasks]
        for task in busy:
            task.cancel()
        if busy:
            await asyncio.wait(busy)
        await self._client.close()

    # ------------------------------------------------------------------------------------------------------------------

    def _vasp(self, vasp_id: str) -> Vasp | None:
        return self._known.get(vasp_id) or self._known.get("")

    def _pump(self, vasp_id: str) -> None:
        waiting, busy = self._waiting[vasp_id], self._busy.setdefault(vasp_id, set())
        vasp = self._vasp(vasp_id)
        while vasp and waiting and len(busy) < AT_ONCE:
            task = asyncio.ensure_future(self._deliver(vasp_id, vasp, waiting.popleft()))
            busy.add(task)
            task.add_done_callback(partial(self._done, vasp_id))

    def _done(self, vasp_id: str, task: asyncio.Task[None]) -> None:
        self._busy[vasp_id].discard(task)
        if not task.cancelled():
            self._pump(vasp_id)

    async def _deliver(self, vasp_id: str, vasp: Vasp, delivery: Delivery) -> None:
        delivery.tries += 1
        self._count(delivery, "sent")
        try:
            action, words = _said(await self._ask(vasp, delivery.request))
        except WebError as error:
            action, words = Action.RETRY, str(error)
        if delivery.answer is not None and not delivery.answer.done():
            delivery.answer.set_result(words)
        if action is Action.OK:
            self._count(delivery, "acknowledged")
        elif action is Action.RETRY and delivery.tries <= len(self._pauses):
            self._later.put(self._pauses[delivery.tries - 1], partial(self.add, vasp_id, delivery))

    def _count(self, delivery: Delivery, what: str) -> None:
        name = f"{'receipts' if delivery.is_report else 'messages'}_{what}"
        setattr(self._counts, name, getattr(self._counts, name) + 1)

    async def _ask(self, vasp: Vasp, request: PDU) -> Answer:
        content_type, body = write(request)
        headers = {"content-type": content_type, "soapaction": SOAP_ACTION}
        if vasp.username:
            headers["authorization"] = basic(vasp.username, vasp.password)
        return await self._client.request("POST", vasp.url, headers, body)


def _said(answer: Answer) -> tuple[Action, str]:
    """What to do, and the VASP's words. One that says nothing with 200 has taken it; anything but 200 has not."""
    if answer.status == 200 and not answer.body:
        return Action.OK, "200"
    try:
        said = read(answer.headers.get("content-type", ""), answer.body).fields["Status"]
    except (DecodeError, KeyError):
        return Action.RETRY, f"HTTP {answer.status}"
    row = status(said["StatusCode"])
    taken = answer.status == 200 and row.action in (Action.OK, Action.PARTIAL)
    again = not taken and row.action in (Action.OK, Action.RETRY)
    words = f"{row.code} {said.get('StatusText') or row.words}"
    return Action.OK if taken else Action.RETRY if again else Action.PERMANENT, words
