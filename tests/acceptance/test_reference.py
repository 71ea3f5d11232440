"""The reference's own curl lines against `messagehub dev`, verbatim but for host and token."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.media.samples import SAMPLES, opened
from tests.support import gallery as galleries
from tests.support.api import Api, Json
from tests.support.gallery import Gallery
from tests.support.process import PROGRAM, Program, environment
from tests.support.waiting import until

OVERVIEW = r"""
curl -X POST 'https://api.voipbin.net/v1.0/messages?token=<token>' \
    --header 'Content-Type: application/json' \
    --data '{
        "source": "+15551234567",
        "destinations": [
            {
                "type": "tel",
                "target": "+15559876543"
            }
        ],
        "text": "Your verification code is 123456"
    }'
"""
MMS = r"""
curl -X POST 'https://api.voipbin.net/v1.0/messages?token=<token>' \
    --header 'Content-Type: application/json' \
    --data '{
        "source": "+15551234567",
        "destinations": [
            {
                "type": "tel",
                "target": "+15559876543"
            }
        ],
        "text": "Check out this image!",
        "medias": [
            {
                "type": "image/jpeg",
                "url": "https://example.com/image.jpg"
            }
        ]
    }'
"""
TUTORIAL = r"""
curl --location --request POST 'https://api.voipbin.net/v1.0/messages?token=<YOUR_AUTH_TOKEN>' \
--header 'Content-Type: application/json' \
--data-raw '{
    "source": {
        "type": "tel",
        "target": "+15559876543"
    },
    "destinations": [
        {
            "type": "tel",
            "target":"+31616818985"
        }
    ],
    "text": "hello, this is test message."
}'
"""
OLD_TUTORIAL = TUTORIAL.replace("+15559876543", "+821021656521")
LIST = r"""
curl --location --request GET 'https://api.voipbin.net/v1.0/messages?token=<YOUR_AUTH_TOKEN>&page_size=10'
"""

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")
NOT_YET = "9999-01-01 00:00:00.000000"
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Dev:
    """A running `messagehub dev` and what its ready file says."""

    def __init__(self, program: Program, shown: Json, ready_after: float) -> None:
        self.program, self.shown, self.ready_after = program, shown, ready_after

    def curl(self, line: str) -> tuple[int, Json]:
        """The status and the body that the line brings, on this host and with this key."""
        host = self.shown["api"].removesuffix("/v1.0")
        line = line.replace("https://api.voipbin.net", host).strip()
        line = re.sub(r"<token>|<YOUR_AUTH_TOKEN>", self.shown["accesskey"], line)
        done = subprocess.run(
            ["bash", "-c", f"{line} --silent --show-error --write-out '\\n%{{http_code}}'"],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body)

    def children(self) -> list[int]:
        assert self.program.process
        pid = self.program.process.pid
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Dev]:
    ready = folder / "ready.json"
    program = Program(
        folder, "dev", ["dev", "--listen", "127.0.0.1:0", "--ready-file", str(ready), *options],
        {"XDG_RUNTIME_DIR": str(folder)},
    )  # fmt: skip
    begun = time.monotonic()
    try:
        program.start()
        until(ready.exists, "the ready file")
        yield Dev(program, json.loads(ready.read_text()), time.monotonic() - begun)
    finally:
        program.kill()


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with running(tmp_path_factory.mktemp("dev")) as opened:
        yield opened


@pytest.fixture
def api(dev: Dev) -> Iterator[Api]:
    caller = Api(dev.shown["api"].removesuffix("/v1.0"), dev.shown["accesskey"])
    yield caller
    caller.close()


def address(target: str) -> Json:
    return {"type": "tel", "target": target, "target_name": "", "name": "", "detail": ""}


# --- the command ------------------------------------------------------------------------


def test_it_is_ready_in_a_moment(dev: Dev) -> None:
    assert dev.ready_after < 30  # under 2 s on an idle machine; tests share this one


def test_the_ready_file_says_all_that_one_needs(dev: Dev) -> None:
    promised = {
        "api", "console", "accesskey", "admin_accesskey", "username", "password", "customer_id", "numbers",
        "smpp_simulator", "mm7_simulator",
    }  # fmt: skip
    assert promised <= dev.shown.keys()
    assert dev.shown["numbers"] == ["+15551234567", "+15559876543", "+821021656521"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1\.0", dev.shown["api"])
    assert re.fullmatch(r"127\.0\.0\.1:\d+", dev.shown["smpp_simulator"])
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", dev.shown["mm7_simulator"])
    assert re.fullmatch(r"vb_[A-Za-z0-9]{32}", dev.shown["accesskey"])
    assert ID.fullmatch(dev.shown["customer_id"])


def test_the_ready_file_is_for_its_owner_only(dev: Dev) -> None:
    ready = Path(dev.program.arguments[dev.program.arguments.index("--ready-file") + 1])
    assert ready.stat().st_mode & 0o077 == 0


def test_the_printed_curl_line_works_when_it_is_pasted(dev: Dev) -> None:
    printed = dev.program.out.read_text()
    assert dev.shown["api"] in printed
    line = printed[printed.index("  curl ") :].partition("\n\n")[0]
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(done.stdout)["status"] == "sending"


# --- the lines --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "source", "destination", "text"),
    [
        (OVERVIEW, "+15551234567", "+15559876543", "Your verification code is 123456"),
        (TUTORIAL, "+15559876543", "+31616818985", "hello, this is test message."),
        (OLD_TUTORIAL, "+821021656521", "+31616818985", "hello, this is test message."),
    ],
    ids=["source as a string", "source as an Address", "of the old edition"],
)
def test_a_message_is_sent_by_the_line_of_the_reference(
    dev: Dev, api: Api, line: str, source: str, destination: str, text: str
) -> None:
    status, message = dev.curl(line)
    assert status == 200
    assert ID.fullmatch(message.pop("id"))
    assert MOMENT.fullmatch(message.pop("tm_create"))
    assert message == {
        "customer_id": dev.shown["customer_id"],
        "type": "sms",
        "status": "sending",
        "source": address(source),
        "targets": [
            {
                "destination": address(destination), "status": "queued", "parts": 1, "error_code": "",
                "error_message": "", "possible_duplicate": False, "tm_update": NOT_YET,
            }
        ],
        "target_count": 1,
        "text": text,
        "subject": "",
        "medias": [],
        "direction": "outbound",
        "tm_update": NOT_YET,
        "tm_delete": NOT_YET,
    }  # fmt: skip


def test_what_was_sent_is_delivered(dev: Dev, api: Api) -> None:
    _, sent = dev.curl(OVERVIEW)
    message = api.settled(sent["id"])
    assert message["status"] == message["targets"][0]["status"] == "delivered"
    for moment in (message["tm_create"], message["tm_update"], message["targets"][0]["tm_update"]):
        assert MOMENT.fullmatch(moment)
        assert moment != NOT_YET
    assert message["tm_delete"] == NOT_YET


def test_the_list_of_the_reference(dev: Dev, api: Api) -> None:
    sent = [dev.curl(OVERVIEW)[1]["id"] for _ in range(11)]
    status, page = dev.curl(LIST)
    assert status == 200
    assert page.keys() == {"result", "next_page_token"}
    assert [message["id"] for message in page["result"]] == sent[:0:-1]
    assert isinstance(page["next_page_token"], str)
    assert page["next_page_token"]
    members = {
        "id", "customer_id", "type", "status", "source", "targets", "target_count", "text", "subject", "medias",
        "direction", "tm_create", "tm_update", "tm_delete",
    }  # fmt: skip
    assert all(message.keys() == members for message in page["result"])
    older = api.get("/messages", page_size=10, page_token=page["next_page_token"])
    assert older["result"][0]["id"] == sent[0]


@pytest.fixture(scope="module")
def gallery() -> Iterator[Gallery]:
    with galleries.gallery() as opened:
        yield opened


def test_the_mms_of_the_reference_is_delivered(dev: Dev, api: Api, gallery: Gallery) -> None:
    """Its picture is served by this machine, as no network is there."""
    url = gallery.show("/image.jpg", SAMPLES["jpeg"])
    status, message = dev.curl(MMS.replace("https://example.com/image.jpg", url))
    assert status == 200
    assert (message["type"], message["status"], message["text"]) == ("mms", "sending", "Check out this image!")
    assert [medium["url"] for medium in message["medias"]] == [url]
    settled = api.settled(message["id"])
    target = settled["targets"][0]
    assert (settled["type"], settled["status"], target["status"], target["parts"]) == (
        "mms", "delivered", "delivered", 1,
    )  # fmt: skip
    arrived = httpx.get(f"{dev.shown['simulator_control']}/submits").json()["result"]
    (mms,) = (submit for submit in arrived if submit["text"] == "Check out this image!")
    assert (mms["kind"], mms["destination"]) == ("mms", "+15559876543")
    assert [part["type"] for part in mms["parts"]] == ["application/smil", "text/plain", "image/jpeg"]


def test_the_printed_lines_send_a_picture_that_can_be_looked_at(dev: Dev, api: Api, tmp_path: Path) -> None:
    printed = dev.program.out.read_text()
    curl, look = printed[printed.index("Send a picture") :].split("\n\n")[1].rsplit("\n", 1)
    sent = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, check=True, timeout=30)
    assert api.settled(json.loads(sent.stdout)["id"])["status"] == "delivered"
    env = environment(dev.program.env)
    subprocess.run(["bash", "-c", look], cwd=tmp_path, env=env, capture_output=True, check=True, timeout=30)
    picture = opened(max((tmp_path / "arrived").iterdir(), key=lambda path: path.stat().st_size).read_bytes())
    assert (picture.format, picture.width) == ("JPEG", 1600)


# --- what dev is made of ----------------------------------------------------------------


def test_a_handset_writes_by_the_command_line(dev: Dev, api: Api) -> None:
    words = "Hello, I need help with my order"
    command = [str(PROGRAM), "simulator", "send", "--from", "+15559876500", "--to", "+15551234567", words]
    done = subprocess.run(
        command, env=environment(dev.program.env), capture_output=True, text=True, check=True, timeout=30
    )
    assert "ESME_ROK" in done.stdout
    arrived: list[dict[str, Any]] = until(lambda: api.get("/messages", source="+15559876500")["result"], "it came")
    assert (arrived[0]["text"], arrived[0]["status"], arrived[0]["direction"]) == (words, "received", "inbound")


def test_a_handset_sends_a_picture_by_the_command_line(dev: Dev, api: Api, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(SAMPLES["jpeg"])
    command = [str(PROGRAM), "simulator", "send", "--from", "+15559876501", "--to", "+15551234567", "Look!"]
    command += ["--media", str(tmp_path / "photo.jpg")]
    env = environment(dev.program.env)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=30)
    assert "1000" in done.stdout
    (arrived,) = api.get("/messages", source="+15559876501")["result"]
    assert (arrived["type"], arrived["text"], arrived["medias"][0]["type"]) == ("mms", "Look!", "image/jpeg")
    assert httpx.get(arrived["medias"][0]["url"]).content == SAMPLES["jpeg"]


def test_sigterm_ends_dev_and_its_simulator(tmp_path: Path) -> None:
    with running(tmp_path, "--data", str(tmp_path / "data")) as dev:
        dev.curl(OVERVIEW)
        children = dev.children()
        assert children
        assert dev.program.end() == 0
        assert not any(lives(child) for child in children)
        assert (tmp_path / "data" / "hub.db").exists()


def test_a_dev_that_is_killed_takes_its_simulator_with_it(tmp_path: Path) -> None:
    with running(tmp_path) as dev:
        children = dev.children()
        dev.program.kill()
        until(lambda: not any(lives(child) for child in children), "the simulator ends")


def test_dev_goes_on_with_the_data_of_the_last_time(tmp_path: Path) -> None:
    with running(tmp_path, "--data", str(tmp_path / "data")) as before:
        _, sent = before.curl(OVERVIEW)
        assert before.program.end() == 0
    with running(tmp_path, "--data", str(tmp_path / "data")) as dev:
        assert dev.shown["accesskey"] == before.shown["accesskey"]
        _, page = dev.curl(LIST)
        assert [message["id"] for message in page["result"]] == [sent["id"]]


def lives(pid: int) -> bool:
    """Whether the process runs. One that has ended and waits for somebody to ask does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_ctrl_c_ends_dev_as_well(tmp_path: Path) -> None:
    with running(tmp_path) as dev:
        dev.program.tell(signal.SIGINT)
        until(lambda: dev.program.code is not None, "dev ends")
        assert dev.program.code == 0
