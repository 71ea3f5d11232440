"""Paths with placeholders, and what is found at them."""

from typing import Any

import pytest

from messagehub.api.paths import Paths

KNOWN = (
    "/",
    "/messages",
    "/messages/{id}",
    "/messages/{id}/targets",
    "/messages/segments",
    "/{whose}/segments/{n}",
    "/callbacks/{id}",
    "/callbacks/{id}/{rest:path}",
)
APPLICATIONS: dict[str, Any] = {path: path for path in KNOWN}


@pytest.mark.parametrize(
    ("path", "found", "given"),
    [
        ("/", "/", {}),
        ("/messages", "/messages", {}),
        ("/messages/1", "/messages/{id}", {"id": "1"}),
        ("/messages/segments", "/messages/segments", {}),
        ("/messages/a b/targets", "/messages/{id}/targets", {"id": "a b"}),
        ("/messages/segments/2", "/{whose}/segments/{n}", {"whose": "messages", "n": "2"}),
        ("/messages/segments/targets", "/messages/{id}/targets", {"id": "segments"}),
        ("/callbacks/c", "/callbacks/{id}", {"id": "c"}),
        ("/callbacks/c/", "/callbacks/{id}/{rest:path}", {"id": "c", "rest": ""}),
        ("/callbacks/c/a//b/", "/callbacks/{id}/{rest:path}", {"id": "c", "rest": "a//b/"}),
        ("/messages/{id}", "/messages/{id}", {"id": "{id}"}),
    ],
)
def test_what_stands_at_a_path(path: str, found: str, given: dict[str, str]) -> None:
    application: Any
    application, segments = Paths(APPLICATIONS).find(path)
    assert (application, segments) == (found, given)


@pytest.mark.parametrize(
    "path", ["", "messages", "/messages/", "/messages/1/", "/messages/1/other", "/callbacks//x", "//"]
)
def test_what_does_not(path: str) -> None:
    assert Paths(APPLICATIONS).find(path) == (None, {})
