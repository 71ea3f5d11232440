"""Requests octet by octet: what is malformed, smuggled, cut off, piled up or of another protocol is answered by us."""

import json
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.served import Slow, served
from tests.support.hub import Account, Hub
from tests.support.raw import line, request

OK = {"status": "ok"}
SEGMENTS = "POST /v1.0/messages/segments"
TEXT = b'{"text": "Hello"}'
CHUNKS = b"11\r\n" + TEXT + b"\r\n0\r\n"
CHUNKED = "Transfer-Encoding: chunked"


def post(*headers: str, body: bytes = b"") -> bytes:
    return request(SEGMENTS, *headers, body=body)


def bearer(account: Account) -> str:
    return f"Authorization: Bearer {account.api.key}"


# --- what has no meaning, or two --------------------------------------------------------

MALFORMED = {
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4",
    "HTTP/2 by name": b"GET /healthz HTTP/2.0\r\nHost: hub\r\n\r\n",
    "HTTP/0.9 by name": b"GET /healthz HTTP/0.9\r\nHost: hub\r\n\r\n",
    "a version of its own": b"GET /healthz HTTP/1.2\r\nHost: hub\r\n\r\n",
    "another protocol": b"DESCRIBE rtsp://hub/ RTSP/1.0\r\nHost: hub\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 64,
    "an unknown method": request("BREW /healthz"),
    "a method in lower case": request("get /healthz"),
    "no path": request("GET healthz"),
    "an asterisk": request("GET *"),
    "another scheme": request("GET ftp://hub/healthz"),
    "a space in the path": request("GET /a b"),
    "a NUL in the path": request("GET /a\0b"),
    "a tab in the path": request("GET /a\tb"),
    "letters beyond ASCII in the path": request("GET /\xe9"),
    "letters beyond ASCII in the query": request("GET /v1.0/messages?source=\xe9"),
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: hub\n\n",
    "a bare line feed": b"GET /healthz HTTP/1.1\r\nHost: hub\nX: y\r\n\r\n",
    "a bare carriage return": b"GET /healthz HTTP/1.1\r\nHost: hub\r\nX: a\rY: b\r\n\r\n",
    "a folded header": request("GET /healthz", "X: a", " b"),
    "a NUL in a header": request("GET /healthz", "X: a\0b"),
    "a space before a colon": post("Transfer-Encoding : chunked"),
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": request("GET /healthz", "Host: other"),
    "a length and chunks": post("Content-Length: 5", CHUNKED, body=b"0\r\n\r\n"),
    "chunks and a length": post(CHUNKED, "Content-Length: 5", body=b"0\r\n\r\n"),
    "two lengths": post("Content-Length: 1", "Content-Length: 2", body=b"ab"),
    "a list of lengths": post("Content-Length: 2, 2", body=b"ab"),
    "a negative length": post("Content-Length: -2", body=b"ab"),
    "a length with a sign": post("Content-Length: +2", body=b"ab"),
    "a length in another base": post("Content-Length: 0x2", body=b"ab"),
    "an endless length": post(f"Content-Length: {10**30}", body=b"ab"),
    "no length": post("Content-Length: ", body=b"ab"),
    "another coding": post("Transfer-Encoding: gzip", body=b"ab"),
    "another coding in chunks": post("Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "chunks and another coding": post("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
    "chunks twice": post(CHUNKED, CHUNKED, body=b"0\r\n\r\n"),
    "nearly chunks": post("Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunks behind a vertical tab": post("Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": post(CHUNKED, body=b"xyz\r\n"),
    "a chunk that is longer than it says": post(CHUNKED, body=b"1\r\n{}\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("octets", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(hub: Hub, octets: bytes) -> None:
    with line(hub) as peer:
        answer = peer.ask(octets)
        error = answer.refusal(400, "MALFORMED_REQUEST")
        assert (error["status"], answer.closes) == ("INVALID_ARGUMENT", True)
        assert peer.is_closed()


def test_connect(hub: Hub) -> None:
    with line(hub) as peer:
        peer.ask(request("CONNECT example.com:443")).refusal(405, "METHOD_NOT_ALLOWED")
        assert peer.is_closed()


@pytest.mark.parametrize("method", ["TRACE", "PATCH", "PROPFIND", "QUERY", "SOURCE"])
@pytest.mark.parametrize("path", ["/healthz", "/v1.0/messages", "/", "/openapi.json"])
def test_methods_of_others(hub: Hub, method: str, path: str) -> None:
    with line(hub) as peer:
        answer = peer.ask(request(f"{method} {path}"))
        answer.refusal(405, "METHOD_NOT_ALLOWED")
        assert {"GET", "HEAD", "OPTIONS"} <= set(answer.headers["allow"].split(", "))


def test_a_request_id_of_a_request_that_cannot_be_read(hub: Hub) -> None:
    with line(hub) as peer:
        octets = post("X-Request-Id: mine", CHUNKED, body=b"xyz\r\n")
        assert peer.ask(octets).refusal(400, "MALFORMED_REQUEST")["request_id"] == "mine"


# --- what is odd and allowed ------------------------------------------------------------

ODD = {
    "another host's address": request("GET http://other.example:99/healthz"),
    "an address in IPv6": request("GET HTTPS://[::1]/healthz?x=1"),
    "HTTP/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "empty lines before": b"\r\n\r\n\r\n" + request("GET /healthz"),
    "a body that nobody asked for": request("GET /healthz", "Content-Length: 4", body=b"abcd"),
    "an offer of websockets": request("GET /healthz", "Connection: Upgrade", "Upgrade: websocket"),
    "an offer of HTTP/2": request("GET /healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"),
    "an empty query": request("GET /healthz?"),
}


@pytest.mark.parametrize("octets", ODD.values(), ids=ODD.keys())
def test_odd(hub: Hub, octets: bytes) -> None:
    with line(hub) as peer:
        answer = peer.ask(octets)
        assert (answer.status, json.loads(answer.body)) == (200, OK)


@pytest.mark.parametrize("where", ["http://hub.example", "http://hub.example?x=1"])
def test_an_address_without_a_path_is_the_front_page(hub: Hub, where: str) -> None:
    with line(hub) as peer:
        assert b"<title>messagehub" in peer.ask(request(f"GET {where}")).body


def test_options_of_the_server_as_a_whole(hub: Hub) -> None:
    with line(hub) as peer:
        assert peer.ask(request("OPTIONS *")).status == 200


@pytest.mark.parametrize(
    ("headers", "body"), [((f"Content-Length: {len(TEXT)}",), TEXT), ((CHUNKED,), CHUNKS + b"\r\n")], ids=["", "chunks"]
)
def test_a_body_behind_an_offer_of_another_protocol(
    hub: Hub, account: Account, headers: tuple[str, ...], body: bytes
) -> None:
    """As Java's client sends it. What follows on the connection is understood, too."""
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    octets = post(bearer(account), *offer, *headers, body=body)
    with line(hub) as peer:
        for _ in range(2):
            answer = peer.ask(octets)
            assert (answer.status, json.loads(answer.body)["segments"]) == (200, ["Hello"])


def test_trailers_are_no_headers(hub: Hub, account: Account) -> None:
    with line(hub) as peer:
        trailed = CHUNKS + f"{bearer(account)}\r\n\r\n".encode()
        peer.ask(post(CHUNKED, body=trailed)).refusal(401, "AUTHENTICATION_REQUIRED")
        trailed = CHUNKS + b"Authorization: Bearer x\r\nContent-Type: text/plain\r\n\r\n"
        assert peer.ask(post(bearer(account), CHUNKED, body=trailed)).status == 200


@pytest.mark.parametrize("trailer", [b"Connection: close", b"Proxy-Connection: close"])
def test_a_trailer_that_closes_the_connection_does(hub: Hub, account: Account, trailer: bytes) -> None:
    """Who was not told so would ask on, and never be answered."""
    with line(hub) as peer:
        answer = peer.ask(post(bearer(account), CHUNKED, body=CHUNKS + trailer + b"\r\n\r\n"))
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert peer.is_closed()
    with line(hub) as peer:
        peer.say(post(CHUNKED, body=CHUNKS))
        peer.answer().refusal(401, "AUTHENTICATION_REQUIRED")
        peer.say(trailer + b"\r\n\r\n")  # when all is answered already
        assert peer.is_closed()


def test_expect_continue(hub: Hub, account: Account) -> None:
    asks = ("Expect: 100-continue", f"Content-Length: {len(TEXT)}")
    with line(hub) as peer:
        assert peer.ask(post(bearer(account), *asks)).status == 100
        assert peer.ask(TEXT).status == 200
        peer.ask(post(*asks)).refusal(401, "AUTHENTICATION_REQUIRED")  # without having seen the body
        assert peer.ask(TEXT + request("GET /healthz")).status == 200


def test_head(hub: Hub) -> None:
    account = hub.customer()  # its own, lest a message of another test goes on between the two answers
    account.settled(account.send("+15550000001"))
    with line(hub) as peer:
        for path in ("/", "/healthz", "/readyz", "/openapi.json", "/v1.0/customer", "/v1.0/messages", "/v1.0/nothing"):
            whole = peer.ask(request(f"GET {path}", bearer(account)))
            alone = peer.ask(request(f"HEAD {path}", bearer(account)), "HEAD")
            assert (alone.status, alone.body) == (whole.status, b"")
            assert alone.headers.keys() == whole.headers.keys()
            assert alone.headers["content-length"] == whole.headers["content-length"]


def test_every_answer_has_a_date(hub: Hub) -> None:
    with line(hub) as peer:
        for octets in (request("GET /healthz"), request("GET /nothing"), b"nothing\r\n\r\n"):
            assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", peer.ask(octets).headers["date"])


def test_who_has_said_all_still_hears_the_answer(hub: Hub) -> None:
    for _ in range(5):
        for path in ("/readyz", "/healthz"):
            with line(hub) as peer:
                peer.say(request(f"GET {path}"))
                peer.end()
                assert peer.answer().status == 200
                assert peer.is_closed()


# --- many at once -----------------------------------------------------------------------


def test_pipelined_requests_are_answered_in_their_order(hub: Hub, account: Account) -> None:
    texts = [f"Hello {n}" for n in range(50)]
    bodies = [json.dumps({"text": text}).encode() for text in texts]
    octets = [post(bearer(account), f"Content-Length: {len(body)}", body=body) for body in bodies]
    with line(hub) as peer:
        peer.say(b"".join(octets))
        assert [json.loads(peer.answer().body)["segments"] for _ in texts] == [[text] for text in texts]


def test_thousands_of_pipelined_requests(hub: Hub) -> None:
    count = 3000
    with line(hub) as peer:
        peer.say(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n" * count)
        assert {peer.answer().status for _ in range(count)} == {200}


def test_what_was_understood_is_answered_before_what_was_not(hub: Hub) -> None:
    good = request("GET /readyz")
    for bad in (b"nonsense\r\n\r\n", post(CHUNKED, body=b"xyz\r\n"), request("GET /healthz", host="Host:\0")):
        with line(hub) as peer:
            peer.say(good * 3 + bad + good)
            assert [peer.answer().status for _ in range(4)] == [200, 200, 200, 400]
            assert peer.is_closed()


def test_a_request_in_a_body_is_no_request(hub: Hub, account: Account) -> None:
    hidden = request("DELETE /v1.0/nothing")
    octets = post(bearer(account), f"Content-Length: {len(hidden)}", body=hidden)
    with line(hub) as peer:
        peer.say(octets + request("GET /healthz"))
        assert [peer.answer().status for _ in range(2)] == [400, 200]


# --- size -------------------------------------------------------------------------------

TOO_LARGE = {
    "one header": request("GET /healthz", "X: " + "a" * 33_000),
    "one header without an end": b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 2_000_000,
    "a name without an end": b"GET /healthz HTTP/1.1\r\n" + b"a" * 2_000_000,
    "a path without an end": b"GET /" + b"a" * 2_000_000,
    "all headers together": request("GET /healthz", *["X: " + "a" * 1000] * 40),
    "many headers": request("GET /healthz", *["X: y"] * 100),
    "headers without an end": b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 300_000,
    "a long path": request("GET /" + "a" * 8192),
    "a long query": request("GET /healthz?" + "a" * 8192),
    "trailers without an end": post(CHUNKED, body=b"0\r\n" + b"X: y\r\n" * 300_000),
    "the extension of a chunk": post(CHUNKED, body=b"1;" + b"a" * 2_000_000),
}


@pytest.mark.parametrize("octets", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_a_head_that_is_too_large(hub: Hub, octets: bytes) -> None:
    with line(hub) as peer:
        peer.say(octets)
        answer = peer.answer()
        if answer.status == 401:  # it had its answer before its trailers came
            answer = peer.answer()
        assert answer.refusal(431, "HEADERS_TOO_LARGE")["status"] == "INVALID_ARGUMENT"
        assert peer.is_closed()


def test_a_head_that_is_just_not_too_large(hub: Hub) -> None:
    with line(hub) as peer:
        assert peer.ask(request("GET /healthz?" + "a" * 8000, *["X: " + "a" * 1000] * 23)).status == 200
        assert peer.ask(request("GET /healthz", *["X: y"] * 99)).status == 200


def test_the_answer_to_a_body_that_is_too_large_can_be_heard(hub: Hub, account: Account) -> None:
    """Though all of it is said before anything is heard."""
    with line(hub) as peer:
        peer.say(post(bearer(account), "Content-Length: 8000000", body=b" " * 8_000_000))
        peer.answer().refusal(413, "BODY_TOO_LARGE")


# --- any octets at all ------------------------------------------------------------------

WORDS = [
    b"GET ", b"POST ", b"OPTIONS ", b"CONNECT ", b"/", b"/healthz", b"/v1.0/messages/segments", b"*", b"http://h",
    b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b"\r\n", b"\n", b"\0", b"Host: hub\r\n", b"Content-Length: 3\r\n", b"abc",
    b"Transfer-Encoding: chunked\r\n", b"3\r\n", b"0\r\n\r\n", b"Connection: upgrade\r\nUpgrade: h2c\r\n",
    b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"X: " + b"y" * 9000 + b"\r\n",
    request("GET /healthz"), post("Content-Length: 2", body=b"{}"),
]  # fmt: skip
ANYTHING = st.lists(st.sampled_from(WORDS) | st.binary(max_size=20), max_size=30).map(b"".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(octets=ANYTHING)
def test_whatever_is_said_the_answers_are_ours_and_the_line_is_closed(hub: Hub, octets: bytes) -> None:
    with line(hub) as peer:
        begun = time.monotonic()
        peer.say(octets)
        peer.end()
        while not peer.is_closed():
            answer = peer.answer()
            assert answer.status in (100, 200) or json.loads(answer.body).keys() == {"error"}
        assert time.monotonic() - begun < 30


# --- who goes away ----------------------------------------------------------------------


def test_who_goes_away_leaves_the_others_alone() -> None:
    slow = Slow()
    with served(slow) as place:
        with line(place) as peer:
            peer.say(request("GET /gone"))
            assert slow.asked.wait(5)
        slow.may_answer.set()
        with line(place) as peer:
            assert peer.ask(request("GET /here")).body == b"/here"
