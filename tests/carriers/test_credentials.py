"""Names and passwords over HTTP, against the examples of the standards and a server that checks for itself."""

import hashlib
import re

import pytest

from messagehub.carriers import credentials
from messagehub.carriers.credentials import Login, Scheme, basic, is_basic, read
from messagehub.web import Answer

URL = "http://www.example.org/dir/index.html?a=b"
BODY = b"what is sent"


def refusal(*challenges: str) -> Answer:
    return Answer(401, {"www-authenticate": ", ".join(challenges)}, b"")


def said(header: str) -> dict[str, str]:
    """What an Authorization of Digest says, by an own parser."""
    assert header.startswith("Digest ")
    return {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,]+))', header)}


# --- RFC 7616, section 3.9.1 ------------------------------------------------------------------------------------------

REALM = 'realm="http-auth@example.org", qop="auth, auth-int", '
NONCE = 'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
EXAMPLES = [
    ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
]


@pytest.mark.parametrize(("algorithm", "response"), EXAMPLES)
def test_the_example_of_the_standard(algorithm: str, response: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    monkeypatch.setattr(credentials, "token_hex", lambda _: cnonce)
    login = Login("Mufasa", "Circle of Life")
    assert login.header("GET", "http://www.example.org/dir/index.html", b"") == ""
    assert login.asked(refusal(f"Digest {REALM}algorithm={algorithm}, {NONCE}"), "")
    fields = said(login.header("GET", "http://www.example.org/dir/index.html", b""))
    assert fields == {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "algorithm": algorithm,
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "nc": "00000001",
        "cnonce": cnonce,
        "qop": "auth",
        "response": response,
        "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    }


# --- other forms ------------------------------------------------------------------------------------------------------


def proof(fields: dict[str, str], name: str, password: str, body: bytes = BODY) -> str:
    """What a server works out for itself."""
    algorithm = fields.get("algorithm", "MD5")
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm.removesuffix("-sess")]

    def digest(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    one = digest(f"{name}:{fields['realm']}:{password}")
    if algorithm.endswith("-sess"):
        one = digest(f"{one}:{fields['nonce']}:{fields['cnonce']}")
    two = f"POST:{fields['uri']}"
    if fields.get("qop") == "auth-int":
        two += ":" + hashed(body).hexdigest()
    middle = [fields[key] for key in ("nc", "cnonce", "qop")] if "qop" in fields else []
    return digest(":".join([one, fields["nonce"], *middle, digest(two)]))


FORMS = [
    'Digest realm="r", nonce="n"',
    'Digest realm="r", nonce="n", qop="auth-int"',
    'Digest realm="", nonce="n", qop=auth, algorithm=MD5-sess, stale=FALSE',
    'Digest nonce = "n",realm= "r" , algorithm=SHA-256-sess,qop="auth-int,auth"',
]


@pytest.mark.parametrize("challenge", FORMS)
def test_every_form_of_digest_is_met(challenge: str) -> None:
    login = Login("my name", 'pass"wörd')
    assert login.asked(refusal(challenge), "")
    fields = said(login.header("POST", URL, BODY))
    assert fields["response"] == proof(fields, "my name", 'pass"wörd')
    assert fields["uri"] == "/dir/index.html?a=b"


def test_a_nonce_is_used_again_and_counted() -> None:
    login = Login("me", "secret")
    login.asked(refusal('Digest realm="r", nonce="n", qop="auth"'), "")
    counts = [said(login.header("POST", URL, BODY))["nc"] for _ in range(3)]
    assert counts == ["00000001", "00000002", "00000003"]
    login.told(Answer(200, {"authentication-info": 'qop=auth, nextnonce="n2"'}, b""))
    fields = said(login.header("POST", URL, BODY))
    assert (fields["nonce"], fields["nc"]) == ("n2", "00000001")
    assert fields["response"] == proof(fields, "me", "secret")


def test_the_strongest_that_is_known_is_chosen() -> None:
    login = Login("me", "secret")
    others = ['Basic realm="r"', 'Digest realm="r", nonce="a"', 'Digest realm="r", nonce="b", algorithm=SHA-256']
    assert login.asked(refusal('Negotiate YWJj=, Bearer, Digest algorithm=TIGER, nonce="c"', *others), "")
    assert said(login.header("POST", URL, BODY))["nonce"] == "b"


CHOICES: list[tuple[Scheme, str, str, bool]] = [
    ("auto", 'Basic realm="r"', "", True),
    ("auto", 'Basic realm="r"', "Basic bWU6c2VjcmV0", False),  # it was said, and was wrong
    ("auto", 'Digest realm="r", nonce="n2", stale=true', "Digest nonce=n1", True),
    ("basic", 'Digest realm="r", nonce="n"', "Basic bWU6c2VjcmV0", False),
    ("digest", 'Basic realm="r"', "", False),  # who stands between could ask for it
    ("digest", 'Digest realm="r", nonce="n"', "", True),
    ("auto", "", "", False),
    ("auto", 'Digest realm="r"', "", False),
    ("auto", 'Digest realm="caf\u00e9", nonce="n"', "", False),  # no header of ours can say it
    ("auto", 'Digest realm="caf\u00e9", nonce="n", Basic realm="caf\u00e9"', "", True),
    ("auto", '"', "", False),
]


@pytest.mark.parametrize(("scheme", "challenge", "before", "does"), CHOICES)
def test_what_is_said_to_whom(scheme: Scheme, challenge: str, before: str, does: bool) -> None:
    assert Login("me", "secret", scheme).asked(refusal(challenge), before) is does


def test_basic_goes_unasked_where_it_is_told_so_or_was_asked_for() -> None:
    unasked, asked = Login("me", "secret", "basic"), Login("me", "secret")
    assert unasked.header("POST", URL, BODY) == basic("me", "secret") == "Basic bWU6c2VjcmV0"
    assert asked.header("POST", URL, BODY) == ""
    asked.asked(refusal('Basic realm="r"'), "")
    assert asked.header("POST", URL, BODY) == "Basic bWU6c2VjcmV0"


def test_who_has_no_name_says_none() -> None:
    nobody = Login("", "")
    assert not nobody.asked(refusal('Basic realm="r"'), "")
    assert nobody.header("POST", URL, BODY) == ""


@pytest.mark.parametrize(
    ("value", "is_it"),
    [
        ("Basic bWU6c2VjcmV0", True),
        ("basic  bWU6c2VjcmV0 ", True),
        ("Bearer bWU6c2VjcmV0", False),
        ("Basic bWU6c2VjcmV1", False),
        ("Basic bWU6c2VjcmV", False),
        ("Basic \u00e4", False),
        ("Basic", False),
        ("", False),
    ],
)
def test_what_callers_say_is_compared(value: str, is_it: bool) -> None:
    assert is_basic(value, "me", "secret") is is_it


def test_no_challenge_raises_anything() -> None:
    for value in ('Digest realm="x', "Digest =,=", ",,,", 'Digest realm="a\\"b"', "\\", "Digest " + "a=b," * 3000):
        assert all(one.scheme for one in read(value))
    assert next(read('Digest realm="a\\"b"')).parameters == {"realm": 'a"b'}
