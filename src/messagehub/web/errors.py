"""Why a request has no answer.

WebError
├── BadRequest        bad_request      a method or header that cannot be written safely
│   └── BadURL        bad_url          a URL that we do not accept; LongURL: since it is too long
├── Forbidden         private_address  the URL leads to an address that is not public
├── Busy              busy             all connections stayed in use by others, or all lookups: not the origin's fault
├── TimedOut          timeout          the time was up before the whole answer had come
├── Unreachable       unreachable      no way there; or, where that is known, `dns`: the name has no address,
│   │                                  `refused`: nobody listens, `tls`: no TLS, or a certificate that does not hold
│   └── Dropped       dropped          closed before the whole answer had come; `unheard`: before any octet of it
├── BadAnswer         bad_answer       what came is not HTTP, or is compressed though nobody asked for that
├── NotOK             not_ok           of what is fetched: its server answers with another status than 200
│   └── NotFound      not_found        404 or 410: it is not there
├── TooLarge          too_large        of what is fetched: it has more octets than are taken
├── BadRedirect       bad_redirect     of what is fetched: led on to nowhere or no URL, too often, or from https to http
└── Closed            closed           this client has been closed
"""


class WebError(Exception):
    """A request has no answer. `code` is the word for it in records, and does not change."""

    code = "web_error"
    left = False
    """Octets of the request may have reached the server, so it may have done what was asked."""


class BadRequest(WebError):
    code = "bad_request"


class BadURL(BadRequest):
    code = "bad_url"


class LongURL(BadURL):
    """Its code is that of any other."""


class Forbidden(WebError):
    code = "private_address"


class Busy(WebError):
    code = "busy"


class TimedOut(WebError):
    code = "timeout"


class Unreachable(WebError):
    def __init__(self, message: str, code: str = "unreachable") -> None:
        super().__init__(message)
        self.code = code


class Dropped(Unreachable):
    def __init__(self, message: str, *, unheard: bool) -> None:
        super().__init__(message, "dropped")
        self.unheard = unheard


class BadAnswer(WebError):
    code = "bad_answer"


class NotOK(WebError):
    """`status`: the one that it answered with."""

    code = "not_ok"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotFound(NotOK):
    code = "not_found"


class TooLarge(WebError):
    code = "too_large"


class BadRedirect(WebError):
    code = "bad_redirect"


class Closed(WebError):
    code = "closed"


_OWN_CODES = {kind.code: kind for kind in (BadRequest, BadURL, Forbidden, Busy, TimedOut, BadAnswer, Closed)}


def failure(code: str, words: str) -> WebError:
    """The failure that had this code and these words in another process."""
    kind = _OWN_CODES.get(code)
    return kind(words) if kind else Unreachable(words, code)
