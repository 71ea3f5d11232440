"""What a customer is told of, and that it comes back from the store as it was."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from messagehub import clock
from messagehub.accounts import customers
from messagehub.accounts.customers import ANEW, Customer, Customers
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.events import DEFAULT_EVENT_TYPES, EVENT_TYPES
from messagehub.sealing import Key, Sealer
from messagehub.store import Insert, Store
from messagehub.webhooks.sign import new_secret

HOOK = "https://hook.test/"
STRANGER = "00000000-0000-7000-8000-000000000000"


def customer(**given: Any) -> Customer:
    return customers.new(**{"name": "c", "now": 1, "webhook_secret": "whsec_x", "webhook_uri": HOOK, **given})


WANTS = [  # label, what the customer chose, event type, target status, whether it is told
    ("by default received", {}, "message_received", "", True),
    ("by default updated", {}, "message_updated", "sent", True),
    ("by default not created", {}, "message_created", "", False),
    ("by default not deleted", {}, "message_deleted", "", False),
    ("what it chose", {"webhook_events": ("message_created",)}, "message_created", "", True),
    ("nothing else", {"webhook_events": ("message_created",)}, "message_updated", "sent", False),
    ("nothing at all", {"webhook_events": ()}, "message_received", "", False),
    ("a status that it chose", {"webhook_statuses": ("failed",)}, "message_updated", "failed", True),
    ("another status", {"webhook_statuses": ("failed",)}, "message_updated", "sent", False),
    ("no status is asked about", {"webhook_statuses": ("failed",)}, "message_received", "", True),
    ("nowhere to tell it", {"webhook_uri": ""}, "message_received", "", False),
    ("an endpoint that is gone", {"webhook_disabled": "it answered 410"}, "message_received", "", False),
]


@pytest.mark.parametrize(("chosen", "kind", "status", "told"), [row[1:] for row in WANTS], ids=[r[0] for r in WANTS])
def test_wants(chosen: dict[str, Any], kind: str, status: str, told: bool) -> None:
    assert customer(**chosen).wants(kind, status) is told


@given(chosen=st.lists(st.sampled_from(EVENT_TYPES), unique=True), kind=st.sampled_from(EVENT_TYPES))
def test_a_customer_is_told_what_it_chose_and_nothing_else(chosen: list[str], kind: str) -> None:
    assert customer(webhook_events=tuple(chosen)).wants(kind, "sent") == (kind in chosen)


# --- in the store


async def stored(store: Store, **given: Any) -> Customer:
    made = customer(**given)
    await store.write([Insert("insert_customer", [made.as_row(Sealer())])])
    return made


async def test_a_customer_comes_back_as_it_was_and_changes_are_seen_at_once(store: Store) -> None:
    known = Customers(store, Sealer())
    made = await stored(store, detail="ü ✓", webhook_statuses=("sent", "failed"), on_doubt="hold")
    assert await known.get(store, made.id) == made
    now = clock.now()
    changed = await known.change(made.id, now, webhook_events=("message_created",), name="new")
    assert (changed.name, changed.detail, changed.tm_update) == ("new", "ü ✓", now)
    assert await known.get(store, made.id) == changed
    assert changed.wants("message_created")
    assert not changed.wants("message_received")
    with pytest.raises(Refusal, match="RESOURCE_NOT_FOUND: customer_id"):
        await known.get(store, STRANGER)


async def test_changes_at_the_same_time_keep_each_others_members(store: Store) -> None:
    known = Customers(store, Sealer())
    made = await stored(store)
    changes: list[dict[str, Any]] = [{"name": "n"}, {"detail": "d"}, {"email": "e"}, {"address": "a"}]
    await asyncio.gather(*(known.change(made.id, clock.now(), **change) for change in changes))
    found = await known.get(store, made.id)
    assert (found.name, found.detail, found.email, found.address) == ("n", "d", "e", "a")
    assert found.webhook_events == DEFAULT_EVENT_TYPES


def test_each_customer_has_an_id_of_its_own() -> None:
    assert len({customer(webhook_secret=new_secret()).id for _ in range(100)}) == 100


# --- how the webhook stands


STANDINGS = [
    ({"webhook_uri": ""}, "off"),
    ({}, "working"),
    ({"tm_webhook_failing": 5}, "failing"),
    ({"tm_webhook_failing": 5, "webhook_disabled": "it answered 410"}, "disabled"),
    ({"webhook_uri": "", "webhook_disabled": "it answered 410"}, "off"),
    ({"tm_webhook_recovered": 5}, "working"),
]


@pytest.mark.parametrize(("state", "status"), STANDINGS)
def test_standings(state: dict[str, Any], status: str) -> None:
    assert customer(**state).webhook_status == status
    assert replace(customer(**state), **ANEW, webhook_uri=HOOK).webhook_status == "working"


# --- its secrets


def test_an_old_secret_signs_until_its_time() -> None:
    made = customer(webhook_secret="new", webhook_secret_old="old", tm_webhook_secret_old=100)
    assert made.webhook_secrets(99) == ("new", "old")
    assert made.webhook_secrets(100) == ("new",)
    assert customer(webhook_secret="only").webhook_secrets(99) == ("only",)


async def test_rotations_at_the_same_time_follow_each_other(store: Store) -> None:
    known = Customers(store, Sealer())
    made = await stored(store, webhook_secret="0")
    rotated = await asyncio.gather(*(known.rotate(made.id, str(n), 7) for n in range(1, 6)))
    steps = {each.webhook_secret_old: each.webhook_secret for each in rotated}
    walked = ["0"]
    while walked[-1] in steps:
        walked.append(steps[walked[-1]])
    assert sorted(walked) == ["0", "1", "2", "3", "4", "5"]
    last = await known.get(store, made.id)
    assert [last.webhook_secret, last.webhook_secret_old] == [walked[-1], walked[-2]]
    assert last.tm_webhook_secret_old == 7 + 24 * 3600 * SECOND


async def test_a_change_leaves_the_secrets_alone(store: Store) -> None:
    known = Customers(store, Sealer())
    made = await stored(store, webhook_secret="0")
    rotated = await known.rotate(made.id, "1", 7)
    changed = await known.change(made.id, 8, name="new")
    assert changed == replace(rotated, name="new", tm_update=8) == await known.get(store, made.id)


async def test_both_secrets_are_sealed_and_sealed_anew_under_a_new_key(store: Store) -> None:
    old, new = Key("the old key of this installation!"), Key("the new key of this installation!")
    made = await stored(store, webhook_secret="first")
    under_old = Customers(store, Sealer([old]))
    assert await under_old.seal() == 1
    await under_old.rotate(made.id, "second", 7)
    under_new = Customers(store, Sealer([new, old]))
    assert await under_new.seal() == 1
    assert await under_new.seal() == 0
    row = await store.one("customer_by_id", id=made.id)
    assert row is not None
    kept = [row.webhook_secret, row.webhook_secret_old]
    assert all(each.startswith(f"sealed:{new.id}:") for each in kept)
    found = await Customers(store, Sealer([new])).get(store, made.id)
    assert (found.webhook_secret, found.webhook_secret_old) == ("second", "first")


async def test_what_there_is_none_of_is_not_sealed(store: Store) -> None:
    made = await stored(store)
    assert await Customers(store, Sealer([Key("the only key of this installation")])).seal() == 1
    row = await store.one("customer_by_id", id=made.id)
    assert row is not None
    assert row.webhook_secret_old == ""
