"""Processes of ours beside the first: how it starts one, and how such a one ends with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from messagehub.settings import PREFIX

END_S = 1.0
"""How long a child may take to see that it is over."""


def spawned(module: str, files: Sequence[int]) -> "subprocess.Popen[bytes]":
    """Runs `module` with open files of ours, whose numbers and our own id are its arguments.

    It gets no setting and no key but by what it is told. It must be started by a thread that lives as long as it is
    to live.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *map(str, (*files, os.getpid()))],
        stdin=subprocess.DEVNULL,
        pass_fds=files,
        env={name: value for name, value in os.environ.items() if not name.startswith(PREFIX)},
        process_group=0,
    )


def ended(process: "subprocess.Popen[bytes]", seconds: float = END_S) -> int:
    """Its exit code, once it has ended, as it should by itself within `seconds`."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def live_with(parent: int) -> None:
    """Said first by a child: signals of the terminal are for its parent, and it does not outlive that.

    Should it hang, it does not see the end of its link; on Linux the kernel then ends it, see prctl(2).
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
