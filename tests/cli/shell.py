"""Commands as somebody types them, each in a process of its own."""

import json
import subprocess
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

    def is_refused(self, *words: str) -> None:
        """One line that says what is wrong, and exit code 1."""
        assert (self.code, self.out) == (1, ""), self
        assert self.err.startswith("messagehub: ")
        assert self.err.count("\n") == 1, self.err
        for word in words:
            assert word in self.err


class Shell:
    """`folder` is where the commands run, and holds the state of this user's `dev`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run_all(self, *commands: tuple[str, ...]) -> list[Done]:
        """The commands side by side, since each takes a while to start."""
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda words: self.run(*words), commands))

    def run(self, *words: str | bytes, **settings: str) -> Done:
        env = {f"MESSAGEHUB_{name.upper()}": value for name, value in settings.items()}
        wide = {"XDG_RUNTIME_DIR": str(self.folder), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
        done = subprocess.run(
            [PROGRAM, *words],
            env=environment({**wide, **env}),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)
