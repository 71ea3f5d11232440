"""A disk and a clock that misbehave when they are told to, for one process: a library loaded before the C library."""

import mmap
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
FIELDS = ("full", "unsynced", "sync_us", "clock_us")


class Shim:
    """`env` is for the process; `set` takes effect in it at once."""

    def __init__(self, folder: Path) -> None:
        library, control = folder / "shim.so", folder / "shim.control"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"], check=True)
        control.write_bytes(bytes(mmap.PAGESIZE))
        with control.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.env = {"LD_PRELOAD": str(library), "CHAOS_CONTROL": str(control)}

    def set(self, **values: int) -> None:
        """Any of FIELDS; see shim.c."""
        for name, value in values.items():
            struct.pack_into("q", self._shared, 8 * FIELDS.index(name), value)

    def close(self) -> None:
        self._shared.close()
