"""Commands as somebody types them, each in a process of its own."""

import json
import os
import re
import select
import signal
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.process import PROGRAM, environment


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table: two blanks at least stand between them."""
        assert self.code == 0, self.err
        return [re.split(r"\s{2,}", line.strip()) for line in self.out.splitlines()]

    def is_wrong(self, *words: str) -> None:
        """One line that says what is missing or does not fit, and exit code 2."""
        assert (self.code, self.out) == (2, ""), self
        assert self.err.startswith("messagehub: ")
        assert self.err.count("\n") == 1, self.err
        for word in words:
            assert word in self.err

    def is_refused(self, *words: str) -> None:
        """One line that says what is wrong, and exit code 1."""
        assert (self.code, self.out) == (1, ""), self
        assert self.err.startswith("messagehub: ")
        assert self.err.count("\n") == 1, self.err
        for word in words:
            assert word in self.err


class Shell:
    """`folder` is where the commands run, and holds the state of this user's `dev`; `settings` are exported."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.settings = folder, settings

    def run_all(self, *commands: tuple[str, ...]) -> list[Done]:
        """The commands side by side, since each takes a while to start."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda words: self.run(*words), commands))

    def run(self, *words: str | bytes, typed: str | None = None, **settings: str) -> Done:
        """`typed` is what comes by a pipe; without it standard input is empty."""
        return self._run([PROGRAM, *words], typed, settings)

    def redirected(self, how: str, *words: str, **settings: str) -> Done:
        """As somebody types it with `how` behind it, such as `>file`."""
        return self._run(["sh", "-c", f'exec "$0" "$@" {how}', PROGRAM, *words], None, settings)

    def _run(self, command: Sequence[str | bytes | Path], typed: str | None, settings: dict[str, str]) -> Done:
        done = subprocess.run(
            command,
            env=self._env(settings),
            cwd=self.folder,
            input=typed or "",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> "Running":
        """A command that goes on until it is interrupted."""
        return Running(
            subprocess.Popen(
                [PROGRAM, *words],
                env=self._env({}),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )

    def answer(self, *words: str, says: str = "") -> Done:
        """A command run by somebody at a terminal, who says `says` when he is asked; only its output goes elsewhere."""
        ours, theirs = os.openpty()
        os.write(ours, says.encode())
        try:
            done = subprocess.run(
                [PROGRAM, *words],
                env=self._env({}) | {"TERM": "xterm"},
                cwd=self.folder,
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=theirs,
                text=True,
                timeout=30,
                check=False,
            )
            seen = os.read(ours, 65536).decode() if select.select([ours], [], [], 0)[0] else ""
        finally:
            os.close(ours)
            os.close(theirs)
        return Done(done.returncode, done.stdout, seen)

    def _env(self, settings: dict[str, str]) -> dict[str, str]:
        env = {f"MESSAGEHUB_{name.upper()}": value for name, value in {**self.settings, **settings}.items()}
        wide = {"XDG_RUNTIME_DIR": str(self.folder), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
        return environment({**wide, **env})


class Running:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def line(self) -> str:
        """Its next line; the test's own time limit is that of whatever it waits for."""
        assert self.process.stdout
        return self.process.stdout.readline()

    def interrupt(self) -> Done:
        """Ctrl-C, and what came of it."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return Done(self.process.returncode, out, err)
