"""The program on the library's page works when pasted."""

import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "mms.md"


def test_the_program_of_the_page_sends_a_message() -> None:
    _, program, *_ = PAGE.read_text().split("```python\n")
    code = program.split("```")[0] + "\nprint(*said)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr) == ("SubmitRsp t-1 1000 m-1\n", "")
