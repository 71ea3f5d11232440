"""The hub with a sampling profiler in it: `python -m bench.profiled FILE` is `messagehub serve`.

SIGUSR1 starts the sampling. At the end FILE gets the CPU seconds of each stage and module as JSON.
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

ACCEPT, COMMIT, SUBMIT = "accept: HTTP, checks, routing", "commit: rows in the store", "submit: claims, PDUs"
CONCLUDE, TELL, TURN = "conclude: answers, receipts, traces", "tell: events, webhooks", "sockets, and the event loop"

STAGES = {
    "messagehub.api": ACCEPT,
    "messagehub.accounts": ACCEPT,
    "messagehub.messages": CONCLUDE,
    "messagehub.messages.accept": ACCEPT,
    "messagehub.messages.options": ACCEPT,
    "messagehub.messages.gate": ACCEPT,
    "messagehub.messages.send": SUBMIT,
    "messagehub.messages.telling": TELL,
    "messagehub.messages.rows": TELL,
    "messagehub.routing": ACCEPT,
    "messagehub.text": SUBMIT,
    "messagehub.carriers": SUBMIT,
    "messagehub.smpp": SUBMIT,
    "messagehub.store": COMMIT,
    "messagehub.webhooks": TELL,
    "messagehub.web": TELL,
    "messagehub.front": TURN,
}
"""By the innermost module of ours in the stack; of its name and those of the packages around it the longest counts."""


class Sampler:
    """Charges the CPU that a thread has used since the last sample to the stage and module that it is in now.

    A timer, as a thread that samples would see the others only where they let go of the interpreter.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._used: dict[int, float] = {}

    def start(self, *_: object) -> None:
        self._used = {
            thread.native_id: _cpu_s(thread.ident)
            for thread in threading.enumerate()
            if thread.native_id and thread.ident
        }
        signal.signal(signal.SIGALRM, self._sample)
        signal.siginterrupt(signal.SIGALRM, False)  # no system call of the hub is to fail because of us
        signal.setitimer(signal.ITIMER_REAL, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _sample(self, _: int, interrupted: FrameType | None) -> None:
        here, frames = threading.get_ident(), sys._current_frames()
        for thread in threading.enumerate():
            ident, native = thread.ident, thread.native_id
            if ident is not None and native is not None and ident in frames:
                used = _cpu_s(ident)
                frame = interrupted if ident == here else frames[ident]
                self.seconds[_stage(frame)][_place(frame, thread)] += used - self._used.get(native, used)
                self._used[native] = used  # an `ident` is given to a new thread when an old one has ended
        self._used[threading.get_native_id()] = _cpu_s(here)  # what sampling cost is nobody's


def _cpu_s(ident: int) -> float:
    return time.clock_gettime(time.pthread_getcpuclockid(ident))


def _stage(frame: FrameType | None) -> str:
    while frame:
        name = str(frame.f_globals.get("__name__", ""))
        while name.startswith(f"{OURS}."):
            if stage := STAGES.get(name):
                return stage
            name = name.rpartition(".")[0]
        frame = frame.f_back
    return TURN


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
