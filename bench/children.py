"""Processes of a run: started in a folder that keeps what they say, and ended with the block, however it ends."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).parent.parent
DRAIN_S = 15
"""The hub promises to be gone within 10 seconds."""

Child = subprocess.Popen[bytes]


class Broken(Exception):
    """A run cannot go on; the message says what is wrong."""


@contextmanager
def child(command: Sequence[str], log: Path | None = None, env: Mapping[str, str] | None = None) -> Iterator[Child]:
    """As `program`, in our Python."""
    with program([sys.executable, *command], log, env) as process:
        yield process


@contextmanager
def program(command: Sequence[str], log: Path | None = None, env: Mapping[str, str] | None = None) -> Iterator[Child]:
    """A process whose standard input and output are ours; errors go to `log`, or to where ours go.

    It has its own process group, so that an interrupt at the keyboard reaches us alone, who end it in order.
    """
    errors = log.open("wb") if log else None
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd=ROOT,
        env={**_without_settings(), **(env or {})},
        process_group=0,
    )
    try:
        yield process
    finally:
        _end(process)
        if errors:
            errors.close()


def _without_settings() -> dict[str, str]:
    """A setting of the caller's own messagehub would be measured with it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MESSAGEHUB_")}


def _end(process: Child) -> None:
    process.terminate()
    try:
        process.wait(DRAIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with suppress(ProcessLookupError):  # a script may leave running what it has started
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        assert pipe
        pipe.close()


def free_ports(*names: str) -> dict[str, int]:
    """For programs that cannot choose them themselves."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}


def wait_until_open(port: int, process: Child, name: str, log: Path, within_s: float) -> None:
    until = monotonic() + within_s
    while not _listens(port):
        if process.poll() is not None or monotonic() > until:
            raise Broken(f"{name} did not start\n{last_words(log)}")
        sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def line(process: Child, name: str, log: Path | None = None) -> bytes:
    """The next line that a process says. Raises Broken where it has ended instead."""
    assert process.stdout
    if said := process.stdout.readline():
        return said
    raise Broken(f"{name} ended by itself\n{last_words(log) if log else ''}".strip())


def last_words(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:].strip()


def tell(process: Child, words: bytes) -> None:
    assert process.stdin
    process.stdin.write(words + b"\n")
    process.stdin.flush()
