"""Variables of recipients: each is told its own text, on every way to the carrier, and nothing else is touched."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.accounts.callers import Caller
from messagehub.carriers.carrier import Accepted
from messagehub.errors import Refusal
from messagehub.messages.traces import Traces
from messagehub.messages.variables import Own, Template, own_texts
from messagehub.shapes import DestinationGiven, Message, MessageGiven
from tests.messages.house import ANNE, BERT, CARL, SOURCE, House, eventually

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(max_size=20) | st.sampled_from(["{{name}}", "{{{{", "}}", "{{", "{{x"]) | st.integers() | st.just(1.5)


def escaped(words: str) -> str:
    return words.replace("{{", "{{{{")


# --- the text ---------------------------------------------------------------------------


@given(st.lists(st.tuples(st.text(alphabet=st.characters(exclude_characters="{")), NAMES)), st.data())
def test_values_stand_where_their_names_stood_and_are_not_read_again(pieces: list[Any], data: Any) -> None:
    values = {name: data.draw(VALUES) for _, name in pieces}
    template = Template("".join(f"{words}{{{{{name}}}}}" for words, name in pieces))
    assert template.fill(values) == "".join(f"{words}{values[name]}" for words, name in pieces)


@given(st.text(alphabet="{}a b_1"))
def test_every_text_can_be_said(words: str) -> None:
    assert Template(escaped(words)).fill({}) == words


@given(st.text(alphabet="{}a b_1"))
def test_what_is_no_template_is_refused_and_nothing_breaks(words: str) -> None:
    with suppress(Refusal):
        template = Template(words)
        template.fill(dict.fromkeys(template.names, "v"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Hi {{name}}!", "Hi Anne!"),
        ("{{ name }}{{name}}", "AnneAnne"),
        ("{name} }} {", "{name} }} {"),
        ("{{{{name}}}}", "{{name}}}}"),
        ("{{{{{{name}}", "{{Anne"),
        ("{{sum}} {{count}}", "9.5 3"),
    ],
)
def test_what_it_says(words: str, said: str) -> None:
    assert Template(words).fill({"name": "Anne", "sum": 9.5, "count": 3}) == said


@pytest.mark.parametrize("words", ["Hi {{name", "{{ 1+2 }}", "{{}}", "{{a-b}}", "{{{name}}}", "{{" + "a" * 65 + "}}"])
def test_what_is_no_place_is_quoted(words: str) -> None:
    with pytest.raises(Refusal, match=r"text: '.*' at character \d+ is no variable"):
        Template(words)


def test_a_text_has_a_hundred_places_at_most() -> None:
    assert Template("{{a}}" * 100).fill({"a": 1}) == "1" * 100
    with pytest.raises(Refusal, match="101 variables, where 100 are allowed"):
        Template("{{a}}" * 101)


def no_check(words: str, field: str) -> None:
    return


def to(number: str, **variables: Any) -> DestinationGiven:
    return DestinationGiven(target=number, variables=variables)


def test_without_variables_a_text_is_no_template() -> None:
    assert own_texts("Hi {{name", [DestinationGiven(target=ANNE), BERT], False, no_check) is None
    assert own_texts("Hi", [to(ANNE, name="Anne")], False, no_check) is None
    assert own_texts("{{n}}", [to(ANNE, n=1), to(BERT, n=2, more="x")], False, no_check) == [Own("1"), Own("2")]


def test_who_gives_variables_though_none_is_asked_for_the_missing_one() -> None:
    with pytest.raises(Refusal, match=r"destinations\[1\]\.variables\.name: it is not given"):
        own_texts("Hi {{name}}", [to(ANNE, name="Anne"), to(BERT)], False, no_check)
    with pytest.raises(Refusal, match=r"destinations\[0\]\.variables\.name: it is not given"):
        own_texts("Hi {{name}}", [to(ANNE)], False, no_check)


# --- on its way -------------------------------------------------------------------------


async def send(house: House, words: str, *destinations: DestinationGiven, **more: Any) -> Message:
    message = MessageGiven(source=SOURCE, destinations=list(destinations), text=words, **more)
    return await house.acceptor.accept(house.customer.id, message)


def handed(house: House) -> dict[str, str]:
    """What each number was sent, of GSM texts in one part."""
    return {each.destination: each.segments[0].text for each in house.peer.handed}


async def test_each_is_told_its_own(house: House) -> None:
    message = await send(house, "Hi {{name}}", to(ANNE, name="Anne"), to(BERT, name="Bert", more=1), to(CARL, name=3))
    assert message.text == "Hi {{name}}"
    assert [target.text for target in message.targets] == ["Hi Anne", "Hi Bert", "Hi 3"]
    await eventually(lambda: len(house.peer.handed) == 3)
    assert handed(house) == {ANNE: "Hi Anne", BERT: "Hi Bert", CARL: "Hi 3"}
    assert (await house.seen(message.id)).targets[1].text == "Hi Bert"


async def test_what_waited_in_the_store_is_told_its_own(house: House) -> None:
    await house.close()
    message = await send(house, "Hi {{name}}", to(ANNE, name="Anne"), to(BERT, name="Bert"))
    await house.open()
    await eventually(lambda: len(house.peer.handed) == 2)
    assert handed(house) == {ANNE: "Hi Anne", BERT: "Hi Bert"}
    await house.until((message.id, 0), "handed")


async def test_others_are_as_they_were(house: House) -> None:
    message = await house.send(ANNE, text="Hi {{name}} and {{")
    assert message.text == "Hi {{name}} and {{"
    await eventually(lambda: len(house.peer.handed) == 1)
    assert handed(house) == {ANNE: "Hi {{name}} and {{"}


async def test_names_of_an_address_stay_beside_its_text(house: House) -> None:
    anne = DestinationGiven(target=ANNE, name="Anne", detail="VIP", variables={"name": "Anne"})
    (target,) = (await send(house, "Hi {{name}}", anne)).targets
    assert (target.destination.name, target.destination.detail, target.text) == ("Anne", "VIP", "Hi Anne")


async def test_parts_are_counted_for_each(house: House) -> None:
    message = await send(house, "{{a}}", to(ANNE, a="x"), to(BERT, a="x" * 161), to(CARL, a="ж" * 135))
    assert [target.parts for target in message.targets] == [1, 2, 3]
    with pytest.raises(
        Refusal, match=r"destinations\[1\]\.variables: the text needs 11 segments, where 10 are allowed"
    ):
        await send(house, "{{a}}{{a}}", to(ANNE, a="x"), to(BERT, a="x" * 766))
    with pytest.raises(Refusal, match=r"destinations\[0\]\.variables: the text has 5000 characters"):
        await send(house, "{{a}}" * 5, to(ANNE, a="x" * 1000))
    with pytest.raises(Refusal, match=r"destinations\[0\]\.variables: the text is empty"):
        await send(house, "{{a}}", to(ANNE, a=""))
    with pytest.raises(Refusal, match="text: it has 2000 characters"):
        await send(house, "x" * 2000 + "{{a}}", to(ANNE, a=""))


async def test_a_missing_variable_is_named(house: House) -> None:
    with pytest.raises(Refusal, match=r"destinations\[1\]\.variables\.name: it is not given") as refused:
        await send(house, "Hi {{name}}", to(ANNE, name="Anne"), to(BERT, Name="Bert"))
    assert refused.value.reason == "MISSING_VARIABLE"
    with pytest.raises(Refusal, match=r"destinations\[1\]\.variables\.name: it is not given"):
        await send(house, "Hi {{name}}", to(ANNE, name="Anne"), to(BERT))


async def test_smart_encoding_writes_each_text_better(house: House) -> None:
    message = await send(house, "{{a}}", to(ANNE, a="It’s"), to(BERT, a="It's"), smart_encoding=True)
    first, second = message.targets
    assert (first.text, first.sent_text, first.parts) == ("It’s", "It's", 1)
    assert not isinstance(second.sent_text, str)
    await eventually(lambda: len(house.peer.handed) == 2)
    assert handed(house) == {ANNE: "It's", BERT: "It's"}


async def test_who_is_told_of_it_sees_the_template_and_each_text(house: House) -> None:
    message = await send(house, "Hi {{name}}", to(ANNE, name="Anne"), to(BERT, name="Bert"))
    await house.until((message.id, 1), "handed")
    house.peer.tell(Accepted((message.id, 1), ["1"]))
    await house.until((message.id, 1), "sent")
    await house.receipt("1", "delivered", BERT)
    await house.until((message.id, 1), "delivered")
    for told in await house.told(message.id):
        assert (told["text"], [target["text"] for target in told["targets"]]) == ("Hi {{name}}", ["Hi Anne", "Hi Bert"])
        assert [target["text"] for target in told["changed"]] == ["Hi Bert"]
    assert len(await house.told(message.id)) == 2


async def test_a_trace_counts_the_text_of_its_target(house: House) -> None:
    message = await send(house, "{{a}}", to(ANNE, a="x"), to(BERT, a="x" * 161))
    await eventually(lambda: len(house.peer.handed) == 2)
    traces = Traces(house.store, house.recorder, house.on_its_way)
    seen = await traces.page(Caller(house.customer.id, "customer"), message.id, 0, 10)
    assert [trace.steps[0].detail["parts"] for trace in seen] == [1, 2]
