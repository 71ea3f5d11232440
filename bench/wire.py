"""As much of HTTP/1.1 as our two ends need of a peer that is our own: where a message ends, and what goes over."""

import re

HEAD_END = b"\r\n\r\n"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def end_of(data: bytes, start: int) -> int:
    """Where the message ends that begins at `start`; 0 while some of it has not come."""
    head = data.find(HEAD_END, start)
    if head < 0:
        return 0
    length = _LENGTH.search(data, start, head)
    end = head + len(HEAD_END) + (int(length[1]) if length else 0)
    return end if end <= len(data) else 0


def post(host: str, accesskey: str, source: str, first: int) -> str:
    """POST /messages, with a %d where the number stands as the recipient, and another where it is the text."""
    before = f'{{"source":"{source}","destinations":[{{"target":"+'
    between, after = '"}],"text":"', '"}'
    length = len(before + between + after) + 2 * len(str(first))
    head = (
        f"POST /v1.0/messages HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {accesskey}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    return "%d".join(text.replace("%", "%%") for text in (head + before, between, after))
