"""The interpreter, without a store, a clock or a socket: what happened goes in, what is to be done comes out."""

from typing import Any

import msgspec
import pytest
from hypothesis import given as each
from hypothesis import strategies as st

from messagehub import ids
from messagehub.clock import SECOND
from messagehub.flows import actions, run, state
from messagehub.flows.actions import FINISH, START
from messagehub.flows.state import (
    Answered,
    Ask,
    Block,
    Command,
    End,
    Event,
    Failed,
    Load,
    Loaded,
    Passed,
    Pause,
    Replied,
    Send,
    State,
    Tell,
    TimeUp,
    Wait,
)
from messagehub.shapes import ActionGiven

NOW = 1_790_000_000 * SECOND
NUMBER, PERSON = "+15551234567", "+442079460001"


def linked(*given: ActionGiven) -> dict[str, actions.Action]:
    return actions.linked(actions.checked(given))


def do(type: str, id: str = "", next_id: str = "", **option: Any) -> ActionGiven:
    return ActionGiven(type=type, id=id, next_id=next_id, option=option)


def say(text: str, id: str = "", **more: Any) -> ActionGiven:
    return do("message_send", id, text=text, **more)


class Playing:
    """A flow that is run by hand."""

    def __init__(self, *given: ActionGiven, number: str = NUMBER, person: str = PERSON, **more: Any) -> None:
        self.state = run.begun("flow", linked(*given), number=number, person=person, **more)
        self.sent: list[str] = []

    def tell(self, event: Event, now: int = NOW) -> Command:
        """What it wants next; what it sends is taken for sent."""
        self.state, command = run.step(self.state, event, now)
        while isinstance(command, Send):
            self.sent.append(command.text)
            self.state, command = run.step(self.state, Passed(f"message {len(self.sent)}"), now)
        return command

    def begin(self) -> Command:
        return self.tell(Passed())


def test_it_does_one_after_the_other() -> None:
    play = Playing(say("one"), say("two"))
    assert play.begin() == End("completed")
    assert play.sent == ["one", "two"]
    assert [one.result for one in play.state.executed] == ["message 1", "message 2"]


def test_whom_and_from_what_it_sends() -> None:
    play = Playing(say("x"))
    _, command = run.step(play.state, Passed(), NOW)
    assert command == Send(NUMBER, [PERSON], "x")
    play = Playing(say("x", source="+15550000000", destinations=["${to}"]), variables={"to": "+442079460009"})
    _, command = run.step(play.state, Passed(), NOW)
    assert command == Send("+15550000000", ["+442079460009"], "x")


def test_without_a_person_it_needs_destinations() -> None:
    play = Playing(say("x", "hello", source=NUMBER), number="", person="")
    assert play.begin() == End(
        "action_failed", "message_send (hello): option.destinations: nobody has written yet; say to whom it goes"
    )


def test_what_cannot_be_done_ends_it_and_is_named() -> None:
    play = Playing(say("x", "hello"))
    play.state, _ = run.step(play.state, Passed(), NOW)
    assert play.tell(Failed("INVALID_SOURCE: no")) == End("action_failed", "message_send (hello): INVALID_SOURCE: no")


@pytest.mark.parametrize(("text", "sent"), [("Anne", "Hello Anne"), ("Bert", "Who is Bert?")])
def test_variables_and_conditions(text: str, sent: str) -> None:
    play = Playing(
        do("variable_set", key="name", value="${voipbin.message.text}"),
        do("condition_variable", condition="==", variable="${name}", value_string="Anne", false_target_id="other"),
        do("message_send", "", FINISH, text="Hello ${name}"),
        say("Who is ${name}?", "other"),
        variables={"voipbin.message.text": text},
    )
    assert play.begin() == End("completed")
    assert play.sent == [sent]


@pytest.mark.parametrize("variable", ["answer", "${answer}", "${ answer }"])
@pytest.mark.parametrize(("answer", "sent"), [("yes", "good"), ("no", "bad"), ("perhaps", "next"), ("YES", "next")])
def test_branches(variable: str, answer: str, sent: str) -> None:
    play = Playing(
        do("branch", variable=variable, target_ids={"yes": "good", "no": "bad"}),
        do("message_send", "n", FINISH, text="next"),
        do("message_send", "good", FINISH, text="good"),
        say("bad", "bad"),
        variables={"answer": answer},
    )
    play.begin()
    assert play.sent == [sent]


def test_a_loop_goes_back_so_often_and_then_on() -> None:
    play = Playing(say("again", "a"), do("goto", target_id="a", loop_count=2), say("end"))
    play.begin()
    assert play.sent == ["again", "again", "again", "end"]


def test_a_loop_in_a_loop_counts_anew() -> None:
    play = Playing(
        say("x", "x"), do("goto", target_id="x", loop_count=1), say("y"), do("goto", target_id=START, loop_count=1)
    )
    play.begin()
    assert play.sent == ["x", "x", "y", "x", "x", "y"]


def test_a_loop_without_end_is_ended() -> None:
    play = Playing(do("variable_set", "a", "a", key="x", value="1"))
    command = play.begin()
    assert command == End("too_many_steps", "1000 actions were done")
    assert (play.state.steps, len(play.state.executed)) == (1000, 100)


def test_a_reply_is_waited_for() -> None:
    play = Playing(say("Name?"), do("wait_reply", timeout=60_000, variable="name"), say("Hello ${name}"))
    assert play.begin() == Wait(NOW + 60 * SECOND, "name", "")
    assert play.tell(Replied("Anne", {"voipbin.message.text": "Anne"}), NOW + SECOND) == End("completed")
    assert play.sent == ["Name?", "Hello Anne"]
    assert play.state.variables["voipbin.message.text"] == "Anne"


def test_a_reply_that_does_not_come() -> None:
    play = Playing(do("wait_reply", "w", timeout=1))
    play.begin()
    assert play.tell(TimeUp()) == End("no_reply", "wait_reply (w): no reply came in time")
    play = Playing(do("wait_reply", timeout=1, timeout_target_id="late"), say("on time"), say("late", "late"))
    play.begin()
    play.tell(TimeUp())
    assert play.sent == ["late"]


def test_nobody_can_be_waited_for_where_nobody_was_spoken_to() -> None:
    command = Playing(do("wait_reply", "w"), number="", person="").begin()
    assert isinstance(command, End)
    assert command.detail.startswith("wait_reply (w): nobody can be waited for")


def test_a_sleep() -> None:
    play = Playing(say("one"), do("sleep", duration=1500), say("two"))
    assert play.begin() == Pause(NOW + 1_500_000)
    assert play.sent == ["one"]
    assert play.tell(TimeUp()) == End("completed")
    assert play.sent == ["one", "two"]


def test_a_block_and_what_stands_behind_it() -> None:
    play = Playing(do("block"), say("go"))
    assert play.begin() == Block()
    play.tell(Passed("continued"))
    assert play.sent == ["go"]


def test_requests() -> None:
    data = '{"text": "${said}"}'
    play = Playing(
        do("webhook_send", uri="https://a.test/?q=${said}", data=data),
        do("webhook_send", uri="https://a.test/", sync=True, method="PUT", data_type="text/plain", data="x"),
        do(
            "condition_variable",
            condition="==",
            variable="voipbin.webhook.status",
            value_string="201",
            false_target_id="bad",
        ),
        do("message_send", "", FINISH, text="good"),
        say("bad", "bad"),
        variables={"said": 'a "b"'},
    )
    assert play.begin() == Tell("POST", "https://a.test/?q=a%20%22b%22", "application/json", '{"text":"a \\"b\\""}')
    assert play.tell(Passed("sent")) == Ask("PUT", "https://a.test/", "text/plain", "x")
    assert play.tell(Answered(201)) == End("completed")
    assert play.sent == ["good"]
    assert [one.result for one in play.state.executed[:2]] == ["sent", "answered 201"]


def test_fetched_actions_are_done_before_the_next() -> None:
    play = Playing(do("fetch", "f", event_url="https://a.test/"), say("after"))
    assert play.begin() == Ask("POST", "https://a.test/", "application/json", "", wants_actions=True)
    play.tell(Loaded("", linked(say("fetched"), do("goto", target_id=FINISH), say("never"))))
    assert play.sent == ["fetched", "after"]


def test_another_flow_is_done_before_the_next_and_a_stop_in_it_ends_all() -> None:
    play = Playing(do("fetch_flow", flow_id=ids.new()), say("after"))
    assert isinstance(play.begin(), Load)
    assert play.tell(Loaded("other", linked(say("inner"), do("stop")))) == End("completed")
    assert play.sent == ["inner"]


def test_flows_within_each_other_have_a_bound() -> None:
    inner = linked(do("fetch_flow", "again", flow_id=ids.new()), do("stop"))
    play = Playing(do("fetch_flow", flow_id=ids.new()), do("stop"))
    command, depth = play.begin(), 0
    while isinstance(command, Load):
        command, depth = play.tell(Loaded("inner", inner)), depth + 1
    assert isinstance(command, End)
    assert (command.reason, depth) == ("too_deep", run.MOST_FRAMES)


def test_a_server_can_lead_a_long_dialogue() -> None:
    """Each list ends by asking for the next one, so none is within another."""
    play = Playing(do("fetch", event_url="https://a.test/"))
    command = play.begin()
    for n in range(50):
        assert isinstance(command, Ask)
        question = linked(say(f"question {n}"), do("wait_reply"), do("fetch", event_url="https://a.test/"))
        assert isinstance(play.tell(Loaded("", question)), Wait)
        assert len(play.state.frames) == 1
        command = play.tell(Replied("yes", {}))
    assert play.tell(Loaded("", linked(say("bye")))) == End("completed")
    assert play.sent == [*(f"question {n}" for n in range(50)), "bye"]


def test_a_list_that_was_left_amidst_its_loops_counts_anew() -> None:
    """It is another time that it is done."""
    inner = linked(
        say("ask", "ask"),
        do("wait_reply"),
        do("branch", variable="reply", target_ids={"yes": FINISH}),
        do("goto", "g", target_id="ask", loop_count=1),
    )
    play = Playing(do("fetch_flow", flow_id=ids.new()), do("goto", target_id=START, loop_count=1))
    command = play.begin()
    for reply in ("no", "yes", "no", "yes"):
        if isinstance(command, Load):
            command = play.tell(Loaded("inner", inner))
        assert isinstance(command, Wait), reply
        command = play.tell(Replied(reply, {}))
    assert command == End("completed")
    assert play.sent == ["ask"] * 4


def test_flows_that_follow_have_a_bound() -> None:
    play = Playing(say("one"), on_complete_flow_id="next")
    command, followed = play.begin(), 0
    while isinstance(command, Load):
        assert command == Load("next", is_next=True)
        followed += 1
        command = play.tell(Loaded("next", linked(say("more")), "next"))
    assert command == End("too_deep", "more than 5 flows follow each other")
    assert (followed, play.sent) == (5, ["one", *["more"] * 5])


def test_a_variable_can_take_its_room_and_no_more() -> None:
    double = [do("variable_set", key="x", value="${x}${x}") for _ in range(20)]
    command = Playing(do("variable_set", key="x", value="x" * 100), *double).begin()
    assert isinstance(command, End)
    assert "octets of variables, where 65536 are allowed" in command.detail


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (do("goto", "g", target_id="${nowhere}x"), "goto (g): there is no action 'x' to go on at"),
        (do("variable_set", "v", key="${ours}", value="x"), "variable_set (v): option.key: 'voipbin.x' begins with"),
        (say("${nothing}", "s"), "message_send (s): option.text: a message needs a text"),
        (say("x", "s", destinations=["${bad}"]), "message_send (s): option.destinations[0]: 'abc' is not E.164"),
        (
            do("condition_datetime", "c", condition="==", timezone="${bad}", false_target_id=FINISH),
            "condition_datetime (c): option.timezone: 'abc' is no time zone",
        ),
    ],
)
def test_values_that_do_not_fit_end_it_with_their_place(action: ActionGiven, words: str) -> None:
    command = Playing(action, variables={"bad": "abc", "ours": "voipbin.x"}).begin()
    assert isinstance(command, End)
    assert command.reason == "action_failed"
    assert command.detail.startswith(words)


def test_what_is_not_ours_to_set_stays_refused_however_it_comes() -> None:
    play = Playing(do("wait_reply", variable="${name}"), variables={"name": "voipbin.message.text"})
    command = play.begin()
    assert isinstance(command, End)
    assert "begins with 'voipbin.'" in command.detail


# --- purity -----------------------------------------------------------------------------

TEXT = st.text(alphabet="ab${}", max_size=5)
IDS = st.sampled_from(["a", "b", "c", FINISH, START])
ANY = st.one_of(
    st.builds(lambda text: ("message_send", {"text": f"x{text}"}), TEXT),
    st.builds(lambda key, value: ("variable_set", {"key": key, "value": value}), st.sampled_from("xyz"), TEXT),
    st.builds(lambda to, count: ("goto", {"target_id": to, "loop_count": count}), IDS, st.integers(0, 5)),
    st.builds(lambda to: ("branch", {"variable": "x", "target_ids": {"a": to}, "default_target_id": "b"}), IDS),
    st.builds(lambda ms: ("sleep", {"duration": ms}), st.integers(0, 1000)),
    st.builds(lambda to: ("wait_reply", {"timeout": 5, "timeout_target_id": to}), IDS),
)
EVENTS = st.one_of(
    st.just(Passed("x")),
    st.just(TimeUp()),
    st.builds(Replied, TEXT, st.just({})),
    st.builds(Answered, st.integers(0, 599)),
)


@each(st.lists(ANY, min_size=3, max_size=3), st.lists(EVENTS, max_size=20))
def test_a_step_depends_on_nothing_but_what_goes_in_and_changes_nothing_of_it(
    kinds: list[tuple[str, dict[str, Any]]], events: list[Event]
) -> None:
    """So a state that was stored and read again goes on as if it had not been."""
    listed = [ActionGiven(type=kind, id=id, option=option) for id, (kind, option) in zip("abc", kinds, strict=True)]
    here = run.begun("flow", linked(*listed), number=NUMBER, person=PERSON)
    for event in [Passed(), *events]:
        before = state.write(here)
        stored: State = state.read(before)
        moved, command = run.step(here, event, NOW)
        assert state.write(here) == before
        assert run.step(stored, event, NOW) == (moved, command)
        assert msgspec.json.decode(state.write(moved)) == msgspec.json.decode(
            state.write(state.read(state.write(moved)))
        )
        if isinstance(command, End):
            return
        here = moved
