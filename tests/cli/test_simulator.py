"""messagehub simulator: a carrier in a box, and its handsets."""

import asyncio
import json
import socket
from functools import partial
from pathlib import Path

from messagehub.carriers.carrier import Inbound
from tests.carriers.authority import Authority
from tests.carriers.rig import Ours
from tests.cli.shell import Shell
from tests.support import simulator as simulators
from tests.support.simulator import Simulator

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


def test_something_else_is_there(shell: Shell, box: Simulator) -> None:
    shell.run(*WORDS, "Hi", "--url", f"{control(box)}/elsewhere").is_refused("simulator")


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
