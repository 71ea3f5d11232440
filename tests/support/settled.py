"""What became of many messages: whether each has come to an end."""

import time
from collections.abc import Collection

from tests.support.api import WAITING, Api, Json

FEW = 200
"""So many are asked for one by one; for more the list is read."""


def settled(api: Api, ids: Collection[str], within: float, every: float = 0.5) -> dict[str, Json]:
    """Those of the messages that are final, by id: all of them, or as many as are after `within` seconds."""
    final: dict[str, Json] = {}
    end = time.monotonic() + within
    while True:
        pending = set(ids) - final.keys()
        messages = map(api.message, pending) if len(pending) <= FEW else api.every("/messages")
        final.update({one["id"]: one for one in messages if one["id"] in pending and one["status"] not in WAITING})
        if len(final) == len(ids) or time.monotonic() > end:
            return final
        time.sleep(every)
