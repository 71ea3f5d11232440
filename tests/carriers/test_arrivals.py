"""What a carrier tells us over HTTP: heard, its media fetched and kept, and answered when that is settled."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from messagehub import clock
from messagehub.blobs import PIECE, Blobs
from messagehub.carriers import arrivals, fetching
from messagehub.carriers.arrivals import MOST_WAITING
from messagehub.carriers.book import Means
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import REASONS, Accepted, Inbound, Medium, Receipt, Refused, Verdict
from messagehub.carriers.fitting import Fitter
from messagehub.clock import SECOND
from messagehub.media import addresses
from messagehub.published import Published
from tests.carriers.news import all_bare
from tests.carriers.web_rig import SOMEBODY, SOURCE, Asked, Ours, Said, Server, server

GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"  # fmt: skip # noqa: E501
WEEK = 7 * 24 * 3600 * SECOND
TOLD: dict[str, Any] = {
    "receipt": {"id": "id", "state": "state", "destination": "to"},
    "inbound": {
        "id": "id",
        "source": "from",
        "destination": "to",
        "text": "text",
        "subject": "subject",
        "media": "media",
        "media_url": "url",
        "media_type": "type",
    },
    "callback_auth": "query",
    "callback_name": "key",
    "callback_secret": "s",
}


@asynccontextmanager
async def opened(folder: Path, **config: Any) -> AsyncIterator[tuple[Ours, Server, Blobs]]:
    blobs = Blobs(folder)
    means = Means(blobs=blobs, fitter=Fitter(blobs), published=Published("https://hub.test", [b"k"], WEEK))
    async with server() as peer, Ours(peer.url, means=means, **(TOLD | config)) as ours:
        yield ours, peer, blobs


async def told(ours: Ours, said: Any, key: str = "s", path: str = "") -> Reply:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    callback = Callback("POST", path, {"key": key}, {}, body, "https://hub.test/cb", "192.0.2.1")
    telling = asyncio.create_task(ours.carrier.called(callback))
    await ours.until(telling.done)
    return telling.result()


def message(*media: str | None, **more: Any) -> dict[str, Any]:
    items = [{"url": url, "type": "image/x-other"} for url in media]
    return {"id": "1", "from": SOMEBODY, "to": SOURCE, "text": "Look", "media": items, **more}


VERDICTS = [(Verdict.TAKEN, 200), (Verdict.REFUSED, 404), (Verdict.BROKEN, 422), (Verdict.LATER, 503)]


@pytest.mark.parametrize(("verdict", "status"), VERDICTS)
async def test_what_is_told_is_answered_as_it_was_settled(tmp_path: Path, verdict: Verdict, status: int) -> None:
    async with opened(tmp_path) as (ours, _, _):
        ours.verdict = verdict
        assert (await told(ours, {"id": "a", "state": "odd\0", "to": SOMEBODY}, path="receipt")).status == status
        (receipt,) = ours.of(Receipt)
        assert (receipt.name, receipt.state, receipt.words) == ("a", "intermediate", "odd\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize("absurd", [{"text": "x" * 20_001}, {"from": "x" * 251}, {"subject": "x" * 20_000}])
async def test_what_nobody_writes_is_not_kept(tmp_path: Path, absurd: dict[str, str]) -> None:
    async with opened(tmp_path, inbound=TOLD["inbound"] | {"items": "all"}) as (ours, _, _):
        both = {"all": [message() | absurd, message()]}
        assert (await told(ours, both, path="inbound")).status == 422
        (inbound,) = ours.of(Inbound)
        assert inbound.text == "Look"


async def test_what_cannot_be_read_costs_the_others_nothing_and_is_said(tmp_path: Path) -> None:
    async with opened(tmp_path, inbound=TOLD["inbound"] | {"items": "all"}) as (ours, _, _):
        assert (await told(ours, {"all": [message(), {"to": SOURCE}]}, path="inbound")).status == 422
        assert len(ours.of(Inbound)) == 1
        (warning,) = (words for words in ours.carrier.status().warnings if "not believed" in words)
        assert "1 of the things that it told" in warning


async def test_nothing_is_answered_before_it_is_settled(tmp_path: Path) -> None:
    async with opened(tmp_path) as (ours, _, _):
        ours.verdict = None
        callback = Callback("POST", "", {"key": "s"}, {}, b'{"id":"a","state":"delivered"}', "", "")
        telling = [asyncio.create_task(ours.carrier.called(callback)) for _ in range(MOST_WAITING + 1)]
        await ours.until(lambda: len(ours.of(Receipt)) == MOST_WAITING)
        assert [task.result().status for task in telling if task.done()] == [503]
        for receipt in ours.of(Receipt):
            ours.carrier.answer(receipt.ticket, Verdict.TAKEN)
        assert {(await task).status for task in telling} == {200, 503}


async def test_media_are_kept_under_what_they_are(tmp_path: Path) -> None:
    async with opened(tmp_path) as (ours, peer, blobs):
        peer.answer(Said(200, GIF, (("content-type", "text/html"),)))
        origin = peer.url.rpartition("/")[0]
        assert (await told(ours, message(f"{origin}/a", f"{origin}/b", subject="S"))).status == 200
        (inbound,) = ours.of(Inbound)
        digest = addresses.digest(GIF)
        assert inbound.media == [Medium("image/gif", digest, len(GIF))] * 2
        assert (inbound.subject, inbound.is_named) == ("S", True)
        assert await blobs.read(digest) == GIF
        assert blobs.path(digest).stat().st_mtime > clock.now() / SECOND + 6 * 24 * 3600


async def test_a_message_whose_media_cannot_be_had_is_told_all_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path) as (ours, peer, _):
        peer.answer(Said(404))
        url = f"{peer.url}/gone"
        assert (await told(ours, message(url))).status == 200
        (inbound,) = ours.of(Inbound)
        assert inbound.media == [Medium("image/x-other", "", 0, "", url)]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_carrier_that_fails_once_is_asked_for_the_medium_again(tmp_path: Path, status: int) -> None:
    async with opened(tmp_path) as (ours, peer, _):
        peer.answer(Said(status), Said(200, GIF))
        await told(ours, message(peer.url))
        (inbound,) = ours.of(Inbound)
        assert inbound.media == [Medium("image/gif", addresses.digest(GIF), len(GIF))]


async def test_where_a_carrier_leads_to_is_followed_a_few_times(tmp_path: Path) -> None:
    async with opened(tmp_path) as (ours, peer, _), server() as store:
        store.answer(Said(200, GIF))

        async def lead(asked: Asked) -> Said:
            return Said(302, b"", (("location", store.url if asked.target == "/send" else asked.target),))

        peer.on_request = lead
        await told(ours, message(peer.url, f"{peer.url}/round"))
        (inbound,) = ours.of(Inbound)
        first, second = inbound.media or ()
        assert isinstance(first, Medium)
        assert isinstance(second, Medium)
        assert (first.type, second.digest, second.url) == ("image/gif", "", f"{peer.url}/round")


async def test_what_is_inside_is_asked_only_where_the_operator_says_so(tmp_path: Path) -> None:
    async with server() as store:
        store.answer(Said(200, GIF))
        inside = store.url.replace("127.0.0.1", "localhost")
        for media_hosts, asked in ((), 0), (["localhost"], 1):
            async with opened(tmp_path, media_hosts=media_hosts) as (ours, _, _):
                assert (await told(ours, message(inside, "file:///etc/passwd"))).status == 200
                first, second = ours.of(Inbound)[0].media or ()
                assert isinstance(second, Medium)
                assert (len(store.asked), isinstance(first, Medium) and bool(first.digest)) == (asked, bool(asked))
                assert (second.digest, second.url) == ("", "file:///etc/passwd")


async def test_where_a_carrier_leads_inside_it_is_not_followed(tmp_path: Path) -> None:
    async with opened(tmp_path) as (ours, peer, _), server() as store:
        location = store.url.replace("127.0.0.1", "localhost")
        peer.answer(Said(302, b"", (("location", location),)))
        await told(ours, message(peer.url))
        (medium,) = ours.of(Inbound)[0].media or ()
        assert isinstance(medium, Medium)
        assert (medium.digest, store.asked) == ("", [])


async def test_media_that_wait_for_others_have_their_own_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count, patience = 10, 2.0
    monkeypatch.setattr(fetching, "PATIENCE_S", patience)
    monkeypatch.setattr(fetching, "AT_ONCE", 1)
    async with opened(tmp_path) as (ours, peer, _):

        async def be_slow(asked: Asked) -> Said:
            await asyncio.sleep(1.2 * patience / count)
            return Said(200, GIF)

        peer.on_request = be_slow
        messages = [message(f"{peer.url}/{n}", id=str(n)) for n in range(count)]
        replies = await asyncio.gather(*(told(ours, each) for each in messages))
        assert [reply.status for reply in replies] == [200] * count
        seen = [one.media for one in ours.of(Inbound)]
        assert seen == [[Medium("image/gif", addresses.digest(GIF), len(GIF))]] * count


async def test_media_that_get_no_turn_are_for_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TURN_S", 0.2)
    monkeypatch.setattr(fetching, "AT_ONCE", 1)
    async with opened(tmp_path) as (ours, peer, _):
        go = asyncio.Event()

        async def wait(asked: Asked) -> Said:
            await go.wait()
            return Said(200, GIF)

        peer.on_request = wait
        first = asyncio.create_task(told(ours, message(peer.url)))
        await ours.until(lambda: peer.asked)
        assert (await told(ours, message(peer.url, id="2"))).status == 503
        go.set()
        assert (await first).status == 200
        assert (await told(ours, message(peer.url, id="2"))).status == 200
        assert [one.media for one in ours.of(Inbound)] == [[Medium("image/gif", addresses.digest(GIF), len(GIF))]] * 2


async def test_media_of_whom_nobody_hears_are_left_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turn or not: to be told again and again would lose the text, too."""
    monkeypatch.setattr(fetching, "PATIENCE_S", 0.2)
    monkeypatch.setattr(fetching, "TURN_S", 0.3)
    monkeypatch.setattr(fetching, "AT_ONCE", 1)
    async with opened(tmp_path) as (ours, peer, _):
        silence = asyncio.Event()

        async def be_silent(asked: Asked) -> Said:
            await silence.wait()
            return Said(404)

        peer.on_request = be_silent
        urls = [f"{peer.url}/{n}" for n in range(4)]
        assert (await told(ours, message(*urls))).status == 200
        media = ours.of(Inbound)[0].media or ()
        assert [each.url for each in media if isinstance(each, Medium)] == urls
        silence.set()


async def test_media_of_whom_nobody_hears_hold_back_no_message_that_came_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the proportions of what they are: one that is told again and again is lost in the end."""
    monkeypatch.setattr(fetching, "PATIENCE_S", 1.0)
    monkeypatch.setattr(fetching, "BRIEF_S", 0.1)
    monkeypatch.setattr(fetching, "TURN_S", 2.0)
    monkeypatch.setattr(arrivals, "PATIENCE_S", 3.0)
    async with opened(tmp_path, inbound=TOLD["inbound"] | {"items": "all"}) as (ours, peer, _):
        silence = asyncio.Event()

        async def be_silent(asked: Asked) -> Said:
            await silence.wait()
            return Said(404)

        peer.on_request = be_silent
        urls = [f"{peer.url}/{n}" for n in range(10)]
        messages = [message(*urls, id=str(n)) for n in range(3)]
        assert (await told(ours, {"all": messages}, path="inbound")).status == 200
        assert [len(one.media or ()) for one in ours.of(Inbound)] == [10] * 3
        silence.set()


async def test_media_that_are_slow_are_got_again_some_time_after_one_of_whom_nobody_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "PATIENCE_S", 0.6)
    monkeypatch.setattr(fetching, "BRIEF_S", 0.1)
    monkeypatch.setattr(fetching, "BRIEF_FOR_S", 0.5)
    async with opened(tmp_path) as (ours, peer, _):

        async def be_slow(asked: Asked) -> Said:
            await asyncio.sleep(30 if "silent" in asked.target else 0.2)
            return Said(200, GIF)

        peer.on_request = be_slow
        await told(ours, message(f"{peer.url}/silent"))

        async def has_digest(number: int) -> bool:
            await told(ours, message(f"{peer.url}/{number}", id=str(number)))
            (medium,) = ours.of(Inbound)[-1].media or ()
            return isinstance(medium, Medium) and bool(medium.digest)

        assert not await has_digest(1)
        async with asyncio.timeout(5):
            while not await has_digest(2):
                pass


async def test_media_that_take_too_long_are_for_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "PATIENCE_S", 0.2)
    async with opened(tmp_path) as (ours, peer, _):
        silence = asyncio.Event()

        async def be_silent(asked: Asked) -> Said:
            await silence.wait()
            return Said(404)

        peer.on_request = be_silent
        assert (await told(ours, message(peer.url))).status == 503
        assert ours.news == []
        silence.set()


async def test_who_is_not_believed_is_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as (ours, _, _):
        for said, key, status in ((b"{}", "t", 403), (b"{", "s", 400), (b"{}", "s", 400)):
            assert (await told(ours, said, key)).status == status
        assert ours.news == []
        (warning,) = ours.carrier.status().warnings
        assert warning.startswith("3 requests to its address here were not believed")


async def test_a_full_disk_is_for_later(tmp_path: Path) -> None:
    (tmp_path / "incoming").write_text("no folder")
    async with opened(tmp_path) as (ours, peer, _):
        peer.answer(Said(200, GIF))
        assert (await told(ours, message(peer.url))).status == 503
        assert ours.news == []


async def test_what_cannot_be_kept_leaves_nobody_at_work(tmp_path: Path) -> None:
    """The same is told again at once, and each time more would be under way."""
    (tmp_path / "incoming").write_text("no folder")
    async with opened(tmp_path) as (ours, peer, _):
        silence = asyncio.Event()

        async def be_silent(asked: Asked) -> Said:
            if not asked.target.endswith("/0"):
                await silence.wait()
            return Said(200, GIF)

        peer.on_request = be_silent
        assert (await told(ours, message(*(f"{peer.url}/{n}" for n in range(10))))).status == 503
        assert not [task for task in asyncio.all_tasks() if "Arrivals._kept" in repr(task)]
        silence.set()


# --- out


MMS: dict[str, Any] = {"takes": ["sms", "mms"], "body": {"to": "{destination}", "media": "{media}", "s": "{subject}"}}


async def test_media_go_as_addresses_of_ours_and_fit(tmp_path: Path) -> None:
    async with opened(tmp_path, **MMS) as (ours, peer, blobs):
        digest = await blobs.put(GIF, 0)
        ours.send(media=[Medium("image/gif", digest, len(GIF))], subject="Look")
        await ours.heard(Accepted)
        said = peer.asked[0].json
        assert said["s"] == "Look"
        (url,) = said["media"]
        assert url.startswith("https://hub.test/media/")
        sent = Published("https://hub.test", [b"k"], 0).digest_of(url)
        assert (await blobs.read(sent)).startswith(b"GIF")


@pytest.mark.parametrize("config", [MMS | {"media_types": ["audio/mpeg"]}, {}], ids=["type", "sms only"])
async def test_what_the_carrier_does_not_take_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    async with opened(tmp_path, **config) as (ours, peer, blobs):
        ours.send(media=[Medium("application/pdf", await blobs.put(b"%PDF-1.7 no", 0), 11)])
        (refused,) = await ours.heard(Refused)
        assert (refused.reason, peer.asked) == ("media_refused", [])
        assert refused.error_code


async def test_media_that_are_gone_are_gone(tmp_path: Path) -> None:
    async with opened(tmp_path, **MMS) as (ours, _, _):
        ours.send(media=[Medium("image/gif", "0" * 64, 3)])
        (refused,) = await ours.heard(Refused)
        assert refused.reason == "media_gone"


async def test_media_that_the_disk_does_not_give_are_for_later(tmp_path: Path) -> None:
    async with opened(tmp_path, **MMS) as (ours, peer, blobs):
        digest = await blobs.put(GIF, 0)
        path = blobs.path(digest)
        path.unlink()
        path.mkdir()
        key = ours.send(media=[Medium("image/gif", digest, len(GIF))])
        assert all_bare(await ours.heard(Refused)) == [Refused(key, "media_not_ready")]
        assert (peer.asked, ours.carrier.status().status) == ([], "bound")
        path.rmdir()
        await blobs.put(GIF, 0)
        ours.send(media=[Medium("image/gif", digest, len(GIF))])
        await ours.heard(Accepted)


async def test_media_that_a_full_disk_does_not_take_are_for_later(tmp_path: Path) -> None:
    """Of a quota of this process, as nothing else fills a disk without rights."""
    import resource
    import signal

    photo = BytesIO()
    Image.effect_noise((600, 600), 90).save(photo, "JPEG", quality=95, comment=b"goes, so that it is another")
    async with opened(tmp_path, **MMS) as (ours, peer, blobs):
        picture = [Medium("image/jpeg", await blobs.put(photo.getvalue(), 0), photo.tell())]
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (PIECE, before[1]))
        try:
            key = ours.send(media=picture)
            assert all_bare(await ours.heard(Refused)) == [Refused(key, "media_not_ready")]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)
        assert peer.asked == []
        ours.send(media=picture)
        await ours.heard(Accepted)


def test_a_disk_of_ours_costs_no_try_and_no_carrier() -> None:
    reason = REASONS["media_not_ready"]
    assert (reason.retry, reason.blameless, reason.reroute, reason.ours) == (True, True, False, False)
