"""Prints the pages that repeat what the code says; with --check, says which of them are out of date."""

import sys
from pathlib import Path

from messagehub import errors, settings
from messagehub.messages import status
from messagehub.smpp import statuses

FOLDER = Path(__file__).parent
NOTE = "<!-- Printed from the code by `make docs`. -->"

PAGES = {
    "settings.md": (
        "Settings",
        "Each is a variable of the environment. `MESSAGEHUB_CONFIG` may name a TOML file with the same names in lower "
        "case and without the prefix; variables overrule it. An unknown setting is an error.",
        settings.as_markdown,
    ),
    "errors.md": (
        "Errors of the API",
        'Every error has the same envelope: `{"error": {"status", "reason", "message", "request_id", '
        '"details"}}`. `message` names the field and says what would be right.',
        errors.as_markdown,
    ),
    "statuses.md": (
        "Statuses of a target",
        "A target is one recipient of a message. `handed` is internal: it is committed just before the first PDU "
        "leaves, and looks like `queued` from outside. The status of a message follows from those of its targets.",
        status.as_markdown,
    ),
    "smpp-statuses.md": (
        "Statuses of SMPP",
        "Every `command_status` of SMPP 3.4 (section 5.1.3) and 5.0 (section 4.7.6), and what the sender of the "
        "refused request does about it.",
        statuses.as_markdown,
    ),
}


def page(name: str) -> str:
    title, words, table = PAGES[name]
    return f"{NOTE}\n\n# {title}\n\n{words}\n\n{table()}\n"


def main() -> None:
    stale = [name for name in PAGES if not (FOLDER / name).exists() or (FOLDER / name).read_text() != page(name)]
    if "--check" in sys.argv[1:]:
        sys.exit(f"out of date: {', '.join(stale)}; run `make docs`" if stale else 0)
    for name in stale:
        (FOLDER / name).write_text(page(name))


if __name__ == "__main__":
    main()
