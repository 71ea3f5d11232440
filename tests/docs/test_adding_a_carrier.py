"""docs/adding-a-carrier.md, followed as it is written, in a copy of the source."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.ports import free_port
from tests.support.process import PROGRAM, environment
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-a-carrier.md").read_text()
FILE = re.compile(r"`((?:\w+/)*\w+\.py)`:\n\n```python\n(.*?)```", re.DOTALL)
DIFF = re.compile(r"```diff\n--- (\S+)\n(.*?)```", re.DOTALL)
COMMANDS = re.findall(r"^(messagehub (?:carrier|route|send) .*)$", PAGE, re.MULTILINE)


def insert(file: Path, lines: list[str]) -> None:
    """Imports stand where others do; what else is added stands behind the line that is shown before it."""
    text = file.read_text()
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("+from "):
            text = re.sub(r"^from messagehub", f"{line[1:]}\nfrom messagehub", text, count=1, flags=re.MULTILINE)
        elif line.startswith("+"):
            assert text.count(f"{before[1:]}\n") == 1, f"{file}: {before[1:]}"
            text = text.replace(f"{before[1:]}\n", f"{before[1:]}\n{line[1:]}\n")
    file.write_text(text)


def test_a_carrier_is_added_as_the_page_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name, shown in DIFF.findall(PAGE):
        insert(tmp_path / name, shown.splitlines())
    port, hub = free_port(), free_port()
    words = {"9099": str(port), "8080": str(hub)}
    env = environment({"PYTHONPATH": str(tmp_path / "src"), "XDG_RUNTIME_DIR": str(tmp_path)})

    def run(*command: str) -> str:
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/carriers/test_acme.py")
    server = subprocess.Popen([sys.executable, "acme_server.py", str(port)], cwd=tmp_path, stderr=subprocess.DEVNULL)
    ready = tmp_path / "ready.json"
    dev = [str(PROGRAM), "dev", "--listen", f"127.0.0.1:{hub}", "--ready-file", str(ready)]
    served = subprocess.Popen(dev, env=env, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(ready.exists, "dev is ready")
        create, route, send = COMMANDS
        made = json.loads(run(*_words(create, words), "--json"))
        assert made["callback_url"] == f"http://127.0.0.1:{hub}/callbacks/{made['id']}"
        assert "secret" not in made["config"]
        run(*_words(route, words | {"CARRIER_ID": made["id"]}))
        sent = json.loads(run(*_words(send, words), "--json"))
        assert sent["status"] == "delivered"
    finally:
        for process in (served, server):
            process.terminate()
            process.wait(15)


def _words(command: str, instead: dict[str, str]) -> list[str]:
    for word, other in instead.items():
        command = command.replace(word, other)
    return [str(PROGRAM), *shlex.split(command)[1:]]
