"""Commands that are loaded when they are asked for, so that each starts as fast as if it were alone."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

COMMANDS = (
    "dev",
    "serve",
    "init",
    "backup",
    "migrate",
    "segments",
    "send",
    "messages",
    "media",
    "conversations",
    "webhooks",
    "number",
    "opt-outs",
    "consents",
    "contacts",
    "flows",
    "accesskey",
    "customer",
    "carrier",
    "route",
    "limit",
    "sender",
    "pool",
    "simulator",
)
"""Each is a module beside this one (its hyphen a low line there), with an `app` of commands or a function of its own
name."""


class Commands(Mapping[str, Any]):
    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Program(TyperGroup):
    """The group of all commands."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = Commands()  # type: ignore[assignment]  # nothing is ever added


def _load(name: str) -> Any:
    module = import_module(f"messagehub.cli.{name.replace('-', '_')}")
    alone = typer.Typer(rich_markup_mode="rich")
    if nouns := getattr(module, "app", None):
        alone.add_typer(nouns, name=name)
    else:
        alone.command(name)(getattr(module, name))
    return get_group(alone).commands[name]
