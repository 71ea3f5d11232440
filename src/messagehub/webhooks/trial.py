"""A test of an endpoint, asked for by its customer: one event, sent at once and once."""

import asyncio
import time

import msgspec

from messagehub import clock, ids, shapes
from messagehub.accounts.customers import Customer
from messagehub.clock import iso
from messagehub.errors import Refusal, Unavailable
from messagehub.events import WEBHOOK_TEST
from messagehub.store import Store, Tx
from messagehub.web import Closed, Requester, WebError
from messagehub.webhooks.attempt import attempt, error_of
from messagehub.webhooks.conclude import Result

PAUSE_S = 1.0
"""Between two tests of one customer: nobody is to knock at others' doors by way of us."""

TEXT = "This is a test of your webhook."


class Trial:
    """It looks at the endpoint and changes nothing: not the breaker, and not what is disabled."""

    def __init__(self, store: Store, client: Requester) -> None:
        self._store, self._client = store, client
        self._barred: set[str] = set()

    async def run(self, customer: Customer) -> shapes.WebhookTest:
        """Refusal where there is no webhook, or one test follows another too soon."""
        if not customer.webhook_uri:
            raise Refusal("STATE_INVALID", "webhook_uri: there is none to test; set it by PUT /customer first")
        if customer.id in self._barred:
            raise Refusal("RATE_LIMIT_EXCEEDED", "one test at a time, and one in a second")
        self._barred.add(customer.id)
        try:
            return await self._run(customer)
        finally:
            asyncio.get_running_loop().call_later(PAUSE_S, self._barred.discard, customer.id)

    async def _run(self, customer: Customer) -> shapes.WebhookTest:
        webhook_id, now = ids.new_with_time()
        data = shapes.TrialData(webhook_id, customer.id, TEXT, iso(now))
        body = msgspec.json.encode(shapes.TrialEvent(WEBHOOK_TEST, data))
        begun = time.monotonic()
        response_status, error = await self._ask(customer, webhook_id, body, now)
        milliseconds = round((time.monotonic() - begun) * 1000)
        status = "failed" if error else "delivered"
        result = Result(customer.id, webhook_id, status, 1, None, response_status, error, clock.now())
        await self._keep(result, body, now)
        return shapes.WebhookTest(
            delivered=not error,
            webhook_id=webhook_id,
            response_status=response_status,
            error=error,
            milliseconds=milliseconds,
        )

    async def _ask(self, customer: Customer, webhook_id: str, body: bytes, now: int) -> tuple[int, str]:
        """The status of the answer, 0 where there was none; and how it failed."""
        try:
            answer = await attempt(self._client, customer, webhook_id, body, now)
        except Closed:
            raise Unavailable("the server is ending") from None
        except WebError as error:
            return 0, error.code
        return answer.status, error_of(answer)

    async def _keep(self, result: Result, body: bytes, tm_create: int) -> None:
        async def unit(tx: Tx) -> None:
            row = {name: getattr(result, name) for name in ("customer_id", "id", "status", "attempts", "now")}
            answer = {"response_status": result.response_status, "error": result.error}
            await tx.run("insert_trial", **row, **answer, type=WEBHOOK_TEST, tm_create=tm_create)
            await tx.run("insert_event_body", id=result.id, message_id="", body=body)
            if result.error:
                await tx.many("insert_event_attempt", [result])

        await self._store.transaction(unit)
