"""The library on its own."""

import re
import subprocess
import sys
from pathlib import Path

from messagehub import text
from tests.test_layers import imports

ROOT = Path(text.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "text.md"


def test_it_imports_nothing_of_messagehub_but_itself() -> None:
    names = [name for path in ROOT.glob("*.py") for name in imports(path) if name.startswith("messagehub")]
    assert names
    assert not [name for name in names if not name.startswith("messagehub.text")]


def test_the_page_says_what_is_so() -> None:
    (program,) = re.findall("```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_page_names_all_that_it_offers() -> None:
    page = PAGE.read_text()
    assert not [name for name in text.__all__ if f"`{name}" not in page and f" {name}(" not in page]
