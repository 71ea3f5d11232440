"""How many requests may wait for their answers."""

import pytest

from messagehub.smpp import PDU, Answered, AnsweredLate, Role, State, Unanswered, WindowFull, encode
from tests.smpp.pair import bound, frames, put, received


def test_a_full_window_takes_no_more_until_one_is_answered() -> None:
    pair = bound(window=2)
    for _ in range(2):
        pair.esme.request("submit_sm", 0)
    with pytest.raises(WindowFull):
        pair.esme.request("submit_sm", 0)
    pair.carry()
    for request in received(pair.mc)[:1]:
        pair.mc.answer(request)
    pair.carry()
    assert [type(event) for event in pair.esme.events()] == [Answered]
    pair.esme.request("query_sm", 0)
    assert pair.esme.in_flight == 2


def test_a_refused_request_sends_nothing_and_takes_no_number() -> None:
    pair = bound(window=1)
    first = pair.esme.request("submit_sm", 0)
    pair.esme.outgoing()
    with pytest.raises(WindowFull):
        pair.esme.request("submit_sm", 0)
    assert pair.esme.outgoing() == b""
    pair.esme.receive(encode(PDU("submit_sm_resp", first)), 0)
    assert pair.esme.request("submit_sm", 0) == first + 1


def test_the_link_is_probed_and_the_session_unbound_while_the_window_is_full() -> None:
    pair = bound(window=1, enquire_link=30, response_timeout=100)
    pair.esme.request("submit_sm", 0)
    pair.esme.tick(30)
    assert [pdu.name for pdu in frames(pair.esme.outgoing())] == ["submit_sm", "enquire_link"]
    pair.esme.unbind(31)
    assert [pdu.name for pdu in frames(pair.esme.outgoing())] == ["unbind"]


def test_what_wants_no_answer_needs_no_window() -> None:
    session = put(Role.MC, State.BOUND_RX)
    session.window = 1
    session.request("deliver_sm", 0)
    session.request("alert_notification", 0)
    assert session.in_flight == 1


def test_a_request_that_was_given_up_leaves_its_place_and_may_be_answered_late() -> None:
    pair = bound(window=1, response_timeout=10)
    first = pair.esme.request("submit_sm", 0)
    pair.esme.tick(10)
    second = pair.esme.request("submit_sm", 10)
    answers = PDU("submit_sm_resp", second), PDU("submit_sm_resp", first)
    pair.esme.receive(b"".join(map(encode, answers)), 11)
    assert [type(event) for event in pair.esme.events()] == [Unanswered, Answered, AnsweredLate]
