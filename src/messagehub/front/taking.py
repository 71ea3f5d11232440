"""Drafts of the front, as the engine takes them: many in one commit, or returned to be asked as requests."""

import logging
import time
from collections.abc import Sequence

import msgspec

from messagehub import clock
from messagehub.accounts.callers import Caller
from messagehub.accounts.customers import Customer
from messagehub.api.services import Services
from messagehub.errors import Refusal, Unavailable
from messagehub.front.frames import Drafted, Returned, Taken
from messagehub.messages.accept import Accepted
from messagehub.metrics import COUNTS

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode


class Taker:
    """Nothing is said here of what is wrong: what is returned comes again, as a request."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def take(self, drafts: Sequence[Drafted]) -> list[Taken | Returned]:
        """What becomes of drafts with one credential and one source."""
        begun = time.perf_counter()
        try:
            taken = await self._taken(drafts)
        except Unavailable:
            taken = {}
        except Exception:
            log.exception("drafts could not be accepted; their requests are answered one by one")
            taken = {}
        COUNTS.drafted += len(taken)
        COUNTS.requests["POST", 2] += len(taken)
        COUNTS.request_seconds.observe(time.perf_counter() - begun, len(taken))
        return [taken.get(one.id) or Returned(one.id) for one in drafts]

    async def _taken(self, drafts: Sequence[Drafted]) -> dict[int, Taken]:
        now = clock.now()
        caller = await self._services.callers.caller(drafts[0].credential, now)
        customer = await self._customer(caller, drafts[0].draft.source) if caller else None
        if customer is None:
            return {}
        going = [one for one in drafts if one.draft.suits(customer) and self._may_ask(customer, now)]
        messages = [(one.draft, one.request_id) for one in going]
        accepted = await self._services.acceptor.accept_drafts(customer, messages) if going else []
        return {one.id: _said(one.id, what) for one, what in zip(going, accepted, strict=bool(accepted))}

    async def _customer(self, caller: Caller, source: str) -> Customer | None:
        """The caller, where it sends by a number of its own that may send anywhere."""
        services = self._services
        number = await services.numbers.find(services.store, source)
        if number is None or number.customer_id != caller.customer_id or number.number[0] != "+":
            return None
        return await services.customers.get(services.store, caller.customer_id)

    def _may_ask(self, customer: Customer, now: int) -> bool:
        limit = self._services.limits.customer
        if limit is None:
            return True
        try:
            limit.check(customer.id, now)
        except Refusal:
            return False
        return True


def _said(id: int, accepted: Accepted) -> Taken:
    """As it was drafted; or in whole, where something keeps one of its targets."""
    is_as_drafted = not any(target.error_code for target in accepted.targets)
    return Taken(id, accepted.message.customer_id, b"" if is_as_drafted else _encode(accepted.shape()))
