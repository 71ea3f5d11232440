"""A flow that is played without a server: a simulated person writes, time is simulated, nobody else is asked. Pure."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from messagehub import ids
from messagehub.clock import SECOND, plain
from messagehub.errors import Refusal
from messagehub.flows import actions, inbound, run, variables
from messagehub.flows.actions import Action
from messagehub.flows.options import target_of
from messagehub.flows.state import (
    Answered,
    Ask,
    Block,
    End,
    Event,
    Load,
    Loaded,
    Passed,
    Pause,
    Replied,
    Send,
    SendIn,
    State,
    Tell,
    TimeUp,
    Wait,
)
from messagehub.media import KINDS
from messagehub.messages import options
from messagehub.messages.options import Media, Options
from messagehub.messages.rows import MessageRow
from messagehub.people import phrases
from messagehub.people import words as people
from messagehub.shapes import FlowGiven, words

GOOD = 200
"""The status of every answer in a play."""


class Seen(Struct, frozen=True):
    """Something that happens in a play: `what` is a word of SEEN."""

    what: str
    words: str
    who: str = ""


SEEN = ("said", "note", "sent", "time", "request", "waits", "end")
"""What the person says; what is to be known of that; what is sent; what time goes by; who would be asked; what is
waited for; the end."""

NOTES = {"opt_out": "it ends messages", "help": "it asks for help"}


class Ended(Exception):
    """Nobody says anything more."""


class Play(Struct):
    linked: dict[str, Action]
    number: str
    person: str
    now: int
    own: Mapping[str, str] = field(default_factory=dict)
    on_complete_flow_id: str = ids.UNSET
    state: State = field(default_factory=State)

    def answer(self, text: str, reply: Callable[[], str], medias: Sequence[str] = ()) -> Iterator[Seen]:
        """What happens when the person writes this, with media at these URLs.

        `reply` gives what it answers; Ended where that is nothing.
        """
        yield Seen("said", _shown(text, medias), self.person)
        yield from _notes(text, self.person)
        if _always_ends(text):
            return
        self._begin(inbound.variables_of(self._message(text, medias)), number=self.number, person=self.person)
        yield from self._go_on(reply)

    def start(self, reply: Callable[[], str]) -> Iterator[Seen]:
        """What happens when it is started by the API."""
        self._begin({})
        yield from self._go_on(reply)

    def _begin(self, more: dict[str, str], **where: Any) -> None:
        known = {**self.own, **more}
        followed = {"on_complete_flow_id": self.on_complete_flow_id}
        self.state = run.begun("", self.linked, variables=known, **followed, **where)

    def _go_on(self, reply: Callable[[], str]) -> Iterator[Seen]:
        event: Event = Passed()
        while True:
            self.state, command = run.step(self.state, event, self.now)
            if isinstance(command, End):
                yield Seen("end", f"{command.reason}: {command.detail}" if command.detail else command.reason)
                return
            if isinstance(command, Wait):
                yield Seen("waits", f"for a reply until {plain(command.until)[:19]}")
                event = yield from self._replied(command, reply)
            else:
                event, seen = SIMULATED[type(command)](self, command)
                yield seen

    def _replied(self, wait: Wait, reply: Callable[[], str]) -> Generator[Seen, None, Event]:
        while True:
            try:
                text = reply()
            except Ended:
                self.now = max(self.now, wait.until)
                yield Seen("time", f"nobody replied; it is {plain(self.now)[:19]}")
                return TimeUp()
            yield Seen("said", text, self.person)
            yield from _notes(text, self.person)
            if not _always_ends(text):
                return Replied(text, inbound.variables_of(self._message(text)))

    def _message(self, text: str, medias: Sequence[str] = ()) -> MessageRow:
        self.now += SECOND
        asked = Options(mms=True, medias=tuple(Media(url, _type(url)) for url in medias)) if medias else options.NONE
        return MessageRow(
            id=ids.new(), customer_id=ids.UNSET, direction="inbound", source=self.state.person or self.person,
            destination=self.state.number or self.number, text=text, options=options.write(asked),
            target_count=1, tm_create=self.now,
        )  # fmt: skip


def _shown(text: str, medias: Iterable[str], subject: str = "") -> str:
    enclosed = [f'"{subject}"'] * bool(subject) + [f"[{url}]" for url in medias]
    return " ".join(filter(None, (text, *enclosed)))


def _of(send: Send | SendIn) -> str:
    return _shown(send.text, (media.url for media in send.medias), send.subject)


def _type(url: str) -> str:
    """As the end of its path has it."""
    extension = urlsplit(url).path.rpartition(".")[2].lower()
    return next((kind.type for kind in KINDS.values() if kind.extension == extension), "")


def _notes(text: str, person: str) -> Iterator[Seen]:
    """What no flow would hear."""
    if said := people.read(text, person):
        unless = "" if _always_ends(text) else f", unless {said.word} is switched off for the number"
        if why := NOTES.get(said.kind):
            yield Seen("note", f"{why}, and comes to no flow{unless}")
    elif phrases.read(text):
        yield Seen(
            "note", "it probably ends messages, and comes to no flow, unless its customer reviews such sentences"
        )


def _always_ends(text: str) -> bool:
    """It is the word that nobody can switch off."""
    said = people.read(text)
    return said is not None and said.word in people.NEVER_IGNORED


def _send(play: Play, send: Send) -> tuple[Event, Seen]:
    if not play.state.person and len(send.destinations) == 1:
        play.state.number, play.state.person = target_of(send.source), target_of(send.destinations[0])
    to = ", ".join(map(target_of, send.destinations))
    return Passed("sent"), Seen("sent", _of(send), to)


def _send_in(play: Play, send: SendIn) -> tuple[Event, Seen]:
    return Passed("sent"), Seen("sent", _of(send), f"conversation {send.conversation_id}")


def _tell(play: Play, tell: Tell) -> tuple[Event, Seen]:
    return Passed("sent"), Seen("request", f"{tell.method} {tell.url} {tell.body}".rstrip())


def _ask(play: Play, ask: Ask) -> tuple[Event, Seen]:
    _, seen = _tell(play, ask)
    if ask.wants_actions:
        return Passed("not asked"), Seen("request", f"{seen.words}: taken for an answer without actions")
    return Answered(GOOD), seen


def _load(play: Play, load: Load) -> tuple[Event, Seen]:
    seen = Seen("request", f"flow {load.flow_id}: it is not in this file, and is taken for an empty one")
    return (Loaded(load.flow_id, {}) if load.is_next else Passed("not here")), seen


def _pause(play: Play, pause: Pause) -> tuple[Event, Seen]:
    play.now = max(play.now, pause.until)
    return TimeUp(), Seen("time", f"it is {plain(play.now)[:19]}")


def _block(play: Play, block: Block) -> tuple[Event, Seen]:
    return Passed("continued"), Seen("time", "it blocks, and is continued")


SIMULATED: dict[type, Callable[[Play, Any], tuple[Event, Seen]]] = {
    Send: _send,
    SendIn: _send_in,
    Tell: _tell,
    Ask: _ask,
    Load: _load,
    Pause: _pause,
    Block: _block,
}


def read(text: str) -> FlowGiven:
    """A flow as `POST /flows` takes it, its list of actions, or one action alone. Refusal names what is wrong."""
    try:
        given = msgspec.json.decode(text)
        if isinstance(given, dict) and "type" in given and "actions" not in given:
            given = [given]
        if isinstance(given, list):
            given = {"actions": given}
        return msgspec.convert(given, FlowGiven)
    except msgspec.ValidationError as error:
        raise Refusal("INVALID_ARGUMENT", words(str(error), kind=FlowGiven)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refusal("INVALID_JSON_BODY", f"it is no JSON: {error}") from None


def of(given: FlowGiven, number: str, person: str, now: int, own: Mapping[str, str]) -> Play:
    """Refusal names the action and the member that is wrong."""
    variables.check(own)
    linked = actions.linked(actions.checked(given.actions))
    return Play(linked, number, person, now, own, given.on_complete_flow_id.lower() or ids.UNSET)
