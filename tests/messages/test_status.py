"""The life of a target as a table: what it allows, what it never allows, and what the rest takes from it."""

import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import messagehub.store
from messagehub.carriers.carrier import REASONS
from messagehub.carriers.failures import FAILURES, FailureCode
from messagehub.carriers.translate import STATES
from messagehub.messages.status import (
    CORRECTABLE,
    CORRECTIONS,
    ERROR_CODES,
    FINAL,
    GROUPS,
    MOVES,
    PUBLIC,
    Happening,
    Status,
    Tally,
    as_markdown,
    move,
    of_message,
)
from messagehub.shapes import MessageStatus, TargetStatus

OUTBOUND = set(Status) - {Status.RECEIVED}


def reachable(start: Status) -> set[Status]:
    """By moves alone, without corrections."""
    seen, new = {start}, {start}
    while new:
        new = {after for (before, _), after in MOVES.items() if before in new} - seen
        seen |= new
    return seen


def test_every_status_of_an_outbound_target_is_reachable() -> None:
    assert reachable(Status.QUEUED) == OUTBOUND


def test_what_is_received_stays_so() -> None:
    assert all(move(Status.RECEIVED, happening) is None for happening in Happening)
    assert Status.RECEIVED not in {*MOVES.values(), *CORRECTIONS.values()}


def test_delivered_is_delivered_for_ever() -> None:
    assert all(move(Status.DELIVERED, happening, "expired") is None for happening in Happening)


def test_from_a_final_status_nothing_leads_but_corrections_and_its_customers_wish() -> None:
    leaving = {(before, happening) for before, happening in MOVES if before in FINAL}
    assert leaving == {(Status.GW_TIMEOUT, Happening.RESEND)}
    corrected = {key: after for key, after in CORRECTIONS.items() if key[0] in FINAL}
    assert corrected == {
        (Status.GW_TIMEOUT, Happening.ACCEPT): Status.SENT,
        (Status.GW_TIMEOUT, Happening.RECEIPT_GOOD): Status.DELIVERED,
        (Status.DLR_TIMEOUT, Happening.RECEIPT_GOOD): Status.DELIVERED,
        (Status.DLR_TIMEOUT, Happening.ANSWER_GOOD): Status.DELIVERED,
        (Status.FAILED, Happening.RECEIPT_GOOD): Status.DELIVERED,
    }


OPEN = {
    "expired", "undelivered", "invalid_number", "unreachable", "handset_busy", "handset_full", "not_supported",
    "barred", "network_error",
}  # fmt: skip
"""By which a receipt says that it was not delivered so far, and why."""


@pytest.mark.parametrize("code", sorted(ERROR_CODES))
def test_only_some_failures_are_corrected(code: str) -> None:
    corrected = Status.DELIVERED if code in OPEN else None
    assert move(Status.FAILED, Happening.RECEIPT_GOOD, code) == corrected
    others = set(Happening) - {Happening.RECEIPT_GOOD}
    assert all(move(Status.FAILED, happening, code) is None for happening in others)


def test_a_move_and_a_correction_never_disagree() -> None:
    assert not MOVES.keys() & CORRECTIONS.keys()
    assert {happening for _, happening in MOVES} == set(Happening)


@given(happenings=st.lists(st.tuples(st.sampled_from(list(Happening)), st.sampled_from(sorted(ERROR_CODES)))))
def test_whatever_happens_a_target_ends_where_the_tables_lead(happenings: list[tuple[Happening, str]]) -> None:
    status, code, was_delivered = Status.QUEUED, "", False
    for happening, new_code in happenings:
        after = move(status, happening, code)
        if after:
            status, code = after, new_code if after is Status.FAILED else ""
        assert status in OUTBOUND
        was_delivered = was_delivered or status is Status.DELIVERED
        assert was_delivered == (status is Status.DELIVERED)


# --- what others take from the table


def test_the_schema_knows_the_same_statuses() -> None:
    folder = Path(messagehub.store.__file__).parent / "migrations"
    schema = "".join(file.read_text() for file in sorted(folder.glob("*.sql")))
    targets = schema[schema.index("CREATE TABLE targets") :]
    check = re.search(r"status TEXT NOT NULL CHECK \(status IN \(([^)]*)\)\)", targets)
    assert check
    assert set(re.findall(r"'(\w+)'", check[1])) == {str(status) for status in Status}


def test_customers_see_every_status_but_one_of_ours() -> None:
    assert PUBLIC.keys() == set(Status)
    assert set(PUBLIC.values()) == set(get_args(TargetStatus))
    assert {status: shown for status, shown in PUBLIC.items() if status != shown} == {Status.HANDED: "queued"}


def test_every_error_code_that_can_be_told_is_explained() -> None:
    told = {reason.error_code for reason in REASONS.values()}
    told |= set(STATES.values()) - {"delivered", "intermediate"}
    told |= set(get_args(FailureCode))
    assert set(get_args(FailureCode)) == FAILURES.keys()
    told |= {"no_route", "canceled", "no_answer", "in_doubt", "no_receipt"}
    assert told <= ERROR_CODES.keys()
    assert told >= CORRECTABLE
    page = as_markdown()
    assert all(f"| `{code}` | {meaning} |" in page for code, meaning in ERROR_CODES.items())
    assert all(
        f"| `{before}` | {happening.value} | `{after}` |" in page for (before, happening), after in MOVES.items()
    )


# --- the message


def tally(statuses: list[Status]) -> Tally:
    counts = Counter(GROUPS.get(status, "") for status in statuses)
    return Tally(len(statuses), counts["waiting"], counts["sent"], counts["delivered"])


@given(statuses=st.lists(st.sampled_from(sorted(OUTBOUND)), min_size=1, max_size=6))
def test_the_status_of_a_message_follows_from_its_targets(statuses: list[Status]) -> None:
    shown = of_message(tally(statuses))
    public = {PUBLIC[status] for status in statuses}
    if "queued" in public:
        assert shown == "sending"
    elif "sent" in public:
        assert shown == "sent"
    elif public == {"delivered"}:
        assert shown == "delivered"
    elif "delivered" in public:
        assert shown == "partially_delivered"
    else:
        assert shown == "failed"
    assert shown in get_args(MessageStatus)


@given(status=st.sampled_from(sorted(OUTBOUND)))
def test_a_message_with_one_target_is_never_delivered_in_part(status: Status) -> None:
    assert of_message(tally([status])) != "partially_delivered"


@given(statuses=st.lists(st.sampled_from(sorted(OUTBOUND)), min_size=1, max_size=6))
def test_a_message_is_final_when_its_targets_are(statuses: list[Status]) -> None:
    is_final = of_message(tally(statuses)) in ("delivered", "failed", "partially_delivered")
    assert is_final == all(status in FINAL for status in statuses)
