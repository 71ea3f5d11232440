"""Messages with media: to which carrier they go, and as what where none takes them."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from msgspec import UNSET

from messagehub import clock
from messagehub.carriers.carrier import Accepted, Refused
from messagehub.clock import SECOND
from messagehub.shapes import DestinationGiven, MediaGiven
from messagehub.store import Store
from tests.media.samples import SAMPLES, film
from tests.messages.house import ANNE, BERT, HERE, eventually, eventually_so
from tests.messages.mms_house import MMSHouse, mms_house
from tests.messages.peer import Peer

JPEG, PDF = SAMPLES["jpeg"], SAMPLES["pdf"]


@pytest.fixture
async def house(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MMSHouse]:
    async with mms_house(store, monkeypatch) as opened:
        yield opened


async def test_without_a_carrier_for_mms_there_is_no_route(house: MMSHouse) -> None:
    await house.remove_mms()
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG))
    assert [(one.status, one.error_code) for one in sent.targets] == [("failed", "no_route")]
    assert sent.targets[0].error_message == "No route leads to a carrier that takes MMS to the destination."
    assert await house.waiting() == 0


async def linked(house: MMSHouse, words: str) -> list[bytes]:
    """What the links of a text lead to."""
    codes = [line.rpartition("/")[2] for line in words.splitlines() if line.startswith(HERE)]
    digests = [await house.links.find(code, clock.now()) for code in codes]
    return [await house.blobs.read(digest) for digest in digests if digest]


async def test_without_a_carrier_for_mms_a_link_goes_as_an_sms(house: MMSHouse) -> None:
    await house.remove_mms()
    urls = house.gallery.show("/cat.jpg", JPEG), house.gallery.show("/a.pdf", PDF)
    sent = await house.send_media(*urls, text="Look", subject="A cat", fallback="link", to=(ANNE, BERT))
    assert (sent.type, sent.fallback, [one.hold_reason for one in sent.targets]) == ("mms", "link", ["media"] * 2)
    await eventually(lambda: len(house.peer.handed) == 2)
    handed = house.peer.handed[0]
    assert handed.text.splitlines()[:2] == ["A cat", "Look"]
    assert await linked(house, handed.text) == [JPEG, PDF]
    assert (handed.media, handed.subject) == (None, "")
    assert "".join(segment.text for segment in handed.segments) == handed.text
    seen = await house.seen(sent.id)
    assert [(one.text, one.parts) for one in seen.targets] == [(handed.text, len(handed.segments))] * 2
    assert not house.mms.handed


async def test_who_is_sent_a_link_keeps_to_sms(house: MMSHouse) -> None:
    """Also when it is sent by another carrier, or once more."""
    await house.remove_mms()
    second, peer = await house.failover(), Peer()
    await house.open(peer, carrier_id=second)
    await house.send_media(house.gallery.show("/cat.jpg", JPEG), text="Look", fallback="link")
    (handed,) = await eventually(lambda: house.peer.handed)
    house.peer.tell(Refused(handed.key, "refused_here"))
    (again,) = await eventually(lambda: peer.handed)
    assert (again.text, again.media, len(again.segments)) == (handed.text, None, len(handed.segments))


async def test_a_text_of_its_own_is_kept_beside_the_link(house: MMSHouse) -> None:
    await house.remove_mms()
    picture = house.gallery.show("/cat.jpg", JPEG)
    to = DestinationGiven(target=ANNE, name="A.", variables={"name": "Anne"})
    given = {"medias": [MediaGiven(url=picture)], "fallback": "link"}
    sent = await house.send(to, text="Look, {{name}} ’", smart_encoding=True, **given)  # type: ignore
    (handed,) = await eventually(lambda: house.peer.handed)
    assert handed.text.startswith("Look, Anne '\nhttps://hub.test/m/")
    (target,) = (await house.seen(sent.id)).targets
    assert str(target.text).startswith("Look, Anne ’\n")
    assert (target.sent_text, target.destination.name) == (handed.text, "A.")


async def test_a_text_that_is_too_long_with_its_link_fails(house: MMSHouse) -> None:
    await house.remove_mms()
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG), text="a" * 1530, fallback="link")
    code, words = await house.failed(sent)
    assert (code, words) == ("media_too_large", "as an SMS with links it needs 11 segments, 10 are allowed")


async def test_the_first_carrier_that_the_media_fit_has_it(house: MMSHouse) -> None:
    large = house.gallery.show("/film.mp4", film(inside=bytes(400_000)))
    wide, peer = await house.add(octets=1_000_000, priority=2), Peer()
    await house.open(peer, carrier_id=wide)
    await house.send_media(large)
    await eventually(lambda: peer.handed)
    await house.send_media(house.gallery.show("/cat.jpg", JPEG))
    await eventually(lambda: house.mms.handed)
    assert (len(peer.handed), len(house.mms.handed)) == (1, 1)


async def test_what_fits_no_carrier_fails_or_is_linked(house: MMSHouse) -> None:
    large = house.gallery.show("/film.mp4", film(inside=bytes(400_000)))
    code, words = await house.failed(await house.send_media(large))
    assert (code, "octets that cannot be made smaller" in words) == ("media_too_large", True)
    await house.send_media(large, fallback="link")
    (handed,) = await eventually(lambda: house.peer.handed)
    assert await linked(house, handed.text) == [house.gallery.shown["/film.mp4"][2]]
    assert not house.mms.handed


async def test_another_carrier_for_mms_has_what_the_first_refuses(house: MMSHouse) -> None:
    second, peer = await house.add(priority=2), Peer()
    await house.open(peer, carrier_id=second)
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG))
    (handed,) = await eventually(lambda: house.mms.handed)
    house.mms.tell(Refused(handed.key, "media_too_large"))
    (again,) = await eventually(lambda: peer.handed)
    assert again.media == handed.media
    peer.tell(Refused(again.key, "media_refused", "no GIF today"))
    assert await house.failed(sent) == ("media_refused", "no GIF today")
    assert not house.peer.handed


@pytest.mark.parametrize("reason", ["media_too_large", "media_refused"])
async def test_what_every_carrier_refuses_for_its_media_is_linked_where_its_message_says_so(
    house: MMSHouse, reason: str
) -> None:
    second, peer = await house.add(priority=2), Peer()
    await house.open(peer, carrier_id=second)
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG), text="Look", fallback="link", to=(ANNE, BERT))
    await eventually(lambda: len(house.mms.handed) == 2)
    for handed in house.mms.handed:
        house.mms.tell(Refused(handed.key, reason))
    await eventually(lambda: len(peer.handed) == 2)
    first, other = peer.handed
    peer.tell(Refused(first.key, reason), Accepted(other.key, ["m-1"]))
    (linked_one,) = await eventually(lambda: house.peer.handed)
    assert (linked_one.key, linked_one.media) == (first.key, None)
    assert await linked(house, linked_one.text) == [JPEG]
    house.peer.tell(Accepted(linked_one.key, ["s-1"]))
    assert [(await house.until((sent.id, n), "sent")).status for n in range(2)] == ["sent"] * 2
    seen = await house.seen(sent.id)
    texts = {one.destination.target: one.text for one in seen.targets}
    assert texts == {first.destination: linked_one.text, other.destination: UNSET}


async def test_what_is_refused_for_its_media_fails_where_its_text_is_too_long_with_a_link(house: MMSHouse) -> None:
    picture = house.gallery.show("/cat.jpg", JPEG)
    sent = await house.send_media(picture, text="a" * 1530, fallback="link")
    (handed,) = await eventually(lambda: house.mms.handed)
    house.mms.tell(Refused(handed.key, "media_refused", "no GIF today"))
    assert await house.failed(sent) == ("media_refused", "no GIF today")


async def test_other_refusals_are_no_case_for_a_link(house: MMSHouse) -> None:
    sent = await house.send_media(house.gallery.show("/cat.jpg", JPEG), fallback="link")
    (handed,) = await eventually(lambda: house.mms.handed)
    house.mms.tell(Refused(handed.key, "invalid_number"))
    assert (await house.failed(sent))[0] == "invalid_number"
    assert not house.peer.handed


async def remove_route(house: MMSHouse) -> None:
    for row in await house.store.all("live_routes"):
        if row.carrier_id == house.mms_id:
            await house.routes.remove(row.id, clock.now())


async def remove_carrier(house: MMSHouse) -> None:
    await house.remove_mms()
    await house.sweeper.sweep()


@pytest.mark.parametrize("take_away", [remove_route, remove_carrier])
async def test_who_waits_while_the_last_way_of_mms_goes_gets_a_link(
    house: MMSHouse, take_away: Callable[[MMSHouse], Awaitable[None]]
) -> None:
    picture, at = house.gallery.show("/cat.jpg", JPEG), clock.now() + SECOND
    sent = await house.send_media(picture, fallback="link", schedule_at=clock.iso(at))
    await eventually_so(lambda: house.holds(sent, "scheduled"))
    await take_away(house)
    (handed,) = await eventually(lambda: house.peer.handed)
    assert await linked(house, handed.text) == [JPEG]
