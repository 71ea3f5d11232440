"""How much of what carriers ask of us is here at the same time, and what it was that they asked for."""

import pytest

from messagehub.api.callbacks import Share, announced, origin_of
from messagehub.errors import Refusal


def test_nobody_takes_all() -> None:
    share = Share(10, 6)
    with share.of("a") as take_a, share.of("b") as take_b:
        take_a(6)
        with pytest.raises(Refusal, match="at the same time"):
            take_a(1)
        take_b(4)
        with pytest.raises(Refusal):
            take_b(1)
    with share.of("b") as take_b:
        take_b(6)


def test_what_was_refused_takes_nothing() -> None:
    share = Share(10, 6)
    for _ in range(3):
        with share.of("a") as take:
            take(5)
            with pytest.raises(Refusal):
                take(5)
    with share.of("a") as take:
        take(6)


@pytest.mark.parametrize(
    ("headers", "size"),
    [
        ({}, 0),
        ({"transfer-encoding": "chunked"}, 100),
        ({"content-length": "0"}, 0),
        ({"content-length": "100"}, 100),
        ({"content-length": "0" * 20 + "99"}, 99),
        ({"content-length": "0" * 5000}, 0),
    ],
)
def test_how_much_is_to_come(headers: dict[str, str], size: int) -> None:
    assert announced(headers, 100) == size


@pytest.mark.parametrize("length", ["101", "0" * 20 + "101", "0" * 5000 + "101", "9" * 5000, "-1", "1_0", "²", "x"])
def test_what_says_that_it_is_too_large_is_not_read(length: str) -> None:
    with pytest.raises(Refusal, match="BODY_TOO_LARGE"):
        announced({"content-length": length}, 100)


HUB = "https://sms.example.com"
ORIGINS = [
    (HUB, {}, HUB),
    (HUB, {"host": "127.0.0.1:8080", "x-forwarded-proto": "http"}, HUB),
    (HUB, {"x-forwarded-host": "other.example"}, "https://other.example"),
    (HUB, {"x-forwarded-host": "a.example, inner", "x-forwarded-proto": "http, https"}, "http://a.example"),
    (f"{HUB}/hub", {}, f"{HUB}/hub"),
    (f"{HUB}/hub", {"x-forwarded-host": "other.example:8443"}, "https://other.example:8443/hub"),
]


@pytest.mark.parametrize(("public_url", "headers", "origin"), ORIGINS)
def test_what_was_asked_for(public_url: str, headers: dict[str, str], origin: str) -> None:
    assert origin_of(public_url, headers) == origin
