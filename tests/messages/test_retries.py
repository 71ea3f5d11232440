"""Targets whose receipt tells of a cause that passes: sent again, where the carrier's config says so."""

import pytest

from messagehub import clock
from messagehub.carriers.carrier import Accepted, Receipt, TargetKey
from messagehub.carriers.failures import FAILURES
from messagehub.clock import SECOND
from messagehub.messages.habits import VALIDITY
from messagehub.messages.status import CORRECTABLE
from tests.messages.house import ANNE, BERT, House, eventually
from tests.messages.queued import queue
from tests.messages.test_outcomes import as_seen

LONG = "x" * 400  # three parts
TEMPORARY = [code for code, failure in FAILURES.items() if failure.is_temporary]


async def sent_again(house: House, key: TargetKey, *names: str) -> None:
    """It is due at once, handed over and accepted."""
    times = len(house.peer.handed)
    row = await house.row(key)
    await house.store.run("move_target", **{**row._asdict(), **as_seen(row), "due_at": clock.now()})
    await eventually(lambda: len(house.peer.handed) > times)
    house.peer.tell(Accepted(key, list(names), retry=house.peer.handover(key).retry))
    await house.until(key, "sent")


@pytest.mark.parametrize("code", TEMPORARY)
async def test_it_is_sent_again_after_each_pause_and_fails_when_there_are_no_more(house: House, code: str) -> None:
    await house.configure(retry_temporary=[60, 600])
    key = await house.accepted(names=["a"])
    for name, pause in (("b", 60), ("c", 600)):
        begun = clock.now()
        await house.receipt({"b": "a", "c": "b"}[name], code, words="UNDELIV 027")
        row = await house.row(key)
        assert (row.status, row.error_code, row.error_message, row.possible_duplicate) == ("queued", "", "", 0)
        assert (row.due_at - begun) / SECOND == pytest.approx(pause, rel=0.15)
        assert (await house.seen(key[0])).status == "sending"
        await sent_again(house, key, name)
    await house.receipt("c", code, words="UNDELIV 027")
    row = await house.row(key)
    assert (row.status, row.error_code, row.error_message) == ("failed", code, "UNDELIV 027")
    ways = ["sent", "queued", "sent", "queued", "sent", "failed"]
    assert await house.steps(key[0]) == [(n, [way]) for n, way in enumerate(ways, 1)]
    await house.receipt("a", "delivered")
    assert await house.statuses(key[0]) == ["delivered"]
    assert code in CORRECTABLE


async def test_it_is_not_where_the_config_does_not_say_so_or_the_cause_stays(house: House) -> None:
    plain = await house.accepted(names=["a"])
    await house.receipt("a", "unreachable")
    assert await house.statuses(plain[0]) == ["failed"]
    await house.configure(retry_temporary=[60])
    for name in ("undelivered", "expired", "invalid_number", "barred", "carrier_rejected", "unknown"):
        key = await house.accepted(names=[name])
        await house.receipt(name, name)
        assert await house.statuses(key[0]) == ["failed"], name


AGES = [  # validity_period, seconds since it was made, whether a pause of 100 s still fits
    (0, 0, True),
    (0, VALIDITY // SECOND - 120, True),
    (0, VALIDITY // SECOND - 80, False),
    (3600, 3480, True),
    (3600, 3520, False),
]


@pytest.mark.parametrize(("validity", "age", "fits"), AGES)
async def test_it_is_not_sent_again_once_it_is_no_longer_valid(
    house: House, validity: int, age: int, fits: bool
) -> None:
    await house.configure(retry_temporary=[100], validity_period=validity)
    key = await queue(house, age=age * SECOND)
    await eventually(lambda: house.peer.handed)
    house.peer.tell(Accepted(key, ["a"]))
    await house.receipt("a", "unreachable")
    assert await house.statuses(key[0]) == ["queued" if fits else "failed"]


async def test_late_news_of_the_try_before_is_not_taken_for_news_of_this_one(house: House) -> None:
    await house.configure(retry_temporary=[60])
    key = await house.accepted(names=["a"])
    await house.receipt("a", "unreachable")
    await house.receipt("a", "unreachable")
    await house.receipt("a", "undelivered")
    assert await house.statuses(key[0]) == ["queued"]
    await sent_again(house, key, "b")
    await house.receipt("a", "undelivered")
    assert await house.statuses(key[0]) == ["sent"]
    await house.receipt("b", "delivered")
    row = await house.row(key)
    assert (row.status, row.possible_duplicate, row.retries) == ("delivered", 0, 1)


async def test_what_was_delivered_after_all_is_not_sent_again(house: House) -> None:
    await house.configure(retry_temporary=[60])
    key = await house.accepted(names=["a"])
    await house.receipt("a", "unreachable")
    await house.receipt("a", "delivered")
    row = await house.row(key)
    assert (row.status, row.possible_duplicate, row.due_at) == ("delivered", 0, None)
    assert await house.steps(key[0]) == [(1, ["sent"]), (2, ["queued"]), (3, ["delivered"])]


@pytest.mark.parametrize("is_answered", [False, True])
async def test_what_was_delivered_while_it_was_under_way_again_may_come_twice(house: House, is_answered: bool) -> None:
    await house.configure(retry_temporary=[60])
    key = await house.accepted(names=["a"])
    await house.receipt("a", "handset_full")
    if is_answered:
        await sent_again(house, key, "b")
    else:
        row = await house.row(key)
        await house.store.run("move_target", **{**row._asdict(), **as_seen(row), "due_at": clock.now()})
        await eventually(lambda: len(house.peer.handed) == 2)
    await house.receipt("a", "delivered")
    row = await house.row(key)
    assert (row.status, row.possible_duplicate) == ("delivered", 1)
    house.peer.tell(Accepted(key, ["b"], retry=1))
    await house.receipt("b", "undelivered")
    assert await house.statuses(key[0]) == ["delivered"]


async def test_of_a_long_message_all_parts_go_again_unless_one_was_delivered(house: House) -> None:
    await house.configure(retry_temporary=[60])
    key = await house.accepted(names=["a0", "a1", "a2"], text=LONG)
    await house.receipt("a1", "unreachable")
    row = await house.row(key)
    assert (row.status, row.possible_duplicate) == ("queued", 1)
    await sent_again(house, key, "b0", "b1", "b2")
    for name in ("b0", "a1", "b1", "a2"):
        await house.receipt(name, "delivered")
        assert await house.statuses(key[0]) == ["sent"], name
    await house.receipt("b2", "unreachable")
    assert await house.statuses(key[0]) == ["failed"]
    other = await house.accepted(BERT, names=["c0", "c1", "c2"], text=LONG)
    await house.receipt("c0", "delivered", BERT)
    await house.receipt("c1", "unreachable", BERT)
    assert await house.statuses(other[0]) == ["failed"]


async def test_a_receipt_that_overtook_the_response_leads_to_another_try_too(house: House) -> None:
    await house.configure(retry_temporary=[60])
    (key,) = await house.handed()
    await house.receipt("a", "unreachable")
    house.peer.tell(Accepted(key, ["a"]))
    assert (await house.until(key, "queued")).retries == 1
    assert await house.steps(key[0]) == [(1, ["sent"]), (2, ["queued"])]


async def test_what_its_customer_deleted_is_not_sent_again(house: House) -> None:
    await house.configure(retry_temporary=[60])
    key = await house.accepted(names=["a"])
    await house.actor.delete(house.customer.id, key[0])
    await house.receipt("a", "unreachable")
    assert await house.statuses(key[0]) == ["failed"]


async def test_what_waits_to_be_sent_again_can_be_canceled(house: House) -> None:
    await house.configure(retry_temporary=[60])
    key = await house.accepted(names=["a"])
    await house.receipt("a", "unreachable")
    assert (await house.actor.cancel(house.customer.id, key[0])).targets[0].error_code == "canceled"


async def test_the_counts_of_a_message_with_several_targets_go_back_too(house: House) -> None:
    await house.configure(retry_temporary=[60])
    anne, bert = await house.handed(ANNE, BERT)
    house.peer.tell(Accepted(anne, ["a"]), Accepted(bert, ["b"]))
    await house.until(bert, "sent")
    await house.receipt("b", "delivered", BERT)
    house.peer.tell(Receipt("a", "unreachable", "", ANNE, "t"))
    await house.until(anne, "queued")
    assert (await house.seen(anne[0])).status == "sending"
    await sent_again(house, anne, "c")
    await house.receipt("c", "delivered")
    assert (await house.seen(anne[0])).status == "delivered"
