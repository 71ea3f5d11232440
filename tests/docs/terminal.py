"""Terminals in which a page is followed: each is a bash of its own."""

import os
import signal
import subprocess
from pathlib import Path

from tests.support.waiting import until

ENDS_WITHIN_S = 10.0


class Terminal:
    """`folder` is where it opens; what is seen in it is kept in a file."""

    def __init__(self, folder: Path, name: str, env: dict[str, str]) -> None:
        self._seen = folder / f".{name or 'terminal'}.seen"
        self._codes = folder / f".{name or 'terminal'}.codes"
        self._codes.touch()
        self._commands, self._read = 0, 0
        with self._seen.open("wb") as seen:
            self._bash = subprocess.Popen(
                ["bash", "--noprofile", "--norc"],
                env=env,
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=seen,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def type(self, command: str) -> None:
        """A command that may go on. What was seen before is forgotten."""
        assert self._bash.stdin
        self._read = self._seen.stat().st_size
        self._commands += 1
        self._bash.stdin.write(f"{command}\necho $? >> {self._codes}\n".encode())
        self._bash.stdin.flush()

    def run(self, command: str) -> int:
        """A command that ends; its exit code."""
        self.type(command)
        codes = until(self._all_codes, command)
        return int(codes[-1])

    @property
    def seen(self) -> str:
        """What was seen since the last command."""
        return self._seen.read_bytes()[self._read :].decode()

    def close(self) -> None:
        """Ctrl-C for whatever runs in it, and its end."""
        assert self._bash.stdin
        os.killpg(self._bash.pid, signal.SIGINT)
        self._bash.stdin.close()
        try:
            self._bash.wait(ENDS_WITHIN_S)
        finally:
            if self._bash.poll() is None:
                os.killpg(self._bash.pid, signal.SIGKILL)

    def _all_codes(self) -> list[str]:
        codes = self._codes.read_text().split()
        return codes if len(codes) == self._commands else []
