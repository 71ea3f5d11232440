"""Drafts of the front, as the engine takes them: many in one commit, or returned to be asked as requests.

Only that of which nothing was written is returned: what may be on disk must not be asked for a second time.
"""

import logging
import time
from collections.abc import Sequence

import msgspec

from messagehub import clock
from messagehub.accounts.callers import Caller, Callers
from messagehub.accounts.customers import Customer, Customers
from messagehub.api import replies
from messagehub.api.asgi import MESSAGES
from messagehub.api.limits import Limit
from messagehub.api.watching import Watch
from messagehub.errors import Conflict, Refusal, StoreError, Unavailable
from messagehub.front.frames import Answered, Drafted, Returned, Taken
from messagehub.logs import within
from messagehub.messages.accept import Accepted, Acceptor
from messagehub.metrics import COUNTS
from messagehub.numbers import Numbers
from messagehub.store import Store

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode


Said = Taken | Answered | Returned
Prepared = tuple[Drafted, Accepted]


class Taker:
    """What is wrong with a draft is not said here: it is returned, and comes again as a request."""

    def __init__(
        self,
        store: Store,
        callers: Callers,
        customers: Customers,
        numbers: Numbers,
        acceptor: Acceptor,
        limit: Limit | None,
        watch: Watch,
    ) -> None:
        """`limit`: how often a customer may ask. One of which the store says no has asked twice."""
        self._store, self._callers, self._customers, self._numbers = store, callers, customers, numbers
        self._acceptor, self._limit, self._watch = acceptor, limit, watch

    async def take(self, drafts: Sequence[Drafted]) -> list[Said]:
        """What becomes of drafts with one credential and one source."""
        within({"request_id": drafts[0].request_id})
        begun = time.perf_counter()
        try:
            prepared = await self._prepared(drafts)
        except (Unavailable, Refusal):
            prepared = []
        except Exception:
            log.exception("drafts could not be prepared; their requests are answered one by one")
            prepared = []
        said = await self._accepted(prepared, begun) if prepared else {}
        return [said.get(one.id) or Returned(one.id) for one in drafts]

    async def _prepared(self, drafts: Sequence[Drafted]) -> list[Prepared]:
        """Those that can be accepted as they are."""
        now = clock.now()
        caller = await self._callers.caller(drafts[0].credential, now)
        customer = await self._customer(caller, drafts[0].draft.source) if caller else None
        if customer is None:
            return []
        suited = [one for one in drafts if one.draft.suits(customer)]
        messages = [(one.draft, one.request_id) for one in suited]
        accepted = await self._acceptor.prepare_drafts(customer, messages) if suited else []
        return [both for both in zip(suited, accepted, strict=False) if self._may_ask(customer, now)]

    async def _accepted(self, prepared: Sequence[Prepared], begun: float) -> dict[int, Said]:
        """Nothing is said of those of which nothing was written."""
        try:
            await self._acceptor.commit_all([accepted for _, accepted in prepared])
            said: dict[int, Said] = {drafted.id: _taken(drafted, accepted) for drafted, accepted in prepared}
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, Unavailable | Conflict):
                return {}  # one of them is at fault
            return self._refused(prepared, replies.refusal_of(error), time.perf_counter() - begun)
        COUNTS.drafted += len(said)
        self._watch.count("POST", 200, time.perf_counter() - begun, len(said))
        return said

    def _refused(self, prepared: Sequence[Prepared], refusal: Refusal, seconds: float) -> dict[int, Said]:
        """As requests would be."""
        said: dict[int, Said] = {}
        for drafted, accepted in prepared:
            answer = said[drafted.id] = refused(drafted, refusal)
            if self._watch.count("POST", answer.status, seconds):
                customer_id = accepted.message.customer_id
                self._watch.tell("POST", MESSAGES, answer.status, seconds, customer_id, drafted.request_id)
        return said

    async def _customer(self, caller: Caller, source: str) -> Customer | None:
        """The caller, where it sends by a number of its own that may send anywhere."""
        number = await self._numbers.find(self._store, source)
        if number is None or number.customer_id != caller.customer_id or number.number[0] != "+":
            return None
        return await self._customers.get(self._store, caller.customer_id)

    def _may_ask(self, customer: Customer, now: int) -> bool:
        if self._limit is None:
            return True
        try:
            self._limit.check(customer.id, now)
        except Refusal:
            return False
        return True


def refused(drafted: Drafted, refusal: Refusal) -> Answered:
    status, body, more = replies.envelope(refusal, drafted.request_id)
    lines = replies.head(replies.JSON, drafted.request_id, more, body)
    return Answered(drafted.id, status, lines, body, status in replies.CLOSING)


def _taken(drafted: Drafted, accepted: Accepted) -> Taken:
    """As it was drafted; or in whole, where a target is kept back, or its carrier needs more or fewer segments."""
    parts = drafted.draft.parts
    differs = any(target.error_code or target.parts != parts for target in accepted.targets)
    return Taken(drafted.id, accepted.message.customer_id, _encode(accepted.shape()) if differs else b"")
