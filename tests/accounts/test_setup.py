"""Making accounts: an operator once, customers with names of their own."""

import asyncio

import pytest

from messagehub import clock
from messagehub.accounts import setup
from messagehub.accounts.callers import Callers
from messagehub.accounts.customers import Customers
from messagehub.accounts.tokens import Tokens
from messagehub.errors import Refusal
from messagehub.sealing import Sealer
from messagehub.store import Store
from messagehub.webhooks.sign import new_secret


async def test_an_installation_has_one_operator(store: Store) -> None:
    made = await setup.operator(store, Sealer(), clock.now(), new_secret())
    assert made
    assert (made.customer.role, made.username) == ("operator", "admin")
    assert len(made.password) >= 16
    assert await setup.operator(store, Sealer(), clock.now(), new_secret()) is None
    caller = await Callers(store, Tokens(store, Sealer(), 60), {}).caller(made.accesskey, clock.now())
    assert caller
    assert caller.customer_id == made.customer.id


async def test_an_operator_that_is_taken_back_was_never_there(store: Store) -> None:
    made = await setup.operator(store, Sealer(), clock.now(), new_secret())
    assert made
    await setup.take_back(store, made)
    assert await Callers(store, Tokens(store, Sealer(), 60), {}).caller(made.accesskey, clock.now()) is None
    assert await setup.operator(store, Sealer(), clock.now(), new_secret())


async def test_customers_have_names_of_their_own(store: Store) -> None:
    given = {"name": "Acme", "webhook_secret": new_secret()}
    anne = await setup.customer(store, Sealer(), given, "anne", "a long password", clock.now())
    with pytest.raises(Refusal, match="ALREADY_EXISTS: username: 'anne' is taken"):
        await setup.customer(store, Sealer(), given, "anne", "another password", clock.now())
    bert = await setup.customer(store, Sealer(), given, "bert", "a long password", clock.now())
    assert await Customers(store, Sealer()).get(store, bert.customer.id) == bert.customer
    assert (bert.customer.role, bert.customer.name) == ("customer", "Acme")
    assert len(await store.all("customers_page", before="g", count=9)) == 2
    assert anne.accesskey != bert.accesskey


async def test_of_two_who_take_a_name_at_the_same_time_one_gets_it(store: Store) -> None:
    given = {"name": "Acme", "webhook_secret": new_secret()}
    made = [setup.customer(store, Sealer(), given, "anne", f"password {n}", clock.now()) for n in range(2)]
    answers = await asyncio.gather(*made, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["NewAccount", "Refusal"]
    assert len(await store.all("customers_page", before="g", count=9)) == 1
