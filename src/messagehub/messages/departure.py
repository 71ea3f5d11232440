"""What goes with a customer that is deleted: its keys and login, its numbers and limits, and what it has queued.

What a carrier has in hand, or has accepted, goes its way and is settled by its receipts; nobody is told.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from messagehub.accounts.customers import Customer, Customers
from messagehub.messages.acts import Actor
from messagehub.numbers import Numbers
from messagehub.store import Store, Tx
from messagehub.store.recent import CHANGED


class Keeper(Protocol):
    """Keeps something of customers."""

    async def release(self, tx: Tx, owner_id: str) -> None: ...


class Departure:
    """`drop_some` let go of what was kept for a customer, in pieces; `keepers` have what is gone with it at once."""

    def __init__(
        self,
        store: Store,
        customers: Customers,
        numbers: Numbers,
        keepers: Sequence[Keeper],
        actor: Actor,
        *drop_some: Callable[[str], Awaitable[None]],
    ) -> None:
        self._store, self._customers, self._numbers, self._actor = store, customers, numbers, actor
        self._keepers = keepers
        self._drop_some = drop_some

    async def of(self, customer_id: str, now: int) -> Customer:
        """The customer as it is then. Refusal when there is none, or it is the operator."""
        gone = await self._store.transaction(partial(self._leave, customer_id, now))
        self._store.notify(CHANGED)
        await self._actor.cancel_all(customer_id)
        for drop in self._drop_some:
            await drop(customer_id)
        return gone

    async def _leave(self, customer_id: str, now: int, tx: Tx) -> Customer:
        gone = await self._customers.remove(tx, customer_id, now)
        await self._numbers.release(tx, customer_id, now)
        for keeper in self._keepers:
            await keeper.release(tx, customer_id)
        return gone
