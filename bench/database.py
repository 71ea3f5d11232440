"""Where the hub of a run keeps its messages. Here the disk counts: PostgreSQL runs as its makers ship it."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port
from tests.support.postgres import UNPRIVILEGED, binaries, new_database, wait_until_up

Fresh = Callable[[Path], str]
"""Given the folder of a run, the address of an empty store."""


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'hub.db'}"


@contextmanager
def postgres() -> Iterator[Fresh]:
    """A private server that ends with the block; each run has a database of its own on it."""
    user = UNPRIVILEGED if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="messagehub-bench-postgres-"))
    if user:
        shutil.chown(folder, user)
    try:
        with _server(folder, user) as url:
            yield lambda _: new_database(url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(folder: Path, user: str | None) -> Iterator[str]:
    data, port, name = folder / "data", free_port(), user or getpass.getuser()
    initdb = [str(binaries() / "initdb"), "-D", str(data), "-U", name, "--auth=trust", "-E", "UTF8"]
    subprocess.run(initdb, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
    options = {"listen_addresses": "127.0.0.1", "port": port, "fsync": "on", "unix_socket_directories": folder}
    command = [str(binaries() / "postgres"), "-D", str(data), *(f"--{key}={value}" for key, value in options.items())]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, user=user, cwd=folder, stderr=log, process_group=0)
    try:
        yield wait_until_up(f"postgresql://{name}@127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)
