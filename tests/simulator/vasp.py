"""Somebody who sends MMS over MM7, and notes what comes back."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messagehub.carriers.simulator import Options, Ports
from messagehub.carriers.simulator.listener import Listener
from messagehub.mms import DEFAULT_NAMESPACE, PDU, Address, Content, Medium, answer, compose, read, write
from tests.media.samples import SAMPLES
from tests.simulator.esme import QUICK, simulator

PICTURE = Medium("image/jpeg", SAMPLES["jpeg"], "image1.jpg")
HELLO = Content("Hello", (PICTURE,))


class Vasp:
    """It answers requests with `answers`, StatusCodes or HTTP statuses, and then with 1000."""

    def __init__(self, ports: Ports, answers: Sequence[int] = ()) -> None:
        self.heard: list[tuple[float, PDU]] = []
        self.logins: list[str] = []
        self.answers = list(answers)
        self.happened = asyncio.Event()
        self.ports, self.port = ports, 0
        self.client = httpx.AsyncClient(timeout=10)
        self.listener = Listener([Route("/mm7", self._asked, methods=["POST"])], "127.0.0.1", 0)

    async def submit(
        self, *to: str, content: Content = HELLO, namespace: str = DEFAULT_NAMESPACE, **fields: Any
    ) -> PDU:
        """What is answered to a submit that asks for reports."""
        return read_of(await self.post(*write(request(*to, content=content, namespace=namespace, **fields))))

    async def post(self, content_type: str, body: bytes, **headers: str) -> httpx.Response:
        given = {"content-type": content_type, "soapaction": '""', **headers}
        return await self.client.post(f"http://127.0.0.1:{self.ports.mm7}/mms", headers=given, content=body)

    async def tell(self, path: str, **body: Any) -> httpx.Response:
        return await self.client.post(f"http://127.0.0.1:{self.ports.http}{path}", json=body)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"http://127.0.0.1:{self.ports.http}{path}")

    async def come(self, count: int = 1, within: float = 5) -> list[PDU]:
        """Wait for so many requests; all of them."""
        async with asyncio.timeout(within):
            while len(self.heard) < count:
                self.happened.clear()
                await self.happened.wait()
        return [pdu for _, pdu in self.heard]

    async def _asked(self, request: Request) -> Response:
        pdu = read(request.headers["content-type"], await request.body())
        self.heard.append((time.monotonic(), pdu))
        self.logins.append(request.headers.get("authorization", ""))
        self.happened.set()
        code = self.answers.pop(0) if self.answers else 1000
        if code < 1000:
            return Response(status_code=code)
        content_type, body = write(answer(pdu, code, ""))
        return Response(body, headers={"content-type": content_type})


def request(*to: str, content: Content = HELLO, namespace: str = DEFAULT_NAMESPACE, **fields: Any) -> PDU:
    given = {
        "SenderIdentification": {"VASPID": "us", "VASID": "demo", "SenderAddress": Address("Number", "+15551234567")},
        "Recipients": {"To": [Address("Number", number) for number in to]},
        "ExpiryDate": timedelta(hours=1),
        "DeliveryReport": True,
        "Subject": "Hi",
        **fields,
    }
    return PDU("SubmitReq", "t-1", given, compose(content), namespace)


def read_of(response: httpx.Response) -> PDU:
    return read(response.headers["content-type"], response.content)


@asynccontextmanager
async def vasp(options: Options = QUICK, answers: Sequence[int] = (), *, is_known: bool = True) -> AsyncIterator[Vasp]:
    async with simulator(options) as ports:
        opened = Vasp(ports, answers)
        opened.port = port = await opened.listener.open()
        if is_known:
            told = await opened.tell("/vasp", url=f"http://127.0.0.1:{port}/mm7", username="mmsc", password="pst")
            assert told.status_code == 200, told.text
        try:
            yield opened
        finally:
            await opened.client.aclose()
            await opened.listener.close()
