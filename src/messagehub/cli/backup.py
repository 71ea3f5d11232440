"""messagehub backup"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import asdict

from messagehub.errors import HubError


def backup(
    to: Annotated[Path, typer.Option(help="The file to make.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy a SQLite store to a file, whole and checked, while it is served or not.

    Example: MESSAGEHUB_DATABASE_URL=sqlite:///hub.db messagehub backup --to /backup/hub.db
    """
    from messagehub.settings import Settings
    from messagehub.store.backup import back_up

    source = _file_of(Settings.read().database_url)
    with _shown_progress() as progress:
        made = back_up(source, to, force, progress)
    if as_json:
        typer.echo(json.dumps({**asdict(made), "check": "ok"}))
    else:
        typer.echo(f"{made.file}: {made.octets:,} octets in {made.seconds:.1f} s; integrity_check: ok")


def _file_of(database_url: str) -> Path:
    from messagehub.store import path_of, shown

    if path := path_of(database_url):
        return Path(path)
    raise HubError(
        f"{shown(database_url)} is no SQLite file. PostgreSQL has tools of its own: "
        "pg_dump --format=custom --file=FILE DATABASE, and pg_restore"
    )


@contextmanager
def _shown_progress() -> Iterator[Callable[[int, int], None]]:
    """A line that moves, where somebody looks."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("copying", total=None)
        yield lambda done, of: shown.update(task, completed=done, total=of)
