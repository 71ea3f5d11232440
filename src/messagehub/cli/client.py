"""The servers that commands speak to: one request after the other, JSON in and JSON out.

HubError
├── NoAnswer    the server cannot be reached, or what it says is not what such a server says
└── Refused     the API refused, and said why
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote, urlencode

from messagehub.errors import HubError

if TYPE_CHECKING:
    from messagehub.web import Answer

TIMEOUT_S = 30.0
LARGEST_ANSWER = 64 * 1024 * 1024
"""A page of 100 messages with 100 targets each has some 3 MB."""
LARGEST_PAGE = 100
BASE = "/v1.0"

Json = dict[str, Any]


class Body(NamedTuple):
    """What is sent as it is, and its Content-Type."""

    kind: str
    octets: bytes


class NoAnswer(HubError):
    """The server cannot be reached, or what it says is not what such a server says."""


class Refused(HubError):
    """The API refused. `reason` is the word for programs."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Server:
    """Anything that answers in JSON. `name` is what errors call it, `hint` what they say to do."""

    def __init__(self, name: str, address: str, headers: dict[str, str] | None = None, hint: str = "") -> None:
        import asyncio

        from messagehub.web import Client

        self._name, self._address, self._hint = name, address, f"; {hint}" if hint else ""
        self._headers = headers or {}
        self._runner = asyncio.Runner()
        self._client = Client(allow_private=True, timeout=TIMEOUT_S, max_response=LARGEST_ANSWER)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()

    def ask(self, method: str, path: str, body: object = None) -> tuple["Answer", Any]:
        """The answer, and the value of its body. NoAnswer where there is none, or none in JSON."""
        answer = self.answer(method, path, body)
        return answer, self.value(answer)

    def answer(self, method: str, path: str, body: object = None) -> "Answer":
        """The answer, whatever it is. NoAnswer where there is none. What is no Body is sent as JSON."""
        from messagehub.web import WebError

        headers, sent = self._headers, Body("", b"")
        if body is not None:
            sent = body if isinstance(body, Body) else Body("application/json", _encoded(body))
            headers = headers | {"Content-Type": sent.kind}
        try:
            return self._runner.run(self._client.request(method, f"{self._address}{path}", headers, sent.octets))
        except WebError as error:
            raise NoAnswer(f"the {self._name} at {self._address} does not answer: {error}{self._hint}") from None

    def value(self, answer: "Answer") -> Any:
        """Of its body, which must be JSON."""
        import msgspec

        try:
            return msgspec.json.decode(answer.body)
        except ValueError:
            raise self.stranger(answer) from None

    def stranger(self, answer: "Answer") -> NoAnswer:
        """For an answer that no such server gives."""
        said = f"it answered {answer.status}, and no JSON that can be understood"
        return NoAnswer(f"{self._address} is no {self._name}: {said}{self._hint}")


def _encoded(body: object) -> bytes:
    import msgspec

    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # a shell passes on octets that are no text
        raise HubError("what was given is no UTF-8") from None


class Api:
    """The API of a messagehub. A path is given by its parts: `api.get("messages", message_id)`."""

    def __init__(self, address: str, key: str) -> None:
        if not (key.isascii() and key.isprintable()):
            raise HubError("the access key holds characters that no access key has")
        hint = "give another address with --url or MESSAGEHUB_URL"
        self._server = Server("messagehub", base(address), {"Authorization": f"Bearer {key}"}, hint)

    def close(self) -> None:
        self._server.close()

    def get(self, /, *path: str, **query: object) -> Json:
        return self._call("GET", path, None, query)

    def post(self, *path: str, body: Json) -> Json:
        return self._call("POST", path, body)

    def post_csv(self, *path: str, body: bytes, **query: object) -> Json:
        return self._call("POST", path, Body("text/csv", body), query)

    def post_file(self, *path: str, file: Path) -> Json:
        return self._call("POST", path, _form(file))

    def put(self, *path: str, body: Json) -> Json:
        return self._call("PUT", path, body)

    def delete(self, *path: str) -> Json:
        return self._call("DELETE", path)

    def octets(self, *path: str, **query: object) -> bytes:
        """An answer that is no JSON."""
        answer = self._server.answer("GET", _target(path, query))
        if answer.status == 200:
            return answer.body
        raise self._error(answer, self._server.value(answer))

    def pages(self, /, *path: str, size: int = LARGEST_PAGE, **query: object) -> Iterator[Json]:
        """Each page of a list, as far as they are asked for."""
        token = ""
        while True:
            page = self.get(*path, page_size=size, page_token=token, **query)
            if not page.keys() >= {"result", "next_page_token"}:
                raise NoAnswer(f"what came for the list of {path[-1]} is no page of a list")
            yield page
            if not (token := page["next_page_token"]):
                return

    def rows(self, /, *path: str, limit: int | None, **query: object) -> tuple[list[Json], bool]:
        """The first `limit` rows of a list, or all; and whether there are more."""
        rows: list[Json] = []
        more = False
        for page in self.pages(*path, size=min(limit or LARGEST_PAGE, LARGEST_PAGE), **query):
            rows += page["result"]
            more = bool(page["next_page_token"])
            if limit and len(rows) >= limit:
                more = more or len(rows) > limit
                break
        return rows[:limit], more

    def _call(self, method: str, path: tuple[str, ...], body: object = None, query: Json | None = None) -> Json:
        answer, value = self._server.ask(method, _target(path, query or {}), body)
        if answer.status == 200 and isinstance(value, dict):
            return value
        raise self._error(answer, value)

    def _error(self, answer: "Answer", value: Any) -> HubError:
        try:
            return _refused(value["error"], answer.headers.get("retry-after", ""))
        except (KeyError, TypeError):
            return self._server.stranger(answer)


def _form(file: Path) -> Body:
    """A form with this file (RFC 7578). What it is the server sees by its content."""
    from messagehub.media.names import safe_name

    try:
        octets = file.read_bytes()
    except OSError as error:
        raise HubError(f"{file}: {error.strerror}") from None
    boundary = secrets.token_hex(16)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{safe_name(str(file))}"\r\n\r\n'
    body = b"".join((head.encode(), octets, f"\r\n--{boundary}--\r\n".encode()))
    return Body(f"multipart/form-data; boundary={boundary}", body)


def _target(path: tuple[str, ...], query: Json) -> str:
    try:
        asked = {name: value for name, value in query.items() if value not in ("", None)}
        return "".join(f"/{quote(part, safe='')}" for part in path) + (f"?{urlencode(asked)}" if asked else "")
    except UnicodeEncodeError:
        raise HubError("what was given is no UTF-8") from None


def _refused(error: Json, retry_after: str) -> Refused:
    again = f"; try again in {retry_after} s" if retry_after else ""
    words = f"{error['message']} ({error['reason']}, request {error['request_id']}){again}"
    return Refused(words, error["reason"])


def base(address: str) -> str:
    """The base path's address of a server that was given with it or without."""
    if "?" in address or "@" in address:  # it could hold a key, and errors show the address
        raise HubError("the server's address is http://HOST:PORT, without ? and @")
    return address.rstrip("/").removesuffix(BASE) + BASE
