"""How carriers write the id of a message: each submit has one number, and its id is that number in some writing.

SMPP 3.4 (5.2.23) takes any string of up to 64 characters. What real carriers make of it, and how the receipt then
differs from the response, is in `messagehub.smpp.receipt_ids`.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from hashlib import shake_128
from typing import Literal
from uuid import UUID

Form = Literal[
    "usual",
    "decimal",
    "hex",
    "upper",
    "hex_prefixed",
    "zeros",
    "hex_zeros",
    "uuid",
    "spaces",
    "garbage",
    "endless",
    "empty",
]

_FORMS: Mapping[Form, Callable[[int], str]] = {
    "decimal": str,
    "hex": "{:x}".format,
    "upper": "{:X}".format,
    "hex_prefixed": "0x{:x}".format,
    "zeros": "{:020d}".format,
    "hex_zeros": "{:020x}".format,
    "uuid": lambda number: str(UUID(int=(0x5AC0 << 112) | number)),
    "spaces": "{:x}   ".format,
    "garbage": "{:x}\x01\xff~".format,
    "endless": lambda number: shake_128(b"%d" % number).hexdigest(2000),  # nothing that a store could make shorter
    "empty": lambda number: "",
}


class Ids:
    """No two simulators ever give the same id, and neither does one that was started again."""

    def __init__(self) -> None:
        begun = time.time_ns() // 1_000_000
        self._prefix = f"{begun:011x}{secrets.token_hex(2)}"
        self._first = begun << 8

    def write(self, n: int, form: Form) -> str:
        """The id of submit `n`, counted from 1."""
        return f"{self._prefix}{n:x}" if form == "usual" else _FORMS[form](self._first + n)
