"""messagehub send"""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from messagehub.cli import messages, showing, times
from messagehub.cli.exits import Exit, WrongUsage
from messagehub.cli.media import given_as
from messagehub.cli.session import Session, Smart, customer, given
from messagehub.errors import HubError

if TYPE_CHECKING:
    from messagehub.cli.client import Api

WAITING = ("sending", "sent")
"""Statuses of a message of which more will be heard."""
CLASSES = ("otp", "transactional", "marketing")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0


def _class(text: str) -> str | int:
    """A traffic class, or the number of a class on the handset."""
    if text not in (*CLASSES, "0", "1", "2", "3"):
        raise typer.BadParameter(f"{text!r} is none of {', '.join(CLASSES)}, and no number from 0 to 3")
    return int(text) if text.isdigit() else text


Media = Annotated[
    list[str] | None,
    typer.Option(
        "--media", metavar="FILE|URL", help="What goes with it as an MMS: a file or an address; may be repeated."
    ),
]


@customer
def send(
    session: Session,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What it says; - reads it from standard input.")],
    destinations: Annotated[list[str], typer.Option("--to", help="Who gets it; may be repeated.")],
    source: Annotated[
        str, typer.Option("--from", help="A number of yours; may be left out if you have only one.")
    ] = "",
    media: Media = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Its subject, as an MMS.")] = None,
    fallback: Annotated[
        Literal["link"] | None,
        typer.Option("--fallback", help="link: who cannot get the media gets an SMS with a link to them."),
    ] = None,
    on_doubt: Annotated[
        Literal["resend", "hold"] | None,
        typer.Option("--on-doubt", help="What to do if a carrier may have got it or not."),
    ] = None,
    smart_encoding: Smart = None,
    class_: Annotated[
        str | None,
        typer.Option("--class", parser=_class, metavar="CLASS", help="otp, transactional or marketing; or as below."),
    ] = None,
    message_class: Annotated[
        int | None,
        typer.Option("--message-class", min=0, max=3, help="On the handset; 0 is flash, shown and not kept."),
    ] = None,
    priority: Annotated[
        Literal["normal", "high"] | None, typer.Option("--priority", help="high goes first in its class.")
    ] = None,
    schedule_at: Annotated[str | None, times.ahead("--schedule-at", help="When it is to go")] = None,
    spread_over: Annotated[
        int | None, times.length("--spread-over", help="Spread the recipients over this time")
    ] = None,
    validity: Annotated[
        int | None, times.length("--validity", help="Give up what could not be sent within this time")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is delivered or has failed.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0, help="How many seconds to wait.")] = 120,
) -> None:
    """Send a message. It is accepted when this ends; with --wait it is delivered.

    Example: messagehub send --from +15551234567 --to +15559876543 --wait "Hello"
    """
    said = given(text=_read() if text == "-" else text, destinations=destinations, on_doubt=on_doubt)
    said["source"] = source or _only_number(session.api)  # before anything is uploaded
    said |= given(smart_encoding=smart_encoding, message_class=message_class, priority=priority, **{"class": class_})
    said |= given(schedule_at=schedule_at, spread_over=spread_over, validity=validity)
    said |= given(subject=subject, fallback=fallback, medias=given_as(session.api, media) if media else None)
    message = session.api.post("messages", body=said)
    code = Exit.DONE
    if wait:
        try:
            with showing.progress("accepted") as say:
                message = _settled(session.api, message, timeout, say)
        except KeyboardInterrupt:  # else it would be sent again
            typer.echo(f"it was accepted; `messagehub messages show {message['id']}` says what became of it", err=True)
            raise
        code = _code(message)
    messages.show_one(session, message)
    raise typer.Exit(code)


def _read() -> str:
    """Standard input without the end of its last line."""
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise HubError("standard input is no UTF-8") from None


def _only_number(api: "Api") -> str:
    numbers, more = api.rows("numbers", limit=10)
    if not numbers:
        raise HubError("you have no number to send from; the operator gives one with `messagehub number create`")
    if len(numbers) > 1:
        which = ", ".join(number["number"] for number in numbers) + (", …" if more else "")
        raise WrongUsage(f"say with --from which of your numbers it is from: {which}")
    return str(numbers[0]["number"])


def _settled(api: "Api", message: dict[str, Any], timeout: float, say: Callable[[str], None]) -> dict[str, Any]:
    """The message once nothing more is expected of it, or when the time is up."""
    end, pause = time.monotonic() + timeout, FIRST_PAUSE_S
    while message["status"] in WAITING and (left := end - time.monotonic()) > 0:
        say(f"waiting: {messages.tally(message)}")
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE_S)
        message = api.get("messages", message["id"])
    return message


def _code(message: dict[str, Any]) -> Exit:
    if message["status"] in WAITING:
        return Exit.STILL_WAITING
    return Exit.DONE if message["status"] == "delivered" else Exit.NOT_DELIVERED
