"""Callers whose questions wait for a shared store, and the work of the process itself, which goes on."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.support import hub as hubs
from tests.support import postgres, simulator
from tests.support.waiting import until

CALLERS = 20
"""More than a process has connections to the store."""


@contextmanager
def _locked(database_url: str, table: str) -> Iterator[None]:
    """Nobody reads the table within this."""
    psql = [str(postgres.binaries() / "psql"), "-X", "-q", "-d", database_url]
    with subprocess.Popen(psql, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asked:
        assert asked.stdin
        assert asked.stdout
        asked.stdin.write(f"BEGIN; LOCK TABLE {table};\n\\echo locked\n")
        asked.stdin.flush()
        assert asked.stdout.readline() == "locked\n"
        yield
        asked.stdin.close()


def test_what_is_due_goes_while_callers_wait_for_the_store(postgres_server: str, tmp_path: Path) -> None:
    url = postgres.new_database(postgres_server)
    with simulator.simulator(tmp_path) as box, hubs.hub(url, tmp_path) as hub:
        hub.lead_to(box)
        account = hub.customer()
        due_at = datetime.now(UTC) + timedelta(seconds=1)
        account.send("+442079461234", schedule_at=due_at.isoformat())

        def ask(_: int) -> int:
            headers = {"Authorization": f"Bearer {account.api.key}"}
            return httpx.get(f"{hub.address}/v1.0/contacts", headers=headers, timeout=60).status_code

        with ThreadPoolExecutor(CALLERS) as callers, _locked(url, "contacts"):
            asked = callers.map(ask, range(CALLERS))
            until(lambda: box.stats()["unique"] == 1, "it is sent", within=4)
            assert datetime.now(UTC) > due_at
        assert set(asked) <= {200, 404, 503}
