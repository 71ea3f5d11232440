"""The log of a SQLite file is written back beside the commits.

Left to itself, SQLite writes it back within a commit, for as long as the disk takes for all of it, and everybody waits.
Here a thread writes back what is in the log while commits go on. What came meanwhile is little: it is written back
between two commits, and as nothing is left in the log then, the next commit begins it anew.
"""

import os
import threading

import apsw

from messagehub.store.connection import LOG_PAGES, Connection


class Checkpoints:
    """Of the file at `path`, into which the connection `writing` commits. For a process that has no other store.

    Nobody minds one that fails: what is not written back stays in the log, and is tried again as the log grows.
    """

    def __init__(self, path: str, writing: Connection) -> None:
        self._writing, self._reading = writing, Connection(path)
        # Never closed by hand: that would give up SQLite's locks on the file, which are the process's.
        self._file = os.open(path, os.O_RDWR)
        self._pages, self._due_at = 0, LOG_PAGES
        self._is_under_way = self._is_back = self._is_ending = False
        self._wanted = threading.Event()
        writing.on_commit(self._grown)
        self._thread = threading.Thread(target=self._run, name="sqlite-checkpoints", daemon=True)
        self._thread.start()

    def between_commits(self) -> None:
        """Of the thread that commits, when nobody waits for it yet."""
        if self._is_back:
            self._is_under_way = self._is_back = False
            logged, back = _written_back(self._writing)
            # A reader that has been at it for long keeps the log from beginning anew.
            self._due_at = LOG_PAGES if logged == back else logged + LOG_PAGES
        elif self._pages >= self._due_at and not self._is_under_way:
            self._is_under_way = True
            self._wanted.set()

    def close(self) -> None:
        self._is_ending = True
        self._wanted.set()
        self._thread.join()
        self._reading.close()

    def _grown(self, pages: int) -> None:
        self._pages = pages

    # --- in the thread ------------------------------------------------------------------

    def _run(self) -> None:
        while self._wanted.wait() and not self._is_ending:
            self._wanted.clear()
            _written_back(self._reading)
            self._to_disk()
            self._is_back = True

    def _to_disk(self) -> None:
        """So that the commits do not wait for it, when SQLite makes sure of it before the log begins anew."""
        try:
            os.fdatasync(self._file)
        except OSError:
            return


def _written_back(connection: Connection) -> tuple[int, int]:
    """How many pages there are in the log, and how many of them are in the file as well."""
    try:
        return connection.write_back()
    except apsw.Error:
        return 1, 0
