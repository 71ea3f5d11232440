"""Aggregators as their pages describe them: small real HTTP servers that take messages, call back, and sign what they
say. They are written by the pages, and know nothing of our code."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Taken:
    """A message that an aggregator took: what it was asked, and the media that it fetched for it."""

    name: str
    asked: Json
    media: list[tuple[str, bytes]]


class Aggregator:
    """`replies` are for the next requests, instead of taking what they ask; `courses`: what becomes of messages, by
    the last four digits of their destination."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.replies: deque[Reply] = deque()
        self.courses: dict[str, list[tuple[str, str]]] = {}
        self.usual = [("sent", ""), ("delivered", "")]
        self.called: list[tuple[str, int]] = []
        """Each callback with its answer."""
        self.media: dict[str, tuple[str, bytes]] = {}
        self.fetched: list[str] = []
        self.losing = 0
        """How many of the next answers are lost on their way."""
        self.gone = False
        """Nothing is kept any more of what came in."""
        self._names = count(1)
        self._later = ThreadPoolExecutor(4)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._later.shutdown(cancel_futures=True)
        self._thread.join(10)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        aggregator = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(aggregator.serve(self.path, self._headers()))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                reply = aggregator.take(self.path, self._headers(), body)
                if aggregator.losing:
                    aggregator.losing -= 1
                    self.close_connection = True
                else:
                    self._answer(reply)

            def _headers(self) -> dict[str, str]:
                return {name.lower(): value for name, value in self.headers.items()}

            def _answer(self, reply: Reply) -> None:
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {**reply.headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        return Handler

    # --- what each does in its own way --------------------------------------------------

    def config(self) -> Json:
        """Of a carrier that leads here."""
        raise NotImplementedError

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        raise NotImplementedError

    def tell(self, url: str, name: str, to: str, status: str, code: str) -> int:
        """Calls back with a status, and gives the answer's."""
        raise NotImplementedError

    def write(self, url: str, source: str, to: str, text: str, media: Any = (), name: str = "") -> int:
        """Calls with a message that came in; its `media` are types and octets. Gives the status of the answer."""
        raise NotImplementedError

    def refusal(self, status: int, code: int, **headers: str) -> Reply:
        """What it answers when it does not take a message."""
        raise NotImplementedError

    # --- what they have in common -------------------------------------------------------

    def serve(self, path: str, headers: Mapping[str, str]) -> Reply:
        """Media, where they really are: with an address that says it all, so that nobody else's word is taken."""
        if self.gone:
            return Reply(404)
        kind, octets = self.media[path.rpartition("/")[2]]
        if "authorization" in headers:
            return Reply(400, b"two ways to say who you are")
        self.fetched.append(path)
        return Reply(200, octets, {"Content-Type": kind})

    def _keep(self, kind: str, octets: bytes) -> str:
        name = f"ME{next(self._names)}"
        self.media[name] = (kind, octets)
        return name

    def _took(self, asked: Json, name: str, urls: list[str], callback: str, to: str) -> None:
        self.taken.append(Taken(name, asked, [_fetch(url) for url in urls]))
        if callback:
            self._later.submit(self._follow, callback, name, to)

    def _follow(self, callback: str, name: str, to: str) -> None:
        time.sleep(0.05)  # the answer has gone out by then, mostly
        for status, code in self.courses.get(to[-4:], self.usual):
            self.called.append((status, self.tell(callback, name, to, status, code)))


def _fetch(url: str) -> tuple[str, bytes]:
    answer = httpx.get(url)
    assert answer.status_code == 200, answer.text
    return answer.headers["content-type"], answer.content


class Twilio(Aggregator):
    account, token = "AC00000000000000000000000000000001", "a-token-of-tests"

    def config(self) -> Json:
        own = {"account_sid": self.account, "auth_token": self.token, "base_url": self.url}
        return {**own, "media_hosts": ["localhost"]}  # to where it redirects

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if path != f"/2010-04-01/Accounts/{self.account}/Messages.json":
            return self.refusal(404, 20404)
        if not self._knows(headers):
            return self.refusal(401, 20003)
        if self.replies:
            return self.replies.popleft()
        pairs = parse_qsl(body.decode(), strict_parsing=True)
        asked: Json = dict(pairs) | {"MediaUrl": [value for name, value in pairs if name == "MediaUrl"]}
        if not asked.get("Body") and not asked["MediaUrl"]:
            return self.refusal(400, 21619)
        name = f"{'MM' if asked['MediaUrl'] else 'SM'}{next(self._names):032d}"
        self._took(asked, name, asked["MediaUrl"], asked.get("StatusCallback", ""), asked["To"])
        made = {"sid": name, "status": "queued", "num_segments": "3", "error_code": None, "error_message": None}
        return Reply(201, made, {"Content-Type": "application/json"})

    def _knows(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"Basic {_basic(self.account, self.token)}"

    def refusal(self, status: int, code: int, **headers: str) -> Reply:
        said = {"code": code, "message": "words of Twilio's", "more_info": "https://…", "status": status}
        return Reply(status, said, {name.replace("_", "-"): value for name, value in headers.items()})

    def serve(self, path: str, headers: Mapping[str, str]) -> Reply:
        """Media have an address of the API, for those it knows, which leads to where they are."""
        if path.startswith("/2010-04-01/"):
            if not self._knows(headers):
                return self.refusal(401, 20003)
            cdn = self.url.replace("127.0.0.1", "localhost")  # which is somebody else to who asks
            return Reply(307, b"", {"Location": f"{cdn}/{path.rpartition('/')[2]}?Signature=s"})
        return super().serve(path.partition("?")[0], headers)

    def tell(self, url: str, name: str, to: str, status: str, code: str) -> int:
        form = {"MessageSid": name, "MessageStatus": status, "To": to, "AccountSid": self.account}
        return self.call(url, form | ({"ErrorCode": code} if code else {}))

    def write(self, url: str, source: str, to: str, text: str, media: Any = (), name: str = "") -> int:
        name = name or f"SM{next(self._names):032d}"
        form = {"MessageSid": name, "From": source, "To": to, "Body": text, "NumMedia": str(len(media))}
        for at, (kind, octets) in enumerate(media):
            own = f"{self.url}/2010-04-01/Accounts/{self.account}/Messages/{name}/Media/{self._keep(kind, octets)}"
            form |= {f"MediaUrl{at}": own, f"MediaContentType{at}": kind}
        return self.call(url, form | {"SmsStatus": "received"})

    def call(self, url: str, form: Mapping[str, str], token: str = "") -> int:
        told = url + "".join(name + form[name] for name in sorted(form))
        digest = hmac.new((token or self.token).encode(), told.encode(), hashlib.sha1).digest()
        headers = {
            "X-Twilio-Signature": base64.b64encode(digest).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return httpx.post(url, content=urlencode(form), headers=headers, timeout=20).status_code

    def forge(self, url: str, name: str, to: str) -> int:
        return self.call(url, {"MessageSid": name, "MessageStatus": "delivered", "To": to}, token="another")


class Telnyx(Aggregator):
    key = "KEY_of_tests"

    def __init__(self) -> None:
        super().__init__()
        self._private_key = Ed25519PrivateKey.generate()
        self._known: dict[str, tuple[bytes, Reply]] = {}

    def config(self) -> Json:
        public_key = base64.b64encode(self._private_key.public_key().public_bytes_raw()).decode()
        own = {"api_key": self.key, "public_key": public_key}
        return {**own, "base_url": f"{self.url}/v2", "media_hosts": ["127.0.0.1"]}

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if path != "/v2/messages":
            return self.refusal(404, 10005)
        if headers.get("authorization") != f"Bearer {self.key}":
            return self.refusal(401, 10009)
        key = headers.get("idempotency-key", "")
        assert re.fullmatch(r"[A-Za-z0-9_:-]{1,255}", key), key
        if key in self._known:
            known, reply = self._known[key]
            return reply if known == body else self.refusal(422, 10015)
        if self.replies:
            return self.replies.popleft()
        asked: Json = json.loads(body)
        if not asked.get("text") and not asked.get("media_urls"):
            return self.refusal(400, 40316)
        name = f"40385f64-5717-4562-b3fc-{next(self._names):012x}"
        self._took(asked, name, asked.get("media_urls", []), asked.get("webhook_url", ""), asked["to"])
        to = [{"phone_number": asked["to"], "status": "queued"}]
        reply = Reply(200, {"data": {"id": name, "record_type": "message", "parts": 3, "to": to, "errors": []}})
        self._known[key] = (body, reply)
        return reply

    def refusal(self, status: int, code: int, **headers: str) -> Reply:
        errors = [{"code": str(code), "title": "A title", "detail": "words of Telnyx's"}]
        return Reply(status, {"errors": errors}, {name.replace("_", "-"): value for name, value in headers.items()})

    def tell(self, url: str, name: str, to: str, status: str, code: str) -> int:
        errors = [{"code": code, "title": "A title"}] if code else []
        payload = {"id": name, "type": "SMS", "to": [{"phone_number": to, "status": status}], "errors": errors}
        return self.call(url, "message.sent" if status == "sent" else "message.finalized", payload)

    def write(self, url: str, source: str, to: str, text: str, media: Any = (), name: str = "") -> int:
        name = name or f"7ee4241c-f127-47e5-9c34-{next(self._names):012x}"
        kept = [{"url": f"{self.url}/m/{self._keep(kind, data)}", "content_type": kind} for kind, data in media]
        people = {"from": {"phone_number": source}, "to": [{"phone_number": to, "status": "webhook_delivered"}]}
        payload = {"id": name, "type": "MMS" if media else "SMS", "text": text, "media": kept, **people}
        return self.call(url, "message.received", payload)

    def call(self, url: str, kind: str, payload: Json, key: Ed25519PrivateKey | None = None) -> int:
        event = {"id": f"e{next(self._names)}", "record_type": "event", "event_type": kind, "payload": payload}
        body, seconds = json.dumps({"data": event, "meta": {"attempt": 1}}).encode(), str(int(time.time()))
        signature = base64.b64encode((key or self._private_key).sign(f"{seconds}|".encode() + body)).decode()
        headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": seconds}
        return httpx.post(url, content=body, headers=headers, timeout=20).status_code

    def forge(self, url: str, name: str, to: str) -> int:
        payload = {"id": name, "type": "SMS", "to": [{"phone_number": to, "status": "delivered"}]}
        return self.call(url, "message.finalized", payload, Ed25519PrivateKey.generate())


class Bandwidth(Aggregator):
    account, user, password = "5500001", "api-user", "a-secret-of-tests"
    application, callback_user, callback_password = "app-1", "bw", "callback-secret"

    def config(self) -> Json:
        return {
            "account_id": self.account,
            "username": self.user,
            "password": self.password,
            "application_id": self.application,
            "callback_username": self.callback_user,
            "callback_password": self.callback_password,
            "base_url": f"{self.url}/api/v2",
        }

    callback_url = ""
    """Of the application, for all its messages."""

    def _knows(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"Basic {_basic(self.user, self.password)}"

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if path != f"/api/v2/users/{self.account}/messages":
            return self.refusal(404, 0)
        if not self._knows(headers):
            return Reply(401, {"type": "unauthorized", "description": "Authentication Failed"})
        if self.replies:
            return self.replies.popleft()
        asked: Json = json.loads(body)
        assert asked["applicationId"] == self.application
        name = f"bw{next(self._names):026d}"
        (to,) = asked["to"]
        self._took(asked | {"to": to}, name, asked.get("media", []), self.callback_url, to)
        return Reply(202, {"id": name, "segmentCount": 3, "direction": "out", "to": [to], "from": asked["from"]})

    def refusal(self, status: int, code: int, **headers: str) -> Reply:
        """Of a number of ours, of the recipient's, or of something else: it has no codes here."""
        said: Json = {"type": str(code), "description": "words of Bandwidth's"}
        if field := {1: "from", 2: "to"}.get(code):
            said["fieldErrors"] = [{"fieldName": field, "description": "words of Bandwidth's"}]
        return Reply(status, said, {name.replace("_", "-"): value for name, value in headers.items()})

    def serve(self, path: str, headers: Mapping[str, str]) -> Reply:
        if not self._knows(headers):
            return Reply(401, {"type": "unauthorized", "description": "Authentication Failed"})
        if self.gone:
            return Reply(404)
        kind, octets = self.media[path.split("/")[-2]]
        self.fetched.append(path)
        return Reply(200, octets, {"Content-Type": kind})

    def tell(self, url: str, name: str, to: str, status: str, code: str) -> int:
        message = {"id": name, "direction": "out", "to": [to]}
        said = {"type": f"message-{status}", "to": to, "description": "words", "message": message}
        return self.call(url, said | ({"errorCode": int(code)} if code else {}))

    def write(self, url: str, source: str, to: str, text: str, media: Any = (), name: str = "") -> int:
        own = f"{self.url}/api/v2/users/{self.account}/media"
        urls = [f"{own}/{self._keep(kind, octets)}/x" for kind, octets in media]
        people = {"from": source, "to": [to], "owner": to, "direction": "in"}
        message = {"id": name or f"in{next(self._names)}", "text": text, "media": urls, **people}
        return self.call(url, {"type": "message-received", "to": to, "message": message})

    def call(self, url: str, event: Json, password: str = "") -> int:
        basic = _basic(self.callback_user, password or self.callback_password)
        return httpx.post(url, json=[event], headers={"Authorization": f"Basic {basic}"}, timeout=20).status_code

    def forge(self, url: str, name: str, to: str) -> int:
        event = {"type": "message-delivered", "to": to, "message": {"id": name}}
        return self.call(url, event, "another password")


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


KINDS: dict[str, type[Twilio | Telnyx | Bandwidth]] = {"twilio": Twilio, "telnyx": Telnyx, "bandwidth": Bandwidth}


@contextmanager
def aggregator(kind: str) -> Iterator[Twilio | Telnyx | Bandwidth]:
    opened = KINDS[kind]()
    opened.open()
    try:
        yield opened
    finally:
        opened.close()
