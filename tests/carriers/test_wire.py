"""What was seen on the wire: the octets of each PDU, in the steps of handovers and with receipts."""

from messagehub.carriers.carrier import Accepted, Receipt
from messagehub.carriers.wire import RESPONSE_TO, SUBMIT
from messagehub.smpp import decode
from tests.carriers.rig import pair


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


async def test_nothing_is_seen_where_no_traces_are_kept() -> None:
    async with pair(taped=False) as (ours, _):
        ours.send()
        (accepted,) = await ours.heard(Accepted)
        (receipt,) = await ours.heard(Receipt)
        assert (accepted.steps, receipt.sight) == ([], None)
