"""A program of ours in a process of its own, with what it printed kept in files."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.waiting import until

PROGRAM = Path(sys.executable).with_name("messagehub")
ENDS_WITHIN_S = 20.0
"""The bound for an orderly end, 10 s, and what a busy machine adds."""


OWN = {name: value for name, value in os.environ.items() if not name.startswith("MESSAGEHUB_")}
"""This process's environment, without settings that somebody has exported for a server of his own. Read once: pytest
writes into it while threads of a test may start programs."""


def environment(more: Mapping[str, str]) -> dict[str, str]:
    return {**OWN, **more}


class Program:
    """`messagehub ARGUMENTS`, from `start` to `end` or `kill`."""

    def __init__(self, folder: Path, name: str, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self.arguments, self.env = list(arguments), dict(env or {})
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Its first line on standard output."""
        self.out.unlink(missing_ok=True)
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [PROGRAM, *self.arguments],
                env=environment(self.env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.out.parent,
            )
        return until(self._first_line, f"{self.arguments[0]} is ready")

    def _first_line(self) -> str:
        assert self.alive, f"it ended with {self.code}: {self.log}"
        head, end, _ = self.out.read_text().lstrip().partition("\n")
        return head if end else ""

    @property
    def code(self) -> int | None:
        """The exit code; None while it lives."""
        assert self.process
        return self.process.poll()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.code is None

    @property
    def log(self) -> str:
        """All that it ever wrote to standard error."""
        return self.err.read_text()

    def tell(self, number: signal.Signals) -> None:
        assert self.process
        self.process.send_signal(number)

    def end(self) -> int:
        """Ends it as an operator would; its exit code. Fails where it takes longer than promised."""
        assert self.process
        self.process.terminate()
        return self.process.wait(ENDS_WITHIN_S)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()
