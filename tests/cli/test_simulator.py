"""messagehub simulator: a carrier in a box, and its handsets."""

import asyncio
import json
import socket

from messagehub.carriers.carrier import Inbound
from tests.carriers.rig import Ours
from tests.cli.shell import Shell
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


def test_a_port_that_is_taken(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shell.run("simulator", "--smpp-port", str(port)).is_refused(str(port))
