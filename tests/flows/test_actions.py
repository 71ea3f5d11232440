"""Lists of actions are checked when they are written; what is wrong is named by its place, its id and its member."""

from typing import Any

import pytest

from messagehub import ids
from messagehub.errors import Refusal
from messagehub.flows import actions, run
from messagehub.flows.actions import FINISH, KINDS, START
from messagehub.shapes import ActionGiven

SAY = ActionGiven(type="message_send", option={"text": "Hello"})


def given(type: str, id: str = "", next_id: str = "", **option: Any) -> ActionGiven:
    return ActionGiven(type=type, id=id, next_id=next_id, option=option)


def test_every_kind_has_somebody_who_does_it() -> None:
    assert run.DO.keys() == KINDS.keys()


def test_every_end_has_a_meaning() -> None:
    assert {"completed", "stopped", "action_failed", "no_reply"} <= run.END_REASONS.keys()


WRONG = [
    ([], "actions: 0 are given"),
    ([SAY] * 101, "actions: 101 are given"),
    ([given("message_send", "a", text="x"), given("stop", "a")], "actions[1] (a).id: a stands twice"),
    ([given("stop", START)], f"actions[0] ({START}).id: {START} is reserved"),
    ([SAY, given("stop", next_id="nowhere")], "actions[1].next_id: there is no action 'nowhere'"),
    ([given("goto", "g", target_id="x")], "actions[0] (g).option.target_id: there is no action 'x'"),
    ([given("goto", "g", target_id=ids.UNSET)], "actions[0] (g).option.target_id: there is no action"),
    ([given("goto", "g")], "actions[0] (g).option.target_id: it is required"),
    ([given("message_send")], "actions[0].option.text: a message needs a text"),
    ([given("message_send", text="x", colour="red")], "actions[0].option.colour: there is no such member"),
    ([given("message_send", text=5)], "actions[0].option.text: expected a string"),
    ([given("message_send", text="x", destinations=["12"])], "actions[0].option.destinations[0]: '12' is not E.164"),
    (
        [given("message_send", text="x", source={"type": "sip", "target": "x"})],
        "actions[0].option.source.type: 'sip' is not carried here",
    ),
    (
        [given("message_send", text="x", destinations=["+15559876543", "${x}", "${x}", {"target": "+15559876543"}])],
        "actions[0].option.destinations[3]: +15559876543 stands twice",
    ),
    ([given("message_send", text="x", source="+1 555")], "actions[0].option.source: '+1 555' can be nobody's number"),
    ([given("webhook_send", "w", uri="ftp://a.test/")], "actions[0] (w).option.uri: not an http or https URL"),
    ([given("webhook_send", "w", uri="https://a b/${x}")], "actions[0] (w).option.uri: not an http or https URL"),
    ([given("fetch", "f", event_url="a.test")], "actions[0] (f).option.event_url: not an http or https URL"),
    ([given("fetch", "f", event_url="http://a:99999/")], "actions[0] (f).option.event_url: 99999 is no port"),
    ([given("variable_set", key="voipbin.x")], "actions[0].option.key: 'voipbin.x' begins with"),
    ([given("sleep", duration=-1)], "actions[0].option.duration: expected an integer >= 0"),
    ([given("sleep", duration=10**12)], "actions[0].option.duration: expected an integer <= "),
    (
        [given("branch", variable="x", target_ids={"yes": FINISH, "no": "off"})],
        "actions[0].option.target_ids.no: there is no action 'off'",
    ),
    ([given("condition_datetime", condition="~", false_target_id=FINISH)], "actions[0].option.condition: invalid enum"),
    (
        [given("condition_datetime", condition="==", timezone="Moon/Sea", false_target_id=FINISH)],
        "actions[0].option.timezone: 'Moon/Sea' is no time zone",
    ),
    (
        [given("condition_datetime", condition="==", timezone="localtime", false_target_id=FINISH)],
        "actions[0].option.timezone: 'localtime' is no time zone",
    ),
    ([given("fetch_flow", flow_id="x")], "actions[0].option.flow_id: 'x' is no UUID"),
    ([given("message_send", text="x" * 40_000)] * 2, "actions: 80"),
]


@pytest.mark.parametrize(("listed", "words"), WRONG)
def test_what_is_wrong_is_named(listed: list[ActionGiven], words: str) -> None:
    with pytest.raises(Refusal) as refused:
        actions.checked(listed)
    assert refused.value.reason == "INVALID_ARGUMENT"
    assert refused.value.message.startswith(words)


@pytest.mark.parametrize("kind", ["message_send", "conversation_send"])
def test_a_fallback_is_for_what_has_media(kind: str) -> None:
    with pytest.raises(Refusal) as refused:
        actions.checked([given(kind, "pic", text="Hi", fallback="link")])
    assert refused.value.message == "actions[0] (pic).option.fallback: it is for messages with medias"


@pytest.mark.parametrize("kind", ["talk", "answer", "connect", "hangup", "confbridge_join", "queue_join", "ai_talk"])
def test_what_is_of_calls_is_refused_by_name(kind: str) -> None:
    with pytest.raises(Refusal) as refused:
        actions.checked([SAY, given(kind, "x")])
    assert refused.value.reason == "INVALID_ACTION_TYPE"
    assert refused.value.message.startswith(f"actions[1] (x).type: '{kind}' is of calls")


def test_what_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(Refusal) as refused:
        actions.checked([given("send_message")])
    assert refused.value.message.startswith("actions[0].type: 'send_message' is not known; there are message_send, ")


@pytest.mark.parametrize("kind", ["message_send", "conversation_send"])
@pytest.mark.parametrize(
    ("medium", "member"),
    [
        ({"url": "ftp://example.com/a.png"}, "medias[1].url: "),
        ({"url": "https://example.com/a.svg", "type": "image/svg+xml"}, "medias[1].type: 'image/svg+xml' cannot"),
        ({"url": "https://example.com/a.png", "colour": "red"}, "medias[1].colour: "),
        ({"type": "image/png"}, "medias[1].url: it is required"),
    ],
)
def test_medias_are_looked_at_as_with_messages(kind: str, medium: dict[str, str], member: str) -> None:
    good = {"url": "https://example.com/${voipbin.message.source.target}.png"}
    actions.checked([given(kind, "pic", medias=[good])])
    with pytest.raises(Refusal) as refused:
        actions.checked([given(kind, "pic", medias=[good, medium])])
    assert refused.value.message.startswith(f"actions[0] (pic).option.{member}")


def test_what_has_variables_is_looked_at_later() -> None:
    kinds = [
        given("message_send", text="${x}", destinations=["${to}"]),
        given("goto", target_id="${where}"),
        given("fetch_flow", flow_id="${flow}"),
        given("condition_datetime", condition="==", timezone="${zone}", false_target_id=FINISH),
        given("variable_set", key="${key}", value=""),
        given("message_send", text="x", source="${from}"),
        given("webhook_send", uri="${server}/path"),
        given("fetch", event_url="https://${host}:${port}/${path}?q=${q}"),
    ]
    assert len(actions.checked(kinds)) == len(kinds)


def test_each_action_is_linked_with_the_one_that_follows() -> None:
    listed = actions.checked(
        [given("stop", "a"), given("stop", "b", next_id="d"), given("stop", "c", next_id=START), given("stop", "d")]
    )
    linked = actions.linked(listed)
    assert [(one.id, one.next_id) for one in linked.values()] == [("a", "b"), ("b", "d"), ("c", "a"), ("d", FINISH)]
    assert actions.read(actions.write(listed)) == listed


def test_who_has_no_id_gets_one() -> None:
    one, other = actions.checked([given("stop"), given("stop", ids.UNSET)])
    assert ids.is_id(one.id)
    assert ids.is_id(other.id)
    assert one.id != other.id
