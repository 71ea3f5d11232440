"""Receipts: which target each is about, and what it changes."""

from msgspec.structs import replace

from messagehub.carriers.carrier import Accepted, Receipt, Refused
from messagehub.clock import SECOND
from messagehub.messages import receipts
from messagehub.messages.reading import LAST_ID
from messagehub.store import Store, Tx
from messagehub.text import Profile
from tests.messages.house import ANNE, BERT, House

LONG = "x" * 400  # three parts


async def test_a_message_in_parts_is_delivered_when_all_parts_are(house: House) -> None:
    key = await house.accepted(names=["p0", "p1", "p2"], text=LONG)
    assert len(house.peer.handover(key).segments) == 3
    for name in ("p2", "p0", "p2"):
        await house.receipt(name, "delivered")
        assert await house.statuses(key[0]) == ["sent"]
    await house.receipt("p1", "delivered")
    assert await house.statuses(key[0]) == ["delivered"]
    assert await house.steps(key[0]) == [(1, ["sent"]), (2, ["delivered"])]


async def test_one_part_that_fails_fails_all_until_every_part_is_delivered_after_all(house: House) -> None:
    key = await house.accepted(names=["p0", "p1", "p2"], text=LONG)
    await house.receipt("p1", "expired", words="EXPIRED 003")
    row = await house.row(key)
    assert (row.status, row.error_code, row.error_message) == ("failed", "expired", "EXPIRED 003")
    for name in ("p0", "p2"):
        await house.receipt(name, "delivered")
        assert await house.statuses(key[0]) == ["failed"]
    await house.receipt("p1", "delivered")
    row = await house.row(key)
    assert (row.status, row.error_code, row.error_message) == ("delivered", "", "")
    await house.receipt("p1", "undelivered")
    assert await house.statuses(key[0]) == ["delivered"]


async def test_a_message_payload_has_one_receipt_whatever_the_message_centre_makes_of_it(house: House) -> None:
    house.peer.texts = Profile(concatenation="payload")
    key = await house.accepted(names=["p"], text=LONG)
    assert [segment.payload for segment in house.peer.handover(key).segments] == [3]
    await house.receipt("p", "undelivered")
    assert await house.statuses(key[0]) == ["failed"]
    await house.receipt("p", "delivered")
    assert await house.statuses(key[0]) == ["delivered"]


async def test_late_news_changes_nothing_or_corrects(house: House) -> None:
    cases = [  # the first receipt, the second, where it ends
        ("delivered", "undelivered", "delivered"),
        ("undelivered", "delivered", "delivered"),
        ("expired", "delivered", "delivered"),
        ("carrier_rejected", "delivered", "failed"),
        ("deleted", "delivered", "failed"),
        ("unknown", "delivered", "failed"),
        ("undelivered", "expired", "failed"),
        ("intermediate", "delivered", "delivered"),
        ("intermediate", "intermediate", "sent"),
    ]
    for n, (first, second, end) in enumerate(cases):
        key = await house.accepted(names=[f"n{n}"])
        await house.receipt(f"n{n}", first)
        before = await house.row(key)
        await house.receipt(f"n{n}", second)
        after = await house.row(key)
        assert after.status == end, (first, second)
        told = await house.steps(key[0])
        assert len(told) == after.sequence
        if after != before:
            assert after.sequence == before.sequence + 1


async def test_a_name_that_is_used_again_is_told_apart_by_the_destination(house: House) -> None:
    old = await house.accepted(ANNE, names=["n"])
    new = await house.accepted(BERT, names=["n"])
    await house.receipt("n", "delivered", ANNE)
    assert [(await house.row(key)).status for key in (old, new)] == ["delivered", "sent"]
    newest = await house.accepted(ANNE, names=["n"])
    await house.receipt("n", "delivered", "15550000000")
    assert [(await house.row(key)).status for key in (new, newest)] == ["sent", "delivered"]


async def test_an_accepted_target_without_a_name_is_sent_and_no_receipt_is_taken_for_its_own(house: House) -> None:
    key = await house.accepted(names=[""])
    await house.receipt("", "delivered")
    assert await house.statuses(key[0]) == ["sent"]


async def test_receipts_without_an_id_wait_as_they_are_however_many_answers_have_none(house: House) -> None:
    """What waits would be taken out, and parked anew, once for each of the answers."""
    for _ in range(3):
        keys = await house.handed(ANNE, BERT)
        house.peer.tell(*(Accepted(key, [""]) for key in keys))
        for key in keys:
            await house.until(key, "sent")
            await house.receipt("", "delivered")
    last = {"carrier_id": house.carrier_id, "before": LAST_ID, "after": "", "count": 1000}
    assert len(await house.store.all("parked_page", **last)) == 6


async def test_a_refused_target_has_no_receipts(house: House) -> None:
    (key,) = await house.handed()
    house.peer.tell(Refused(key, "rejected"))
    await house.until(key, "failed")
    await house.receipt("whatever", "delivered")
    assert await house.statuses(key[0]) == ["failed"]


async def test_what_only_looks_like_a_receipt_counts_for_the_number_that_it_comes_from(house: House) -> None:
    """Else anybody with a handset could say that another's message was not delivered."""
    key = await house.accepted(ANNE, names=["n"])
    for stranger in (BERT, "60001", "ACME", ""):
        await house.receipt("n", "undelivered", stranger, is_by_shape=True)
        assert await house.statuses(key[0]) == ["sent"]
    await house.receipt("n", "delivered", ANNE.replace("+44", "0"), is_by_shape=True)
    assert await house.statuses(key[0]) == ["delivered"]


async def test_nor_does_it_where_it_waited_for_the_response(house: House) -> None:
    (key,) = await house.handed(ANNE)
    await house.receipt("n", "undelivered", BERT, is_by_shape=True)
    await house.receipt("n", "intermediate", ANNE, is_by_shape=True)
    house.peer.tell(Accepted(key, ["n"]))
    await house.until(key, "sent")
    await house.receipt("n", "delivered", ANNE)
    assert await house.statuses(key[0]) == ["delivered"]
    assert await house.steps(key[0]) == [(1, ["sent"]), (2, ["delivered"])]


# --- parking


def plain(receipt: Receipt) -> Receipt:
    """As it was before it was parked."""
    return replace(receipt, sight=None, is_parked=False)


async def test_a_parked_receipt_is_tried_at_its_times_and_then_kept_for_days(store: Store) -> None:
    begin = 1_800_000_000 * SECOND
    receipt = Receipt("n", "delivered", "DELIVRD 000", ANNE)

    async def due(tx: Tx, now: int) -> list[receipts.Parked]:
        return (await receipts.due(tx, now, 10)).get("k", [])

    async def unit(tx: Tx) -> None:
        await receipts.park(tx, "k", [receipt], begin)
        for seconds in receipts.SWEEPS:
            assert await due(tx, begin + seconds * SECOND - 1) == []
            (parked,) = await due(tx, begin + seconds * SECOND)
            assert plain(parked.receipt) == receipt
            await receipts.swept(tx, [], [parked])
        assert await due(tx, begin + receipts.KEPT) == []
        assert await tx.all("old_parked", tm_before=begin, count=9) == []
        assert await receipts.unpark_for(tx, "other", ["n"]) == []
        assert await receipts.unpark_for(tx, "k", ["m"]) == []
        assert list(map(plain, await receipts.unpark_for(tx, "k", ["m", "n"]))) == [receipt]
        assert await receipts.unpark_for(tx, "k", ["n"]) == []

    await store.transaction(unit)


async def test_parked_receipts_apply_in_the_order_of_their_coming(house: House) -> None:
    (key,) = await house.handed()
    await house.receipt("n", "intermediate")
    await house.receipt("n", "expired")
    await house.receipt("n", "delivered")
    house.peer.tell(Accepted(key, ["n"]))
    await house.until(key, "delivered")
    assert await house.steps(key[0]) == [(1, ["sent"]), (2, ["failed"]), (3, ["delivered"])]
