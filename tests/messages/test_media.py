"""Messages with media: from what is given to what a carrier is handed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar

import pytest
from msgspec import UNSET, Struct

from messagehub import clock, ids
from messagehub.accounts import customers
from messagehub.blobs import PARTS
from messagehub.carriers import kinds
from messagehub.carriers.book import Carriers
from messagehub.carriers.carrier import Accepted, Inbound, Refused, TargetKey
from messagehub.clock import NEVER, SECOND
from messagehub.errors import Refusal, Unavailable
from messagehub.media import Limits, addresses
from messagehub.messages import media
from messagehub.sealing import Sealer
from messagehub.shapes import DestinationGiven, MediaGiven, Message, MessageGiven
from messagehub.store import Insert, Store, Tx
from messagehub.web import Fetcher
from messagehub.webhooks.sign import new_secret
from tests.media.samples import SAMPLES, film
from tests.messages.gallery import Gallery, gallery
from tests.messages.house import ANNE, BERT, HERE, SOURCE, House, eventually, eventually_so
from tests.messages.peer import Peer
from tests.support.outage import Outage

JPEG, PDF, CARD = SAMPLES["jpeg"], SAMPLES["pdf"], SAMPLES["vcard"]
OTHER = "+15557654321"
HOUR, DAY = 3600 * SECOND, 24 * 3600 * SECOND


class MMSConfig(Struct, kw_only=True, frozen=True):
    """A carrier that takes MMS only."""

    takes: ClassVar = frozenset({"mms"})
    is_base64: ClassVar = False
    secrets: ClassVar = frozenset[str]()
    tlvs: ClassVar[dict[str, Any]] = {}
    receipt_id: ClassVar = "as_is"
    retry_temporary: ClassVar = ()
    validity_period: ClassVar = 0
    octets: int = 300_000

    def limits(self, source: str) -> Limits:
        return Limits(self.octets)

    def check(self) -> None:
        return


class MMSHouse(House):
    """With a carrier that takes MMS beside the one that takes SMS, and a server of media."""

    gallery: Gallery
    mms_id: str
    mms: Peer

    async def add(self, octets: int = 300_000, priority: int = 1) -> str:
        now = clock.now()
        carrier = await Carriers(self.store, Sealer()).add("mms", "mms", {"octets": octets}, False, now)
        await self.routes.add(now, carrier_id=carrier.id, priority=priority)
        return carrier.id

    async def send_media(self, *medias: str, to: tuple[str, ...] = (ANNE,), **more: Any) -> Message:
        return await self.send(*to, medias=[MediaGiven(url=one) for one in medias], **more)

    async def waiting(self) -> int:
        rows = await self.store.all("claim_preparations", now=NEVER, count=5000, holder="", share=1)
        return len(rows)

    async def nothing_waits(self) -> bool:
        return not await self.waiting()

    async def holds(self, message: Message, reason: str) -> bool:
        return all(one.hold_reason == reason for one in (await self.seen(message.id)).targets)

    async def remove_mms(self) -> None:
        carriers = Carriers(self.store, Sealer())
        await carriers.remove(await carriers.get(self.mms_id), clock.now())

    async def stop(self, person: str) -> None:
        """It says STOP."""
        ticket = object()
        self.peer.tell(Inbound(person, SOURCE, "STOP", None, ticket=ticket))
        await eventually(lambda: ticket in self.peer.answers)

    def given(self, url: str, source: str = SOURCE, **more: Any) -> MessageGiven:
        return MessageGiven(source=source, destinations=[ANNE], medias=[MediaGiven(url=url)], **more)

    async def another_customer(self) -> str:
        now = clock.now()
        other = customers.new(name="d", now=now, webhook_secret=new_secret())
        await self.store.write([Insert("insert_customer", [other.as_row(Sealer())])])
        number = {"customer_id": other.id, "number": OTHER, "name": "", "detail": ""}
        await self.numbers.add(now, **number, message_flow_id=ids.UNSET)
        return other.id

    async def failed(self, message: Message) -> tuple[str, str]:
        """How its first target failed."""
        row = await self.until((message.id, 0), "failed")
        return row.error_code, row.error_message


@pytest.fixture(autouse=True)
def known_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.CONFIGS, "mms", MMSConfig)
    monkeypatch.setattr(media, "RETRY_AFTER", (0.05, 0.05))


@pytest.fixture
async def house(store: Store) -> AsyncIterator[MMSHouse]:
    async with gallery() as shown:
        opened = MMSHouse(store)
        opened.gallery = shown
        await opened.furnish()
        opened.mms_id, opened.mms = await opened.add(), Peer()
        await opened.open()
        await opened.open(opened.mms, carrier_id=opened.mms_id)
        opened.preparer.start()
        yield opened
        await opened.close()


# --- the way of a message with media ----------------------------------------------------


async def test_media_are_fetched_and_the_carrier_for_mms_is_handed_them(house: MMSHouse) -> None:
    picture = house.gallery.show("/cat.jpg", JPEG, "image/jpeg")
    card = house.gallery.show("/zoe.vcf", CARD, "application/octet-stream")
    house.gallery.waits.clear()
    sent = await house.send_media(picture, card, text="Look", subject="A cat")
    assert (sent.type, sent.subject, sent.status) == ("mms", "A cat", "sending")
    assert [(one.url, one.type) for one in sent.medias] == [(picture, ""), (card, "")]
    assert [(one.status, one.hold_reason, one.parts) for one in sent.targets] == [("queued", "media", 1)]
    house.gallery.waits.set()
    (handed,) = await eventually(lambda: house.mms.handed)
    assert (handed.segments, handed.text, handed.subject) == ([], "Look", "A cat")
    assert handed.media is not None
    assert [(one.type, one.size) for one in handed.media] == [("image/jpeg", len(JPEG)), ("text/vcard", len(CARD))]
    assert [await house.blobs.read(one.digest) for one in handed.media] == [JPEG, CARD]
    assert [one.name for one in handed.media] == ["cat.jpg", "zoe.vcf"]
    house.mms.tell(Accepted(handed.key, ["m-1"]))
    await house.until(handed.key, "sent")
    await house.receipt_from(house.mms, "m-1")
    seen = await house.seen(sent.id)
    assert (seen.type, seen.status, seen.targets[0].parts) == ("mms", "delivered", 1)
    assert [(one.url, one.type) for one in seen.medias] == [(picture, "image/jpeg"), (card, "text/vcard")]
    assert not house.peer.handed
    assert await house.waiting() == 0


async def test_all_recipients_get_what_was_fetched_once(house: MMSHouse) -> None:
    picture = house.gallery.show("/cat.jpg", JPEG)
    many = tuple(f"+44207946{n:04}" for n in range(1000))
    sent = await house.send_media(picture, picture, to=many)
    await eventually(lambda: len(house.mms.handed) >= 100)
    assert house.gallery.asked == {"/cat.jpg": 1}
    assert house.mms.handed[0].media == house.mms.handed[99].media
    assert set(await house.statuses(sent.id)) == {"queued", "handed"}


async def test_messages_that_name_the_same_medium_at_once_fetch_it_once(house: MMSHouse) -> None:
    picture = house.gallery.show("/cat.jpg", JPEG)
    house.gallery.waits.clear()
    await asyncio.gather(*(house.send_media(picture) for _ in range(30)))
    await eventually(lambda: house.gallery.asked)
    house.gallery.waits.set()
    await eventually(lambda: len(house.mms.handed) == 30)
    assert house.gallery.asked == {"/cat.jpg": 1}


async def test_what_is_not_there_for_a_moment_is_asked_for_again(house: MMSHouse) -> None:
    picture = house.gallery.show("/cat.jpg", JPEG)
    house.gallery.first["/cat.jpg"] = [503, 429]
    await house.send_media(picture)
    await eventually(lambda: house.mms.handed)
    assert house.gallery.asked == {"/cat.jpg": 3}


async def test_an_mms_may_have_a_subject_and_a_text_only(house: MMSHouse) -> None:
    sent = await house.send(text="Hello", subject="News")
    assert (sent.type, sent.medias, [one.hold_reason for one in sent.targets]) == ("mms", [], [UNSET])
    (handed,) = await eventually(lambda: house.mms.handed)
    assert (handed.text, handed.subject, handed.media, handed.segments) == ("Hello", "News", [], [])


async def test_each_recipient_has_a_text_of_its_own(house: MMSHouse) -> None:
    picture = house.gallery.show("/cat.jpg", JPEG)
    names = {ANNE: "Anne", BERT: "B"}
    to = [DestinationGiven(target=number, variables={"name": name}) for number, name in names.items()]
    await house.send(*to, text="Look, {{name}}", medias=[MediaGiven(url=picture)])  # type: ignore[arg-type]
    await eventually(lambda: len(house.mms.handed) == 2)
    assert {(one.destination, one.text) for one in house.mms.handed} == {(ANNE, "Look, Anne"), (BERT, "Look, B")}


async def test_it_goes_at_its_time(house: MMSHouse) -> None:
    picture = house.gallery.show("/cat.jpg", JPEG)
    at = clock.now() + 2 * SECOND
    sent = await house.send_media(picture, schedule_at=clock.iso(at))
    assert sent.targets[0].hold_reason == "media"
    await eventually_so(lambda: house.holds(sent, "scheduled"))
    assert not house.mms.handed
    await house.actor.reschedule(house.customer.id, sent.id, clock.iso(clock.now()))
    await eventually(lambda: house.mms.handed)


async def test_a_target_that_failed_is_told_of(house: MMSHouse) -> None:
    sent = await house.send_media(f"{house.gallery.url}/none", to=(ANNE, BERT))
    await house.until((sent.id, 1), "failed")
    (told,) = await house.told(sent.id)
    assert [(one["status"], one["error_code"]) for one in told["changed"]] == [("failed", "media_not_found")] * 2
    assert (told["event"], told["status"], told["type"]) == ("message_updated", "failed", "mms")


# --- what cannot be fetched -------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "content_type", "body", "code", "words"),
    [
        ("/gone", 410, "", b"", "media_not_found", "medias[1]: it was answered with 410"),
        ("/mine", 403, "", b"", "media_unreachable", "medias[1]: it was answered with 403"),
        ("/page", 200, "text/html", b"<html><body>Sorry</body></html>", "media_unsupported", "medias[1]: the content"),
        ("/liar", 200, "image/png", JPEG, "media_type_mismatch", "medias[1]: the type is image/png"),
        ("/torn", 200, "image/jpeg", JPEG[:-9], "media_broken", "medias[1]: "),
        ("/vast", 200, "image/jpeg", bytes(1_000_001), "media_too_large", "medias[1]: it has more than 1000000"),
    ],
)
async def test_a_medium_that_cannot_be_sent_fails_its_targets(
    house: MMSHouse, path: str, status: int, content_type: str, body: bytes, code: str, words: str
) -> None:
    good, bad = house.gallery.show("/cat.jpg", JPEG), house.gallery.show(path, body, content_type, status)
    failure = await house.failed(await house.send_media(good, bad))
    assert failure[0] == code
    assert failure[1].startswith(words)
    assert house.gallery.asked[path] == 1
    assert await house.waiting() == 0


async def test_what_stays_away_is_given_up(house: MMSHouse) -> None:
    broken = house.gallery.show("/broken", b"", status=500)
    assert await house.failed(await house.send_media(broken)) == (
        "media_unreachable",
        "medias[0]: it was answered with 500",
    )
    assert house.gallery.asked == {"/broken": 3}


async def test_nobody_there_and_a_name_of_nobody(house: MMSHouse) -> None:
    for url in ("http://127.0.0.1:9/a.jpg", "http://nobody.invalid/a.jpg"):
        code, _ = await house.failed(await house.send_media(url))
        assert code == "media_unreachable"


async def test_addresses_that_are_not_public_are_refused(house: MMSHouse) -> None:
    picture = house.gallery.show("/cat.jpg", JPEG)
    house.fetcher = Fetcher(most=1_000_000, timeout=2.0)
    house.gatherer._fetcher = house.fetcher
    code, words = await house.failed(await house.send_media(picture))
    assert (code, words) == ("media_forbidden", "medias[0]: 127.0.0.1 is not a public address")
    assert not house.gallery.asked


async def test_the_type_that_is_said_must_agree(house: MMSHouse) -> None:
    picture = house.gallery.show("/cat", JPEG, "text/plain")
    good = await house.send(medias=[MediaGiven(url=picture, type="image/jpg")])
    await house.until((good.id, 0), "handed")
    wrong = await house.send(medias=[MediaGiven(url=picture, type="video/mp4")])
    assert (await house.failed(wrong))[0] == "media_type_mismatch"


# --- our own ----------------------------------------------------------------------------


async def kept(house: MMSHouse, octets: bytes) -> str:
    now = clock.now()
    return house.published.url(await house.blobs.put(octets, now + DAY), now)


async def test_what_is_kept_here_goes_at_once(house: MMSHouse) -> None:
    url = await kept(house, JPEG)
    sent = await house.send_media(url)
    assert [(one.status, one.hold_reason) for one in sent.targets] == [("queued", UNSET)]
    assert [(one.url, one.type, one.size) for one in sent.medias] == [(url, "image/jpeg", len(JPEG))]
    await eventually(lambda: [handed.key for handed in house.mms.handed] == [(sent.id, 0)])
    assert not house.gallery.asked


async def test_an_address_of_ours_whose_time_is_over_can_be_sent(house: MMSHouse) -> None:
    """A flow names it for as long as it runs."""
    digest = await house.blobs.put(JPEG, clock.now() + DAY)
    sent = await house.send_media(house.published.url(digest, clock.now() - 300 * DAY))
    assert sent.targets[0].hold_reason is UNSET


async def test_what_is_kept_here_stays_until_it_is_sent(house: MMSHouse) -> None:
    digest, now = await house.blobs.put(JPEG, 0), clock.now()
    await house.send_media(house.published.url(digest, now), schedule_at=clock.iso(now + 300 * DAY))
    wanted = house.blobs.path(digest).stat().st_mtime_ns // 1000
    assert now + 301 * DAY < wanted < now + 310 * DAY


async def test_a_flow_sends_what_is_kept_here(house: MMSHouse) -> None:
    """In a transaction nothing is read from disk: it waits for a moment."""
    url = await kept(house, JPEG)
    given = house.given(url)

    async def unit(tx: Tx) -> Any:
        accepted = await house.acceptor.prepare(tx, house.customer.id, given)
        await house.acceptor.enter(tx, accepted)
        return accepted

    accepted = await house.store.transaction(unit)
    house.acceptor.make_known(accepted)
    assert accepted.shape().targets[0].hold_reason == "media"
    await eventually(lambda: house.mms.handed)


@pytest.mark.parametrize(
    ("octets", "spoil", "reason", "words"),
    [
        (JPEG, lambda url: url[:-3] + "AAA", "INVALID_MEDIA", "medias[0].url: this address of ours leads nowhere"),
        (JPEG, lambda url: url.partition("?")[0], "INVALID_MEDIA", "medias[0].url: this address of ours leads nowhere"),
        (b"<html>", lambda url: url, "MEDIA_NOT_SUPPORTED", "medias[0]: the content is none of"),
        (b"", lambda url: url, "MEDIA_NOT_SUPPORTED", "medias[0]: "),
    ],
)
async def test_an_address_of_ours_that_cannot_be_used_is_refused(
    house: MMSHouse, octets: bytes, spoil: Callable[[str], str], reason: str, words: str
) -> None:
    url = spoil(await kept(house, octets))
    with pytest.raises(Refusal) as refused:
        await house.send_media(url)
    assert refused.value.reason == reason
    assert refused.value.message.startswith(words)


async def test_what_is_kept_no_more_is_refused(house: MMSHouse) -> None:
    with pytest.raises(Refusal) as refused:
        await house.send_media(house.published.url(addresses.digest(b"never"), clock.now()))
    assert (refused.value.reason, refused.value.message) == ("INVALID_MEDIA", "medias[0]: it is not kept any more")


# --- to whom it goes, and as what -------------------------------------------------------


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
    url = await kept(house, JPEG)
    other = await house.another_customer()
    sent = await house.acceptor.accept(other, house.given(url, fallback="link", source=OTHER))
    await house.until((sent.id, 0), "handed")
    await eventually(lambda: len(house.mms.handed) == 1)


async def test_a_customer_is_not_behind_all_that_another_has_waiting(house: MMSHouse) -> None:
    await house.preparer.stop()
    house.gallery.waits.clear()
    slow = [house.gallery.show(f"/{n}.jpg", JPEG) for n in range(3 * media.LOOKED_AT)]
    await asyncio.gather(*(house.send_media(picture) for picture in slow))
    other, url = await house.another_customer(), await kept(house, JPEG)
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
