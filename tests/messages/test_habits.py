"""What carriers make of their ids: as their config says, or as their receipts teach."""

from typing import Any

import pytest

from messagehub import clock
from messagehub.carriers.book import Carriers
from messagehub.carriers.carrier import Accepted, Receipt
from messagehub.clock import SECOND
from messagehub.messages import receipts
from messagehub.messages.habits import Habits
from messagehub.messages.receipts import Wanted
from messagehub.sealing import Sealer
from messagehub.store import Tx
from tests.messages.house import ANNE, BERT, CARL, House, eventually_so
from tests.messages.peer import Peer

UUID = "01930e2b-9c5a-7d40-8a11-0242ac120002"


async def learnt(house: House) -> str:
    return (await Carriers(house.store, Sealer()).get(house.carrier_id)).receipt_id_learnt


async def swept_until(house: House, key: tuple[str, int], status: str) -> None:
    async def is_so() -> bool:
        await house.sweeper.sweep()
        return bool((await house.row(key)).status == status)

    await eventually_so(is_so, f"{key} {status}")


async def given_up(house: House, *parked: Receipt) -> None:
    """Receipts for which nobody looks any more."""

    async def park(tx: Tx) -> None:
        await receipts.park(tx, house.carrier_id, parked, clock.now() - receipts.SWEEPS[-1] * SECOND)
        for row in await tx.all("parked_due", now=clock.now(), count=100):
            await tx.run("park_longer", id=row.id, sweeps=len(receipts.SWEEPS), due_at=None)

    await house.store.transaction(park)


async def parked(house: House) -> list[receipts.Unmatched]:
    return await receipts.unmatched(house.store, Wanted(carrier_id=house.carrier_id), "g", 100)


# --- as configured

CONFIGURED = [  # receipt_id, ids of response and receipt
    ("any_case", "0a1b", "0A1B"),
    ("any_case", UUID.upper(), UUID),
    ("without_zeros", "0000029095", "29095"),
    ("without_zeros", "29095", "0000029095"),
    ("hex_to_dec", "33E95179", "870928761"),
    ("hex_to_dec", "0000001f", "31"),
    ("hex_to_dec", UUID, UUID),
    ("dec_to_hex", "870928761", "33e95179"),
    ("dec_to_hex", "31", "0000001F"),
]


@pytest.mark.parametrize(("rule", "response", "receipt"), CONFIGURED)
async def test_a_receipt_finds_its_segment_as_the_config_says(
    house: House, rule: str, response: str, receipt: str
) -> None:
    await house.configure(receipt_id=rule)
    key = await house.accepted(names=[response])
    await house.receipt(receipt, "delivered")
    assert await house.statuses(key[0]) == ["delivered"]


@pytest.mark.parametrize(("rule", "response", "receipt"), CONFIGURED)
async def test_so_does_one_that_overtook_the_response(house: House, rule: str, response: str, receipt: str) -> None:
    await house.configure(receipt_id=rule)
    (key,) = await house.handed()
    await house.receipt(receipt, "delivered")
    house.peer.tell(Accepted(key, [response]))
    await house.until(key, "delivered")
    assert await house.steps(key[0]) == [(1, ["sent"]), (2, ["delivered"])]


async def test_where_ids_stay_as_they_are_nothing_else_is_tried(house: House) -> None:
    await house.configure(receipt_id="as_is")
    key = await house.accepted(names=["33E95179"])
    for name in ("870928761", "33e95179", "033E95179"):
        await house.receipt(name, "delivered")
    await house.sweeper.sweep()
    assert await house.statuses(key[0]) == ["sent"]
    assert await learnt(house) == ""
    await house.receipt("33E95179", "delivered")
    assert await house.statuses(key[0]) == ["delivered"]


async def test_where_the_base_changes_an_equal_id_is_anothers(house: House) -> None:
    await house.configure(receipt_id="hex_to_dec")
    ten, sixteen = await house.accepted(names=["10"]), await house.accepted(names=["16"])
    await house.receipt("16", "delivered")
    assert [(await house.row(key)).status for key in (ten, sixteen)] == ["delivered", "sent"]
    await house.receipt("22", "delivered")
    assert (await house.row(sixteen)).status == "delivered"


async def test_one_that_stops_changing_the_base_is_understood_by_the_destination(house: House) -> None:
    await house.configure(receipt_id="hex_to_dec")
    key = await house.accepted(names=["870928761"])
    await house.receipt("870928761", "delivered", BERT)
    assert await house.statuses(key[0]) == ["sent"]
    await house.receipt("870928761", "delivered")
    assert await house.statuses(key[0]) == ["delivered"]


# --- as learnt


async def test_what_a_carrier_makes_of_ids_is_learnt_from_its_receipts(house: House) -> None:
    first = await house.accepted(names=["33E95179"])
    await house.receipt("870928761", "delivered")
    assert await house.statuses(first[0]) == ["sent"]
    await swept_until(house, first, "delivered")
    assert await learnt(house) == "hex_to_dec"
    second = await house.accepted(BERT, names=["33E9517A"])
    await house.receipt("870928762", "delivered", BERT)  # from now on at once
    assert await house.statuses(second[0]) == ["delivered"]
    assert await parked(house) == []
    assert (await Habits(house.store).of(house.store, house.carrier_id)).rule.name == "hex_to_dec"  # another node


async def test_from_short_ids_it_takes_two_and_what_was_given_up_is_found_then(house: House) -> None:
    first, second = await house.accepted(ANNE, names=["1f"]), await house.accepted(BERT, names=["2a"])
    await given_up(house, Receipt("31", "delivered", "", ANNE))
    third = await house.accepted(CARL, names=["3b"])
    await house.sweeper.sweep()
    assert await learnt(house) == ""
    await house.receipt("42", "undelivered", BERT)
    await swept_until(house, second, "failed")
    assert await learnt(house) == "hex_to_dec"
    await swept_until(house, first, "delivered")
    assert (await house.row(third)).status == "sent"
    assert await parked(house) == []


async def test_nothing_is_learnt_from_a_receipt_for_somebody_else(house: House) -> None:
    key = await house.accepted(names=["33E95179"])
    await given_up(house, Receipt("870928761", "delivered", "", BERT))
    await house.receipt("870928760", "delivered", ANNE)

    async def was_tried() -> bool:
        await house.sweeper.sweep()
        rows = await house.store.all("parked_page", carrier_id=house.carrier_id, before="g", after="", count=9)
        return all(row.sweeps for row in rows)

    await eventually_so(was_tried)
    assert await learnt(house) == ""
    assert await house.statuses(key[0]) == ["sent"]
    assert len(await parked(house)) == 2


async def test_that_ids_stay_as_they_are_is_learnt_too_and_does_not_keep_it_from_learning_more(house: House) -> None:
    key = await house.accepted(names=["870928761"])
    await house.receipt("870928761", "delivered")
    assert (await house.row(key)).status == "delivered"
    assert await learnt(house) == "as_is"
    changed = await house.accepted(BERT, names=["870928762"])
    await house.receipt("33E9517A", "delivered", BERT)
    await swept_until(house, changed, "delivered")
    assert await learnt(house) == "dec_to_hex"


async def test_ids_that_are_uuids_are_left_alone_but_for_their_case(house: House) -> None:
    key = await house.accepted(names=[UUID])
    await house.receipt(UUID.upper(), "delivered")
    await swept_until(house, key, "delivered")
    assert await learnt(house) == "any_case"


@pytest.mark.parametrize("change", [{"host": "new.test"}, {"port": 2776}, {"system_id": "other"}])
async def test_what_was_learnt_of_one_message_centre_is_not_held_of_the_next(
    house: House, change: dict[str, Any]
) -> None:
    await house.accepted(names=["870928761"])
    await house.receipt("870928761", "delivered")
    assert (await house.configure(window=20)).receipt_id_learnt == "as_is"
    assert (await house.configure(**change)).receipt_id_learnt == ""
    assert await learnt(house) == ""


async def test_what_was_given_up_is_looked_for_anew_when_the_operator_knows_better(house: House) -> None:
    key = await house.accepted(names=["1f"])
    await given_up(house, Receipt("31", "delivered", "", ANNE))
    await house.sweeper.sweep()
    assert await house.statuses(key[0]) == ["sent"]
    await house.configure(receipt_id="hex_to_dec")
    await swept_until(house, key, "delivered")


# --- from another bind, or another node


async def test_a_receipt_may_come_to_another_node(house: House) -> None:
    there = Peer(window=0)
    house.outbox.shared = True
    await house.open(there, "there")
    key = await house.accepted(names=["n"])
    (early,) = await house.handed(BERT)
    there.tell(Receipt("n", "delivered", "", ANNE, "late"), Receipt("m", "delivered", "", BERT, "early"))
    await house.until(key, "delivered")
    assert (await house.row(early)).status == "handed"
    house.peer.tell(Accepted(early, ["m"]))
    await house.until(early, "delivered")
    assert await house.steps(early[0]) == [(1, ["sent"]), (2, ["delivered"])]
