"""Messages with media: what befalls them while they wait for these, and who works on them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from messagehub import clock
from messagehub.blobs import PARTS
from messagehub.carriers.carrier import TargetKey
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Unavailable
from messagehub.media import addresses
from messagehub.messages import media
from messagehub.shapes import Message
from messagehub.store import Store
from tests.media.samples import SAMPLES
from tests.messages.house import ANNE, BERT, House, eventually, eventually_so
from tests.messages.mms_house import OTHER, MMSHouse, mms_house
from tests.support.outage import Outage

JPEG = SAMPLES["jpeg"]
HOUR, DAY = 3600 * SECOND, 24 * 3600 * SECOND


@pytest.fixture
async def house(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MMSHouse]:
    async with mms_house(store, monkeypatch) as opened:
        yield opened


# --- while it waits ---------------------------------------------------------------------


@pytest.fixture
async def held(house: MMSHouse) -> Message:
    """A message to two whose picture is long in coming."""
    house.gallery.waits.clear()
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG), to=(ANNE, BERT), validity=1000)
    await eventually(lambda: house.gallery.asked)
    return sent


async def test_it_can_be_canceled(house: MMSHouse, held: Message) -> None:
    await house.actor.cancel(house.customer.id, held.id)
    house.gallery.waits.set()
    await eventually_so(house.nothing_waits)
    assert [one.error_code for one in (await house.seen(held.id)).targets] == ["canceled"] * 2


async def test_it_can_be_deleted(house: MMSHouse, held: Message) -> None:
    await house.actor.delete(house.customer.id, held.id)
    house.gallery.waits.set()
    await eventually_so(house.nothing_waits)
    assert await house.statuses(held.id) == ["failed"] * 2


async def test_it_can_be_given_another_time(house: MMSHouse, held: Message) -> None:
    at = clock.now() + HOUR
    moved = await house.actor.reschedule(house.customer.id, held.id, clock.iso(at))
    assert [one.hold_reason for one in moved.targets] == ["media"] * 2
    house.gallery.waits.set()
    await eventually_so(lambda: house.holds(held, "scheduled"))
    row = await house.row((held.id, 0))
    assert row.due_at == at
    assert [one.type for one in (await house.seen(held.id)).medias] == ["image/jpeg"]
    assert not house.mms.handed


def wanted_until(house: MMSHouse, octets: bytes) -> int:
    return house.blobs.path(addresses.digest(octets)).stat().st_mtime_ns // 1000


async def test_its_media_are_kept_until_the_time_that_it_is_given_while_it_waits_for_them(
    house: MMSHouse, held: Message
) -> None:
    at = clock.now() + 60 * DAY
    await house.actor.reschedule(house.customer.id, held.id, clock.iso(at))
    house.gallery.waits.set()
    await eventually_so(lambda: house.holds(held, "scheduled"))
    await eventually(lambda: wanted_until(house, JPEG) > at)


async def test_its_media_are_kept_until_the_time_that_it_is_given_when_they_are_there(house: MMSHouse) -> None:
    now = clock.now()
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG), schedule_at=clock.iso(now + HOUR))
    await eventually_so(lambda: house.holds(sent, "scheduled"))
    at = now + 60 * DAY
    await house.actor.reschedule(house.customer.id, sent.id, clock.iso(at))
    assert wanted_until(house, JPEG) > at


async def test_it_expires(house: MMSHouse) -> None:
    house.gallery.waits.clear()
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG), validity=1)

    async def expired() -> bool:
        await house.sweeper.sweep()
        return bool((await house.row((sent.id, 0))).error_code == "expired")

    await eventually_so(expired)
    house.gallery.waits.set()
    await eventually_so(house.nothing_waits)


async def test_who_says_stop_meanwhile_gets_nothing(house: MMSHouse, held: Message) -> None:
    await house.stop(ANNE)
    house.gallery.waits.set()
    (handed,) = await eventually(lambda: house.mms.handed)
    assert handed.destination == BERT
    assert (await house.until((held.id, 0), "failed")).error_code == "opted_out"


async def test_a_customer_that_goes_leaves_nothing(house: MMSHouse, held: Message) -> None:
    await house.actor.cancel_all(house.customer.id)
    assert await house.statuses(held.id) == ["failed"] * 2


# --- who works on it --------------------------------------------------------------------


async def test_what_a_dead_node_was_at_another_does(house: MMSHouse) -> None:
    await house.preparer.stop()
    picture = house.gallery.show("/cat.jpg", JPEG)
    sent = await house.send_media(picture)
    row = (await house.store.all("claim_preparations", now=NEVER, count=1, holder="", share=1))[0]
    gone = {"message_id": row.message_id, "holder": "gone", "due_at": NEVER, "attempts": 1}
    await house.store.many("take_preparation", [gone])
    house.preparer = house.preparer_of("here")
    house.preparer.start()
    await house.until((sent.id, 0), "handed")


async def test_two_nodes_do_each_message_once(house: MMSHouse) -> None:
    other = house.preparer_of("there")
    await house.store.run("keep_lease", id="there", name="", works=1, tm_lease=NEVER)
    other.start()
    pictures = [house.gallery.show(f"/{n}.jpg", JPEG) for n in range(40)]
    await asyncio.gather(*(house.send_media(picture) for picture in pictures))
    await eventually(lambda: len(house.mms.handed) == 40)
    assert len({handed.key for handed in house.mms.handed}) == 40
    await other.stop()


async def test_one_that_ends_in_order_leaves_its_work_to_others(house: MMSHouse) -> None:
    house.gallery.waits.clear()
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG))
    await eventually(lambda: house.gallery.asked)
    await house.preparer.stop()
    (row,) = await house.store.all("claim_preparations", now=clock.now(), count=10, holder="", share=1)
    assert row.attempts == 0
    house.gallery.waits.set()
    house.preparer = house.preparer_of("here")
    house.preparer.start()
    await house.until((sent.id, 0), "handed")


async def test_one_customer_holds_up_no_other(house: MMSHouse) -> None:
    house.gallery.waits.clear()
    slow = [house.gallery.show(f"/{n}.jpg", JPEG) for n in range(media.AT_ONCE)]
    await asyncio.gather(*(house.send_media(picture) for picture in slow))
    await eventually(lambda: house.gallery.asked)
    url = await house.keep(JPEG)
    other = await house.another_customer()
    sent = await house.acceptor.accept(other, house.given(url, fallback="link", source=OTHER))
    await house.until((sent.id, 0), "handed")
    await eventually(lambda: len(house.mms.handed) == 1)


async def test_a_customer_is_not_behind_all_that_another_has_waiting(house: MMSHouse) -> None:
    await house.preparer.stop()
    house.gallery.waits.clear()
    slow = [house.gallery.show(f"/{n}.jpg", JPEG) for n in range(3 * media.LOOKED_AT)]
    await asyncio.gather(*(house.send_media(picture) for picture in slow))
    other, url = await house.another_customer(), await house.keep(JPEG)
    sent = await house.acceptor.accept(other, house.given(url, fallback="link", source=OTHER))
    house.preparer = house.preparer_of("here")
    await house.preparer.turn()
    await eventually(lambda: house.mms.handed)
    assert [handed.key for handed in house.mms.handed] == [(sent.id, 0)]


async def test_what_ends_the_process_again_and_again_is_given_up(house: MMSHouse) -> None:
    await house.preparer.stop()
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG))
    often = {"message_id": sent.id, "holder": "", "due_at": 0, "attempts": media.MOST_ATTEMPTS}
    await house.store.many("take_preparation", [often])
    house.preparer = house.preparer_of("here")
    house.preparer.start()
    assert (await house.failed(sent))[0] == "media_broken"
    assert not house.gallery.asked


async def _is_handed(house: House, key: TargetKey) -> bool:
    """The store may be away a little longer than its outage."""
    try:
        return bool((await house.row(key)).status == "handed")
    except Unavailable:
        return False


async def test_a_store_that_cannot_write_only_delays_it(house: MMSHouse, outage: Outage) -> None:
    house.gallery.waits.clear()
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG))
    await eventually(lambda: house.gallery.asked)
    async with outage():
        house.gallery.waits.set()
        await asyncio.sleep(0.2)
    await eventually_so(lambda: _is_handed(house, (sent.id, 0)))


async def test_what_a_claim_took_whose_commit_was_not_heard_of_is_taken_again(
    house: MMSHouse, outage: Outage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its row has the name of a node that lives and knows nothing of it."""
    await house.preparer.stop()
    first, other = [await house.send_media(house.gallery.show(f"/{n}.jpg", JPEG)) for n in range(2)]
    gone = {"message_id": first.id, "holder": "here", "due_at": NEVER, "attempts": 1}
    await house.store.many("take_preparation", [gone])
    monkeypatch.setattr(media, "POLL_S", 0.01)
    house.preparer = house.preparer_of("here")
    async with outage():
        house.preparer.start()
        await eventually(lambda: house.preparer._is_unsure)
        told = len(caplog.records)
        await eventually(lambda: len(caplog.records) > told, "the claim failed")
    await eventually_so(lambda: _is_handed(house, (other.id, 0)))
    await house.until((first.id, 0), "handed")


async def test_a_disk_that_is_full_uses_up_no_tries(
    house: MMSHouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(media, "SOON", SECOND // 100)
    monkeypatch.setattr(media, "LATEST", SECOND // 50)
    monkeypatch.setattr(media, "POLL_S", 0.01)
    await house.preparer.stop()
    house.preparer = house.preparer_of("here")
    incoming = house.media / PARTS
    incoming.write_text("no folder")
    house.preparer.start()
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG))
    await eventually(lambda: house.gallery.asked["/cat.jpg"] > media.MOST_ATTEMPTS + 2)
    incoming.unlink()
    await house.until((sent.id, 0), "handed")
    assert len([one for one in caplog.records if "wait for the store, or for their disk" in one.message]) == 1


def test_the_longer_a_disk_is_full_the_more_seldom_media_are_fetched_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MOST_DELAYED", 2)
    delays, now, pauses = media.Delays(), 0, list[int]()
    for _ in range(10):
        until = delays.next("first", now)
        pauses.append((until - now) // SECOND)
        now = until
    assert pauses == [1, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert delays.next("second", now) == now + SECOND
    assert delays.next("one more than are known", now) == now + 60 * SECOND
    delays.over("first")
    assert delays.next("first", now) == now + SECOND
    now += HOUR
    assert delays.next("when the others were done by other nodes", now) == now + SECOND
