import random
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.smpp import (
    PDU,
    Answered,
    AnsweredLate,
    Broken,
    Event,
    Received,
    Role,
    Session,
    State,
    StateError,
    Stray,
    Unbound,
    decode,
    encode,
)
from messagehub.smpp.outstanding import MAX_SEQUENCE
from messagehub.smpp.pdus import COMMAND_IDS, REQUESTS
from messagehub.smpp.states import BINDS, MAY_HEAR, MAY_SAY, VERDICTS
from messagehub.smpp.statuses import NUMBERS
from tests.smpp.pair import Pair, bound, frames, put, received
from tests.smpp.rows import any_pdu

# --- bind, talk, unbind -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "state"), BINDS.items())
def test_both_ends_are_bound_once_the_bind_is_answered(name: str, state: State) -> None:
    pair = Pair()
    pair.bind(name)
    assert (pair.esme.state, pair.mc.state) == (state, state)
    (event,) = pair.esme.events()
    assert isinstance(event, Answered)
    assert event.response.fields == {"system_id": "mc"}


def test_a_refused_bind_leaves_the_session_open_for_another() -> None:
    pair = Pair()
    pair.bind(status=0x0E)
    (event,) = pair.esme.events()
    assert isinstance(event, Answered)
    assert event.response.status == 0x0E
    assert (pair.esme.state, pair.mc.state) == (State.OPEN, State.OPEN)
    pair.bind()
    assert pair.esme.state is State.BOUND_TRX


def test_a_context_comes_back_with_the_answer() -> None:
    pair = bound()
    sequence = pair.esme.request("submit_sm", 0, {"short_message": b"hi"}, {0x0204: b"\0\1"}, context="mine")
    assert [context for _, context in pair.esme.pending] == ["mine"]
    pair.carry()
    (request,) = received(pair.mc)
    assert (request.fields["short_message"], request.tlvs, pair.mc.unanswered) == (b"hi", {0x0204: b"\0\1"}, 1)
    pair.mc.answer(request, 0, {"message_id": "a1"})
    pair.carry()
    (event,) = pair.esme.events()
    assert isinstance(event, Answered)
    assert (event.request.sequence, event.context, event.response.fields) == (sequence, "mine", {"message_id": "a1"})
    assert (pair.esme.pending, pair.esme.in_flight, pair.mc.unanswered) == ([], 0, 0)


def test_a_nack_answers_the_request_that_it_names() -> None:
    pair = bound()
    sequence = pair.esme.request("submit_sm", 0)
    pair.esme.receive(encode(PDU("generic_nack", sequence, 3)), 0)
    (event,) = pair.esme.events()
    assert isinstance(event, Answered)
    assert (event.response.name, event.response.status) == ("generic_nack", 3)


@pytest.mark.parametrize(
    "answer",
    [
        PDU("deliver_sm_resp", 2, 0, {"message_id": ""}),
        PDU("submit_sm_resp", 9, 0, {"message_id": "x"}),
        PDU("enquire_link_resp", 2),
        PDU("generic_nack", 0),
    ],
)
def test_an_answer_to_nothing_of_ours_is_told_and_changes_nothing(answer: PDU) -> None:
    pair = bound()
    assert pair.esme.request("submit_sm", 0) == 2
    pair.esme.receive(encode(answer), 0)
    assert (pair.esme.events(), pair.esme.in_flight) == ([Stray(answer)], 1)


def test_the_second_answer_to_a_request_is_stray() -> None:
    pair = bound()
    sequence = pair.esme.request("submit_sm", 0)
    answer = PDU("submit_sm_resp", sequence, 0, {"message_id": "a1"})
    pair.esme.receive(2 * encode(answer), 0)
    assert [type(event) for event in pair.esme.events()] == [Answered, Stray]


TOLD = [
    encode(PDU("submit_sm_resp", 2, 0, {"message_id": "a"})),
    encode(PDU("deliver_sm", 1, 0, {"short_message": b"one"})),
    encode(PDU("deliver_sm", 1, 0, {"short_message": b"another of the same number"})),
    encode(PDU("submit_sm_resp", 3, 0x58)),
    encode(PDU("deliver_sm", 7, 0, {"short_message": b"x" * 200})),
]


@given(st.lists(st.integers(1, len(b"".join(TOLD)) - 1), max_size=12))
def test_what_is_told_has_its_octets_however_they_come(cuts: list[int]) -> None:
    pair, stream, told = bound(), b"".join(TOLD), list[Event]()
    assert [pair.esme.request("submit_sm", 0) for _ in range(2)] == [2, 3]
    for start, end in pairwise(sorted({0, *cuts, len(stream)})):
        pair.esme.receive(stream[start:end], 0)
        told += pair.esme.events()
    assert [event.octets for event in told if isinstance(event, Answered | Received)] == TOLD


def test_a_late_answer_has_its_octets() -> None:
    pair = bound(response_timeout=1)
    answer = encode(PDU("submit_sm_resp", pair.esme.request("submit_sm", 0), 0, {"message_id": "a"}))
    pair.esme.tick(2)
    pair.esme.receive(answer, 2)
    _, late = pair.esme.events()
    assert isinstance(late, AnsweredLate)
    assert late.octets == answer


def test_what_was_said_last_is_known_until_something_else_is() -> None:
    pair = bound()
    pair.esme.request("submit_sm", 0, {"short_message": b"Hello"})
    said = pair.esme.said
    pair.mc.request("deliver_sm", 0)
    pair.carry()
    pair.esme.answer(received(pair.esme)[0])
    assert pair.esme.said == said
    pair.esme.request("query_sm", 0)
    (asked,) = frames(pair.esme.said)
    assert (decode(said).fields["short_message"], asked.name) == (b"Hello", "query_sm")


def test_two_requests_with_one_number_are_both_told_and_both_answered() -> None:
    pair = bound()
    pair.mc.receive(2 * encode(PDU("submit_sm", 9)), 0)
    for request, name in zip(received(pair.mc), ("a", "b"), strict=True):
        pair.mc.answer(request, 0, {"message_id": name})
    answers = frames(pair.mc.outgoing())
    assert [(pdu.sequence, pdu.fields["message_id"]) for pdu in answers] == [(9, "a"), (9, "b")]


def test_unbinding_waits_for_what_is_under_way() -> None:
    pair = bound()
    pair.esme.request("submit_sm", 0, context="mine")
    pair.carry()
    (request,) = received(pair.mc)
    pair.esme.unbind(0)
    pair.mc.answer(request)
    pair.mc.request("deliver_sm", 0)
    pair.carry()
    answered, message = pair.esme.events()
    assert isinstance(answered, Answered)
    assert isinstance(message, Received)
    pair.esme.answer(message.request)
    pair.carry()
    assert [type(event) for event in pair.esme.events()] == [Unbound]
    assert [type(event) for event in pair.mc.events()] == [Answered, Unbound]
    assert (pair.esme.state, pair.mc.state) == (State.CLOSED, State.CLOSED)


def test_a_peer_that_says_goodbye_may_still_answer() -> None:
    """Else nobody would know what it took, and all of a window would be sent twice."""
    pair = bound()
    sequence = pair.esme.request("submit_sm", 0)
    pair.esme.outgoing()
    pair.esme.receive(encode(PDU("unbind", 5)), 1)
    pair.esme.tick(2.9)
    assert (pair.esme.events(), pair.esme.outgoing()) == ([], b"")
    pair.esme.receive(encode(PDU("submit_sm_resp", sequence)), 2.9)
    assert [type(event) for event in pair.esme.events()] == [Answered, Unbound]
    assert [pdu.name for pdu in frames(pair.esme.outgoing())] == ["unbind_resp"]


def test_who_owes_answers_when_it_says_goodbye_is_waited_for_two_seconds() -> None:
    pair = bound()
    pair.esme.request("submit_sm", 0)
    pair.esme.outgoing()
    pair.esme.receive(encode(PDU("unbind", 5)), 1)
    pair.esme.tick(3)
    assert [type(event) for event in pair.esme.events()] == [Unbound]
    assert [pdu.name for pdu in frames(pair.esme.outgoing())] == ["unbind_resp"]
    assert pair.esme.in_flight == 1


def test_who_says_goodbye_again_has_no_more_time_for_it() -> None:
    pair = bound()
    pair.esme.request("submit_sm", 0)
    pair.esme.outgoing()
    for sequence, now in ((5, 1), (6, 2.5)):
        pair.esme.receive(encode(PDU("unbind", sequence)), now)
        pair.esme.tick(now)
        assert pair.esme.outgoing() == b""
    pair.esme.tick(3)
    assert [(pdu.name, pdu.sequence) for pdu in frames(pair.esme.outgoing())] == [("unbind_resp", 6)]


def test_who_says_goodbye_is_not_waited_for_until_an_answer_is_late() -> None:
    """What is lost with its connection is sent again; what has no answer in time is not."""
    pair = bound(response_timeout=10)
    pair.esme.request("submit_sm", 0)
    pair.esme.receive(encode(PDU("unbind", 5)), 9)
    pair.esme.tick(10)
    assert [type(event) for event in pair.esme.events()] == [Unbound]
    assert pair.esme.in_flight == 1


def test_what_a_closed_session_still_hears_are_answers() -> None:
    pair = bound()
    sequence = pair.esme.request("submit_sm", 0)
    pair.esme.close()
    said = PDU("deliver_sm", 6), PDU("submit_sm_resp", sequence)
    pair.esme.receive(b"".join(map(encode, said)), 0)
    assert [type(event) for event in pair.esme.events()] == [Answered]


def test_a_late_answer_of_the_owner_harms_nobody() -> None:
    pair = bound()
    pair.mc.request("deliver_sm", 0)
    pair.carry()
    (request,) = received(pair.esme)
    pair.esme.close()
    pair.esme.answer(request)
    assert (pair.esme.outgoing(), pair.esme.unanswered) == (b"", 0)


def test_a_request_may_be_ignored() -> None:
    pair = bound()
    pair.esme.request("submit_sm", 0)
    pair.carry()
    (request,) = received(pair.mc)
    pair.mc.ignore(request)
    assert (pair.mc.unanswered, pair.mc.outgoing()) == (0, b"")


# --- table 2-1 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", State)
def test_only_what_the_table_allows_is_said_and_heard(role: Role, state: State) -> None:
    for name in MAY_SAY[role]:
        session = put(role, state)
        if state in MAY_SAY[role][name]:
            assert session.request(name, 0) == 1
        else:
            with pytest.raises(StateError):
                session.request(name, 0)
        session = put(role, state)
        session.receive(encode(PDU(name, 5)), 0)
        refusals = [pdu.status for pdu in frames(session.outgoing()) if pdu.status]
        verdict = VERDICTS[role, state, name]
        assert (verdict == 0) == (state in MAY_HEAR[role][name])
        assert refusals == ([verdict] if verdict and state is not State.CLOSED else [])


VERDICT = [
    (Role.MC, State.BOUND_TRX, "submit_sm", "ESME_ROK"),
    (Role.MC, State.OPEN, "submit_sm", "ESME_RINVBNDSTS"),
    (Role.MC, State.BOUND_RX, "submit_sm", "ESME_RINVBNDSTS"),
    (Role.MC, State.UNBINDING, "submit_sm", "ESME_ROK"),
    (Role.MC, State.BOUND_RX, "bind_transmitter", "ESME_RALYBND"),
    (Role.MC, State.BOUND_RX, "deliver_sm", "ESME_RINVCMDID"),
    (Role.MC, State.OPEN, "enquire_link", "ESME_ROK"),
    (Role.ESME, State.BOUND_TX, "deliver_sm", "ESME_ROK"),
    (Role.ESME, State.OPEN, "deliver_sm", "ESME_RINVBNDSTS"),
    (Role.ESME, State.BOUND_TRX, "submit_sm", "ESME_RINVCMDID"),
    (Role.ESME, State.OPEN, "bind_receiver", "ESME_RINVCMDID"),
    (Role.ESME, State.BOUND_RX, "outbind", "ESME_RINVBNDSTS"),
]


@pytest.mark.parametrize(("role", "state", "name", "status"), VERDICT)
def test_how_a_request_is_heard(role: Role, state: State, name: str, status: str) -> None:
    session = put(role, state)
    session.receive(encode(PDU(name, 5, fields={"source_addr": "1"} if name == "alert_notification" else {})), 0)
    refusals = [pdu.status for pdu in frames(session.outgoing()) if pdu.status]
    assert refusals == ([NUMBERS[status]] if NUMBERS[status] else [])


def test_a_second_bind_while_the_first_waits_is_refused() -> None:
    session = Session(Role.MC, 0)
    session.receive(encode(PDU("bind_receiver", 1)) + encode(PDU("bind_receiver", 2)), 0)
    assert len(session.events()) == 1
    assert [(pdu.sequence, pdu.status) for pdu in frames(session.outgoing())] == [(2, NUMBERS["ESME_RALYBND"])]


def test_outbind_and_alert_want_no_answer() -> None:
    session = Session(Role.ESME, 0)
    session.receive(encode(PDU("outbind", 1)), 0)
    assert [pdu.name for pdu in received(session)] == ["outbind"]
    assert session.unanswered == 0
    mc = put(Role.MC, State.BOUND_RX)
    mc.request("alert_notification", 0)
    assert mc.pending == []


# --- what makes no sense ----------------------------------------------------------------------------------------------


def command(command_id: int, body: bytes = b"") -> bytes:
    return struct.pack(">IIII", 16 + len(body), command_id, 0, 5) + body


CUT_REPLACEMENT = encode(PDU("replace_sm", fields={"short_message": b"hello"}))[16:-6]
NONSENSE: list[tuple[str, bytes, str, str]] = [
    ("no body", command(4), "submit_sm_resp", "ESME_RINVCMDLEN"),
    ("no text", command(7, CUT_REPLACEMENT), "replace_sm_resp", "ESME_RINVCMDLEN"),
    ("broadcast_sm of SMPP 5.0", command(0x111, bytes(20)), "generic_nack", "ESME_RINVCMDID"),
    ("query_broadcast_sm", command(0x112), "generic_nack", "ESME_RINVCMDID"),
    ("cancel_broadcast_sm", command(0x113), "generic_nack", "ESME_RINVCMDID"),
    ("of a vendor", command(0x10200), "generic_nack", "ESME_RINVCMDID"),
    ("no body, and no response to say so", command(0x102), "generic_nack", "ESME_RINVCMDLEN"),
]


@pytest.mark.parametrize(("octets", "name", "status"), [c[1:] for c in NONSENSE], ids=[c[0] for c in NONSENSE])
def test_nonsense_is_refused_and_the_session_goes_on(octets: bytes, name: str, status: str) -> None:
    session = put(Role.MC, State.BOUND_TRX)
    session.receive(octets, 0)
    (answer,) = frames(session.outgoing())
    assert (answer.name, answer.sequence, answer.status) == (name, 5, NUMBERS[status])
    assert session.events() == []
    assert session.state is State.BOUND_TRX


def test_an_unknown_response_is_not_answered() -> None:
    session = put(Role.MC, State.BOUND_TRX)
    session.receive(command(0x80000111), 0)
    assert [type(event) for event in session.events()] == [Stray]
    assert session.outgoing() == b""


@pytest.mark.parametrize("length", [0, 15, 64 * 1024 + 1, 0x47455420])
def test_a_length_that_cannot_be_ends_the_session(length: int) -> None:
    session = put(Role.MC, State.BOUND_TRX)
    session.receive(encode(PDU("enquire_link", 4)) + struct.pack(">IIII", length, 4, 0, 5), 0)
    alive, nack = frames(session.outgoing())
    assert alive.name == "enquire_link_resp"
    assert (nack.name, nack.sequence, nack.status) == ("generic_nack", 5, NUMBERS["ESME_RINVCMDLEN"])
    assert [type(event) for event in session.events()] == [Broken]
    assert session.state is State.CLOSED


@given(st.lists(any_pdu, min_size=1, max_size=5), st.integers(0, 2**32), st.sampled_from(Role), st.sampled_from(State))
def test_hostile_octets_raise_nothing(pdus: list[PDU], seed: int, role: Role, state: State) -> None:
    chance = random.Random(seed)
    octets = bytearray(b"".join(map(encode, pdus)))
    for _ in range(chance.randrange(8)):
        octets[chance.randrange(len(octets))] = chance.randrange(256)
    session = put(role, state)
    at = 0
    while at < len(octets):
        size = chance.randrange(1, 200)
        session.receive(bytes(octets[at : at + size]), 0)
        at += size
    session.tick(1)
    for event in session.events():
        if isinstance(event, Received) and event.request.name in REQUESTS:
            session.answer(event.request)
    frames(session.outgoing())


@given(st.binary(max_size=400))
def test_noise_raises_nothing(octets: bytes) -> None:
    session = Session(Role.MC, 0)
    session.receive(octets, 0)
    frames(session.outgoing())


# --- sequence numbers -------------------------------------------------------------------------------------------------


def test_sequence_numbers_begin_anew_and_pass_over_those_that_wait() -> None:
    pair = bound()
    assert pair.esme.request("submit_sm", 0) == 2
    pair.esme._asked.last = MAX_SEQUENCE - 1
    assert [pair.esme.request("submit_sm", 0) for _ in range(4)] == [MAX_SEQUENCE, 1, 3, 4]


def test_nor_do_they_meet_a_probe_or_a_request_that_may_be_answered_late() -> None:
    pair = bound(response_timeout=10, enquire_link=5)
    late = pair.esme.request("submit_sm", 0)
    pair.esme.receive(encode(PDU("deliver_sm", 1)), 6)
    pair.esme.tick(11)
    probe = late + 1
    assert [pdu.sequence for pdu in frames(pair.esme.outgoing()) if pdu.name == "enquire_link"] == [probe]
    pair.esme._asked.last = late - 1
    assert pair.esme.request("submit_sm", 11) == probe + 1


def test_a_peer_may_number_as_it_likes() -> None:
    session = put(Role.MC, State.BOUND_TRX)
    session.receive(encode(PDU("submit_sm", 0)) + encode(PDU("submit_sm", 0xFFFFFFFF)), 0)
    for request in received(session):
        session.answer(request)
    assert [pdu.sequence for pdu in frames(session.outgoing())] == [0, 0xFFFFFFFF]


def test_every_command_has_its_place_in_the_table() -> None:
    asked = {name for name in COMMAND_IDS if not name.endswith("_resp") and name != "generic_nack"}
    assert asked == MAY_SAY[Role.ESME].keys()


def test_events_are_told_once() -> None:
    pair = Pair()
    pair.bind()
    first: list[Event] = pair.esme.events()
    assert (len(first), pair.esme.events()) == (1, [])
