"""The lock of a SQLite file: who holds it serves the file, and nobody else does."""

import fcntl
import time
from pathlib import Path
from typing import TextIO

from messagehub.errors import SettingError

PAUSE_S = 0.02


def lock_of(path: str) -> TextIO:
    """Open, and not held yet. Processes that inherit it hold it together. SettingError where it cannot be opened."""
    try:
        return Path(f"{path}.lock").open("w")
    except OSError as error:
        raise SettingError(f"{path}.lock cannot be opened: {error.strerror}") from error


def hold(lock: TextIO, path: str, seconds: float = 0.0) -> None:
    """Until it is closed by all who have it. SettingError where another process has it for so long."""
    until = time.monotonic() + seconds
    while not _is_held(lock):
        if time.monotonic() >= until:
            raise SettingError(
                f"{path} is served by another process. SQLite takes one; several share a PostgreSQL "
                "(MESSAGEHUB_DATABASE_URL=postgresql://…)"
            )
        time.sleep(PAUSE_S)


def _is_held(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def locked(path: str) -> TextIO:
    """Held until it is closed, or the process ends. SettingError where another process has it."""
    lock = lock_of(path)
    try:
        hold(lock, path)
    except SettingError:
        lock.close()
        raise
    return lock
