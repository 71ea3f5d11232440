"""The state file: what a running `dev` tells the other commands of the same user."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from messagehub.errors import HubError


class NotRunning(HubError):
    """No `messagehub dev` of this user is running."""


def path() -> Path:
    folder = os.environ.get("XDG_RUNTIME_DIR") or f"{tempfile.gettempdir()}/messagehub-{os.getuid()}"
    return Path(folder) / "messagehub-dev.json"


def write(values: dict[str, Any], file: Path) -> None:
    """Readable by its owner only, and whole whenever it is there."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        json.dump(values, opened, indent=2)
    new.replace(file)


def of_another() -> dict[str, Any] | None:
    """What the file says, where another process that lives has written it."""
    try:
        found = read("pid")
    except NotRunning:
        return None
    return found if _lives(found["pid"]) else None


def _lives(pid: object) -> bool:
    try:
        os.kill(int(str(pid)), 0)
    except (OSError, ValueError, OverflowError):
        return False
    return True


def remove(before: dict[str, Any] | None) -> None:
    """Takes the file away, unless it is another process's by now; puts `before` back if its process lives."""
    try:
        if read().get("pid") == os.getpid():
            path().unlink()
            if before and _lives(before["pid"]):
                write(before, path())
    except (NotRunning, OSError, ValueError):
        return


def read(*needed: str) -> dict[str, Any]:
    """What is there, with these members at least. NotRunning leaves it to the caller to say what else can be done."""
    file = path()
    try:
        if file.stat().st_uid != os.getuid():  # it would lead us, and our keys, to wherever its owner likes
            raise NotRunning(f"{file} is somebody else's")
        values: dict[str, Any] = dict(json.loads(file.read_text()))
    except FileNotFoundError:
        raise NotRunning("no `messagehub dev` is running") from None
    except (OSError, ValueError, TypeError) as error:
        raise NotRunning(f"{file} cannot be read: {error}") from None
    if missing := set(needed) - values.keys():
        raise NotRunning(f"{file} does not say {', '.join(sorted(missing))}")
    return values
