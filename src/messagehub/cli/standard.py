"""The three files that a program is started with: any may be closed, and what is written to them may be lost."""

import errno
import os
import sys
from typing import TextIO

STDOUT, STDERR = 1, 2

_LOSSES = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}


def fill() -> None:
    """Opens those that are closed, since libuv aborts where another file has got their numbers.

    For reading only, so that what is printed does not get lost without a word.
    """
    while (opened := os.open(os.devnull, os.O_RDONLY)) <= STDERR:
        os.set_inheritable(opened, True)  # by processes of ours beside
    os.close(opened)
    sys.stdout = sys.stdout or _writer(STDOUT)
    sys.stderr = sys.stderr or _writer(STDERR)


def _writer(number: int) -> TextIO:
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def is_loss(error: OSError) -> bool:
    """Whether it is what a print has met, as other files are named by their errors."""
    return error.errno in _LOSSES and not error.filename


def unsaid(file: TextIO) -> OSError | None:
    """Why what was printed cannot be written. It is thrown away then, or Python would complain of it at its end."""
    try:
        file.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, file.fileno())
        os.close(nowhere)
        return error
    return None
