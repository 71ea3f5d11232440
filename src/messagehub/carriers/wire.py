"""What was seen on the wire: the octets of PDUs as they were written and read, for the traces of targets.

A step is a plain tuple, since several are made for each message and most are dropped: its moment in microseconds, one
of the words below, and what belongs to it. Octets are those of the session itself, never encoded again.
"""

from typing import Any

Step = tuple[Any, ...]
Link = tuple[str, int, str, int]
"""Our address and port, and the peer's."""

SUBMIT = "submit"
"""moment, SUBMIT, part from 0, link, octets: a segment left."""
RESPONSE_TO = "response"
"""moment, RESPONSE_TO, part, link, octets: the carrier answered it."""
NO_ANSWER = "no_answer"
"""moment, NO_ANSWER, part: the carrier did not, in time. Without a part where it takes texts in whole."""
PAUSED = "paused"
"""moment, PAUSED, microseconds: nothing leaves for so long, as the carrier throttles."""
AGAIN = "again"
"""moment, AGAIN, parts: segments that were throttled wait to leave again by themselves."""
LOST = "lost"
"""moment, LOST, words: the connection ended before the answer."""
UNSENT = "unsent"
"""moment, UNSENT, words: it was given back before it left."""
QUERY = "query"
"""moment, QUERY, part, link, octets: the carrier was asked what became of a segment."""
QUERY_RESPONSE = "query_response"
"""moment, QUERY_RESPONSE, part, link, octets, state in words: it answered."""

REQUEST = "request"
"""moment, REQUEST, method, url without what is secret, octets of the body: a request left."""
ANSWER = "answer"
"""moment, ANSWER, status, octets of the body, microseconds since the request: it was answered."""

OURS = frozenset({SUBMIT, QUERY})
"""Steps whose PDU we sent."""

Sight = tuple[int, Link, bytes]
"""A PDU of the peer: its moment, where it came by, and its octets."""

NOWHERE: Link = ("", 0, "", 0)
