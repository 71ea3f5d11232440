"""A switch that ends this process if it stands still.

A process that is stopped, or gets no time, cannot close its connections, and its peers would not know. So the kernel is
told beforehand to end it, unless it says in time that it lives: a timer of POSIX (timer_create(2)) whose signal is
SIGKILL, which reaches a stopped process, too. The kernel then closes what was open. Linux only.
"""

import ctypes
import logging
import signal
import sys
import time

log = logging.getLogger(__name__)


class _SigEvent(ctypes.Structure):
    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_char * 48),
    )


class _Spec(ctypes.Structure):
    _fields_ = (("every_s", ctypes.c_long), ("every_ns", ctypes.c_long), ("s", ctypes.c_long), ("ns", ctypes.c_long))


SIGEV_SIGNAL = 0
ABSOLUTE = 1  # TIMER_ABSTIME


class DeadMan:
    """Not armed until it is told to be. Where the system has no such timer it does nothing, and says so once."""

    def __init__(self) -> None:
        self._timer = ctypes.c_void_p()
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._made = self._tried = False

    def arm(self, at: float) -> None:
        """Ends the process at a moment of the monotonic clock, unless this is called again before; 0 disarms."""
        if not self._tried and at:
            self._make()
        if self._made and self._libc:
            whole = int(at)
            spec = _Spec(0, 0, whole, int((at - whole) * 1e9))
            self._libc.timer_settime(self._timer, ABSOLUTE, ctypes.byref(spec), None)

    def _make(self) -> None:
        self._tried = True
        event = _SigEvent(None, signal.SIGKILL, SIGEV_SIGNAL)
        make = getattr(self._libc, "timer_create", None)
        self._made = make is not None and not make(time.CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(self._timer))
        if not self._made:
            log.warning("this system cannot end a process that stands still; its binds may stay open at the carrier")
