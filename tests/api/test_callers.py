"""Whose address counts: the peer's own, and behind trusted proxies the one that they name."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.api.callers import Proxies, caller_address, peer_at
from messagehub.errors import SettingError
from tests.api.served import answer, served
from tests.support.raw import line, request

PROXIES = Proxies("10.0.0.0/8, 192.0.2.1,2001:db8:ffff::/48")

CASES = [  # the peer, X-Forwarded-For line by line, who counts
    ("203.0.113.7", [], "203.0.113.7"),
    ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
    ("10.1.2.3", [], "10.1.2.3"),
    ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
    ("10.1.2.3", ["198.51.100.9, 198.51.100.1"], "198.51.100.1"),
    ("10.1.2.3", ["198.51.100.1, 10.9.9.9, 192.0.2.1"], "198.51.100.1"),
    ("10.1.2.3", ["198.51.100.1", "10.9.9.9"], "198.51.100.1"),
    ("10.1.2.3", ["10.4.4.4, 10.9.9.9"], "10.4.4.4"),
    ("10.1.2.3", ["198.51.100.1:4711"], "198.51.100.1"),
    ("10.1.2.3", ["[2001:db8:1:2:3::4]:4711"], "2001:db8:1:2::/64"),
    ("10.1.2.3", ["2001:db8:1:2:ffff::1"], "2001:db8:1:2::/64"),
    ("10.1.2.3", ["::ffff:198.51.100.1"], "198.51.100.1"),
    ("10.1.2.3", ["198.51.100.1, unknown"], "10.1.2.3"),
    ("10.1.2.3", ["198.51.100.1, nonsense, 10.9.9.9"], "10.9.9.9"),
    ("10.1.2.3", [""], "10.1.2.3"),
    ("10.1.2.3", [", ,"], "10.1.2.3"),
    ("2001:db8:ffff::1", ["198.51.100.1"], "198.51.100.1"),
    ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
    ("::ffff:203.0.113.7", [], "203.0.113.7"),
    ("fe80::1%eth0", [], "fe80::/64"),
    ("", [], ""),
]


def scope_of(peer: str, forwarded: list[str]) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"state": {"peer": peer_at(peer, PROXIES)}, "headers": headers}


@pytest.mark.parametrize(("peer", "forwarded", "counts"), CASES)
def test_who_counts(peer: str, forwarded: list[str], counts: str) -> None:
    scope = scope_of(peer, forwarded)
    assert caller_address(scope, dict(scope["headers"])) == counts


@given(st.text(st.characters(max_codepoint=255)))
def test_whatever_a_caller_invents_the_proxys_word_stands(invented: str) -> None:
    scope = scope_of("10.1.2.3", [])
    scope["headers"] = [(b"x-forwarded-for", invented.encode("latin-1")), (b"x-forwarded-for", b"198.51.100.1")]
    assert caller_address(scope, dict(scope["headers"])) == "198.51.100.1"


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy.example", "10.0.0.0/33", "10.0.0.0;10.0.0.1"])
def test_proxies_that_are_none(text: str) -> None:
    with pytest.raises(SettingError, match="MESSAGEHUB_TRUSTED_PROXIES"):
        Proxies(text)


async def tell(scope: Any, receive: Any, send: Any) -> None:
    await answer(send, caller_address(scope, dict(scope["headers"])).encode())


def test_over_a_connection() -> None:
    asks = request("GET /", "X-Forwarded-For: 198.51.100.1")
    with served(tell) as place, line(place) as peer:
        assert peer.ask(asks).body == b"127.0.0.1"
    with served(tell, trusted=Proxies("127.0.0.1")) as place, line(place) as peer:
        assert peer.ask(asks).body == b"198.51.100.1"
