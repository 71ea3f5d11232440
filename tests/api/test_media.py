"""Media: uploaded, listed, forgotten, and refused where they are not what they seem."""

import resource
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from messagehub.media import addresses
from tests.api.conftest import BODY_TIMEOUT_S
from tests.api.uploads import large, upload, uploaded
from tests.media.samples import SAMPLES
from tests.media.test_kinds import HTML, NOT_OURS, POLYGLOTS
from tests.media.test_pictures import BOMBS
from tests.support import raw
from tests.support.api import Api, good, refusal
from tests.support.hub import Account, Hub
from tests.support.waiting import until

MIB = 1024 * 1024
MOST = 16 * MIB
BOUNDARY = "--------a boundary"


def form(*parts: tuple[str, bytes], end: str = f"--{BOUNDARY}--\r\n") -> bytes:
    """Each part: the lines of its head, and its content."""
    pieces = [f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts]
    return b"".join(pieces) + end.encode()


FILE = 'Content-Disposition: form-data; name="file"; filename="cat.jpg"'
WHOLE = form((FILE, SAMPLES["jpeg"]))


def post(account: Account, body: bytes | Iterator[bytes], kind: str = "") -> httpx.Response:
    headers = {"Content-Type": kind or f'multipart/form-data; boundary="{BOUNDARY}"'}
    return account.api.http.post("/media", content=body, headers=headers)


def folder_of(hub: Hub) -> Path:
    return hub.out.parent / "media"


def parts_of(hub: Hub) -> list[Path]:
    return list((folder_of(hub) / "incoming").iterdir())


# --- uploads ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_each_of_the_formats_comes_back_as_it_was(hub: Hub, account: Account, name: str) -> None:
    made = uploaded(account, SAMPLES[name], f"it.{name}", "application/octet-stream")
    assert made["size"] == len(SAMPLES[name])
    assert made["name"] == f"it.{name}"
    assert made["customer_id"] == account.id
    assert made["tm_delete"].startswith("9999")
    answer = httpx.get(made["url"])
    assert answer.content == SAMPLES[name]
    assert answer.headers["content-type"] == made["type"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"].startswith("private")
    assert made["url"].startswith(f"{hub.address}/media/")


def test_the_same_octets_are_kept_once(hub: Hub, account: Account) -> None:
    octets = large(MIB)
    with ThreadPoolExecutor(8) as callers:
        made = list(callers.map(lambda _: uploaded(account, octets), range(16)))
    assert len({one["id"] for one in made}) == 16
    digest = addresses.digest(octets)
    assert len(list(folder_of(hub).rglob(digest))) == 1
    path = folder_of(hub) / addresses.path(digest)
    assert path.read_bytes() == octets
    assert path.stat().st_mtime > time.time() + 6 * 24 * 3600
    assert not parts_of(hub)


def test_uploads_are_listed_read_and_forgotten(hub: Hub) -> None:
    account, other = hub.customer(), hub.customer()
    made = [uploaded(account, SAMPLES["png"], f"{n}.png") for n in range(5)]
    pages = account.api.pages("/media", page_size=2)
    assert [one["name"] for page in pages for one in page] == [f"{n}.png" for n in reversed(range(5))]
    one = account.api.get(f"/media/{made[0]['id']}")
    assert {**one, "url": ""} == {**made[0], "url": ""}
    assert httpx.get(one["url"]).status_code == 200
    assert other.api.every("/media") == []
    for method in ("GET", "DELETE"):
        refusal(other.api.call(method, f"/media/{made[0]['id']}"), 404, "RESOURCE_NOT_FOUND")
    assert account.api.delete(f"/media/{made[0]['id']}")["tm_delete"] < "9999"
    refusal(account.api.call("GET", f"/media/{made[0]['id']}"), 404, "RESOURCE_NOT_FOUND")
    assert len(account.api.every("/media")) == 4
    assert httpx.get(made[0]["url"]).status_code == 200


def test_who_may_not_upload_is_told_so_before_anything_is_read(hub: Hub) -> None:
    with raw.line(hub) as line:
        head = raw.request("POST /v1.0/media", "content-type: multipart/form-data; boundary=x", "content-length: 900")
        line.ask(head).refusal(401, "AUTHENTICATION_REQUIRED")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\pictures\\cat.jpg", "cat.jpg"),
        ("Katze 😀.jpg", "Katze _.jpg"),
        ("été.jpg", "été.jpg"),
        ("a%0d%0aset-cookie: x.jpg", "a_0d_0aset-cookie_ x.jpg"),
        ("x" * 500 + ".jpg", "x" * 96 + ".jpg"),
        ("", ""),
    ],
)
def test_names_are_harmless(account: Account, given: str, name: str) -> None:
    head = f'Content-Disposition: form-data; name="file"; filename="{given}"'
    assert good(post(account, form((head, SAMPLES["jpeg"]))))["name"] == name


# --- what is not what it seems ----------------------------------------------------------


@pytest.mark.parametrize("octets", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_other_formats_are_refused(hub: Hub, account: Account, octets: bytes) -> None:
    refusal(upload(account, octets), 415, "MEDIA_UNSUPPORTED", "file")
    assert not list(folder_of(hub).rglob(addresses.digest(octets)))


@pytest.mark.parametrize("octets", [*POLYGLOTS.values(), SAMPLES["jpeg"][:-300]], ids=[*POLYGLOTS, "cut short"])
def test_what_only_begins_as_one_is_refused(hub: Hub, account: Account, octets: bytes) -> None:
    refusal(upload(account, octets, kind="application/octet-stream"), 400, "MEDIA_BROKEN", "file")
    assert not list(folder_of(hub).rglob(addresses.digest(octets)))


@pytest.mark.parametrize("octets", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_refused(account: Account, octets: bytes) -> None:
    refusal(upload(account, octets, kind="image"), 413, "MEDIA_TOO_LARGE", "pixels")


def test_what_is_cut_anywhere_is_answered(account: Account) -> None:
    for name, octets in SAMPLES.items():
        for eighth in range(1, 8):
            cut = octets[: len(octets) * eighth // 8]
            assert upload(account, cut, "it", "application/octet-stream").status_code in (200, 400, 415), name


def test_a_type_that_is_wrong_is_refused(account: Account) -> None:
    refusal(upload(account, SAMPLES["png"], kind="image/jpeg"), 400, "MEDIA_TYPE_MISMATCH", "image/png")


# --- forms ------------------------------------------------------------------------------

OTHER = 'Content-Disposition: form-data; name="comment"'
ODD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "file"),
    "an empty form": (form(), "file"),
    "no end": (form((FILE, SAMPLES["jpeg"]), end=""), "last boundary"),
    "half a file": (WHOLE[:500], "last boundary"),
    "another field": (form((OTHER, b"x")), "comment"),
    "another field behind the file": (form((FILE, SAMPLES["jpeg"]), (OTHER, b"x")), "comment"),
    "two files": (form((FILE, SAMPLES["jpeg"]), (FILE, SAMPLES["jpeg"])), "one at a time"),
    "ten thousand parts": (form(*[(FILE, b"x")] * 10_000), "one at a time"),
    "a part without a name": (form(("Content-Type: image/jpeg", b"x")), "without a name"),
    "a head without a colon": (form(("nonsense", b"x")), "cannot be read"),
    "a head that has no end": (form((f"{FILE}\r\nX-Long: {'x' * 100_000}", b"x")), "cannot be read"),
    "a hundred heads": (form((FILE + "\r\nX-Much: x" * 100, b"x")), "cannot be read"),
    "another boundary": (WHOLE.replace(BOUNDARY.encode(), b"other"), "file"),
    "no form": (b'{"file": "x"}', "file"),
}


@pytest.mark.parametrize(("body", "words"), ODD.values(), ids=ODD.keys())
def test_odd_forms_are_refused_by_what_is_odd(hub: Hub, account: Account, body: bytes, words: str) -> None:
    refusal(post(account, body), 400, "INVALID_UPLOAD", words if words != "file" else "")
    assert not parts_of(hub)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "image/jpeg",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "multipart/form-data; boundary=",
    ],
)
def test_what_is_no_form_is_refused(account: Account, kind: str) -> None:
    refusal(post(account, WHOLE, kind), 415, "NOT_MULTIPART", "multipart/form-data")


def test_a_boundary_of_any_length_is_no_trouble(account: Account) -> None:
    refusal(post(account, WHOLE, f"multipart/form-data; boundary={'x' * 5000}"), 400, "INVALID_UPLOAD")


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_form_comes_in_pieces_of_any_size(account: Account, size: int) -> None:
    pieces = (WHOLE[at : at + size] for at in range(0, len(WHOLE), size))
    assert httpx.get(good(post(account, pieces))["url"]).content == SAMPLES["jpeg"]


# --- size and time ----------------------------------------------------------------------


def test_a_medium_of_just_as_much_as_is_taken(account: Account) -> None:
    octets = large(MOST)
    assert httpx.get(uploaded(account, octets)["url"]).content == octets


def test_a_medium_of_more_is_refused(hub: Hub, account: Account) -> None:
    refusal(upload(account, large(MOST + 1)), 413, "MEDIA_TOO_LARGE", str(MOST))
    refusal(upload(account, large(17 * MIB)), 413, "MEDIA_TOO_LARGE", str(MOST))
    assert not parts_of(hub)


def test_a_medium_without_end_is_refused_as_soon_as_it_is_too_large(hub: Hub, account: Account) -> None:
    with raw.line(hub) as line:
        line.say(head(account, "transfer-encoding: chunked"))
        first = WHOLE[: WHOLE.index(b"\r\n\r\n") + 4] + SAMPLES["jpeg"]
        line.say(b"%x\r\n%s\r\n" % (len(first), first))
        for _ in range(MOST // 65536):
            line.say(b"10000\r\n" + bytes(65536) + b"\r\n")
        line.answer().refusal(413, "MEDIA_TOO_LARGE")
    until(lambda: not parts_of(hub), "nothing is left of it")


def head(account: Account, *headers: str) -> bytes:
    kind = f'content-type: multipart/form-data; boundary="{BOUNDARY}"'
    return raw.request("POST /v1.0/media", f"authorization: Bearer {account.api.key}", kind, *headers)


def test_a_medium_that_is_announced_too_large_is_not_waited_for(hub: Hub, account: Account) -> None:
    with raw.line(hub) as line:
        line.ask(head(account, f"content-length: {10**12}")).refusal(413, "MEDIA_TOO_LARGE")


def test_a_medium_that_comes_too_slowly_is_not_waited_for(hub: Hub, account: Account) -> None:
    with raw.line(hub) as line:
        begun = time.monotonic()
        line.say(head(account, f"content-length: {len(WHOLE)}") + WHOLE[:-1000])
        line.answer().refusal(408, "REQUEST_TIMEOUT")
        assert BODY_TIMEOUT_S <= time.monotonic() - begun < BODY_TIMEOUT_S + 15
    assert not parts_of(hub)


def test_who_goes_away_leaves_nothing(hub: Hub, account: Account) -> None:
    with raw.line(hub) as line:
        line.say(head(account, f"content-length: {MIB}") + WHOLE[:-10])
        until(lambda: parts_of(hub), "it has begun")
    until(lambda: not parts_of(hub), "nothing is left of it")


def test_a_large_medium_may_take_longer_than_a_small_one(hub: Hub, account: Account) -> None:
    """At 100 KB/s, for twice the time that a body has."""
    octets = form((FILE, large(int(BODY_TIMEOUT_S * 200_000))))

    def slowly() -> Iterator[bytes]:
        for at in range(0, len(octets), 10_000):
            yield octets[at : at + 10_000]
            time.sleep(0.1)

    assert good(post(account, slowly()))["type"] == "image/jpeg"


def memory_of(hub: Hub) -> int:
    """Octets, of the process and of those that it has started."""
    assert hub.process
    own = hub.process.pid
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    lines = "\n".join(Path(f"/proc/{pid}/status").read_text() for pid in (own, *children))
    return sum(int(line.split()[1]) * 1024 for line in lines.split("\n") if line.startswith("VmRSS"))


def test_many_large_uploads_at_once_need_little_memory(hub: Hub, account: Account) -> None:
    octets = large(10 * MIB)
    uploaded(account, octets)
    before, most, done = memory_of(hub), 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, memory_of(hub))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(50) as callers:
        answers = list(callers.map(lambda _: upload(account, octets), range(50)))
    done.set()
    watcher.join()
    assert {answer.status_code for answer in answers} == {200}
    assert most - before < 100 * MIB


def test_a_full_disk_takes_no_medium_and_goes_on_when_there_is_room(hub: Hub, account: Account) -> None:
    """Of a quota of that process: its files may have 4 MiB."""
    assert hub.process
    limits = resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, (4 * MIB, limits[1]))
    try:
        for _ in range(3):
            refusal(
                upload(account, large(8 * MIB)), 503, "SERVICE_UNAVAILABLE", "media cannot be written to their folder"
            )
        assert not parts_of(hub)
        uploaded(account, large(MIB))
    finally:
        resource.prlimit(hub.process.pid, resource.RLIMIT_FSIZE, limits)
    uploaded(account, large(8 * MIB))


def test_uploads_go_with_their_customer(hub: Hub, admin: Api) -> None:
    account = hub.customer()
    made = uploaded(account, SAMPLES["gif"], "it.gif")
    assert admin.get(f"/media/{made['id']}")["id"] == made["id"]
    admin.delete(f"/customers/{account.id}")
    refusal(admin.call("GET", f"/media/{made['id']}"), 404, "RESOURCE_NOT_FOUND")


def test_what_is_kept_no_more_is_not_there(hub: Hub, account: Account) -> None:
    octets = large(1000)
    made = uploaded(account, octets)
    (folder_of(hub) / addresses.path(addresses.digest(octets))).unlink()
    refusal(httpx.get(made["url"]), 404, "RESOURCE_NOT_FOUND", "not kept")
    assert account.api.get(f"/media/{made['id']}")["url"] == ""


def test_a_link_in_the_folder_leads_nowhere(hub: Hub, account: Account) -> None:
    octets = large(1001)
    made = uploaded(account, octets)
    path = folder_of(hub) / addresses.path(addresses.digest(octets))
    path.unlink()
    path.symlink_to("/etc/passwd")
    refusal(httpx.get(made["url"]), 404, "RESOURCE_NOT_FOUND")


def test_who_does_not_read_holds_up_nobody(hub: Hub, account: Account) -> None:
    octets = large(8 * MIB)
    parts = urlsplit(uploaded(account, octets)["url"])
    before = memory_of(hub)
    stalled = []
    try:
        for _ in range(20):
            sock = socket.create_connection(hub.listens_at())
            sock.sendall(raw.request(f"GET {parts.path}?{parts.query}"))
            stalled.append(sock)
        assert httpx.get(parts.geturl()).content == octets
        assert memory_of(hub) - before < 40 * MIB
    finally:
        for sock in stalled:
            sock.close()


def test_html_is_never_a_page_of_ours(hub: Hub, account: Account) -> None:
    """Not even where it stands in the folder, as of another program's."""
    made = uploaded(account, large(1002))
    digest = urlsplit(made["url"]).path.rpartition("/")[2]
    (folder_of(hub) / addresses.path(digest)).write_bytes(HTML)
    answer = httpx.get(made["url"])
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
