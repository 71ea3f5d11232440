"""The tape of a session: the octets of each PDU, however they come in."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from messagehub.carriers.carrier import Accepted, Receipt
from messagehub.carriers.wire import RESPONSE_TO, SUBMIT, Tape, TapedSession
from messagehub.smpp import PDU, Role, Session, decode, encode
from tests.carriers.rig import pair

FRAMES = [
    encode(PDU("submit_sm_resp", 1, 0, {"message_id": "a"})),
    encode(PDU("deliver_sm", 1, 0, {"short_message": b"one"})),
    encode(PDU("deliver_sm", 1, 0, {"short_message": b"another of the same number"})),
    encode(PDU("submit_sm_resp", 2, 0x58)),
    encode(PDU("deliver_sm", 7, 0, {"short_message": b"x" * 200})),
]


def taped() -> tuple[Tape, TapedSession]:
    tape = Tape()
    return tape, TapedSession(tape, Role.ESME, 0.0, enquire_link=30, response_timeout=30)


@given(st.lists(st.integers(1, len(b"".join(FRAMES)) - 1), max_size=12))
def test_each_pdu_is_on_the_tape_once_it_is_read_whole(cuts: list[int]) -> None:
    stream, tape, seen = b"".join(FRAMES), Tape(), []
    places = sorted({0, *cuts, len(stream)})
    for start, end in pairwise(places):
        tape.read(stream[start:end])
        seen += [tape.response(sequence) for sequence in tape.responses]
        seen += [tape.request(sequence) for sequence in (1, 1, 7)]
    assert sorted(filter(None, seen)) == sorted(FRAMES)
    assert tape.request(1) == tape.response(99) == b""


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=10))
def test_nonsense_is_borne(chunks: list[bytes]) -> None:
    tape = Tape()
    for chunk in chunks:
        tape.read(chunk)


def test_what_is_written_is_what_an_untaped_session_writes() -> None:
    tape, session = taped()
    plain = Session(Role.ESME, 0.0, enquire_link=30, response_timeout=30)
    written = []
    for each in (session, plain):
        octets = b""
        speak(each)
        octets += each.outgoing()
        each.receive(encode(PDU("enquire_link", 9)), 1.0)
        each.request("submit_sm", 1.0, {"short_message": b"Hello"})
        written.append(octets + each.outgoing() + each.outgoing())
    assert written[0] == written[1]
    assert decode(tape.said).fields["short_message"] == b"Hello"


async def test_an_outcome_has_what_was_on_the_wire_and_a_receipt_its_own_pdu() -> None:
    async with pair() as (ours, _):
        ours.send(words="x" * 400)  # three parts
        (accepted,) = await ours.heard(Accepted)
        kinds = [step[1] for step in accepted.steps]
        assert kinds == [SUBMIT] * 3 + [RESPONSE_TO] * 3
        assert [step[2] for step in accepted.steps] == [0, 1, 2] * 2
        submits, responses = accepted.steps[:3], accepted.steps[3:]
        numbers = [decode(step[4]).sequence for step in submits]
        assert [decode(step[4]).sequence for step in responses] == numbers
        assert [decode(step[4]).fields["message_id"] for step in responses] == accepted.names
        for receipt in await ours.heard(Receipt, 3):
            assert receipt.sight is not None
            assert receipt.name.encode() in receipt.sight[2]
            assert receipt.sight[1] == submits[0][3]
        assert [step[0] for step in accepted.steps] == sorted(step[0] for step in accepted.steps)


async def test_without_a_tape_nothing_is_seen() -> None:
    async with pair(taped=False) as (ours, _):
        ours.send()
        (accepted,) = await ours.heard(Accepted)
        (receipt,) = await ours.heard(Receipt)
        assert (accepted.steps, receipt.sight) == ([], None)


def speak(session: Any) -> None:
    """Binds it."""
    sequence = session.request("bind_transceiver", 0.0, {"system_id": "me"})
    session.receive(encode(PDU("bind_transceiver_resp", sequence, 0, {"system_id": "it"})), 0.5)
