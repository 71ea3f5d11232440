"""What can go wrong, and the words in which the API says so.

HubError
├── Refusal            a request cannot be done; carries a reason of REASONS
├── SettingError       a setting is unknown or cannot be read
└── StoreError
    ├── Conflict       a row with this key is there already
    ├── Stale          what a unit knew of a row is so no more
    └── Unavailable    the store cannot be reached or cannot write: nothing was changed, as far as can be known
        ├── RolledBack again and again, in favour of others
        ├── Unsettled  it fell silent or failed at the commit: something was changed, or nothing
        └── NoRoom     it is the folder of media that cannot be written
"""

from msgspec import Struct


class HubError(Exception):
    """The root of all errors that the program raises on purpose."""


LONGEST_MESSAGE = 1000
"""Characters: a wrong value of a megabyte is told by its beginning."""


class Refusal(HubError):
    """A request that cannot be done. `message` begins with the name of the field, where there is one."""

    def __init__(
        self, reason: str, message: str, details: tuple[dict[str, object], ...] = (), *, retry_after: int = 1
    ) -> None:
        """`retry_after`: in how many seconds it may be asked again, for those that are for now only."""
        message = message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 1]}…"
        super().__init__(f"{reason}: {message}")
        self.reason, self.message, self.details, self.retry_after = reason, message, details, retry_after


class SettingError(HubError, ValueError):
    """A setting is unknown or cannot be read. The message names it."""


class StoreError(HubError):
    """The store refused."""


class Stale(StoreError):
    """What a unit knew of a row is so no more. It is run again, and should read what it knew."""


class Conflict(StoreError):
    """A row with this key is there already."""


class Unavailable(StoreError):
    """The store cannot be reached or cannot write. Nothing was changed, as far as can be known."""


class RolledBack(Unavailable):
    """Again and again, in favour of others. Nothing was changed."""


class Unsettled(Unavailable):
    """The store fell silent or failed while it was to commit: what was asked for is written, or it is not."""


class NoRoom(Unavailable):
    """The folder of media cannot be written: its disk is full, or gone."""


class Reason(Struct, frozen=True):
    """How the API answers: the HTTP status, the word of its class, what it means to the caller, and what to do."""

    http: int
    status: str
    meaning: str
    remedy: str


REMEDIES = {
    "INVALID_JSON_BODY": "Send one JSON object in UTF-8; `message` says where reading stopped.",
    "INVALID_ARGUMENT": "Correct the member that `message` names; openapi.json has every member with its bounds.",
    "INVALID_REQUEST_PARAMETER": "Correct the parameter that `message` names. A plus in a query is written `%2B`.",
    "INVALID_ID": "Use the `id` of an answer as it stands there.",
    "INVALID_SOURCE": "Take one of `GET /numbers`, written as it stands there.",
    "INVALID_DESTINATION": "Write a plus, the country code and the number, without spaces: `+15559876543`.",
    "DUPLICATE_DESTINATION": "Leave the repetition out that `message` names; everybody gets a message once.",
    "TOO_MANY_DESTINATIONS": "Send several messages.",
    "INVALID_TEXT": "Give a text; leave the character out that `message` names.",
    "TOO_MANY_SEGMENTS": "Shorten it. `POST /messages/segments` shows how it is cut, and what makes it long.",
    "MEDIA_NOT_SUPPORTED": "Send one of the formats that `message` names; put a link to any other into the text.",
    "INVALID_MEDIA": "Give an http or https URL that the server can reach, or the `url` of one of `GET /media`.",
    "INVALID_SCHEDULE": "Give a time that is still to come, with its offset: `2026-01-31T10:30:00Z`.",
    "INVALID_TLV": "Ask the operator for the names and kinds of the TLVs of your carriers.",
    "INVALID_KEYWORD": "Give a keyword a `word` or a `pattern`; ignore only words of docs/keywords.md, and never STOP.",
    "INVALID_ACTION_TYPE": "Use one of the types that `message` names; docs/actions.md says what each does.",
    "MISSING_VARIABLE": "Give it to that destination, or write the text so that it needs none.",
    "INVALID_IDEMPOTENCY_KEY": "Make a UUID for each message, and send the same one with each repetition.",
    "INVALID_REPLY": "Correct what `message` names; `{brand}` and `{contact}` are filled in.",
    "INVALID_SCOPE": "Write `customer`, `group:NAME` or `number:+15551234567`.",
    "INVALID_TIME_ZONE": "Write a name of the IANA database, such as `America/Chicago`.",
    "INVALID_WEBHOOK_URI": "Give an http or https URL that can be reached from the server.",
    "INVALID_CARRIER_CONFIG": "Correct the member that `message` names; openapi.json has them with their bounds.",
    "MALFORMED_REQUEST": "Use an HTTP client; `message` says what could not be read. The connection is closed.",
    "INVALID_LIMIT": "Give segments per second or per day, and what `message` names as it says.",
    "INVALID_NUMBER": "Write E.164, a short code of 3 to 8 digits, or a name of up to 11 plain characters.",
    "AUTHENTICATION_REQUIRED": "Send `Authorization: Bearer` and an access key, or a token of `POST /auth/login`.",
    "INVALID_CREDENTIALS": (
        "Check that the key is whole, and of this server; else ask for a new one. After a token's time, log in again."
    ),
    "PERMISSION_DENIED": "Ask the operator, or use the operator's key.",
    "RESOURCE_NOT_FOUND": "Check the id, and that the key is its owner's.",
    "MESSAGE_NOT_FOUND": "Check the id, and that the key is of the customer that sent or received the message.",
    "PATH_NOT_FOUND": "Check the path; it begins with `/v1.0` and does not end with a slash.",
    "METHOD_NOT_ALLOWED": "Use one of the methods in the header `Allow`.",
    "REQUEST_TIMEOUT": "Send it again, at once and whole. Nothing was accepted.",
    "ALREADY_EXISTS": "Use the one that is there, or choose another name or number.",
    "STATE_INVALID": "Read the resource again; `message` says which state is needed.",
    "BODY_TOO_LARGE": "Send it in several requests.",
    "INVALID_UPLOAD": "Send one part named `file`, as `curl -F file=@cat.jpg` does.",
    "MEDIA_TYPE_MISMATCH": "Give the file the type that its content has, or none.",
    "MEDIA_BROKEN": "Look whether it can be opened; save it anew.",
    "MEDIA_TOO_LARGE": "Make it smaller, or ask the operator for a larger `MESSAGEHUB_MEDIA_MAX`.",
    "MEDIA_UNSUPPORTED": "Send JPEG, PNG, GIF, MP4, 3GP, MP3, WAV, PDF or vCard.",
    "MEDIA_ADDRESS_EXPIRED": "Read the message or the upload again: it has a new address.",
    "NOT_MULTIPART": "Send the body as `multipart/form-data`.",
    "INVALID_RANGE": "Ask for octets that there are, or for the whole.",
    "NOT_CSV": "Send the header `Content-Type: text/csv`.",
    "NOT_JSON": "Send the header `Content-Type: application/json`.",
    "IDEMPOTENCY_KEY_REUSED": "Take a new key for another message; to repeat one, send the same octets again.",
    "RATE_LIMIT_EXCEEDED": "Wait as many seconds as `Retry-After` says; `details` says what was counted.",
    "HEADERS_TOO_LARGE": "Send fewer or shorter headers, and what is long in the body.",
    "INTERNAL": "Try again; if it stays so, tell the operator the `request_id`.",
    "SERVICE_UNAVAILABLE": "Try again after as many seconds as `Retry-After` says.",
}


def _reasons(http: int, status: str, meanings: dict[str, str]) -> dict[str, Reason]:
    return {name: Reason(http, status, meaning, REMEDIES.get(name, "")) for name, meaning in meanings.items()}


REASONS: dict[str, Reason] = {
    **_reasons(
        400,
        "INVALID_ARGUMENT",
        {
            "INVALID_JSON_BODY": "The body is no JSON, or no JSON object.",
            "INVALID_ARGUMENT": "A member of the body is missing, unknown, or of the wrong type.",
            "INVALID_REQUEST_PARAMETER": "A query parameter cannot be read.",
            "INVALID_ID": "The id in the path is no UUID in lower case.",
            "INVALID_SOURCE": "The source is no number of yours, or not in a form that can send.",
            "INVALID_DESTINATION": "A destination is not E.164, or of a type that messages do not go to.",
            "DUPLICATE_DESTINATION": "The same destination stands twice in one message.",
            "TOO_MANY_DESTINATIONS": "A message has 1 to 1000 destinations.",
            "INVALID_TEXT": "The text is empty, or holds a character that cannot be kept (NUL).",
            "TOO_MANY_SEGMENTS": "The text needs more segments than `max_segments` allows.",
            "MEDIA_NOT_SUPPORTED": "A medium is of a type that an MMS cannot carry, or not of the type that is said.",
            "INVALID_MEDIA": "The address of a medium is no http or https URL, or one of ours that cannot be used.",
            "INVALID_SCHEDULE": "The time of a message is none, is over, or is more than 365 days ahead.",
            "INVALID_TLV": "A TLV is known to none of a destination's carriers, or its value does not fit.",
            "INVALID_KEYWORD": "A keyword of a number is no word and no pattern, or both; or a word to be ignored is "
            "no keyword, or one that always counts.",
            "INVALID_ACTION_TYPE": "An action of a flow is of a type that is not known, or not carried here.",
            "MISSING_VARIABLE": "The text has a variable that a destination was not given.",
            "INVALID_IDEMPOTENCY_KEY": "The Idempotency-Key is empty, too long, or not of visible ASCII characters.",
            "INVALID_WEBHOOK_URI": "The webhook's address is no http or https URL, or points to a private address.",
            "INVALID_CARRIER_CONFIG": "A member of the carrier's config is missing, unknown or out of range.",
            "MALFORMED_REQUEST": "The request is no HTTP/1.1, or not in a form that has one meaning only.",
            "INVALID_REPLY": "An answer of your own is too long, or in a language or with a member that there is not.",
            "INVALID_SCOPE": "The scope is neither `customer`, nor `group:NAME`, nor `number:` and a number.",
            "INVALID_TIME_ZONE": "There is no time zone of this name.",
            "INVALID_LIMIT": "The limit limits nothing, or is for something that cannot be limited so.",
            "INVALID_NUMBER": "The number is neither E.164 nor a short code nor an alphanumeric sender.",
            "INVALID_UPLOAD": "The body is no multipart that can be read, or not with one part `file` alone.",
            "MEDIA_TYPE_MISMATCH": "The content of a file is of another format than its type says.",
            "MEDIA_BROKEN": "A file is cut short, or cannot be read.",
        },
    ),
    **_reasons(
        401,
        "UNAUTHENTICATED",
        {
            "AUTHENTICATION_REQUIRED": "The request carries neither an access key nor a token.",
            "INVALID_CREDENTIALS": "The access key or token is unknown, expired or revoked; or the password is wrong.",
        },
    ),
    **_reasons(
        403,
        "PERMISSION_DENIED",
        {
            "PERMISSION_DENIED": "Only the operator may do this.",
            "MEDIA_ADDRESS_EXPIRED": "The signature of a medium's address is wrong, or its time is over.",
        },
    ),
    **_reasons(
        404,
        "NOT_FOUND",
        {
            "RESOURCE_NOT_FOUND": "There is no such resource, or it belongs to somebody else.",
            "MESSAGE_NOT_FOUND": "There is no such message, or it belongs to somebody else, or it was deleted.",
            "PATH_NOT_FOUND": "The API has no such path.",
        },
    ),
    **_reasons(405, "METHOD_NOT_ALLOWED", {"METHOD_NOT_ALLOWED": "The path does not answer to this method."}),
    **_reasons(
        408, "DEADLINE_EXCEEDED", {"REQUEST_TIMEOUT": "The head or the body of the request did not arrive in time."}
    ),
    **_reasons(409, "ALREADY_EXISTS", {"ALREADY_EXISTS": "A resource with this name or number is there already."}),
    **_reasons(409, "FAILED_PRECONDITION", {"STATE_INVALID": "The resource is not in a state that allows this."}),
    **_reasons(
        413,
        "INVALID_ARGUMENT",
        {
            "BODY_TOO_LARGE": "The body is larger than 1 MiB.",
            "MEDIA_TOO_LARGE": "A file has more octets than are taken, or a picture more pixels than are worked on.",
        },
    ),
    **_reasons(
        415,
        "INVALID_ARGUMENT",
        {
            "NOT_JSON": "The Content-Type is not application/json.",
            "NOT_CSV": "The Content-Type is not text/csv.",
            "NOT_MULTIPART": "The Content-Type is not multipart/form-data with a boundary.",
            "MEDIA_UNSUPPORTED": "A file is of no format that an MMS can carry.",
        },
    ),
    **_reasons(416, "INVALID_ARGUMENT", {"INVALID_RANGE": "The Range begins behind the end of the medium."}),
    **_reasons(
        422,
        "INVALID_ARGUMENT",
        {"IDEMPOTENCY_KEY_REUSED": "The Idempotency-Key was used for another request within 24 hours."},
    ),
    **_reasons(
        429,
        "RESOURCE_EXHAUSTED",
        {
            "RATE_LIMIT_EXCEEDED": "Too many requests, segments or failed logins; `Retry-After` says how long to wait.",
        },
    ),
    **_reasons(
        431,
        "INVALID_ARGUMENT",
        {"HEADERS_TOO_LARGE": "The head is over 32 KiB, its URL over 8 KiB, or it has over 100 headers."},
    ),
    **_reasons(500, "INTERNAL", {"INTERNAL": "The program failed. The request id leads to the log."}),
    **_reasons(
        503,
        "UNAVAILABLE",
        {
            "SERVICE_UNAVAILABLE": "Store or media cannot be written, or the server is ending. Nothing was accepted, "
            "unless `message` says that this is not known."
        },
    ),
}


def as_markdown() -> str:
    """The table of reasons as docs/errors.md shows it."""
    rows = (
        f"| {reason.http} | `{reason.status}` | `{name}` | {reason.meaning} | {reason.remedy} |"
        for name, reason in REASONS.items()
    )
    return "\n".join(["| HTTP | status | reason | meaning | what to do |", "| --- | --- | --- | --- | --- |", *rows])
