"""messagehub migrate"""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from messagehub.settings import Settings
    from messagehub.store.moving import Passed, Progress


def migrate(
    from_: Annotated[str, typer.Option("--from", help="The store to move, such as sqlite:///hub.db.")] = "",
    to: Annotated[str, typer.Option("--to", help="The empty store that is to have it all.")] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Copy while the server runs, until it is stopped.")] = False,
    release: Annotated[bool, typer.Option("--release", help="Serve a store again that was moved away.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Bring the tables of the store up to this version; or move all data into another store, and compare both.

    Example: messagehub migrate --from sqlite:///hub.db --to postgresql://hub:secret@db.example.com/hub
    """
    from messagehub.cli.exits import WrongUsage
    from messagehub.cli.running import run
    from messagehub.settings import Settings

    settings = Settings.read()
    say = Said(as_json)
    if bool(from_) != bool(to) or (release and from_) or (follow and not from_):
        raise WrongUsage("--from and --to go together, --follow goes with them, and --release stands alone")
    if release:
        run(_release(settings.database_url, say))
    elif from_:
        run(_move(settings, from_, to, follow, say))
    else:
        run(_bring_up(settings.database_url, say))


ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Said:
    """What is told of the work: a line each, of JSON or of words."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def __call__(self, event: str, words: str, **values: Any) -> None:
        typer.echo(json.dumps({"event": event, **values}) if self._as_json else words)
        sys.stdout.flush()

    def progress(self, now: "Progress") -> None:
        done = f"{now.rows:,} of {now.of:,} rows ({now.table})"
        words = f"pass {now.number}: {done}, {now.rate:,.0f}/s, {now.eta:.0f} s left"
        values = {"pass": now.number, "table": now.table, "rows": now.rows, "of": now.of}
        self("progress", words, **values, rows_per_second=round(now.rate), eta_seconds=round(now.eta, 1))

    def passed(self, made: "Passed") -> None:
        rows = sum(table.rows for table in made.tables)
        words = f"pass {made.number}: {rows:,} rows in {made.seconds:.1f} s, {made.changed:,} of them written"
        if made.is_live:
            words += "; the server can be stopped now, the rest is taken then"
        values = {"pass": made.number, "rows": rows, "changed": made.changed, "seconds": round(made.seconds, 3)}
        self("pass", words, **values, live=made.is_live)


async def _bring_up(database_url: str, say: Said) -> None:
    from messagehub.store import open_store, path_of, schema, shown

    await (await open_store(database_url)).close()
    newest = schema.migrations("sqlite" if path_of(database_url) else "postgres")[-1].version
    say("migrated", f"{shown(database_url)} is at migration {newest}", store=shown(database_url), migration=newest)


async def _release(database_url: str, say: Said) -> None:
    from messagehub.store import shown
    from messagehub.store.moving import release

    where, changed = shown(database_url), await release(database_url)
    words = "can be served again" if changed else "was not moved away; nothing was changed"
    say("released", f"{where} {words}", store=where, changed=changed)


async def _move(settings: "Settings", source: str, target: str, follow: bool, say: Said) -> None:
    from messagehub.store import shown
    from messagehub.store.moving import Watcher, move

    secret_key = settings.secret_key or _key_beside(source)
    await _check_key(secret_key, source)
    with in_order():
        passed = await move(source, target, follow, Watcher(say.progress, say.passed))
    for table in passed.tables:
        words = f"{table.table:16} {table.rows:>12,}  {table.checksum}"
        say("table", words, table=table.table, rows=table.rows, checksum=table.checksum)
    kept = _keep_key(settings, source, target)
    await _seal(settings, secret_key, target)
    rows = sum(table.rows for table in passed.tables)
    words = f"{rows:,} rows are in {shown(target)}, equal on both sides. {kept}".strip()
    say("moved", words, store=shown(target), rows=rows, key=kept)


@contextmanager
def in_order() -> Iterator[None]:
    """Who ends the command, or the terminal that it runs in, finds the source as it was: it can be served again."""
    from messagehub.store.moving import MoveError

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task
    heeded = [one for one in ENDING if signal.getsignal(one) is not signal.SIG_IGN]  # as nohup has it

    def end() -> None:
        for one in heeded:
            loop.add_signal_handler(one, lambda: None)  # a second one would cut short what puts the source in order
        task.cancel()

    for one in heeded:
        loop.add_signal_handler(one, end)
    try:
        yield
    except asyncio.CancelledError:
        raise MoveError("the move was cut short; call it again, and it goes on") from None
    finally:
        for one in heeded:
            loop.remove_signal_handler(one)


def _key_file(url: str) -> Path | None:
    from messagehub.sealing import KEY_SUFFIX
    from messagehub.store import path_of

    return Path(path_of(url) + KEY_SUFFIX) if path_of(url) else None


def _key_beside(url: str) -> str:
    file = _key_file(url)
    return file.read_text().strip() if file and file.exists() else ""


async def _check_key(secret_key: str, url: str) -> None:
    """SettingError where the key of the source's secrets is missing, before anything is copied."""
    from messagehub.accounts import customers
    from messagehub.sealing import sealer
    from messagehub.store import open_store
    from messagehub.store.moving import is_in_use

    if not await is_in_use(url):  # a move that was cut short at its end has been here before
        return
    store = await open_store(url)
    try:
        if row := await store.one("sealed_customer"):
            customers.from_row(row, sealer(secret_key, url, is_used=True))
    finally:
        await store.close()


def _keep_key(settings: "Settings", source: str, target: str) -> str:
    """The key beside a file goes with it to the next file; what is to be done where that cannot be."""
    text, there = _key_beside(source), _key_file(target)
    if settings.secret_key or not text:
        return ""
    if there is None:
        return f"Its secrets are sealed: serve it with MESSAGEHUB_SECRET_KEY=\"$(cat '{_key_file(source)}')\"."
    from messagehub.sealing import write_key

    write_key(there, text)
    return f"The key of its secrets was copied to {there}."


async def _seal(settings: "Settings", secret_key: str, url: str) -> None:
    """All secrets open under the key, and what was in the clear is sealed, where there is a key."""
    from messagehub.accounts import setup
    from messagehub.accounts.customers import Customers
    from messagehub.accounts.tokens import Tokens
    from messagehub.carriers.book import Carriers
    from messagehub.published import Keyring
    from messagehub.store import open_store

    store = await open_store(url)
    try:
        keys = await setup.sealer_of(store, secret_key, url)
        tokens = Tokens(store, keys, settings.token_lifetime)
        for keeper in (Customers(store, keys), Carriers(store, keys), tokens, Keyring(store, keys)):
            await keeper.seal()
    finally:
        await store.close()
