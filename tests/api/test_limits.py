"""Limits of requests and of logins, on a server that has narrow ones."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.support import credentials
from tests.support import hub as hubs
from tests.support.api import Json, refusal
from tests.support.hub import Hub

_addresses = count(10)
LIMITS = {
    "login_rate": 0.1, "login_burst": 3, "rate_per_address": 0.1, "burst_per_address": 12,
    "rate_per_customer": 0.1, "burst_per_customer": 8,
}  # fmt: skip


@pytest.fixture(scope="module")
def narrow(folder: Path) -> Iterator[Hub]:
    with hubs.hub(f"sqlite:///{folder}/narrow.db", folder, "narrow", **LIMITS) as opened:
        yield opened
        assert "Traceback" not in opened.log


@pytest.fixture(scope="module")
def customers(narrow: Hub) -> list[Json]:
    return [credentials.made(narrow) for _ in range(2)]


def at_another_address(hub: Hub, credential: str = "") -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=f"127.0.2.{next(_addresses)}")
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    return httpx.Client(base_url=f"{hub.address}/v1.0", transport=transport, headers=headers)


def limited(answer: httpx.Response, by: str) -> None:
    error = refusal(answer, 429, "RATE_LIMIT_EXCEEDED", "too many")
    assert (error["status"], error["details"]) == ("RESOURCE_EXHAUSTED", [{"limited_by": by}])
    assert 1 <= int(answer.headers["retry-after"]) <= 10


def test_a_customer_has_one_limit_wherever_and_however_it_calls(narrow: Hub, customers: list[Json]) -> None:
    busy, other = customers
    with at_another_address(narrow, busy["accesskey"]) as one, at_another_address(narrow, busy["login"]) as two:
        assert [http.get("/customer").status_code for http in (one, two) for _ in range(4)] == [200] * 8
        limited(one.get("/customer"), "customer")
        limited(two.get("/numbers"), "customer")
    with at_another_address(narrow, other["accesskey"]) as three:
        assert three.get("/customer").status_code == 200


def test_an_address_has_one_limit_whoever_calls_and_even_with_wrong_keys(narrow: Hub, customers: list[Json]) -> None:
    with at_another_address(narrow) as http:
        for n in range(12):
            headers = {"Authorization": f"Bearer vb_{n:032}"}
            refusal(http.get("/customer", headers=headers), 401, "INVALID_CREDENTIALS")
        limited(http.get("/customer", params={"token": customers[1]["accesskey"]}), "ip")
        limited(http.post("/messages", content=b"no body at all"), "ip")
        for path in ("/healthz", "/readyz"):
            assert http.get(f"{narrow.address}{path}").status_code == 200
        assert http.post("/auth/login", json={"username": "x", "password": "x"}).status_code == 401


@pytest.mark.parametrize("base", ["", "/v1.0"])
def test_logins_of_an_address_are_counted_by_themselves(narrow: Hub, base: str) -> None:
    with at_another_address(narrow) as http:
        answers = [http.post(f"{narrow.address}{base}/auth/login", content=b"{") for _ in range(3)]
        assert {answer.status_code for answer in answers} == {400}
        limited(http.post(f"{narrow.address}/auth/login", content=b"{"), "ip")
        limited(http.post(f"{narrow.address}/v1.0/auth/login", content=b"{"), "ip")
        refusal(http.get("/customer"), 401, "AUTHENTICATION_REQUIRED")


def test_there_are_none_unless_they_are_asked_for(hub: Hub) -> None:
    with httpx.Client(base_url=f"{hub.address}/v1.0") as http:
        assert {http.get("/customer").status_code for _ in range(600)} == {401}


def test_who_fetches_media_is_counted_by_the_address(narrow: Hub) -> None:
    with at_another_address(narrow) as http:
        for _ in range(6):
            refusal(http.get(f"{narrow.address}/m/{'A' * 16}"), 404, "RESOURCE_NOT_FOUND")
            refusal(http.get(f"{narrow.address}/media/{'0' * 64}"), 403, "MEDIA_ADDRESS_EXPIRED")
        limited(http.get(f"{narrow.address}/m/{'A' * 16}"), "ip")
