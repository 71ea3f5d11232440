"""The end of a session while something is under way."""

from messagehub.smpp import PDU, Answered, Received, Role, State, StateError, Unbound, encode
from tests.smpp.pair import bound, frames, put, received


def test_what_the_peer_asked_before_its_unbind_is_answered_before_it() -> None:
    pair = bound()
    pair.mc.request("deliver_sm", 0)
    pair.mc.request("deliver_sm", 0)
    pair.mc.unbind(0)
    pair.carry()
    first, second = received(pair.esme)
    assert (pair.esme.state, pair.mc.state) == (State.UNBINDING, State.UNBINDING)
    pair.esme.answer(first)
    pair.carry()
    assert pair.esme.events() == []
    pair.esme.answer(second)
    assert [pdu.name for pdu in frames(pair.esme.outgoing())] == ["deliver_sm_resp", "unbind_resp"]
    assert [type(event) for event in pair.esme.events()] == [Unbound]


def test_nothing_new_is_asked_of_a_peer_that_unbinds() -> None:
    pair = bound()
    pair.mc.request("deliver_sm", 0)
    pair.mc.unbind(0)
    pair.carry()
    try:
        pair.esme.request("submit_sm", 0)
    except StateError:
        return
    raise AssertionError("a submit_sm was sent to a peer that unbinds")


def test_answers_to_us_still_count_while_the_peer_unbinds() -> None:
    pair = bound()
    mine = pair.esme.request("submit_sm", 0, context="mine")
    said = PDU("deliver_sm", 5), PDU("unbind", 6), PDU("submit_sm_resp", mine, 0, {"message_id": "a1"})
    pair.esme.receive(b"".join(map(encode, said)), 0)
    assert [type(event) for event in pair.esme.events()] == [Received, Answered]
    assert pair.esme.state is State.UNBINDING


def test_an_unbind_is_answered_in_time_even_if_we_never_answer_the_rest() -> None:
    pair = bound(response_timeout=10)
    pair.mc.request("deliver_sm", 0)
    pair.mc.unbind(0)
    pair.carry()
    received(pair.esme)
    pair.esme.tick(9)
    assert pair.esme.outgoing() == b""
    pair.esme.tick(10)
    assert [pdu.name for pdu in frames(pair.esme.outgoing())] == ["unbind_resp"]
    assert [type(event) for event in pair.esme.events()] == [Unbound]


def test_a_request_that_is_never_answered_holds_up_no_unbind() -> None:
    pair = bound()
    pair.mc.request("deliver_sm", 0)
    pair.mc.unbind(0)
    pair.carry()
    (request,) = received(pair.esme)
    pair.esme.ignore(request)
    assert [pdu.name for pdu in frames(pair.esme.outgoing())] == ["unbind_resp"]


def test_both_ends_may_unbind_at_once() -> None:
    pair = bound()
    pair.esme.unbind(0)
    pair.mc.unbind(0)
    pair.carry()
    assert [type(event) for event in pair.esme.events()] == [Unbound]
    assert [type(event) for event in pair.mc.events()] == [Unbound]


def test_an_unbind_before_the_bind_is_refused() -> None:
    session = put(Role.MC, State.OPEN)
    session.receive(encode(PDU("unbind", 3)), 0)
    assert [(pdu.name, pdu.status) for pdu in frames(session.outgoing())] == [("unbind_resp", 4)]
    assert session.state is State.OPEN
