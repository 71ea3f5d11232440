"""One endpoint: the lanes in which its events go, and the breaker that spares it when it is down."""

from collections import defaultdict, deque
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.errors import Unavailable
from messagehub.webhooks.endpoint import (
    AHEAD,
    FAILURES_TO_OPEN,
    FAST,
    FAST_AT_ONCE,
    LEAST_HELD,
    MAX_AT_ONCE,
    MAX_HELD,
    PAUSES_S,
    Endpoint,
    Pending,
)

SECOND = 1_000_000
_ids = count()


def event(message_id: str) -> Pending:
    return Pending(f"{next(_ids):06}", "customer", message_id, b"{}", 0, 0, 0, 0)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint("customer")


def give(endpoint: Endpoint, *message_ids: str) -> list[Pending]:
    events = [event(message_id) for message_id in message_ids]
    for one in events:
        endpoint.add(one)
    return events


# --- lanes


def test_messages_go_side_by_side_and_events_of_one_message_one_after_the_other(endpoint: Endpoint) -> None:
    a1, b1, a2 = give(endpoint, "a", "b", "a")
    assert (endpoint.take(), endpoint.take(), endpoint.take()) == (a1, b1, None)
    endpoint.done(b1)
    assert endpoint.take() is None
    endpoint.done(a1)
    assert (endpoint.take(), endpoint.take()) == (a2, None)
    endpoint.done(a2)
    assert (endpoint.held, endpoint.take()) == (0, None)


def test_a_lane_that_ended_begins_anew(endpoint: Endpoint) -> None:
    (first,) = give(endpoint, "a")
    endpoint.take()
    endpoint.done(first)
    (second,) = give(endpoint, "a")
    assert endpoint.take() is second


@given(steps=st.lists(st.one_of(st.sampled_from("abc"), st.just("take"), st.integers(0, 5)), max_size=60))
def test_whatever_the_order_no_message_has_two_under_way_and_each_goes_in_order(steps: list[str | int]) -> None:
    endpoint = Endpoint("customer")
    waiting: dict[str, deque[Pending]] = defaultdict(deque)
    under_way: list[Pending] = []
    for step in steps:
        if isinstance(step, int):
            if under_way:
                endpoint.done(under_way.pop(step % len(under_way)))
        elif step == "take":
            if taken := endpoint.take():
                assert taken.message_id not in [other.message_id for other in under_way]
                assert waiting[taken.message_id].popleft() is taken
                under_way.append(taken)
            else:
                busy = {other.message_id for other in under_way}
                assert {message_id for message_id, lane in waiting.items() if lane} <= busy
        else:
            waiting[step] += give(endpoint, step)
        assert endpoint.held == len(under_way) + sum(map(len, waiting.values()))


def test_what_waits_is_let_go_and_what_is_under_way_is_not(endpoint: Endpoint) -> None:
    a1, a2, b, c = give(endpoint, "a", "a", "b", "c")
    assert endpoint.take() is a1
    assert endpoint.forget_waiting() == [b, c, a2]
    assert endpoint.held == 1
    assert endpoint.take() is None
    endpoint.done(a1)
    assert (endpoint.held, endpoint.take()) == (0, None)
    (b,) = give(endpoint, "b")
    assert endpoint.take() is b


def test_what_is_new_goes_behind_what_was_let_go(endpoint: Endpoint) -> None:
    endpoint.backlog = False
    give(endpoint, "a")
    endpoint.forget_waiting()
    assert not endpoint.takes_new(0)


def test_more_workers_are_wanted_while_there_is_work_for_them(endpoint: Endpoint) -> None:
    wanted = [endpoint.wants_worker]
    give(endpoint, "a", "a")
    wanted.append(endpoint.wants_worker)
    endpoint.take()
    wanted.append(endpoint.wants_worker)
    give(endpoint, "b")
    wanted.append(endpoint.wants_worker)
    endpoint.workers = MAX_AT_ONCE
    wanted.append(endpoint.wants_worker)
    assert wanted == [False, True, False, True, False]


# --- how much of it is in memory


def at_pace(micros: int) -> Endpoint:
    endpoint = Endpoint("customer")
    for _ in range(100):
        endpoint.took(micros)
    return endpoint


PACES = [(0, MAX_HELD), (1000, MAX_HELD), (200_000, 320), (AHEAD, LEAST_HELD), (5 * SECOND, LEAST_HELD)]


@pytest.mark.parametrize(("micros", "quota"), PACES)
def test_a_slow_endpoint_leaves_room_to_others(micros: int, quota: int) -> None:
    assert at_pace(micros).room(0) == pytest.approx(quota, rel=0.01)


def test_an_endpoint_that_is_not_known_begins_small(endpoint: Endpoint) -> None:
    assert endpoint.room(0) == LEAST_HELD


@given(micros=st.lists(st.integers(-(10**9), 10**9), max_size=50))
def test_whatever_an_attempt_took_there_is_work_for_all_who_may_work(micros: list[int]) -> None:
    endpoint = Endpoint("customer")
    for each in micros:
        endpoint.took(each)
    assert LEAST_HELD <= endpoint.room(0) <= MAX_HELD


def test_more_is_claimed_when_half_is_done() -> None:
    endpoint = at_pace(0)
    events = give(endpoint, *map(str, range(MAX_HELD)))
    rooms = []
    for event in events:
        assert endpoint.take() is event
        endpoint.done(event)
        rooms.append((endpoint.room(0), endpoint.wants_more))
    assert rooms[: MAX_HELD // 2 - 1] == [(0, False)] * (MAX_HELD // 2 - 1)
    assert rooms[MAX_HELD // 2 - 1] == (MAX_HELD // 2, True)


def test_a_slow_endpoint_has_as_many_under_way_as_any(endpoint: Endpoint) -> None:
    """However few wait at a time when more are claimed."""
    while room := endpoint.room(0):
        give(endpoint, *(f"{next(_ids)}" for _ in range(min(room, 7))))
    assert len([1 for _ in range(MAX_AT_ONCE) if endpoint.take()]) == MAX_AT_ONCE


def test_no_more_is_wanted_where_nothing_waits_in_the_store() -> None:
    endpoint = at_pace(0)
    endpoint.backlog = False
    assert not endpoint.wants_more
    endpoint.unclaimed = True
    assert endpoint.wants_more


# --- the breaker


def fail(endpoint: Endpoint, times: int, now: int) -> list[bool]:
    return [endpoint.failed(now) for _ in range(times)]


def test_what_is_held_is_bounded(endpoint: Endpoint) -> None:
    give(endpoint, *"abc")
    assert endpoint.room(0) == LEAST_HELD - 3
    give(endpoint, *map(str, range(LEAST_HELD)))
    endpoint.backlog = False
    assert (endpoint.room(0), endpoint.takes_new(0)) == (0, False)


def test_it_opens_after_some_failures_in_a_row(endpoint: Endpoint) -> None:
    assert fail(endpoint, FAILURES_TO_OPEN, 0) == [False] * (FAILURES_TO_OPEN - 1) + [True]
    assert endpoint.closed_until == PAUSES_S[0] * SECOND
    assert endpoint.room(endpoint.closed_until - 1) == 0


def test_a_success_between_failures_keeps_it_shut(endpoint: Endpoint) -> None:
    for _ in range(3):
        assert not any(fail(endpoint, FAILURES_TO_OPEN - 1, 0))
        assert not endpoint.succeeded()
    assert endpoint.room(0) == LEAST_HELD


def test_requests_that_were_under_way_do_not_open_it_further(endpoint: Endpoint) -> None:
    fail(endpoint, FAILURES_TO_OPEN, 0)
    assert not any(fail(endpoint, MAX_AT_ONCE, SECOND))
    assert endpoint.closed_until == PAUSES_S[0] * SECOND


def test_one_event_probes_it_and_a_success_lets_all_through(endpoint: Endpoint) -> None:
    fail(endpoint, FAILURES_TO_OPEN, 0)
    now = endpoint.closed_until
    assert endpoint.room(now) == 1
    (probe,) = give(endpoint, "a")
    assert endpoint.room(now) == 0
    endpoint.take()
    endpoint.done(probe)
    assert endpoint.succeeded()
    assert endpoint.room(now) == LEAST_HELD


def test_each_probe_that_fails_is_followed_by_a_longer_pause_up_to_the_longest(endpoint: Endpoint) -> None:
    fail(endpoint, FAILURES_TO_OPEN, 0)
    pauses = [endpoint.closed_until]
    for _ in range(len(PAUSES_S) + 1):
        now = endpoint.closed_until
        assert endpoint.failed(now)
        pauses.append(endpoint.closed_until - now)
    assert pauses == [pause * SECOND for pause in (*PAUSES_S, PAUSES_S[-1], PAUSES_S[-1])]


def test_what_is_new_waits_behind_what_is_in_the_store() -> None:
    """Else the first attempts of a message's events would not be made in order."""
    endpoint = Endpoint("c")
    assert not endpoint.takes_new(0)
    endpoint.backlog = False
    assert endpoint.takes_new(0)
    for _ in range(FAILURES_TO_OPEN):
        endpoint.failed(0)
    assert not endpoint.takes_new(endpoint.closed_until)
    endpoint.succeeded()
    assert endpoint.takes_new(endpoint.closed_until)


def test_what_is_new_waits_behind_an_event_of_its_message_that_a_claim_may_have_missed(endpoint: Endpoint) -> None:
    """It was stored while a claim looked there that found no more, so that all others may come straight here."""
    with endpoint.claiming():
        endpoint.leave("a")
        endpoint.backlog = False
    assert [endpoint.takes_new(0, message_id) for message_id in "ab"] == [False, True]
    with endpoint.claiming():
        endpoint.leave("b")
        assert not endpoint.takes_new(0, "a"), "it is claimed, but not here yet"
    assert [endpoint.takes_new(0, message_id) for message_id in "ab"] == [True, False]


def test_a_claim_that_failed_has_missed_all(endpoint: Endpoint) -> None:
    endpoint.backlog = False
    endpoint.leave("a")
    with pytest.raises(Unavailable), endpoint.claiming():
        raise Unavailable
    assert not endpoint.takes_new(0, "a")


def test_an_endpoint_that_another_node_found_down_is_probed_with_one_event(endpoint: Endpoint) -> None:
    endpoint.heed(True, "http://a")
    endpoint.backlog = False
    assert (endpoint.room(0), endpoint.takes_new(0)) == (1, False)
    assert endpoint.failed(0)
    assert endpoint.closed_until == PAUSES_S[0] * SECOND
    endpoint.heed(False, "http://a")
    assert endpoint.closed_until > 0, "the store does not have it yet, so it cannot have taken it back"
    endpoint.is_known_to_fail()
    endpoint.heed(True, "http://a")
    assert endpoint.closed_until > 0
    endpoint.heed(False, "http://a")
    assert endpoint.room(0) == LEAST_HELD


def test_a_success_ends_it_also_where_another_node_had_found_it_down(endpoint: Endpoint) -> None:
    endpoint.heed(True, "http://a")
    assert endpoint.succeeded()
    assert not endpoint.succeeded()
    assert endpoint.room(0) == LEAST_HELD


def test_what_asks_to_be_left_alone_is() -> None:
    endpoint = Endpoint("c")
    endpoint.backlog = False
    endpoint.hold(60 * SECOND)
    endpoint.hold(5 * SECOND)
    assert endpoint.room(59 * SECOND) == 0
    assert not endpoint.takes_new(59 * SECOND)
    assert endpoint.takes_new(60 * SECOND)
    assert not endpoint.is_down


def test_what_one_address_asked_for_says_nothing_of_the_next() -> None:
    endpoint = Endpoint("c")
    endpoint.heed(False, "http://a")
    endpoint.hold(60 * SECOND)
    endpoint.heed(False, "http://a")
    assert endpoint.room(SECOND) == 0
    endpoint.heed(False, "http://b")
    assert endpoint.room(SECOND) > 0


# --- how many at once


def test_each_answer_of_one_that_is_fast_allows_one_more_at_once(endpoint: Endpoint) -> None:
    def answers(count: int) -> int:
        for _ in range(count):
            endpoint.succeeded()
            endpoint.took(FAST // 2)
        return endpoint.at_once

    assert answers(10) == MAX_AT_ONCE  # it is not known yet to be fast
    known = answers(20)
    assert answers(1) == known + 1
    assert answers(FAST_AT_ONCE) == FAST_AT_ONCE


@pytest.mark.parametrize("trouble", ["slow", "failing"])
def test_and_no_more_than_others_when_it_is_not(endpoint: Endpoint, trouble: str) -> None:
    for _ in range(2 * FAST_AT_ONCE):
        endpoint.succeeded()
        endpoint.took(FAST // 2)
    assert endpoint.at_once == FAST_AT_ONCE
    if trouble == "failing":
        endpoint.failed(1)
    else:
        endpoint.succeeded()
        endpoint.took(10 * FAST)
    assert endpoint.at_once == MAX_AT_ONCE


def test_after_a_quiet_moment_it_begins_anew(endpoint: Endpoint) -> None:
    for pending in give(endpoint, *map(str, range(2 * FAST_AT_ONCE))):
        before = endpoint.at_once
        endpoint.succeeded()
        endpoint.took(FAST // 2)
        endpoint.done(pending)
    assert (before, endpoint.at_once) == (FAST_AT_ONCE, MAX_AT_ONCE)
