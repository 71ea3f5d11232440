"""Several processes of the program on one PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import hub as hubs
from tests.support.api import Api, Json
from tests.support.hub import Account, Hub
from tests.support.waiting import PATIENCE_S, until


class Cluster:
    def __init__(self, first: Hub, url: str, folder: Path, settings: dict[str, object]) -> None:
        self.first, self._url, self._folder, self._settings = first, url, folder, settings
        self.hubs = [first]

    def add(self, role: str = "all") -> Hub:
        node = Hub(self._url, self._folder, f"{role}{len(self.hubs)}", role=role, **self._settings)
        self.hubs.append(node)
        node.start()
        return node

    def close(self) -> None:
        for node in self.hubs[1:]:
            node.close()

    def binds(self, carrier: Json) -> dict[str, int]:
        """How many bound binds each node has."""
        binds = self.first.admin.get(f"/carriers/{carrier['id']}")["binds"]
        nodes = [bind["node"] for bind in binds if bind["state"] == "bound"]
        return {node: nodes.count(node) for node in nodes}

    def shared(self, carrier: Json, *counts: int, within: float = PATIENCE_S) -> dict[str, int]:
        """The binds of the nodes, once so many nodes have so many each."""

        def ask() -> dict[str, int] | None:
            binds = self.binds(carrier)
            return binds if sorted(binds.values()) == sorted(counts) else None

        return until(ask, f"binds are shared as {counts}", within) or {}

    def api(self, account: Account, node: Hub) -> Api:
        """The customer, as a caller of another node."""
        return node.caller(account.api.key)


@contextmanager
def cluster(url: str, folder: Path, role: str = "all", **settings: Any) -> Iterator[Cluster]:
    with hubs.hub(url, folder, "first", role=role, **settings) as first:
        opened = Cluster(first, url, folder, settings)
        try:
            yield opened
        finally:
            opened.close()
