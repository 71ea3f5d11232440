"""Customers over HTTP: one's own, and, for the operator, all of them."""

from messagehub import shapes
from messagehub.accounts import manners, setup
from messagehub.accounts.customers import ANEW, Customer
from messagehub.api import paging
from messagehub.api.endpoint import PAGING, Call, Endpoint, Page, Who
from messagehub.clock import plain
from messagehub.errors import Refusal
from messagehub.people import replies
from messagehub.web import BadURL, check_url, leads_inside
from messagehub.webhooks.sign import new_secret


async def own(call: Call) -> shapes.Customer:
    return _owned(await call.services.customers.get(call.services.store, call.customer_id))


async def change_own(call: Call) -> shapes.Customer:
    services = call.services
    changes = call.given
    if uri := changes.get("webhook_uri"):
        check_webhook_uri(uri, services.webhook_allow_private)
    if "webhook_uri" in changes:
        changes |= ANEW
    if changes.get("webhook_method") == "":
        changes["webhook_method"] = "POST"
    replies.check(changes.get("opt_out_replies", {}))
    _check_hours(changes.get("quiet_hours", shapes.QuietHours()))
    for name in ("webhook_events", "webhook_statuses"):
        if name in changes:
            changes[name] = tuple(dict.fromkeys(changes[name]))
    return _owned(await services.customers.change(call.customer_id, call.now, **changes))


async def rotate_secret(call: Call) -> shapes.Customer:
    return _owned(await call.services.customers.rotate(call.customer_id, new_secret(), call.now))


async def create(call: Call) -> shapes.Customer:
    body: shapes.CustomerGiven = call.body
    given = {"name": body.name, "detail": body.detail, "email": body.email, "webhook_secret": new_secret()}
    services = call.services
    account = await setup.customer(services.store, services.sealer, given, body.username, body.password, call.now)
    shape = _shape(account.customer)
    shape.accesskey = account.accesskey
    return shape


async def page(call: Call) -> Page[shapes.Customer]:
    return await paging.newest_first(call, call.services.customers.page, _shape)


async def one(call: Call) -> shapes.Customer:
    return _shape(await call.services.customers.living(call.id))


async def change(call: Call) -> shapes.Customer:
    """All that can be refused is refused before anything is changed."""
    services, changes = call.services, call.given
    password = changes.pop("password", None)
    await services.customers.living(call.id)
    if password is not None:
        await services.logins.reset_password(call.id, password, call.now)
    return _shape(await services.customers.change(call.id, call.now, **changes))


async def delete(call: Call) -> shapes.Customer:
    return _shape(await call.services.departure.of(call.id, call.now))


def check_webhook_uri(uri: str, allow_private: bool) -> None:
    try:
        check_url(uri)
    except BadURL as error:
        raise Refusal("INVALID_WEBHOOK_URI", f"webhook_uri: {error}") from None
    if leads_inside(uri) and not allow_private:
        raise Refusal(
            "INVALID_WEBHOOK_URI",
            "webhook_uri: private, loopback and link-local addresses are refused here; "
            "the operator can allow them with MESSAGEHUB_WEBHOOK_ALLOW_PRIVATE",
        )


def _check_hours(hours: shapes.QuietHours) -> None:
    if bool(hours.from_) != bool(hours.to):
        raise Refusal("INVALID_ARGUMENT", "quiet_hours: give both from and to, or neither for those of the country")
    if hours.from_ and hours.from_ == hours.to:
        raise Refusal("INVALID_ARGUMENT", "quiet_hours.to: the same as from; for no quiet hours give enabled: false")


def _shape(customer: Customer) -> shapes.Customer:
    return shapes.Customer(
        id=customer.id,
        name=customer.name,
        detail=customer.detail,
        email=customer.email,
        phone_number=customer.phone_number,
        address=customer.address,
        webhook_method=customer.webhook_method,
        webhook_uri=customer.webhook_uri,
        webhook_events=list(customer.webhook_events),
        webhook_statuses=list(customer.webhook_statuses),
        tm_webhook_secret_old=plain(customer.tm_webhook_secret_old),
        webhook_status=customer.webhook_status,
        webhook_error=customer.webhook_error,
        tm_webhook_failing=plain(customer.tm_webhook_failing),
        tm_webhook_recovered=plain(customer.tm_webhook_recovered),
        webhook_disabled=customer.webhook_disabled,
        on_doubt="hold" if customer.on_doubt == "hold" else "resend",
        trace="all" if customer.trace == "all" else "default",
        smart_encoding=customer.smart_encoding,
        **{name: getattr(customer.manners, name) for name in manners.NAMES},
        tm_create=plain(customer.tm_create),
        tm_update=plain(customer.tm_update),
        tm_delete=plain(customer.tm_delete),
    )


def _owned(customer: Customer) -> shapes.Customer:
    shape = _shape(customer)
    shape.webhook_secret = customer.webhook_secret
    return shape


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")

ENDPOINTS = [
    Endpoint(method="GET", path="/customer", summary="Get your own customer", gives=shapes.Customer, handler=own),
    Endpoint(
        method="PUT", path="/customer", summary="Change your own customer; what is left out stays",
        takes=shapes.CustomerChange, gives=shapes.Customer, reasons=("INVALID_WEBHOOK_URI", "INVALID_REPLY"),
        example={"webhook_uri": "https://example.com/hooks", "webhook_method": "POST"}, handler=change_own,
    ),
    Endpoint(
        method="POST", path="/customer/webhook_secret",
        summary="Get a new secret for webhooks; the one before signs for a day as well",
        gives=shapes.Customer, handler=rotate_secret,
    ),
    Endpoint(
        method="POST", path="/customers", summary="Make a customer; its access key is shown this once",
        who=Who.OPERATOR, takes=shapes.CustomerGiven, gives=shapes.Customer, reasons=("ALREADY_EXISTS",),
        example={"name": "Flower shop", "username": "flowers", "password": "a long one, please"}, handler=create,
    ),
    Endpoint(
        method="GET", path="/customers", summary="List customers, newest first", who=Who.OPERATOR,
        gives=Page[shapes.Customer], parameters=PAGING, reasons=("INVALID_REQUEST_PARAMETER",), handler=page,
    ),
    Endpoint(
        method="GET", path="/customers/{id}", summary="Get a customer", who=Who.OPERATOR, gives=shapes.Customer,
        reasons=ID, handler=one,
    ),
    Endpoint(
        method="PUT", path="/customers/{id}", summary="Change a customer, or the password of its login",
        who=Who.OPERATOR, takes=shapes.CustomerChangeByOperator, gives=shapes.Customer,
        reasons=(*ID, "STATE_INVALID"), handler=change,
    ),
    Endpoint(
        method="DELETE", path="/customers/{id}",
        summary="Delete a customer, its keys and its login; its numbers are free, what it has queued is canceled",
        who=Who.OPERATOR, gives=shapes.Customer, reasons=(*ID, "STATE_INVALID"), handler=delete,
    ),
]  # fmt: skip
