"""The dialects of all kinds of carriers that are spoken to over HTTP, by the types of the configs in kinds.py."""

from collections.abc import Callable, Mapping
from typing import Any

from messagehub.carriers.dialect import Dialect
from messagehub.carriers.http import HTTPDialect
from messagehub.carriers.mm7 import MM7

DIALECTS: Mapping[str, Callable[[Any, str], Dialect]] = {"http": HTTPDialect, "mm7": MM7}
