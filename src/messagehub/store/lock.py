"""The lock of a SQLite file: who holds it serves the file, and nobody else does."""

import fcntl
from pathlib import Path
from typing import TextIO

from messagehub.errors import SettingError


def locked(path: str) -> TextIO:
    """Held until it is closed, or the process ends. SettingError where another process has it."""
    beside = Path(f"{path}.lock")
    file = beside.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise SettingError(
            f"{path} is served by another process. SQLite takes one; several share a PostgreSQL "
            "(MESSAGEHUB_DATABASE_URL=postgresql://…)"
        ) from None
    return file
