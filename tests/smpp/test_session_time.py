"""What time makes of a session: probes, answers that are late, ends."""

from collections.abc import Callable
from typing import Any

import pytest

from messagehub.smpp import (
    PDU,
    AnsweredLate,
    Broken,
    Received,
    Role,
    Session,
    Stray,
    Unanswered,
    Unbound,
    encode,
)
from tests.smpp.pair import bound, frames


def test_a_silent_link_is_probed_and_answered() -> None:
    pair = bound(enquire_link=30)
    pair.esme.tick(29)
    assert pair.esme.outgoing() == b""
    pair.esme.tick(30)
    pair.carry(30)
    pair.esme.tick(59)
    assert (pair.esme.outgoing(), pair.esme.events(), pair.mc.events()) == (b"", [], [])
    assert pair.esme.pending == []


def test_a_probe_without_an_answer_breaks_the_session() -> None:
    pair = bound(enquire_link=30, response_timeout=10)
    for now in (30, 31, 39):
        pair.esme.tick(now)
    assert [pdu.name for pdu in frames(pair.esme.outgoing())] == ["enquire_link"]
    pair.esme.tick(40)
    assert pair.esme.events() == [Broken("enquire_link unanswered for 10 s")]


def test_who_talks_is_alive_even_without_an_answer_to_the_probe() -> None:
    pair = bound(enquire_link=30, response_timeout=10)
    pair.esme.tick(30)
    pair.esme.receive(encode(PDU("deliver_sm", 1)), 35)
    pair.esme.tick(40)
    assert [type(event) for event in pair.esme.events()] == [Received]


def test_requests_time_out_one_by_one_and_may_be_answered_late() -> None:
    pair = bound(response_timeout=10, late_answers=100)
    first = pair.esme.request("submit_sm", 1, context="a")
    pair.esme.request("submit_sm", 2, context="b")
    pair.esme.tick(10.9)
    assert pair.esme.events() == []
    pair.esme.tick(11)
    (event,) = pair.esme.events()
    assert isinstance(event, Unanswered)
    assert (event.context, [context for _, context in pair.esme.pending]) == ("a", ["b"])
    pair.esme.receive(encode(PDU("submit_sm_resp", first, 0, {"message_id": "x"})), 12)
    (late,) = pair.esme.events()
    assert isinstance(late, AnsweredLate)
    assert (late.context, late.response.fields["message_id"]) == ("a", "x")


def test_late_answers_are_remembered_for_a_while_only() -> None:
    pair = bound(response_timeout=10, late_answers=100)
    sequence = pair.esme.request("submit_sm", 0)
    pair.esme.tick(10)
    assert len(pair.esme.events()) == 1
    pair.esme.receive(encode(PDU("enquire_link", 99)), 109)
    pair.esme.tick(110)
    pair.esme.receive(encode(PDU("submit_sm_resp", sequence)), 111)
    assert [type(event) for event in pair.esme.events()] == [Stray]


def test_late_answers_are_remembered_for_so_many_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messagehub.smpp.outstanding.REMEMBERED", 2)
    pair = bound(response_timeout=10, late_answers=100)
    sequences = [pair.esme.request("submit_sm", 0) for _ in range(3)]
    pair.esme.tick(10)
    pair.esme.events()
    pair.esme.tick(10.5)
    for sequence in sequences:
        pair.esme.receive(encode(PDU("submit_sm_resp", sequence)), 11)
    assert [event.request.sequence for event in pair.esme.events() if isinstance(event, AnsweredLate)] == sequences[1:]


BREAKS: list[tuple[str, Callable[[Session], Any], str]] = [
    ("no bind", lambda session: None, "no bind within 5 s"),
    ("no answer to the bind", lambda session: session.request("bind_receiver", 0), "bind_receiver unanswered for 3 s"),
]


@pytest.mark.parametrize(("begin", "reason"), [case[1:] for case in BREAKS], ids=[case[0] for case in BREAKS])
def test_a_bind_must_come_in_time(begin: Callable[[Session], Any], reason: str) -> None:
    session = Session(Role.ESME, 0, session_init=5, response_timeout=3)
    begin(session)
    session.tick(2.9)
    assert session.events() == []
    session.tick(5)
    assert session.events() == [Broken(reason)]


def test_a_bind_that_waits_for_our_answer_has_come_in_time() -> None:
    session = Session(Role.MC, 0, session_init=5)
    session.receive(encode(PDU("bind_receiver", 1)), 4)
    session.tick(6)
    assert [type(event) for event in session.events()] == [Received]


def test_an_unbind_without_an_answer_breaks_the_session() -> None:
    pair = bound(response_timeout=10)
    pair.esme.unbind(0)
    pair.esme.tick(10)
    assert pair.esme.events() == [Broken("unbind unanswered for 10 s")]


def test_inactivity_unbinds() -> None:
    pair = bound(inactivity=60, enquire_link=30)
    pair.esme.tick(30)
    pair.carry(30)
    pair.esme.tick(60)
    pair.carry(60)
    assert [type(event) for event in pair.esme.events()] == [Unbound]
