"""What countries ask of senders, over HTTP: everybody may read it, the operator may overrule it."""

from messagehub import shapes
from messagehub.api import paging
from messagehub.api.endpoint import CUSTOMER, PAGING, Call, Endpoint, Page, Who
from messagehub.senders.rules import Rule


async def page(call: Call) -> Page[shapes.SenderRule]:
    """By the countries' codes."""
    rules = await call.services.sender_rules.all(call.owner or "")

    async def read(first: int, count: int) -> list[shapes.SenderRule]:
        return [_shape(rule) for rule in rules[first : first + count]]

    return await paging.by_number(call, read)


async def change(call: Call) -> shapes.SenderRule:
    given: shapes.SenderRuleGiven = call.body
    customer_id = (await call.services.customers.living(given.customer_id)).id if given.customer_id else ""
    return _shape(await call.services.sender_rules.set(given.country, customer_id, given.alphanumeric))


def _shape(rule: Rule) -> shapes.SenderRule:
    return shapes.SenderRule(
        country=rule.country.code,
        name=rule.country.name,
        prefixes=[f"+{prefix}" for prefix in rule.country.prefixes],
        alphanumeric=rule.country.alphanumeric,  # type: ignore[arg-type]  # a test reads the table
        best=rule.country.best,  # type: ignore[arg-type]
        is_overruled=rule.is_overruled,
    )


ENDPOINTS = [
    Endpoint(
        method="GET", path="/sender_rules", summary="List what countries ask of senders, by their codes",
        gives=Page[shapes.SenderRule], parameters=(*PAGING, CUSTOMER), reasons=("INVALID_REQUEST_PARAMETER",),
        handler=page,
    ),
    Endpoint(
        method="PUT", path="/sender_rules", summary="Say what a country asks of senders, for all or for a customer",
        who=Who.OPERATOR, takes=shapes.SenderRuleGiven, gives=shapes.SenderRule, reasons=("RESOURCE_NOT_FOUND",),
        example={"country": "GB", "alphanumeric": "registered"}, handler=change,
    ),
]  # fmt: skip
