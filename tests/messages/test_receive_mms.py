"""Inbound MMS: what is stored and told of their media, and at which addresses these are."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from messagehub import clock
from messagehub.carriers.carrier import Inbound, Medium, Verdict
from messagehub.clock import SECOND
from messagehub.media import addresses
from messagehub.messages.receive import MOST_NAME, MOST_SUBJECT
from messagehub.metrics import COUNTS
from messagehub.shapes import Media, Message
from tests.messages.house import ANNE, BERT, HERE, SOURCE, WEEK, House
from tests.messages.test_receive import arrive, inbox

DAY = 24 * 3600 * SECOND
CAT, CARD = b"\xff\xd8 a cat", b"BEGIN:VCARD"


async def kept(house: House, octets: bytes, type: str = "image/jpeg", name: str = "") -> Medium:
    """As a carrier has it when it tells of it."""
    return Medium(type, await house.blobs.put(octets, clock.now()), len(octets), name)


def mms(*media: Medium, text: str = "Look", subject: str = "", source: str = ANNE) -> Inbound:
    return Inbound(source, SOURCE, text, None, subject=subject, media=media)


async def came(house: House, arrival: Inbound) -> Message:
    assert await arrive(house, arrival) == [Verdict.TAKEN]
    return (await inbox(house))[-1]


def is_open(house: House, media: Media, now: int) -> bool:
    parts = urlsplit(media.url)
    return house.published.is_valid(parts.path.rpartition("/")[2], parse_qs(parts.query)["token"][0], now)


async def test_its_media_are_stored_and_told_in_their_order_at_addresses_of_ours(house: House) -> None:
    cat, card = await kept(house, CAT, name="cat.jpg"), await kept(house, CARD, "text/vcard")
    message = await came(house, mms(cat, card, cat, subject="A cat"))
    assert (message.type, message.status, message.text, message.subject) == ("mms", "received", "Look", "A cat")
    assert [(each.type, each.size, each.name) for each in message.medias] == [
        ("image/jpeg", len(CAT), "cat.jpg"),
        ("text/vcard", len(CARD), Media(type="", url="").name),
        ("image/jpeg", len(CAT), "cat.jpg"),
    ]
    assert [house.published.digest_of(each.url) for each in message.medias] == [cat.digest, card.digest, cat.digest]
    assert message.targets[0].parts == 1
    (told,) = await house.told()
    assert (told["event"], told["type"], told["text"], told["subject"]) == (
        "message_received", "mms", "Look", "A cat",
    )  # fmt: skip
    assert told["medias"][1].keys() == {"type", "url", "size"}
    assert told["medias"][0]["url"].startswith(f"{HERE}/media/{cat.digest}?token=")


async def test_a_text_alone_may_come_as_mms(house: House) -> None:
    message = await came(house, mms(text="only words"))
    assert (message.type, message.text, message.medias, message.subject) == ("mms", "only words", [], "")


async def test_media_alone_may_come(house: House) -> None:
    message = await came(house, mms(await kept(house, CAT), text=""))
    assert (message.type, message.text, len(message.medias)) == ("mms", "", 1)


async def test_an_sms_says_nothing_of_media(house: House) -> None:
    message = await came(house, Inbound(ANNE, SOURCE, "Hi", None))
    assert (message.type, message.subject, message.medias) == ("sms", "", [])
    row = await house.store.one("message_by_id", id=message.id, customer_id=house.customer.id)
    assert row
    assert row.options is None


async def test_addresses_end_and_are_renewed_by_asking(house: House) -> None:
    message = await came(house, mms(await kept(house, CAT)))
    (told,) = await house.told()
    first, now = Media(**told["medias"][0]), clock.now()
    assert is_open(house, first, now + WEEK - DAY)
    assert not is_open(house, first, now + WEEK + 2 * SECOND)
    house.published.lifetime = 2 * WEEK  # as if a week had gone by
    for shown in (await house.seen(message.id), (await inbox(house))[-1]):
        assert is_open(house, shown.medias[0], now + 2 * WEEK - DAY)


async def test_they_can_be_fetched_however_the_address_of_the_server_has_changed(house: House) -> None:
    cat = await kept(house, CAT)
    message = await came(house, mms(cat))
    house.published.public_url = "https://new.test"
    (media,) = (await house.seen(message.id)).medias
    assert media.url.startswith(f"https://new.test/media/{cat.digest}?token=")


async def test_one_that_could_not_be_fetched_is_shown_where_its_carrier_has_it(house: House) -> None:
    there = Medium("image/png", "", 0, url="https://carrier.test/media/7")
    message = await came(house, mms(there, await kept(house, CAT)))
    assert message.medias[0] == Media(type="image/png", url="https://carrier.test/media/7")
    assert house.published.digest_of(message.medias[1].url)


async def test_an_address_that_looks_like_ours_opens_nothing(house: House) -> None:
    cat = await kept(house, CAT)
    url = f"{HERE}/media/{cat.digest}?token=guessed"
    message = await came(house, mms(Medium("image/png", "", 0, url=url)))
    for shown in (message, await house.seen(message.id)):
        assert shown.medias == [Media(type="image/png", url=url)]


async def test_what_others_wrote_fits_every_store(house: House) -> None:
    cat = await kept(house, CAT, name="a\0\ud800" + "n" * 1000)
    message = await came(house, mms(cat, text="a\0b\udfff", subject="s\0" + "é" * 5000))
    assert (message.text, message.subject[:3], len(message.subject)) == ("a\ufffdb?", "s\ufffdé", MOST_SUBJECT)
    assert isinstance(message.medias[0].name, str)
    assert (message.medias[0].name[:3], len(message.medias[0].name)) == ("a\ufffd?", MOST_NAME)


async def test_the_digest_of_a_content_opens_nothing(house: House) -> None:
    """Nor does the address of another content, or that of another server."""
    cat, card = await kept(house, CAT), await kept(house, CARD)
    message = await came(house, mms(cat, source=BERT))
    token = parse_qs(urlsplit(message.medias[0].url).query)["token"][0]
    assert not house.published.is_valid(card.digest, token, clock.now())
    forged = addresses.sign(cat.digest, clock.now() + WEEK, b"another key")
    assert not house.published.is_valid(cat.digest, forged, clock.now())


async def test_one_that_is_deleted_is_told_with_its_media_and_seen_no_more(house: House) -> None:
    await house.change(webhook_events=("message_deleted",))
    cat = await kept(house, CAT)
    first, second = await came(house, mms(cat)), await came(house, mms(cat))
    gone = await house.actor.delete(house.customer.id, first.id)
    (told,) = await house.told(first.id)
    assert [house.published.digest_of(each["url"]) for each in told["medias"]] == [cat.digest]
    assert [each.size for each in gone.medias] == [len(CAT)]
    assert [each.id for each in await inbox(house)] == [second.id]
    assert await house.blobs.read(cat.digest) == CAT  # it is the other's, too


async def test_they_are_counted_once_they_are_stored(house: House) -> None:
    before = COUNTS.mms["inbound"]
    await arrive(house, Inbound(ANNE, SOURCE, "Hi", None), mms(), mms(await kept(house, CAT)))
    assert COUNTS.mms["inbound"] == before + 2


async def test_the_page_on_webhooks_shows_what_is_told(house: House) -> None:
    """The same members in the same order, with the same values where they are not made anew each time."""
    page = (Path(__file__).parents[2] / "docs/webhooks.md").read_text()
    shown = json.loads(page.partition("## An MMS that came in")[2].partition("```json\n")[2].partition("```")[0])
    given = shown["data"]
    media = [await kept(house, bytes(each["size"]), each["type"], each.get("name", "")) for each in given["medias"]]
    await arrive(house, mms(*media, text=given["text"], subject=given["subject"]))
    (told,) = await house.told()
    assert told.pop("event") == shown["type"]
    assert list(told) == list(given)
    for name in told.keys() - {"id", "customer_id", "medias", "targets"}:
        assert told[name] == given[name] or name.startswith("tm_"), name
    assert [each | {"tm_update": ""} for each in told["targets"]] == [
        each | {"tm_update": ""} for each in given["targets"]
    ]
    for one, other in zip(told["medias"], given["medias"], strict=True):
        assert {**one, "url": ""} == {**other, "url": ""}
        assert list(one) == list(other)
        assert re.fullmatch(r"https://[a-z.]+/media/[0-9a-f]{64}\?token=AGkh…", other["url"])
