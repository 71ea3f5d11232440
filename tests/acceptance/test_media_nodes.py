"""Media of several processes: what one has taken the others serve, by addresses that any of them has signed."""

from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.media.samples import SAMPLES
from tests.support import postgres
from tests.support.api import good
from tests.support.cluster import cluster


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
