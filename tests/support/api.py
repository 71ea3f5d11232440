"""A caller of the HTTP API, as a customer's program would be one."""

from collections.abc import Callable
from typing import Any

import httpx

from tests.support.waiting import PATIENCE_S, until

Json = dict[str, Any]

WAITING = ("sending", "sent")
"""Statuses of a message of which more will be heard."""


class Api:
    """`key` is an access key; without one the caller is nobody."""

    def __init__(self, address: str, key: str = "", on_answer: Callable[[httpx.Response], None] | None = None) -> None:
        self.key = key
        self.http = httpx.Client(
            base_url=f"{address}/v1.0",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=30,
            event_hooks={"response": [on_answer] if on_answer else []},
        )

    def close(self) -> None:
        self.http.close()

    def call(self, method: str, path: str, body: object = None, /, **query: Any) -> httpx.Response:
        return self.http.request(method, path, json=body, params=query)

    def get(self, path: str, /, **query: Any) -> Json:
        return good(self.call("GET", path, **query))

    def post(self, path: str, body: object = None) -> Json:
        return good(self.call("POST", path, body))

    def put(self, path: str, body: object) -> Json:
        return good(self.call("PUT", path, body))

    def delete(self, path: str) -> Json:
        return good(self.call("DELETE", path))

    def pages(self, path: str, /, **query: Any) -> list[list[Json]]:
        """Every page of a list, in order."""
        pages: list[list[Json]] = []
        token = ""
        while not pages or token:
            page = self.get(path, **query, **({"page_token": token} if token else {}))
            pages.append(page["result"])
            token = page["next_page_token"]
        return pages

    def every(self, path: str, /, **query: Any) -> list[Json]:
        return [row for page in self.pages(path, **query) for row in page]

    # --- messages -----------------------------------------------------------------------

    def send(self, source: str, to: str | list[str], text: str = "Hello", **more: Any) -> Json:
        destinations = [to] if isinstance(to, str) else to
        return self.post("/messages", {"source": source, "destinations": destinations, "text": text, **more})

    def message(self, message_id: str) -> Json:
        return self.get(f"/messages/{message_id}")

    def settled(self, message_id: str, within: float = PATIENCE_S) -> Json:
        """The message, once nothing more is expected of it."""
        return self.when(message_id, lambda message: message["status"] not in WAITING, within)

    def when(self, message_id: str, is_so: Callable[[Json], object], within: float = PATIENCE_S) -> Json:
        seen: list[Json] = []

        def ask() -> Json | None:
            seen[:] = [self.message(message_id)]
            return seen[0] if is_so(seen[0]) else None

        try:
            return until(ask, "the message", within) or seen[0]
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen}") from None


def good(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, f"{answer.request.method} {answer.request.url}: {answer.text[:500]}"
    body: Json = answer.json()
    return body


def refusal(answer: httpx.Response, status: int, reason: str, *words: str) -> Json:
    """The error of a refused request, which must be in the form of the contract and hold `words`."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"error"}
    error: Json = answer.json()["error"]
    assert error.keys() == {"status", "reason", "message", "request_id", "details"}
    assert error["reason"] == reason, error
    assert error["request_id"] == answer.headers["x-request-id"]
    for word in words:
        assert word in error["message"]
    return error
