"""Variables in options: each is put in once, and what it holds is never looked through."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.errors import Refusal
from messagehub.flows import variables
from messagehub.flows.variables import TooLarge, substitute, substitute_all, substitute_data, substitute_url

NAMES = st.text(alphabet="abc.", min_size=1, max_size=3)
VALUES = st.text(alphabet="ab${}. x", max_size=20)


def test_known_unknown_and_written_with_blanks() -> None:
    known = {"name": "Anne", "voipbin.message.text": "hi"}
    assert substitute("${name}: ${voipbin.message.text}${unknown}!", known) == "Anne: hi!"
    assert substitute("${ name } $name {name} ${} $${name}", known) == "Anne $name {name}  $Anne"
    assert substitute_all({"a": ["${name}", {"${name}": "${name}"}], "n": 5}, known) == {
        "a": ["Anne", {"${name}": "Anne"}],
        "n": 5,
    }


@given(st.lists(st.tuples(st.text(alphabet="xyz ${", max_size=5), NAMES)), st.dictionaries(NAMES, VALUES))
def test_a_value_is_put_in_as_it_is(pieces: list[tuple[str, str]], known: dict[str, str]) -> None:
    """Whatever it holds: names of variables in it stay what they are."""
    pieces = [(text.replace("${", ""), name) for text, name in pieces]
    template = "".join(f"{text}${{{name}}}" for text, name in pieces)
    if all(text.count("{") == 0 for text, _ in pieces):
        assert substitute(template, known) == "".join(text + known.get(name.strip(), "") for text, name in pieces)


@given(VALUES, VALUES)
def test_nothing_in_a_value_brings_another_to_light(said: str, secret: str) -> None:
    known = {"said": said, "a": secret, "b": secret, "x": secret}
    assert substitute("<${said}>", known) == f"<{said}>"


@given(st.text())
def test_json_stays_json_whatever_was_said(said: str) -> None:
    data = json.dumps({"text": "${said}", "more": ["${said}", 5], "plain": True})
    assert json.loads(substitute_data(data, {"said": said})) == {"text": said, "more": [said, 5], "plain": True}


def test_a_body_that_is_no_json_before_it_has_values_is_a_text() -> None:
    assert substitute_data('{"n": ${n}}', {"n": "5"}) == '{"n": 5}'
    assert substitute_data("n=${n}", {"n": "5"}) == "n=5"
    assert substitute_data("", {}) == ""
    assert substitute_data('{"a":  1}', {}) == '{"a":  1}'


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_url_keeps_its_host_and_its_parameters(said: str) -> None:
    url = urlsplit(substitute_url("https://example.com/x/${said}?text=${said}&more=1", {"said": said}))
    assert (url.hostname, url.path.count("/")) == ("example.com", 2)
    assert parse_qs(url.query, keep_blank_values=True) == {"text": [said], "more": ["1"]}


def test_a_url_may_begin_with_a_variable() -> None:
    assert substitute_url("${base}/x?y=${y}", {"base": "https://a.test:1/b", "y": "/"}) == "https://a.test:1/b/x?y=%2F"


def test_what_would_be_too_large_is_not_made() -> None:
    with pytest.raises(TooLarge, match="65536000"):
        substitute("${x}" * 1000, {"x": "x" * 65_536})


@pytest.mark.parametrize("name", ["${a.b}", "a.b", " a.b ", "${ a.b }"])
def test_a_name_with_and_without_braces(name: str) -> None:
    assert variables.bare(name) == "a.b"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"voipbin.message.text": "x"}, "variables: 'voipbin.message.text' begins with 'voipbin.'"),
        ({"": "x"}, "variables: '' is no name"),
        ({"a}": "x"}, "variables: 'a}' is no name"),
        ({str(n): "" for n in range(101)}, "variables: 101 variables"),
        ({"a": "é" * 32_768}, "variables: 65537 octets"),
    ],
)
def test_what_a_caller_cannot_give(given: dict[str, str], words: str) -> None:
    with pytest.raises(Refusal) as refused:
        variables.check(given)
    assert refused.value.message.startswith(words)
