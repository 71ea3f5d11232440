"""Standard input, output and error that are closed, or on a disk that is full."""

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.cli.shell import Shell
from tests.support.ports import free_port
from tests.support.process import ENDS_WITHIN_S, PROGRAM, environment
from tests.support.waiting import until


@pytest.mark.parametrize("how", [">/dev/full", ">&-"])
def test_what_cannot_be_printed_is_one_line(shell: Shell, how: str) -> None:
    for command in (("segments", "Hello"), ("--help",)):
        shell.redirected(how, *command).is_refused("standard output cannot be written")


def test_who_reads_no_further_is_told_nothing(shell: Shell) -> None:
    assert shell.redirected("| true", "--help").err == ""


def test_what_cannot_be_complained_of_has_its_exit_code_all_the_same(shell: Shell) -> None:
    assert shell.redirected("2>/dev/full", "nonsense").code == 2


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("front", ["inline", "process"])
@pytest.mark.parametrize("how", ["<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_a_server_needs_none_of_them(tmp_path: Path, how: str, front: str) -> None:
    port = free_port()
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/hub.db", "LISTEN": f"127.0.0.1:{port}", "FRONT": front}
    env = environment({f"MESSAGEHUB_{name}": value for name, value in settings.items()})
    server = subprocess.Popen(["sh", "-c", f'exec "$0" serve {how}', PROGRAM], env=env)
    try:
        until(lambda: server.poll() is not None or answers(port), "it answers")
        server.terminate()
        assert server.wait(ENDS_WITHIN_S) == 0
    finally:
        server.kill()
        server.wait()
