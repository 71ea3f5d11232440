"""Lists of people who are out: what can be read is read, what cannot is refused by its line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.clock import SECOND
from messagehub.errors import Refusal
from messagehub.people import lists
from messagehub.people.lists import Wrong
from messagehub.people.opt_outs import Change, Entry

NOW = 1_800_000_000 * SECOND


def read(text: str) -> list[Any]:
    return list(lists.read(text, "c", "a", NOW))


def addresses(text: str) -> list[str]:
    return [one.address if isinstance(one, Entry) else f"{one.line}: {one.words}" for one in read(text)]


@pytest.mark.parametrize(
    "text",
    [
        "+441\r\n+442\r\n",
        "+441\n+442",
        "address\n+441\n+442\n",
        "\ufeffAddress,TM\n+441,\n\n  +442 ,\n",
        '"+441","customer"\n"+442","number:+15551234567"\n',
        "scope,address\n,+441\ngroup:shop,+442\n",
        "status,address\n,+441\nprobable,+442\n",
    ],
)
def test_forms_that_are_understood(text: str) -> None:
    assert addresses(text) == ["+441", "+442"]


def test_each_line_that_is_wrong_is_named() -> None:
    text = "address,scope,tm\n+441\nfred\n+442,shop\n+443,customer,yesterday\n+444,customer,,more\n+445\n"
    found = addresses(text)
    assert [found[0], found[5]] == ["+441", "+445"]
    assert found[1].startswith("3: address: 'fred' is not E.164")
    assert found[2].startswith("4: scope: 'shop' is no scope")
    assert found[3].startswith("5: tm: 'yesterday' is no time since")
    assert found[4].startswith("6: 4 columns")


def test_how_certain_a_list_is_of_somebody() -> None:
    found = read("address,status\n+441,probable\n+442,opted_out\n+443,\n+444\n+445,opted_in\n+446,Probable\n")
    assert [one.status for one in found[:4]] == ["probable", "opted_out", "opted_out", "opted_out"]
    assert [(one.line, one.words) for one in found[4:]] == [
        (6, "status: 'opted_in' puts nobody out; write opted_out or probable"),
        (7, "status: 'Probable' puts nobody out; write opted_out or probable"),
    ]
    assert [one.status for one in read("+441\n")] == ["opted_out"]


@pytest.mark.parametrize(
    ("head", "words"), [("address,phone", "phone"), ("scope,tm", "address"), ("tm,address,tm", "once")]
)
def test_a_header_that_is_wrong_refuses_all(head: str, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        read(f"{head}\n+441,,\n")


def test_times_are_those_of_the_list_and_never_in_the_future() -> None:
    first, second, third = read("+441,customer,2024-01-31T10:30:00Z\n+442,,2999-01-01 00:00:00\n+443\n")
    assert first.tm_said == 1_706_697_000 * SECOND
    assert second.tm_said == third.tm_said == NOW


@given(st.text(max_size=200))
def test_whatever_comes_it_is_read_or_refused(text: str) -> None:
    try:
        found = read(text)
    except Refusal as refusal:
        found = [Wrong(1, refusal.message.partition("line 1: ")[2])]
    assert all(isinstance(one, Entry) or one.words for one in found)


def test_what_is_written_can_be_read() -> None:
    class Row(Change, frozen=True):
        tm_said = NOW - 5 * SECOND
        source, message_id = "keyword", "m"

    rows = [Row("c", "+441", "customer", "probable", "1"), Row("c", "+442", "number:Café, Co", "opted_out", "2")]
    text = lists.write(rows)
    assert text.startswith("address,scope,tm,status,source,message_id\r\n")
    assert [(one.address, one.scope, one.tm_said, one.status) for one in read(text)] == [
        (row.address, row.scope, row.tm_said, row.status) for row in rows
    ]
