"""What a process has used, as /proc tells it: proc(5)."""

import os
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
UTIME, STIME = 11, 12
"""Fields of `stat`, counted after the command's name, which may hold anything."""


def cpu_s(pid: int) -> float:
    """Of all its threads, its kernel time included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[UTIME]) + int(fields[STIME])) / _TICKS_PER_S


def peak_resident_mb(pid: int) -> float:
    return _megabytes(pid, "VmHWM:")


def resident_mb(pid: int) -> float:
    return _megabytes(pid, "VmRSS:")


def _megabytes(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError(f"process {pid} tells no {name[:-1]}; only Linux does")
