"""Messages with media: from what is given to what a carrier is handed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec import UNSET

from messagehub import clock
from messagehub.carriers.carrier import Accepted
from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.media import addresses
from messagehub.shapes import DestinationGiven, MediaGiven
from messagehub.store import Store, Tx
from messagehub.web import Fetcher
from tests.media.samples import SAMPLES
from tests.messages.house import ANNE, BERT, eventually, eventually_so
from tests.messages.mms_house import MMSHouse, mms_house

JPEG, CARD = SAMPLES["jpeg"], SAMPLES["vcard"]
DAY = 24 * 3600 * SECOND


@pytest.fixture
async def house(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MMSHouse]:
    async with mms_house(store, monkeypatch) as opened:
        yield opened


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


async def test_what_is_kept_here_goes_at_once(house: MMSHouse) -> None:
    url = await house.keep(JPEG)
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
    url = await house.keep(JPEG)
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
    url = spoil(await house.keep(octets))
    with pytest.raises(Refusal) as refused:
        await house.send_media(url)
    assert refused.value.reason == reason
    assert refused.value.message.startswith(words)


async def test_what_is_kept_no_more_is_refused(house: MMSHouse) -> None:
    with pytest.raises(Refusal) as refused:
        await house.send_media(house.published.url(addresses.digest(b"never"), clock.now()))
    assert (refused.value.reason, refused.value.message) == ("INVALID_MEDIA", "medias[0]: it is not kept any more")
