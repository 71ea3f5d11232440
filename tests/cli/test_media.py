"""messagehub media, and messages that are sent with some, against a real server."""

import httpx

from tests.cli.shell import Shell
from tests.media.samples import SAMPLES
from tests.support import numbering
from tests.support.hub import Account


def test_files_are_uploaded_looked_at_and_forgotten(mine: Shell, account: Account) -> None:
    (mine.folder / "a cat.jpg").write_bytes(SAMPLES["jpeg"])
    (mine.folder / "song.mp3").write_bytes(SAMPLES["mp3"])
    mine.run("media", "upload", "a cat.jpg", "song.mp3")
    listed = mine.run("media", "list", "--json").json
    assert [(one["name"], one["type"]) for one in listed] == [("song.mp3", "audio/mpeg"), ("a cat.jpg", "image/jpeg")]
    shown = mine.run("media", "show", listed[1]["id"], "--json").json
    assert httpx.get(shown["url"]).content == SAMPLES["jpeg"]
    assert mine.run("media", "list").rows[1][0] == listed[0]["id"]
    mine.run("media", "delete", listed[0]["id"], "--yes")
    assert [one["id"] for one in account.api.every("/media")] == [listed[1]["id"]]


def test_files_that_cannot_be_uploaded(mine: Shell) -> None:
    mine.run("media", "upload", "missing.jpg").is_refused("missing.jpg")
    (mine.folder / "page.jpg").write_text("<html>")
    mine.run("media", "upload", "page.jpg").is_refused("MEDIA_UNSUPPORTED", "file")


def test_a_message_is_sent_with_files_and_addresses(mine: Shell, account: Account) -> None:
    (mine.folder / "cat.png").write_bytes(SAMPLES["png"])
    far = "https://nowhere.invalid/dog.gif"
    to, given = numbering.somebody(), ("--media", "cat.png", "--media", far, "--subject", "Pets")
    message = mine.run("send", "--to", to, *given, "Look", "--json").json
    assert (message["type"], message["subject"]) == ("mms", "Pets")
    here, there = message["medias"]
    assert there["url"] == far
    assert httpx.get(here["url"]).content == SAMPLES["png"]
    mine.run("send", "--to", to, "--media", "missing.png", "Look").is_refused("missing.png")
