"""The dialects of all kinds of carriers that are spoken to over HTTP, by the types of the configs in kinds.py."""

from collections.abc import Callable, Mapping
from typing import Any

from messagehub.carriers.bandwidth import Bandwidth
from messagehub.carriers.dialect import Dialect
from messagehub.carriers.http import HTTPDialect
from messagehub.carriers.mm7 import MM7
from messagehub.carriers.telnyx import Telnyx
from messagehub.carriers.twilio import Twilio

DIALECTS: Mapping[str, Callable[[Any, str], Dialect]] = {
    "bandwidth": Bandwidth,
    "http": HTTPDialect,
    "mm7": MM7,
    "telnyx": Telnyx,
    "twilio": Twilio,
}
