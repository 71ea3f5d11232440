"""messagehub simulator: a carrier in a box, and its handsets."""

import asyncio
import json
import socket
from functools import partial
from pathlib import Path

import httpx
import pytest

from messagehub.carriers.carrier import Inbound, Refused
from messagehub.mms import read, take_apart, write
from tests.carriers.authority import Authority
from tests.carriers.rig import Ours
from tests.cli.shell import Shell
from tests.media.samples import SAMPLES
from tests.simulator.vasp import request as submit
from tests.support import simulator as simulators
from tests.support import sink
from tests.support.api import Api
from tests.support.process import Program
from tests.support.simulator import Simulator
from tests.support.waiting import until

WORDS = ("simulator", "send", "--from", "+442079461234", "--to", "+15551234567")


def control(box: Simulator) -> str:
    shown: str = json.loads(box.out.read_text())["http"]
    return shown


async def test_a_handset_writes_to_whoever_is_bound(shell: Shell, box: Simulator) -> None:
    async with Ours(box.port) as ours:
        await ours.bound()
        words = "Hello ✓ " * 20
        run = asyncio.create_task(asyncio.to_thread(shell.run, *WORDS, words, "--url", control(box), "--json"))
        await ours.until(run.done)
        assert run.result().json == {"parts": 3, "statuses": ["ESME_ROK"] * 3}
        found = ours.of(Inbound)
        assert "".join(part.text for part in found) == words
        assert {(part.source, part.destination) for part in found} == {("+442079461234", "+15551234567")}


def test_nobody_is_bound(shell: Shell, box: Simulator) -> None:
    shell.run(*WORDS, "Hi", "--url", control(box)).is_refused("nobody is bound")


async def test_the_running_dev_is_asked_by_default(shell: Shell, box: Simulator) -> None:
    shell.run(*WORDS, "Hi").is_refused("no `messagehub dev` is running")
    state = shell.folder / "messagehub-dev.json"
    state.write_text(json.dumps({"simulator_control": control(box)}))
    async with Ours(box.port) as ours:
        await ours.bound()
        run = asyncio.create_task(asyncio.to_thread(shell.run, *WORDS, "Hi"))
        await ours.until(run.done)
    assert (run.result().code, run.result().out) == (0, "sent in 1 part(s): ESME_ROK\n")


def test_no_simulator_is_there(shell: Shell) -> None:
    """An empty address is that of the running dev, which may have ended without a word."""
    (shell.folder / "messagehub-dev.json").write_text('{"simulator_control": "http://127.0.0.1:1"}')
    urls = ("http://127.0.0.1:1", "nonsense", "ftp://127.0.0.1", "")
    for done in shell.run_all(*((*WORDS, "Hi", "--url", url) for url in urls)):
        done.is_refused("simulator", "does not answer")


def test_it_calls_who_is_there(shell: Shell, box: Simulator) -> None:
    login = ("--system-id", "me", "--password", "secret", "--url", control(box))
    with socket.create_server(("127.0.0.1", 0)) as called:
        port = called.getsockname()[1]
        assert shell.run("simulator", "outbind", "--to", f"127.0.0.1:{port}", "--json", *login).json == {}
        heard, _ = called.accept()
        with heard:
            assert heard.recv(100).endswith(b"\0\0\0\x0b\0\0\0\0\0\0\0\x01me\0secret\0")
    shell.run("simulator", "outbind", "--to", f"127.0.0.1:{port}", *login).is_refused("cannot call")
    shell.run("simulator", "outbind", "--to", "127.0.0.1", *login).is_refused("HOST:PORT")


def test_something_else_is_there(shell: Shell, box: Simulator) -> None:
    shell.run(*WORDS, "Hi", "--url", f"{control(box)}/elsewhere").is_refused("simulator")


# --- MMS


def test_a_handset_writes_an_mms(shell: Shell, box: Simulator, tmp_path: Path) -> None:
    """What takes it here answers 200 and says nothing of MM7."""
    (tmp_path / "photo.jpg").write_bytes(SAMPLES["jpeg"])
    (tmp_path / "card").write_bytes(SAMPLES["vcard"])
    media = ("--media", str(tmp_path / "photo.jpg"), "--media", str(tmp_path / "card"))
    where = ("--url", control(box))
    with sink.sink() as opened:
        endpoint = opened.endpoint()
        box.deliver_to(endpoint.url)
        assert shell.run(*WORDS, "Look!", *media, *where, "--json").json == {"parts": 1, "statuses": ["HTTP 200"]}
        (hit,) = endpoint.hits
    request = read(hit.headers["content-type"], hit.body)
    assert request.content
    content = take_apart(request.content)
    assert (content.text, [medium.body for medium in content.media]) == (
        "Look!",
        [SAMPLES["jpeg"], SAMPLES["vcard"]],
    )
    assert [medium.name for medium in content.media] == ["image1.jpg", "contact2.vcf"]


def test_media_that_nobody_could_send(shell: Shell, box: Simulator, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>")
    where = ("--url", control(box))
    for path, words in (("page.html", "none of"), ("missing.jpg", "No such file")):
        shell.run(*WORDS, "Look!", "--media", str(tmp_path / path), *where).is_wrong("--media", path, words)
    shell.run(*WORDS, *where).is_wrong("nothing to send")


def test_it_shows_what_has_arrived(shell: Shell, box: Simulator, tmp_path: Path) -> None:
    content_type, body = write(submit("+15559870001"))
    headers = {"content-type": content_type, "soapaction": '""'}
    assert httpx.post(box.mm7, headers=headers, content=body).status_code == 200
    folder, where = tmp_path / "arrived", ("--url", control(box), "--after", str(box.submits()[-1]["n"] - 1))
    shown = shell.run("simulator", "submits", "--save", str(folder), *where).out
    (file,) = folder.iterdir()
    assert file.suffix == ".jpg"
    assert file.read_bytes() == SAMPLES["jpeg"]
    for words in ("mms", "+15551234567", "+15559870001", "Hello", f"{file} 60x40"):
        assert words in shown
    (found,) = shell.run("simulator", "submits", "--json", *where).json
    assert [part["type"] for part in found["parts"]] == ["application/smil", "text/plain", "image/jpeg"]


def test_who_may_send_mms_and_where_reports_go(tmp_path: Path) -> None:
    content_type, body = write(submit("+15559870001"))
    headers = {"content-type": content_type, "soapaction": '""'}
    with sink.sink() as opened:
        endpoint = opened.endpoint()
        login = ("--mm7-username", "us", "--mm7-password", "secret", "--mm7-octets", str(len(body)))
        with simulators.simulator(tmp_path, "mm7", "--mm7-vasp", endpoint.url, *login) as box:
            assert httpx.post(box.mm7, headers=headers, content=body).status_code == 401
            auth = ("us", "secret")
            answer = httpx.post(box.mm7, headers=headers, content=body, auth=auth)
            assert read(answer.headers["content-type"], answer.content).name == "SubmitRsp"
            endpoint.wait(lambda endpoint: endpoint.hits, "a report")
            large = httpx.post(box.mm7, headers=headers, content=body + b" ", auth=auth)
            said = read(large.headers["content-type"], large.content)
            assert said.fields["Status"]["StatusCode"] == 2004
    (hit, *_) = endpoint.hits
    assert read(hit.headers["content-type"], hit.body).fields["Recipient"].value == "+15559870001"


# --- scenarios


BUSY = """
[[rule]]
name = "no such number"
when = { to_prefix = "+4420" }
response = { status = "ESME_RINVDSTADR" }
"""


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    path = tmp_path / "busy.toml"
    path.write_text(BUSY)
    return path


async def test_a_scenario_is_played_before_the_magic_numbers(busy: Path, tmp_path: Path) -> None:
    with simulators.simulator(tmp_path, "scripted", "--scenario", str(busy)) as opened:
        async with Ours(opened.port) as ours:
            await ours.bound()
            for_the_scenario, for_the_magic = ours.send("+442079460004"), ours.send("+491720000004")
            found = {one.key: one.reason for one in await ours.heard(Refused, 2)}
        assert found == {for_the_scenario: "invalid_number", for_the_magic: "throttled"}
        assert opened.stats()["played"] == {"no such number": 1}


def test_dev_plays_a_scenario(shell: Shell, busy: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    words = ["dev", "--listen", "127.0.0.1:0", "--ready-file", str(ready), "--scenario", str(busy)]
    running = Program(tmp_path, "dev", words)
    try:
        running.start()
        until(ready.exists, "dev is ready")
        shown = json.loads(ready.read_text())
        api = Api(shown["api"].removesuffix("/v1.0"), shown["accesskey"])
        settled = api.settled(api.send("+15551234567", "+442079460123")["id"])
        assert settled["targets"][0]["error_code"] == "invalid_number"
        api.close()
        assert running.end() == 0
    finally:
        running.kill()


def test_a_scenario_that_is_wrong_is_wrong_usage(shell: Shell, busy: Path) -> None:
    busy.write_text(BUSY.replace("status", "statu"))
    missing = str(busy.with_name("missing.toml"))
    for command in ("simulator", "dev"):
        shell.run(command, "--scenario", str(busy)).is_wrong("busy.toml: rule 1 (no such number): response.statu: ")
        shell.run(command, "--scenario", missing).is_wrong("missing.toml: ", "No such file")


def test_a_port_that_is_taken(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shell.run("simulator", "--smpp-port", str(port)).is_refused(str(port))


# --- who may bind, and how --------------------------------------------------------------


async def test_only_who_knows_the_password_binds(tmp_path: Path) -> None:
    with simulators.simulator(tmp_path, "locked", "--system-id", "me", "--password", "secret") as locked:
        async with Ours(locked.port, system_id="me", password="secret") as ours:
            await ours.bound()
        for system_id, password in (("you", "secret"), ("me", "guess")):
            async with Ours(locked.port, system_id=system_id, password=password) as stranger:
                await stranger.until(partial(last_error, stranger))
                assert stranger.carrier.status().status == "down"


def last_error(ours: Ours) -> str:
    return ours.carrier.status().last_error


async def test_over_tls(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.certificate()
    (tmp_path / "both.pem").write_text(certificate + key)
    with simulators.simulator(tmp_path, "tls", "--tls-certificate", str(tmp_path / "both.pem")) as box:
        async with Ours(box.port, tls=True, tls_ca=authority.pem) as ours:
            await ours.bound()


def test_certificates_that_cannot_be_used(shell: Shell, tmp_path: Path) -> None:
    authority = Authority()
    certificate, _ = authority.certificate()
    texts = {"whole": certificate, "other": authority.certificate()[1], "words": "nonsense"}
    texts["locked"] = authority.certificate(passphrase="open sesame")[1]
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    command = ("simulator", "--smpp-port", "0")
    for given, words in (
        (("--tls-certificate", "whole", "--tls-key", "other"), "the key is not that of the certificate"),
        (("--tls-certificate", "whole", "--tls-key", "locked"), "without a passphrase"),
        (("--tls-certificate", "words"), "not in PEM form"),
        (("--tls-certificate", "nowhere"), "cannot read nowhere: No such file"),
    ):
        shell.run(*command, *given).is_refused(words)
    shell.run(*command, "--tls-key", "other").is_wrong("--tls-certificate")
