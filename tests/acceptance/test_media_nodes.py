"""Media outlive their server: what was answered is there, nothing is half, and other processes serve it as well."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.media.samples import SAMPLES
from tests.support import hub as hubs
from tests.support import postgres, raw
from tests.support.api import good
from tests.support.cluster import cluster
from tests.support.waiting import until


def test_each_node_serves_what_another_has_taken_and_signed(postgres_server: str, tmp_path: Path) -> None:
    url, folder = postgres.new_database(postgres_server), tmp_path / "media"
    with cluster(url, tmp_path, role="api", media_dir=folder) as nodes:
        first, second = nodes.first, nodes.add("api")
        account = first.customer()
        made = good(account.api.http.post("/media", files={"file": ("cat.jpg", SAMPLES["jpeg"])}))
        place = urlsplit(made["url"])
        assert httpx.get(f"{second.address}{place.path}?{place.query}").content == SAMPLES["jpeg"]
        there = nodes.api(account, second).get(f"/media/{made['id']}")
        assert there["url"].startswith(second.address)
        first.kill()
        assert httpx.get(there["url"]).content == SAMPLES["jpeg"]
        first.start()
        assert httpx.get(made["url"]).content == SAMPLES["jpeg"]


def test_after_a_crash_what_was_answered_is_there_and_nothing_is_half(tmp_path: Path) -> None:
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path) as hub:
        account = hub.customer()
        answered: list[str] = []
        enough = threading.Event()

        def upload(n: int) -> None:
            octets = SAMPLES["jpeg"] + bytes([n]) * 2_000_000
            try:
                answer = account.api.http.post("/media", files={"file": ("cat.jpg", octets)})
            except httpx.TransportError:
                return
            answered.append(good(answer)["id"])
            if len(answered) == 10:
                enough.set()

        with ThreadPoolExecutor(8) as callers:
            done = [callers.submit(upload, n) for n in range(60)]
            assert enough.wait(30)
            hub.kill()
        assert [one.result() for one in done] == [None] * 60
        assert len(answered) < 60
        for path in (tmp_path / "media").glob("??/*"):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
        hub.start()
        for id in answered:
            assert httpx.get(account.api.get(f"/media/{id}")["url"]).status_code == 200


def test_an_orderly_end_waits_for_no_upload_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    with hubs.hub(f"sqlite:///{tmp_path}/hub.db", tmp_path, body_timeout=60) as hub:
        account, incoming = hub.customer(), tmp_path / "media" / "incoming"
        headers = (f"authorization: Bearer {account.api.key}", "content-type: multipart/form-data; boundary=x")
        head = b'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\n'
        with raw.line(hub) as line:
            line.say(raw.request("POST /v1.0/media", *headers, "content-length: 1000000", body=head + bytes(300_000)))
            until(lambda: incoming.is_dir() and list(incoming.iterdir()), "it has begun")
            assert hub.end() == 0
            line.answer().refusal(503, "SERVICE_UNAVAILABLE")
        assert not list(incoming.iterdir())
        assert "Traceback" not in hub.log
