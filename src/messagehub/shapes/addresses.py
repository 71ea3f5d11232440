"""Addresses."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from messagehub.shapes.members import E164, Detail, Name, Request, Tel


class AddressGiven(Request):
    """An address as a caller may write it; a plain string stands for `{"type": "tel", "target": …}`."""

    target: str
    type: Tel = "tel"
    target_name: Name = ""
    name: Name = ""
    detail: Detail = ""


Variables = Annotated[
    dict[
        Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}\Z")],
        Annotated[str, Meta(max_length=1000)]
        | Annotated[int, Meta(ge=-(10**18), le=10**18)]
        | Annotated[float, Meta(ge=-1e18, le=1e18)],
    ],
    Meta(max_length=50),
]


class DestinationGiven(AddressGiven):
    target: E164
    variables: Variables | UnsetType = UNSET
    """What stands for `{{name}}` in the text of this recipient."""


class SourceGiven(AddressGiven):
    type: Annotated[str, Meta(extra_json_schema={"enum": ["tel", "pool"]})] = "tel"
    """Of a pool, `target` is its name or its id."""


class Address(Struct):
    type: str
    target: str
    target_name: str = ""
    name: str = ""
    detail: str = ""
