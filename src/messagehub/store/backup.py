"""A copy of a SQLite store that is whole and of one moment, made beside a process that serves it.

SQLite's online backup (https://sqlite.org/backup.html) begins anew when another process has written between two of its
steps, so it would never end beside a busy server. Here it reads through one transaction, whose snapshot stays as it
is; meanwhile the log (`-wal`) of the store cannot be cut, and grows by what is written.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import apsw
from msgspec import Struct

from messagehub.errors import HubError, Unavailable

PAGES = 1024
"""Copied in one step: 4 MiB of a store's usual pages."""


WORDS: dict[type[Exception], str] = {apsw.FullError: "the disk is full", apsw.IOError: "the disk cannot be written"}
"""SQLite's backup says "not an error" of them."""


class BackupError(HubError):
    """There is no backup, and what was at its place is untouched."""


class Backup(Struct, frozen=True):
    """What was made. `octets` of the file; `seconds` with its check."""

    file: str
    octets: int
    pages: int
    seconds: float


def back_up(source: Path, to: Path, replace: bool, progress: Callable[[int, int], None]) -> Backup:
    """Copies, checks the copy, and puts it into its place. `progress` is told the pages done, and all of them.

    BackupError where `to` is there and not to be replaced, or the copy is no sound store; Unavailable where the store
    cannot be read or the copy not be written.
    """
    begun = time.monotonic()
    _refuse_wrong_place(source, to, replace)
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))  # its secrets are its owner's
        pages = _copied(source, part, progress)
        _check(part)
        _keep(part, to)
    except (apsw.Error, OSError) as error:
        raise Unavailable(f"{source} cannot be copied to {to}: {WORDS.get(type(error), error)}") from error
    finally:
        for left in (part, Path(f"{part}-wal"), Path(f"{part}-shm"), Path(f"{part}-journal")):
            left.unlink(missing_ok=True)
    return Backup(str(to), to.stat().st_size, pages, time.monotonic() - begun)


def _refuse_wrong_place(source: Path, to: Path, replace: bool) -> None:
    if not source.is_file():
        raise BackupError(f"{source}: there is no such store")
    if to.is_dir():
        raise BackupError(f"{to} is a folder; name a file in it")
    if to.exists() and not to.is_file():
        raise BackupError(f"{to} is no file that can be written over")
    beside = {Path(f"{source}{ending}").resolve() for ending in ("", "-wal", "-shm", "-journal", ".lock", ".key")}
    if to.resolve() in beside:
        raise BackupError(f"{to} belongs to the store itself")
    if to.exists() and not replace:
        raise BackupError(f"{to} is there already; --force writes over it")


def _copied(source: Path, part: Path, progress: Callable[[int, int], None]) -> int:
    from_, to = apsw.Connection(str(source), apsw.SQLITE_OPEN_READWRITE), apsw.Connection(str(part))
    try:
        from_.set_busy_timeout(5000)
        from_.execute("BEGIN")
        if not list(from_.execute("SELECT name FROM sqlite_schema WHERE name = 'migration'")):  # holds the snapshot
            raise BackupError(f"{source} is no store of messagehub")
        with to.backup("main", from_, "main") as copying:
            while not copying.done:
                copying.step(PAGES)
                progress(copying.page_count - copying.remaining, copying.page_count)
            pages: int = copying.page_count
    finally:
        to.close()
        from_.close()
    return pages


def _check(part: Path) -> None:
    copy = apsw.Connection(str(part))
    try:
        found = list(copy.execute("PRAGMA integrity_check(1)"))
    finally:
        copy.close()
    if found != [("ok",)]:
        raise BackupError(f"the copy is damaged, and so is the store: {found[0][0]}")


def _keep(part: Path, to: Path) -> None:
    """On disk before it has its name, and its name on disk before anybody is told."""
    _sync(part)
    part.replace(to)
    _sync(to.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
