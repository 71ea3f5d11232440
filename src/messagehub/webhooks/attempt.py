"""One request to a customer's endpoint, and the words for how it ended."""

from collections.abc import Awaitable

from messagehub.accounts.customers import Customer
from messagehub.clock import SECOND
from messagehub.web import Answer, Requester
from messagehub.webhooks.sign import signatures

GONE = 410

ERRORS = {
    "status": "it answered with another status than 2xx; a redirect is not followed",
    "gone": "it answered 410: nothing more is sent to it, and what waited is dropped",
    "disabled": "there was no webhook, or a disabled one, when its time had come; nothing was sent",
    "timeout": "the whole answer had not come in time",
    "refused": "nobody listens there",
    "unreachable": "there is no way to its address",
    "dns": "its name has no address",
    "tls": "it speaks no TLS, or its certificate does not hold",
    "dropped": "it closed the connection before the whole answer had come",
    "bad_answer": "what it answered is not HTTP, or its head is too long",
    "private_address": "it leads to an address that is not public",
    "bad_url": "its address is no http or https URL that can be asked",
    "bad_request": "the request cannot be written safely",
    "busy": "too many requests to its host are under way",
}
"""Every `error` of a delivery, and what it means."""


def attempt(client: Requester, customer: Customer, webhook_id: str, body: bytes, now: int) -> Awaitable[Answer]:
    """Asks the customer's endpoint once. `now` in microseconds. Raises a WebError where there is no answer."""
    headers = signatures(customer.webhook_secrets(now), webhook_id, now // SECOND, body)
    headers["Content-Type"] = "application/json"
    headers["User-Agent"] = "messagehub"
    return client.request(customer.webhook_method or "POST", customer.webhook_uri, headers, body)


def error_of(answer: Answer) -> str:
    """The word for an answer; empty for a good one."""
    if 200 <= answer.status < 300:
        return ""
    return "gone" if answer.status == GONE else "status"


def words(error: str, response_status: int) -> str:
    """An error for people to read."""
    return f"status: it answered {response_status}" if error == "status" else f"{error}: {ERRORS[error]}"
