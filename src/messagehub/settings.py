"""Every setting, once: its name, type, default and meaning. The docs page is printed from here."""

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from messagehub.errors import SettingError

PREFIX = "MESSAGEHUB_"
FILE = PREFIX + "CONFIG"
"""The variable that names the optional TOML file."""

HIGHEST_PORT = 65_535

CLIENT = frozenset({PREFIX + "URL", PREFIX + "ACCESSKEY", PREFIX + "PASSWORD"})
"""Variables of the command line's HTTP client; a server passes over them."""


def setting(
    default: Any,
    meaning: str,
    *choices: str,
    least: float = -math.inf,
    most: float = math.inf,
    is_address: bool = False,
    is_place: bool = False,
) -> Any:
    kinds = {"is_address": is_address, "is_place": is_place}
    bounds = {"choices": choices, "least": least, "most": most, **kinds}
    return field(default=default, metadata={"meaning": meaning, **bounds})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    listen: str = setting(
        "127.0.0.1:8080", "address and port of the API, `HOST:PORT`; port 0 takes a free one", is_place=True
    )
    front: str = setting(
        "auto",
        "where HTTP is spoken, to callers and to webhooks: `inline`, in a `process` beside, or `auto`: inline at "
        "first, and beside from when many ask at once, on a machine with two cores or more",
        "auto",
        "inline",
        "process",
    )
    database_url: str = setting("sqlite:///messagehub.db", "the store: `sqlite:///PATH` or `postgresql://…`")
    writer: str = setting(
        "process",
        "what writes a SQLite store: a `process` beside, for a machine with two cores or more, or a `thread`, which "
        "takes less memory and starts faster",
        "process",
        "thread",
    )
    role: str = setting(
        "all",
        "what the process does: `all`, only what an `api` does (it answers requests), or only what a `worker` does (it "
        "binds to carriers and sends webhooks, and answers on `/healthz`, `/readyz` and `/metrics`); on SQLite `all`",
        "all",
        "api",
        "worker",
    )
    node_lease: float = setting(
        15.0,
        "seconds after its last sign of life when a process that shares a PostgreSQL is thought to be dead, and others "
        "take over what it held; a database that cannot be written for four fifths of that costs it its binds",
        least=8,  # else unbinding takes longer than there is between parting and the kill
        most=300,
    )
    secret_key: str = setting(
        "",
        "seals the secrets in the store: 32 characters or more, such as `openssl rand -base64 32` prints; several with "
        "commas between them: the first seals, all open. Without it SQLite has a file `PATH.key` made beside it, and "
        "PostgreSQL keeps secrets in the clear",
    )
    webhook_allow_private: bool = setting(False, "let webhooks go to private, loopback and link-local addresses")
    webhook_timeout: float = setting(5.0, "seconds that an endpoint has to answer a webhook", least=0.1, most=25)
    max_segments: int = setting(10, "segments that one message may have at most", least=1, most=255)
    unknown_destination: str = setting(
        "accept",
        "an inbound message to a number of nobody's: `accept` (answered OK, logged and counted) or `refuse`",
        "accept",
        "refuse",
    )
    flow_answers: int = setting(
        20,
        "messages of one person to one number that flows answer within five minutes; more are taken for two machines "
        "that answer each other, until there was silence for five minutes; and so are ten times as many within a day, "
        "until it is over. 0 is no limit",
        least=0,
        most=1_000_000,
    )
    body_timeout: float = setting(10.0, "seconds that the body of a request may take to arrive", least=0.1, most=3600)
    token_lifetime: int = setting(86_400, "seconds for which the token of a login is good", least=1, most=30 * 86_400)
    login_rate: float = setting(
        10.0, "logins per second that one address may try, in each process; 0 for any", least=0, most=1_000_000
    )
    login_burst: int = setting(20, "logins that one address may try at once", least=1, most=1_000_000)
    rate_per_address: float = setting(
        0.0, "requests per second that one address may make, in each process; 0 for any", least=0, most=1_000_000
    )
    burst_per_address: int = setting(400, "requests that one address may make at once", least=1, most=1_000_000)
    rate_per_customer: float = setting(
        0.0, "requests per second that one customer may make, in each process; 0 for any", least=0, most=1_000_000
    )
    burst_per_customer: int = setting(33, "requests that one customer may make at once", least=1, most=1_000_000)
    head_timeout: float = setting(10.0, "seconds that the head of a request may take to arrive", least=0.1, most=3600)
    answer_timeout: float = setting(
        20.0, "seconds that a caller may take to read an answer, and one more for each 16 KiB", least=0.1, most=3600
    )
    connections_per_address: int = setting(
        1000,
        "connections that one address may have open, of IPv6 one /64; 0 is no limit. This machine and "
        "`trusted_proxies` are exempt",
        least=0,
        most=1_000_000,
    )
    max_connections: int = setting(10_000, "connections that may be open in all", least=1, most=1_000_000)
    trusted_proxies: str = setting(
        "", "addresses and networks of the proxies whose X-Forwarded-For is believed, such as `10.0.0.0/8,2001:db8::1`"
    )
    outbind_listen: str = setting(
        "", "address and port at which carriers may call (SMPP outbind), `HOST:PORT`; empty: nobody can", is_place=True
    )
    drain_timeout: float = setting(
        4.0, "seconds that unanswered PDUs are waited for when the server ends", least=0, most=6
    )
    sender_rules: str = setting(
        "enforce",
        "what countries ask of names and short codes as senders: `enforce` (refused at POST /messages) or `off`",
        "enforce",
        "off",
    )
    trace: str = setting(
        "default",
        "targets whose traces are kept: `default` (those that fail, and a sample), `all`, or `off`",
        "default",
        "all",
        "off",
    )
    trace_sample: float = setting(0.01, "the share of targets that are traced though they do not fail", least=0, most=1)
    trace_retention: float = setting(7.0, "days for which traces are kept", least=0.01, most=3650)
    trace_text: bool = setting(True, "traces hold the texts of messages; false: asterisks in their place")
    retention_messages: float = setting(
        0.0,
        "days for which a message can be looked at after its last target came to its end; then it is removed, with "
        "all that belongs to it; 0 is for ever",
        least=0,
        most=36_500,
    )
    retention_events: float = setting(
        90.0,
        "days for which deliveries of webhooks can be looked at and replayed, and flows that ran be looked at; "
        "0 is for ever",
        least=0,
        most=36_500,
    )
    public_url: str = setting(
        "",
        "the address by which carriers and readers of links reach this server, such as `https://sms.example.com`; "
        "empty: `http://` and `listen`",
        is_address=True,
    )
    media_dir: str = setting(
        "",
        "the folder of media; several processes share one; empty: `media`, beside a SQLite store, or where the "
        "process was started",
    )
    media_max: int = setting(
        16 * 1024 * 1024, "octets of a medium that is uploaded or fetched", least=1024, most=1024 * 1024 * 1024
    )
    media_timeout: float = setting(
        30.0, "seconds for which a medium of a customer's may take to be fetched", least=0.1, most=600
    )
    media_allow_private: bool = setting(
        False, "media of customers may be fetched from addresses that are not public, such as 127.0.0.1"
    )
    media_url_lifetime: float = setting(
        7.0, "days for which the address of a medium can be used", least=0.01, most=3650
    )
    retention_media: float = setting(
        30.0, "days for which a medium is kept after it was used last; 0 is for ever", least=0, most=36_500
    )
    log_level: str = setting("info", "`debug`, `info`, `warning` or `error`", "debug", "info", "warning", "error")
    log_format: str = setting("text", "`text` or `json`, one event a line, to standard error", "text", "json")
    log_requests: str = setting(
        "failed",
        "requests with a line in the log: `none`, `failed` (answered 401, 429 or 5xx; ten a second at most) or `all`",
        "none",
        "failed",
        "all",
    )
    log_numbers: bool = setting(False, "phone numbers stand whole in the log, and not as `+1555…67`")
    metrics: str = setting(
        "open",
        "who may read `/metrics`: `open` (anybody), `operator` (with an access key of the operator) or `off`",
        "open",
        "operator",
        "off",
    )

    @property
    def public_address(self) -> str:
        """How this server is reached from outside."""
        host, _, port = self.listen.rpartition(":")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))  # noqa: S104
        return self.public_url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def media_folder(self) -> Path:
        scheme, _, place = self.database_url.partition(":///")
        beside = Path(place).parent if scheme == "sqlite" else Path()
        return Path(self.media_dir) if self.media_dir else beside / "media"

    @classmethod
    def read(cls, env: Mapping[str, str] = os.environ, **given: Any) -> "Settings":
        """Defaults, overruled by the TOML file, overruled by variables, overruled by `given`."""
        written = _from_file(Path(env[FILE])) if FILE in env else {}
        return cls(**{**written, **_from_env(env), **given})


def _from_env(env: Mapping[str, str]) -> dict[str, Any]:
    names = {PREFIX + name.upper(): name for name in _hints()}
    mine = {key for key in env if key.startswith(PREFIX)} - CLIENT - {FILE}
    if strange := mine - names.keys():
        raise SettingError(f"no such setting: {', '.join(sorted(strange))}")
    return {names[key]: checked(key, env[key], names[key]) for key in sorted(mine)}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingError(f"{path}: {error}") from error
    if strange := table.keys() - _hints():
        raise SettingError(f"{path}: no such setting: {', '.join(sorted(strange))}")
    if lists := [name for name, value in table.items() if not isinstance(value, str | int | float)]:
        raise SettingError(f"{path}: {', '.join(lists)}: neither a text nor a number nor true or false")
    return {name: checked(f"{path}: {name}", str(value), name) for name, value in table.items()}


def _hints() -> dict[str, Any]:
    return get_type_hints(Settings)


_WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def checked(key: str, text: str, name: str) -> Any:
    """The value of a setting, of which `key` is what its giver calls it."""
    kind = _hints()[name]
    try:
        value = _WORDS[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise SettingError(f"{key}: {text!r} is no {kind.__name__}") from None
    _check(key, text, value, next(f.metadata for f in fields(Settings) if f.name == name))
    return value


def _check(key: str, text: str, value: Any, bounds: Mapping[str, Any]) -> None:
    if bounds["choices"] and value not in bounds["choices"]:
        raise SettingError(f"{key}: {text!r} is none of {', '.join(bounds['choices'])}")
    if bounds["is_address"] and value:
        _check_address(key, value)
    if bounds["is_place"] and value:
        _check_place(key, value)
    if isinstance(value, int | float) and not bounds["least"] <= value <= bounds["most"]:
        raise SettingError(f"{key}: {text!r} is not within {bounds['least']} to {bounds['most']}")


def _check_address(key: str, text: str) -> None:
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and text.isprintable()
    except ValueError:
        is_one = False
    if not is_one or " " in text or "?" in text or "#" in text or "@" in text:
        raise SettingError(f"{key}: {text!r} is no address such as https://sms.example.com")


def _check_place(key: str, text: str) -> None:
    """Without a host it would be all of them, which is to be said."""
    host, _, port = text.rpartition(":")
    if not host.strip("[]") or not port.isdecimal() or int(port[:6]) > HIGHEST_PORT:
        raise SettingError(f"{key}: {text!r} is no HOST:PORT, such as 127.0.0.1:8080")


def as_markdown() -> str:
    """The table of settings as docs/settings.md shows it."""
    rows = (
        f"| `{PREFIX}{f.name.upper()}` | `{f.default}` | {_range(f.metadata)} | {f.metadata['meaning']} |"
        for f in fields(Settings)
    )
    return "\n".join(["| setting | default | range | meaning |", "| --- | --- | --- | --- |", *rows])


def _range(bounds: Mapping[str, Any]) -> str:
    return f"{bounds['least']} to {bounds['most']}" if math.isfinite(bounds["most"]) else ""
