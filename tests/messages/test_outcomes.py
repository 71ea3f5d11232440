"""What becomes of handovers: accepted, refused, not answered, lost."""

from collections.abc import Callable
from typing import Any

import pytest

from messagehub import clock
from messagehub.carriers.carrier import REASONS, Accepted, Lost, Outcome, Receipt, Refused, TargetKey, Unanswered
from messagehub.clock import SECOND
from messagehub.messages.outcomes import BLAMELESS_FOR
from messagehub.messages.send import RETRY_AFTER
from tests.messages.house import House, eventually
from tests.messages.peer import Peer
from tests.messages.queued import queue

FINAL_REASONS = [name for name, reason in REASONS.items() if not reason.retry]
PASSING_REASONS = [name for name, reason in REASONS.items() if reason.retry]


async def test_each_reason_for_good_fails_its_target_with_its_code(house: House) -> None:
    keys = await house.handed(*(f"+44207946000{n}" for n in range(len(FINAL_REASONS))))
    house.peer.tell(*map(Refused, keys, FINAL_REASONS, ["words", *[""] * (len(keys) - 1)]))
    await house.until(keys[-1], "failed")
    targets = (await house.seen(keys[0][0])).targets
    assert {target.status for target in targets} == {"failed"}
    assert [target.error_code for target in targets] == [REASONS[reason].error_code for reason in FINAL_REASONS]
    meanings = [REASONS[reason].meaning for reason in FINAL_REASONS]
    assert [target.error_message for target in targets] == ["words", *meanings[1:]]
    assert await house.steps(keys[0][0]) == [(1, ["failed"] * len(keys))]


async def test_the_carriers_own_code_counts_before_that_of_the_reason(house: House) -> None:
    (key,) = await house.handed()
    house.peer.tell(Refused(key, "rejected", "0x00000401: A status of the vendor's own", "blocked"))
    row = await house.until(key, "failed")
    assert (row.error_code, row.error_message) == ("blocked", "0x00000401: A status of the vendor's own")


async def test_each_reason_that_may_pass_is_tried_again_after_a_pause_and_told_to_nobody(house: House) -> None:
    begun = clock.now()
    keys = await house.handed(*(f"+44207946000{n}" for n in range(len(PASSING_REASONS))))
    house.peer.tell(*map(Refused, keys, PASSING_REASONS))
    for key in keys:
        row = await house.until(key, "queued")
        assert 0.8 * SECOND < row.due_at - begun < 3 * SECOND
        assert (row.error_code, row.possible_duplicate) == ("", 0)
    assert len(house.peer.handed) == len(keys)
    assert await house.told() == []


async def test_what_was_taken_in_part_and_refused_may_come_twice(house: House) -> None:
    whole, part = await house.handed(), await house.handed()
    house.peer.tell(Refused(whole[0], "throttled"), Refused(part[0], "throttled", partly=True))
    await house.until(part[0], "queued")
    assert [(await house.row(key)).possible_duplicate for key in (*whole, *part)] == [0, 1]


async def test_the_pauses_follow_the_schedule_and_its_end_is_the_end(house: House) -> None:
    before = [0, 5, len(RETRY_AFTER) - 1, len(RETRY_AFTER)]
    keys = [await queue(house, attempts=attempts) for attempts in before]
    await eventually(lambda: len(house.peer.handed) == len(keys))
    begun = clock.now()
    house.peer.tell(*(Refused(key, "unwell") for key in keys))
    last = await house.until(keys[-1], "failed")
    assert (last.error_code, last.attempts) == ("carrier_unavailable", len(RETRY_AFTER) + 1)
    for key, attempts in zip(keys[:-1], before, strict=False):
        row = await house.row(key)
        assert (row.status, row.attempts) == ("queued", attempts + 1)
        assert (row.due_at - begun) / SECOND == pytest.approx(RETRY_AFTER[attempts], rel=0.15, abs=1)


BLAMELESS = [name for name, reason in REASONS.items() if reason.blameless]


@pytest.mark.parametrize("reason", BLAMELESS)
async def test_what_is_the_trouble_of_the_bind_uses_up_no_try(house: House, reason: str) -> None:
    """Though all its tries are used up but one."""
    key = await queue(house, attempts=len(RETRY_AFTER) - 1)
    for times in (1, 2, 3):
        await eventually(lambda times=times: len(house.peer.handed) == times)  # type: ignore[misc]
        begun = clock.now()
        house.peer.tell(Refused(key, reason))
        row = await house.until(key, "queued")
        assert row.attempts == len(RETRY_AFTER) - 1
        assert row.due_at - begun > 0.8 * SECOND
        await house.store.run("move_target", **{**row._asdict(), **as_seen(row), "due_at": clock.now()})


def as_seen(row: Any) -> dict[str, Any]:
    sequence, receipts = row.sequence, row.receipts
    return {"before": row.status, "seen_holder": row.holder, "seen_sequence": sequence, "seen_receipts": receipts}


async def test_but_not_for_ever(house: House) -> None:
    key = await queue(house, age=BLAMELESS_FOR)
    await eventually(lambda: house.peer.handed)
    house.peer.tell(Refused(key, "throttled"))
    assert (await house.until(key, "queued")).attempts == 1


# --- in doubt

DOUBTS: list[tuple[Callable[[TargetKey], Outcome], str, str, bool, str]] = [
    # what happens, the customer's on_doubt, the message's, whether it is sent once more, or why not
    (Lost, "resend", "", True, ""),
    (Lost, "resend", "hold", False, "in_doubt"),
    (Lost, "resend", "resend", True, ""),
    (Lost, "hold", "", False, "in_doubt"),
    (Lost, "hold", "resend", True, ""),
    (Lost, "hold", "hold", False, "in_doubt"),
    (Unanswered, "resend", "", False, "no_answer"),
    (Unanswered, "resend", "hold", False, "no_answer"),
    (Unanswered, "hold", "resend", True, ""),
]


async def in_doubt(house: House, key: TargetKey, outcome: Outcome, is_repeated: bool, code: str) -> None:
    """It is handed once more, at once and with a mark; or it ends."""
    times = len(house.peer.handed)
    house.peer.tell(outcome)
    if is_repeated:
        await eventually(lambda: len(house.peer.handed) == times + 1)
        assert house.peer.handed[-1].key == key
        assert await house.told(key[0]) == []
    row = await house.until(key, "handed" if is_repeated else "gw_timeout")
    assert (row.error_code, row.possible_duplicate, row.doubts) == (code, is_repeated, is_repeated)


async def test_in_doubt_the_message_counts_before_its_customer(house: House) -> None:
    for happens, customers, messages, is_repeated, code in DOUBTS:
        await house.change(on_doubt=customers)
        (key,) = await house.handed(on_doubt=messages)
        await in_doubt(house, key, happens(key), is_repeated, code)


@pytest.mark.parametrize(("kind", "code"), [(Lost, "in_doubt"), (Unanswered, "no_answer")])
async def test_what_is_in_doubt_is_sent_once_more_and_never_twice(
    house: House, kind: type[Lost] | type[Unanswered], code: str
) -> None:
    (key,) = await house.handed(on_doubt="resend")
    await in_doubt(house, key, kind(key), True, "")
    house.peer.tell(kind(key))
    row = await house.until(key, "gw_timeout")
    assert (row.error_code, row.possible_duplicate, row.doubts) == (code, 1, 1)
    seen = await house.seen(key[0])
    assert (seen.status, seen.targets[0].possible_duplicate) == ("failed", True)
    assert len(house.peer.handed) == 2
    assert await house.steps(key[0]) == [(1, ["gw_timeout"])]


async def test_an_answer_that_comes_late_corrects(house: House) -> None:
    (key,) = await house.handed()
    house.peer.tell(Unanswered(key))
    await house.until(key, "gw_timeout")
    house.peer.tell(Accepted(key, ["late"], late=True))
    row = await house.until(key, "sent")
    assert (row.error_code, row.error_message) == ("", "")
    await house.receipt("late", "delivered")
    assert await house.steps(key[0]) == [(1, ["gw_timeout"]), (2, ["sent"]), (3, ["delivered"])]


async def test_a_late_answer_to_the_first_of_two_counts_once(house: House) -> None:
    (key,) = await house.handed(on_doubt="resend")
    await in_doubt(house, key, Unanswered(key), True, "")
    house.peer.tell(Accepted(key, ["first"], late=True))
    await house.until(key, "sent")
    house.peer.tell(Accepted(key, ["second"]))
    await house.receipt("second", "delivered")
    await house.receipt("first", "undelivered")
    assert await house.steps(key[0]) == [(1, ["sent"]), (2, ["delivered"])]


# --- fencing


LATE: list[Callable[[TargetKey], Outcome]] = [
    lambda key: Refused(key, "invalid_number"),
    lambda key: Accepted(key, ["stale"]),
    Lost,
    Unanswered,
]


@pytest.mark.parametrize("late", LATE, ids=["refused", "accepted", "lost", "unanswered"])
async def test_a_node_that_stalled_does_not_conclude_what_another_has_handed_since(
    house: House, late: Callable[[TargetKey], Outcome]
) -> None:
    stalled = house.peer
    (key,) = await house.handed()
    await house.fill()
    await house.store.run("drop_lease", id="here")
    await house.sweeper.sweep()
    house.peer = Peer()
    await house.open(house.peer, "there")
    await eventually(lambda: house.peer.handed)
    stalled.tell(late(key), Receipt("nobody's", "delivered", "", "", "a sign"))
    await eventually(lambda: "a sign" in stalled.answers)
    row = await house.row(key)
    assert (row.status, row.holder, row.possible_duplicate) == ("handed", "there", 1)
    house.peer.tell(Accepted(key, ["good"]))
    await house.until(key, "sent")
    assert await house.steps(key[0]) == [(1, ["sent"])]
