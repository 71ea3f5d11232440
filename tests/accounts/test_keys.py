"""Access keys: shown once, kept as a hash, and good until they expire."""

import re

from messagehub import clock
from messagehub.accounts import customers, keys, setup
from messagehub.accounts.keys import Caller, Keys
from messagehub.clock import SECOND
from messagehub.sealing import Sealer
from messagehub.store import Insert, Store

NOW = clock.now()


def test_a_key_is_its_prefix_and_32_random_characters() -> None:
    made = {keys.issue("c", "n", NOW)[0] for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("vb_[A-Za-z0-9]{32}", key) for key in made)


def test_a_row_has_the_hash_and_not_the_key() -> None:
    key, insert = keys.issue("c", "n", NOW)
    (row,) = insert.rows
    assert isinstance(row, dict)
    assert row["hash"] == keys.hashed(key)
    assert re.fullmatch("[0-9a-f]{64}", row["hash"])
    assert row["prefix"] == key[:8]
    assert key not in str(row)
    assert keys.hashed(key) != keys.hashed(key + " ")


async def test_who_calls(store: Store) -> None:
    known, now = Keys(store), clock.now()
    made = customers.new(name="c", now=now, webhook_secret="whsec_x")
    key, row = keys.issue(made.id, "first", now)
    short, short_row = keys.issue(made.id, "short", now, expire=now + 60 * SECOND)
    await store.write([Insert("insert_customer", [made.as_row(Sealer())]), row, short_row])
    assert await known.caller(key, now) == Caller(made.id, "customer")
    assert await known.caller(short, now + 59 * SECOND) == Caller(made.id, "customer", now + 60 * SECOND)
    assert await known.caller(short, now + 60 * SECOND) is None
    for wrong in ("", "vb_", key[:-1], key.lower() + "x", keys.hashed(key)):
        assert await known.caller(wrong, now) is None
    operator = await setup.operator(store, Sealer(), now, "whsec_x")
    assert operator
    caller = await known.caller(operator.accesskey, now)
    assert caller
    assert caller.is_operator
    assert not Caller(made.id, "customer").is_operator
