"""Customers, access keys, logins."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from messagehub.shapes.members import (
    Detail,
    EventType,
    Name,
    NoticeKind,
    OnDoubt,
    OptOutScope,
    ProbableOptOuts,
    Request,
    Tracing,
    WebhookStatus,
)

USERNAME = r"^[A-Za-z0-9._%+@-]+$(?!\n)"
"""Nothing that looks like something else, or like nothing."""

EMAIL = r"^([^@\s]{1,64}@[^@\s]{1,253})?$(?!\n)"
Username = Annotated[str, Meta(min_length=1, max_length=255, pattern=USERNAME)]

Password = Annotated[str, Meta(min_length=8, max_length=1024)]
Email = Annotated[str, Meta(max_length=254, pattern=EMAIL)]


class LoginGiven(Request):
    username: Annotated[str, Meta(max_length=255)]
    password: Annotated[str, Meta(max_length=1024)]


class Token(Struct):
    username: str
    token: str


class PasswordChange(Request):
    password: Annotated[str, Meta(max_length=1024)]
    """The one that the login has."""
    new_password: Password


class Me(Struct, kw_only=True):
    """The access key or the login that asks."""

    type: Literal["accesskey", "login"]
    id: str
    customer_id: str
    role: Literal["operator", "customer"]
    username: str
    """Of a login."""
    name: str
    """Of the access key; of a login its customer's."""
    detail: str
    token_prefix: str
    """Of an access key."""
    tm_expire: str
    """When the access key, or the token that asks, is good no more."""
    tm_last_use: str
    tm_create: str
    tm_update: str


class AccessKeyGiven(Request):
    name: Name = ""
    detail: Detail = ""
    expire: Annotated[int, Meta(ge=86_400, le=315_360_000)] = 31_536_000
    """Seconds from now: a day to ten years."""
    customer_id: str = ""
    """Whose it is to be; for the operator."""


class AccessKeyChange(Request):
    name: Name | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    expire: Annotated[int, Meta(ge=86_400, le=315_360_000)] | UnsetType = UNSET


class AccessKey(Struct, kw_only=True):
    id: str
    customer_id: str
    name: str
    detail: str
    token_prefix: str
    token: str | UnsetType = UNSET
    """The key itself; only in the answer to the POST that made it."""
    tm_expire: str
    tm_last_use: str
    """To the minute."""
    tm_create: str
    tm_update: str
    tm_delete: str


class CustomerGiven(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)]
    username: Username
    password: Password
    detail: Detail = ""
    email: Email = ""


class CustomerChangeByOperator(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    """For the customer's login; its tokens end."""
    trace: Tracing | UnsetType = UNSET
    smart_encoding: bool | UnsetType = UNSET


CLOCK_TIME = r"^(([01][0-9]|2[0-3]):[0-5][0-9])?$(?!\n)"
ClockTime = Annotated[str, Meta(pattern=CLOCK_TIME)]
Replies = dict[
    NoticeKind, dict[Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)")], Annotated[str, Meta(max_length=320)]]
]
"""By what they answer and by language; `{brand}` and `{contact}` stand for the customer's name, and where help is."""


class QuietHours(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """When nobody is written to for marketing, by the clock of whoever is."""

    enabled: bool = True
    from_: ClockTime = ""
    """Empty, as `to`: as is usual in the country of the number."""
    to: ClockTime = ""


class CustomerChange(Request):
    name: Annotated[str, Meta(min_length=1, max_length=255)] | UnsetType = UNSET
    detail: Detail | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    phone_number: Name | UnsetType = UNSET
    address: Name | UnsetType = UNSET
    webhook_uri: Annotated[str, Meta(max_length=2000)] | UnsetType = UNSET
    webhook_method: Literal["POST", "PUT", ""] | UnsetType = UNSET
    webhook_events: list[EventType] | UnsetType = UNSET
    webhook_statuses: list[Literal["queued", "sent", "delivered", "failed", "gw_timeout", "dlr_timeout"]] | UnsetType = UNSET  # fmt: skip # noqa: E501
    on_doubt: OnDoubt | UnsetType = UNSET
    trace: Tracing | UnsetType = UNSET
    smart_encoding: bool | UnsetType = UNSET
    """For messages that do not say."""
    opt_out_scope: OptOutScope | UnsetType = UNSET
    probable_opt_outs: ProbableOptOuts | UnsetType = UNSET
    opt_out_replies: Replies | UnsetType = UNSET
    """All of them: what is not among them is answered in our words."""
    require_consent: bool | UnsetType = UNSET
    quiet_hours: QuietHours | UnsetType = UNSET


class Customer(Struct, kw_only=True):
    id: str
    name: str
    detail: str
    email: str
    phone_number: str
    address: str
    webhook_method: str
    webhook_uri: str
    webhook_events: list[str]
    webhook_statuses: list[str]
    webhook_secret: str | UnsetType = UNSET
    """Only in the answer to its owner."""
    tm_webhook_secret_old: str
    """Until when the secret before this one signs as well."""
    webhook_status: WebhookStatus
    webhook_error: str
    """How the webhook failed last."""
    tm_webhook_failing: str
    """Since when the webhook fails."""
    tm_webhook_recovered: str
    """When it last worked again after it had failed."""
    webhook_disabled: str
    """Why nothing is sent to the webhook any more; empty while it works. A PUT of `webhook_uri` starts it again."""
    on_doubt: OnDoubt
    trace: Tracing
    smart_encoding: bool
    """Typographic characters of its messages that would cost more segments are replaced."""
    opt_out_scope: OptOutScope
    """What a STOP in answer to a number ends: all messages, those of the number's group, or those of the number."""
    probable_opt_outs: ProbableOptOuts
    """Whether a sentence that is probably an opt-out ends messages at once, or is only listed."""
    opt_out_replies: Replies
    require_consent: bool
    """What is of the class marketing goes only to those who have agreed."""
    quiet_hours: QuietHours
    accesskey: str | UnsetType = UNSET
    """Only in the answer to the POST that made the customer."""
    tm_create: str
    tm_update: str
    tm_delete: str
