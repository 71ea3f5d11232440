"""messagehub media"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from messagehub.cli.session import SHOWN, All, Limit, Session, Yes, customer, group
from messagehub.cli.showing import Columns, moment

if TYPE_CHECKING:
    from messagehub.cli.client import Api

app = group("Media: pictures, sounds, films and documents that are uploaded, to be sent with messages.")

Id = Annotated[str, typer.Argument(help="Its id, from `media list`.")]
COLUMNS: Columns = {
    "id": "id",
    "created": moment("tm_create"),
    "type": "type",
    "size": "size",
    "name": "name",
}


@app.command("upload")
@customer
def upload(session: Session, files: Annotated[list[Path], typer.Argument(help="What is uploaded.")]) -> None:
    """Upload files: JPEG, PNG, GIF, MP4, 3GP, MP3, WAV, PDF or vCard.

    Example: messagehub media upload cat.jpg
    """
    for file in files:
        session.show(session.api.post_file("media", file=file))


@app.command("list")
@customer
def list_all(session: Session, limit: Limit = SHOWN, all_: All = False) -> None:
    """List uploads, newest first.

    Example: messagehub media list
    """
    session.list(COLUMNS, None if all_ else limit, "media")


@app.command("show")
@customer
def show(session: Session, id: Id) -> None:
    """Show an upload, with an address by which it can be fetched for some days.

    Example: messagehub media show 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.api.get("media", id))


@app.command("delete")
@customer
def delete(session: Session, id: Id, yes: Yes = False) -> None:
    """Forget an upload. Messages that have it keep it.

    Example: messagehub media delete 01a1fbb3-7b7c-726d-8ab2-899bdcffd8af
    """
    session.show(session.remove("Forget the upload", yes, "media", id, name=_name))


def _name(thing: dict[str, Any]) -> str:
    return str(thing["name"] or thing["id"])


def given_as(api: "Api", places: list[str]) -> list[dict[str, str]]:
    """The `medias` of a message: addresses as they are, and files once they are uploaded."""
    medias = []
    for place in places:
        if place.startswith(("http://", "https://")):
            medias.append({"url": place})
        else:
            made = api.post_file("media", file=Path(place))
            medias.append({"type": made["type"], "url": made["url"]})
    return medias
