"""Access keys: shown once, kept as a hash, and looked after by their owner."""

import re

import pytest

from messagehub import clock
from messagehub.accounts import keys
from messagehub.accounts.keys import AccessKeys
from messagehub.accounts.lastuse import LastUses
from messagehub.clock import NEVER
from messagehub.errors import Refusal
from messagehub.store import Store
from tests.support.outage import Outage

NOW = clock.now()
LAST_ID = "g"


def test_a_key_is_its_prefix_and_32_random_characters() -> None:
    made = {keys.issue("c", "n", NOW)[0] for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch("vb_[A-Za-z0-9]{32}", key) for key in made)
    assert all(keys.looks_like_one(key) for key in made)


def test_what_is_kept_has_the_hash_and_not_the_key() -> None:
    key, kept = keys.issue("c", "n", NOW)
    assert kept.hash == keys.hashed(key)
    assert re.fullmatch("[0-9a-f]{64}", kept.hash)
    assert kept.prefix == key[:8]
    assert key not in str(kept)
    assert keys.hashed(key) != keys.hashed(key + " ")


async def test_a_key_is_its_owners_to_see_to_change_and_to_revoke(store: Store) -> None:
    known = AccessKeys(store, {})
    _, made = await known.add("a", NOW, name="first", detail="d", tm_expire=NEVER)
    assert await known.get(made.id, "a") == made
    assert await known.get(made.id, None) == made
    changed = await known.change(made.id, "a", NOW + 1, name="second")
    assert (changed.name, changed.detail, changed.tm_expire, changed.tm_update) == ("second", "d", NEVER, NOW + 1)
    assert await known.get(made.id, "a") == changed
    for attempt in (known.get(made.id, "b"), known.change(made.id, "b", NOW, name="x")):
        with pytest.raises(Refusal, match="RESOURCE_NOT_FOUND"):
            await attempt
    assert (await known.revoke(changed, NOW + 2)).tm_delete == NOW + 2
    with pytest.raises(Refusal, match="RESOURCE_NOT_FOUND"):
        await known.get(made.id, "a")
    assert await known.page("a", "", LAST_ID, 9) == []


async def test_pages_are_newest_first_and_by_owner_and_beginning(store: Store) -> None:
    known = AccessKeys(store, {})
    made = [(await known.add(owner, NOW, name=str(n), detail="", tm_expire=NEVER))[1] for n, owner in enumerate("abaa")]
    assert [key.name for key in await known.page("a", "", LAST_ID, 2)] == ["3", "2"]
    assert [key.name for key in await known.page("a", "", made[2].id, 9)] == ["0"]
    assert [key.name for key in await known.page(None, "", LAST_ID, 9)] == ["3", "2", "1", "0"]
    assert [key.name for key in await known.page("a", made[0].prefix, LAST_ID, 9)] == ["0"]
    assert [key.name for key in await known.page(None, made[1].prefix, LAST_ID, 9)] == ["1"]
    assert await known.page("a", made[1].prefix, LAST_ID, 9) == []
    assert await known.page("a", "vb_é", LAST_ID, 9) == []


async def test_uses_are_noted_at_once_and_written_in_batches(store: Store) -> None:
    uses = LastUses(store)
    known, read = AccessKeys(store, uses.noted), AccessKeys(store, {})
    made = [(await known.add("a", NOW, name="", detail="", tm_expire=NEVER))[1] for _ in range(3)]
    uses.noted.update({made[0].id: NOW + 5, made[1].id: NOW + 6})
    assert (await known.get(made[0].id, "a")).tm_last_use == NOW + 5
    assert (await read.get(made[0].id, "a")).tm_last_use == NEVER
    await uses.write()
    assert [(await read.get(key.id, "a")).tm_last_use for key in made] == [NOW + 5, NOW + 6, NEVER]
    assert uses.noted == {}
    uses.noted[made[0].id] = NOW + 1  # from a node whose news comes late
    await uses.stop()
    assert (await read.get(made[0].id, "a")).tm_last_use == NOW + 5


async def test_an_end_in_which_nothing_can_be_written_is_one_all_the_same(store: Store, outage: Outage) -> None:
    uses = LastUses(store)
    uses.noted["a"] = NOW
    async with outage():
        await uses.stop()


async def test_uses_that_cannot_be_written_are_noted_still(store: Store) -> None:
    uses = LastUses(store)
    uses.noted.update({"a": NOW, "b": 2**70})
    with pytest.raises(Exception, match=r"."):
        await uses.write()
    assert uses.noted == {"a": NOW, "b": 2**70}
