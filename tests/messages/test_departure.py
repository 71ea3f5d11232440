"""What goes with a customer that is deleted, and what stays."""

from functools import partial
from typing import Literal

import pytest

from messagehub import clock
from messagehub.carriers.carrier import Accepted
from messagehub.errors import Refusal
from messagehub.messages import acts
from messagehub.messages.departure import Departure, Keeper
from messagehub.messages.reading import LAST_ID
from messagehub.shapes import MediaGiven
from messagehub.uploads import Uploads
from messagehub.webhooks.conclude import drop_waiting
from tests.media.samples import SAMPLES
from tests.messages.house import ANNE, SOURCE, House
from tests.messages.queued import queue


def uploads(house: House) -> Uploads:
    return Uploads(house.store, house.blobs, house.published, 1_000_000)


def departure(house: House) -> Departure:
    keepers: list[Keeper] = [house.limits, house.sender_rules, house.pools]
    drop_events = partial(drop_waiting, house.store)
    return Departure(
        house.store, house.customers, house.numbers, keepers, house.actor, drop_events, uploads(house).drop_all
    )


async def test_all_that_is_queued_is_canceled_and_what_was_handed_over_goes_its_way(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "BATCH", 2)
    await house.fill(1)
    (handed,) = await house.handed()
    waiting = [await queue(house) for _ in range(5)]
    others = await queue(house, customer_id="somebody else")
    gone = await departure(house).of(house.customer.id, clock.now())
    assert gone.tm_delete == gone.tm_update
    assert [(row.status, row.error_code) for row in [await house.row(key) for key in waiting]] == [
        ("failed", "canceled")
    ] * 5
    assert (await house.row(others)).status == "queued"
    house.peer.tell(Accepted(handed, ["n"]))
    await house.until(handed, "sent")
    for key in [handed, *waiting]:
        assert await house.steps(key[0]) == []  # nobody is told


async def test_its_numbers_are_free_and_it_is_told_nothing(house: House) -> None:
    assert house.customer.wants("message_received")
    await departure(house).of(house.customer.id, clock.now())
    assert await house.numbers.find(house.store, SOURCE) is None
    gone = await house.customers.get(house.store, house.customer.id)
    assert not gone.wants("message_received")
    with pytest.raises(Refusal, match="RESOURCE_NOT_FOUND"):
        await house.customers.living(house.customer.id)


async def test_who_is_gone_cannot_go_or_change(house: House) -> None:
    await departure(house).of(house.customer.id, clock.now())
    with pytest.raises(Refusal, match="RESOURCE_NOT_FOUND"):
        await departure(house).of(house.customer.id, clock.now())
    with pytest.raises(Refusal, match="RESOURCE_NOT_FOUND"):
        await house.change(name="x")


async def test_its_uploads_are_gone_and_contents_that_others_have_stay(house: House) -> None:
    known, octets, owners = uploads(house), SAMPLES["jpeg"], (house.customer.id, "somebody else")
    for owner in owners:
        async with known.receiving(owner) as receiving:
            await receiving.write(octets)
            await known.add(owner, receiving, "image/jpeg", "cat.jpg", clock.now())
    await departure(house).of(house.customer.id, clock.now())
    left = [await known.page(owner, clock.now(), LAST_ID, 9) for owner in owners]
    assert [len(page) for page in left] == [0, 1]
    assert await house.blobs.read(left[1][0].digest) == octets


@pytest.mark.parametrize("fallback", ["", "link"])
async def test_what_waits_for_its_media_is_canceled(house: House, fallback: Literal["", "link"]) -> None:
    """Also what might have gone as an SMS, though nobody takes MMS there."""
    message = await house.send(ANNE, medias=[MediaGiven("http://127.0.0.1:9/cat.jpg")], fallback=fallback)
    await departure(house).of(house.customer.id, clock.now())
    row = await house.row((message.id, 0))
    assert (row.status, row.error_code) == ("failed", "canceled" if fallback else "no_route")
