"""What a process and those that it has started have used, as /proc tells it: proc(5)."""

import os
from collections.abc import Iterator
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
UTIME, STIME = 11, 12
"""Fields of `stat`, counted after the command's name, which may hold anything."""


def cpu_s(pid: int) -> float:
    """Of all their threads, their kernel time included."""
    return sum(_cpu_s(one) for one in _tree(pid))


def peak_resident_mb(pid: int) -> float:
    """What they share is counted for each."""
    return sum(_megabytes(one, "VmHWM:") for one in _tree(pid))


def resident_mb(pid: int) -> float:
    """What they share is counted once."""
    return sum(_megabytes(one, "Pss:", "smaps_rollup") for one in _tree(pid))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[UTIME]) + int(fields[STIME])) / _TICKS_PER_S


def _megabytes(pid: int, name: str, file: str = "status") -> float:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024 / 1e6
    raise LookupError(f"process {pid} tells no {name[:-1]}; only Linux does")
