"""A schema fuzzer (schemathesis) against a living server: nothing is answered that openapi.json does not say."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fuzz.hooks import SOURCE
from tests.media.samples import SAMPLES
from tests.support import gallery, numbering, simulator
from tests.support import hub as hubs
from tests.support.api import Json
from tests.support.hub import Account, Hub
from tests.support.process import environment
from tests.support.waiting import until

FUZZER = Path(sys.executable).with_name("st")
HOOKS = Path(__file__).with_name("hooks.py")
BOUND_S = 600

ENDS_ITS_CALLER = re.compile(
    r"(put|delete)_.*(accesskeys|customers|me)\b|(put|delete)_.*(accesskeys|customers)_id|log_?out"
)
"""Operations, by their ids, that could take the fuzzer's own key away. They have a run of their own."""

FORM = {
    "MALFORMED_REQUEST",
    "INVALID_JSON_BODY",
    "INVALID_ARGUMENT",
    "INVALID_REQUEST_PARAMETER",
    "INVALID_ID",
}
"""Reasons for 400 that a schema can rule out. Where there are others, a well-formed request may still be wrong."""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("fuzz")
    with simulator.simulator(folder) as box, hubs.hub(f"sqlite:///{folder}/hub.db", folder, login_rate=0) as opened:
        opened.lead_to(box)
        yield opened
        assert opened.alive
        assert "Traceback" not in opened.log
        assert opened.end() == 0


@pytest.fixture(scope="module")
def account(hub: Hub) -> Account:
    account = hub.customer(SOURCE)
    account.send(numbering.somebody())
    _bring_mms(hub)
    return account


def _bring_mms(hub: Hub) -> None:
    """One that came in, so that answers have media."""
    with gallery.gallery() as there:
        inbound = {"source": "from", "destination": "to", "media": "media", "media_url": "url"}
        config = {"url": f"{there.url}/send", "body": {"to": "{destination}"}, "inbound": inbound}
        carrier = hub.admin.post("/carriers", {"name": "aggregator", "type": "http", "config": config})
        told = {"from": numbering.somebody(), "to": SOURCE, "media": [{"url": there.show("/cat", SAMPLES["jpeg"])}]}
        url = f"{hub.address}/callbacks/{carrier['id']}"
        until(lambda: httpx.post(url, json=told).is_success, "the carrier is open")


@pytest.fixture(scope="module")
def operations(hub: Hub) -> dict[str, Json]:
    """By their ids."""
    document: Json = httpx.get(f"{hub.address}/openapi.json").json()
    return {
        operation["operationId"]: _with_responses(operation, document)
        for methods in document["paths"].values()
        for operation in methods.values()
    }


def _with_responses(operation: Json, document: Json) -> Json:
    known = document["components"]["responses"]
    responses = {
        status: known[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        for status, response in operation["responses"].items()
    }
    return {**operation, "responses": responses}


def reasons(operation: Json, status: str) -> set[str]:
    """With which it can refuse so."""
    if status not in operation["responses"]:
        return set()
    schema = operation["responses"][status]["content"]["application/json"]["schema"]
    return set(schema["properties"]["error"]["properties"]["reason"]["enum"])


def configuration(key: str, operations: dict[str, Json]) -> str:
    """In TOML, whose strings and lists are those of JSON."""
    may_be_wrong = [name for name, operation in operations.items() if reasons(operation, "400") - FORM]
    accepted = ["2xx", "304", "401", "403", "404", "409", "429"]
    lines = [
        f"hooks = {json.dumps(str(HOOKS))}",
        'parameters = { page_token = "" }',  # whatever it is, it has to come from an answer
        "generation.with-security-parameters = false",  # else a key from an answer is taken for one that cannot be good
        f"auth.openapi.bearer = {{ bearer = {json.dumps(key)} }}",
        f"checks.positive_data_acceptance.expected-statuses = {json.dumps(accepted)}",
    ]
    for name in may_be_wrong:
        lines += [
            "[[operations]]",
            f"include-operation-id = {json.dumps(name)}",
            f"checks.positive_data_acceptance.expected-statuses = {json.dumps([*accepted, '400', '415', '422'])}",
        ]
    return "\n".join(lines)


def fuzz(hub: Hub, folder: Path, key: str, operations: dict[str, Json], *options: str) -> str:
    """What the fuzzer says. It must have found nothing."""
    settings = folder / "schemathesis.toml"
    settings.write_text(configuration(key, operations))
    command: list[Any] = [FUZZER, "--no-color", "--config-file", settings, "run", f"{hub.address}/openapi.json"]
    command += ["--generation-deterministic", "--max-examples", "5", "--continue-on-failure", *options]
    done = subprocess.run(command, env=environment({}), cwd=folder, capture_output=True, text=True, timeout=BOUND_S)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    return done.stdout


def only(names: list[str]) -> list[str]:
    return [option for name in names for option in ("--include-operation-id", name)]


def of_the_operator(operation: Json) -> bool:
    return bool(operation["x-who"] == "the operator")


@pytest.mark.parametrize("who", ["customer", "operator"])
def test_every_operation(hub: Hub, account: Account, operations: dict[str, Json], tmp_path: Path, who: str) -> None:
    """Each as one who may; what others hear is the same everywhere, and test_access.py has it."""
    api = hub.admin if who == "operator" else account.api
    theirs = {name for name, operation in operations.items() if of_the_operator(operation) == (who == "operator")}
    names = [name for name in theirs if not ENDS_ITS_CALLER.fullmatch(name)]
    said = fuzz(hub, tmp_path, api.key, operations, *only(sorted(names)))
    assert f"Tested: {len(names)}" in said
    assert api.call("GET", "/customer").status_code == 200


def test_operations_that_can_end_their_caller(hub: Hub, operations: dict[str, Json], tmp_path: Path) -> None:
    """With a key that may go: whatever comes of it, it is documented."""
    names = [name for name in operations if ENDS_ITS_CALLER.fullmatch(name)]
    if names:
        passing = hub.customer().api.key
        fuzz(hub, tmp_path, passing, operations, "--exclude-checks", "positive_data_acceptance", *only(names))
    assert hub.admin.call("GET", "/customer").status_code == 200
