"""Everything about accounts on one store, put together as the program does it."""

from messagehub import clock
from messagehub.accounts import setup
from messagehub.accounts.attempts import Attempts
from messagehub.accounts.callers import Callers
from messagehub.accounts.customers import Customer, Customers
from messagehub.accounts.keys import AccessKeys
from messagehub.accounts.logins import Logins
from messagehub.accounts.tokens import Tokens
from messagehub.sealing import Sealer
from messagehub.store import Store
from messagehub.store.recent import CHANGED

NOW = clock.now()
PASSWORD = "correct horse"


class House:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.uses: dict[str, int] = {}
        tokens = Tokens(store, Sealer(), 3600)
        self.callers = Callers(store, tokens, self.uses)
        self.logins = Logins(store, tokens, Attempts())
        self.accesskeys = AccessKeys(store, self.uses)
        self.customers = Customers(store, Sealer())

    async def account(self, username: str = "anne") -> setup.NewAccount:
        given = {"name": "Acme", "webhook_secret": "whsec_x"}
        return await setup.customer(self.store, Sealer(), given, username, PASSWORD, NOW)

    async def token(self, username: str = "anne", password: str = PASSWORD, address: str = "a") -> str:
        return await self.logins.token(username, password, address, NOW)

    async def remove(self, customer: Customer) -> None:
        await self.store.transaction(lambda tx: self.customers.remove(tx, customer.id, NOW))
        self.store.notify(CHANGED)
