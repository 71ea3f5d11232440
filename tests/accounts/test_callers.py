"""Who calls, told by an access key or by a token; and when a credential is good no more."""

import pytest

from messagehub.accounts import customers, keys, setup
from messagehub.accounts.callers import Caller
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Refusal
from messagehub.sealing import Sealer
from messagehub.store import Insert
from messagehub.store.recent import CHANGED
from tests.accounts.house import NOW, PASSWORD, House


async def test_who_calls_with_a_key(house: House) -> None:
    made = customers.new(name="c", now=NOW, webhook_secret="whsec_x")
    key, kept = keys.issue(made.id, "first", NOW)
    short, kept_short = keys.issue(made.id, "short", NOW, expire=NOW + 60 * SECOND)
    await house.store.write(
        [Insert("insert_customer", [made.as_row(Sealer())]), Insert("insert_accesskey", [kept, kept_short])]
    )
    ask = house.callers.caller
    assert await ask(key, NOW) == Caller(made.id, "customer", NEVER, "accesskey", kept.id)
    assert await ask(short, NOW + 59 * SECOND) == Caller(
        made.id, "customer", NOW + 60 * SECOND, "accesskey", kept_short.id
    )
    assert await ask(short, NOW + 60 * SECOND) is None
    for wrong in ("", "vb_", key[:-1], key.lower() + "x", keys.hashed(key), key[:-1] + "é", "x" * 35):
        assert await ask(wrong, NOW) is None
    assert house.uses == {kept.id: NOW, kept_short.id: NOW + 59 * SECOND}


async def test_the_operator_is_known_as_such(house: House) -> None:
    operator = await setup.operator(house.store, Sealer(), NOW, "whsec_x")
    assert operator
    by_token = await house.token("admin", operator.password)
    for credential in (operator.accesskey, by_token):
        caller = await house.callers.caller(credential, NOW)
        assert caller
        assert caller.is_operator
    assert not Caller("c", "customer").is_operator


async def test_who_calls_with_a_token(house: House) -> None:
    account = await house.account()
    token = await house.token()
    caller = await house.callers.caller(token, NOW)
    assert caller
    assert (caller.customer_id, caller.kind, caller.username) == (account.customer.id, "login", "anne")
    assert caller.id not in ("", account.customer.id)
    assert caller.tm_expire == (NOW // SECOND + 3600) * SECOND
    assert await house.callers.caller(token, caller.tm_expire - 1) == caller
    assert await house.callers.caller(token, caller.tm_expire) is None
    assert house.uses == {}


async def test_a_token_ends_with_the_password_and_a_new_one_begins(house: House) -> None:
    account = await house.account()
    before = await house.token()
    assert await house.callers.caller(before, NOW)
    await house.logins.change_password("anne", PASSWORD, "another horse", "a", NOW)
    assert await house.callers.caller(before, NOW) is None
    with pytest.raises(Refusal, match="INVALID_CREDENTIALS"):
        await house.token()
    after = await house.token(password="another horse")
    assert await house.callers.caller(after, NOW)
    await house.logins.reset_password(account.customer.id, "third horse", NOW)  # in the same microsecond
    assert await house.callers.caller(after, NOW) is None
    assert await house.callers.caller(await house.token(password="third horse"), NOW)


async def test_keys_and_tokens_end_with_their_customer_even_if_the_name_is_used_again(house: House) -> None:
    account = await house.account()
    token = await house.token()
    for credential in (account.accesskey, token):
        assert await house.callers.caller(credential, NOW)
    await house.remove(account.customer)
    for credential in (account.accesskey, token):
        assert await house.callers.caller(credential, NOW) is None
    with pytest.raises(Refusal, match="INVALID_CREDENTIALS"):
        await house.token()
    again = await house.account()
    assert again.customer.id != account.customer.id
    house.store.notify(CHANGED)  # nothing is remembered
    assert await house.callers.caller(token, NOW) is None
    assert await house.callers.caller(await house.token(), NOW)


async def test_a_key_ends_when_it_is_revoked(house: House) -> None:
    account = await house.account()
    assert await house.callers.caller(account.accesskey, NOW)
    (kept,) = await house.accesskeys.page(account.customer.id, "", "g", 9)
    assert account.accesskey.startswith(kept.prefix)
    await house.accesskeys.revoke(kept, NOW)
    assert await house.callers.caller(account.accesskey, NOW) is None


def test_a_key_makes_nothing_that_lives_longer_than_itself() -> None:
    day = 86_400 * SECOND
    assert Caller("c", "customer", NOW + day).in_time(2 * 86_400, NOW) == NOW + day
    assert Caller("c", "customer").in_time(2 * 86_400, NOW) == NOW + 2 * day
    assert Caller("c", "customer", NOW + day, "login").in_time(2 * 86_400, NOW) == NOW + 2 * day


def test_only_the_operator_acts_for_others() -> None:
    assert Caller("c", "customer").acting_for("") == "c"
    assert Caller("c", "customer").acting_for("c") == "c"
    assert Caller("o", "operator").acting_for("c") == "c"
    with pytest.raises(Refusal, match="PERMISSION_DENIED"):
        Caller("c", "customer").acting_for("d")
