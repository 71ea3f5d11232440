"""Requests of flows to the outside: signed as webhooks are, bounded in number, and what their answers mean."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

from messagehub import clock
from messagehub.accounts.customers import Customers
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Refusal, Unavailable
from messagehub.flows import actions
from messagehub.flows.active import Activeflow
from messagehub.flows.state import Answered, Ask, Event, Failed, Loaded, State, Tell
from messagehub.logs import Seldom, about
from messagehub.shapes import ActionGiven, check_nul, words
from messagehub.store import Store
from messagehub.web import Requester, WebError
from messagehub.webhooks.sign import signatures

log = logging.getLogger(__name__)

LEASE = 40 * SECOND
"""Longer than a request may take and wait for its turn."""

RETRY_AFTER = (1, 5, 30)
"""Seconds between the attempts at one request."""

MOST_AT_ONCE = 16
"""Requests of one customer under way."""

MOST_HELD = 1000
"""Requests of all that are under way or wait for their turn here. Nobody has more than half of what others leave, so
a server that does not answer costs only those who ask it."""

AGAIN_LATER = 2 * SECOND
"""When there is no room for a request."""

TOLD_S = 10.0
"""Between two lines of the log that requests are left out."""

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which it is asked again (RFC 9110, section 15; RFC 8470; RFC 6585)."""

REFUSED_HERE = frozenset({"bad_request", "bad_url"})
"""Codes of requests that cannot be made, now or later (web/errors.py). A name that leads inside may lead elsewhere."""


class Called(Struct, frozen=True):
    """How a request went: `status` is 0 where there was no answer, and `error` says why."""

    status: int
    error: str = ""
    body: bytes = b""

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def may_be_repeated(self) -> bool:
        return self.status in TRANSIENT if self.status else self.error not in REFUSED_HERE

    @property
    def words(self) -> str:
        return self.error or f"answered {self.status}"


_read_actions = msgspec.json.Decoder(list[ActionGiven]).decode


def event_of(where: State, ask: Ask, called: Called) -> Event | None:
    """What it means to the flow; None where it is to be asked again, which is counted."""
    if called.may_be_repeated and where.tries < len(RETRY_AFTER):
        where.tries += 1
        return None
    where.tries = 0
    return _fetched(called) if ask.wants_actions else Answered(called.status, called.error)


def written(activeflow: Activeflow, ask: Ask) -> Ask:
    """With its body: a server that is asked for actions is told for what."""
    if not ask.wants_actions:
        return ask
    body = {"activeflow_id": activeflow.id, "reference_id": activeflow.reference_id}
    return msgspec.structs.replace(ask, body=msgspec.json.encode(body).decode())


def _fetched(called: Called) -> Event:
    if not called.is_good:
        return Failed(called.words)
    try:
        check_nul(called.body, given := _read_actions(called.body))
        return Loaded("", actions.linked(actions.checked(given)))
    except msgspec.ValidationError as error:
        return Failed(f"its answer is no list of actions: {words(str(error))}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Failed("its answer is no JSON, or longer than 64 KiB")
    except Refusal as refusal:
        return Failed(f"its answer: {refusal.reason}: {refusal.message}")


class Request(Struct, frozen=True):
    """One that is to be made for an activeflow."""

    activeflow: Activeflow
    tell: Tell
    id: str
    """Its webhook-id, which is the same each time that it is made."""


Done = Callable[[Activeflow, Called], Awaitable[None]]


class Calls:
    def __init__(self, store: Store, customers: Customers, client: Requester, timeout: float) -> None:
        """`timeout`: seconds that the client gives a request."""
        self._store, self._customers, self._client = store, customers, client
        self._timeout = int(timeout * SECOND)
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MOST_AT_ONCE))
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: Counter[str] = Counter()
        """By customer."""
        self._told = Seldom(TOLD_S)

    def has_room(self, customer_id: str) -> bool:
        held = self._held[customer_id]
        return 2 * held < MOST_HELD - (len(self._tasks) - held)

    def make(self, request: Request, done: Done) -> None:
        """`done` is told how it went where it is an Ask, unless the lease of the activeflow is over by then.

        Nobody else makes one that is no Ask, so that waits for its turn as long as it takes.
        """
        if isinstance(request.tell, Ask):
            self._begin(request, request.activeflow.due_at or 0, done)
        elif self.has_room(request.activeflow.customer_id):
            self._begin(request, NEVER, None)
        else:
            self.leave_out(request.activeflow)

    def leave_out(self, activeflow: Activeflow) -> None:
        """A request for which there is no room: its customer can make thousands of them, and is told of each."""
        if self._told.due():
            fields = about(activeflow_id=activeflow.id, customer_id=activeflow.customer_id)
            log.warning("requests of flows are left out", extra=fields)

    async def close(self) -> None:
        """What is not answered yet is asked again by whoever comes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, request: Request, lease: int, done: Done | None) -> None:
        customer_id = request.activeflow.customer_id
        task = asyncio.create_task(self._call(request, lease, done))
        self._tasks.add(task)
        self._held[customer_id] += 1
        task.add_done_callback(lambda task: self._end(task, customer_id))

    def _end(self, task: asyncio.Task[None], customer_id: str) -> None:
        self._tasks.discard(task)
        self._held[customer_id] -= 1
        if not self._held[customer_id]:
            del self._held[customer_id]

    async def _call(self, request: Request, lease: int, done: Done | None) -> None:
        activeflow = request.activeflow
        fields = about(activeflow_id=activeflow.id, customer_id=activeflow.customer_id)
        try:
            async with self._turns[activeflow.customer_id]:
                if clock.now() + self._timeout > lease:  # it may be another's before we are done with it
                    return
                called = await self._request(request)
            if done:
                await done(activeflow, called)
        except Unavailable as error:
            log.warning("a request of a flow waits for the store: %s", error, extra=fields)
        except Exception:
            log.exception("a request of a flow failed", extra=fields)

    async def _request(self, request: Request) -> Called:
        tell = request.tell
        customer = await self._customers.get(self._store, request.activeflow.customer_id)
        body, now = tell.body.encode() if tell.method != "GET" else b"", clock.now()
        headers = signatures(customer.webhook_secrets(now), request.id, now // SECOND, body)
        headers |= {"Content-Type": tell.content_type, "User-Agent": "messagehub"}
        try:
            answer = await self._client.request(tell.method, tell.url, headers, body)
        except WebError as error:
            return Called(0, error.code)
        return Called(answer.status, "", answer.body)
