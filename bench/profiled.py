"""The hub with a sampling profiler in it: `python -m bench.profiled FILE` is `messagehub serve`.

SIGUSR1 starts the sampling. At the end FILE gets the CPU seconds of each module as JSON.
"""

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

INTERVAL_S = 0.001
OURS = "messagehub"
LOOP = "asyncio.runners"
"""The innermost module in Python while the event loop itself works, or writes to its sockets."""


class Sampler:
    """Charges the CPU that a thread has used since the last sample to the module that it is in now.

    A timer, as a thread that samples would see the others only where they let go of the interpreter.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._used: dict[int, float] = {}

    def start(self, *_: object) -> None:
        self._used = {ident: _cpu_s(ident) for ident in sys._current_frames()}
        signal.signal(signal.SIGALRM, self._sample)
        signal.siginterrupt(signal.SIGALRM, False)  # no system call of the hub is to fail because of us
        signal.setitimer(signal.ITIMER_REAL, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _sample(self, _: int, interrupted: FrameType | None) -> None:
        here, frames = threading.get_ident(), sys._current_frames()
        for thread in threading.enumerate():
            ident = thread.ident
            if ident is not None and ident in frames:
                used = _cpu_s(ident)
                frame = interrupted if ident == here else frames[ident]
                self.seconds[_place(frame, thread)] += used - self._used.get(ident, used)
                self._used[ident] = used
        self._used[here] = _cpu_s(here)  # what sampling cost is nobody's


def _cpu_s(ident: int) -> float:
    return time.clock_gettime(time.pthread_getcpuclockid(ident))


def _place(frame: FrameType | None, thread: threading.Thread) -> str:
    """Our modules one by one, others by their package. What is written in C counts for who called it."""
    name = str(frame.f_globals.get("__name__", "?")) if frame else "?"
    package = "uvloop" if name == LOOP else name.split(".")[0]
    module = name if package == OURS else package
    return module if thread is threading.main_thread() else f"{module} (other threads)"


def main() -> None:
    from messagehub.cli import main as messagehub

    file, sampler = Path(sys.argv[1]), Sampler()
    signal.signal(signal.SIGUSR1, sampler.start)
    sys.argv[1:] = ["serve"]
    try:
        messagehub()
    finally:
        sampler.stop()
        file.write_text(json.dumps(sampler.seconds))


if __name__ == "__main__":
    main()
