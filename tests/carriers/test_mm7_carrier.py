"""A carrier that speaks MM7 to an MMSC over real sockets: media that fit, logins, refusals, and what goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from messagehub.blobs import Blobs
from messagehub.carriers.book import Means
from messagehub.carriers.callbacks import Callback, Reply
from messagehub.carriers.carrier import (
    Accepted,
    Inbound,
    Lost,
    Medium,
    Receipt,
    Refused,
    TargetKey,
    Unanswered,
    Verdict,
)
from messagehub.carriers.fitting import Fitter
from messagehub.published import Published
from tests.carriers import mmsc
from tests.carriers.mmsc import MMSC, Login, faulted, response, xml
from tests.carriers.web_rig import SOMEBODY, Hangup, Ours, Said, server
from tests.media.samples import SAMPLES, located, opened, photo, saved

TYPES = {
    "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "mp4": "video/mp4", "3gp": "video/3gpp",
    "mp3": "audio/mpeg", "wav": "audio/wav", "pdf": "application/pdf", "vcard": "text/vcard",
}  # fmt: skip


class Pair:
    """Our carrier and its MMSC; media of ours are kept in `blobs`."""

    def __init__(self, ours: Ours, peer: MMSC, blobs: Blobs) -> None:
        self.ours, self.peer, self.blobs = ours, peer, blobs

    async def send(self, media: Sequence[tuple[str, bytes]] = (), text: str = "Hello", **more: Any) -> TargetKey:
        kept = [Medium(kind, await self.blobs.put(octets, 1), len(octets)) for kind, octets in media]
        return self.ours.send(words=text, media=kept, **more)

    async def outcome(self, times: int = 1) -> Any:
        """The last of so many."""
        kinds = Accepted | Refused | Unanswered | Lost
        found = await self.ours.until(
            lambda: got if len(got := [one for one in self.ours.news if isinstance(one, kinds)]) >= times else []
        )
        return found[-1]

    async def tell(self, given: tuple[str, bytes] | bytes, **headers: str) -> Reply:
        """The MMSC makes a request of us; news is taken until it is answered."""
        content_type, body = given if isinstance(given, tuple) else ("text/xml", given)
        callback = Callback("POST", "", {}, {"content-type": content_type, **headers}, body, "https://hub.test/", "::1")
        asked = asyncio.create_task(self.ours.carrier.called(callback))
        await self.ours.until(asked.done)
        return await asked


@asynccontextmanager
async def pair(folder: Path, login: Login | None = None, nonce_for: int = 1000, **config: Any) -> AsyncIterator[Pair]:
    blobs = Blobs(folder)
    means = Means(blobs=blobs, fitter=Fitter(blobs), published=Published("https://hub.test", [b"key"], 10**9))
    async with server() as peer:
        told = MMSC(peer, login, nonce_for)
        async with Ours(peer.url, "mm7", means, **config) as ours:
            yield Pair(ours, told, blobs)


# --- what arrives -----------------------------------------------------------------------


async def test_a_photo_of_twelve_megapixels_arrives_small_and_upright(tmp_path: Path) -> None:
    octets = saved(photo(4000, 3000), "JPEG", quality=92, exif=located(6))
    assert len(octets) > 1_000_000
    async with pair(tmp_path) as both:
        await both.send([("image/jpeg", octets)], "On the beach", subject="Hello")
        assert (await both.outcome()).names == ["m-1"]
        (found,) = both.peer.submissions
    assert (found.text, found.elements["Subject"]) == ("On the beach", "Hello")
    assert [piece.type for piece in found.media] == ["image/jpeg"]
    assert sum(len(piece.octets) for piece in found.pieces) <= 300_000
    arrived = opened(found.media[0].octets)
    assert arrived.height > arrived.width >= 600
    assert not arrived.getexif()


async def test_all_nine_formats_arrive_in_their_order(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        await both.send([(kind, SAMPLES[name]) for name, kind in TYPES.items()])
        assert isinstance(await both.outcome(), Accepted)
        (found,) = both.peer.submissions
    assert [piece.type for piece in found.media] == list(TYPES.values())
    for name in ("mp3", "wav", "pdf", "vcard"):
        place = list(TYPES).index(name)
        assert found.media[place].octets == SAMPLES[name]


async def test_ten_media_arrive_in_their_order(tmp_path: Path) -> None:
    cards = [SAMPLES["vcard"].replace(b"Zo", f"Z{n}".encode()) for n in range(10)]
    async with pair(tmp_path) as both:
        await both.send([("text/vcard", card) for card in cards])
        await both.outcome()
        assert [piece.octets for piece in both.peer.submissions[0].media] == cards


async def test_a_medium_goes_as_base64_where_the_carrier_wants_it(tmp_path: Path) -> None:
    octets = saved(photo(1200, 900), "JPEG", quality=95)
    async with pair(tmp_path, encoding="base64", media_octets=60_000) as both:
        await both.send([("image/jpeg", octets)])
        await both.outcome()
        (found,) = both.peer.submissions
    assert len(found.media[0].octets) * 4 / 3 < 60_000


async def test_what_cannot_fit_is_refused_here_and_nothing_leaves(tmp_path: Path) -> None:
    large = SAMPLES["pdf"].replace(b"1 0 obj", b"%" + bytes(9000) + b"\n1 0 obj")
    async with pair(tmp_path, media_octets=5_000) as both:
        await both.send([("application/pdf", large)])
        found = await both.outcome()
        assert (found.reason, found.error_code) == ("media_too_large", "media_too_large")
        await both.send([("image/jpeg", SAMPLES["pdf"])])
        assert (await both.outcome(2)).error_code == "media_type_mismatch"
        both.ours.send(media=[Medium("image/jpeg", "0" * 64, 1)])
        assert (await both.outcome(3)).reason == "media_gone"
        assert both.peer.submissions == []


# --- logging in -------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
async def test_a_login_is_asked_for_once(tmp_path: Path, scheme: Any) -> None:
    async with pair(tmp_path, Login(scheme, "us", "secret"), username="us", password="secret") as both:
        for n in range(1, 4):
            await both.send()
            assert isinstance(await both.outcome(n), Accepted)
        assert (both.peer.refused, len(both.peer.submissions)) == (1, 3)


async def test_a_nonce_that_is_stale_is_replaced(tmp_path: Path) -> None:
    login = Login("Digest", "us", "secret")
    async with pair(tmp_path, login, nonce_for=2, username="us", password="secret") as both:
        for n in range(1, 7):
            await both.send()
            assert isinstance(await both.outcome(n), Accepted)
        assert len({one.transaction for one in both.peer.submissions}) == 6


async def test_many_log_in_at_once(tmp_path: Path) -> None:
    login = Login("Digest", "us", "secret")
    async with pair(tmp_path, login, username="us", password="secret", window=10) as both:
        for _ in range(10):
            await both.send()
        await both.outcome(10)
        assert len(both.ours.of(Accepted)) == 10


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
async def test_a_wrong_password_is_the_operators_to_repair(tmp_path: Path, scheme: Any) -> None:
    async with pair(tmp_path, Login(scheme, "us", "secret"), username="us", password="guess") as both:
        await both.send()
        found = await both.outcome()
        assert (found.reason, both.peer.submissions) == ("bad_credentials", [])
        assert both.ours.carrier.status().status == "down"
        assert "guess" not in repr(found) + repr(both.ours.carrier.status())


# --- what an MMSC says ------------------------------------------------------------------

REFUSALS: list[tuple[str, Callable[[str], Said], str]] = [
    ("an address", lambda t: xml(response(2002, transaction=t)), "invalid_number"),
    ("restricted", lambda t: xml(response(2001, transaction=t)), "refused_here"),
    ("busy", lambda t: xml(response(4006, transaction=t)), "unwell"),
    ("a validation", lambda t: xml(response(4004, transaction=t)), "misconfigured"),
    ("a fault with 500", lambda t: xml(faulted(3000, t), 500), "unwell"),
    ("nothing", lambda _: Said(200), "unreadable"),
    ("a page", lambda _: Said(200, b"<html>Welcome</html>", (("content-type", "text/html"),)), "unreadable"),
    ("another's answer", lambda _: xml(response(1000, "m-1", transaction="somebody")), "unreadable"),
    ("too large", lambda _: Said(413), "media_too_large"),
    ("ill", lambda _: Said(502, b"<html/>"), "unwell"),
    ("too often", lambda _: Said(429, b"", (("retry-after", "3"),)), "throttled"),
]


@pytest.mark.parametrize(("say", "reason"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
async def test_a_refusal_says_why(tmp_path: Path, say: Callable[[str], Said], reason: str) -> None:
    async with pair(tmp_path) as both:
        both.peer.says(say)
        await both.send()
        found = await both.outcome()
        assert isinstance(found, Refused)
        assert found.reason == reason


async def test_one_that_does_not_answer_leaves_a_doubt(tmp_path: Path) -> None:
    async with pair(tmp_path, response_timeout=0.2) as both:
        goes_on = asyncio.Event()

        async def late(submitted: mmsc.Submission) -> Said:
            await goes_on.wait()
            return await both.peer.take(submitted)

        both.peer.plan = late
        await both.send()
        assert isinstance(await both.outcome(), Unanswered)
        goes_on.set()
        found = await both.outcome(2)
        assert (found.late, found.names) == (True, ["m-1"])


async def test_one_that_hangs_up_leaves_a_doubt(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.peer.says(Hangup)
        await both.send()
        assert isinstance(await both.outcome(), Lost)


# --- what an MMSC asks of us ------------------------------------------------------------


async def test_a_report_may_come_before_the_answer(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:

        async def early(submitted: mmsc.Submission) -> Said:
            told = asyncio.create_task(both.tell(mmsc.report("m-1", "Retrieved", SOMEBODY)))
            await both.ours.heard(Receipt)
            assert mmsc.said((await told).body)[2] == 1000
            return await both.peer.take(submitted)

        both.peer.plan = early
        await both.send()
        assert (await both.outcome()).names == ["m-1"]
        (found,) = both.ours.of(Receipt)
        assert (found.name, found.state, found.destination) == ("m-1", "delivered", SOMEBODY)


async def test_a_message_comes_in_with_its_media_kept(tmp_path: Path) -> None:
    octets = SAMPLES["jpeg"]
    async with pair(tmp_path) as both:
        reply = await both.tell(mmsc.delivery(parts=[*mmsc.PARTS[:2], ("image/jpeg", "a.jpg", octets)]))
        assert (reply.status, mmsc.said(reply.body)) == (200, ("DeliverRsp", "d-1", 1000))
        (found,) = both.ours.of(Inbound)
        assert (found.source, found.text, found.subject) == ("+442079461234", "Grüße", "A day out")
        (medium,) = found.media or []
        assert isinstance(medium, Medium)
        assert (medium.type, medium.size) == ("image/jpeg", len(octets))
        assert await both.blobs.read(medium.digest) == octets


async def test_media_are_kept_once_for_all_who_get_them(tmp_path: Path) -> None:
    to = "<To><Number>+15551234567</Number><Number>+15559876543</Number></To>"
    async with pair(tmp_path) as both:
        await both.tell(mmsc.delivery(recipients=to, parts=[("image/jpeg", "a.jpg", SAMPLES["jpeg"])]))
        first, second = both.ours.of(Inbound)
        assert first.destination != second.destination
        assert first.media
        assert first.media is second.media


@pytest.mark.parametrize(("verdict", "status", "code"), [(Verdict.LATER, 503, 4006), (Verdict.REFUSED, 200, 2002)])
async def test_what_could_not_be_kept_is_answered_so(tmp_path: Path, verdict: Verdict, status: int, code: int) -> None:
    async with pair(tmp_path) as both:
        both.ours.verdict = verdict
        reply = await both.tell(mmsc.report("m-1", "Retrieved", SOMEBODY))
        assert (reply.status, mmsc.said(reply.body)[2]) == (status, code)


async def test_who_does_not_know_the_password_tells_nothing(tmp_path: Path) -> None:
    async with pair(tmp_path, callback_username="mmsc", callback_password="hush") as both:
        reply = await both.tell(mmsc.report("m-1", "Retrieved", SOMEBODY))
        assert (reply.status, both.ours.news) == (401, [])
        reply = await both.tell(mmsc.report("m-1", "Retrieved", SOMEBODY), authorization="Basic bW1zYzpodXNo")
        assert (reply.status, len(both.ours.news)) == (200, 1)
