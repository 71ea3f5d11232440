"""Messages as they come and change, found by asking again and again.

A look reads the newest pages until one brings nothing new: ids grow with time, but what is committed at the same
moment may show in another order. Those that are not on these pages and can still change are asked for one by one,
some at each look, so that a look costs a bounded number of requests however many there are.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from messagehub.cli.client import Api, Json, Refused

SETTLED = ("delivered", "received")
"""Statuses of a message that never change again."""
REMEMBERED = 10_000
VISITS = 25
"""Messages that are asked for one by one at each look."""


class Follower:
    """`since` is the time from which on messages are told of; without it those that come from now on are."""

    def __init__(self, api: Api, since: str | None, **filters: str | None) -> None:
        self._api = api
        self._query: dict[str, Any] = {**filters, "tm_create_from": since}
        self._seen: dict[str, object] = {}
        self._open: dict[str, None] = {}
        self._floor = ""
        """Up to this id messages are not new, whether they are remembered or not."""
        if not since:
            self._remember_what_is_there()

    def news(self) -> list[Json]:
        """New messages and those with another status than before, the older ones first."""
        listed = list(self._listed())
        others = self._visited({message["id"] for message in listed})
        news = [message for message in (*others, *reversed(listed)) if self._is_news(message)]
        self._forget()
        return news

    def _remember_what_is_there(self) -> None:
        page = next(self._api.pages("messages", **self._query))["result"]
        for message in reversed(page):
            self._is_news(message)
        self._floor = page[0]["id"] if page else ""

    def _listed(self) -> Iterator[Json]:
        for page in self._api.pages("messages", **self._query):
            yield from page["result"]
            if not any(self._is_new(message["id"]) for message in page["result"]):
                return

    def _visited(self, listed: set[str]) -> Iterator[Json]:
        due = list(islice((each for each in self._open if each not in listed), VISITS))
        for message_id in due:
            del self._open[message_id]
            try:
                message = self._api.get("messages", message_id)
            except Refused as refused:
                if refused.reason != "MESSAGE_NOT_FOUND":  # somebody has deleted it
                    raise
                continue
            self._open[message_id] = None  # the last in the row, until `_is_news` says more
            yield message

    def _is_new(self, message_id: str) -> bool:
        return message_id > self._floor and message_id not in self._seen

    def _is_news(self, message: Json) -> bool:
        """Whether it is new or looks otherwise than before; it is remembered as it looks now."""
        message_id, look = message["id"], _look(message)
        if (message_id not in self._seen and not self._is_new(message_id)) or self._seen.get(message_id) == look:
            return False
        self._seen[message_id] = look
        if message["status"] in SETTLED:
            self._open.pop(message_id, None)
        else:
            self._open[message_id] = None
        return True

    def _forget(self) -> None:
        """Those that were seen first, and what is older than they."""
        for message_id in list(islice(self._seen, max(0, len(self._seen) - REMEMBERED))):
            del self._seen[message_id]
            self._open.pop(message_id, None)
            self._floor = max(self._floor, message_id)


def _look(message: Json) -> Any:
    return message["status"], Counter(target["status"] for target in message["targets"])
