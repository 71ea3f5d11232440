"""python -m messagehub.store.beside LINK LOCK PARENT: the committer of a SQLite store as a process of its own.

It is started by the store (writers.py) and knows neither event loop nor settings. LOCK stays open, so that nobody else
serves the file while this may still commit.
"""

import gc
import os
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import apsw

from messagehub.batches import Batches, batch
from messagehub.child import live_with
from messagehub.store.checkpoints import Checkpoints
from messagehub.store.committer import Committer, Ended
from messagehub.store.connection import Connection, translated
from messagehub.store.jobs import MOST_AT_ONCE, Opened, ToCommitter

READ = 1024 * 1024
BUFFER = 1024 * 1024
"""Octets that the kernel may hold for either side."""


class SocketLine:
    """A `Line` over one end of a socket pair."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
        sock.setblocking(True)
        self._batches = Batches(ToCommitter, MOST_AT_ONCE)

    def take(self, wait: bool) -> Sequence[Any]:
        while True:
            try:
                data = self._socket.recv(READ, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return ()
            except OSError:  # it was killed, and had not read all that was said
                raise Ended from None
            if not data:
                raise Ended
            frames = [frame for frames in self._batches.feed(data) for frame in frames]
            if frames or not wait:
                return frames

    def give(self, frames: Sequence[Any]) -> None:
        try:
            self._socket.sendall(batch(frames))
        except OSError:
            raise Ended from None


def main(link: int, lock: int, parent: int) -> None:
    live_with(parent)
    line = SocketLine(socket.socket(fileno=link))
    try:
        opening, *_ = line.take(wait=True)
    except Ended:  # the program found a reason not to start
        return
    try:
        connection = Connection(opening.path)
        checkpoints = Checkpoints(opening.path, connection)
    except (apsw.Error, OSError) as error:
        with suppress(Ended):
            line.give([Opened(f"{opening.path}: {translated(error)}")])
        return
    try:
        line.give([Opened("")])
    except Ended:
        connection.close()
        return
    gc.freeze()  # a job leaves no cycles
    gc.set_threshold(20_000, 20, 20)
    Committer(connection, line, time.process_time, checkpoints.between_commits).run()
    if not checkpoints.close():
        os._exit(0)  # all is answered, and what is in the log is not lost
    connection.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
