import pytest

from messagehub.smpp import PDU, Broken, Role, Session, State, encode
from messagehub.smpp.timers import due
from tests.smpp.pair import Pair

LIMITS = {"session_init": 10.0, "inactivity": 60.0, "enquire_link": 30.0}
MARKS = {"opened": 100.0, "busy": 200.0, "heard": 250.0}

DUE = [  # state, now, what is due
    (State.OPEN, 109.9, ""),
    (State.OPEN, 110.0, "session_init"),
    (State.BOUND_TRX, 259.9, ""),
    (State.BOUND_TRX, 260.0, "inactivity"),
    (State.BOUND_RX, 300.0, "inactivity"),
    (State.UNBINDING, 1000.0, ""),
    (State.CLOSED, 1000.0, ""),
]


@pytest.mark.parametrize(("state", "now", "name"), DUE)
def test_what_time_makes_due(state: State, now: float, name: str) -> None:
    timer = due(state, LIMITS, MARKS, now)
    assert (timer.name if timer else "") == name


def test_a_limit_of_nought_is_never() -> None:
    assert due(State.BOUND_TX, LIMITS | {"inactivity": 0.0}, MARKS, 279.9) is None
    timer = due(State.BOUND_TX, LIMITS | {"inactivity": 0.0}, MARKS, 280.0)
    assert timer is not None
    assert timer.name == "enquire_link"
    assert due(State.BOUND_TX, dict.fromkeys(LIMITS, 0.0), MARKS, 1e9) is None


def test_a_bind_that_waits_for_its_answer_has_come_in_time_on_both_ends() -> None:
    pair = Pair(session_init=5, response_timeout=60)
    pair.esme.request("bind_receiver", 0)
    pair.carry()
    pair.esme.tick(59)
    pair.mc.tick(59)
    assert (pair.esme.state, pair.mc.state) == (State.OPEN, State.OPEN)
    pair.esme.tick(60)
    assert pair.esme.events() == [Broken("bind_receiver unanswered for 60 s")]


def test_noise_is_no_sign_of_a_bind() -> None:
    session = Session(Role.MC, 0, session_init=5)
    for now in range(5):
        session.receive(encode(PDU("enquire_link", now)), now)
    session.tick(5)
    assert session.events() == [Broken("no bind within 5 s")]
