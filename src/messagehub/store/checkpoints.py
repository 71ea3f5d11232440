"""Checkpoints: the write-ahead log of a SQLite file is written back beside the commits.

Left to itself, SQLite writes it back within a commit, for as long as the disk takes for all of it, and everybody waits.
Here a thread writes back what is in the log while commits go on. What came meanwhile is little: it is written back
between two commits, and as nothing is left in the log then, the next commit begins it anew.
"""

import os
import threading

import apsw

from messagehub.store.connection import LOG_PAGES, Connection

PASSES = 4
"""Over the log at most, each of which finds what came during the one before."""

LITTLE = LOG_PAGES // 8
"""So few pages are left to be written back between two commits."""

END_S = 1.0
"""How long one that is under way is waited for in the end."""

_to_disk = getattr(os, "fdatasync", os.fsync)


class Checkpoints:
    """Of the file at `path`, into which the connection `writing` commits. For a process that has no other store.

    Nobody minds one that fails: what is not written back stays in the log, and is tried again when that has grown.
    """

    def __init__(self, path: str, writing: Connection) -> None:
        """apsw.Error or OSError where the file cannot be opened once more."""
        self._writing, self._beside = writing, Connection(path)
        # Never closed by hand: that would give up SQLite's locks on the file, which are the process's.
        self._file = os.open(path, os.O_RDWR)
        self._pages, self._due_at = 0, LOG_PAGES
        self._is_under_way = self._is_over = self._is_ending = False
        self._may_begin_anew = False
        self._wanted = threading.Event()
        writing.on_commit(self._grown)
        self._thread = threading.Thread(target=self._run, name="sqlite-checkpoints", daemon=True)
        self._thread.start()

    def between_commits(self) -> None:
        """Of the thread that commits, when those who waited for it have been answered."""
        if self._is_over:
            self._is_under_way = self._is_over = False
            if self._may_begin_anew and _written_back(self._writing) >= self._pages:
                self._pages, self._due_at = 0, LOG_PAGES
            else:
                self._due_at = self._pages + LOG_PAGES
        elif self._pages >= self._due_at and not self._is_under_way:
            self._is_under_way = True
            self._wanted.set()

    def close(self) -> bool:
        """Whether none is under way any more, so that the file may be closed."""
        self._is_ending = True
        self._wanted.set()
        self._thread.join(END_S)
        if self._thread.is_alive():
            return False
        self._beside.close()
        return True

    def _grown(self, pages: int) -> None:
        self._pages = pages

    # --- in the thread ------------------------------------------------------------------

    def _run(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            if self._is_ending:
                return
            self._may_begin_anew = False
            try:
                self._may_begin_anew = self._write_back()
            finally:
                self._is_over = True

    def _write_back(self) -> bool:
        """Whether the rest can be written back, too: not where somebody still reads what stands in the log.

        A disk that is slower than the commits leaves more than a little. Then these have to wait for it.
        """
        back = 0
        for _ in range(PASSES):
            before, back = back, _written_back(self._beside)
            try:
                _to_disk(self._file)  # lest the commits wait for it, when SQLite makes sure of it at the end
            except OSError:
                return False
            if self._pages - back <= LITTLE:
                return True
            if back == before:
                return False
        return True


def _written_back(connection: Connection) -> int:
    """How many pages of the log are in the file as well."""
    try:
        return connection.write_back()
    except apsw.Error:
        return 0
